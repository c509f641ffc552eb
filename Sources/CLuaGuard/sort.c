// table.sort: the quicksort of Lua 5.4's ltablib.c (Copyright (C) 1994-2024 Lua.org, PUC-Rio; MIT licence), so that the
// results agree, turned inside out: it stands still at each comparison, which may therefore wait, pause or be ended.
#include "internal.h"
#include <limits.h>

enum { TABLE = 1, COMPARE, JOB };
enum step { ENDS, MIDDLE_LOW, MIDDLE_HIGH, UP, DOWN };
enum { RANDOM_FROM = 100, POLL_COMPARISONS = 2048 };

typedef struct {
  unsigned lo, up, p, i, j, chance;
  int step, pending, steps;
  uint64_t seed;
  struct {
    unsigned lo, up, sibling, chance; // a range that is left for later; the size of the one sorted first
  } later[];                          // the smaller one comes first: as many as the length has bits are enough
} sorting;

// The two values on top become those at `i` and `j`.
static void set_two(lua_State *L, unsigned i, unsigned j) {
  lua_seti(L, TABLE, i);
  lua_seti(L, TABLE, j);
}

static unsigned next_chance(sorting *job) {
  job->seed = job->seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(job->seed >> 33) | 1;
}

// The next range of at least two elements; false when all are sorted.
static int next_range(sorting *job) {
  while (job->lo >= job->up) {
    if (job->pending == 0) return 0;
    job->pending--;
    job->lo = job->later[job->pending].lo;
    job->up = job->later[job->pending].up;
    job->chance = job->later[job->pending].chance;
    if ((job->up - job->lo) / 128 > job->later[job->pending].sibling) job->chance = next_chance(job); // badly split
  }
  job->step = ENDS;
  return 1;
}

static unsigned choose_pivot(const sorting *job) {
  unsigned size = job->up - job->lo;
  if (size < RANDOM_FROM || job->chance == 0) return (unsigned)(((uint64_t)job->lo + job->up) / 2);
  unsigned quarter = size / 4;
  return job->chance % (quarter * 2) + job->lo + quarter;
}

// The pivot stands at p. Moves it to up - 1, keeps it on the stack, and begins to part the range.
static int begin_partition(lua_State *L, sorting *job) {
  if (job->up - job->lo == 2) {
    job->lo = job->up;
    return next_range(job);
  }
  lua_geti(L, TABLE, job->p);
  lua_pushvalue(L, -1);
  lua_geti(L, TABLE, job->up - 1);
  set_two(L, job->p, job->up - 1);
  job->i = job->lo;
  job->j = job->up - 1;
  job->step = UP;
  return 1;
}

// The pivot has come to `i`: the smaller side is next, the other is left for later.
static int split(sorting *job) {
  unsigned lo = job->lo, up = job->up, p = job->i, n = job->pending++;
  job->later[n].chance = job->chance;
  if (p - lo < up - p) {
    job->later[n].lo = p + 1;
    job->later[n].up = up;
    job->later[n].sibling = p - lo;
    job->up = p - 1;
  } else {
    job->later[n].lo = lo;
    job->later[n].up = p - 1;
    job->later[n].sibling = up - p;
    job->lo = p + 1;
  }
  return next_range(job);
}

// Pushes the values that the step compares. Returns where the two stand, counted from the top: left * 10 + right.
static int push_operands(lua_State *L, sorting *job) {
  switch (job->step) {
  case ENDS: lua_geti(L, TABLE, job->lo), lua_geti(L, TABLE, job->up); return 12;
  case MIDDLE_LOW: lua_geti(L, TABLE, job->p), lua_geti(L, TABLE, job->lo); return 21;
  case MIDDLE_HIGH: lua_geti(L, TABLE, job->up); return 12;
  case UP: lua_geti(L, TABLE, ++job->i); return 12;
  default: lua_geti(L, TABLE, --job->j); return 31;
  }
}

// Takes the answer of the step's comparison; false when all is sorted.
static int take_answer(lua_State *L, sorting *job, int less) {
  switch (job->step) {
  case ENDS:
    if (less)
      set_two(L, job->lo, job->up);
    else
      lua_pop(L, 2);
    if (job->up - job->lo == 1) {
      job->lo = job->up;
      return next_range(job);
    }
    job->p = choose_pivot(job);
    job->step = MIDDLE_LOW;
    return 1;
  case MIDDLE_LOW:
    if (less) {
      set_two(L, job->p, job->lo);
      return begin_partition(L, job);
    }
    lua_pop(L, 1);
    job->step = MIDDLE_HIGH;
    return 1;
  case MIDDLE_HIGH:
    if (less)
      set_two(L, job->p, job->up);
    else
      lua_pop(L, 2);
    return begin_partition(L, job);
  case UP:
    if (!less) {
      job->step = DOWN;
      return 1;
    }
    if (job->i == job->up - 1) luaL_error(L, "invalid order function for sorting");
    lua_pop(L, 1);
    return 1;
  default:
    if (less) {
      if (job->j < job->i) luaL_error(L, "invalid order function for sorting");
      lua_pop(L, 1);
      return 1;
    }
    if (job->j >= job->i) {
      set_two(L, job->i, job->j);
      job->step = UP;
      return 1;
    }
    lua_pop(L, 1);
    set_two(L, job->up - 1, job->i);
    return split(job);
  }
}

static int after_pause(lua_State *L, int status, lua_KContext context);
static int after_comparison(lua_State *L, int status, lua_KContext context);

static int sort_on(lua_State *L, sorting *job) {
  int less, has_function = !lua_isnil(L, COMPARE), may_take_long = has_function || clg_may_call(L, TABLE);
  do {
    if (--job->steps <= 0 || (may_take_long && clg_slice_is_over())) {
      job->steps = POLL_COMPARISONS;
      if (clg_poll(L)) return clg_give_way(L, 0, after_pause);
    }
    int places = push_operands(L, job), left = -(places / 10), right = -(places % 10);
    if (has_function) {
      lua_pushvalue(L, COMPARE);
      lua_pushvalue(L, left - 1);
      lua_pushvalue(L, right - 2);
      lua_callk(L, 2, 1, 0, after_comparison);
      less = lua_toboolean(L, -1);
      lua_pop(L, 1);
    } else {
      if (!may_take_long) may_take_long = lua_type(L, left) != LUA_TNUMBER || lua_type(L, right) != LUA_TNUMBER;
      less = lua_compare(L, left, right, LUA_OPLT);
    }
  } while (take_answer(L, job, less));
  return 0;
}

static int after_pause(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return sort_on(L, lua_touserdata(L, JOB));
}

static int after_comparison(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  sorting *job = lua_touserdata(L, JOB);
  int less = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return take_answer(L, job, less) ? sort_on(L, job) : 0;
}

int clg_table_sort(lua_State *L) {
  clg_check_table(L, TABLE, CLG_READ | CLG_WRITE | CLG_LENGTH);
  lua_Integer count = luaL_len(L, TABLE);
  if (count <= 1) return 0;
  luaL_argcheck(L, count < INT_MAX, 1, "array too big");
  if (!lua_isnoneornil(L, COMPARE)) luaL_checktype(L, COMPARE, LUA_TFUNCTION);
  clg_check_span(L, TABLE, 1, count);
  lua_settop(L, COMPARE);
  int bits = 32 - __builtin_clz((unsigned)count);
  sorting *job = lua_newuserdatauv(L, sizeof *job + (size_t)bits * sizeof job->later[0], 0);
  job->lo = 1;
  job->up = (unsigned)count;
  job->chance = 0;
  job->step = ENDS;
  job->pending = 0;
  job->steps = POLL_COMPARISONS;
  job->seed = clg_state_inline(L)->seed ^ (uint64_t)count;
  return sort_on(L, job);
}
