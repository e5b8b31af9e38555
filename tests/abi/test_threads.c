/* One client, many threads: blocking and in the background, with cancels in between. */
#include <pthread.h>

#include "check.h"

static char at[512];
static rqx_client *client;

static void *block(void *unused) {
  (void)unused;
  for (int n = 0; n < 10; n++) {
    rqx_event event;
    CHECK_CODE(RQX_OK, get(client, at, &event));
    CHECK(event.status == 200);
    done(&event);
  }
  return NULL;
}

static void *background(void *first) {
  rqx_queue *queue = new_queue();
  uint64_t token = (uint64_t)(uintptr_t)first;
  for (uint64_t n = 0; n < 10; n++) CHECK_CODE(RQX_OK, submit(client, queue, token + n, at, 0));
  CHECK_CODE(RQX_OK, rqx_cancel(client, token + 5));
  for (int n = 0; n < 10; n++) {
    rqx_event event = next(queue);
    CHECK(event.code == RQX_OK || (event.code == RQX_E_CANCELLED && event.token == token + 5));
    done(&event);
  }
  rqx_queue_free(queue);
  return NULL;
}

int main(int argc, char **argv) {
  begin(argc, argv);
  pthread_t threads[8];
  client = new_client();
  under(at, sizeof at, http_url, "/get");
  for (uintptr_t n = 0; n < 8; n++) {
    CHECK(pthread_create(&threads[n], NULL, n % 2 ? block : background, (void *)(1000 * n)) == 0);
  }
  for (int n = 0; n < 8; n++) CHECK(pthread_join(threads[n], NULL) == 0);
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.in_flight == 0);
  /* What was cancelled before it began was no request. */
  CHECK(stats.requests <= 80 && stats.requests >= 76);
  rqx_client_free(client);
  return 0;
}
