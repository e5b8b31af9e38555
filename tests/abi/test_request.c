/* Requests put together piece by piece. */
#include "check.h"

static char at[512];

static rqx_request *request_to(const char *method, const char *path) {
  rqx_request *request = NULL;
  under(at, sizeof at, http_url, path);
  CHECK_CODE(RQX_OK, rqx_request_new(TEXT(method), TEXT(at), &request, NULL));
  return request;
}

static int32_t send_it(rqx_client *client, rqx_request *request, rqx_event *event) {
  rqx_exchange *pending = NULL;
  return finish(rqx_request_send(client, request, 0, &pending, event), &pending, event);
}

static void what_was_added_is_sent_in_order(void) {
  rqx_client *client = new_client();
  rqx_request *request = request_to("PUT", "/put");
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_request_add_header(request, BYTES("X-b"), BYTES("1"), NULL));
  CHECK_CODE(RQX_OK, rqx_request_add_header(request, BYTES("x-A"), BYTES("2"), NULL));
  CHECK_CODE(RQX_OK, rqx_request_set_body(request, BYTES("body"), NULL));
  CHECK_CODE(RQX_OK, send_it(client, request, &event));
  CHECK(holds(event.body, "[\"X-b\", \"1\"], [\"x-A\", \"2\"]"));
  CHECK(holds(event.body, "\"body\": \"body\""));
  done(&event);

  CHECK_CODE(RQX_OK, rqx_request_set_body(request, BYTES("another"), NULL));
  CHECK_CODE(RQX_OK, send_it(client, request, &event));
  CHECK(holds(event.body, "\"body\": \"another\""));
  done(&event);
  rqx_request_free(request);
  rqx_client_free(client);
}

static void it_can_be_sent_again(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_request *request = request_to("GET", "/get");
  rqx_event event;
  for (int n = 0; n < 3; n++) {
    CHECK_CODE(RQX_OK, send_it(client, request, &event));
    CHECK(event.status == 200);
    done(&event);
  }
  CHECK_CODE(RQX_OK, rqx_request_submit(client, request, queue, 1, 0, NULL));
  CHECK_CODE(RQX_OK, rqx_request_submit(client, request, queue, 2, 0, NULL));
  rqx_request_free(request);
  for (int n = 0; n < 2; n++) {
    event = next(queue);
    CHECK_CODE(RQX_OK, event.code);
    done(&event);
  }
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void it_has_options_of_its_own(void) {
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_request *request = request_to("GET", "/slow?s=3");
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, 100000000, NULL));
  CHECK_CODE(RQX_OK, rqx_request_set_options(request, options, NULL));
  rqx_options_free(options);
  CHECK_CODE(RQX_E_TIMEOUT, send_it(client, request, &event));
  done(&event);
  rqx_request_free(request);
  rqx_client_free(client);
}

/* A small answer goes into memory of the caller's, and there is no handle to free. */
static void a_small_answer_fits_into_the_callers_memory(void) {
  static uint8_t space[4096];
  rqx_client *client = new_client();
  rqx_request *request = request_to("GET", "/get");
  rqx_exchange *pending = NULL;
  rqx_event event;
  int32_t code = rqx_request_send_into(client, request, 0, space, sizeof space, &pending, &event);
  int waited = code == RQX_PENDING;
  CHECK_CODE(RQX_OK, finish(code, &pending, &event));
  if (!waited) {
    CHECK(event.flags & RQX_EVF_INLINE);
    CHECK(event.response == NULL);
    CHECK(event.head.ptr >= space && event.body.ptr + event.body.len <= space + sizeof space);
    rqx_timing timing;
    memcpy(&timing, event.head.ptr + event.head.len, sizeof timing);
    CHECK(timing.struct_size == sizeof timing && timing.connect_ns > 0 && timing.bytes_received > event.body.len);
  }
  CHECK(is(event.reason, "OK") && holds(event.head, "Content-Length\n"));
  CHECK(holds(event.body, "\"method\": \"GET\""));
  done(&event);
  rqx_request_free(request);
  rqx_client_free(client);
}

/* What does not fit comes behind a handle, and the caller's memory is left alone. */
static void a_larger_answer_comes_behind_a_handle(void) {
  uint8_t space[64];
  rqx_client *client = new_client();
  rqx_request *request = request_to("GET", "/get");
  rqx_exchange *pending = NULL;
  rqx_event event;
  memset(space, 0xa5, sizeof space);
  CHECK_CODE(RQX_OK, finish(rqx_request_send_into(client, request, 0, space, 16, &pending, &event), &pending, &event));
  CHECK(!(event.flags & RQX_EVF_INLINE));
  CHECK(event.response != NULL);
  for (size_t n = 16; n < sizeof space; n++) CHECK(space[n] == 0xa5);
  done(&event);
  CHECK_CODE(RQX_E_NULL, rqx_request_send_into(client, request, 0, NULL, 16, &pending, &event));
  done(&event);
  rqx_request_free(request);
  rqx_client_free(client);
}

static void cookies_are_told_by_a_flag(void) {
  rqx_client *client = new_client();
  rqx_request *plain = request_to("GET", "/get"), *cookies = request_to("GET", "/set-cookies?a=1");
  rqx_event event;
  CHECK_CODE(RQX_OK, send_it(client, plain, &event));
  CHECK(!(event.flags & RQX_EVF_SET_COOKIE));
  done(&event);
  CHECK_CODE(RQX_OK, send_it(client, cookies, &event));
  CHECK(event.flags & RQX_EVF_SET_COOKIE);
  done(&event);
  rqx_request_free(plain);
  rqx_request_free(cookies);
  rqx_client_free(client);
}

static void what_was_refused_leaves_no_trace(void) {
  rqx_client *client = new_client();
  rqx_request *request = request_to("GET", "/get");
  rqx_event event;
  CHECK_CODE(RQX_E_INVALID_HEADER, rqx_request_add_header(request, BYTES("X-A\r\nX-B"), BYTES("1"), NULL));
  CHECK_CODE(RQX_E_INVALID_HEADER, rqx_request_add_header(request, BYTES("X-A"), BYTES("1\nX-B: 2"), NULL));
  CHECK_CODE(RQX_E_INVALID_HEADER, rqx_request_add_header(request, BYTES("X-A"), BYTES("1\0"), NULL));
  CHECK_CODE(RQX_E_INVALID_HEADER, rqx_request_add_header(request, BYTES(""), BYTES("1"), NULL));
  CHECK_CODE(RQX_OK, send_it(client, request, &event));
  CHECK(!holds(event.body, "X-A") && !holds(event.body, "X-B"));
  done(&event);
  rqx_request_free(request);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  what_was_added_is_sent_in_order();
  it_can_be_sent_again();
  it_has_options_of_its_own();
  a_small_answer_fits_into_the_callers_memory();
  a_larger_answer_comes_behind_a_handle();
  cookies_are_told_by_a_flag();
  what_was_refused_leaves_no_trace();
  return 0;
}
