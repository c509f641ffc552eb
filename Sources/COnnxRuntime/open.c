#include "COnnxRuntime.h"
#include <dlfcn.h>
#include <stdio.h>

typedef struct cort_base {
  const cort_api *(*get_api)(uint32_t version);
  const char *(*version)(void);
} cort_base;

int cort_open(const char *path, cort_library *library, char *message, size_t size) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *why = dlerror();
    snprintf(message, size, "%s", why ? why : "it cannot be opened");
    return 0;
  }
  const cort_base *(*get_base)(void) = (const cort_base *(*)(void))dlsym(handle, "OrtGetApiBase");
  const cort_base *base = get_base ? get_base() : NULL;
  if (!base) {
    snprintf(message, size, "%s is no ONNX Runtime", path);
    return 0;
  }
  library->version = base->version();
  library->api = base->get_api(CORT_API_VERSION);
  library->handle = handle;
  if (!library->api) {
    snprintf(message, size, "%s is ONNX Runtime %s, which is too old: 1.12 or later is needed", path, library->version);
    return 0;
  }
  return 1;
}
