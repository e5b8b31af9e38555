/* HTTP/2: agreed on in the TLS handshake, and many exchanges on one connection. */
#include "check.h"

static char at[512];

static rqx_client *client_for(int64_t version) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FILE, TEXT(ca_file), NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_HTTP_VERSION, version, NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_options_free(options);
  return client;
}

static void exchanges_in_flight_share_a_connection(void) {
  rqx_client *client = client_for(0);
  rqx_queue *queue = new_queue();
  /* The first opens it: how long the others would wait for that depends on the machine. */
  CHECK_CODE(RQX_OK, submit(client, queue, 0, under(at, sizeof at, http2_url, "/together/1"), 0));
  rqx_event first = next(queue);
  done(&first);
  under(at, sizeof at, http2_url, "/together/21");
  for (uint64_t token = 0; token < 20; token++) CHECK_CODE(RQX_OK, submit(client, queue, token, at, 0));
  uint64_t tokens = 0, connection = 0;
  for (int n = 0; n < 20; n++) {
    rqx_event event = next(queue);
    rqx_timing timing = {.struct_size = sizeof timing};
    CHECK_CODE(RQX_OK, event.code);
    CHECK(event.status == 200 && event.http_version == 20 && event.reason.len == 0);
    CHECK(holds(event.body, "\"connection\": 0"));
    CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &timing));
    CHECK(connection == 0 || connection == timing.connection_id);
    connection = timing.connection_id;
    tokens |= (uint64_t)1 << event.token;
    done(&event);
  }
  CHECK(tokens == (1 << 20) - 1);
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.open_connections == 1 && stats.idle_connections == 1);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void a_blocking_caller_uses_it_again(void) {
  rqx_client *client = client_for(2);
  for (int n = 0; n < 3; n++) {
    rqx_event event;
    CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http2_url, "/echo"), &event));
    CHECK(event.http_version == 20);
    CHECK(holds(event.body, n == 0 ? "\"stream\": 1}" : n == 1 ? "\"stream\": 3}" : "\"stream\": 5}"));
    done(&event);
  }
  rqx_client_free(client);
}

static void names_cross_as_the_wire_has_them(void) {
  rqx_client *client = client_for(0);
  rqx_event event;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http2_url, "/redirect"), &event));
  CHECK(event.status == 302);
  CHECK(holds(event.head, "location\n/echo\nset-cookie\na=1\nset-cookie\nb=2"));
  done(&event);
  rqx_client_free(client);
}

static void it_is_not_spoken_where_it_is_not_offered(void) {
  CHECK(rqx_features() & RQX_F_HTTP2);
  rqx_client *client = client_for(2);
  rqx_event event;
  CHECK_CODE(RQX_E_PROTOCOL, get(client, under(at, sizeof at, https_url, "/get"), &event));
  done(&event);
  rqx_client_free(client);
}

static void what_surrounds_an_answer_is_read(void) {
  rqx_client *client = client_for(0);
  rqx_event event;
  uint16_t status = 0;
  uint32_t n = 0;
  rqx_slice fields;
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http2_url, "/hints"), &event));
  CHECK(event.flags & RQX_EVF_INFORMATIONAL);
  for (size_t index = 0; index < 2; index++) {
    CHECK_CODE(RQX_OK, rqx_response_informational(event.response, index, &status, &fields, &n, NULL));
    CHECK(status == 103 && n == 1 && holds(fields, "link\n</a>"));
  }
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_response_informational(event.response, 2, &status, &fields, &n, NULL));
  done(&event);
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http2_url, "/trailers"), &event));
  CHECK(event.flags & RQX_EVF_TRAILERS);
  CHECK_CODE(RQX_OK, rqx_response_trailers(event.response, &fields, &n, NULL));
  CHECK(n == 1 && holds(fields, "x-sum\n1"));
  done(&event);
  rqx_client_free(client);
}

static void a_response_given_up_leaves_the_connection_to_the_others(void) {
  rqx_client *client = client_for(0);
  rqx_event event;
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http2_url, "/stall/9"), NULL, RQX_SEND_STREAM, &event));
  done(&event);
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http2_url, "/echo"), &event));
  CHECK(holds(event.body, "\"stream\": 3}"));
  done(&event);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  exchanges_in_flight_share_a_connection();
  a_blocking_caller_uses_it_again();
  names_cross_as_the_wire_has_them();
  it_is_not_spoken_where_it_is_not_offered();
  what_surrounds_an_answer_is_read();
  a_response_given_up_leaves_the_connection_to_the_others();
  return 0;
}
