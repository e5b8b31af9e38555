/* What the C tests share: CHECK, and the loops that a host writes once around RQX_PENDING. */
#ifndef CHECK_H
#define CHECK_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requestx.h"

#define CHECK(condition)                                                                        \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #condition);             \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

#define CHECK_CODE(expected, call)                                                              \
  do {                                                                                          \
    int32_t code_ = (call);                                                                     \
    if (code_ != (expected)) {                                                                  \
      fprintf(stderr, "%s:%d: %s: %s: expected %s, got %s\n", __FILE__, __LINE__, __func__,     \
              #call, rqx_code_name(expected), rqx_code_name(code_));                            \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)
#define TEXT(text) ((const uint8_t *)(text)), strlen(text)

/* Set by main: the everyday http server, the https one, the CA that signed its certificate, an http proxy that asks
   for the user "ann" and the password "p:w@x", an https server that speaks HTTP/2, an https proxy for everybody, and
   the CA that signed its certificate, which is another. */
static const char *http_url = "";
static const char *https_url = "";
static const char *ca_file = "";
static const char *proxy_url = "";
static const char *http2_url = "";
static const char *https_proxy_url = "";
static const char *proxy_ca_file = "";

static inline void begin(int argc, char **argv) {
  http_url = argc > 1 ? argv[1] : "";
  https_url = argc > 2 ? argv[2] : "";
  ca_file = argc > 3 ? argv[3] : "";
  proxy_url = argc > 4 ? argv[4] : "";
  http2_url = argc > 5 ? argv[5] : "";
  https_proxy_url = argc > 6 ? argv[6] : "";
  proxy_ca_file = argc > 7 ? argv[7] : "";
}

static inline int is(rqx_slice slice, const char *text) {
  return slice.len == strlen(text) && memcmp(slice.ptr, text, slice.len) == 0;
}

static inline int holds(rqx_slice slice, const char *text) {
  return memmem(slice.ptr, slice.len, text, strlen(text)) != NULL;
}

/* An address under a base: in a buffer of the caller's, as all texts here are short. */
static inline const char *under(char *buffer, size_t size, const char *base, const char *path) {
  CHECK((size_t)snprintf(buffer, size, "%s%s", base, path) < size);
  return buffer;
}

/* The loop around a blocking exchange; whatever comes, the exchange is freed. */
static inline int32_t finish(int32_t code, rqx_exchange **pending, rqx_event *event) {
  while (code == RQX_PENDING) code = rqx_exchange_resume(*pending, event);
  rqx_exchange_free(*pending);
  *pending = NULL;
  return code;
}

/* Sends "METHOD\nURL" with a body, waits, and gives the code. */
static inline int32_t ask(rqx_client *client, const rqx_options *options, const char *method, const char *url,
                          const char *body, uint32_t flags, rqx_event *event) {
  char head[2048];
  rqx_exchange *pending = NULL;
  int length = snprintf(head, sizeof head, "%s\n%s", method, url);
  CHECK(length > 0 && (size_t)length < sizeof head);
  memset(event, 0, sizeof *event);
  return finish(rqx_send(client, options, (const uint8_t *)head, (size_t)length, 0, (const uint8_t *)body,
                         body ? strlen(body) : 0, NULL, flags, &pending, event),
                &pending, event);
}

static inline int32_t get(rqx_client *client, const char *url, rqx_event *event) {
  return ask(client, NULL, "GET", url, NULL, 0, event);
}

/* Frees what an event brought. */
static inline void done(rqx_event *event) {
  rqx_response_free(event->response);
  rqx_error_free(event->error);
  event->response = NULL;
  event->error = NULL;
}

/* Begins "GET url" in the background. */
static inline int32_t submit(rqx_client *client, rqx_queue *queue, uint64_t token, const char *url, uint32_t flags) {
  char head[1024];
  int length = snprintf(head, sizeof head, "GET\n%s", url);
  CHECK(length > 0 && (size_t)length < sizeof head);
  return rqx_submit(client, queue, token, NULL, (const uint8_t *)head, (size_t)length, 0, NULL, 0, NULL, flags, NULL);
}

/* The next event of a queue, within ten seconds. */
static inline rqx_event next(rqx_queue *queue) {
  rqx_event event;
  size_t n = 0;
  CHECK_CODE(RQX_OK, rqx_queue_wait(queue, &event, 1, 10000000000, &n, NULL));
  CHECK(n == 1);
  return event;
}

static inline rqx_queue *new_queue(void) {
  rqx_queue *queue = NULL;
  CHECK_CODE(RQX_OK, rqx_queue_new(&queue, NULL));
  return queue;
}

static inline rqx_options *new_options(void) {
  rqx_options *options = NULL;
  CHECK_CODE(RQX_OK, rqx_options_new(&options));
  return options;
}

static inline rqx_client *new_client(void) {
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_client_new(NULL, &client, NULL));
  return client;
}

#endif
