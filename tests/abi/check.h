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

/* Set by main: the everyday http server, the https one, and the CA that signed its certificate. */
static const char *http_url = "";
static const char *https_url = "";
static const char *ca_file = "";

static inline void begin(int argc, char **argv) {
  http_url = argc > 1 ? argv[1] : "";
  https_url = argc > 2 ? argv[2] : "";
  ca_file = argc > 3 ? argv[3] : "";
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

static inline rqx_client *new_client(void) {
  rqx_client *client = NULL;
  CHECK_CODE(RQX_OK, rqx_client_new(NULL, &client, NULL));
  return client;
}

#endif
