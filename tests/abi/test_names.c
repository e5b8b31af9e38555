/* Names and addresses: which may be connected to, and where they come from. */
#include "check.h"

#include <stdint.h>

static rqx_options *with(int32_t option, const char *value) {
  rqx_options *options = new_options();
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, option, TEXT(value), NULL));
  return options;
}

/* The code that "GET base/get" gives under these options, which are freed. */
static int32_t code_of(rqx_client *client, rqx_options *options, const char *base) {
  char url[256];
  rqx_event event;
  int32_t code = ask(client, options, "GET", under(url, sizeof url, base, "/get"), NULL, 0, &event);
  done(&event);
  rqx_options_free(options);
  return code;
}

static void only_what_is_allowed_is_connected_to(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_options *options = with(RQX_OPT_ALLOW_ADDRESSES, "public");
  CHECK_CODE(RQX_E_FORBIDDEN, ask(client, options, "GET", http_url, NULL, 0, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_CONNECT);
  CHECK(holds(view.message, "not allowed to 127.0.0.1"));
  done(&event);
  rqx_options_free(options);

  CHECK_CODE(RQX_OK, code_of(client, with(RQX_OPT_ALLOW_ADDRESSES, "public,127.0.0.0/8"), http_url));
  CHECK_CODE(RQX_OK, code_of(client, with(RQX_OPT_ALLOW_ADDRESSES, ""), http_url));
  CHECK_CODE(RQX_E_FORBIDDEN, code_of(client, with(RQX_OPT_DENY_ADDRESSES, "127.0.0.1"), http_url));
  CHECK_CODE(RQX_OK, code_of(client, with(RQX_OPT_DENY_ADDRESSES, "10.0.0.0/8"), http_url));
  rqx_client_free(client);
}

static void an_open_connection_is_no_way_around(void) {
  rqx_client *client = new_client();
  CHECK_CODE(RQX_OK, code_of(client, new_options(), http_url));
  CHECK_CODE(RQX_E_FORBIDDEN, code_of(client, with(RQX_OPT_ALLOW_ADDRESSES, "public"), http_url));
  rqx_client_free(client);
}

static void a_proxy_is_told_no_names_unless_it_is_trusted(void) {
  rqx_client *client = new_client();
  for (int64_t trusted = 0; trusted < 2; trusted++) {
    rqx_options *options = with(RQX_OPT_ALLOW_ADDRESSES, "127.0.0.1");
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, TEXT(proxy_url), NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TRUST_PROXY, trusted, NULL));
    CHECK_CODE(trusted ? RQX_OK : RQX_E_FORBIDDEN, code_of(client, options, "http://origin.test"));
  }
  rqx_client_free(client);
}

static void lists_are_checked_when_they_are_set(void) {
  rqx_options *options = new_options();
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, RQX_OPT_ALLOW_ADDRESSES, TEXT("private"), NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, RQX_OPT_DENY_ADDRESSES, TEXT("10.0.0.0/33"), NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_TRUST_PROXY, 2, NULL));
  rqx_options_free(options);
}

static void a_host_has_the_addresses_that_the_caller_names(void) {
  rqx_client *client = new_client();
  char entry[64], base[64];
  const char *port = strrchr(http_url, ':') + 1;
  snprintf(entry, sizeof entry, "origin.test:%s:::1,127.0.0.1", port);
  snprintf(base, sizeof base, "http://origin.test:%s", port);
  CHECK_CODE(RQX_OK, code_of(client, with(RQX_OPT_RESOLVE, entry), base));
  CHECK_CODE(RQX_OK, code_of(client, with(RQX_OPT_RESOLVE, "*:*:127.0.0.1"), base));
  CHECK_CODE(RQX_E_DNS, code_of(client, with(RQX_OPT_RESOLVE, "origin.test:1:127.0.0.1"), base));
  rqx_options *options = with(RQX_OPT_RESOLVE, entry);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, RQX_OPT_RESOLVE, TEXT("origin.test:1"), NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_RESOLVE, TEXT(""), NULL));
  CHECK_CODE(RQX_E_DNS, code_of(client, options, base));
  rqx_client_free(client);
}

static void names_may_be_looked_up_each_time(void) {
  rqx_client *client = new_client();
  rqx_options *options = new_options();
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_DNS_CACHE_NS, 0, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_DNS_CACHE_NS, -1, NULL));
  CHECK_CODE(RQX_E_DNS, code_of(client, options, "http://no-such-host.invalid"));
  rqx_client_free(client);
}

static void a_unix_socket_takes_the_place_of_the_host(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_options *options = with(RQX_OPT_UNIX_SOCKET, "/nowhere/a.socket");
  CHECK_CODE(RQX_E_CONNECT, ask(client, options, "GET", http_url, NULL, 0, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_CONNECT && holds(view.message, "/nowhere/a.socket"));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_UNIX_SOCKET, TEXT(""), NULL));
  CHECK_CODE(RQX_OK, code_of(client, options, http_url));
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  only_what_is_allowed_is_connected_to();
  an_open_connection_is_no_way_around();
  a_proxy_is_told_no_names_unless_it_is_trusted();
  lists_are_checked_when_they_are_set();
  a_host_has_the_addresses_that_the_caller_names();
  names_may_be_looked_up_each_time();
  a_unix_socket_takes_the_place_of_the_host();
  return 0;
}
