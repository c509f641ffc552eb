// Decimal numbers.
#pragma once
#include <stddef.h>
#include <stdint.h>

// digits * 10^exponent, rounded to the nearest double, when that is quick to do exactly; 0 when it is not.
int clg_decimal(uint64_t digits, int exponent, double *result);

// Writes a positive double as the decimal of fewest digits that reads back as the same, always with a point; at most 40
// bytes. Returns how many, or 0 where that is not quick: below 1e-6, from 1e15 on, and at powers of two.
size_t clg_shortest(double value, char *to);
