#pragma once
#include <lua.h>

// Pushes onto `to` a copy of the value at `index` of `from`: scalars, lists, and records of up to `fields` fields.
void floor_copy(lua_State *from, int index, lua_State *to, int fields);
