#include "CLuaGuard.h"

const char *clg_lua_identification(void) { return lua_ident; }

int clg_lua_is_fixed(void) {
#ifdef CHAINLUA
  return 1;
#else
  return 0;
#endif
}
