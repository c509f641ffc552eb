// The matcher of Lua 5.4's lstrlib.c (Copyright (C) 1994-2024 Lua.org, PUC-Rio; MIT licence), without a state: it counts
// its steps, and an error ends the match instead of being raised.
#include "include/clg_pattern.h"
#include <ctype.h>
#include <string.h>

enum { MOST_CAPTURES = 32, MOST_NESTED = 200, ESCAPE = '%', UNFINISHED = -1, POSITION = -2 };

typedef struct {
  const char *text, *text_end, *pattern_end, *problem;
  long steps;
  int depth, level;
  struct {
    const char *start;
    ptrdiff_t length;
  } capture[MOST_CAPTURES];
} match_state;

static const char *match(match_state *m, const char *s, const char *p);

static const char *fail(match_state *m, const char *problem) {
  if (!m->problem) m->problem = problem;
  return NULL;
}

static const char too_long[] = "too long";
static int step(match_state *m) {
  if (--m->steps > 0) return 1;
  fail(m, too_long);
  return 0;
}

// ---------------------------------------------------------------------------------------------- classes
static const char *class_end(match_state *m, const char *p) {
  if (p == m->pattern_end) return fail(m, "malformed pattern (ends too early)");
  switch (*p++) {
  case ESCAPE:
    if (p == m->pattern_end) return fail(m, "malformed pattern (ends with '%')");
    return p + 1;
  case '[':
    if (p < m->pattern_end && *p == '^') p++;
    do { // look for a ']'
      if (p == m->pattern_end) return fail(m, "malformed pattern (missing ']')");
      if (*p++ == ESCAPE) {
        if (p == m->pattern_end) return fail(m, "malformed pattern (missing ']')");
        p++;
      }
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
  default:
    return p;
  }
}

static int in_class(int c, int class) {
  int in;
  switch (tolower(class)) {
  case 'a': in = isalpha(c); break;
  case 'c': in = iscntrl(c); break;
  case 'd': in = isdigit(c); break;
  case 'g': in = isgraph(c); break;
  case 'l': in = islower(c); break;
  case 'p': in = ispunct(c); break;
  case 's': in = isspace(c); break;
  case 'u': in = isupper(c); break;
  case 'w': in = isalnum(c); break;
  case 'x': in = isxdigit(c); break;
  default: return class == c;
  }
  return isupper(class) ? !in : in != 0;
}

static int in_set(int c, const char *p, const char *last) { // p at '[', last at ']'
  int found = 1;
  if (p[1] == '^') {
    found = 0;
    p++;
  }
  while (++p < last) {
    if (*p == ESCAPE) {
      p++;
      if (in_class(c, (unsigned char)*p)) return found;
    } else if (p[1] == '-' && p + 2 < last) {
      p += 2;
      if ((unsigned char)p[-2] <= c && c <= (unsigned char)*p) return found;
    } else if ((unsigned char)*p == c) {
      return found;
    }
  }
  return !found;
}

static int single_match(match_state *m, const char *s, const char *p, const char *end) {
  if (s >= m->text_end || !step(m)) return 0;
  int c = (unsigned char)*s;
  switch (*p) {
  case '.': return 1;
  case ESCAPE: return in_class(c, (unsigned char)p[1]);
  case '[': return in_set(c, p, end - 1);
  default: return (unsigned char)*p == c;
  }
}

// ---------------------------------------------------------------------------------------------- items
static const char *match_balance(match_state *m, const char *s, const char *p) {
  if (m->pattern_end - p < 2) return fail(m, "malformed pattern (missing arguments to '%b')");
  if (s >= m->text_end || *s != *p) return NULL;
  int open = *p, close = p[1], depth = 1;
  while (++s < m->text_end && step(m)) {
    if (*s == close) {
      if (--depth == 0) return s + 1;
    } else if (*s == open) {
      depth++;
    }
  }
  return NULL;
}

static const char *most_first(match_state *m, const char *s, const char *p, const char *end) {
  ptrdiff_t i = 0;
  while (single_match(m, s + i, p, end)) i++;
  for (; i >= 0 && !m->problem; i--) {
    const char *result = match(m, s + i, end + 1);
    if (result) return result;
  }
  return NULL;
}

static const char *fewest_first(match_state *m, const char *s, const char *p, const char *end) {
  while (!m->problem) {
    const char *result = match(m, s, end + 1);
    if (result) return result;
    if (!single_match(m, s, p, end)) return NULL;
    s++;
  }
  return NULL;
}

static const char *start_capture(match_state *m, const char *s, const char *p, ptrdiff_t what) {
  if (m->level >= MOST_CAPTURES) return fail(m, "too many captures");
  m->capture[m->level].start = s;
  m->capture[m->level].length = what;
  m->level++;
  const char *result = match(m, s, p);
  if (!result) m->level--;
  return result;
}

static const char *end_capture(match_state *m, const char *s, const char *p) {
  int level = m->level;
  while (--level >= 0 && m->capture[level].length != UNFINISHED) {}
  if (level < 0) return fail(m, "invalid pattern capture");
  m->capture[level].length = s - m->capture[level].start;
  const char *result = match(m, s, p);
  if (!result) m->capture[level].length = UNFINISHED;
  return result;
}

static const char *match_capture(match_state *m, const char *s, int digit) {
  int level = digit - '1';
  if (level < 0 || level >= m->level || m->capture[level].length == UNFINISHED) return fail(m, "invalid capture index");
  size_t length = m->capture[level].length < 0 ? 0 : (size_t)m->capture[level].length;
  m->steps -= (long)length;
  if ((size_t)(m->text_end - s) >= length && memcmp(m->capture[level].start, s, length) == 0) return s + length;
  return NULL;
}

static const char *match_frontier(match_state *m, const char *s, const char *p, const char **next) {
  if (p == m->pattern_end || *p != '[') return fail(m, "missing '[' after '%f' in pattern");
  const char *end = class_end(m, p);
  if (!end) return NULL;
  *next = end;
  int before = s == m->text ? 0 : (unsigned char)s[-1], here = s < m->text_end ? (unsigned char)*s : 0;
  return !in_set(before, p, end - 1) && in_set(here, p, end - 1) ? s : NULL;
}

// ---------------------------------------------------------------------------------------------- match
static const char *match_items(match_state *m, const char *s, const char *p) {
  while (p != m->pattern_end) {
    if (!step(m)) return NULL;
    if (*p == '(') return p + 1 < m->pattern_end && p[1] == ')' ? start_capture(m, s, p + 2, POSITION) : start_capture(m, s, p + 1, UNFINISHED);
    if (*p == ')') return end_capture(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pattern_end) return s == m->text_end ? s : NULL;
    if (*p == ESCAPE && p + 1 < m->pattern_end) {
      if (p[1] == 'b') {
        s = match_balance(m, s, p + 2);
        if (!s) return NULL;
        p += 4;
        continue;
      }
      if (p[1] == 'f') {
        const char *next = NULL;
        s = match_frontier(m, s, p + 2, &next);
        if (!s) return NULL;
        p = next;
        continue;
      }
      if (isdigit((unsigned char)p[1])) {
        s = match_capture(m, s, (unsigned char)p[1]);
        if (!s) return NULL;
        p += 2;
        continue;
      }
    }
    const char *end = class_end(m, p);
    if (!end) return NULL;
    char suffix = end < m->pattern_end ? *end : '\0';
    if (suffix == '*') return most_first(m, s, p, end);
    if (suffix == '-') return fewest_first(m, s, p, end);
    int fits = single_match(m, s, p, end);
    if (suffix == '+') return fits ? most_first(m, s + 1, p, end) : NULL;
    if (suffix == '?') {
      const char *result = fits ? match(m, s + 1, end + 1) : NULL;
      if (result || m->problem) return result;
      p = end + 1;
      continue;
    }
    if (!fits) return NULL;
    s++;
    p = end;
  }
  return s;
}

static const char *match(match_state *m, const char *s, const char *p) {
  if (m->depth++ >= MOST_NESTED) return fail(m, "pattern too complex");
  const char *result = match_items(m, s, p);
  m->depth--;
  return result;
}

int clg_pattern_find(const char *text, size_t text_length, const char *pattern, size_t pattern_length, long steps, const char **problem) {
  match_state m = {.text = text, .text_end = text + text_length, .pattern_end = pattern + pattern_length, .steps = steps};
  int anchored = pattern_length > 0 && *pattern == '^';
  if (anchored) pattern++;
  const char *s = text;
  do {
    m.level = 0;
    m.depth = 0;
    if (match(&m, s, pattern)) {
      for (int i = 0; i < m.level; i++)
        if (m.capture[i].length == UNFINISHED) {
          *problem = "unfinished capture";
          return CLG_PATTERN_BAD;
        }
      return CLG_PATTERN_FOUND;
    }
    if (m.problem) {
      *problem = m.problem;
      return m.problem == too_long ? CLG_PATTERN_LONG : CLG_PATTERN_BAD;
    }
  } while (s++ < m.text_end && !anchored);
  return CLG_PATTERN_NONE;
}
