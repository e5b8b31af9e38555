/* Responses: views, bodies raw and decoded, times, and freeing. */
#include "check.h"

static char at[512];

static size_t read_all(rqx_response *response, uint8_t *room, size_t cap, uint32_t flags) {
  size_t total = 0, n = 1;
  while (n != 0) {
    CHECK(total < cap);
    int32_t code = RQX_PENDING;
    while (code == RQX_PENDING) code = rqx_body_read_into(response, room + total, cap - total, flags, &n, NULL);
    CHECK_CODE(RQX_OK, code);
    total += n;
  }
  return total;
}

static void views_live_as_long_as_the_response(void) {
  rqx_client *client = new_client();
  rqx_event first, second;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get?first"), &first));
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get?second"), &second));
  rqx_client_free(client);
  CHECK(holds(first.body, "first") && holds(second.body, "second"));
  CHECK(is(first.reason, "OK"));
  done(&first);
  CHECK(holds(second.head, "Content-Length\n"));
  done(&second);
}

static void raw_bytes_are_what_came(void) {
  static uint8_t room[4096];
  rqx_client *client = new_client();
  rqx_event event;
  uint64_t raw = 0;
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http_url, "/gzip"), NULL, RQX_SEND_STREAM, &event));
  size_t total = read_all(event.response, room, sizeof room, RQX_READ_RAW);
  CHECK(room[0] == 0x1f && room[1] == 0x8b);
  CHECK_CODE(RQX_OK, rqx_response_raw_bytes(event.response, &raw));
  CHECK(raw == total);
  done(&event);
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", at, NULL, RQX_SEND_STREAM, &event));
  size_t decoded = read_all(event.response, room, sizeof room, 0);
  CHECK(decoded > total);
  CHECK_CODE(RQX_OK, rqx_response_raw_bytes(event.response, &raw));
  CHECK(raw == total);
  done(&event);
  rqx_client_free(client);
}

static void raw_after_decoded_is_refused(void) {
  static uint8_t room[16];
  rqx_client *client = new_client();
  rqx_event event;
  size_t n = 0;
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http_url, "/gzip"), NULL, RQX_SEND_STREAM, &event));
  int32_t code = RQX_PENDING;
  while (code == RQX_PENDING) code = rqx_body_read_into(event.response, room, sizeof room, 0, &n, NULL);
  CHECK_CODE(RQX_OK, code);
  CHECK(n == sizeof room);
  CHECK_CODE(RQX_E_STATE, rqx_body_read_into(event.response, room, sizeof room, RQX_READ_RAW, &n, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_body_read_into(event.response, room, sizeof room, 0x80, &n, NULL));
  done(&event);
  rqx_client_free(client);
}

static void what_is_kept_whole_grows_within_its_limits(void) {
  static uint8_t room[4096];
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_event event;
  size_t n = 0;
  under(at, sizeof at, http_url, "/gzip");
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_DECODED_RATIO, 1, NULL)); /* counts beyond 64 MiB */
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, 0, &event));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_DECODED_BYTES, 100, NULL));
  CHECK_CODE(RQX_E_TOO_LARGE, ask(client, options, "GET", at, NULL, 0, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_READ && holds(view.message, "max_decoded_bytes is 100"));
  done(&event);
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, RQX_SEND_STREAM, &event));
  CHECK(read_all(event.response, room, sizeof room, 0) > 100);
  done(&event);
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, RQX_SEND_STREAM, &event));
  int32_t code = RQX_PENDING;
  while (code == RQX_PENDING) code = rqx_body_read_into(event.response, room, sizeof room, RQX_READ_WHOLE, &n, NULL);
  CHECK_CODE(RQX_E_TOO_LARGE, code);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void a_head_has_the_bound_that_was_set(void) {
  static char url[2048];
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_event event;
  int length = snprintf(url, sizeof url, "%s/redirect-to?url=/%01200d", http_url, 0);
  CHECK(length > 1200 && (size_t)length < sizeof url);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_HEAD_BYTES, 1024, NULL));
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", url, NULL, 0, &event));
  done(&event);
  CHECK_CODE(RQX_E_TOO_LARGE, ask(client, options, "GET", url, NULL, 0, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_AWAIT && holds(view.message, "head is longer than 1024 bytes"));
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void a_body_that_comes_too_slowly_is_a_timeout(void) {
  static uint8_t room[256];
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_LOW_SPEED_BYTES, 1000, NULL));
  CHECK_CODE(RQX_OK, ask(client, options, "GET", under(at, sizeof at, http_url, "/get"), NULL, 0, &event));
  done(&event); /* without a time there is no such limit */
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_LOW_SPEED_NS, 100000000, NULL));
  under(at, sizeof at, http_url, "/trickle/1000?s=0.01");
  CHECK_CODE(RQX_E_TIMEOUT, ask(client, options, "GET", at, NULL, 0, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_READ && holds(view.message, "at least 1000 bytes in 0.1 s were asked for"));
  done(&event);
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, RQX_SEND_STREAM, &event));
  int32_t code = RQX_OK;
  size_t n = 1;
  while (code == RQX_PENDING || (code == RQX_OK && n > 0))
    code = rqx_body_read_into(event.response, room, sizeof room, 0, &n, NULL);
  CHECK_CODE(RQX_E_TIMEOUT, code);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void times_say_where_they_went(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_timing timing = {.struct_size = sizeof timing}, later = {.struct_size = sizeof later};
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &timing));
  CHECK(timing.connect_ns > 0 && timing.send_ns > 0 && timing.await_ns > 0);
  CHECK(timing.secure_ns == 0 && timing.reused == 0);
  CHECK(timing.bytes_sent > 20 && timing.bytes_received > event.body.len);
  memcpy(&later, event.head.ptr + event.head.len, sizeof later);
  CHECK(later.struct_size == sizeof later && later.await_ns == timing.await_ns);
  later.struct_size = sizeof later;
  done(&event);
  CHECK_CODE(RQX_OK, get(client, at, &event));
  CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &later));
  CHECK(later.reused == 1 && later.connect_ns == 0);
  CHECK(later.connection_id == timing.connection_id);
  done(&event);
  rqx_client_free(client);
}

static void older_callers_get_what_they_know(void) {
  rqx_client *client = new_client();
  rqx_event event;
  uint64_t guard[2] = {2 * sizeof(size_t), 0xa5a5};
  rqx_timing timing = {.struct_size = 2 * sizeof(size_t), .resolve_ns = 0xa5a5};
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &timing));
  CHECK(timing.resolve_ns == 0xa5a5);
  CHECK(guard[1] == 0xa5a5);
  timing.struct_size = 0;
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_response_timing(event.response, &timing));
  done(&event);
  rqx_client_free(client);
}

static void many_are_freed_at_once(void) {
  rqx_client *client = new_client();
  rqx_response *all[4] = {0};
  for (int n = 0; n < 3; n++) {
    rqx_event event;
    CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
    all[n] = event.response;
  }
  rqx_responses_free(all, 4);
  uint64_t raw = 0;
  CHECK_CODE(RQX_E_HANDLE, rqx_response_raw_bytes(all[0], &raw));
  rqx_responses_free(NULL, 0);
  rqx_client_free(client);
}

static void a_broken_body_fails_the_same_each_time(void) {
  /* Cut by the caller's own limit: the end of the body does not come. */
  static uint8_t room[4096];
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_event event;
  size_t n = 0;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, 300000000, NULL));
  CHECK_CODE(RQX_OK, ask(client, options, "GET", under(at, sizeof at, http_url, "/stall/100000"), NULL, RQX_SEND_STREAM, &event));
  int32_t code = RQX_OK;
  while (code == RQX_OK || code == RQX_PENDING) code = rqx_body_read_into(event.response, room, sizeof room, 0, &n, NULL);
  CHECK_CODE(RQX_E_TIMEOUT, code);
  rqx_error *error = NULL;
  CHECK_CODE(RQX_E_TIMEOUT, rqx_body_read_into(event.response, room, sizeof room, 0, &n, &error));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(error, &view));
  CHECK(view.phase == RQX_PHASE_READ);
  rqx_error_free(error);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static int32_t next_of(rqx_response *response, rqx_slice *piece) {
  int32_t code = RQX_PENDING;
  while (code == RQX_PENDING) code = rqx_body_next(response, 0, piece, NULL);
  return code;
}

static void pieces_are_shown_where_they_lie(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_slice piece = {0};
  size_t total = 0;
  under(at, sizeof at, http_url, "/bytes/3000000");
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", at, NULL, RQX_SEND_STREAM, &event));
  do {
    CHECK_CODE(RQX_OK, next_of(event.response, &piece));
    total += piece.len;
  } while (piece.len > 0);
  CHECK(total == 3000000);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_body_next(event.response, 0x80, &piece, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_body_next(event.response, 0, NULL, NULL));
  done(&event);
  rqx_client_free(client);
}

static void a_closed_response_gives_its_connection_up_and_keeps_what_it_showed(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_slice piece = {0};
  rqx_stats stats = {.struct_size = sizeof stats};
  under(at, sizeof at, http_url, "/bytes/3000000");
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", at, NULL, RQX_SEND_STREAM, &event));
  CHECK_CODE(RQX_OK, next_of(event.response, &piece));
  uint8_t first = piece.ptr[0];
  rqx_response_close(event.response);
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.open_connections == 0);
  CHECK(piece.ptr[0] == first && holds(event.head, "Content-Length"));
  CHECK_CODE(RQX_E_CLOSED, next_of(event.response, &piece));
  rqx_response_close(NULL);
  done(&event);
  rqx_client_free(client);
}

static void what_was_counted_is_known_after_the_response_was_closed(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_slice piece = {0};
  uint64_t raw = 0;
  rqx_timing then = {.struct_size = sizeof then}, now = {.struct_size = sizeof now};
  under(at, sizeof at, http_url, "/bytes/3000000");
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", at, NULL, RQX_SEND_STREAM, &event));
  CHECK_CODE(RQX_OK, next_of(event.response, &piece));
  CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &then));
  rqx_response_close(event.response);
  CHECK_CODE(RQX_OK, rqx_response_raw_bytes(event.response, &raw));
  CHECK(raw == piece.len);
  CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &now));
  CHECK(now.read_ns >= then.read_ns && now.bytes_received == then.bytes_received);
  done(&event);
  rqx_client_free(client);
}

static void reading_in_the_background_is_for_background_responses(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http_url, "/gzip"), NULL, RQX_SEND_STREAM, &event));
  CHECK_CODE(RQX_E_STATE, rqx_body_read(event.response, 1, 0, 0, NULL));
  done(&event);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  views_live_as_long_as_the_response();
  raw_bytes_are_what_came();
  raw_after_decoded_is_refused();
  what_is_kept_whole_grows_within_its_limits();
  a_head_has_the_bound_that_was_set();
  a_body_that_comes_too_slowly_is_a_timeout();
  times_say_where_they_went();
  older_callers_get_what_they_know();
  many_are_freed_at_once();
  a_broken_body_fails_the_same_each_time();
  pieces_are_shown_where_they_lie();
  a_closed_response_gives_its_connection_up_and_keeps_what_it_showed();
  what_was_counted_is_known_after_the_response_was_closed();
  reading_in_the_background_is_for_background_responses();
  return 0;
}
