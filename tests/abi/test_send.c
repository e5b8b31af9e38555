/* Blocking exchanges on the caller's thread. */
#include "check.h"

static char at[512];

static void a_response_comes_whole(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get?a=b"), &event));
  CHECK(event.kind == RQX_EV_HEAD);
  CHECK(event.status == 200);
  CHECK(event.http_version == 11);
  CHECK(is(event.reason, "OK"));
  CHECK((event.flags & RQX_EVF_TERMINAL) && (event.flags & RQX_EVF_BODY_COMPLETE));
  CHECK(!(event.flags & RQX_EVF_REUSED));
  CHECK(event.error == NULL);
  CHECK(holds(event.head, "Content-Type\napplication/json"));
  CHECK(event.n_headers >= 3);
  CHECK(holds(event.body, "\"path\": \"/get?a=b\""));
  done(&event);
  rqx_client_free(client);
}

static void the_second_request_reuses_the_connection(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  done(&event);
  CHECK_CODE(RQX_OK, get(client, at, &event));
  CHECK(event.flags & RQX_EVF_REUSED);
  done(&event);
  rqx_client_free(client);
}

static void headers_and_body_go_out_as_given(void) {
  rqx_client *client = new_client();
  rqx_exchange *pending = NULL;
  rqx_event event;
  char head[1024];
  snprintf(head, sizeof head, "POST\n%s/post\nx-oNe\n1\nX-Two\ntwo words", http_url);
  int32_t code = rqx_send(client, NULL, TEXT(head), 2, BYTES("the body"), NULL, 0, &pending, &event);
  CHECK_CODE(RQX_OK, finish(code, &pending, &event));
  CHECK(holds(event.body, "[\"x-oNe\", \"1\"], [\"X-Two\", \"two words\"]"));
  CHECK(holds(event.body, "\"body\": \"the body\""));
  done(&event);
  rqx_client_free(client);
}

static void waiting_is_cut_into_slices(void) {
  rqx_client *client = new_client();
  rqx_exchange *pending = NULL;
  rqx_event event;
  char head[1024];
  snprintf(head, sizeof head, "GET\n%s/slow?s=0.3", http_url);
  CHECK_CODE(RQX_PENDING, rqx_send(client, NULL, TEXT(head), 0, NULL, 0, NULL, 0, &pending, &event));
  int slices = 1;
  int32_t code = RQX_PENDING;
  while (code == RQX_PENDING) {
    code = rqx_exchange_resume(pending, &event);
    slices++;
  }
  CHECK_CODE(RQX_OK, code);
  CHECK(event.status == 200);
  CHECK(slices > 3);
  done(&event);
  CHECK_CODE(RQX_E_STATE, rqx_exchange_resume(pending, &event));
  done(&event);
  rqx_exchange_free(pending);
  rqx_client_free(client);
}

static void an_exchange_may_be_given_up(void) {
  rqx_client *client = new_client();
  rqx_exchange *pending = NULL;
  rqx_event event;
  char head[1024];
  snprintf(head, sizeof head, "GET\n%s/slow?s=5", http_url);
  CHECK_CODE(RQX_PENDING, rqx_send(client, NULL, TEXT(head), 0, NULL, 0, NULL, 0, &pending, &event));
  rqx_exchange_free(pending);
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.in_flight == 0);
  CHECK(stats.open_connections == 0);
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  done(&event);
  rqx_client_free(client);
}

static void large_bodies_are_pulled(void) {
  static uint8_t room[100000];
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/bytes/3000000"), &event));
  CHECK(!(event.flags & RQX_EVF_BODY_COMPLETE));
  size_t total = 0;
  for (size_t n = 1; n != 0; total += n) {
    int32_t code = RQX_PENDING;
    while (code == RQX_PENDING) code = rqx_body_read_into(event.response, room, sizeof room, 0, &n, NULL);
    CHECK_CODE(RQX_OK, code);
    for (size_t i = 0; i < n; i++) CHECK(room[i] == (uint8_t)(total + i));
  }
  CHECK(total == 3000000);
  done(&event);
  rqx_client_free(client);
}

static void https_with_the_right_authority(void) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FILE, TEXT(ca_file), NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, https_url, "/get"), &event));
  CHECK(event.status == 200);
  done(&event);
  /* Options of one exchange replace the client's: here, without the authority. */
  rqx_options *bare = new_options();
  CHECK_CODE(RQX_E_TLS_VERIFY, ask(client, bare, "GET", at, NULL, 0, &event));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_int(bare, RQX_OPT_DANGER_ACCEPT_INVALID_CERTS, 1, NULL));
  CHECK_CODE(RQX_OK, ask(client, bare, "GET", at, NULL, 0, &event));
  done(&event);
  rqx_options_free(bare);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void bodies_are_decoded_unless_told_otherwise(void) {
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_event event;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/gzip"), &event));
  CHECK(holds(event.body, "line 0 of a text"));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_DECODE, 0, NULL));
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, 0, &event));
  CHECK(event.body.len > 2 && event.body.ptr[0] == 0x1f && event.body.ptr[1] == 0x8b);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void time_limits_end_an_exchange(void) {
  rqx_client *client = new_client();
  rqx_event event;
  const int32_t limits[] = {RQX_OPT_AWAIT_TIMEOUT_NS, RQX_OPT_TOTAL_TIMEOUT_NS};
  for (size_t n = 0; n < 2; n++) {
    rqx_options *options = new_options();
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, limits[n], 200000000, NULL));
    CHECK_CODE(RQX_E_TIMEOUT, ask(client, options, "GET", under(at, sizeof at, http_url, "/slow?s=3"), NULL, 0, &event));
    rqx_error_view view = {.struct_size = sizeof view};
    CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
    CHECK(view.phase == RQX_PHASE_AWAIT);
    done(&event);
    rqx_options_free(options);
  }
  rqx_client_free(client);
}

static void a_closed_client_takes_nothing(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_client_close(client));
  CHECK_CODE(RQX_E_CLOSED, get(client, under(at, sizeof at, http_url, "/get"), &event));
  done(&event);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  a_response_comes_whole();
  the_second_request_reuses_the_connection();
  headers_and_body_go_out_as_given();
  waiting_is_cut_into_slices();
  an_exchange_may_be_given_up();
  large_bodies_are_pulled();
  https_with_the_right_authority();
  bodies_are_decoded_unless_told_otherwise();
  time_limits_end_an_exchange();
  a_closed_client_takes_nothing();
  return 0;
}
