/* Request bodies that are pushed while the exchange runs, in both lanes. */
#include "check.h"

static char head[1024];

static rqx_upload *new_upload(size_t window, int64_t length) {
  rqx_upload *upload = NULL;
  CHECK_CODE(RQX_OK, rqx_upload_new(window, length, &upload, NULL));
  return upload;
}

static void post_head(void) {
  snprintf(head, sizeof head, "POST\n%s/post", http_url);
}

/* Pushes `total` bytes whenever the exchange asks for them. */
static int32_t feed(rqx_client *client, rqx_upload *upload, size_t total, rqx_event *event) {
  static const uint8_t block[50000];
  rqx_exchange *pending = NULL;
  size_t pushed = 0;
  post_head();
  int32_t code = rqx_send(client, NULL, TEXT(head), 0, NULL, 0, upload, 0, &pending, event);
  while (code == RQX_PENDING || code == RQX_WANT_BODY) {
    while (code == RQX_WANT_BODY && pushed < total) {
      size_t n = 0, want = total - pushed < sizeof block ? total - pushed : sizeof block;
      int32_t room = rqx_upload_push(upload, block, want, &n, NULL);
      if (room == RQX_E_AGAIN) break;
      CHECK_CODE(RQX_OK, room);
      pushed += n;
      if (pushed == total) CHECK_CODE(RQX_OK, rqx_upload_finish(upload, RQX_OK, NULL));
    }
    code = rqx_exchange_resume(pending, event);
  }
  rqx_exchange_free(pending);
  return code;
}

static void a_blocking_exchange_asks_for_its_body(void) {
  const int64_t lengths[] = {-1, 1000000};
  rqx_client *client = new_client();
  for (size_t n = 0; n < 2; n++) {
    rqx_upload *upload = new_upload(65536, lengths[n]);
    rqx_event event;
    CHECK_CODE(RQX_OK, feed(client, upload, 1000000, &event));
    CHECK(holds(event.body, "\"length\": 1000000"));
    CHECK(holds(event.body, n ? "Content-Length" : "chunked"));
    done(&event);
    rqx_upload_free(upload);
  }
  rqx_client_free(client);
}

/* CVE-2022-32221: the next request on a handle took its body from where the last one had. */
static void a_pushed_body_is_of_its_exchange_alone(void) {
  char url[256];
  rqx_client *client = new_client();
  rqx_upload *upload = new_upload(65536, -1);
  rqx_event event;
  CHECK_CODE(RQX_OK, feed(client, upload, 100000, &event));
  done(&event);

  CHECK_CODE(RQX_OK, ask(client, NULL, "POST", under(url, sizeof url, http_url, "/post"), "bytes", 0, &event));
  CHECK(event.flags & RQX_EVF_REUSED);
  CHECK(holds(event.body, "\"body\": \"bytes\""));
  CHECK(!holds(event.body, "chunked"));
  done(&event);
  rqx_upload_free(upload);
  rqx_client_free(client);
}

static void the_background_says_when_there_is_room(void) {
  static const uint8_t block[100000];
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_upload *upload = new_upload(1000, -1);
  post_head();
  CHECK_CODE(RQX_OK, rqx_submit(client, queue, 1, NULL, TEXT(head), 0, NULL, 0, upload, 0, NULL));
  size_t pushed = 0;
  int ended = 0;
  rqx_event event;
  for (;;) {
    size_t n = 0;
    while (pushed < 1000000 && rqx_upload_push(upload, block, sizeof block, &n, NULL) == RQX_OK) pushed += n;
    if (pushed >= 1000000 && !ended) {
      ended = 1;
      CHECK_CODE(RQX_OK, rqx_upload_finish(upload, RQX_OK, NULL));
    }
    event = next(queue);
    if (event.flags & RQX_EVF_TERMINAL) break;
    CHECK(event.kind == RQX_EV_UPLOAD_READY);
  }
  CHECK_CODE(RQX_OK, event.code);
  CHECK(event.status == 200);
  done(&event);
  rqx_upload_free(upload);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void a_body_can_be_broken_off(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_upload *upload = new_upload(1000, -1);
  size_t n = 0;
  post_head();
  CHECK_CODE(RQX_OK, rqx_submit(client, queue, 1, NULL, TEXT(head), 0, NULL, 0, upload, 0, NULL));
  CHECK_CODE(RQX_OK, rqx_upload_push(upload, BYTES("half"), &n, NULL));
  CHECK_CODE(RQX_OK, rqx_upload_finish(upload, RQX_E_CANCELLED, NULL));
  rqx_event event = next(queue);
  while (!(event.flags & RQX_EVF_TERMINAL)) event = next(queue);
  CHECK(event.kind == RQX_EV_ERROR);
  done(&event);
  rqx_upload_free(upload);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void freeing_an_unfinished_body_ends_its_exchange(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_upload *upload = new_upload(1000, 10);
  post_head();
  CHECK_CODE(RQX_OK, rqx_submit(client, queue, 1, NULL, TEXT(head), 0, NULL, 0, upload, 0, NULL));
  rqx_upload_free(upload);
  rqx_event event = next(queue);
  while (!(event.flags & RQX_EVF_TERMINAL)) event = next(queue);
  CHECK(event.kind == RQX_EV_ERROR);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void a_promised_length_is_kept(void) {
  rqx_upload *upload = new_upload(1000, 4);
  size_t n = 0;
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_upload_push(upload, BYTES("too long"), &n, NULL));
  CHECK_CODE(RQX_OK, rqx_upload_push(upload, BYTES("fi"), &n, NULL));
  CHECK(n == 2);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_upload_finish(upload, RQX_OK, NULL));
  rqx_upload_free(upload);
}

static void after_the_end_nothing_is_taken(void) {
  rqx_upload *upload = new_upload(1000, -1);
  size_t n = 0;
  CHECK_CODE(RQX_OK, rqx_upload_finish(upload, RQX_OK, NULL));
  CHECK_CODE(RQX_E_STATE, rqx_upload_finish(upload, RQX_OK, NULL));
  CHECK_CODE(RQX_E_STATE, rqx_upload_push(upload, BYTES("late"), &n, NULL));
  rqx_upload_free(upload);
  rqx_upload *bad = NULL;
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_upload_new(1000, -2, &bad, NULL));
  CHECK(bad == NULL);
}

static void the_window_bounds_what_is_taken(void) {
  static const uint8_t block[5000];
  rqx_upload *upload = new_upload(1000, -1);
  size_t taken = 0, n = 0;
  while (rqx_upload_push(upload, block, sizeof block, &n, NULL) == RQX_OK) taken += n;
  CHECK(taken >= 1000 && taken <= 6000);
  CHECK_CODE(RQX_E_AGAIN, rqx_upload_push(upload, block, sizeof block, &n, NULL));
  rqx_upload_free(upload);
}

static void it_serves_one_exchange(void) {
  rqx_client *client = new_client();
  rqx_upload *upload = new_upload(65536, -1);
  rqx_exchange *pending = NULL;
  rqx_event event;
  CHECK_CODE(RQX_OK, feed(client, upload, 1000, &event));
  done(&event);
  post_head();
  int32_t code = rqx_send(client, NULL, TEXT(head), 0, NULL, 0, upload, 0, &pending, &event);
  CHECK_CODE(RQX_E_STATE, code);
  done(&event);
  rqx_upload_free(upload);
  rqx_client_free(client);
}

static void one_that_was_refused_can_be_submitted_again(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_upload *upload = new_upload(1000, -1);
  char at[512];
  size_t n = 0;
  CHECK_CODE(RQX_OK, rqx_upload_push(upload, BYTES("abc"), &n, NULL));
  CHECK_CODE(RQX_OK, rqx_upload_finish(upload, RQX_OK, NULL));
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/slow?s=5"), 0));
  post_head();
  CHECK_CODE(RQX_E_STATE, rqx_submit(client, queue, 1, NULL, TEXT(head), 0, NULL, 0, upload, 0, NULL));
  CHECK_CODE(RQX_OK, rqx_submit(client, queue, 2, NULL, TEXT(head), 0, NULL, 0, upload, 0, NULL));
  rqx_event event = next(queue);
  CHECK(event.token == 2 && holds(event.body, "\"length\": 3"));
  done(&event);
  rqx_upload_free(upload);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  a_blocking_exchange_asks_for_its_body();
  a_pushed_body_is_of_its_exchange_alone();
  the_background_says_when_there_is_room();
  a_body_can_be_broken_off();
  freeing_an_unfinished_body_ends_its_exchange();
  a_promised_length_is_kept();
  after_the_end_nothing_is_taken();
  the_window_bounds_what_is_taken();
  it_serves_one_exchange();
  one_that_was_refused_can_be_submitted_again();
  return 0;
}
