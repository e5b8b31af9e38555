/* fork: the parent's handles are refused in the child, and both go on. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char at[512];

static void children_have_handles_of_their_own(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_event event, held;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  CHECK_CODE(RQX_OK, submit(client, queue, 1, at, 0));
  held = next(queue);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    rqx_event own;
    rqx_stats stats = {.struct_size = sizeof stats};
    CHECK_CODE(RQX_E_FORKED, rqx_client_stats(client, &stats));
    CHECK_CODE(RQX_E_FORKED, get(client, at, &own));
    done(&own);
    CHECK_CODE(RQX_E_FORKED, submit(client, queue, 2, at, 0));
    rqx_response_free(event.response);
    rqx_response_free(held.response);
    rqx_queue_free(queue);
    rqx_client_free(client);
    rqx_client *fresh = new_client();
    rqx_queue *other = new_queue();
    CHECK_CODE(RQX_OK, get(fresh, at, &own));
    CHECK(!(own.flags & RQX_EVF_REUSED));
    done(&own);
    CHECK_CODE(RQX_OK, submit(fresh, other, 1, at, 0));
    own = next(other);
    CHECK_CODE(RQX_OK, own.code);
    done(&own);
    rqx_queue_free(other);
    rqx_client_free(fresh);
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(holds(event.body, "GET"));
  done(&event);
  done(&held);
  CHECK_CODE(RQX_OK, get(client, at, &event));
  CHECK(event.flags & RQX_EVF_REUSED);
  done(&event);
  CHECK_CODE(RQX_OK, submit(client, queue, 3, at, 0));
  event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  CHECK(event.flags & RQX_EVF_REUSED);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  children_have_handles_of_their_own();
  children_have_handles_of_their_own();
  return 0;
}
