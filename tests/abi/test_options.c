/* Options: every number, what each refuses, and how to ask whether there is one. */
#include "check.h"

#include <stdint.h>

static const int32_t TIMES[] = {
    RQX_OPT_QUEUE_TIMEOUT_NS,     RQX_OPT_RESOLVE_TIMEOUT_NS, RQX_OPT_CONNECT_TIMEOUT_NS, RQX_OPT_SECURE_TIMEOUT_NS,
    RQX_OPT_SEND_TIMEOUT_NS,      RQX_OPT_AWAIT_TIMEOUT_NS,   RQX_OPT_READ_TIMEOUT_NS,    RQX_OPT_ESTABLISH_TIMEOUT_NS,
    RQX_OPT_TOTAL_TIMEOUT_NS,     RQX_OPT_IDLE_TIMEOUT_NS,    RQX_OPT_TUNNEL_TIMEOUT_NS,  RQX_OPT_LOW_SPEED_NS,
};
static const int32_t COUNTS[] = {
    RQX_OPT_MAX_CONNECTIONS,
    RQX_OPT_MAX_CONNECTIONS_PER_HOST,
    RQX_OPT_MAX_IDLE_PER_HOST,
    RQX_OPT_MAX_IDLE_HOSTS,
    RQX_OPT_LOW_SPEED_BYTES,
};
static const int32_t SWITCHES[] = {RQX_OPT_DANGER_ACCEPT_INVALID_CERTS, RQX_OPT_DECODE};
static const int32_t PATHS[] = {
    RQX_OPT_CA_FILE,
    RQX_OPT_CA_FOLDER,
    RQX_OPT_CLIENT_CERT_FILE,
    RQX_OPT_CLIENT_KEY_FILE,
};
#define EACH(n, array) size_t n = 0; n < sizeof(array) / sizeof(*array); n++

static void times_and_counts_are_not_negative(void) {
  rqx_options *options = new_options();
  for (EACH(n, TIMES)) {
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, TIMES[n], 0, NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, TIMES[n], 1000000000, NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, TIMES[n], INT64_MAX, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, TIMES[n], -1, NULL));
  }
  for (EACH(n, COUNTS)) {
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, COUNTS[n], 0, NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, COUNTS[n], 10, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, COUNTS[n], INT64_MIN, NULL));
  }
  rqx_options_free(options);
}

static void switches_are_0_or_1(void) {
  rqx_options *options = new_options();
  for (EACH(n, SWITCHES)) {
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, SWITCHES[n], 0, NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, SWITCHES[n], 1, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, SWITCHES[n], 2, NULL));
  }
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_HEAD_BYTES, 65536, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_MAX_HEAD_BYTES, 1, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_HTTP_VERSION, 2, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_HTTP_VERSION, 3, NULL));
  rqx_options_free(options);
}

static void paths_are_utf8_without_nul(void) {
  rqx_options *options = new_options();
  for (EACH(n, PATHS)) {
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, PATHS[n], BYTES("/a/path"), NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, PATHS[n], NULL, 0, NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, PATHS[n], BYTES("a\0b"), NULL));
    CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, PATHS[n], BYTES("\xff"), NULL));
    CHECK_CODE(RQX_E_NULL, rqx_options_set_bytes(options, PATHS[n], NULL, 5, NULL));
  }
  rqx_options_free(options);
}

static void unknown_options_say_so(void) {
  rqx_options *options = new_options();
  rqx_error *error = NULL;
  CHECK_CODE(RQX_E_UNKNOWN_OPTION, rqx_options_set_int(options, 1999, 1, &error));
  CHECK(error != NULL);
  CHECK_CODE(RQX_E_UNKNOWN_OPTION, rqx_error_code(error));
  rqx_error_free(error);
  CHECK_CODE(RQX_E_UNKNOWN_OPTION, rqx_options_set_bytes(options, 2999, BYTES("x"), NULL));
  /* Of the other form: a number where bytes belong, and the reverse. */
  CHECK_CODE(RQX_E_UNKNOWN_OPTION, rqx_options_set_int(options, RQX_OPT_CA_FILE, 1, NULL));
  CHECK_CODE(RQX_E_UNKNOWN_OPTION, rqx_options_set_bytes(options, RQX_OPT_DECODE, BYTES("1"), NULL));
  rqx_options_free(options);
}

static void missing_and_stale_handles(void) {
  CHECK_CODE(RQX_E_NULL, rqx_options_new(NULL));
  CHECK_CODE(RQX_E_NULL, rqx_options_set_int(NULL, RQX_OPT_DECODE, 1, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_options_set_bytes(NULL, RQX_OPT_CA_FILE, BYTES("x"), NULL));
  rqx_options *options = new_options();
  rqx_options_free(options);
  CHECK_CODE(RQX_E_HANDLE, rqx_options_set_int(options, RQX_OPT_DECODE, 1, NULL));
  rqx_options_free(options);
  rqx_options_free(NULL);
}

static void a_client_keeps_the_options_it_was_made_with(void) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_options_free(options);
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  times_and_counts_are_not_negative();
  switches_are_0_or_1();
  paths_are_utf8_without_nul();
  unknown_options_say_so();
  missing_and_stale_handles();
  a_client_keeps_the_options_it_was_made_with();
  return 0;
}
