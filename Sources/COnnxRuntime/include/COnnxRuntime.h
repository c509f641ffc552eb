#pragma once
// The part of ONNX Runtime's C API that we use, by the places of its functions in the table, which is only ever appended
// to. The library is opened at run time: nothing here is linked. API version 12 is asked for, so releases from 1.12 on serve.
#include <stddef.h>
#include <stdint.h>

enum { CORT_API_VERSION = 12 };

typedef struct cort_status cort_status;             // NULL is success
typedef struct cort_env cort_env;
typedef struct cort_session cort_session;
typedef struct cort_session_options cort_session_options;
typedef struct cort_run_options cort_run_options;
typedef struct cort_value cort_value;
typedef struct cort_memory_info cort_memory_info;
typedef struct cort_type_info cort_type_info;
typedef struct cort_shape cort_shape;               // element type and shape of a tensor
typedef struct cort_allocator cort_allocator;
typedef struct cort_metadata cort_metadata;

typedef struct cort_api { void *functions[217]; } cort_api;

// An opened library.
typedef struct cort_library {
  const cort_api *api;
  const char *version;
  void *handle;
} cort_library;

// Opens a library by path or name; false, and a text in `message`, when it cannot be used.
int cort_open(const char *path, cort_library *library, char *message, size_t size);

// ONNXTensorElementDataType
enum cort_element {
  CORT_UNDEFINED, CORT_FLOAT32, CORT_UINT8, CORT_INT8, CORT_UINT16, CORT_INT16, CORT_INT32, CORT_INT64, CORT_STRING, CORT_BOOL,
  CORT_FLOAT16, CORT_FLOAT64, CORT_UINT32, CORT_UINT64
};
enum { CORT_ONNX_TENSOR = 1 };                      // ONNXType
enum { CORT_ARENA = 1, CORT_MEMORY_DEFAULT = 0 };   // OrtAllocatorType, OrtMemType
enum { CORT_LOG_FATAL = 4 };                        // OrtLoggingLevel: every error is a status, too

// One function for each place in the table. CORT(name, place, parameters, arguments)
#define CORT(name, place, parameters, ...) \
  static inline cort_status *cort_##name parameters { \
    typedef cort_status *(*function) parameters_of_##name; \
    return ((function)api->functions[place])(__VA_ARGS__); \
  }
#define CORT_RELEASE(type, place) \
  static inline void cort_release_##type(const cort_api *api, cort_##type *object) { \
    if (object) ((void (*)(cort_##type *))api->functions[place])(object); \
  }

static inline const char *cort_message(const cort_api *api, const cort_status *status) {
  return ((const char *(*)(const cort_status *))api->functions[2])(status);
}
static inline int cort_code(const cort_api *api, const cort_status *status) {
  return ((int (*)(const cort_status *))api->functions[1])(status);
}

#define parameters_of_create_env (int, const char *, cort_env **)
CORT(create_env, 3, (const cort_api *api, int level, const char *name, cort_env **env), level, name, env)
#define parameters_of_create_session (const cort_env *, const char *, const cort_session_options *, cort_session **)
CORT(create_session, 7, (const cort_api *api, const cort_env *env, const char *path, const cort_session_options *options, cort_session **session), env, path, options, session)
#define parameters_of_run (cort_session *, const cort_run_options *, const char *const *, const cort_value *const *, size_t, const char *const *, size_t, cort_value **)
CORT(run, 9, (const cort_api *api, cort_session *session, const cort_run_options *options, const char *const *input_names, const cort_value *const *inputs, size_t input_count, const char *const *output_names, size_t output_count, cort_value **outputs), session, options, input_names, inputs, input_count, output_names, output_count, outputs)
#define parameters_of_create_session_options (cort_session_options **)
CORT(create_session_options, 10, (const cort_api *api, cort_session_options **options), options)
#define parameters_of_set_log_severity (cort_session_options *, int)
CORT(set_log_severity, 22, (const cort_api *api, cort_session_options *options, int level), options, level)
#define parameters_of_set_intra_threads (cort_session_options *, int)
CORT(set_intra_threads, 24, (const cort_api *api, cort_session_options *options, int threads), options, threads)
#define parameters_of_set_inter_threads (cort_session_options *, int)
CORT(set_inter_threads, 25, (const cort_api *api, cort_session_options *options, int threads), options, threads)
#define parameters_of_input_count (const cort_session *, size_t *)
CORT(input_count, 30, (const cort_api *api, const cort_session *session, size_t *count), session, count)
#define parameters_of_output_count (const cort_session *, size_t *)
CORT(output_count, 31, (const cort_api *api, const cort_session *session, size_t *count), session, count)
#define parameters_of_input_type (const cort_session *, size_t, cort_type_info **)
CORT(input_type, 33, (const cort_api *api, const cort_session *session, size_t index, cort_type_info **type), session, index, type)
#define parameters_of_output_type (const cort_session *, size_t, cort_type_info **)
CORT(output_type, 34, (const cort_api *api, const cort_session *session, size_t index, cort_type_info **type), session, index, type)
#define parameters_of_input_name (const cort_session *, size_t, cort_allocator *, char **)
CORT(input_name, 36, (const cort_api *api, const cort_session *session, size_t index, cort_allocator *allocator, char **name), session, index, allocator, name)
#define parameters_of_output_name (const cort_session *, size_t, cort_allocator *, char **)
CORT(output_name, 37, (const cort_api *api, const cort_session *session, size_t index, cort_allocator *allocator, char **name), session, index, allocator, name)
#define parameters_of_create_run_options (cort_run_options **)
CORT(create_run_options, 39, (const cort_api *api, cort_run_options **options), options)
#define parameters_of_terminate (cort_run_options *)
CORT(terminate, 46, (const cort_api *api, cort_run_options *options), options)
#define parameters_of_create_tensor_over (const cort_memory_info *, void *, size_t, const int64_t *, size_t, int, cort_value **)
CORT(create_tensor_over, 49, (const cort_api *api, const cort_memory_info *info, void *data, size_t bytes, const int64_t *shape, size_t rank, int element, cort_value **value), info, data, bytes, shape, rank, element, value)
#define parameters_of_is_tensor (const cort_value *, int *)
CORT(is_tensor, 50, (const cort_api *api, const cort_value *value, int *is_tensor), value, is_tensor)
#define parameters_of_tensor_data (cort_value *, void **)
CORT(tensor_data, 51, (const cort_api *api, cort_value *value, void **data), value, data)
#define parameters_of_as_tensor_type (const cort_type_info *, const cort_shape **)
CORT(as_tensor_type, 55, (const cort_api *api, const cort_type_info *type, const cort_shape **shape), type, shape)
#define parameters_of_element_type (const cort_shape *, int *)
CORT(element_type, 60, (const cort_api *api, const cort_shape *shape, int *element), shape, element)
#define parameters_of_rank (const cort_shape *, size_t *)
CORT(rank, 61, (const cort_api *api, const cort_shape *shape, size_t *rank), shape, rank)
#define parameters_of_dimensions (const cort_shape *, int64_t *, size_t)
CORT(dimensions, 62, (const cort_api *api, const cort_shape *shape, int64_t *dimensions, size_t count), shape, dimensions, count)
#define parameters_of_dimension_names (const cort_shape *, const char **, size_t)
CORT(dimension_names, 63, (const cort_api *api, const cort_shape *shape, const char **names, size_t count), shape, names, count)
#define parameters_of_shape_of (const cort_value *, cort_shape **)
CORT(shape_of, 65, (const cort_api *api, const cort_value *value, cort_shape **shape), value, shape)
#define parameters_of_cpu_memory (int, int, cort_memory_info **)
CORT(cpu_memory, 69, (const cort_api *api, int allocator, int kind, cort_memory_info **info), allocator, kind, info)
#define parameters_of_free (cort_allocator *, void *)
CORT(free, 76, (const cort_api *api, cort_allocator *allocator, void *memory), allocator, memory)
#define parameters_of_default_allocator (cort_allocator **)
CORT(default_allocator, 78, (const cort_api *api, cort_allocator **allocator), allocator)
#define parameters_of_model_metadata (const cort_session *, cort_metadata **)
CORT(model_metadata, 111, (const cort_api *api, const cort_session *session, cort_metadata **metadata), session, metadata)
#define parameters_of_producer (const cort_metadata *, cort_allocator *, char **)
CORT(producer, 112, (const cort_api *api, const cort_metadata *metadata, cort_allocator *allocator, char **text), metadata, allocator, text)
#define parameters_of_graph_name (const cort_metadata *, cort_allocator *, char **)
CORT(graph_name, 113, (const cort_api *api, const cort_metadata *metadata, cort_allocator *allocator, char **text), metadata, allocator, text)
#define parameters_of_metadata_value (const cort_metadata *, cort_allocator *, const char *, char **)
CORT(metadata_value, 116, (const cort_api *api, const cort_metadata *metadata, cort_allocator *allocator, const char *key, char **text), metadata, allocator, key, text)
#define parameters_of_metadata_keys (const cort_metadata *, cort_allocator *, char ***, int64_t *)
CORT(metadata_keys, 123, (const cort_api *api, const cort_metadata *metadata, cort_allocator *allocator, char ***keys, int64_t *count), metadata, allocator, keys, count)
#define parameters_of_available_providers (char ***, int *)
CORT(available_providers, 125, (const cort_api *api, char ***names, int *count), names, count)
#define parameters_of_release_providers (char **, int)
CORT(release_providers, 126, (const cort_api *api, char **names, int count), names, count)
#define parameters_of_config (cort_session_options *, const char *, const char *)
CORT(config, 130, (const cort_api *api, cort_session_options *options, const char *key, const char *value), options, key, value)
#define parameters_of_append_provider (cort_session_options *, const char *, const char *const *, const char *const *, size_t)
CORT(append_provider, 216, (const cort_api *api, cort_session_options *options, const char *name, const char *const *keys, const char *const *values, size_t count), options, name, keys, values, count)
#define parameters_of_create_cuda_options (void **)
CORT(create_cuda_options, 205, (const cort_api *api, void **cuda), cuda)
#define parameters_of_append_cuda (cort_session_options *, const void *)
CORT(append_cuda, 204, (const cort_api *api, cort_session_options *options, const void *cuda), options, cuda)

CORT_RELEASE(env, 92)
CORT_RELEASE(status, 93)
CORT_RELEASE(memory_info, 94)
CORT_RELEASE(session, 95)
CORT_RELEASE(value, 96)
CORT_RELEASE(run_options, 97)
CORT_RELEASE(type_info, 98)
CORT_RELEASE(shape, 99)
CORT_RELEASE(session_options, 100)
CORT_RELEASE(metadata, 118)
static inline void cort_release_cuda_options(const cort_api *api, void *cuda) {
  if (cuda) ((void (*)(void *))api->functions[208])(cuda);
}
