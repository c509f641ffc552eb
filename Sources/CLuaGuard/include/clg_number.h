// Decimal numbers.
#pragma once
#include <stdint.h>

// digits * 10^exponent, rounded to the nearest double, when that is quick to do exactly; 0 when it is not.
int clg_decimal(uint64_t digits, int exponent, double *result);
