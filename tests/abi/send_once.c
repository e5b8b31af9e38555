/* Sends one request with short limits and prints the code's name and the message: how test_programs.py provokes errors.
 * It also prints what came before and behind the answer, where there is any.
 * A GET; with a size as second argument a POST of so many bytes, in several writes; with "h2" over HTTP/2 alone. */
#include "check.h"

static int32_t post(rqx_client *client, size_t size, rqx_event *event) {
  char head[1024];
  rqx_exchange *pending = NULL;
  uint8_t *body = calloc(1, size);
  CHECK(body != NULL);
  int length = snprintf(head, sizeof head, "POST\n%s", http_url);
  CHECK(length > 0 && (size_t)length < sizeof head);
  int32_t code = rqx_send(client, NULL, (const uint8_t *)head, (size_t)length, 0, body, size, NULL, 0, &pending, event);
  free(body);
  return finish(code, &pending, event);
}

/* Each on a line, its own lines joined by '|'. */
static void print_fields(const char *what, uint32_t status, rqx_slice fields, uint32_t n) {
  printf("%s %u %u ", what, (unsigned)status, (unsigned)n);
  for (size_t at = 0; at < fields.len; at++) putchar(fields.ptr[at] == '\n' ? '|' : fields.ptr[at]);
  putchar('\n');
}

static void print_what_is_told(const rqx_event *event) {
  rqx_slice fields = {0};
  uint16_t status = 0;
  uint32_t n = 0;
  size_t index = 0;
  while (event->flags & RQX_EVF_INFORMATIONAL &&
         rqx_response_informational(event->response, index, &status, &fields, &n, NULL) == RQX_OK) {
    print_fields("informational", status, fields, n);
    index++;
  }
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_response_informational(event->response, index, &status, &fields, &n, NULL));
  if (event->flags & RQX_EVF_BODY_COMPLETE) {
    CHECK_CODE(RQX_OK, rqx_response_trailers(event->response, &fields, &n, NULL));
    CHECK((n > 0) == ((event->flags & RQX_EVF_TRAILERS) != 0));
    if (n > 0) print_fields("trailers", 0, fields, n);
  } else {
    CHECK_CODE(RQX_E_STATE, rqx_response_trailers(event->response, &fields, &n, NULL));
  }
}

int main(int argc, char **argv) {
  begin(argc, argv);
  rqx_options *options = new_options();
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_AWAIT_TIMEOUT_NS, 1000000000, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, 8000000000, NULL));
  int h2 = argc > 2 && strcmp(argv[2], "h2") == 0;
  if (h2) CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_HTTP_VERSION, 2, NULL));
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_event event;
  int32_t code = argc > 2 && !h2 ? post(client, strtoul(argv[2], NULL, 10), &event) : get(client, http_url, &event);
  printf("%s\n", rqx_code_name(code));
  if (event.error) {
    rqx_error_view view = {.struct_size = sizeof view};
    CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
    printf("%.*s\n", (int)view.message.len, (const char *)view.message.ptr);
  }
  if (code == RQX_OK) print_what_is_told(&event);
  done(&event);
  rqx_client_free(client);
  rqx_options_free(options);
  return 0;
}
