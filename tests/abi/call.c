/* Makes calls under a policy and prints what came of them: how test_policy.py looks at redirects, retries and cookies.
 *
 *   call URL WORD...
 *
 * Words: redirects=N plain=N and the like set options, and so does NUMBER=VALUE, any of them; method=M header=Name:value
 * body=TEXT size=N upload=TEXT make the request; "background" submits it to a queue, "stream" pulls the body; times=N
 * makes it so often. Prints the code's name and the error's message, or status, URL and body; then a line for each hop,
 * and in the end one for each cookie. */
#include "check.h"

#include <ctype.h>

static const struct {
  const char *name;
  int32_t option;
} NUMBERS[] = {
    {"redirects", RQX_OPT_MAX_REDIRECTS},
    {"plain", RQX_OPT_REDIRECT_TO_HTTP},
    {"cookies", RQX_OPT_COOKIES},
    {"auth", RQX_OPT_AUTH},
    {"retries", RQX_OPT_RETRIES},
    {"backoff", RQX_OPT_RETRY_BACKOFF_NS},
    {"longest", RQX_OPT_RETRY_MAX_WAIT_NS},
    {"any", RQX_OPT_RETRY_ANY_METHOD},
    {"budget", RQX_OPT_RETRY_BUDGET},
    {"total", RQX_OPT_TOTAL_TIMEOUT_NS},
    {"await", RQX_OPT_AWAIT_TIMEOUT_NS},
    {"danger", RQX_OPT_DANGER_ACCEPT_INVALID_CERTS},
};

struct call {
  const char *method, *body, *upload;
  size_t size;
  char fields[1024];
  uint32_t n_fields, flags;
  int background, times;
};

/* The value of "name=value", or NULL. */
static const char *value_of(const char *word, const char *name) {
  size_t length = strlen(name);
  return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static void add_field(struct call *call, const char *field) {
  const char *colon = strchr(field, ':');
  size_t used = strlen(call->fields);
  CHECK(colon != NULL);
  int length = snprintf(call->fields + used, sizeof call->fields - used, "\n%.*s\n%s", (int)(colon - field), field, colon + 1);
  CHECK(length > 0 && (size_t)length < sizeof call->fields - used);
  call->n_fields++;
}

/* "NUMBER=VALUE": numbers of options below 2000 take a number. */
static void set(const char *word, rqx_options *options) {
  int32_t option = atoi(word);
  const char *value = strchr(word, '=') + 1;
  if (option < 2000) CHECK_CODE(RQX_OK, rqx_options_set_int(options, option, atoll(value), NULL));
  else CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, option, TEXT(value), NULL));
}

static void obey(const char *word, struct call *call, rqx_options *options) {
  const char *value;
  for (size_t n = 0; n < sizeof NUMBERS / sizeof *NUMBERS; n++)
    if ((value = value_of(word, NUMBERS[n].name))) {
      CHECK_CODE(RQX_OK, rqx_options_set_int(options, NUMBERS[n].option, atoll(value), NULL));
      return;
    }
  if (isdigit((unsigned char)*word)) set(word, options);
  else if ((value = value_of(word, "method"))) call->method = value;
  else if ((value = value_of(word, "size"))) call->size = strtoul(value, NULL, 10);
  else if ((value = value_of(word, "header"))) add_field(call, value);
  else if ((value = value_of(word, "body"))) call->body = value;
  else if ((value = value_of(word, "upload"))) call->upload = value;
  else if ((value = value_of(word, "deny"))) CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_DENY_ADDRESSES, TEXT(value), NULL));
  else if ((value = value_of(word, "user"))) CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_USER, TEXT(value), NULL));
  else if ((value = value_of(word, "password"))) CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PASSWORD, TEXT(value), NULL));
  else if ((value = value_of(word, "times"))) call->times = atoi(value);
  else if (strcmp(word, "background") == 0) call->background = 1;
  else if (strcmp(word, "stream") == 0) call->flags |= RQX_SEND_STREAM;
  else CHECK(!"a word that is known");
}

/* Pushes all of the body at once: it fits the window. */
static rqx_upload *upload_of(const struct call *call) {
  rqx_upload *upload = NULL;
  size_t n = 0;
  if (!call->upload) return NULL;
  CHECK_CODE(RQX_OK, rqx_upload_new(65536, -1, &upload, NULL));
  CHECK_CODE(RQX_OK, rqx_upload_push(upload, TEXT(call->upload), &n, NULL));
  CHECK_CODE(RQX_OK, rqx_upload_finish(upload, RQX_OK, NULL));
  return upload;
}

static int32_t perform(rqx_client *client, const char *url, const struct call *call, rqx_event *event) {
  char head[4096];
  rqx_upload *upload = upload_of(call);
  uint8_t *zeros = call->size ? calloc(1, call->size) : NULL;
  const uint8_t *body = zeros ? zeros : (const uint8_t *)call->body;
  size_t size = zeros ? call->size : call->body ? strlen(call->body) : 0;
  int length = snprintf(head, sizeof head, "%s\n%s%s", call->method, url, call->fields);
  CHECK(length > 0 && (size_t)length < sizeof head);
  memset(event, 0, sizeof *event);
  if (call->background) {
    rqx_queue *queue = new_queue();
    CHECK_CODE(RQX_OK, rqx_submit(client, queue, 1, NULL, (const uint8_t *)head, (size_t)length, call->n_fields, body, size,
                                  upload, call->flags | RQX_SEND_INLINE, NULL));
    do *event = next(queue);
    while (!(event->flags & RQX_EVF_TERMINAL));
    rqx_queue_free(queue);
  } else {
    rqx_exchange *pending = NULL;
    finish(rqx_send(client, NULL, (const uint8_t *)head, (size_t)length, call->n_fields, body, size, upload, call->flags,
                    &pending, event),
           &pending, event);
  }
  rqx_upload_free(upload);
  free(zeros);
  return event->code;
}

static void print_body(const rqx_event *event) {
  static uint8_t piece[65536];
  size_t n = 1;
  if (event->flags & RQX_EVF_BODY_COMPLETE) printf("%.*s", (int)event->body.len, (const char *)event->body.ptr);
  while (!(event->flags & RQX_EVF_BODY_COMPLETE) && n > 0) {
    int32_t code = RQX_PENDING;
    while (code == RQX_PENDING) code = rqx_body_read_into(event->response, piece, sizeof piece, 0, &n, NULL);
    if (code != RQX_OK) printf(" %s", rqx_code_name(code));
    if (code != RQX_OK) break;
    printf("%.*s", (int)n, (const char *)piece);
  }
  printf("\n");
}

static void print_way(const rqx_event *event) {
  rqx_slice url = {0};
  rqx_hop hop = {.struct_size = sizeof hop};
  uint32_t redirects = 9, retries = 9;
  CHECK_CODE(RQX_OK, rqx_response_hops(event->response, &redirects, &retries));
  CHECK((redirects + retries > 0) == ((event->flags & RQX_EVF_HOPS) != 0));
  CHECK_CODE(RQX_OK, rqx_response_url(event->response, &url));
  printf("%u %.*s ", (unsigned)event->status, (int)url.len, (const char *)url.ptr);
  print_body(event);
  for (size_t n = 0; n < redirects + retries; n++) {
    CHECK_CODE(RQX_OK, rqx_response_hop(event->response, n, &hop));
    CHECK((hop.status > 0) == (hop.code == RQX_OK) && (hop.status > 0) == (hop.timing.await_ns > 0));
    printf("%s %u %.*s\n", hop.repeated ? "repeated" : "redirected", (unsigned)hop.status, (int)hop.url.len,
           (const char *)hop.url.ptr);
    if (hop.code != RQX_OK) printf("for %s\n", rqx_code_name(hop.code));
    if (hop.pause_ns >= 1000000000) printf("after %u s\n", (unsigned)(hop.pause_ns / 1000000000));
  }
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_response_hop(event->response, redirects + retries, &hop));
}

static void print_outcome(const rqx_event *event) {
  rqx_error_view view = {.struct_size = sizeof view};
  if (event->code == RQX_OK) {
    print_way(event);
    return;
  }
  CHECK_CODE(RQX_OK, rqx_error_read(event->error, &view));
  printf("%s %.*s\n", rqx_code_name(event->code), (int)view.message.len, (const char *)view.message.ptr);
}

static void print_cookies(rqx_client *client) {
  rqx_cookies *all = NULL;
  rqx_cookie cookie = {.struct_size = sizeof cookie};
  CHECK_CODE(RQX_OK, rqx_client_cookies(client, NULL, 0, &all, NULL));
  for (size_t n = 0; rqx_cookies_read(all, n, &cookie) == RQX_OK; n++)
    printf("cookie %.*s\n", (int)cookie.line.len, (const char *)cookie.line.ptr);
  rqx_cookies_free(all);
}

int main(int argc, char **argv) {
  struct call call = {.method = "GET", .times = 1};
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  rqx_event event;
  CHECK(argc > 1);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, 8000000000, NULL));
  for (int n = 2; n < argc; n++) obey(argv[n], &call, options);
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  for (int n = 0; n < call.times; n++) {
    perform(client, argv[1], &call, &event);
    print_outcome(&event);
    done(&event);
  }
  print_cookies(client);
  rqx_client_free(client);
  rqx_options_free(options);
  return 0;
}
