/* Clients: their counts, their limits, their end. */
#include "check.h"

static char at[512];

static rqx_stats stats_of(rqx_client *client) {
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  return stats;
}

static rqx_client *client_with(int32_t option, int64_t value) {
  rqx_options *options = new_options();
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, option, value, NULL));
  CHECK_CODE(RQX_OK, rqx_client_new(options, &client, NULL));
  rqx_options_free(options);
  return client;
}

static void counts_follow_what_happens(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK(stats_of(client).requests == 0);
  CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
  done(&event);
  rqx_stats stats = stats_of(client);
  CHECK(stats.requests == 1);
  CHECK(stats.in_flight == 0);
  CHECK(stats.idle_connections == 1);
  CHECK(stats.open_connections == 1);
  CHECK(stats.queued == 0);
  CHECK_CODE(RQX_OK, rqx_client_close_idle(client));
  CHECK(stats_of(client).open_connections == 0);
  rqx_client_free(client);
}

static void an_unread_response_holds_its_connection(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http_url, "/bytes/3000000"), NULL, RQX_SEND_STREAM, &event));
  CHECK(stats_of(client).open_connections == 1);
  CHECK(stats_of(client).idle_connections == 0);
  done(&event);
  CHECK(stats_of(client).open_connections == 0);
  rqx_client_free(client);
}

static void a_limit_makes_others_wait(void) {
  const int32_t limits[] = {RQX_OPT_MAX_CONNECTIONS, RQX_OPT_MAX_CONNECTIONS_PER_HOST};
  for (size_t n = 0; n < 2; n++) {
    rqx_client *client = client_with(limits[n], 1);
    rqx_queue *queue = new_queue();
    for (uint64_t token = 1; token <= 3; token++) {
      CHECK_CODE(RQX_OK, submit(client, queue, token, under(at, sizeof at, http_url, "/slow?s=0.1"), 0));
    }
    int waited = 0;
    for (int left = 3; left > 0; left--) {
      CHECK(stats_of(client).open_connections <= 1);
      rqx_event event = next(queue);
      rqx_timing timing = {.struct_size = sizeof timing};
      CHECK_CODE(RQX_OK, event.code);
      CHECK_CODE(RQX_OK, rqx_response_timing(event.response, &timing));
      waited += timing.queue_ns > 50000000;
      done(&event);
    }
    CHECK(waited == 2);
    rqx_queue_free(queue);
    rqx_client_free(client);
  }
}

static void waiting_for_a_place_has_a_limit(void) {
  rqx_client *client = client_with(RQX_OPT_MAX_CONNECTIONS, 1);
  rqx_options *options = new_options();
  rqx_event held, event;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_QUEUE_TIMEOUT_NS, 100000000, NULL));
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http_url, "/bytes/3000000"), NULL, RQX_SEND_STREAM, &held));
  CHECK_CODE(RQX_E_TIMEOUT, ask(client, options, "GET", under(at, sizeof at, http_url, "/get"), NULL, 0, &event));
  rqx_error_view view = {.struct_size = sizeof view};
  CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
  CHECK(view.phase == RQX_PHASE_QUEUE && holds(view.message, "the pool is full, with 1 of 1 connections in all in use"));
  done(&event);
  done(&held);
  CHECK_CODE(RQX_OK, ask(client, options, "GET", at, NULL, 0, &event));
  done(&event);
  rqx_options_free(options);
  rqx_client_free(client);
}

static void who_does_not_come_for_its_place_holds_up_nobody(void) {
  rqx_client *client = client_with(RQX_OPT_MAX_CONNECTIONS, 1);
  rqx_queue *queue = new_queue();
  rqx_exchange *first = NULL;
  rqx_event held, begun, event;
  char head[600];
  CHECK_CODE(RQX_OK, ask(client, NULL, "GET", under(at, sizeof at, http_url, "/bytes/3000000"), NULL, RQX_SEND_STREAM, &held));
  int length = snprintf(head, sizeof head, "GET\n%s/get", http_url);
  CHECK_CODE(RQX_PENDING, rqx_send(client, NULL, (const uint8_t *)head, (size_t)length, 0, NULL, 0, NULL, 0, &first, &begun));
  CHECK_CODE(RQX_OK, submit(client, queue, 1, under(at, sizeof at, http_url, "/get"), 0));
  while (stats_of(client).queued < 2) continue;
  done(&held); /* it is the turn of the first, which nobody resumes */
  event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  done(&event);
  CHECK_CODE(RQX_OK, finish(RQX_PENDING, &first, &begun));
  done(&begun);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void idle_connections_are_kept_up_to_a_limit(void) {
  rqx_client *client = client_with(RQX_OPT_MAX_IDLE_PER_HOST, 2);
  rqx_queue *queue = new_queue();
  for (uint64_t token = 1; token <= 5; token++) {
    CHECK_CODE(RQX_OK, submit(client, queue, token, under(at, sizeof at, http_url, "/slow?s=0.1"), 0));
  }
  for (int left = 5; left > 0; left--) {
    rqx_event event = next(queue);
    CHECK_CODE(RQX_OK, event.code);
    done(&event);
  }
  CHECK(stats_of(client).idle_connections <= 2);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void idle_connections_are_kept_for_a_time(void) {
  rqx_client *client = client_with(RQX_OPT_IDLE_TIMEOUT_NS, 1);
  rqx_event event;
  for (int n = 0; n < 2; n++) {
    CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
    CHECK(!(event.flags & RQX_EVF_REUSED));
    done(&event);
  }
  rqx_client_free(client);
}

static void lanes_give_way_to_each_other(void) {
  rqx_client *client = client_with(RQX_OPT_MAX_CONNECTIONS, 1);
  rqx_queue *queue = new_queue();
  rqx_event event;
  for (int n = 0; n < 3; n++) {
    CHECK_CODE(RQX_OK, get(client, under(at, sizeof at, http_url, "/get"), &event));
    done(&event);
    CHECK_CODE(RQX_OK, submit(client, queue, 1, at, 0));
    event = next(queue);
    CHECK_CODE(RQX_OK, event.code);
    done(&event);
  }
  CHECK(stats_of(client).open_connections <= 1);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  counts_follow_what_happens();
  an_unread_response_holds_its_connection();
  a_limit_makes_others_wait();
  waiting_for_a_place_has_a_limit();
  who_does_not_come_for_its_place_holds_up_nobody();
  idle_connections_are_kept_up_to_a_limit();
  idle_connections_are_kept_for_a_time();
  lanes_give_way_to_each_other();
  return 0;
}
