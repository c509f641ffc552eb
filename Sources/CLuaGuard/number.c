#include "include/clg_number.h"
#include <math.h>

static const uint64_t powers[] = {
  1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u,
  1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
  1000000000000000000u, 10000000000000000000u,
};
static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// The nearest double to (whole + a bit more if `sticky`) * 2^shift: ties to even. The result is a normal number.
static double round_to_double(unsigned __int128 whole, int sticky, int shift) {
  uint64_t top = (uint64_t)(whole >> 64), low = (uint64_t)whole;
  int bits = top ? 128 - __builtin_clzll(top) : 64 - __builtin_clzll(low);
  int drop = bits - 53;
  if (drop <= 0) return ldexp((double)low, shift);
  uint64_t kept = (uint64_t)(whole >> drop);
  unsigned __int128 rest = whole & (((unsigned __int128)1 << drop) - 1), half = (unsigned __int128)1 << (drop - 1);
  if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
  return ldexp((double)kept, shift + drop);
}

int clg_decimal(uint64_t digits, int exponent, double *result) {
  if (digits == 0) {
    *result = 0;
    return 1;
  }
  if (digits <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) { // both factors are exact, one rounding
    *result = exponent < 0 ? (double)digits / exact[-exponent] : (double)digits * exact[exponent];
    return 1;
  }
  if (exponent >= 0 && exponent <= 19) {
    *result = round_to_double((unsigned __int128)digits * powers[exponent], 0, 0);
    return 1;
  }
  if (exponent < 0 && exponent >= -19) { // at least 64 bits of quotient, and whether something was left
    uint64_t divisor = powers[-exponent];
    int left = __builtin_clzll(digits);
    unsigned __int128 scaled = (unsigned __int128)(digits << left) << 64;
    unsigned __int128 quotient = scaled / divisor;
    *result = round_to_double(quotient, quotient * divisor != scaled, -64 - left);
    return 1;
  }
  return 0;
}
