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

/* The proxy of these tests speaks SOCKS as well; SOCKS4 has no password, and is let in by the name. */
static void socks_of_each_kind_logs_in(void) {
  const char *kinds[] = {"socks4", "socks4a", "socks5", "socks5h"};
  char url[256];
  rqx_client *client = new_client();
  rqx_event event;
  for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
    int has_password = kinds[n][5] == '5';
    snprintf(url, sizeof url, "%s://ann%s@%s", kinds[n], has_password ? ":p%3Aw%40x" : "", strstr(proxy_url, "//") + 2);
    rqx_options *options = through(url);
    CHECK(status(client, options, http_url, &event) == 200);
    CHECK(tunnel_time(&event) > 0);
    done(&event);
    CHECK(status(client, options, https_url, &event) == 200);
    done(&event);
    if (has_password)
      user(options, "ann", "wrong");
    else
      CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_USER, BYTES("bob"), NULL));
    CHECK(status(client, options, http_url, &event) == 0);
    CHECK_CODE(RQX_E_PROXY, rqx_error_code(event.error));
    done(&event);
    rqx_options_free(options);
  }
  rqx_client_free(client);
}

static void http2_is_spoken_inside(void) {
  const char *kinds[] = {"http", "socks5h"};
  char url[256];
  rqx_client *client = new_client();
  rqx_event event;
  for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
    snprintf(url, sizeof url, "%s://ann:p%%3Aw%%40x@%s", kinds[n], strstr(proxy_url, "//") + 2);
    rqx_options *options = through(url);
    for (int stream = 1; stream <= 3; stream += 2) {
      CHECK_CODE(RQX_OK, ask(client, options, "GET", under(url, sizeof url, http2_url, "/echo"), NULL, 0, &event));
      CHECK(event.http_version == 20);
      CHECK(holds(event.body, stream == 1 ? "\"stream\": 1}" : "\"stream\": 3}"));
      done(&event);
    }
    rqx_options_free(options);
  }
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

static const struct {
  int32_t option;
  int64_t good, bad;
} NUMBERS[] = {
    {RQX_OPT_PROXY_DANGER_ACCEPT_INVALID_CERTS, 0, 2},
    {RQX_OPT_PROXY_TLS_MIN_VERSION, 12, 11},
    {RQX_OPT_PROXY_TLS_MAX_VERSION, 13, 9},
    {RQX_OPT_PROXY_DANGER_TLS_MIN_VERSION, 11, 12},
    {RQX_OPT_PROXY_DANGER_ACCEPT_ANY_HOST, 0, 2},
    {RQX_OPT_PROXY_TLS_VERIFY_FLAGS, 2, 4},
    {RQX_OPT_PROXY_DANGER_LEGACY_RENEGOTIATION, 0, 2},
    {RQX_OPT_PROXY_TLS_RESUME, 1, 2},
    {RQX_OPT_PROXY_CA_PLATFORM, 0, 2},
};
static const struct {
  int32_t option;
  const char *refuses; /* what makes the proxy's certificate, or the handshake, be refused */
} TEXTS[] = {
    {RQX_OPT_PROXY_CA_FOLDER, NULL},
    {RQX_OPT_PROXY_CA_DATA, NULL},
    {RQX_OPT_PROXY_CA_FALLBACK_FILE, NULL},
    {RQX_OPT_PROXY_CLIENT_CERT_FILE, "/no/such/file"},
    {RQX_OPT_PROXY_CLIENT_KEY_FILE, NULL},
    {RQX_OPT_PROXY_CLIENT_KEY_PASSWORD, NULL},
    {RQX_OPT_PROXY_SERVER_NAME, "example.org"},
    {RQX_OPT_PROXY_VERIFY_NAME, "example.org"},
    {RQX_OPT_PROXY_TLS_PINS, "sha1/0123456789012345678901234567890123456789"},
    {RQX_OPT_PROXY_CIPHERS, "NO-SUCH-CIPHER"},
    {RQX_OPT_PROXY_CIPHERSUITES, "NO-SUCH-SUITE"},
    {RQX_OPT_PROXY_TLS_KEYLOG_FILE, NULL},
};

/* The code of requests to both origins through the https proxy: they are the same. */
static int32_t through_tls(const rqx_options *options) {
  char url[256];
  rqx_client *client = new_client();
  rqx_event event;
  int32_t code = ask(client, options, "GET", under(url, sizeof url, http_url, "/get"), NULL, 0, &event);
  done(&event);
  CHECK_CODE(code, ask(client, options, "GET", under(url, sizeof url, https_url, "/get"), NULL, 0, &event));
  done(&event);
  rqx_client_free(client);
  return code;
}

static void an_https_proxy_is_trusted_as_its_own_options_say(void) {
  rqx_options *options = through(https_proxy_url);
  CHECK_CODE(RQX_E_PROXY, through_tls(options)); /* as the origin is */
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_PROXY_TLS_MIN_VERSION, 9, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_CA_FILE, TEXT(proxy_ca_file), NULL));
  CHECK_CODE(RQX_OK, through_tls(options));
  for (size_t n = 0; n < sizeof NUMBERS / sizeof *NUMBERS; n++) {
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, NUMBERS[n].option, NUMBERS[n].good, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, NUMBERS[n].option, NUMBERS[n].bad, NULL));
  }
  CHECK_CODE(RQX_OK, through_tls(options));
  rqx_options_free(options);

  options = through(https_proxy_url);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_PROXY_DANGER_ACCEPT_INVALID_CERTS, 1, NULL));
  CHECK_CODE(RQX_OK, through_tls(options));
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FILE, TEXT(proxy_ca_file), NULL));
  char url[256];
  rqx_event event;
  rqx_client *client = new_client();
  CHECK_CODE(RQX_E_TLS_VERIFY, ask(client, options, "GET", under(url, sizeof url, https_url, "/get"), NULL, 0, &event));
  done(&event);
  rqx_client_free(client);
  rqx_options_free(options);
}

static void what_an_https_proxy_is_refused_for(void) {
  if (!(rqx_features() & RQX_F_TLS_OPENSSL)) return; /* native-tls refuses what it lacks */
  for (size_t n = 0; n < sizeof TEXTS / sizeof *TEXTS; n++) {
    rqx_options *options = through(https_proxy_url);
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_CA_FILE, TEXT(proxy_ca_file), NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, TEXTS[n].option, NULL, 0, NULL));
    CHECK_CODE(RQX_OK, through_tls(options));
    if (TEXTS[n].refuses != NULL) {
      CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, TEXTS[n].option, TEXT(TEXTS[n].refuses), NULL));
      CHECK_CODE(RQX_E_PROXY, through_tls(options));
    }
    rqx_options_free(options);
  }
}

int main(int argc, char **argv) {
  begin(argc, argv);
  the_library_has_them();
  plain_requests_are_forwarded_and_others_tunnelled();
  a_login_is_in_the_url_or_apart_or_a_header();
  socks_of_each_kind_logs_in();
  http2_is_spoken_inside();
  a_refused_tunnel_says_so();
  a_proxy_that_is_not_there();
  some_hosts_are_spoken_to_directly();
  the_environment_is_read_where_that_is_asked_for();
  what_is_no_proxy_is_refused();
  what_a_proxy_cannot_take_is_refused_before_anything_is_sent();
  an_https_proxy_is_trusted_as_its_own_options_say();
  what_an_https_proxy_is_refused_for();
  return 0;
}
