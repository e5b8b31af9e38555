/* Sends one GET with short limits and prints the code's name and the message: how test_programs.py provokes errors. */
#include "check.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  rqx_options *options = new_options();
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_AWAIT_TIMEOUT_NS, 1000000000, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, 8000000000, NULL));
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_event event;
  printf("%s\n", rqx_code_name(get(client, http_url, &event)));
  if (event.error) {
    rqx_error_view view = {.struct_size = sizeof view};
    CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
    printf("%.*s\n", (int)view.message.len, (const char *)view.message.ptr);
  }
  done(&event);
  rqx_client_free(client);
  rqx_options_free(options);
  return 0;
}
