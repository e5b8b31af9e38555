/* What a C caller gets wrong: NULL, stale handles, handles of another kind, wrong counts. Nothing is followed,
 * nothing is sent, nothing is lost. */
#include "check.h"

#define MADE_UP(type) ((type *)(uintptr_t)0x7fffdeadbeef)

static rqx_event event;
static rqx_exchange *pending;
static size_t n;

/* The code of rqx_send for these bytes. */
static int32_t head_of(rqx_client *client, const char *head, size_t length, uint32_t fields) {
  int32_t code = rqx_send(client, NULL, (const uint8_t *)head, length, fields, NULL, 0, NULL, 0, &pending, &event);
  CHECK(event.kind == RQX_EV_ERROR);
  done(&event);
  return code;
}
#define HEAD(client, text, fields) head_of(client, text, sizeof(text) - 1, fields)

static void heads_that_are_none(void) {
  rqx_client *client = new_client();
  CHECK_CODE(RQX_E_INVALID_METHOD, HEAD(client, "\nhttp://127.0.0.1:1/", 0));
  CHECK_CODE(RQX_E_INVALID_METHOD, HEAD(client, "G T\nhttp://127.0.0.1:1/", 0));
  CHECK_CODE(RQX_E_INVALID_METHOD, HEAD(client, "GET\r\nhttp://127.0.0.1:1/", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\n", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\n/path", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\nhttp://", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\nhttp://127.0.0.1:65536/", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\nhttp://127.0.0.1:0/", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\nhttp://127.0.0.1:1/a b", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\nhttp://127.0.0.1:1/\r", 0));
  CHECK_CODE(RQX_E_INVALID_URL, HEAD(client, "GET\nhttp://127.0.0.1:1/\0", 0));
  CHECK_CODE(RQX_E_UNSUPPORTED_SCHEME, HEAD(client, "GET\nftp://127.0.0.1/", 0));
  CHECK_CODE(RQX_E_UNSUPPORTED_SCHEME, HEAD(client, "GET\nfile:///etc/passwd", 0));
  CHECK(HEAD(client, "", 0) != RQX_OK);
  CHECK(HEAD(client, "GET", 0) != RQX_OK);
  rqx_client_free(client);
}

static void joining_cannot_inject(void) {
  rqx_client *client = new_client();
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX-A\n1\nX-B\n2", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX-A\n1", 2));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX-A", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX-A\n1", 0));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/", 0xffffffff));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX-A\n1\rX-B: 2", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX-A\n1\0", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX A\n1", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nX:\n1", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\n\n1", 1));
  rqx_client_free(client);
}

static void framing_is_not_the_callers_to_falsify(void) {
  rqx_client *client = new_client();
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nContent-Length\n5", 1));
  CHECK_CODE(RQX_E_INVALID_HEADER, HEAD(client, "GET\nhttp://127.0.0.1:1/\nContent-Length\n-1", 1));
  rqx_client_free(client);
}

static void null_is_told_by_name(void) {
  rqx_client *client = new_client();
  rqx_error *error = NULL;
  const uint8_t *head = (const uint8_t *)"GET\nhttp://127.0.0.1:1/";
  CHECK_CODE(RQX_E_NULL, rqx_client_new(NULL, NULL, &error));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(error, &view));
  CHECK(holds(view.message, "out"));
  rqx_error_free(error);
  CHECK_CODE(RQX_E_NULL, rqx_send(client, NULL, head, 23, 0, NULL, 0, NULL, 0, &pending, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_send(client, NULL, head, 23, 0, NULL, 0, NULL, 0, NULL, &event));
  done(&event);
  CHECK_CODE(RQX_E_NULL, rqx_send(client, NULL, NULL, 23, 0, NULL, 0, NULL, 0, &pending, &event));
  done(&event);
  CHECK_CODE(RQX_E_NULL, rqx_send(client, NULL, head, 23, 0, NULL, 5, NULL, 0, &pending, &event));
  done(&event);
  CHECK_CODE(RQX_E_NULL, rqx_send(NULL, NULL, head, 23, 0, NULL, 0, NULL, 0, &pending, &event));
  done(&event);
  CHECK_CODE(RQX_E_NULL, rqx_exchange_resume(NULL, &event));
  done(&event);
  CHECK_CODE(RQX_E_NULL, rqx_queue_new(NULL, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_queue_wait(NULL, &event, 1, 0, &n, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_queue_wake(NULL));
  CHECK(rqx_queue_fd(NULL) == -1);
  CHECK(rqx_queue_dispatch(NULL, NULL, NULL, 0) == 0);
  CHECK_CODE(RQX_E_NULL, rqx_submit(client, NULL, 1, NULL, head, 23, 0, NULL, 0, NULL, 0, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_cancel(NULL, 1));
  CHECK_CODE(RQX_E_NULL, rqx_client_close(NULL));
  CHECK_CODE(RQX_E_NULL, rqx_client_close_idle(NULL));
  CHECK_CODE(RQX_E_NULL, rqx_client_stats(client, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_error_read(NULL, &view));
  CHECK_CODE(RQX_E_NULL, rqx_error_code(NULL));
  CHECK_CODE(RQX_E_NULL, rqx_upload_new(1, -1, NULL, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_upload_push(NULL, head, 1, &n, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_upload_finish(NULL, 0, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_body_read_into(NULL, NULL, 0, 0, &n, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_body_read(NULL, 1, 0, 0, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_request_new(BYTES("GET"), head + 4, 19, NULL, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_request_set_options(NULL, NULL, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_request_set_body(NULL, head, 1, NULL));
  rqx_client_free(client);
}

static void queues_refuse_no_room(void) {
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_E_NULL, rqx_queue_wait(queue, NULL, 1, 0, &n, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_queue_wait(queue, &event, 1, 0, NULL, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_queue_wait(queue, &event, 0, 0, &n, NULL));
  rqx_queue_free(queue);
}

static void stale_handles_are_refused(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_client_free(client);
  rqx_client_free(client);
  rqx_queue_free(queue);
  rqx_queue_free(queue);
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_E_HANDLE, rqx_client_stats(client, &stats));
  CHECK_CODE(RQX_E_HANDLE, rqx_client_close(client));
  CHECK_CODE(RQX_E_HANDLE, rqx_queue_wake(queue));
  CHECK(rqx_queue_fd(queue) == -1);
  /* A new one in the same slot does not answer to the old name. */
  rqx_client *other = new_client();
  CHECK(other != client);
  CHECK_CODE(RQX_E_HANDLE, rqx_client_stats(client, &stats));
  CHECK_CODE(RQX_OK, rqx_client_stats(other, &stats));
  rqx_client_free(client);
  CHECK_CODE(RQX_OK, rqx_client_stats(other, &stats));
  rqx_client_free(other);
}

static void handles_of_another_kind_are_refused(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_E_HANDLE, rqx_client_close((rqx_client *)(void *)queue));
  CHECK_CODE(RQX_E_HANDLE, rqx_queue_wake((rqx_queue *)(void *)client));
  rqx_client_free((rqx_client *)(void *)queue);
  rqx_response_free((rqx_response *)(void *)client);
  CHECK_CODE(RQX_OK, rqx_queue_wake(queue));
  CHECK_CODE(RQX_E_INTERRUPTED, rqx_queue_wait(queue, &event, 1, 0, &n, NULL));
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void made_up_handles_are_not_followed(void) {
  rqx_stats stats = {.struct_size = sizeof stats};
  uint64_t raw = 0;
  for (uintptr_t bits = 1; bits != 0; bits <<= 1) {
    CHECK(rqx_client_stats((rqx_client *)bits, &stats) != RQX_OK);
    CHECK(rqx_response_raw_bytes((rqx_response *)bits, &raw) != RQX_OK);
    CHECK(rqx_error_code((rqx_error *)bits) != RQX_OK);
    rqx_client_free((rqx_client *)bits);
    rqx_exchange_free((rqx_exchange *)bits);
    rqx_options_free((rqx_options *)bits);
    rqx_request_free((rqx_request *)bits);
    rqx_upload_free((rqx_upload *)bits);
  }
  CHECK_CODE(RQX_E_HANDLE, rqx_cancel(MADE_UP(rqx_client), 1));
  CHECK_CODE(RQX_E_HANDLE, rqx_exchange_resume(MADE_UP(rqx_exchange), &event));
  done(&event);
}

static void unknown_flags_are_refused(void) {
  rqx_client *client = new_client();
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, ask(client, NULL, "GET", http_url, NULL, 0x80000000, &event));
  done(&event);
  rqx_client_free(client);
}

static void a_body_and_an_upload_are_one_too_many(void) {
  rqx_client *client = new_client();
  rqx_upload *upload = NULL;
  CHECK_CODE(RQX_OK, rqx_upload_new(1000, -1, &upload, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_send(client, NULL, BYTES("POST\nhttp://127.0.0.1:1/"), 0, BYTES("body"), upload, 0, &pending, &event));
  done(&event);
  rqx_upload_free(upload);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  heads_that_are_none();
  joining_cannot_inject();
  framing_is_not_the_callers_to_falsify();
  null_is_told_by_name();
  queues_refuse_no_room();
  stale_handles_are_refused();
  handles_of_another_kind_are_refused();
  made_up_handles_are_not_followed();
  unknown_flags_are_refused();
  a_body_and_an_upload_are_one_too_many();
  return 0;
}
