// The other functions of `string` that can take long or make much: bounded before they begin.
#include "internal.h"

size_t clg_string_limit(lua_State *L) { return clg_state_inline(L)->memory.string_limit; }

const char *clg_push_too_long(lua_State *L) {
  size_t limit = clg_string_limit(L), megabytes = limit >> 20;
  const char *unit = megabytes << 20 == limit ? "MB" : "bytes";
  LUAI_UACINT count = (LUAI_UACINT)(*unit == 'M' ? megabytes : limit);
  return lua_pushfstring(L, "resulting string too large: a string may have %I %s", count, unit);
}

int clg_too_long(lua_State *L) { return luaL_error(L, "%s", clg_push_too_long(L)); }

void clg_refuse_longer(lua_State *L, size_t length) {
  if (length > clg_string_limit(L)) clg_too_long(L);
}

// The text is doubled, so that a short one costs no more than a long one.
static int string_rep(lua_State *L) {
  size_t length, gap;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &gap);
  if (count <= 0 || length + gap == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((lua_Unsigned)count > (clg_string_limit(L) + gap) / (length + gap)) return clg_too_long(L);
  size_t total = (length + gap) * (size_t)count - gap, filled = length + gap < total ? length + gap : total;
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, total);
  memcpy(bytes, text, length);
  memcpy(bytes + length, separator, filled - length);
  while (filled < total) {
    size_t more = filled < total - filled ? filled : total - filled;
    memcpy(bytes + filled, bytes, more);
    filled += more;
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

// ---------------------------------------------------------------------------------------------- pack, unpack
enum { LONGEST_FORMAT = 1 << 20 }; // an item takes some nanoseconds

static const char *check_format(lua_State *L) {
  size_t length;
  const char *format = luaL_checklstring(L, 1, &length);
  if (length > LONGEST_FORMAT) luaL_error(L, "format is too long (%d bytes at most)", LONGEST_FORMAT);
  return format;
}

// Lua's own; "c2147483647" would pad two gigabytes, a byte at a time.
static int string_pack(lua_State *L) {
  size_t limit = clg_string_limit(L), total = 0;
  for (const char *p = check_format(L); *p; p++) {
    if (*p != 'c') continue;
    size_t size = 0;
    while (p[1] >= '0' && p[1] <= '9' && size <= limit) size = size * 10 + (size_t)(*++p - '0');
    clg_refuse_longer(L, total += size);
  }
  total = 0;
  for (int i = 2, count = lua_gettop(L); i <= count; i++) // texts are copied or, as numbers, read
    if (lua_type(L, i) == LUA_TSTRING) clg_refuse_longer(L, total += lua_rawlen(L, i));
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int with_checked_format(lua_State *L) {
  check_format(L);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// ---------------------------------------------------------------------------------------------- format
// Lua's own, after its values. Each item is a call of snprintf, which takes up to some microseconds, and "%q" makes one for
// each control byte; what is cut or padded is measured first, however little of it is used.
enum { MOST_ITEMS = 10000, MOST_QUOTED = 1 << 20, MOST_PADDED = 64 << 20, FEW_BYTES = 4096 };

// What stands before a conversion: a precision cuts a string.
enum options { NO_OPTIONS, PADS, CUTS };

// The conversion of the next item from `*place` on, which moves behind it, or 0.
static char next_item(const char **place, const char *end, enum options *options) {
  const char *p = *place;
  while ((p = memchr(p, '%', (size_t)(end - p)))) {
    const char *first = ++p;
    while (p < end && *p && strchr("-+ #0123456789.", *p)) p++;
    if (p == end) break;
    char conversion = *p++;
    if (conversion == '%') continue;
    *options = p - 1 == first ? NO_OPTIONS : memchr(first, '.', (size_t)(p - 1 - first)) ? CUTS : PADS;
    *place = p;
    return conversion;
  }
  *place = end;
  return 0;
}

static int format_values(lua_State *L) {
  size_t length, quoted = 0, padded = 0, whole = 0;
  const char *place = lua_tolstring(L, 1, &length), *end = place + length;
  int count = lua_gettop(L);
  enum options options;
  char conversion;
  for (int i = 2; i <= count && (conversion = next_item(&place, end, &options)); i++) {
    if (lua_type(L, i) != LUA_TSTRING) continue;
    if (conversion == 'q') quoted += lua_rawlen(L, i);
    if (conversion == 's' && options != NO_OPTIONS) padded += lua_rawlen(L, i);
    if (conversion == 's' && options != CUTS) whole += lua_rawlen(L, i);
  }
  if (quoted > MOST_QUOTED) return luaL_error(L, "strings are too long to quote (%d bytes at most)", MOST_QUOTED);
  if (padded > MOST_PADDED) return luaL_error(L, "strings are too long to cut or pad (%d bytes at most)", MOST_PADDED);
  clg_refuse_longer(L, whole + quoted); // the rest is some megabytes at most: where it is too much, the allocator refuses
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int after_tostring(lua_State *L, int status, lua_KContext context);
static int after_pause(lua_State *L, int status, lua_KContext context);

static void take_text(lua_State *L, int index) {
  if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
  lua_replace(L, index);
}

// Makes the values ready that take long: what has a `__tostring` becomes text, long numerals become numbers. `context` is the
// place in the format and, in its last 16 bits, the value before it.
static int ready_values(lua_State *L, lua_KContext context) {
  size_t length;
  const char *form = lua_tolstring(L, 1, &length), *place = form + (context >> 16), *end = form + length;
  int i = (int)(context & 0xffff), count = lua_gettop(L);
  enum options options;
  char conversion;
  while (i < count && (conversion = next_item(&place, end, &options))) {
    lua_KContext here = (lua_KContext)(place - form) << 16 | ++i;
    if (conversion == 's') {
      if (luaL_getmetafield(L, i, "__tostring") == LUA_TNIL) continue;
      lua_pushvalue(L, i);
      lua_callk(L, 1, 1, here, after_tostring);
      take_text(L, i);
    } else if (conversion == 'q' || conversion == 'p' || !clg_read_numeral(L, i)) {
      continue;
    }
    if (clg_slice_is_over() && clg_poll(L)) return clg_give_way(L, here, after_pause);
  }
  return format_values(L);
}

static int after_tostring(lua_State *L, int status, lua_KContext context) {
  (void)status;
  take_text(L, (int)(context & 0xffff));
  return ready_values(L, context);
}

static int after_pause(lua_State *L, int status, lua_KContext context) {
  (void)status;
  return ready_values(L, context);
}

static int string_format(lua_State *L) {
  int count = lua_gettop(L), are_ready = 1;
  if (count > MOST_ITEMS) return luaL_error(L, "too many values to format (%d at most)", MOST_ITEMS);
  check_format(L);
  size_t bytes = 0;
  for (int i = 2; i <= count; i++) {
    int type = lua_type(L, i);
    if (type == LUA_TSTRING) bytes += lua_rawlen(L, i);
    are_ready = are_ready && type != LUA_TTABLE && type != LUA_TUSERDATA;
  }
  return are_ready && bytes <= FEW_BYTES ? lua_tocfunction(L, lua_upvalueindex(1))(L) : ready_values(L, 1);
}

// Puts `function` in front of the library's own, which becomes its upvalue.
static void guard(lua_State *L, const char *name, lua_CFunction function) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

void clg_open_strings(lua_State *L) {
  lua_pushcfunction(L, string_rep);
  lua_setfield(L, -2, "rep");
  guard(L, "pack", string_pack);
  guard(L, "packsize", with_checked_format);
  guard(L, "unpack", with_checked_format);
  guard(L, "format", string_format);
  clg_read_numerals(L, "char");
}
