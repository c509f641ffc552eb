// Swift objects that Lua holds: a counted reference in a userdata, given back without running Lua.
#pragma once
#include <lua.h>
#include <stddef.h>

// A kind of object; its address is the kind, for the whole process.
typedef struct clg_kind {
  const char *name;
  void (*release)(void *object); // called from the collector: must not touch the state
} clg_kind;

// Pushes a userdata that owns `object`. `weight` bytes are charged to the state while it lives. Host sections only.
void clg_push_object(lua_State *L, const clg_kind *kind, void *object, size_t weight);
// The object at `index` if it is of that kind, else NULL. Raises never.
void *clg_object_at(lua_State *L, int index, const clg_kind *kind);
// Pushes the kind's metatable in this state; 1 when it was made just now and has no methods yet. It is locked.
int clg_push_kind(lua_State *L, const clg_kind *kind);

// json.null, the same light userdata in every state, and the registry key of json.array's mark.
void *clg_json_null(void);
const void *clg_json_array_key(void);
