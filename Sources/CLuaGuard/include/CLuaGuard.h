// The C that raises Lua errors, yields and handles signals, so that Swift never has a frame on the stack when
// Lua jumps. The rules and the figures behind them are in docs/decisions/.
#pragma once
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "clg_number.h"
#include "clg_pattern.h"
#include "clg_userdata.h"
#include "clg_utf8.h"

// ---------------------------------------------------------------------------------------------- memory
// A state's account. While `host` is up (Swift frames are on the stack) the allocator never refuses but notes
// `over`; when Swift has been left, `clg_settle` collects and, if the state is still over, raises a true memory error.
typedef struct clg_memory {
  size_t used, limit, peak;
  size_t string_limit;                      // bytes of one string that Lua makes; 16 MB
  int long_string;                          // the last refusal was of a string longer than that
  int host, over;
  struct clg_arena *arena;                  // where small blocks come from first
  struct clg_threads *threads;              // the coroutines that scripts made and that are not collected yet
  struct clg_charges *charges;              // the memory outside of Lua that is part of `used`
  size_t foreign;                           // the bytes of that
  size_t foreign_new;                       // those that came since the collector last heard of them
  size_t whole_foreign, whole_used;         // both as they were when it had looked at everything because of them
} clg_memory;

// One Lua state. Its address is kept in the extra space of every coroutine of the state.
typedef struct clg_state {
  clg_memory memory;
  lua_State *main;
  void *owner;                              // the Swift object, unretained
  int loading;                              // true while a file is being evaluated: nothing with an effect is available
  uint64_t seed;                            // of math.random; 0: Lua's own choice
  int coroutine_limit;                      // of those that scripts make; 10,000
  struct {
    int depth;                              // in the tables that a native function takes
    long long values, bytes;                // what they may hold still
    long long copied;                       // bytes that they have copied of their arguments, since somebody looked
  } reading;
} clg_state;

clg_state *clg_open(size_t limit);          // NULL when there is no memory; no libraries
void clg_close(clg_state *state);
clg_state *clg_state_of(lua_State *L);
void clg_rest_collector(clg_state *state);
void clg_wake_collector(clg_state *state, size_t least);
size_t clg_coroutines(const clg_state *state); // that scripts made and that are not collected yet
// Bytes outside of Lua that no userdata stands for. Host sections only: the collector may have its turn.
void clg_charge_bytes(clg_state *state, size_t bytes);
void clg_discharge(clg_state *state, size_t bytes);
// The same for memory that userdata may stand for as well: counted once. 0: it could not be noted, and is not counted.
int clg_charge_shared(clg_state *state, const void *what, size_t bytes);
void clg_discharge_shared(clg_state *state, const void *what);
int clg_settle_protected(clg_state *state); // after a host section outside of Lua: 0, or LUA_ERRMEM

// ---------------------------------------------------------------------------------------------- runs
enum clg_why { CLG_NONE = 0, CLG_SLICE = 1, CLG_WAIT = 2 };
// How a run is being ended against its will. A hard end gives its `<close>` variables no more time.
enum clg_end {
  CLG_ALIVE = 0, CLG_CPU = 1, CLG_MEMORY = 2, CLG_TIMEOUT = 3, CLG_CANCELLED = 4, CLG_CANCELLED_HARD = 5,
  CLG_LOST = 6,                             // its lane was given up
  CLG_STRING = 7,                           // it made a string longer than one may be
};

// One run: a coroutine that the host resumes. Only the thread of its watch touches it.
typedef struct clg_run {
  struct clg_run *parent, *first_child;     // the tree of runs: who started whom
  struct clg_run *previous, *next;          // its siblings
  struct clg_run *listed;                   // the list that clg_mark_cancelled makes
  lua_State *coroutine;                     // its base coroutine
  lua_State *waiter;                        // the innermost coroutine that waits in the host, or NULL
  clg_state *state;
  uint64_t owner;                           // the request that it belongs to; 0: none
  uint64_t deadline;                        // monotonic ns; UINT64_MAX for none
  uint64_t cpu_left;                        // ns that it may still run
  uint64_t cpu_end;                         // monotonic ns; set for each slice
  int op, operand;                          // what it waits for
  int answers;                              // values on the waiter's stack that are the answer
  int failed;                               // the answer is an error, its value on top
  int cancel;                               // to be ended at its next hook or wait
  int exhausted;                            // nothing was left at the start of its slice: its first instruction ends it
  int slices;
  int spared;                               // simulation: count events that a cancelled run was let through
  volatile sig_atomic_t killed;             // enum clg_end
} clg_run;

void clg_link(clg_run *parent, clg_run *child);
void clg_unlink(clg_run *child);
void clg_charge(clg_run *run, uint64_t nanoseconds); // to the run and those above it in the same state
uint64_t clg_cpu_left(const clg_run *run);           // the least of theirs
// Marks a run and all below it as cancelled and lists those that were not yet, children before parents, by `listed`.
// In C because Swift 6.3's optimiser drops stores in loops that chase pointers.
clg_run *clg_mark_cancelled(clg_run *root);
int clg_run_ends(void);                              // the run on this thread is being ended from outside, or by a limit
clg_run *clg_mark_children_cancelled(clg_run *parent);

// What the watchdog watches: one for each thread that runs Lua (in a simulation: one for each lane).
// `current` is the whole contract with the signal handler.
typedef struct clg_watch {
  lua_State *volatile current;              // non-NULL only inside lua_resume, on this thread
  clg_run *volatile run;                    // the run whose slice this is; same life as `current`
  volatile sig_atomic_t why;                // enum clg_why: a yield is the host's, not the author's
  int blocked;                              // frames on the C stack that cannot be yielded through
  int op, operand;
  lua_State *waiter;
  _Atomic uint64_t sequence;                // odd: inside a slice. Written by the lane, read by the watchdog
  _Atomic uint64_t wanted;                  // the slice that the watchdog wants ended
  _Atomic uint64_t active;                  // in a turn: its number, odd; the watchdog must not sleep
  uint64_t turns;
  _Atomic uint64_t sent, answered;          // signals; what the handler had seen of `sent` when it last ended
  uint64_t seen, seen_at, sent_at, patience; // the watchdog's own
  // A thread that does not come back from C is given up. The watchdog must not follow pointers of a thread that runs:
  // the slice's own data lie here.
  _Atomic int lost;                         // it leaves when it comes back, and touches nothing
  _Atomic uint64_t slice_owner, slice_left; // the run's owner, and ns that it may still run
  _Atomic(clg_state *) slice_state;         // only its address: whose run it is
  uint64_t seen_turn, stuck, looked_at;     // the watchdog's own
  // Called by the watchdog with its mutex held; NULL: is never given up. `in_run`: in a slice, and not in the host's work.
  void (*on_lost)(void *context, int in_run, uint64_t owner, clg_state *state);
  void *lost_context;
  pthread_t thread;
  int attached;
  int instructions;                         // > 0: slices are counted (simulation), not timed
  uint64_t *clock;                          // a virtual clock, or NULL for the system's
  int64_t (*wall)(void *);                  // nanoseconds since 1970, for os.time and os.date
  void *wall_context;
  char killed_file[60];                     // where a run reached its limit, for its message
  int killed_line;
  clg_run *killed_run;                      // whose place that is; NULL when it is not known
  uint64_t signals, hooks, skipped;         // statistics
} clg_watch;

enum { CLG_INSTRUCTION_NS = 10 };            // virtual time that an instruction takes
uint64_t clg_now(void);                     // monotonic ns
clg_watch *clg_current_watch(void);         // out of line: must not be cached over an await
void clg_attach(clg_watch *watch);          // on the thread itself: thread-local, signal mask, watchdog
void clg_detach(clg_watch *watch);          // on the thread itself
void clg_enter(clg_watch *watch);           // simulation: this thread now plays that lane (NULL: none)
void clg_turn_begins(clg_watch *watch);     // wakes the watchdog if it sleeps
void clg_turn_ends(clg_watch *watch);
// Work of the host in one turn may take so long before its thread is given up, and what Lua calls so long after its run's
// CPU limit; in nanoseconds, 10 s and 1 s by default, for the whole process.
void clg_set_patience(uint64_t host_work, uint64_t grace);
void clg_give_up(clg_watch *watch);         // any thread: as the watchdog does, without the call
int clg_is_lost(const clg_watch *watch);    // any thread
void clg_poke(clg_watch *watch);            // tests: sends the signal now, whatever the lane does
void clg_set_slice(uint64_t nanoseconds);   // the length of a slice, 10 ms by default; for the whole process
uint64_t clg_slice(void);

// Runs one slice. `arguments` values lie on top of the base coroutine (at a start: clg_body, a handler, the
// function, its arguments) or on the waiter's stack (an answer). Returns lua_resume's status, or CLG_LOST_STATUS: the
// thread was given up meanwhile, and nothing may be done with the run.
enum { CLG_LOST_STATUS = -1 };
int clg_resume(clg_watch *watch, clg_run *run, int arguments, uint64_t now, int *results);
int clg_body(lua_State *L);                 // stack: handler, function, arguments
lua_State *clg_new_base(lua_State *L);      // pushes a coroutine that no script can resume
// The state of an error-free end of a protected function whose error must pass on while its run is killed.
int clg_is_killed(lua_State *L, int status);

// ---------------------------------------------------------------------------------------------- functions
// A Swift function called by Lua. >= 0: that many results are on top; CLG_ERROR: the error value is on top;
// CLG_NO_MEMORY: a true memory error is to be raised;
// CLG_WAITS: the run waits, `op` and `operand` say for what, its arguments stay on its stack.
enum { CLG_ERROR = -1, CLG_WAITS = -2, CLG_NO_MEMORY = -3 };
typedef int (*clg_function)(lua_State *L, void *context);
void clg_push_function(lua_State *L, clg_function function, void *context);
void clg_push_waiting_function(lua_State *L, clg_function function, void *context, int op, int operand);
int clg_can_wait(lua_State *L); // whether CLG_WAITS would be an error
void clg_push_handler(lua_State *L, clg_function function, void *context); // a message handler that spares kills
// Replaces a handler on top by `try(fn, ...)`: fn's results, or nil and what the handler made of the error.
void clg_push_try(lua_State *L);
// A function that does nothing but wait: the lane finds its arguments on the waiter's stack.
void clg_push_wait(lua_State *L, int op, int operand);
void clg_push_wait_or_call(lua_State *L, int op); // the function on top is called instead when a userdata comes first

int clg_load(lua_State *L, const char *code, size_t length, const char *name, const char *mode);
int clg_call(lua_State *L, int arguments, int results); // lua_pcall with a traceback behind the message

// ---------------------------------------------------------------------------------------------- sandbox
// Opens the allowed libraries, read-only, and seals the globals. Raises: call it through clg_protected.
int clg_open_sandbox(lua_State *L);
int clg_protected(lua_State *L, lua_CFunction function, void *argument); // lua_pcall of it; the error stays on top
void clg_push_globals(lua_State *L);        // the sealed table, every chunk's _ENV
void clg_push_real_globals(lua_State *L);   // what stands behind it; for the host to add to
int clg_push_library(lua_State *L, const char *name); // one of Lua's own, read-only; 0 and nothing when it is none
const char *clg_library_name(int index);    // of those, by position from 0; NULL past the last
// Edit distance (optimal string alignment) of two names of at most 64 bytes.
int clg_distance(const char *a, size_t a_length, const char *b, size_t b_length);
// Replaces the table on top by a read-only view of it; `name` is used in the message.
int clg_make_read_only(lua_State *L, const char *name);
// Pushes the table behind the view of that name at `index`; 0 and nothing when it is none. Needs three slots.
int clg_push_viewed(lua_State *L, int index, const char *name);

// Pushes what the library says where a string would be longer than one may be.
const char *clg_push_too_long(lua_State *L);

// ---------------------------------------------------------------------------------------------- release
const char *clg_lua_identification(void);   // of the library that runs: "$LuaVersion: Lua 5.4.8  Copyright …"
int clg_lua_is_fixed(void);                 // built against our own Lua, with its fixes
