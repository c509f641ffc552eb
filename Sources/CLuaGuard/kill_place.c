// Where a run was when its limit struck: noted while its functions are still on the stack.
#include "internal.h"
#include <stdio.h>

// The innermost Lua line of `L`; false, and nothing changed, where only C runs.
int clg_note_place(clg_watch *watch, lua_State *L) {
  lua_Debug activation;
  for (int level = 0; lua_getstack(L, level, &activation); level++) {
    if (!lua_getinfo(L, "Sl", &activation) || activation.currentline <= 0) continue;
    snprintf(watch->killed_file, sizeof watch->killed_file, "%s", activation.short_src);
    watch->killed_line = activation.currentline;
    watch->killed_run = watch->run;
    return 1;
  }
  return 0;
}

void clg_kill(clg_watch *watch, lua_State *L, int end) {
  watch->run->killed = end;
  if (!clg_note_place(watch, L)) watch->killed_run = NULL;
}

#ifdef CHAINLUA_MEMORY_ERROR
// Nothing handles a memory error before the stack has unwound, so Lua itself tells where it is raised.
static void memory_error(lua_State *L) {
  clg_watch *watch = clg_thread_watch;
  if (watch && watch->run && !watch->run->killed) clg_note_place(watch, L);
}

__attribute__((constructor)) static void listen(void) { chainlua_memory_error = memory_error; }
#endif
