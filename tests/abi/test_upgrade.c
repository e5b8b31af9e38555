/* Connections whose server has switched protocols: bytes both ways, in both lanes. */
#include <pthread.h>

#include "check.h"

#define FIELDS "Connection\nUpgrade\nUpgrade\necho"

static char head[1024];
static uint8_t room[65536];

static void head_for(const char *base, const char *fields) {
  CHECK((size_t)snprintf(head, sizeof head, "GET\n%s/switch\n%s", base, fields) < sizeof head);
}

static int32_t switched(rqx_client *client, const rqx_options *options, const char *base, rqx_event *event) {
  rqx_exchange *pending = NULL;
  head_for(base, FIELDS);
  memset(event, 0, sizeof *event);
  return finish(rqx_send(client, options, TEXT(head), 2, NULL, 0, NULL, 0, &pending, event), &pending, event);
}

static rqx_upgrade *taken(rqx_event *event) {
  rqx_upgrade *upgrade = NULL;
  CHECK(event->status == 101 && (event->flags & RQX_EVF_UPGRADED) && (event->flags & RQX_EVF_BODY_COMPLETE));
  CHECK(event->body.len == 0 && holds(event->head, "Upgrade\necho"));
  CHECK_CODE(RQX_OK, rqx_upgrade_new(event->response, &upgrade, NULL));
  return upgrade;
}

static size_t read_some(rqx_upgrade *upgrade, size_t cap) {
  size_t n = 0;
  int32_t code = RQX_PENDING;
  while (code == RQX_PENDING) code = rqx_upgrade_read(upgrade, room, cap, &n, NULL);
  CHECK_CODE(RQX_OK, code);
  return n;
}

static void expect(rqx_upgrade *upgrade, const char *text) {
  size_t wanted = strlen(text), got = 0;
  uint8_t all[64];
  while (got < wanted) {
    size_t n = read_some(upgrade, wanted - got);
    CHECK(n > 0);
    memcpy(all + got, room, n);
    got += n;
  }
  CHECK(memcmp(all, text, wanted) == 0);
}

static void write_all(rqx_upgrade *upgrade, const uint8_t *bytes, size_t len) {
  while (len > 0) {
    size_t n = 0;
    int32_t code = rqx_upgrade_write(upgrade, bytes, len, &n, NULL);
    if (code == RQX_PENDING) continue;
    CHECK_CODE(RQX_OK, code);
    CHECK(n > 0);
    bytes += n;
    len -= n;
  }
}

static void shut(rqx_upgrade *upgrade) {
  int32_t code = RQX_PENDING;
  while (code == RQX_PENDING) code = rqx_upgrade_shutdown(upgrade, NULL);
  CHECK_CODE(RQX_OK, code);
}

/* What the connection says until its end, after what was sent has ended. */
static void converse(rqx_upgrade *upgrade) {
  expect(upgrade, "hello");
  write_all(upgrade, BYTES("there and back"));
  expect(upgrade, "there and back");
  shut(upgrade);
  shut(upgrade);
  size_t n = 0;
  CHECK_CODE(RQX_E_STATE, rqx_upgrade_write(upgrade, BYTES("more"), &n, NULL));
  expect(upgrade, "end");
  CHECK(read_some(upgrade, sizeof room) == 0);
  CHECK(read_some(upgrade, sizeof room) == 0);
}

static void bytes_go_both_ways(void) {
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, switched(client, NULL, http_url, &event));
  rqx_upgrade *upgrade = taken(&event);
  done(&event); /* the connection outlives its response */
  converse(upgrade);
  rqx_upgrade_free(upgrade);
  rqx_client_free(client);
}

static void tls_and_tunnels_make_no_difference(void) {
  rqx_options *options = new_options();
  rqx_client *client = new_client();
  CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_CA_FILE, TEXT(ca_file), NULL));
  for (int through = 0; through < 2; through++) {
    rqx_event event;
    if (through) {
      CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_URL, TEXT(proxy_url), NULL));
      CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_USER, BYTES("ann"), NULL));
      CHECK_CODE(RQX_OK, rqx_options_set_bytes(options, RQX_OPT_PROXY_PASSWORD, BYTES("p:w@x"), NULL));
    }
    CHECK_CODE(RQX_OK, switched(client, options, https_url, &event));
    rqx_upgrade *upgrade = taken(&event);
    converse(upgrade);
    rqx_upgrade_free(upgrade);
    done(&event);
  }
  rqx_client_free(client);
  rqx_options_free(options);
}

static rqx_event switched_in_the_background(rqx_client *client, rqx_queue *queue) {
  head_for(http_url, FIELDS);
  CHECK_CODE(RQX_OK, rqx_submit(client, queue, 1, NULL, TEXT(head), 2, NULL, 0, NULL, RQX_SEND_INLINE, NULL));
  rqx_event event = next(queue);
  CHECK_CODE(RQX_OK, event.code);
  return event;
}

static void the_background_reads_and_writes(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_event event = switched_in_the_background(client, queue);
  rqx_upgrade *upgrade = taken(&event);
  done(&event);
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 2, 3, NULL));
  event = next(queue);
  CHECK(event.token == 2 && event.kind == RQX_EV_BODY && is(event.body, "hel"));
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 2, 0, NULL));
  event = next(queue);
  CHECK(is(event.body, "lo") && event.flags == RQX_EVF_TERMINAL);
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 2, 0, NULL));
  CHECK_CODE(RQX_E_STATE, rqx_upgrade_submit_read(upgrade, 3, 0, NULL));
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_write(upgrade, 4, BYTES("echo"), NULL));
  for (int n = 0; n < 2; n++) {
    event = next(queue);
    CHECK(event.flags == RQX_EVF_TERMINAL);
    CHECK(event.token == 2 ? is(event.body, "echo") : event.kind == RQX_EV_WRITTEN);
  }
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_shutdown(upgrade, 5, NULL));
  event = next(queue);
  CHECK(event.kind == RQX_EV_WRITTEN && event.token == 5);
  expect(upgrade, "end"); /* blocking calls read in either lane */
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 6, 0, NULL));
  event = next(queue);
  CHECK(event.body.len == 0 && (event.flags & RQX_EVF_BODY_COMPLETE));
  rqx_upgrade_free(upgrade);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void what_there_is_room_for_is_sent_at_once(void) {
  static uint8_t block[1000000];
  rqx_client *client = new_client();
  rqx_event event;
  rqx_error *error = NULL;
  CHECK_CODE(RQX_OK, switched(client, NULL, http_url, &event));
  rqx_upgrade *upgrade = taken(&event);
  expect(upgrade, "hello");
  size_t n = 0, sent = 0, total = 0;
  CHECK_CODE(RQX_OK, rqx_upgrade_write_now(upgrade, BYTES("echo"), &n, NULL));
  CHECK(n == 4);
  expect(upgrade, "echo");
  /* Nobody reads what comes back, so there is an end to it. */
  while (rqx_upgrade_write_now(upgrade, block, sizeof block, &n, &error) == RQX_OK) sent += n;
  CHECK(n == 0 && error == NULL && sent > 0);
  while (total < sent) total += read_some(upgrade, sizeof room);
  CHECK(total == sent);
  rqx_upgrade_close(upgrade);
  CHECK_CODE(RQX_E_CLOSED, rqx_upgrade_write_now(upgrade, BYTES("x"), &n, NULL));
  rqx_upgrade_free(upgrade);
  done(&event);
  rqx_client_free(client);
}

static void a_read_that_is_cancelled_loses_nothing(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_event event = switched_in_the_background(client, queue);
  rqx_upgrade *upgrade = taken(&event);
  done(&event);
  expect(upgrade, "hello");
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 2, 0, NULL));
  CHECK_CODE(RQX_OK, rqx_cancel(client, 2));
  event = next(queue);
  CHECK_CODE(RQX_E_CANCELLED, event.code);
  done(&event);
  write_all(upgrade, BYTES("echo"));
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 3, 0, NULL));
  event = next(queue);
  CHECK(is(event.body, "echo"));
  rqx_upgrade_free(upgrade);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void closing_ends_what_waits(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_event event = switched_in_the_background(client, queue);
  rqx_upgrade *upgrade = taken(&event);
  done(&event);
  expect(upgrade, "hello");
  CHECK_CODE(RQX_OK, rqx_upgrade_submit_read(upgrade, 2, 0, NULL));
  rqx_upgrade_close(upgrade);
  event = next(queue);
  CHECK_CODE(RQX_E_CLOSED, event.code);
  done(&event);
  size_t n = 0;
  CHECK_CODE(RQX_E_CLOSED, rqx_upgrade_read(upgrade, room, sizeof room, &n, NULL));
  CHECK_CODE(RQX_E_CLOSED, rqx_upgrade_write(upgrade, BYTES("x"), &n, NULL));
  CHECK_CODE(RQX_E_CLOSED, rqx_upgrade_shutdown(upgrade, NULL));
  rqx_upgrade_free(upgrade);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void it_counts_as_a_connection_until_it_is_closed(void) {
  rqx_client *client = new_client();
  rqx_event event;
  rqx_stats stats = {.struct_size = sizeof stats};
  CHECK_CODE(RQX_OK, switched(client, NULL, http_url, &event));
  rqx_upgrade *upgrade = taken(&event);
  CHECK_CODE(RQX_OK, rqx_client_close_idle(client));
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.open_connections == 1 && stats.idle_connections == 0 && stats.in_flight == 0);
  rqx_upgrade_close(upgrade);
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.open_connections == 0);
  rqx_upgrade_free(upgrade);
  done(&event);
  CHECK_CODE(RQX_OK, switched(client, NULL, http_url, &event));
  done(&event); /* nobody has taken it */
  CHECK_CODE(RQX_OK, rqx_client_stats(client, &stats));
  CHECK(stats.open_connections == 0);
  rqx_client_free(client);
}

static void a_refusal_is_an_ordinary_answer(void) {
  rqx_client *client = new_client();
  rqx_upgrade *upgrade = NULL;
  rqx_exchange *pending = NULL;
  rqx_event event;
  head_for(http_url, "Connection\nUpgrade\nUpgrade\nother");
  int32_t code = rqx_send(client, NULL, TEXT(head), 2, NULL, 0, NULL, 0, &pending, &event);
  CHECK_CODE(RQX_OK, finish(code, &pending, &event));
  CHECK(event.status == 426 && is(event.body, "say echo") && !(event.flags & RQX_EVF_UPGRADED));
  CHECK_CODE(RQX_E_STATE, rqx_upgrade_new(event.response, &upgrade, NULL));
  CHECK(upgrade == NULL);
  done(&event);
  rqx_client_free(client);
}

static void misuse_is_told(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  rqx_event event;
  size_t n = 0;
  rqx_upgrade *upgrade = NULL;
  CHECK_CODE(RQX_OK, switched(client, NULL, http_url, &event));
  CHECK_CODE(RQX_E_NULL, rqx_upgrade_new(event.response, NULL, NULL));
  CHECK_CODE(RQX_E_HANDLE, rqx_upgrade_new((rqx_response *)client, &upgrade, NULL));
  upgrade = taken(&event);
  rqx_upgrade *again = NULL;
  CHECK_CODE(RQX_E_STATE, rqx_upgrade_new(event.response, &again, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_upgrade_read(upgrade, NULL, 10, &n, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_upgrade_read(upgrade, room, 0, &n, NULL));
  CHECK_CODE(RQX_E_NULL, rqx_upgrade_write(upgrade, NULL, 10, &n, NULL));
  CHECK_CODE(RQX_OK, rqx_upgrade_write(upgrade, NULL, 0, &n, NULL));
  CHECK_CODE(RQX_E_STATE, rqx_upgrade_submit_read(upgrade, 1, 0, NULL)); /* it began with rqx_send */
  CHECK_CODE(RQX_E_STATE, rqx_upgrade_submit_write(upgrade, 1, BYTES("x"), NULL));
  CHECK_CODE(RQX_E_HANDLE, rqx_upgrade_read((rqx_upgrade *)event.response, room, 10, &n, NULL));
  rqx_upgrade_free(upgrade);
  CHECK_CODE(RQX_E_HANDLE, rqx_upgrade_write(upgrade, BYTES("x"), &n, NULL));
  rqx_upgrade_close(upgrade);
  rqx_upgrade_free(upgrade);
  rqx_upgrade_close(NULL);
  rqx_upgrade_free(NULL);
  done(&event);
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void *send_much(void *upgrade) {
  static uint8_t block[1000000];
  for (int n = 0; n < 8; n++) write_all(upgrade, block, sizeof block);
  shut(upgrade);
  return NULL;
}

static void one_thread_may_write_while_another_reads(void) {
  rqx_client *client = new_client();
  rqx_event event;
  pthread_t writer;
  CHECK_CODE(RQX_OK, switched(client, NULL, http_url, &event));
  rqx_upgrade *upgrade = taken(&event);
  CHECK(pthread_create(&writer, NULL, send_much, upgrade) == 0);
  size_t total = 0, n = 1;
  while (n != 0) total += n = read_some(upgrade, sizeof room);
  CHECK(total == strlen("hello") + 8000000 + strlen("end"));
  CHECK(pthread_join(writer, NULL) == 0);
  rqx_upgrade_free(upgrade);
  done(&event);
  rqx_client_free(client);
}

static void the_limits_on_reading_hold(void) {
  rqx_options *options = new_options();
  rqx_client *client = new_client();
  rqx_event event;
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_READ_TIMEOUT_NS, 120000000, NULL));
  CHECK_CODE(RQX_OK, switched(client, options, http_url, &event));
  rqx_upgrade *upgrade = taken(&event);
  expect(upgrade, "hello");
  size_t n = 0, slices = 0;
  int32_t code = RQX_PENDING;
  for (; code == RQX_PENDING; slices++) code = rqx_upgrade_read(upgrade, room, sizeof room, &n, NULL);
  CHECK_CODE(RQX_E_TIMEOUT, code);
  CHECK(slices > 1);
  write_all(upgrade, BYTES("still there"));
  expect(upgrade, "still there");
  rqx_upgrade_free(upgrade);
  done(&event);
  rqx_client_free(client);
  rqx_options_free(options);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  bytes_go_both_ways();
  tls_and_tunnels_make_no_difference();
  the_background_reads_and_writes();
  what_there_is_room_for_is_sent_at_once();
  a_read_that_is_cancelled_loses_nothing();
  closing_ends_what_waits();
  it_counts_as_a_connection_until_it_is_closed();
  a_refusal_is_an_ordinary_answer();
  misuse_is_told();
  one_thread_may_write_while_another_reads();
  the_limits_on_reading_hold();
  return 0;
}
