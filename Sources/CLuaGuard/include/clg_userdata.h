// Swift objects that Lua holds: a counted reference in a userdata, given back without running Lua.
#pragma once
#include <lua.h>
#include <stddef.h>

// A kind of object; its address is the kind, for the whole process.
typedef struct clg_kind {
  const char *name;
  void (*release)(void *object); // called from the collector: must not touch the state
  size_t own;                    // bytes that each object takes outside of Lua, whatever it shares with others
} clg_kind;

// Pushes a userdata that owns `object`. While it lives the state is charged `weight` bytes for what is at `charged`, once
// for all userdata of the same. Host sections only.
void clg_push_object(lua_State *L, const clg_kind *kind, void *object, const void *charged, size_t weight);
// Whether the value at `index` is of that kind and was closed: it has no object any more.
int clg_is_closed(lua_State *L, int index, const clg_kind *kind);
// Gives the object back before the collector does.
void clg_close_object(lua_State *L, int index, const clg_kind *kind);
// Replaces a table of methods on top by an `__index` that looks there, then asks a Swift function.
void clg_push_index(lua_State *L, int (*function)(lua_State *L, void *context), void *context);
// The object at `index` if it is of that kind, else NULL. Raises never.
void *clg_object_at(lua_State *L, int index, const clg_kind *kind);
// Pushes the kind's metatable in this state; 1 when it was made just now and has no methods yet. It is locked.
int clg_push_kind(lua_State *L, const clg_kind *kind);

// Pushes a function that calls a Swift one, as clg_push_waiting_function does, with a `math.random()` behind its arguments.
void clg_push_with_chance(lua_State *L, int (*function)(lua_State *L, void *context), void *context, int op, int operand);

// json.null, the same light userdata in every state, and the registry key of json.array's mark.
void *clg_json_null(void);
const void *clg_json_array_key(void);
