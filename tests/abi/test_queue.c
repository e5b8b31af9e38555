/* Background exchanges: submitted, finished elsewhere, taken from a queue on the caller's own thread. */
#include <poll.h>
#include <pthread.h>

#include "check.h"

static char at[512];

static int readable(rqx_queue *queue, int limit_ms) {
  struct pollfd fd = {.fd = rqx_queue_fd(queue), .events = POLLIN, .revents = 0};
  return poll(&fd, 1, limit_ms);
}

struct seen {
  pthread_t thread;
  size_t calls, events;
  uint64_t tokens;
};

static void on_events(void *user, const rqx_event *events, size_t n) {
  struct seen *seen = user;
  seen->thread = pthread_self();
  seen->calls++;
  for (size_t i = 0; i < n; i++) {
    CHECK(events[i].kind == RQX_EV_HEAD);
    CHECK(events[i].code == RQX_OK);
    CHECK(events[i].flags & RQX_EVF_TERMINAL);
    CHECK(events[i].status == 200);
    CHECK(holds(events[i].body, "\"method\": \"GET\""));
    seen->tokens |= (uint64_t)1 << events[i].token;
    rqx_response_free(events[i].response);
    seen->events++;
  }
}

static void completions_are_called_on_the_thread_that_dispatches(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  struct seen seen = {0};
  CHECK(readable(queue, 0) == 0);
  for (uint64_t token = 0; token < 20; token++) {
    CHECK_CODE(RQX_OK, submit(client, queue, token, under(at, sizeof at, http_url, "/get"), 0));
  }
  while (seen.events < 20) {
    CHECK(readable(queue, 10000) == 1);
    rqx_queue_dispatch(queue, on_events, &seen, 0);
    CHECK(pthread_equal(seen.thread, pthread_self()));
  }
  CHECK(seen.tokens == (1 << 20) - 1);
  CHECK(readable(queue, 0) == 0);
  CHECK(rqx_queue_dispatch(queue, on_events, &seen, 0) == 0);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

struct again {
  rqx_client *client;
  rqx_queue *queue;
  int left;
};

static void on_event_again(void *user, const rqx_event *events, size_t n) {
  struct again *again = user;
  for (size_t i = 0; i < n; i++) {
    rqx_event event = events[i];
    CHECK_CODE(RQX_OK, event.code);
    done(&event);
    if (--again->left > 0) CHECK_CODE(RQX_OK, submit(again->client, again->queue, 1, at, 0));
  }
}

static void a_callback_may_submit(void) {
  struct again again = {new_client(), new_queue(), 5};
  CHECK_CODE(RQX_OK, submit(again.client, again.queue, 1, under(at, sizeof at, http_url, "/get"), 0));
  while (again.left > 0) {
    CHECK(readable(again.queue, 10000) == 1);
    rqx_queue_dispatch(again.queue, on_event_again, &again, 1);
  }
  rqx_queue_free(again.queue);
  rqx_client_free(again.client);
}

struct ender {
  rqx_client *client;
  rqx_queue *queue;
  int calls;
};

static void on_event_end(void *user, const rqx_event *events, size_t n) {
  struct ender *ender = user;
  CHECK(n == 1);
  rqx_event event = events[0];
  switch (ender->calls++) {
    case 0: /* the head of a stream: it is given up, and another call with it */
      CHECK_CODE(RQX_OK, event.code);
      CHECK_CODE(RQX_OK, rqx_body_read(event.response, 3, 65536, 0, NULL));
      CHECK_CODE(RQX_OK, rqx_cancel(ender->client, 2));
      CHECK(rqx_queue_dispatch(ender->queue, on_event_end, ender, 1) <= 1);
      rqx_response_close(event.response);
      rqx_response_free(event.response);
      break;
    case 1:
    case 2:
      rqx_error_free(event.error);
      break;
    default:
      CHECK(!"so many events");
  }
  if (ender->calls == 3) {
    CHECK_CODE(RQX_OK, rqx_shutdown(5000000000));
    CHECK_CODE(RQX_OK, rqx_client_close(ender->client));
    rqx_client_free(ender->client);
    rqx_queue_free(ender->queue);
  }
}

static void a_callback_may_end_everything(void) {
  struct ender ender = {new_client(), new_queue(), 0};
  CHECK_CODE(RQX_OK, submit(ender.client, ender.queue, 2, under(at, sizeof at, http_url, "/slow?s=5"), 0));
  CHECK_CODE(RQX_OK, submit(ender.client, ender.queue, 1, under(at, sizeof at, http_url, "/stall/100000"), RQX_SEND_STREAM));
  while (ender.calls < 3) {
    CHECK(readable(ender.queue, 10000) == 1);
    rqx_queue_dispatch(ender.queue, on_event_end, &ender, 1);
  }
  CHECK_CODE(RQX_E_HANDLE, submit(ender.client, ender.queue, 4, at, 0));
}

static void cancelling_gives_the_terminal_event(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_OK, submit(client, queue, 7, under(at, sizeof at, http_url, "/slow?s=5"), 0));
  CHECK_CODE(RQX_E_STATE, submit(client, queue, 7, at, 0));
  CHECK_CODE(RQX_OK, rqx_cancel(client, 7));
  rqx_event event = next(queue);
  CHECK(event.token == 7);
  CHECK(event.kind == RQX_EV_ERROR);
  CHECK_CODE(RQX_E_CANCELLED, event.code);
  CHECK(event.flags & RQX_EVF_TERMINAL);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_cancel(client, 7));
  CHECK_CODE(RQX_OK, rqx_cancel(client, 12345));
  CHECK_CODE(RQX_OK, submit(client, queue, 7, under(at, sizeof at, http_url, "/get"), 0));
  event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void closing_the_client_ends_what_runs(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  for (uint64_t token = 1; token <= 3; token++) {
    CHECK_CODE(RQX_OK, submit(client, queue, token, under(at, sizeof at, http_url, "/slow?s=5"), 0));
  }
  CHECK_CODE(RQX_OK, rqx_client_close(client));
  for (int n = 0; n < 3; n++) {
    rqx_event event = next(queue);
    CHECK_CODE(RQX_E_CLOSED, event.code);
    done(&event);
  }
  CHECK_CODE(RQX_E_CLOSED, submit(client, queue, 4, at, 0));
  rqx_client_free(client);
  rqx_queue_free(queue);
}

static void a_queue_may_go_before_its_requests(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/slow?s=0.2"), 0));
  CHECK_CODE(RQX_OK, submit(client, queue, 2, under(at, sizeof at, http_url, "/get"), 0));
  CHECK(readable(queue, 10000) == 1);
  rqx_queue_free(queue);
  CHECK_CODE(RQX_E_HANDLE, submit(client, queue, 3, at, 0));
  rqx_client_free(client);
}

static void freeing_a_queue_breaks_off_what_is_under_way_for_it(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue(), *other = new_queue();
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/slow?s=30"), 0));
  CHECK_CODE(RQX_OK, submit(client, queue, 2, at, RQX_SEND_STREAM));
  CHECK_CODE(RQX_OK, submit(client, other, 3, under(at, sizeof at, http_url, "/get"), 0));
  rqx_event event = next(other);
  CHECK_CODE(RQX_OK, event.code);
  done(&event);
  rqx_queue_free(queue);
  do {
    CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
    poll(NULL, 0, 1);
  } while (stats.in_flight > 0);
  CHECK(stats.open_connections == 1 && stats.idle_connections == 1);
  rqx_queue_free(other);
  rqx_client_free(client);
}

static void a_body_is_not_read_into_a_queue_that_is_gone(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_slice piece = {0};
  int32_t code;
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/bytes/3000000"), RQX_SEND_STREAM));
  rqx_event event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  rqx_queue_free(queue);
  CHECK_CODE(RQX_E_HANDLE, rqx_body_read(event.response, 1, 0, 0, NULL));
  while ((code = rqx_body_next(event.response, 0, &piece, NULL)) == RQX_PENDING) continue;
  CHECK_CODE(RQX_OK, code);
  CHECK(piece.len > 0);
  done(&event);
  rqx_client_free(client);
}

static void a_client_may_go_before_its_requests(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/slow?s=5"), 0));
  rqx_client_free(client);
  rqx_event event = next(queue);
  CHECK_CODE(RQX_E_CLOSED, event.code);
  done(&event);
  rqx_queue_free(queue);
}

static void events_are_taken_without_waiting(void) {
  static uint8_t space[4 * RQX_INLINE_BYTES];
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_event events[4];
  size_t n = 99;
  uint64_t tokens = 0;
  CHECK_CODE(RQX_OK, rqx_queue_take(queue, events, 4, NULL, 0, &n, NULL));
  CHECK(n == 0);
  CHECK_CODE(RQX_E_NULL, rqx_queue_take(queue, NULL, 4, NULL, 0, &n, NULL));
  CHECK_CODE(RQX_E_INVALID_ARGUMENT, rqx_queue_take(queue, events, 0, NULL, 0, &n, NULL));
  for (uint64_t token = 0; token < 8; token++) {
    CHECK_CODE(RQX_OK, submit(client, queue, token, under(at, sizeof at, http_url, "/get"), RQX_SEND_INLINE));
  }
  /* The first four into our space, the others behind handles. */
  for (size_t seen = 0; seen < 8; seen += n) {
    size_t cap = seen < 4 ? sizeof space : 0;
    CHECK(readable(queue, 10000) == 1);
    CHECK_CODE(RQX_OK, rqx_queue_take(queue, events, seen < 4 ? 4 - seen : 4, cap ? space : NULL, cap, &n, NULL));
    for (size_t i = 0; i < n; i++) {
      CHECK(events[i].status == 200 && holds(events[i].body, "\"method\": \"GET\""));
      CHECK((events[i].response == NULL) == (cap != 0));
      if (cap) CHECK(events[i].head.ptr >= space && events[i].body.ptr < space + sizeof space);
      tokens |= (uint64_t)1 << events[i].token;
      done(&events[i]);
    }
  }
  CHECK(tokens == 0xff);
  CHECK(readable(queue, 0) == 0);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void waiting_has_a_limit(void) {
  rqx_queue *queue = new_queue();
  rqx_event event;
  size_t n = 99;
  CHECK_CODE(RQX_E_TIMEOUT, rqx_queue_wait(queue, &event, 1, 0, &n, NULL));
  CHECK_CODE(RQX_E_TIMEOUT, rqx_queue_wait(queue, &event, 1, 20000000, &n, NULL));
  CHECK(n == 99);
  rqx_queue_free(queue);
}

static void *wake(void *queue) {
  CHECK_CODE(RQX_OK, rqx_queue_wake(queue));
  return NULL;
}

static void waiting_can_be_interrupted(void) {
  rqx_queue *queue = new_queue();
  rqx_event event;
  size_t n = 0;
  pthread_t other;
  CHECK(pthread_create(&other, NULL, wake, queue) == 0);
  CHECK_CODE(RQX_E_INTERRUPTED, rqx_queue_wait(queue, &event, 1, -1, &n, NULL));
  CHECK(pthread_join(other, NULL) == 0);
  CHECK_CODE(RQX_E_TIMEOUT, rqx_queue_wait(queue, &event, 1, 0, &n, NULL));
  rqx_queue_free(queue);
}

static void bodies_are_pulled_by_events(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/bytes/3000000"), RQX_SEND_STREAM));
  rqx_event head = next(queue);
  CHECK(head.kind == RQX_EV_HEAD && head.token == 1);
  size_t total = 0;
  for (uint64_t token = 2;; token++) {
    CHECK_CODE(RQX_OK, rqx_body_read(head.response, token, 65536, 0, NULL));
    rqx_event piece = next(queue);
    CHECK(piece.token == token);
    CHECK(piece.kind == RQX_EV_BODY);
    CHECK(piece.response == NULL);
    CHECK(piece.body.len <= 65536);
    total += piece.body.len;
    if (piece.flags & RQX_EVF_BODY_COMPLETE) break;
  }
  CHECK(total == 3000000);
  rqx_response_free(head.response);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void a_read_can_be_cancelled(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_request *request = NULL;
  /* A body that never comes: the head of /bytes is sent before its bytes, and HEAD has none; so wait on /slow. */
  CHECK_CODE(RQX_OK, rqx_request_new(BYTES("GET"), TEXT(under(at, sizeof at, http_url, "/slow?s=5")), &request, NULL));
  CHECK_CODE(RQX_OK, rqx_request_submit(client, request, queue, 1, RQX_SEND_STREAM, NULL));
  rqx_request_free(request);
  CHECK_CODE(RQX_OK, rqx_cancel(client, 1));
  rqx_event event = next(queue);
  CHECK_CODE(RQX_E_CANCELLED, event.code);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void shutting_down_ends_what_runs_and_starts_again(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/slow?s=5"), 0));
  CHECK_CODE(RQX_OK, rqx_shutdown(5000000000));
  rqx_event event = next(queue);
  CHECK(event.token == 1 && event.kind == RQX_EV_ERROR);
  done(&event);
  CHECK_CODE(RQX_OK, submit(client, queue, 2, under(at, sizeof at, http_url, "/get"), 0));
  event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
  CHECK_CODE(RQX_OK, rqx_shutdown(5000000000));
}

static void post(rqx_client *client, rqx_queue *queue, uint64_t token) {
  char head[600];
  int length = snprintf(head, sizeof head, "POST\n%s", under(at, sizeof at, http_url, "/post"));
  CHECK_CODE(RQX_OK, rqx_submit(client, queue, token, NULL, (const uint8_t *)head, (size_t)length, 0, BYTES("once"), NULL, 0, NULL));
  rqx_event event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  CHECK(event.status == 200 && event.token == token);
  done(&event);
}

static void a_connection_does_not_outlive_what_drove_it(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  post(client, queue, 1);
  CHECK_CODE(RQX_OK, rqx_shutdown(5000000000));
  post(client, queue, 2);
  rqx_queue_free(queue);
  rqx_client_free(client);
  CHECK_CODE(RQX_OK, rqx_shutdown(5000000000));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  completions_are_called_on_the_thread_that_dispatches();
  a_callback_may_submit();
  a_callback_may_end_everything();
  cancelling_gives_the_terminal_event();
  closing_the_client_ends_what_runs();
  a_queue_may_go_before_its_requests();
  freeing_a_queue_breaks_off_what_is_under_way_for_it();
  a_body_is_not_read_into_a_queue_that_is_gone();
  a_client_may_go_before_its_requests();
  events_are_taken_without_waiting();
  waiting_has_a_limit();
  waiting_can_be_interrupted();
  bodies_are_pulled_by_events();
  a_read_can_be_cancelled();
  shutting_down_ends_what_runs_and_starts_again();
  a_connection_does_not_outlive_what_drove_it();
  return 0;
}
