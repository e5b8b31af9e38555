/* Proxies: forwarded, tunnelled, refused, bypassed, and every option of theirs. */
#include "check.h"

#include <stdint.h>

static rqx_options *through(const char *proxy) {
  rqx_options *options = new_options();
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, TEXT(proxy), NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FILE, TEXT(ca_file), NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TUNNEL_TIMEOUT_NS, INT64_C(10000000000), NULL));
  return options;
}

static void user(rqx_options *options, const char *name, const char *password) {
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_USER, TEXT(name), NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_PASSWORD, TEXT(password), NULL));
}

/* The status that "GET base/get" gives, or 0 and the error in the event. */
static uint16_t status(rqx_client *client, const rqx_options *options, const char *base, rqx_event *event) {
  char url[256];
  int32_t code = ask(client, options, "GET", under(url, sizeof url, base, "/get"), NULL, 0, event);
  return code == RQX_OK ? event->status : 0;
}

static uint64_t tunnel_time(const rqx_event *event) {
  rqx_timing timing = {.struct_size = sizeof timing};
  CHECK_CODE(RQX_OK, rqx_response_timing(event->response, &timing));
  return timing.tunnel_ns;
}

static void the_library_has_them(void) { CHECK(rqx_features() & RQX_F_PROXY); }

static void plain_requests_are_forwarded_and_others_tunnelled(void) {
  rqx_client *client = new_client();
  rqx_options *options = through(proxy_url);
  rqx_event event;
  user(options, "ann", "p:w@x");

  CHECK(status(client, options, http_url, &event) == 200);
  CHECK(holds(event.head, "Via"));
  CHECK(tunnel_time(&event) == 0);
  done(&event);
  CHECK(status(client, options, https_url, &event) == 200);
  CHECK(!holds(event.head, "Via"));
  CHECK(tunnel_time(&event) > 0);
  done(&event);

  rqx_options_free(options);
  rqx_client_free(client);
}

static void a_login_is_in_the_url_or_apart_or_a_header(void) {
  char url[256];
  rqx_client *client = new_client();
  rqx_event event;
  snprintf(url, sizeof url, "http://ann:p%%3Aw%%40x@%s", strstr(proxy_url, "//") + 2);
  rqx_options *options = through(url);
  CHECK(status(client, options, https_url, &event) == 200);
  done(&event);
  user(options, "", "wrong");
  CHECK(status(client, options, http_url, &event) == 407);
  done(&event);
  user(options, "", "");
  CHECK(status(client, options, http_url, &event) == 200);
  done(&event);
  rqx_options_free(options);

  options = through(proxy_url);
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_HEADER,
                                           BYTES("Proxy-Authorization: Basic YW5uOnA6d0B4"), NULL));
  CHECK(status(client, options, https_url, &event) == 200);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_HEADER, NULL, 0, NULL));
  CHECK(status(client, options, http_url, &event) == 407);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void a_refused_tunnel_says_so(void) {
  rqx_client *client = new_client();
  rqx_options *options = through(proxy_url);
  rqx_event event;
  user(options, "ann", "wrong");

  CHECK(status(client, options, https_url, &event) == 0);
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK_CODE(RQX_E_PROXY, view.code);
  CHECK(view.phase == RQX_PHASE_TUNNEL);
  CHECK(view.proxy_status == 407);
  CHECK(holds(view.message, "Tunnel connection failed: 407 Who are you"));
  CHECK(!holds(view.message, "wrong"));
  CHECK(holds(view.chain, "Proxy-Authenticate: Basic"));
  done(&event);

  rqx_options_free(options);
  rqx_client_free(client);
}

static void a_proxy_that_is_not_there(void) {
  rqx_client *client = new_client();
  rqx_options *options = through("http://127.0.0.1:1");
  rqx_event event;

  CHECK(status(client, options, http_url, &event) == 0);
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK_CODE(RQX_E_PROXY, view.code);
  CHECK(view.phase == RQX_PHASE_CONNECT);
  CHECK(view.os_code != 0);
  done(&event);

  rqx_options_free(options);
  rqx_client_free(client);
}

static void some_hosts_are_spoken_to_directly(void) {
  rqx_client *client = new_client();
  rqx_options *options = through("http://127.0.0.1:1");
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_NO_PROXY, BYTES("10.0.0.0/8, 127.0.0.1"), NULL));
  CHECK(status(client, options, http_url, &event) == 200);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_NO_PROXY, NULL, 0, NULL));
  CHECK(status(client, options, http_url, &event) == 0);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, NULL, 0, NULL));
  CHECK(status(client, options, http_url, &event) == 200);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void the_environment_is_read_where_that_is_asked_for(void) {
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  rqx_event event;
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  CHECK(status(client, options, http_url, &event) == 200);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_PROXY_ENVIRONMENT, 1, NULL));
  unsetenv("http_proxy");
  CHECK(status(client, options, http_url, &event) == 0);
  CHECK_CODE(RQX_E_PROXY, rqx_error_code(event.error));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_PROXY_ENVIRONMENT, 0, NULL));
  CHECK(status(client, options, http_url, &event) == 200);
  done(&event);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_PROXY_ENVIRONMENT, 2, NULL));
  rqx_options_free(options);
  rqx_client_free(client);
}

static void what_is_no_proxy_is_refused(void) {
  rqx_options *options = new_options();
  const char *bad[] = {"http://", "http:/proxy", "http://u:p@", "http://proxy:99999", "http://a b"};
  for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
    CHECK_CODE(RQX_E_INVALID_URL, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, TEXT(bad[n]), NULL));
  CHECK_CODE(RQX_E_UNSUPPORTED_SCHEME, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, BYTES("ftp://proxy"), NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, BYTES("\xff"), NULL));
  CHECK_CODE(RQX_E_INVALID_HEADER, rqx_options_set_bytes(options, RQX_OPT_PROXY_HEADER, BYTES("a b: c"), NULL));
  CHECK_CODE(RQX_E_INVALID_HEADER, rqx_options_set_bytes(options, RQX_OPT_PROXY_HEADER, BYTES("a: b\r\nc: d"), NULL));
  rqx_options_free(options);
}

static void what_a_proxy_cannot_take_is_refused_before_anything_is_sent(void) {
  rqx_client *client = new_client();
  rqx_options *options = through("socks4://127.0.0.1:1");
  rqx_event event;
  user(options, "ann", "SOCKS4 has no password");
  CHECK(status(client, options, http_url, &event) == 0);
  CHECK_CODE(RQX_E_INVALID_URL, rqx_error_code(event.error));
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  the_library_has_them();
  plain_requests_are_forwarded_and_others_tunnelled();
  a_login_is_in_the_url_or_apart_or_a_header();
  a_refused_tunnel_says_so();
  a_proxy_that_is_not_there();
  some_hosts_are_spoken_to_directly();
  the_environment_is_read_where_that_is_asked_for();
  what_is_no_proxy_is_refused();
  what_a_proxy_cannot_take_is_refused_before_anything_is_sent();
  return 0;
}
