// What plain C takes for the work of a benchmark: no checks, no limits, no waiting, tables made at their final size.
// Each runs its work so many times and returns the nanoseconds of one, without its set-up.
#pragma once
#include <stddef.h>
#include <stdint.h>

double floor_call(int calls);                    // a record to another state, a string back
double floor_fan_out(int width, int rounds);     // `width` such calls in flight at once; of one call
double floor_empty_function(int calls);          // Lua calls an empty C function with an integer
double floor_copy_string(const char *text, int calls); // 1 MB, `text` again and again, to another state and back
double floor_copy_list(int records, int calls);  // a list of records to another state and back

// Opens a sandboxed state for each of the files and runs it there from source; milliseconds for all of them, or less
// than 0 when one does not run. The states live until `floor_close_states`.
double floor_open_states(const char *const *files, int count);
void floor_close_states(void);

// A chunk of Lua in a plain state with Lua's own libraries; nanoseconds, or less than 0 when it fails.
double floor_plain(const char *chunk);

// A model that ONNX Runtime runs, opened from `library`; NULL when it cannot be. `element` is ONNX's number of a type. The
// run gives the nanoseconds of one call, and the first element of the output; or less than 0 when a call fails.
typedef struct floor_engine floor_engine;
floor_engine *floor_open_engine(const char *library, const char *model, const char *output);
int floor_add_input(
    floor_engine *engine, const char *name, int element, const int64_t *shape, size_t rank, const void *data, size_t bytes);
double floor_run_engine(floor_engine *engine, int calls, float *first);
void floor_close_engine(floor_engine *engine);
