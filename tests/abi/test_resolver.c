/* Names that take long: the system's resolver blocks for as long as it likes, and here it does. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

#include "check.h"

#define SLOW 40

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asked, released;

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
  int (*systems)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&systems = dlsym(RTLD_NEXT, "getaddrinfo");
  return systems(name, service, hints, found);
}

static void names_that_take_long_hold_up_no_other(void) {
  rqx_client *client = new_client();
  rqx_queue *queue = new_queue();
  char url[128];
  for (uint64_t token = 0; token < SLOW; token++) {
    snprintf(url, sizeof url, "http://slow-%u.test/", (unsigned)token);
    CHECK_CODE(RQX_OK, submit(client, queue, token, url, 0));
  }
  pthread_mutex_lock(&lock);
  while (asked < SLOW) pthread_cond_wait(&changed, &lock);
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

int main(int argc, char **argv) {
  begin(argc, argv);
  names_that_take_long_hold_up_no_other();
  return 0;
}
