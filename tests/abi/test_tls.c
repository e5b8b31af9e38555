/* TLS: every option of it, what each refuses, and who answered. */
#include "check.h"

#include <stdint.h>

static const struct {
  int32_t option;
  int64_t good, bad;
} NUMBERS[] = {
    {RQX_OPT_TLS_MIN_VERSION, 13, 11},
    {RQX_OPT_TLS_MAX_VERSION, 12, 9},
    {RQX_OPT_DANGER_TLS_MIN_VERSION, 11, 12},
    {RQX_OPT_DANGER_ACCEPT_ANY_HOST, 1, 2},
    {RQX_OPT_TLS_VERIFY_FLAGS, 3, 4},
    {RQX_OPT_DANGER_LEGACY_RENEGOTIATION, 1, 2},
    {RQX_OPT_TLS_RESUME, 0, 2},
    {RQX_OPT_CA_PLATFORM, 1, 2},
};
static const struct {
  int32_t option;
  const char *good, *bad;
} TEXTS[] = {
    {RQX_OPT_CA_DATA, "-----BEGIN CERTIFICATE-----", NULL},
    {RQX_OPT_CLIENT_KEY_PASSWORD, "secret", NULL},
    {RQX_OPT_SERVER_NAME, "example.org", "b\xc3\xbc" "cher.example"},
    {RQX_OPT_VERIFY_NAME, "example.org", "."}, /* which OpenSSL would take for any */
    {RQX_OPT_TLS_PINS, "sha1/0123456789012345678901234567890123456789", "sha256/ab"},
    {RQX_OPT_CIPHERS, "HIGH", "\xff"},
    {RQX_OPT_CIPHERSUITES, "TLS_AES_128_GCM_SHA256", "\xff"},
    {RQX_OPT_TLS_KEYLOG_FILE, "/a/path", "\xff"},
    {RQX_OPT_LOCAL_ADDRESS, "127.0.0.1:0", "localhost:0"},
    {RQX_OPT_SOCKET_OPTIONS, "6,1,1", "6,9999,1"},
};
#define EACH(n, array) size_t n = 0; n < sizeof(array) / sizeof(*array); n++

static void values_are_checked(void) {
  rqx_options *options = new_options();
  for (EACH(n, NUMBERS)) {
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, NUMBERS[n].option, NUMBERS[n].good, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, NUMBERS[n].option, NUMBERS[n].bad, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, NUMBERS[n].option, -1, NULL));
  }
  for (EACH(n, TEXTS)) {
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, TEXTS[n].option, TEXT(TEXTS[n].good), NULL));
    if (TEXTS[n].bad != NULL)
      CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, TEXTS[n].option, TEXT(TEXTS[n].bad), NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, TEXTS[n].option, NULL, 0, NULL));
  }
  rqx_options_free(options);
}

/* "GET /get" over https, trusting the tests' CA, with one more option. */
static int32_t secured(int32_t option, const char *text, rqx_event *event) {
  char url[256];
  rqx_options *options = new_options();
  rqx_client *client = new_client();
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FILE, TEXT(ca_file), NULL));
  if (text != NULL) CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, option, TEXT(text), NULL));
  int32_t code = ask(client, options, "GET", under(url, sizeof url, https_url, "/get"), NULL, 0, event);
  rqx_options_free(options);
  rqx_client_free(client);
  return code;
}

static int32_t told(int32_t option, const char *text) {
  rqx_event event;
  int32_t code = secured(option, text, &event);
  done(&event);
  return code;
}

static void another_name_or_certificate_is_refused(void) {
  CHECK_CODE(RQX_OK, told(RQX_OPT_SERVER_NAME, "localhost"));
  CHECK_CODE(RQX_E_TLS_VERIFY, told(RQX_OPT_SERVER_NAME, "example.org"));
  if (!(rqx_features() & RQX_F_TLS_OPENSSL)) return; /* native-tls refuses what it lacks */
  CHECK_CODE(RQX_OK, told(RQX_OPT_VERIFY_NAME, "127.0.0.1"));
  CHECK_CODE(RQX_E_TLS_VERIFY, told(RQX_OPT_VERIFY_NAME, "example.org"));
  CHECK_CODE(RQX_E_TLS_VERIFY, told(RQX_OPT_TLS_PINS, "sha1/0123456789012345678901234567890123456789"));
  CHECK_CODE(RQX_E_TLS, told(RQX_OPT_CIPHERS, "NO-SUCH-CIPHER"));
}

/* The code of "GET /get" over https, trusting the platform and with a bundle for where it has none. */
static int32_t by_platform(const char *fallback) {
  char url[256];
  rqx_event event;
  rqx_options *options = new_options();
  rqx_client *client = new_client();
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FALLBACK_FILE, TEXT(fallback), NULL));
  int32_t code = ask(client, options, "GET", under(url, sizeof url, https_url, "/get"), NULL, 0, &event);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
  return code;
}

static void a_bundle_counts_where_the_platform_has_none(void) {
  CHECK_CODE(RQX_E_TLS_VERIFY, by_platform("")); /* nobody named this authority */
  setenv("SSL_CERT_FILE", "/nowhere/file", 1);
  setenv("SSL_CERT_DIR", "/nowhere/folder", 1);
  CHECK_CODE(RQX_OK, by_platform(ca_file));
  CHECK_CODE(RQX_E_TLS_VERIFY, by_platform(""));
  CHECK_CODE(RQX_E_TLS, by_platform("/no/such/file"));
  setenv("SSL_CERT_FILE", proxy_ca_file, 1);
  CHECK_CODE(RQX_E_TLS_VERIFY, by_platform(ca_file));
}

static void the_peer_is_known(void) {
  rqx_event event;
  rqx_peer *peer = NULL;
  rqx_peer_view view = {.struct_size = sizeof view};
  rqx_slice der;
  CHECK_CODE(RQX_OK, secured(0, NULL, &event));
  CHECK(event.peer != 0);

  CHECK_CODE(RQX_OK, rqx_peer_new(event.peer, &peer, NULL));
  CHECK_CODE(RQX_OK, rqx_peer_read(peer, &view));
  CHECK(view.n_certificates >= 1);
  CHECK_CODE(RQX_OK, rqx_peer_certificate(peer, 0, &der));
  CHECK(der.len > 100 && der.ptr[0] == 0x30);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_peer_certificate(peer, (size_t)view.n_certificates, &der));
  if (rqx_features() & RQX_F_TLS_OPENSSL) {
    CHECK(holds(view.version, "TLSv1."));
    CHECK(holds(view.protocol, "http/1.1"));
    CHECK(view.cipher.len > 0 && view.cipher_bits >= 128);
  }
  rqx_peer_free(peer);
  CHECK_CODE(RQX_E_HANDLE, rqx_peer_read(peer, &view));
  done(&event);
}

static void a_session_is_resumed_by_the_next_client(void) {
  if (!(rqx_features() & RQX_F_TLS_OPENSSL)) return; /* native-tls resumes none */
  for (uint64_t before = 0; before < 2; before++) {
    rqx_event event;
    rqx_peer *peer = NULL;
    rqx_peer_view view = {.struct_size = sizeof view};
    CHECK_CODE(RQX_OK, secured(RQX_OPT_CIPHERS, "ECDHE+AESGCM", &event)); /* settings that no other test has */
    CHECK_CODE(RQX_OK, rqx_peer_new(event.peer, &peer, NULL));
    CHECK_CODE(RQX_OK, rqx_peer_read(peer, &view));
    CHECK(view.resumed == before);
    rqx_peer_free(peer);
    done(&event);
  }
}

static void a_plain_connection_has_none(void) {
  char url[256];
  rqx_event event;
  rqx_peer *peer = NULL;
  rqx_client *client = new_client();
  CHECK_CODE(RQX_OK, get(client, under(url, sizeof url, http_url, "/get"), &event));
  CHECK(event.peer == 0);
  CHECK_CODE(RQX_E_STATE, rqx_peer_new(0, &peer, NULL));
  CHECK_CODE(RQX_E_STATE, rqx_peer_new(4000000000U, &peer, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_peer_new(0, NULL, NULL));
  rqx_peer_free(NULL);
  done(&event);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  values_are_checked();
  another_name_or_certificate_is_refused();
  the_peer_is_known();
  a_session_is_resumed_by_the_next_client();
  a_plain_connection_has_none();
  a_bundle_counts_where_the_platform_has_none();
  return 0;
}
