/* Descriptors and threads that cannot be had: an error, and everything works again once there are some. */
#include <sys/resource.h>

#include "check.h"

static char at[512];

static void descriptors_that_cannot_be_had(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = NULL;
  rqx_event event;
  struct rlimit before, none;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_client_close_idle(client));
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  none.rlim_cur = 0;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  int32_t queued = rqx_queue_new(&queue, NULL);
  int32_t sent = get(client, at, &event);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_CODE(RQX_E_NO_RESOURCES, queued);
  CHECK_CODE(RQX_E_NO_RESOURCES, sent);
  done(&event);
  CHECK_CODE(RQX_OK, get(client, at, &event));
  done(&event);
  rqx_client_free(client);
}

static void a_process_without_descriptors_from_the_start(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  struct rlimit before, none;
  CHECK_CODE(RQX_OK, rqx_shutdown(5000000000));
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  none.rlim_cur = 0;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  int32_t code = submit(client, queue, 1, under(at, sizeof at, http_url, "/get"), 0);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  if (code == RQX_OK) {
    rqx_event event = next(queue);
    CHECK_CODE(RQX_E_NO_RESOURCES, event.code);
    done(&event);
  } else {
    CHECK_CODE(RQX_E_NO_RESOURCES, code);
  }
  CHECK_CODE(RQX_OK, submit(client, queue, 2, at, 0));
  rqx_event event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  descriptors_that_cannot_be_had();
  a_process_without_descriptors_from_the_start();
  return 0;
}
