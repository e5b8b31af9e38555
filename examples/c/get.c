/* Fetches URLs twice: one after another on this thread, then all at once in the background.
 *
 *   ./get https://example.org/ http://example.org/
 *
 * Redirects are followed, what fails for a moment is tried again, and cookies are kept: options ask for that.
 * The first half is all that a small program needs. The second shows what an event loop does: it waits for a
 * descriptor with everything else it waits for, and is called on its own thread when something has finished.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "requestx.h"

static void tell_error(const char *url, rqx_error *error) {
  rqx_error_view view = {.struct_size = sizeof view};
  if (rqx_error_read(error, &view) == RQX_OK)
    printf("%s: %s: %.*s\n", url, rqx_code_name(view.code), (int)view.message.len, (const char *)view.message.ptr);
  rqx_error_free(error);
}

/* How it came there, where that was not at once. */
static void tell_way(const rqx_response *response) {
  rqx_slice url = {0};
  uint32_t redirects = 0, retries = 0;
  if (rqx_response_hops(response, &redirects, &retries) == RQX_OK && rqx_response_url(response, &url) == RQX_OK)
    printf("  from %.*s, after %u redirects and %u retries\n", (int)url.len, (const char *)url.ptr, (unsigned)redirects,
           (unsigned)retries);
}

/* What an event points to lives as long as its response, which is ours. */
static void tell(const char *url, const rqx_event *event) {
  if (event->code != RQX_OK) {
    tell_error(url, event->error);
    return;
  }
  printf("%s: %u %.*s, %u headers, %zu bytes of body%s%s\n", url, (unsigned)event->status, (int)event->reason.len,
         (const char *)event->reason.ptr, (unsigned)event->n_headers, event->body.len,
         event->flags & RQX_EVF_BODY_COMPLETE ? "" : " so far", event->flags & RQX_EVF_REUSED ? ", same connection" : "");
  if (event->flags & RQX_EVF_HOPS) tell_way(event->response);
  rqx_response_free(event->response);
}

/* "METHOD\nURL\nname\nvalue": a stray newline changes the count of fields and is refused, so joining is safe. */
static size_t head_of(char *head, size_t size, const char *url) {
  int length = snprintf(head, size, "GET\n%s\nUser-Agent\nrequestx-example", url);
  return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

static int get_here(rqx_client *client, const char *url) {
  char head[4096];
  rqx_exchange *pending = NULL;
  rqx_event event = {0};
  size_t length = head_of(head, sizeof head, url);
  int32_t code = rqx_send(client, NULL, (const uint8_t *)head, length, 1, NULL, 0, NULL, 0, &pending, &event);
  while (code == RQX_PENDING) /* every 50 ms: the place to look at signals, or to give up by freeing the exchange */
    code = rqx_exchange_resume(pending, &event);
  rqx_exchange_free(pending);
  tell(url, &event);
  return code;
}

struct batch {
  char **urls;
  int left, failed;
};

static void on_events(void *user, const rqx_event *events, size_t n) {
  struct batch *batch = user;
  for (size_t i = 0; i < n; i++) {
    if (!(events[i].flags & RQX_EVF_TERMINAL)) continue;
    tell(batch->urls[events[i].token], &events[i]);
    batch->left--;
    batch->failed += events[i].code != RQX_OK;
  }
}

static int get_in_the_background(rqx_client *client, char **urls, int count) {
  struct batch batch = {urls, 0, 0};
  rqx_queue *queue = NULL;
  if (rqx_queue_new(&queue, NULL) != RQX_OK) return 1;
  for (int i = 0; i < count; i++) {
    char head[4096];
    rqx_error *error = NULL;
    size_t length = head_of(head, sizeof head, urls[i]);
    int32_t code = rqx_submit(client, queue, (uint64_t)i, NULL, (const uint8_t *)head, length, 1, NULL, 0, NULL, 0, &error);
    if (code == RQX_OK) {
      batch.left++;
    } else { /* nothing was sent, no event follows */
      tell_error(urls[i], error);
      batch.failed++;
    }
  }
  struct pollfd readable = {.fd = rqx_queue_fd(queue), .events = POLLIN, .revents = 0};
  while (batch.left > 0 && poll(&readable, 1, -1) >= 0) rqx_queue_dispatch(queue, on_events, &batch, 0);
  rqx_queue_free(queue);
  return batch.failed;
}

/* Without options a client does one exchange for each request, and no more. */
static rqx_client *new_client(void) {
  rqx_options *options = NULL;
  rqx_client *client = NULL;
  if (rqx_options_new(&options) != RQX_OK) return NULL;
  rqx_options_set_int(options, RQX_OPT_MAX_REDIRECTS, 10, NULL);
  rqx_options_set_int(options, RQX_OPT_RETRIES, 3, NULL);
  rqx_options_set_int(options, RQX_OPT_COOKIES, 1, NULL);
  rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, 60000000000, NULL);
  rqx_client_new(options, &client, NULL);
  rqx_options_free(options);
  return client;
}

int main(int argc, char **argv) {
  int failed = 0;
  if (rqx_abi_version() >> 16 != RQX_ABI_MAJOR) return 2;
  rqx_client *client = new_client();
  if (!client) return 2;
  printf("%s (%s)\n", rqx_version(), rqx_build_info());
  for (int i = 1; i < argc; i++) failed += get_here(client, argv[i]) != RQX_OK;
  failed += get_in_the_background(client, argv + 1, argc - 1);
  rqx_client_free(client);
  return failed != 0;
}
