// string.find, match, gmatch and gsub: Lua's results, found by a matcher that can pause and be ended.
#include "matcher.h"

// A place given from either end, as an offset of at least 0.
static size_t offset_of(lua_Integer place, size_t length) {
  if (place > 0) return (size_t)place - 1;
  if (place == 0 || place < -(lua_Integer)length) return 0;
  return length - (size_t)-place;
}

// ---------------------------------------------------------------------------------------------- captures
static void push_capture(lua_State *L, const clg_matcher *m, int i) {
  if (i >= m->level) {
    if (i != 0) luaL_error(L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(L, m->start, (size_t)(m->end - m->start)); // no capture: the whole match
  } else if (m->capture[i].length == CLG_CAPTURE_POSITION) {
    lua_pushinteger(L, m->capture[i].start - m->text + 1);
  } else if (m->capture[i].length == CLG_CAPTURE_OPEN) {
    luaL_error(L, "unfinished capture");
  } else {
    lua_pushlstring(L, m->capture[i].start, (size_t)m->capture[i].length);
  }
}

static int push_captures(lua_State *L, const clg_matcher *m, int or_whole) {
  int count = m->level == 0 && or_whole ? 1 : m->level;
  luaL_checkstack(L, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(L, m, i);
  return count;
}

// Keeps a paused matcher on the stack, above what it pushed, and gives way.
static int pause_matcher(lua_State *L, const clg_matcher *m, lua_KContext context, lua_KFunction go_on) {
  clg_matcher *kept = lua_newuserdatauv(L, sizeof *kept, 0);
  *kept = *m;
  return clg_give_way(L, context, go_on);
}

static clg_matcher *paused_matcher(lua_State *L) { return lua_touserdata(L, -1); }

// ---------------------------------------------------------------------------------------------- find, match
static const char special[256] = {
  ['^'] = 1, ['$'] = 1, ['*'] = 1, ['+'] = 1, ['?'] = 1, ['.'] = 1, ['('] = 1, ['['] = 1, ['%'] = 1, ['-'] = 1,
};

static int is_plain(const char *pattern, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (special[(uint8_t)pattern[i]]) return 0;
  return 1;
}

static int continue_search(lua_State *L, int status, lua_KContext wants_places);

static int search_once(lua_State *L, clg_matcher *m, int wants_places) {
  int outcome = clg_search(m);
  if (outcome == CLG_PAUSED) return pause_matcher(L, m, wants_places, continue_search);
  if (outcome == CLG_NO_MATCH) {
    luaL_pushfail(L);
    return 1;
  }
  if (!wants_places) return push_captures(L, m, 1);
  lua_pushinteger(L, m->start - m->text + 1);
  lua_pushinteger(L, m->end - m->text);
  return push_captures(L, m, 0) + 2;
}

static int continue_search(lua_State *L, int status, lua_KContext wants_places) {
  (void)status;
  clg_matcher m = *paused_matcher(L);
  lua_pop(L, 2); // nothing is allocated before the search has copied what was saved
  return search_once(L, &m, (int)wants_places);
}

enum { PIECE = 1 << 18 };

// The text is searched piece by piece: memmem is linear in glibc, musl and macOS, but takes up to 10 ns for a byte.
static int find_plain(lua_State *L, int status, lua_KContext from) {
  (void)status;
  size_t length, wanted, at = (size_t)from;
  const char *text = lua_tolstring(L, 1, &length), *pattern = lua_tolstring(L, 2, &wanted);
  for (;;) {
    size_t most = (wanted > PIECE ? wanted : PIECE) + wanted, piece = length - at < most ? length - at : most;
    const char *found = memmem(text + at, piece, pattern, wanted);
    if (found) {
      lua_pushinteger(L, found - text + 1);
      lua_pushinteger(L, found - text + (lua_Integer)wanted);
      return 2;
    }
    if (piece == length - at) break;
    at += piece - wanted + 1;
    if (clg_slice_is_over() && clg_poll(L)) return clg_give_way(L, (lua_KContext)at, find_plain);
  }
  luaL_pushfail(L);
  return 1;
}

static int find_or_match(lua_State *L, int finds) {
  size_t length, pattern_length;
  const char *text = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
  if (from > length) {
    luaL_pushfail(L);
    return 1;
  }
  if (finds && (lua_toboolean(L, 4) || is_plain(pattern, pattern_length))) return find_plain(L, LUA_OK, (lua_KContext)from);
  clg_matcher m;
  clg_matcher_init(&m, L, text, length, pattern, pattern_length, 1);
  m.start = text + from;
  return search_once(L, &m, finds);
}

static int string_find(lua_State *L) { return find_or_match(L, 1); }
static int string_match(lua_State *L) { return find_or_match(L, 0); }

// ---------------------------------------------------------------------------------------------- gmatch
typedef struct {
  const char *next, *refused; // where to look on; past the end: nowhere
} iteration;

static int continue_iteration(lua_State *L, int status, lua_KContext context);

static int next_match_of(lua_State *L, clg_matcher *m) {
  int outcome = clg_search(m);
  if (outcome == CLG_PAUSED) return pause_matcher(L, m, 0, continue_iteration);
  iteration *state = lua_touserdata(L, lua_upvalueindex(3));
  if (outcome == CLG_NO_MATCH) {
    state->next = m->text_end + 1;
    return 0;
  }
  state->next = state->refused = m->end;
  return push_captures(L, m, 1);
}

static int continue_iteration(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  clg_matcher m = *paused_matcher(L);
  lua_pop(L, 2);
  return next_match_of(L, &m);
}

static int next_match(lua_State *L) {
  const iteration *state = lua_touserdata(L, lua_upvalueindex(3));
  size_t length, pattern_length;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &length);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
  if (state->next > text + length) return 0;
  clg_matcher m;
  clg_matcher_init(&m, L, text, length, pattern, pattern_length, 0);
  m.start = state->next;
  m.refused = state->refused;
  return next_match_of(L, &m);
}

static int string_gmatch(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_checkstring(L, 2);
  size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
  lua_settop(L, 2);
  iteration *state = lua_newuserdatauv(L, sizeof *state, 0);
  state->next = text + (from > length ? length + 1 : from);
  state->refused = NULL;
  lua_pushcclosure(L, next_match, 3);
  return 1;
}

// ---------------------------------------------------------------------------------------------- gsub
enum { TEXT = 1, PATTERN, REPLACEMENT, BOX, JOB }; // places on the stack

typedef struct {
  clg_matcher m;
  const char *rest;        // of the text, not copied yet
  lua_Integer count, most; // replacements
  int kind, changed, done;
  size_t used, capacity;
  char *box;               // the result so far, in the userdata at BOX; NULL while it fits in `small`
  char small[512];
} substitution;

static char *result_of(substitution *job) { return job->box ? job->box : job->small; }

static void append(lua_State *L, substitution *job, const char *bytes, size_t length) {
  if (length > job->capacity - job->used) {
    size_t needed = job->used + length, limit = clg_string_limit(L);
    clg_refuse_longer(L, needed);
    size_t capacity = needed < limit / 2 ? needed * 2 : limit;
    char *box = lua_newuserdatauv(L, capacity, 0);
    memcpy(box, result_of(job), job->used);
    lua_replace(L, BOX);
    job->box = box;
    job->capacity = capacity;
  }
  memcpy(result_of(job) + job->used, bytes, length);
  job->used += length;
}

static void append_top(lua_State *L, substitution *job) {
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  append(L, job, bytes, length);
  lua_pop(L, 1);
}

// The replacement string, with its %0 to %9 filled in.
static void append_template(lua_State *L, substitution *job) {
  clg_matcher *m = &job->m;
  size_t length;
  const char *template = lua_tolstring(L, REPLACEMENT, &length), *end = template + length, *mark;
  m->steps -= (long)(length >> 2);
  while ((mark = memchr(template, '%', (size_t)(end - template)))) {
    append(L, job, template, (size_t)(mark - template));
    char c = *++mark;
    if (c == '%') {
      append(L, job, mark, 1);
    } else if (c == '0') {
      append(L, job, m->start, (size_t)(m->end - m->start));
    } else if (c >= '1' && c <= '9') {
      int i = c - '1';
      if (i < m->level && m->capture[i].length >= 0) {
        append(L, job, m->capture[i].start, (size_t)m->capture[i].length);
      } else {
        push_capture(L, m, i);
        append_top(L, job);
      }
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
    template = mark + 1;
  }
  append(L, job, template, (size_t)(end - template));
  job->changed = 1;
}

// Takes the value on top as the replacement of the match.
static void append_value(lua_State *L, substitution *job) {
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    append(L, job, job->m.start, (size_t)(job->m.end - job->m.start));
    return;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  append_top(L, job);
  job->changed = 1;
}

static void finish_match(substitution *job) {
  // What gave the replacement may have taken long: then the search asks first.
  if ((job->kind == LUA_TFUNCTION || job->kind == LUA_TTABLE) && clg_slice_is_over()) job->m.steps = 0;
  job->count++;
  job->rest = job->m.start = job->m.refused = job->m.end;
  job->done = job->m.anchored;
}

static int continue_after_pause(lua_State *L, int status, lua_KContext context);
static int continue_with_value(lua_State *L, int status, lua_KContext context);

static int substitute(lua_State *L, substitution *job) {
  clg_matcher *m = &job->m;
  while (job->count < job->most && !job->done) {
    int outcome = clg_search(m);
    if (outcome == CLG_PAUSED) {
      if (lua_isnil(L, JOB)) {
        substitution *kept = lua_newuserdatauv(L, sizeof *kept, 0);
        *kept = *job;
        lua_replace(L, JOB);
      }
      return clg_give_way(L, 0, continue_after_pause);
    }
    if (outcome == CLG_NO_MATCH) break;
    append(L, job, job->rest, (size_t)(m->start - job->rest));
    if (job->kind == LUA_TFUNCTION) {
      lua_pushvalue(L, REPLACEMENT);
      lua_callk(L, push_captures(L, m, 1), 1, 0, continue_with_value);
      append_value(L, job);
    } else if (job->kind == LUA_TTABLE) {
      push_capture(L, m, 0);
      lua_gettable(L, REPLACEMENT);
      append_value(L, job);
    } else {
      append_template(L, job);
    }
    finish_match(job);
  }
  if (job->changed) {
    append(L, job, job->rest, (size_t)(m->text_end - job->rest));
    lua_pushlstring(L, result_of(job), job->used);
  } else {
    lua_pushvalue(L, TEXT);
  }
  lua_pushinteger(L, job->count);
  return 2;
}

static int continue_after_pause(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, JOB); // what the matcher saved is copied before anything is allocated
  return substitute(L, lua_touserdata(L, JOB));
}

static int continue_with_value(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  substitution *job = lua_touserdata(L, JOB);
  append_value(L, job);
  finish_match(job);
  return substitute(L, job);
}

static int string_gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *text = luaL_checklstring(L, TEXT, &length), *pattern = luaL_checklstring(L, PATTERN, &pattern_length);
  int kind = lua_type(L, REPLACEMENT);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1);
  luaL_argexpected(L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE, REPLACEMENT,
                   "string/function/table");
  lua_settop(L, REPLACEMENT);
  lua_pushnil(L);
  substitution here, *job = &here;
  if (kind == LUA_TFUNCTION) // its frame may be left, and come back in continue_with_value
    job = lua_newuserdatauv(L, sizeof *job, 0);
  else
    lua_pushnil(L);
  clg_matcher_init(&job->m, L, text, length, pattern, pattern_length, 1);
  job->rest = text;
  job->count = 0;
  job->most = most;
  job->kind = kind;
  job->changed = job->done = 0;
  job->used = 0;
  job->capacity = sizeof job->small;
  job->box = NULL;
  return substitute(L, job);
}

void clg_open_matching(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gsub", string_gsub}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
