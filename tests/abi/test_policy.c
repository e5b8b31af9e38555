/* Policy: what may be set, and how the way of a call is read. What it does is seen by test_policy.py. */
#include <pthread.h>

#include "check.h"

static char at[512];

static rqx_client *following(int64_t redirects) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_REDIRECTS, redirects, NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_options_free(options);
  return client;
}

static void numbers_out_of_range_are_refused(void) {
  rqx_options *options = new_options();
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_MAX_REDIRECTS, -1, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_REDIRECT_TO_HTTP, 2, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_RETRY_ANY_METHOD, 2, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_COOKIES, 2, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_int(options, RQX_OPT_AUTH, 2, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_options_set_bytes(options, RQX_OPT_USER, BYTES("a:b"), NULL));
  rqx_options_free(options);
}

static void the_way_is_told_hop_by_hop(void) {
  rqx_client *client = following(5);
  rqx_event event;
  rqx_slice url = {0};
  uint32_t redirects = 0, retries = 9;
  rqx_timing last = {.struct_size = sizeof last};
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/redirect/3"), &event));
  CHECK(event.status == 200 && event.flags & RQX_EVF_HOPS);
  CHECK_CODE(RQX_OK, rqx_response_hops(event.response, &redirects, &retries));
  CHECK(redirects == 3 && retries == 0);
  CHECK_CODE(RQX_OK, rqx_response_url(event.response, &url));
  CHECK(is(url, under(at, sizeof at, http_url, "/get")));
  CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &last));
  for (size_t n = 0; n < redirects; n++) {
    rqx_hop hop = {.struct_size = sizeof hop};
    CHECK_CODE(RQX_OK, rqx_response_hop(event.response, n, &hop));
    CHECK(hop.status == 302 && hop.code == RQX_OK && hop.repeated == 0 && hop.pause_ns == 0);
    CHECK(holds(hop.url, n == 0 ? "/redirect/3" : n == 1 ? "/redirect/2" : "/redirect/1"));
    CHECK(hop.timing.await_ns > 0 && (hop.timing.connect_ns > 0) == (n == 0));
    CHECK(hop.timing.connection_id == last.connection_id && hop.timing.bytes_received > 20);
  }
  done(&event);
  rqx_client_free(client);
}

static void an_answer_at_once_has_no_way(void) {
  rqx_client *client = following(5);
  rqx_event event;
  rqx_slice url = {.len = 9};
  uint32_t redirects = 9, retries = 9;
  rqx_hop hop = {.struct_size = sizeof hop};
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  CHECK(!(event.flags & RQX_EVF_HOPS));
  CHECK_CODE(RQX_OK, rqx_response_hops(event.response, &redirects, &retries));
  CHECK(redirects == 0 && retries == 0);
  CHECK_CODE(RQX_OK, rqx_response_url(event.response, &url));
  CHECK(url.len == 0);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_response_hop(event.response, 0, &hop));
  CHECK_CODE(RQX_E_NULL, rqx_response_hops(event.response, NULL, &retries));
  CHECK_CODE(RQX_E_NULL, rqx_response_url(event.response, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_response_hop(NULL, 0, &hop));
  done(&event);
  rqx_client_free(client);
}

static void a_request_that_is_sent_again_begins_anew(void) {
  rqx_client *client = following(5);
  rqx_request *made = NULL;
  rqx_exchange *pending = NULL;
  rqx_event event;
  under(at, sizeof at, http_url, "/redirect/1");
  CHECK_CODE(RQX_OK, rqx_request_new(BYTES("GET"), TEXT(at), &made, NULL));
  for (int n = 0; n < 2; n++) {
    CHECK_CODE(RQX_OK, finish(rqx_request_send(client, made, 0, &pending, &event), &pending, &event));
    CHECK(event.status == 200 && event.flags & RQX_EVF_HOPS && holds(event.body, "/get"));
    done(&event);
  }
  rqx_request_free(made);
  rqx_client_free(client);
}

static void a_limit_is_an_exchanges_own_if_it_says_so(void) {
  rqx_client *client = following(5);
  rqx_options *options = new_options();
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_REDIRECTS, 1, NULL));
  under(at, sizeof at, http_url, "/redirect/2");
  CHECK_CODE(RQX_E_TOO_MANY_REDIRECTS, ask(client, options, "GET", at, NULL, 0, &event));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_REDIRECTS, 0, NULL));
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, 0, &event));
  CHECK(event.status == 302);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void a_call_can_be_cancelled_between_two_hops(void) {
  rqx_client *client = following(1000000);
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_OK, submit(client, queue, 7, under(at, sizeof at, http_url, "/redirect/1000000"), 0));
  CHECK_CODE(RQX_OK, rqx_cancel(client, 7));
  rqx_event event = next(queue);
  CHECK(event.token == 7 && event.code == RQX_E_CANCELLED);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

/* A client that waits for hours before it tries again. */
static rqx_client *patient(void) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_RETRIES, 3, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_RETRY_BACKOFF_NS, 36000000000000, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_RETRY_MAX_WAIT_NS, 36000000000000, NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_options_free(options);
  return client;
}

static void a_delay_goes_by_in_slices_and_ends_when_it_is_freed(void) {
  rqx_client *client = patient();
  const char *head = "GET\nhttp://127.0.0.1:1/";
  rqx_exchange *pending = NULL;
  rqx_event event;
  CHECK_CODE(RQX_PENDING, rqx_send(client, NULL, TEXT(head), 0, NULL, 0, NULL, 0, &pending, &event));
  CHECK_CODE(RQX_PENDING, rqx_exchange_resume(pending, &event));
  rqx_exchange_free(pending);
  rqx_client_free(client);
}

static void a_delay_in_the_background_can_be_cancelled(void) {
  rqx_client *client = patient();
  rqx_queue *queue = new_queue();
  size_t n = 0;
  rqx_event event;
  CHECK_CODE(RQX_OK, submit(client, queue, 7, "http://127.0.0.1:1/", 0));
  CHECK_CODE(RQX_E_TIMEOUT, rqx_queue_wait(queue, &event, 1, 100000000, &n, NULL));
  CHECK_CODE(RQX_OK, rqx_cancel(client, 7));
  event = next(queue);
  CHECK(event.token == 7 && event.code == RQX_E_CANCELLED);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static rqx_client *with_cookies(void) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_COOKIES, 1, NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_options_free(options);
  return client;
}

static int32_t add(rqx_client *client, const char *url, const char *line) {
  return rqx_client_add_cookie(client, TEXT(url), TEXT(line), NULL);
}

static size_t count(rqx_client *client, const char *url) {
  rqx_cookies *cookies = NULL;
  rqx_cookie cookie = {.struct_size = sizeof cookie};
  size_t n = 0;
  CHECK_CODE(RQX_OK, rqx_client_cookies(client, TEXT(url), &cookies, NULL));
  while (rqx_cookies_read(cookies, n, &cookie) == RQX_OK) n++;
  rqx_cookies_free(cookies);
  return n;
}

static void cookies_are_added_read_and_cleared(void) {
  rqx_client *client = with_cookies();
  rqx_cookies *cookies = NULL;
  rqx_cookie cookie = {.struct_size = sizeof cookie};
  CHECK_CODE(RQX_OK, add(client, "https://b.example.org/x/y", "a=1; Domain=example.org; Secure; HttpOnly; Max-Age=100"));
  CHECK_CODE(RQX_OK, add(client, "http://b.example.org/", "b=2; Path=/z"));
  CHECK(count(client, "https://b.example.org/x/y") == 1 && count(client, "http://b.example.org/z") == 1);
  CHECK(count(client, "http://example.com/") == 0 && count(client, "") == 2);
  CHECK_CODE(RQX_OK, rqx_client_cookies(client, NULL, 0, &cookies, NULL));
  CHECK_CODE(RQX_OK, add(client, "http://b.example.org/", "b=; Path=/z; Max-Age=0"));
  CHECK(count(client, "") == 1);
  CHECK_CODE(RQX_OK, rqx_client_clear_cookies(client));
  CHECK(count(client, "") == 0);
  rqx_client_free(client);

  CHECK_CODE(RQX_OK, rqx_cookies_read(cookies, 0, &cookie));
  CHECK(is(cookie.name, "a") && is(cookie.value, "1") && is(cookie.domain, "example.org") && is(cookie.path, "/x"));
  CHECK(cookie.flags == (RQX_COOKIE_SECURE | RQX_COOKIE_HTTP_ONLY) && cookie.expires > 1700000000);
  CHECK_CODE(RQX_OK, rqx_cookies_read(cookies, 1, &cookie));
  CHECK(cookie.flags == RQX_COOKIE_HOST_ONLY && cookie.expires == 0);
  CHECK(is(cookie.url, "http://b.example.org/") && is(cookie.line, "b=2; Path=/z"));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_cookies_read(cookies, 2, &cookie));
  rqx_cookies_free(cookies);
  rqx_cookies_free(NULL);
}

static void cookies_can_be_kept_for_another_client(void) {
  rqx_client *first = with_cookies(), *second = with_cookies();
  rqx_cookies *cookies = NULL;
  rqx_cookie cookie = {.struct_size = sizeof cookie};
  rqx_event event;
  CHECK_CODE(RQX_OK, get(first, under(at, sizeof at, http_url, "/set-cookies?a=1&b=2"), &event));
  done(&event);
  CHECK_CODE(RQX_OK, rqx_client_cookies(first, NULL, 0, &cookies, NULL));
  for (size_t n = 0; rqx_cookies_read(cookies, n, &cookie) == RQX_OK; n++)
    CHECK_CODE(RQX_OK, rqx_client_add_cookie(second, cookie.url.ptr, cookie.url.len, cookie.line.ptr, cookie.line.len, NULL));
  rqx_cookies_free(cookies);
  CHECK_CODE(RQX_OK, get(second, under(at, sizeof at, http_url, "/cookies"), &event));
  CHECK(is(event.body, "{\"a\": \"1\", \"b\": \"2\"}"));
  done(&event);
  rqx_client_free(first);
  rqx_client_free(second);
}

static void *log_in_often(void *client) {
  char address[512];
  rqx_event event;
  for (int n = 0; n < 10; n++) {
    CHECK_CODE(RQX_OK, get(client, under(address, sizeof address, http_url, "/set-cookies?a=1"), &event));
    CHECK(event.status == 200 && holds(event.body, "\"a\": \"1\""));
    done(&event);
  }
  return NULL;
}

static void threads_share_a_jar(void) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  pthread_t threads[4];
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_COOKIES, 1, NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_MAX_REDIRECTS, 1, NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  for (int n = 0; n < 4; n++) CHECK(pthread_create(&threads[n], NULL, log_in_often, client) == 0);
  for (int n = 0; n < 4; n++) CHECK(pthread_join(threads[n], NULL) == 0);
  CHECK(count(client, "") == 1);
  rqx_client_free(client);
  rqx_options_free(options);
}

static void what_may_not_be_set_is_refused_with_its_reason(void) {
  rqx_client *client = with_cookies();
  rqx_error *error = NULL;
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_client_add_cookie(client, BYTES("http://a.co.uk/"), BYTES("a=1; Domain=co.uk"), &error));
  CHECK_CODE(RQX_OK, rqx_error_read(error, &view));
  CHECK(holds(view.message, "a=1; Domain=co.uk") && holds(view.message, "public suffix"));
  rqx_error_free(error);
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, add(client, "http://a.com/", "a=1; Secure"));
  CHECK_CODE(RQX_E_INVALID_URL, add(client, "a.com", "a=1"));
  CHECK_CODE(RQX_E_UNSUPPORTED_SCHEME, add(client, "ftp://a.com/", "a=1"));
  CHECK_CODE(RQX_E_NULL, add(NULL, "http://a.com/", "a=1"));
  CHECK_CODE(RQX_E_NULL, rqx_client_cookies(client, NULL, 0, NULL, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_client_clear_cookies(NULL));
  rqx_client_free(client);
}

static void a_suffix_is_public_or_somebodys(void) {
  const char *public[] = {"com", "com.", ".com", "co.UK", "github.io", "intranet"};
  const char *own[] = {"example.com", "example.co.uk", "ann.github.io", "", "127.0.0.1"};
  for (size_t n = 0; n < sizeof public / sizeof *public; n++) CHECK(rqx_suffix_is_public(TEXT(public[n])) == 1);
  for (size_t n = 0; n < sizeof own / sizeof *own; n++) CHECK(rqx_suffix_is_public(TEXT(own[n])) == (*own[n] == 0));
  CHECK_CODE(RQX_E_NULL, rqx_suffix_is_public(NULL, 3));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_suffix_is_public(BYTES("\xff")));
}

static void who_asks_is_said_by_basic(void) {
  rqx_options *options = new_options();
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PASSWORD, BYTES("s3cret: x"), NULL));
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_USER, BYTES("ann"), NULL));
  CHECK_CODE(RQX_OK, ask(client, options, "GET", under(at, sizeof at, http_url, "/basic-auth"), NULL, 0, &event));
  CHECK(event.status == 200);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_USER, NULL, 0, NULL));
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, 0, &event));
  CHECK(event.status == 401);
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  numbers_out_of_range_are_refused();
  the_way_is_told_hop_by_hop();
  an_answer_at_once_has_no_way();
  a_request_that_is_sent_again_begins_anew();
  a_limit_is_an_exchanges_own_if_it_says_so();
  a_call_can_be_cancelled_between_two_hops();
  a_delay_goes_by_in_slices_and_ends_when_it_is_freed();
  a_delay_in_the_background_can_be_cancelled();
  cookies_are_added_read_and_cleared();
  cookies_can_be_kept_for_another_client();
  threads_share_a_jar();
  what_may_not_be_set_is_refused_with_its_reason();
  a_suffix_is_public_or_somebodys();
  who_asks_is_said_by_basic();
  return 0;
}
