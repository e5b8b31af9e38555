/* The library itself: versions, features, names of codes. */
#include "check.h"

static void versions_agree_with_the_header(void) {
  uint32_t version = rqx_abi_version();
  CHECK(version >> 16 == RQX_ABI_MAJOR);
  CHECK((version & 0xffff) + 1 > RQX_ABI_MINOR);
  CHECK(strncmp(rqx_version(), "requestx/", 9) == 0);
  CHECK(strstr(rqx_build_info(), "hyper") != NULL);
}

static void exactly_one_tls_is_built_in(void) {
  uint64_t features = rqx_features();
  int openssl = (features & RQX_F_TLS_OPENSSL) != 0;
  int native = (features & RQX_F_TLS_NATIVE) != 0;
  CHECK(openssl + native == 1);
  CHECK(features & RQX_F_QUEUE_FD);
  CHECK(features & RQX_F_GZIP);
  CHECK(features & RQX_F_BROTLI);
  CHECK(features & RQX_F_ZSTD);
}

static void codes_have_names(void) {
  CHECK(strcmp(rqx_code_name(RQX_OK), "RQX_OK") == 0);
  CHECK(strcmp(rqx_code_name(RQX_E_TIMEOUT), "RQX_E_TIMEOUT") == 0);
  CHECK(strcmp(rqx_code_name(12345), "RQX_E_?") == 0);
  CHECK(strcmp(rqx_code_name(-1), "RQX_E_?") == 0);
}

static void shutting_down_what_never_ran_is_fine(void) {
  CHECK_CODE(RQX_OK, rqx_shutdown(1000000000));
  CHECK_CODE(RQX_OK, rqx_shutdown(0));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  versions_agree_with_the_header();
  exactly_one_tls_is_built_in();
  codes_have_names();
  shutting_down_what_never_ran_is_fine();
  return 0;
}
