// Slices and kills: a watchdog thread reads one atomic of each lane; a slice that is over gets a signal on its own
// thread, whose handler does nothing but arm a hook in the running coroutine; the hook judges.
#include "internal.h"
#include <stdlib.h>
#include <time.h>

_Thread_local clg_watch *clg_thread_watch; // the executable's own: a plain load, safe in the handler
static char kill_mark;                     // its address is the error that nothing catches

uint64_t clg_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((noinline)) clg_watch *clg_current_watch(void) {
  __asm__ volatile("");
  return clg_thread_watch;
}

// ---------------------------------------------------------------------------------------------- the hook
int clg_raise_kill(lua_State *L) {
  lua_pushlightuserdata(L, &kill_mark);
  return lua_error(L);
}

static uint64_t watch_now(const clg_watch *watch) { return watch->clock ? *watch->clock : clg_now(); }

static void hook(lua_State *L, lua_Debug *activation) {
  clg_watch *watch = clg_thread_watch;
  clg_run *run = watch ? watch->run : NULL;
  lua_Debug caller;
  int is_call = activation->event != LUA_HOOKCOUNT;
  if (!run || (is_call && !lua_getstack(L, 1, &caller))) return; // not before the body's protected call
  watch->hooks++;
  if (watch->instructions && !run->killed && !run->cancel) *watch->clock += (uint64_t)watch->instructions * CLG_INSTRUCTION_NS;
  uint64_t now = watch_now(watch);
  if (!run->killed && clg_is_lost(watch)) run->killed = CLG_LOST;
  int can_give_way = !watch->blocked && lua_isyieldable(L);
  if (!run->killed) {
    if (run->cancel) {
      // A function that closes a variable has taken it off the list: an end here would skip it.
      if (is_call && can_give_way) return;
      run->killed = CLG_CANCELLED; // its <close> variables get one slice: the hook is not armed again here
      lua_sethook(L, NULL, 0, 0);
      if (watch->instructions) lua_sethook(L, hook, LUA_MASKCOUNT, watch->instructions);
      clg_raise_kill(L);
    } else if (now >= run->cpu_end) {
      clg_kill(watch, L, CLG_CPU);
    }
  }
  if (run->killed) {
    if (run->killed == CLG_CANCELLED) {
      // Counted slices: what each coroutine had left of its count is not the slice that `<close>` variables get.
      if (watch->instructions && run->spared++ < 4) return;
      run->killed = CLG_CANCELLED_HARD;
    }
    clg_arm(L); // stays at one instruction: handlers die at once
    clg_raise_kill(L);
  }
  if (is_call) { // only count events may yield; the next instruction does, if there is one within a slice
    if (now < run->deadline || (can_give_way && now - run->deadline < clg_slice())) return;
    clg_kill(watch, L, CLG_TIMEOUT);
    clg_arm(L);
    clg_raise_kill(L);
  }
  if (!watch->instructions) {
    lua_sethook(L, NULL, 0, 0);
    if (atomic_load_explicit(&watch->wanted, memory_order_relaxed) !=
        atomic_load_explicit(&watch->sequence, memory_order_relaxed))
      return; // armed for an earlier slice
  }
  if (can_give_way) {
    watch->why = CLG_SLICE;
    run->slices++;
    lua_yield(L, 0);
    return;
  }
  watch->skipped++;
  if (now >= run->deadline) { // it cannot give way, so the lane's timer cannot end it
    clg_kill(watch, L, CLG_TIMEOUT);
    clg_arm(L);
    clg_raise_kill(L);
  }
}

// What the hook does, for a loop in C that the hook cannot reach.
int clg_poll(lua_State *L) {
  clg_watch *watch = clg_thread_watch;
  clg_run *run = watch ? watch->run : NULL;
  if (!run) return 0;
  if (watch->instructions && !run->killed && !run->cancel) *watch->clock += (uint64_t)CLG_POLL_STEPS * CLG_INSTRUCTION_NS;
  int is_over = watch->instructions || atomic_load_explicit(&watch->wanted, memory_order_relaxed) ==
                                         atomic_load_explicit(&watch->sequence, memory_order_relaxed);
  uint64_t now = watch_now(watch);
  if (clg_is_lost(watch)) run->killed = CLG_LOST;
  if (run->killed == CLG_CANCELLED && is_over) run->killed = CLG_CANCELLED_HARD;
  if (!run->killed && run->cancel) {
    run->killed = CLG_CANCELLED; // as in the hook: its <close> variables get one slice
    lua_sethook(L, NULL, 0, 0);
    if (watch->instructions) lua_sethook(L, hook, LUA_MASKCOUNT, watch->instructions);
    return clg_raise_kill(L);
  }
  if (!run->killed && now >= run->cpu_end) clg_kill(watch, L, CLG_CPU);
  int can_give_way = !watch->blocked && lua_isyieldable(L);
  if (!run->killed && is_over && !can_give_way && now >= run->deadline) clg_kill(watch, L, CLG_TIMEOUT);
  if (run->killed && run->killed != CLG_CANCELLED) {
    clg_arm(L);
    return clg_raise_kill(L);
  }
  return is_over && can_give_way;
}

int clg_give_way(lua_State *L, lua_KContext context, lua_KFunction go_on) {
  clg_watch *watch = clg_thread_watch;
  if (!watch->instructions) lua_sethook(L, NULL, 0, 0); // the signal that ended the slice has armed it
  watch->why = CLG_SLICE;
  watch->run->slices++;
  return lua_yieldk(L, 0, context, go_on);
}

// At the next instruction, or at the next call: where Lua itself calls functions in C one after the other, as when it closes
// the variables of many frames, there is no instruction in between.
enum { HOOK_MASK = LUA_MASKCOUNT | LUA_MASKCALL };

void clg_arm(lua_State *L) { lua_sethook(L, hook, HOOK_MASK, 1); }

// ---------------------------------------------------------------------------------------------- the signal
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CLG_TSAN 1
#endif
#endif
#ifdef CLG_TSAN
// The sanitizer's sigaction defers handlers to the next intercepted call, and a Lua loop makes none.
extern int __sigaction(int, const struct sigaction *, struct sigaction *);
#define install_handler __sigaction
#define NOT_SANITIZED __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation))
#else
#define install_handler sigaction
#define NOT_SANITIZED
#endif

#ifdef SIGRTMIN
static int slice_signal(void) { return SIGRTMIN + 5; }
#else
static int slice_signal(void) { return SIGURG; } // macOS has no real-time signals
#endif

NOT_SANITIZED static void on_signal(int signal) {
  (void)signal;
  clg_watch *watch = clg_thread_watch;
  if (!watch) return;
  watch->signals++;
  uint64_t sent = atomic_load_explicit(&watch->sent, memory_order_relaxed);
  lua_State *L = watch->current;
  if (L && atomic_load_explicit(&watch->wanted, memory_order_relaxed) ==
             atomic_load_explicit(&watch->sequence, memory_order_relaxed))
    lua_sethook(L, hook, HOOK_MASK, 1); // the one Lua call that is legal here, and only on the running coroutine
  atomic_store_explicit(&watch->answered, sent, memory_order_relaxed);
}

// ---------------------------------------------------------------------------------------------- the watchdog
enum { MAX_WATCHES = 1024 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static clg_watch *watches[MAX_WATCHES];
static int watch_count;
static int started;
static _Atomic int parked;
static _Atomic uint64_t slice_length = 10000000;

void clg_set_slice(uint64_t nanoseconds) { atomic_store(&slice_length, nanoseconds); }
uint64_t clg_slice(void) { return atomic_load(&slice_length); }

static int any_active(void) {
  for (int i = 0; i < watch_count; i++)
    if (atomic_load(&watches[i]->active) && !atomic_load(&watches[i]->lost)) return 1;
  return 0;
}

static void end_slice(clg_watch *watch, uint64_t sequence) {
  atomic_store(&watch->wanted, sequence);
  atomic_fetch_add(&watch->sent, 1);
  pthread_kill(watch->thread, slice_signal());
}

// Asks for the end of a slice that is over. lua_sethook visits every frame of the coroutine, so the handler takes long
// below a deep recursion: none is sent while another is at work, and a slow one is given time to get somewhere.
static void judge(clg_watch *watch, uint64_t now, uint64_t slice) {
  uint64_t sequence = atomic_load_explicit(&watch->sequence, memory_order_acquire);
  int is_at_work = atomic_load(&watch->answered) != atomic_load(&watch->sent);
  if (watch->sent_at && !is_at_work) {
    watch->patience = 4 * (now - watch->sent_at);
    watch->sent_at = 0;
    watch->seen_at = now;
  }
  if (sequence != watch->seen) {
    watch->seen = sequence;
    watch->seen_at = now;
    watch->patience = 0;
  } else if ((sequence & 1) && now - watch->seen_at >= (slice > watch->patience ? slice : watch->patience) && !is_at_work) {
    watch->seen_at = watch->sent_at = now;
    end_slice(watch, sequence);
  }
}

// ---------------------------------------------------------------------------------------------- lost threads
static _Atomic uint64_t host_work_limit = 10000000000u, grace = 1000000000u;

void clg_set_patience(uint64_t host_work, uint64_t after_limit) {
  atomic_store(&host_work_limit, host_work);
  atomic_store(&grace, after_limit);
}

void clg_give_up(clg_watch *watch) { atomic_store(&watch->lost, 1); }
int clg_is_lost(const clg_watch *watch) { return atomic_load_explicit(&watch->lost, memory_order_acquire); }

// Gives up a thread that has been in the same slice, or in the same turn between slices, for too long. Time in which the
// whole process stood still does not count: of one look's distance from the last at most a few ticks do.
static void look_for_loss(clg_watch *watch, uint64_t now, uint64_t slice) {
  uint64_t passed = now - watch->looked_at;
  watch->looked_at = now;
  uint64_t turn = atomic_load_explicit(&watch->active, memory_order_acquire);
  uint64_t sequence = atomic_load_explicit(&watch->sequence, memory_order_acquire);
  int is_new = turn != watch->seen_turn || sequence != watch->seen;
  watch->seen_turn = turn;
  if (is_new || !turn || !watch->on_lost) {
    watch->stuck = 0;
    return;
  }
  watch->stuck += passed < slice ? passed : slice;
  int in_run = sequence & 1;
  uint64_t limit = in_run ? atomic_load_explicit(&watch->slice_left, memory_order_relaxed) : atomic_load(&host_work_limit);
  uint64_t patience = atomic_load(&grace);
  if (watch->stuck < (limit + patience < limit ? UINT64_MAX : limit + patience)) return;
  atomic_store(&watch->lost, 1);
  watch->on_lost(
    watch->lost_context, in_run, atomic_load_explicit(&watch->slice_owner, memory_order_relaxed),
    atomic_load_explicit(&watch->slice_state, memory_order_relaxed));
}

static void *watchdog(void *unused) {
  (void)unused;
  int quiet = 0;
  for (;;) {
    uint64_t slice = clg_slice();
    // A slice is seen to begin up to a tick late, and to be over up to another: neighbours wait for both.
    struct timespec tick = {0, (long)(slice / 8)};
    nanosleep(&tick, NULL);
    uint64_t now = clg_now();
    pthread_mutex_lock(&lock);
    for (int i = 0; i < watch_count; i++) {
      if (clg_is_lost(watches[i])) continue;
      look_for_loss(watches[i], now, slice); // before `judge`, which notes what it saw
      judge(watches[i], now, slice);
    }
    quiet = any_active() ? 0 : quiet + 1;
    if (quiet > 16) {
      atomic_store(&parked, 1);
      while (!any_active()) pthread_cond_wait(&wake, &lock); // a lane that begins a turn sees `parked`, takes the lock
      atomic_store(&parked, 0);
      quiet = 0;
    }
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

void clg_turn_begins(clg_watch *watch) {
  watch->turns += 2;
  atomic_store(&watch->active, watch->turns | 1); // sequentially consistent, before the look at `parked`: one of the two sees the other
  if (atomic_load(&parked)) {
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
  }
}

void clg_turn_ends(clg_watch *watch) { atomic_store_explicit(&watch->active, 0, memory_order_release); }

static void start_watchdog(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  install_handler(slice_signal(), &action, NULL);
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  started = pthread_create(&thread, &attributes, watchdog, NULL) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void clg_attach(clg_watch *watch) {
  clg_thread_watch = watch;
  watch->thread = pthread_self();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, slice_signal());
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL); // a thread made from Swift's pool inherits a mask that blocks it
  pthread_mutex_lock(&lock);
  if (!started) start_watchdog();
  if (watch_count < MAX_WATCHES) {
    watches[watch_count++] = watch;
    watch->attached = 1;
  }
  pthread_mutex_unlock(&lock);
}

void clg_detach(clg_watch *watch) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < watch_count; i++)
    if (watches[i] == watch) watches[i] = watches[--watch_count];
  watch->attached = 0;
  pthread_mutex_unlock(&lock);
  clg_thread_watch = NULL; // no signal is sent after this; one that is pending finds nothing
}

void clg_enter(clg_watch *watch) { clg_thread_watch = watch; }

void clg_poke(clg_watch *watch) {
  pthread_mutex_lock(&lock);
  if (watch->attached) end_slice(watch, atomic_load(&watch->sequence));
  pthread_mutex_unlock(&lock);
}

// ---------------------------------------------------------------------------------------------- one slice
// It is judged at its first instruction.
int clg_ends_at_once(const clg_run *run) {
  return run->killed ? run->killed == CLG_CANCELLED_HARD : run->cancel || run->exhausted;
}

int clg_resume(clg_watch *watch, clg_run *run, int arguments, uint64_t now, int *results) {
  if (clg_is_lost(watch)) return CLG_LOST_STATUS; // given up while the host worked
  lua_State *base = run->coroutine;
  uint64_t sequence = atomic_load_explicit(&watch->sequence, memory_order_relaxed);
  if (run->waiter && run->waiter != base) { // the answer lies on the innermost coroutine's stack
    run->answers = arguments;
    arguments = 0;
  }
  uint64_t left = clg_cpu_left(run);
  run->cpu_end = now + left < now ? UINT64_MAX : now + left;
  atomic_store_explicit(&watch->slice_owner, run->owner, memory_order_relaxed);
  atomic_store_explicit(&watch->slice_left, left, memory_order_relaxed);
  atomic_store_explicit(&watch->slice_state, run->state, memory_order_relaxed);
  run->exhausted = left == 0; // a run that waits again and again may never be seen at the end of a slice
  watch->why = CLG_NONE;
  if (watch->instructions && !run->killed) lua_sethook(base, hook, LUA_MASKCOUNT, watch->instructions);
  if (clg_ends_at_once(run)) clg_arm(base);
  watch->run = run;
  watch->current = base;
  atomic_signal_fence(memory_order_seq_cst);
  atomic_store_explicit(&watch->sequence, sequence + 1, memory_order_release);
  int status = lua_resume(base, run->state->main, arguments, results);
  atomic_store_explicit(&watch->sequence, sequence + 2, memory_order_release);
  atomic_signal_fence(memory_order_seq_cst);
  watch->current = NULL;
  watch->run = NULL;
  if (clg_is_lost(watch)) return CLG_LOST_STATUS;
  if (watch->why == CLG_WAIT && status == LUA_YIELD) {
    run->waiter = watch->waiter;
    run->op = watch->op;
    run->operand = watch->operand;
  } else {
    run->waiter = NULL;
  }
  return status;
}
