// Lua patterns without a Lua state: bounded, and nothing is raised.
#pragma once
#include <stddef.h>

enum clg_pattern { CLG_PATTERN_NONE = 0, CLG_PATTERN_FOUND = 1, CLG_PATTERN_BAD = -1, CLG_PATTERN_LONG = -2 };

// Whether `string.find(text, pattern)` finds something. CLG_PATTERN_BAD: the pattern itself is malformed, `*problem`
// says how; CLG_PATTERN_LONG: it took more than `*steps` steps. `*steps` becomes the number of those that are left.
int clg_pattern_find(const char *text, size_t text_length, const char *pattern, size_t pattern_length, long *steps, const char **problem);
