/* Names that take long: the system's resolver blocks for as long as it likes, and here it does. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

#include "check.h"

#define SLOW 40

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asked, released, counted;
static const char *found_at = "127.0.0.1";

/* In the place of the system's, which the library finds by its name. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  if (strncmp(name, "slow", 4) == 0) {
    pthread_mutex_lock(&lock);
    asked++;
    pthread_cond_broadcast(&changed);
    while (!released) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return EAI_NONAME;
  }
  if (strcmp(name, "counted.test") == 0) {
    counted++;
    name = found_at;
  }
  int (*systems)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&systems = dlsym(RTLD_NEXT, "getaddrinfo");
  return systems(name, service, hints, found);
}

static void names_that_take_long_hold_up_no_other(void) {
  int before = asked;
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  char url[128];
  for (uint64_t token = 0; token < SLOW; token++) {
    snprintf(url, sizeof url, "http://slow-%u.test/", (unsigned)token);
    CHECK_CODE(RQX_OK, submit(client, queue, token, url, 0));
  }
  pthread_mutex_lock(&lock);
  while (asked < before + SLOW) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);

  rqx_event event;
  snprintf(url, sizeof url, "http://localhost:%s/get", strrchr(http_url, ':') + 1);
  CHECK_CODE(RQX_OK, get(client, url, &event));
  done(&event);

  pthread_mutex_lock(&lock);
  released = 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  for (int n = 0; n < SLOW; n++) {
    event = next(queue);
    CHECK(event.code == RQX_E_DNS);
    done(&event);
  }
  rqx_queue_free(queue);
  rqx_client_free(client);
}

static void looking_up_has_a_limit(void) {
  const int32_t limits[] = {RQX_OPT_RESOLVE_TIMEOUT_NS, RQX_OPT_ESTABLISH_TIMEOUT_NS, RQX_OPT_TOTAL_TIMEOUT_NS};
  rqx_client *client = new_client();
  for (size_t n = 0; n < sizeof limits / sizeof *limits; n++) {
    rqx_event event;
    rqx_options *options = new_options();
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_TOTAL_TIMEOUT_NS, INT64_C(8000000000), NULL));
    CHECK_CODE(RQX_OK, rqx_options_set_int(options, limits[n], INT64_C(100000000), NULL));
    CHECK_CODE(RQX_E_TIMEOUT, ask(client, options, "GET", "http://slow.test/", NULL, 0, &event));
    rqx_error_view view = {.struct_size = sizeof view};
    CHECK_CODE(RQX_OK, rqx_error_read(event.error, &view));
    CHECK(view.phase == RQX_PHASE_RESOLVE && holds(view.message, "slow.test"));
    CHECK(holds(view.message, "total time limit") == (limits[n] == RQX_OPT_TOTAL_TIMEOUT_NS));
    done(&event);
    rqx_options_free(options);
  }
  rqx_client_free(client);
}

/* How often the system was asked in two requests, each on a connection of its own. */
static int questions(rqx_options *options, int32_t first, int32_t second) {
  char url[128];
  rqx_client *client = new_client();
  rqx_event event;
  int before = counted;
  snprintf(url, sizeof url, "http://counted.test:%s/get", strrchr(http_url, ':') + 1);
  CHECK_CODE(first, ask(client, options, "GET", url, NULL, 0, &event));
  done(&event);
  found_at = "127.0.0.1";
  CHECK_CODE(RQX_OK, rqx_client_close_idle(client));
  CHECK_CODE(second, ask(client, options, "GET", url, NULL, 0, &event));
  done(&event);
  rqx_client_free(client);
  return counted - before;
}

static void what_was_found_is_kept_for_a_time(void) {
  rqx_options *options = new_options();
  found_at = "127.0.0.3"; /* where nobody listens: it is not kept */
  CHECK(questions(NULL, RQX_E_REFUSED, RQX_OK) == 2);
  CHECK(questions(NULL, RQX_OK, RQX_OK) == 0); /* for the process, and a minute */
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_DNS_CACHE_NS, 1, NULL));
  CHECK(questions(options, RQX_OK, RQX_OK) == 2);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_DNS_CACHE_NS, 0, NULL));
  CHECK(questions(options, RQX_OK, RQX_OK) == 2);
  CHECK_CODE(RQX_OK, rqx_options_set_int(options, RQX_OPT_DNS_CACHE_NS, INT64_C(3600000000000), NULL));
  CHECK(questions(options, RQX_OK, RQX_OK) == 0);
  rqx_options_free(options);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  looking_up_has_a_limit();
  what_was_found_is_kept_for_a_time();
  names_that_take_long_hold_up_no_other();
  return 0;
}
