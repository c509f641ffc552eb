// The matcher of Lua 5.4's lstrlib.c (Copyright (C) 1994-2024 Lua.org, PUC-Rio; MIT licence), changed in four ways: its
// recursion is a bounded array of attempts, so that it can pause and go on later; it counts its steps and asks now and
// then whether the run is to be ended; it needs no Lua state; and it reads character classes from a table, in the C locale.
#include "matcher.h"

enum { ESCAPE = '%' };
enum attempt_kind { MOST, FEWEST, OPTIONAL, OPEN, CLOSE };
enum stage { FRESH, ITEM, GROWING, FAILING };

// ---------------------------------------------------------------------------------------------- classes
enum { ALPHA = 1, CONTROL = 2, DIGIT = 4, LOWER = 8, PUNCTUATION = 16, SPACE = 32, UPPER = 64, HEX = 128 };
static const uint8_t kinds[256] = {
  [0 ... 8] = CONTROL, [9 ... 13] = CONTROL | SPACE, [14 ... 31] = CONTROL, [' '] = SPACE,
  ['!' ... '/'] = PUNCTUATION, ['0' ... '9'] = DIGIT | HEX, [':' ... '@'] = PUNCTUATION,
  ['A' ... 'F'] = ALPHA | UPPER | HEX, ['G' ... 'Z'] = ALPHA | UPPER, ['[' ... '`'] = PUNCTUATION,
  ['a' ... 'f'] = ALPHA | LOWER | HEX, ['g' ... 'z'] = ALPHA | LOWER, ['{' ... '~'] = PUNCTUATION, [127] = CONTROL,
};
static const uint8_t classes[256] = {
  ['a'] = ALPHA, ['c'] = CONTROL, ['d'] = DIGIT, ['g'] = ALPHA | DIGIT | PUNCTUATION, ['l'] = LOWER, ['p'] = PUNCTUATION,
  ['s'] = SPACE, ['u'] = UPPER, ['w'] = ALPHA | DIGIT, ['x'] = HEX,
};

static inline int in_class(uint8_t c, uint8_t class) {
  int is_letter = kinds[class] & ALPHA;
  uint8_t small = is_letter ? class | 0x20 : class;
  int in;
  if (classes[small])
    in = (kinds[c] & classes[small]) != 0;
  else if (small == 'z') // of Lua 5.1, still understood
    in = c == 0;
  else
    return class == c;
  return kinds[class] & UPPER ? !in : in;
}

static int in_set(uint8_t c, const char *p, const char *last) { // p at '[', last at ']'
  int found = 1;
  if (p[1] == '^') {
    found = 0;
    p++;
  }
  while (++p < last) {
    if (*p == ESCAPE) {
      p++;
      if (in_class(c, (uint8_t)*p)) return found;
    } else if (p[1] == '-' && p + 2 < last) {
      p += 2;
      if ((uint8_t)p[-2] <= c && c <= (uint8_t)*p) return found;
    } else if ((uint8_t)*p == c) {
      return found;
    }
  }
  return !found;
}

// Whether the character at `s` fits the single item from `p` to `end`.
static inline int fits(const clg_matcher *m, const char *s, const char *p, const char *end) {
  if (s >= m->text_end) return 0;
  uint8_t c = (uint8_t)*s;
  switch (*p) {
  case '.': return 1;
  case ESCAPE: return in_class(c, (uint8_t)p[1]);
  case '[': return in_set(c, p, end - 1);
  default: return (uint8_t)*p == c;
  }
}

static const char *bad(clg_matcher *m, const char *problem) {
  if (m->L) luaL_error(m->L, "%s", problem);
  if (!m->problem) m->problem = problem;
  return NULL;
}

static const char *set_end(clg_matcher *m, const char *p) { // p after '['
  if (p < m->pattern_end && *p == '^') p++;
  do { // look for a ']'
    if (p == m->pattern_end) return bad(m, "malformed pattern (missing ']')");
    if (*p++ == ESCAPE) {
      if (p == m->pattern_end) return bad(m, "malformed pattern (missing ']')");
      p++;
    }
  } while (p == m->pattern_end || *p != ']');
  return p + 1;
}

static inline const char *item_end(clg_matcher *m, const char *p) {
  if (*p == ESCAPE) return p + 1 == m->pattern_end ? bad(m, "malformed pattern (ends with '%')") : p + 2;
  return *p == '[' ? set_end(m, p + 1) : p + 1;
}

// ---------------------------------------------------------------------------------------------- items
// These give where the text goes on, or NULL; a malformed pattern is in `problem`.
static const char *match_balance(clg_matcher *m, const char *s, const char *p, long *steps) {
  if (m->pattern_end - p < 2) return bad(m, "malformed pattern (missing arguments to '%b')");
  if (s >= m->text_end || *s != *p) return NULL;
  const char *from = s;
  int open = *p, close = p[1];
  size_t depth = 1;
  while (++s < m->text_end) {
    if (*s == close) {
      if (--depth == 0) break;
    } else if (*s == open) {
      depth++;
    }
  }
  *steps -= s - from;
  return s < m->text_end ? s + 1 : NULL;
}

static const char *match_frontier(clg_matcher *m, const char *s, const char *p, const char **next) {
  if (p == m->pattern_end || *p != '[') return bad(m, "missing '[' after '%f' in pattern");
  const char *end = item_end(m, p);
  if (!end) return NULL;
  *next = end;
  uint8_t before = s == m->text ? 0 : (uint8_t)s[-1], here = s < m->text_end ? (uint8_t)*s : 0;
  return !in_set(before, p, end - 1) && in_set(here, p, end - 1) ? s : NULL;
}

static const char *match_capture(clg_matcher *m, const char *s, int digit, long *steps) {
  int level = digit - '1';
  if (level < 0 || level >= m->level || m->capture[level].length == CLG_CAPTURE_OPEN) {
    if (m->L) luaL_error(m->L, "invalid capture index %%%d", level + 1);
    return bad(m, "invalid capture index");
  }
  size_t length = (size_t)m->capture[level].length; // a position's is larger than any text: it never fits
  if ((size_t)(m->text_end - s) < length) return NULL;
  *steps -= (long)(length >> 4);
  return memcmp(m->capture[level].start, s, length) == 0 ? s + length : NULL;
}

static int open_capture(const clg_matcher *m) {
  int level = m->level;
  while (--level >= 0 && m->capture[level].length != CLG_CAPTURE_OPEN) {}
  return level;
}

// How often the item fits from `s + count` on, or as far as the steps go.
static ptrdiff_t grow(const clg_matcher *m, const clg_attempt *attempt, long *steps) {
  const char *s = attempt->text + attempt->count, *p = attempt->item, *end = p + attempt->length;
  const char *stop = m->text_end - s > *steps ? s + *steps : m->text_end, *from = s;
  switch (*p) {
  case '.': s = stop; break;
  case ESCAPE:
    while (s < stop && in_class((uint8_t)*s, (uint8_t)p[1])) s++;
    break;
  case '[': {
    long cost = attempt->length >> 3; // a long set is looked through for each character
    while (s < stop && *steps > 0 && in_set((uint8_t)*s, p, end - 1)) {
      s++;
      *steps -= cost;
    }
    break;
  }
  default:
    while (s < stop && *s == *p) s++;
  }
  *steps -= s - from;
  return s - attempt->text;
}

// ---------------------------------------------------------------------------------------------- the search
static const char too_long[] = "too long";

// The steps are spent: asks whether to go on. True: pause here.
static int is_over(clg_matcher *m) {
  if (!m->L) return bad(m, too_long) == NULL;
  m->steps = CLG_POLL_STEPS;
  return clg_poll(m->L);
}

static int pause_search(clg_matcher *m, const clg_attempt *attempts, int depth, const char *s, const char *p, int stage) {
  if (!m->L) return CLG_BAD;
  clg_attempt *saved = lua_newuserdatauv(m->L, (size_t)depth * sizeof *saved, 0);
  memcpy(saved, attempts, (size_t)depth * sizeof *saved);
  m->saved = saved;
  m->depth = depth;
  m->at = s;
  m->item = p;
  m->stage = stage;
  return CLG_PAUSED;
}

// The first place at or after `s` where a match can begin, by the pattern's first character if that must be there.
static const char *candidate(const clg_matcher *m, const char *s) {
  const char *p = m->pattern;
  if (m->anchored || p == m->pattern_end || s >= m->text_end || strchr("^$*+?.([%-)", *p)) return s;
  if (p + 1 < m->pattern_end && (p[1] == '*' || p[1] == '?' || p[1] == '-')) return s;
  if (*s == *p) return s;
  const char *found = memchr(s, *p, (size_t)(m->text_end - s));
  return found ? found : m->text_end;
}

#define POLL(stage) \
  if (steps <= 0) { \
    if (is_over(m)) return pause_search(m, attempts, depth, s, p, stage); \
    steps = m->steps; \
  }
#define TRY(...) \
  if (depth == CLG_ATTEMPTS) { \
    bad(m, "pattern too complex"); \
    return CLG_BAD; \
  } \
  attempts[depth++] = (clg_attempt){__VA_ARGS__};

static int search(clg_matcher *m, clg_attempt *attempts) {
  int depth = m->depth;
  long steps = m->steps;
  const char *s = m->at, *p = m->item, *end, *next;
  switch (m->stage) {
  case ITEM: goto item;
  case GROWING: goto growing;
  case FAILING: goto failing;
  }

start:
  s = m->start = candidate(m, m->start);
  p = m->pattern;
  m->level = depth = 0;

item:
  steps--;
  POLL(ITEM)
  if (p == m->pattern_end) goto success;
  switch (*p) {
  case '(':
    if (m->level == CLG_CAPTURES) {
      bad(m, "too many captures");
      return CLG_BAD;
    }
    int is_position = p + 1 < m->pattern_end && p[1] == ')';
    m->capture[m->level].start = s;
    m->capture[m->level++].length = is_position ? CLG_CAPTURE_POSITION : CLG_CAPTURE_OPEN;
    TRY(.kind = OPEN)
    p += 1 + is_position;
    goto item;
  case ')': {
    int level = open_capture(m);
    if (level < 0) {
      bad(m, "invalid pattern capture");
      return CLG_BAD;
    }
    m->capture[level].length = s - m->capture[level].start;
    TRY(.kind = CLOSE, .count = level)
    p++;
    goto item;
  }
  case '$':
    if (p + 1 != m->pattern_end) break;
    if (s == m->text_end) goto success;
    goto failing;
  case ESCAPE:
    if (p + 1 == m->pattern_end) break;
    if (p[1] == 'b') {
      s = match_balance(m, s, p + 2, &steps);
      p += 4;
    } else if (p[1] == 'f') {
      next = NULL;
      s = match_frontier(m, s, p + 2, &next);
      steps -= next ? (next - p) >> 3 : 0;
      p = next;
    } else if (kinds[(uint8_t)p[1]] & DIGIT) {
      s = match_capture(m, s, (uint8_t)p[1], &steps);
      p += 2;
    } else {
      break;
    }
    if (s) goto item;
    if (m->problem) return CLG_BAD;
    goto failing;
  }

  end = item_end(m, p); // a single item, and how often
  if (!end) return CLG_BAD;
  if (*p == '[') steps -= (end - p) >> 3;
  switch (end < m->pattern_end ? *end : '\0') {
  case '?':
    if (fits(m, s, p, end)) {
      TRY(.kind = OPTIONAL, .text = s, .item = p, .length = (int)(end - p))
      s++;
    }
    p = end + 1;
    goto item;
  case '+':
    if (!fits(m, s, p, end)) goto failing;
    s++;
    // fallthrough
  case '*':
    TRY(.kind = MOST, .text = s, .item = p, .length = (int)(end - p))
    goto growing;
  case '-':
    TRY(.kind = FEWEST, .text = s, .item = p, .length = (int)(end - p))
    p = end + 1;
    goto item;
  default:
    if (!fits(m, s, p, end)) goto failing;
    s++;
    p = end;
    goto item;
  }

growing:
  attempts[depth - 1].count = grow(m, &attempts[depth - 1], &steps);
  if (steps <= 0) {
    POLL(GROWING)
    goto growing;
  }
  s = attempts[depth - 1].text + attempts[depth - 1].count;
  p = attempts[depth - 1].item + attempts[depth - 1].length + 1;
  goto item;

failing:
  steps--;
  POLL(FAILING)
  if (depth == 0) goto next_start;
  clg_attempt *last = &attempts[depth - 1];
  switch (last->kind) {
  case MOST:
    if (--last->count >= 0) {
      s = last->text + last->count;
      p = last->item + last->length + 1;
      goto item;
    }
    break;
  case FEWEST:
    if (fits(m, last->text, last->item, last->item + last->length)) {
      if (*last->item == '[') steps -= last->length >> 3;
      s = ++last->text;
      p = last->item + last->length + 1;
      goto item;
    }
    break;
  case OPTIONAL:
    depth--;
    s = last->text;
    p = last->item + last->length + 1;
    goto item;
  case OPEN: m->level--; break;
  case CLOSE: m->capture[last->count].length = CLG_CAPTURE_OPEN; break;
  }
  depth--;
  goto failing;

success:
  if (s != m->refused) {
    m->end = s;
    m->steps = steps;
    return CLG_MATCH;
  }
next_start:
  if (m->anchored || m->start >= m->text_end) {
    m->steps = steps;
    return CLG_NO_MATCH;
  }
  m->start++;
  goto start;
}

int clg_search(clg_matcher *m) {
  clg_attempt attempts[CLG_ATTEMPTS];
  if (m->stage != FRESH) memcpy(attempts, m->saved, (size_t)m->depth * sizeof *attempts);
  int outcome = search(m, attempts);
  if (outcome != CLG_PAUSED) m->stage = FRESH;
  return outcome;
}

void clg_matcher_init(clg_matcher *m, lua_State *L, const char *text, size_t text_length, const char *pattern, size_t pattern_length, int anchors) {
  m->anchored = anchors && pattern_length > 0 && *pattern == '^';
  m->L = L;
  m->text = m->start = text;
  m->text_end = text + text_length;
  m->pattern = pattern + m->anchored;
  m->pattern_end = pattern + pattern_length;
  m->refused = m->problem = NULL;
  m->steps = CLG_POLL_STEPS;
  m->level = m->depth = m->stage = 0;
  m->at = m->item = NULL;
}

int clg_pattern_find(const char *text, size_t text_length, const char *pattern, size_t pattern_length, long *steps, const char **problem) {
  clg_matcher m;
  clg_matcher_init(&m, NULL, text, text_length, pattern, pattern_length, 1);
  m.steps = *steps;
  int outcome = clg_search(&m);
  *steps = m.steps > 0 ? m.steps : 0;
  if (outcome == CLG_MATCH) {
    if (open_capture(&m) < 0) return CLG_PATTERN_FOUND;
    *problem = "unfinished capture";
    return CLG_PATTERN_BAD;
  }
  if (outcome == CLG_NO_MATCH) return CLG_PATTERN_NONE;
  *problem = m.problem;
  return m.problem == too_long ? CLG_PATTERN_LONG : CLG_PATTERN_BAD;
}
