/* Errors: what they tell, and that they are objects. */
#include "check.h"

static void an_error_tells_what_where_and_why(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_E_REFUSED, get(client, "http://127.0.0.1:1/", &event));
  CHECK(event.kind == RQX_EV_ERROR && event.response == NULL);
  CHECK_CODE(RQX_E_REFUSED, event.code);
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.code == RQX_E_REFUSED);
  CHECK(view.phase == RQX_PHASE_CONNECT);
  CHECK(view.os_code == 111 || view.os_code == 61);
  CHECK(view.tls_code == 0);
  CHECK(holds(view.message, "127.0.0.1") && holds(view.message, "1"));
  CHECK(memchr(view.message.ptr, '\n', view.message.len) == NULL);
  CHECK_CODE(RQX_E_REFUSED, rqx_error_code(event.error));
  done(&event);
  rqx_client_free(client);
}

static void tls_gives_its_own_code(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_E_TLS_VERIFY, get(client, https_url, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_SECURE);
  if (rqx_features() & RQX_F_TLS_OPENSSL) CHECK(view.tls_code != 0);
  done(&event);
  rqx_client_free(client);
}

static void errors_of_arguments_have_no_phase(void) {
  rqx_request *request = NULL;
  rqx_error *error = NULL;
  CHECK_CODE(RQX_E_INVALID_URL, rqx_request_new(BYTES("GET"), BYTES("http://"), &request, &error));
  CHECK(request == NULL && error != NULL);
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(error, &view));
  CHECK(view.phase == RQX_PHASE_NONE);
  CHECK(view.message.len > 10);
  rqx_error_free(error);
}

static void nobody_has_to_want_the_error(void) {
  rqx_request *request = NULL;
  CHECK_CODE(RQX_E_INVALID_METHOD, rqx_request_new(BYTES("G T"), TEXT(http_url), &request, NULL));
  CHECK(request == NULL);
}

static void a_freed_error_is_no_error(void) {
  rqx_options *options = new_options();
  rqx_error *error = NULL;
  CHECK_CODE(RQX_E_UNKNOWN_OPTION, rqx_options_set_int(options, 1, 1, &error));
  rqx_error_free(error);
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_E_HANDLE, rqx_error_read(error, &view));
  CHECK_CODE(RQX_E_HANDLE, rqx_error_code(error));
  rqx_error_free(error);
  rqx_error_free(NULL);
  rqx_options_free(options);
}

static void messages_hold_no_secrets_and_no_control_bytes(void) {
  rqx_request *request = NULL;
  rqx_error *error = NULL;
  CHECK_CODE(RQX_E_INVALID_URL, rqx_request_new(BYTES("GET"), BYTES("http://a\x1b[31m:b/"), &request, &error));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(error, &view));
  CHECK(memchr(view.message.ptr, 0x1b, view.message.len) == NULL);
  rqx_error_free(error);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  an_error_tells_what_where_and_why();
  tls_gives_its_own_code();
  errors_of_arguments_have_no_phase();
  nobody_has_to_want_the_error();
  a_freed_error_is_no_error();
  messages_hold_no_secrets_and_no_control_bytes();
  return 0;
}
