// The matcher of Lua patterns behind `string` and behind the schema's patterns.
#pragma once
#include "internal.h"
#include "clg_pattern.h"

enum { CLG_CAPTURES = 32, CLG_ATTEMPTS = 199 }; // as deep as Lua's own matcher goes: 200 calls of `match`
enum { CLG_CAPTURE_OPEN = -1, CLG_CAPTURE_POSITION = -2 };

// What is left to try when the rest of the pattern does not fit.
typedef struct clg_attempt {
  const char *text, *item; // where the item began in the text; the item
  ptrdiff_t count;         // MOST: repetitions; CLOSE: the capture
  int length, kind;        // of the item in the pattern; enum attempt_kind
} clg_attempt;

enum clg_outcome { CLG_NO_MATCH = 0, CLG_MATCH = 1, CLG_BAD = -1, CLG_PAUSED = 2 };

typedef struct clg_matcher {
  lua_State *L;            // whose error a bad pattern is; NULL: it is told in `problem`
  const char *text, *text_end, *pattern, *pattern_end;
  const char *start, *end; // where the search begins, then the match
  const char *refused;     // a match that ends here is none: the one before ended here
  const char *problem;
  long steps;              // until the next poll; without a state: until the end
  int anchored, level;
  struct {
    const char *start;
    ptrdiff_t length;      // or CLG_CAPTURE_…
  } capture[CLG_CAPTURES];
  // Where to go on after a pause.
  const clg_attempt *saved;
  const char *at, *item;
  int depth, stage;
} clg_matcher;

// A leading '^' is taken off the pattern where `anchors` is true.
void clg_matcher_init(clg_matcher *m, lua_State *L, const char *text, size_t text_length, const char *pattern, size_t pattern_length, int anchors);
// Looks for the first match that begins at `start` or later. CLG_PAUSED (only with a state): the slice is over and a
// value was pushed that the matcher points to; call again with both kept and everything else as it was.
int clg_search(clg_matcher *m);
