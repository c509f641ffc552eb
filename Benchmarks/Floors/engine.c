// A model by ONNX Runtime's C API: the same session options as ours, the inputs made once, nothing around the call.
// The library is opened at run time, and its functions are taken from their places in the API's table.
#include "clock.h"
#include "floors.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { API = 12, INPUTS = 4, FATAL = 4, ARENA = 1 };

typedef struct base {
  void *const *(*get_api)(uint32_t version);
} base;

struct floor_engine {
  void *const *api;
  void *environment, *memory, *session;
  const char *output;
  char *names[INPUTS];
  void *values[INPUTS];
  size_t count;
};

#define CALL(engine, place, types, ...) is_success(engine, ((void *(*)types)(engine)->api[place])(__VA_ARGS__))

static int is_success(floor_engine *engine, void *status) {
  if (!status) return 1;
  fprintf(stderr, "floor: %s\n", ((const char *(*)(void *))engine->api[2])(status));
  ((void (*)(void *))engine->api[93])(status);
  return 0;
}

static void release(floor_engine *engine, int place, void *object) {
  if (object) ((void (*)(void *))engine->api[place])(object);
}

static int open_session(floor_engine *engine, const char *model) {
  void *options = NULL;
  if (!CALL(engine, 10, (void **), &options)) return 0;
  int done = CALL(engine, 22, (void *, int), options, FATAL) && CALL(engine, 24, (void *, int), options, 1)
      && CALL(engine, 25, (void *, int), options, 1)
      && CALL(engine, 130, (void *, const char *, const char *), options, "session.intra_op.allow_spinning", "0")
      && CALL(engine, 130, (void *, const char *, const char *), options, "session.inter_op.allow_spinning", "0")
      && CALL(engine, 7, (void *, const char *, void *, void **), engine->environment, model, options, &engine->session);
  release(engine, 100, options);
  return done;
}

floor_engine *floor_open_engine(const char *library, const char *model, const char *output) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  const base *(*get_base)(void) = handle ? (const base *(*)(void))dlsym(handle, "OrtGetApiBase") : NULL;
  if (!get_base) return NULL;
  floor_engine *engine = calloc(1, sizeof *engine);
  if (!engine) return NULL;
  engine->api = get_base()->get_api(API);
  engine->output = output;
  if (engine->api && CALL(engine, 3, (int, const char *, void **), FATAL, "floor", &engine->environment)
      && CALL(engine, 69, (int, int, void **), ARENA, 0, &engine->memory) && open_session(engine, model))
    return engine;
  floor_close_engine(engine);
  return NULL;
}

int floor_add_input(
    floor_engine *engine, const char *name, int element, const int64_t *shape, size_t rank, const void *data, size_t bytes) {
  if (engine->count == INPUTS) return 0;
  char *copy = strdup(name);
  void *memory = malloc(bytes), *value = NULL;
  if (!copy || !memory) return 0;
  memcpy(memory, data, bytes);
  if (!CALL(engine, 49, (void *, void *, size_t, const int64_t *, size_t, int, void **), engine->memory, memory, bytes, shape, rank, element, &value))
    return 0;
  engine->names[engine->count] = copy;
  engine->values[engine->count++] = value;
  return 1;
}

double floor_run_engine(floor_engine *engine, int calls, float *first) {
  double start = nanoseconds_now();
  for (int call = 0; call < calls; call++) {
    void *result = NULL, *data = NULL;
    if (!CALL(engine, 9, (void *, void *, char *const *, void *const *, size_t, const char *const *, size_t, void **), engine->session, NULL,
            engine->names, engine->values, engine->count, &engine->output, 1, &result)
        || !CALL(engine, 51, (void *, void **), result, &data))
      return -1;
    *first = *(float *)data;
    release(engine, 96, result);
  }
  return (nanoseconds_now() - start) / calls;
}

void floor_close_engine(floor_engine *engine) {
  for (size_t input = 0; input < engine->count; input++) {
    void *data = NULL;
    if (CALL(engine, 51, (void *, void **), engine->values[input], &data)) free(data);
    release(engine, 96, engine->values[input]);
    free(engine->names[input]);
  }
  release(engine, 95, engine->session);
  release(engine, 94, engine->memory);
  release(engine, 92, engine->environment);
  free(engine);
}
