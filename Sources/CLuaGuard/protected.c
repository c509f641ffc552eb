// pcall, xpcall and the coroutine functions, so that a kill cannot be caught and a wait passes through any depth of
// the author's own coroutines.
#include "internal.h"

int clg_is_killed(lua_State *L, int status) {
  clg_run *run = clg_current_run();
  if (!run) return 0;
  if (status == LUA_ERRMEM && !run->killed) run->killed = clg_state_inline(L)->memory.long_string ? CLG_STRING : CLG_MEMORY;
  return run->killed;
}

int clg_rethrow(lua_State *L) {
  if (clg_current_run()->killed != CLG_CANCELLED) clg_arm(L); // a cancelled run's <close> variables get one slice
  return clg_raise_kill(L);
}

// ---------------------------------------------------------------------------------------------- pcall, xpcall
static int finish_protected(lua_State *L, int status, lua_KContext kept) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)kept;
  if (clg_is_killed(L, status)) return clg_rethrow(L);
  lua_pushboolean(L, 0);
  lua_pushvalue(L, -2);
  return 2;
}

static int guarded_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_protected);
  return finish_protected(L, status, 0);
}

static int guarded_handler(lua_State *L) {
  if (clg_is_killed(L, LUA_OK)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int guarded_xpcall(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, finish_protected);
  return finish_protected(L, status, 2);
}

// ---------------------------------------------------------------------------------------------- try
static int finish_try(lua_State *L, int status, lua_KContext kept) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)kept;
  if (clg_is_killed(L, status)) return clg_rethrow(L);
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

static int guarded_try(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  int status = lua_pcallk(L, count - 1, LUA_MULTRET, 1, 1, finish_try);
  return finish_try(L, status, 1);
}

void clg_push_try(lua_State *L) { lua_pushcclosure(L, guarded_try, 1); }

// ---------------------------------------------------------------------------------------------- bodies
// Every coroutine runs under a protected call: lua_resume does not restore `allowhook` after a hook raised, lua_pcallk
// does. Without it, handlers that run afterwards run with hooks off and cannot be stopped.
static int finish_body(lua_State *L, int status, lua_KContext kept) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)kept;
  if (clg_is_killed(L, status)) {
    lua_sethook(L, NULL, 0, 0);
    return clg_raise_kill(L);
  }
  return lua_error(L);
}

int clg_body(lua_State *L) {
  if (lua_gettop(L) < 2) return luaL_error(L, "the body of a run has no function");
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 1, finish_body);
  return finish_body(L, status, 1);
}

static int coroutine_body(lua_State *L) {
  if (lua_gettop(L) < 1) return luaL_error(L, "the body of a coroutine has no function");
  int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, finish_body);
  return finish_body(L, status, 0);
}

// ---------------------------------------------------------------------------------------------- coroutines
static int continue_inner(lua_State *L, int status, lua_KContext context);

// One that the host alone resumes, whatever it does: `coroutine.running` gives it to scripts.
lua_State *clg_new_base(lua_State *L) {
  lua_State *base = lua_newthread(L);
  clg_set_busy(base);
  return base;
}

// `form` is 1 for coroutine.resume (results after true, errors after false) and 0 for a wrapped coroutine.
static int resume_inner(lua_State *L, lua_State *inner, int arguments, int form) {
  clg_watch *watch = clg_thread_watch;
  int results, status;
  if (watch && watch->run) {
    int cannot_yield = !lua_isyieldable(L);
    lua_State *outer = watch->current;
    watch->blocked += cannot_yield;
    watch->why = CLG_NONE;
    if (watch->instructions && !watch->run->killed) {
      lua_sethook(inner, lua_gethook(L), LUA_MASKCOUNT, watch->instructions);
    }
    if (clg_ends_at_once(watch->run)) clg_arm(inner);
    watch->current = inner;
    atomic_signal_fence(memory_order_seq_cst);
    status = lua_resume(inner, L, arguments, &results);
    atomic_signal_fence(memory_order_seq_cst);
    watch->current = outer;
    watch->blocked -= cannot_yield;
    if (status == LUA_YIELD && watch->why != CLG_NONE) { // the host's yield: pass it outward, values stay where they are
      clg_set_busy(inner);
      return lua_yieldk(L, 0, (lua_KContext)inner | form, continue_inner);
    }
  } else {
    status = lua_resume(inner, L, arguments, &results);
  }
  if (status == LUA_OK || status == LUA_YIELD) {
    if (!lua_checkstack(L, results + 1)) {
      lua_pop(inner, results);
      return luaL_error(L, "too many results to resume");
    }
    if (form) lua_pushboolean(L, 1);
    lua_xmove(inner, L, results);
    return results + form;
  }
  if (clg_is_killed(L, status)) {
    lua_settop(inner, 0); // its <close> variables have run, in coroutine_body
    return clg_rethrow(L);
  }
  if (form) lua_pushboolean(L, 0);
  lua_xmove(inner, L, 1);
  if (form) return 2;
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int continue_inner(lua_State *L, int status, lua_KContext context) {
  (void)status;
  lua_State *inner = (lua_State *)(context & ~(lua_KContext)1);
  clg_run *run = clg_current_run();
  clg_clear_busy(inner);
  int arguments = 0;
  if (run && (run->waiter == NULL || run->waiter == inner)) {
    arguments = run->answers;
    run->answers = 0;
  }
  return resume_inner(L, inner, arguments, (int)(context & 1));
}

static int start_inner(lua_State *L, lua_State *inner, int arguments, int form) {
  const char *problem = NULL;
  int status = lua_status(inner);
  lua_Debug activation;
  if (status == LUA_OK && lua_getstack(inner, 0, &activation))
    problem = "cannot resume non-suspended coroutine";
  else if (clg_is_busy(inner))
    problem = "cannot resume a coroutine that waits, or that the host runs";
  else if (!lua_checkstack(inner, arguments))
    problem = "too many arguments to resume";
  else if (status == LUA_OK && lua_gettop(inner) == 0)
    problem = "cannot resume dead coroutine";
  else if (status != LUA_OK && status != LUA_YIELD)
    problem = "cannot resume dead coroutine";
  if (problem) {
    if (!form) return luaL_error(L, "%s", problem);
    lua_pushboolean(L, 0);
    lua_pushstring(L, problem);
    return 2;
  }
  lua_xmove(L, inner, arguments);
  return resume_inner(L, inner, status == LUA_OK ? arguments + 1 : arguments, form);
}

static int guarded_resume(lua_State *L) {
  lua_State *inner = lua_tothread(L, 1);
  luaL_argexpected(L, inner, 1, "coroutine");
  return start_inner(L, inner, lua_gettop(L) - 1, 1);
}

static int wrapped_call(lua_State *L) {
  return start_inner(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L), 0);
}

static int guarded_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  clg_state *state = clg_state_inline(L);
  if (clg_coroutines(state) >= (size_t)state->coroutine_limit) {
    lua_gc(L, LUA_GCCOLLECT);
    if (clg_coroutines(state) >= (size_t)state->coroutine_limit)
      return luaL_error(L, "too many coroutines: limits.coroutines is %d", state->coroutine_limit);
  }
  lua_State *inner = lua_newthread(L);
  lua_pushcfunction(inner, coroutine_body);
  lua_pushvalue(L, 1);
  lua_xmove(L, inner, 1);
  return 1;
}

static int guarded_wrap(lua_State *L) {
  guarded_create(L);
  lua_pushcclosure(L, wrapped_call, 1);
  return 1;
}

static int guarded_yield(lua_State *L) {
  clg_run *run = clg_current_run();
  if (run && run->coroutine == L) return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

// Stack: the base library's table.
void clg_open_protected_calls(lua_State *L) {
  lua_pushcfunction(L, guarded_pcall);
  lua_setfield(L, -2, "pcall");
  lua_pushcfunction(L, guarded_xpcall);
  lua_setfield(L, -2, "xpcall");
}

void clg_push_coroutines(lua_State *L) {
  luaopen_coroutine(L);
  static const luaL_Reg guarded[] = {
    {"create", guarded_create}, {"resume", guarded_resume}, {"wrap", guarded_wrap}, {"yield", guarded_yield}, {NULL, NULL},
  };
  luaL_setfuncs(L, guarded, 0);
  lua_pushnil(L);
  lua_setfield(L, -2, "close"); // closing a coroutine that waits in the host would leave the host's end dangling
}

// ---------------------------------------------------------------------------------------------- waits
static int continue_wait(lua_State *L, int status, lua_KContext kept) {
  (void)status;
  clg_run *run = clg_current_run();
  if (run->killed) {
    if ((run->killed == CLG_MEMORY || run->killed == CLG_CPU) && clg_thread_watch->killed_run != run) clg_note_place(clg_thread_watch, L); // by its answer
    return clg_rethrow(L);
  }
  if (run->failed) {
    run->failed = 0;
    return lua_error(L);
  }
  return lua_gettop(L) - (int)kept;
}

int clg_can_wait(lua_State *L) {
  clg_watch *watch = clg_thread_watch;
  clg_run *run = watch ? watch->run : NULL;
  return run && !run->killed && !watch->blocked && !clg_state_inline(L)->loading && lua_isyieldable(L);
}

int clg_wait(lua_State *L, int op, int operand, int kept) {
  clg_watch *watch = clg_thread_watch;
  clg_run *run = watch ? watch->run : NULL;
  if (clg_state_inline(L)->loading)
    return luaL_error(L, "nothing can be called or waited for while the file is being loaded; do it in init or run");
  if (!run) return luaL_error(L, "cannot wait here: no lane runs this code");
  if (run->killed) return clg_rethrow(L); // no waits in a killed run's handlers
  if (watch->blocked || !lua_isyieldable(L))
    return luaL_error(L, "cannot wait here: Lua cannot pause inside a function that C calls, such as a message handler of xpcall or "
                         "a metamethod that a library function uses; do the waiting before or after it");
  watch->why = CLG_WAIT;
  watch->waiter = L;
  watch->op = op;
  watch->operand = operand;
  return lua_yieldk(L, lua_gettop(L), kept, continue_wait); // the arguments stay on this stack; the lane reads them
}

static int wait_function(lua_State *L) {
  lua_Integer packed = lua_tointeger(L, lua_upvalueindex(1));
  return clg_wait(L, (int)(packed & 0xff), (int)(packed >> 8), 0);
}

static int finish_call(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}

static int wait_or_call(lua_State *L) {
  if (lua_type(L, 1) != LUA_TUSERDATA) return clg_wait(L, (int)lua_tointeger(L, lua_upvalueindex(2)), 0, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, finish_call);
  return lua_gettop(L);
}

void clg_push_wait_or_call(lua_State *L, int op) {
  lua_pushinteger(L, op);
  lua_pushcclosure(L, wait_or_call, 2);
}

void clg_push_wait(lua_State *L, int op, int operand) {
  lua_pushinteger(L, (lua_Integer)op | (lua_Integer)operand << 8);
  lua_pushcclosure(L, wait_function, 1);
}
