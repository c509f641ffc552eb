#pragma once
#include "CLuaGuard.h"
#include <string.h>

extern _Thread_local clg_watch *clg_thread_watch;

// The extra space of a coroutine holds its state's address; the lowest bit says that it must not be resumed by a script: it
// waits in the host, or has a descendant that does, or is a run's own, which the host alone resumes.
static inline uintptr_t *clg_extra(lua_State *L) { return (uintptr_t *)lua_getextraspace(L); }
static inline clg_state *clg_state_inline(lua_State *L) { return (clg_state *)(*clg_extra(L) & ~(uintptr_t)1); }
static inline int clg_is_busy(lua_State *L) { return (int)(*clg_extra(L) & 1); }
static inline void clg_set_busy(lua_State *L) { *clg_extra(L) |= 1; }
static inline void clg_clear_busy(lua_State *L) { *clg_extra(L) &= ~(uintptr_t)1; }

static inline clg_run *clg_current_run(void) {
  clg_watch *watch = clg_thread_watch;
  return watch ? watch->run : NULL;
}

void clg_settle(lua_State *L, clg_memory *memory); // raises if the state is over its limit
int clg_no_memory(lua_State *L);                   // raises LUA_ERRMEM
void clg_arm(lua_State *L);
int clg_call_swift(lua_State *L);                  // upvalues: function, context, what it waits for if it does
int clg_raise_kill(lua_State *L);
void clg_kill(clg_watch *watch, lua_State *L, int end); // the running run has reached a limit, at this Lua line
int clg_note_place(clg_watch *watch, lua_State *L);
int clg_rethrow(lua_State *L);                     // goes on ending a killed run
void clg_open_protected_calls(lua_State *L);       // with the base library's table on top: pcall, xpcall
void clg_push_coroutines(lua_State *L);            // the guarded library
int clg_wait(lua_State *L, int op, int operand, int kept);
int clg_ends_at_once(const clg_run *run);

// ---------------------------------------------------------------------------------------------- loops in C
enum { CLG_POLL_STEPS = 16384 };                   // of a matcher, about 50 microseconds
int clg_poll(lua_State *L);                        // raises when the run is to be ended; true: give way, if that is possible
int clg_give_way(lua_State *L, lua_KContext context, lua_KFunction go_on); // `return` it: the slice is over, `go_on` goes on
// What no count tells: a function called for an element, or a long text compared, may take any time. A loop of such things
// asks after each of them; it costs no look at the clock. Where slices are counted, clg_poll alone knows.
static inline int clg_slice_is_over(void) {
  clg_watch *watch = clg_thread_watch;
  return watch && atomic_load_explicit(&watch->wanted, memory_order_relaxed) ==
                    atomic_load_explicit(&watch->sequence, memory_order_relaxed);
}
size_t clg_string_limit(lua_State *L);
int clg_too_long(lua_State *L);                      // raises: a string would have more bytes than one may
void clg_refuse_longer(lua_State *L, size_t length); // the same, if it would

enum { CLG_READ = 1, CLG_WRITE = 2, CLG_LENGTH = 4 };
void clg_check_table(lua_State *L, int index, int needs);
int clg_may_call(lua_State *L, int index); // whether it has a metatable: an element of it may take any time
void clg_check_span(lua_State *L, int index, lua_Integer first, lua_Integer last);

int clg_read_numeral(lua_State *L, int index);     // a long text that is a number becomes it; whether it was long

// Each with its library's table on top.
void clg_read_numerals(lua_State *L, const char *name); // before that function runs, which takes many numbers
void clg_open_matching(lua_State *L);
void clg_open_strings(lua_State *L);
void clg_open_tables(lua_State *L);
void clg_open_extremes(lua_State *L);              // math.max, math.min
int clg_table_sort(lua_State *L);
