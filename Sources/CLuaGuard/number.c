#include "include/clg_number.h"
#include <math.h>
#include <string.h>

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

// The decimals D / 10^places that read back as `value` = m * 2^-shift are those strictly between its neighbours' halves:
// ((2m - 1) * 10^places, (2m + 1) * 10^places) / 2^(shift + 1). All of that fits 128 bits. Digits are taken off the end
// while a decimal is left between the two ends.
size_t clg_shortest(double value, char *to) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
  int shift = 1075 - (int)(bits >> 52);
  if (!(value >= 1e-6 && value < 1e15) || fraction == 0 || shift < 1) return 0;
  uint64_t m = fraction | (uint64_t)1 << 52;

  int places = 16; // so that there are 16 or 17 digits
  for (double size = value; size < 1; size *= 10) places++;
  for (double size = value; size >= 10; size /= 10) places--;
  unsigned __int128 scale = places <= 19 ? powers[places] : (unsigned __int128)powers[19] * powers[places - 19];
  unsigned __int128 middle = (unsigned __int128)(2 * m) * scale, upper = middle + scale, lower = middle - scale;
  uint64_t high = (uint64_t)(upper >> (shift + 1)), low = (uint64_t)(lower >> (shift + 1)), digits = (uint64_t)(middle >> (shift + 1));
  if ((unsigned __int128)high << (shift + 1) == upper) high--;
  int last = (int)(middle >> shift & 1) * 5; // of the digits taken off, the first: 5 stands for a half or more
  while (places > 1 && high / 10 > low / 10) {
    last = (int)(digits % 10);
    digits /= 10;
    high /= 10;
    low /= 10;
    places--;
  }
  if ((digits == low || last >= 5) && digits < high) digits++;
  while (places > 1 && digits % 10 == 0) {
    digits /= 10;
    places--;
  }

  char text[24];
  int count = 0;
  do {
    text[count++] = (char)('0' + digits % 10);
    digits /= 10;
  } while (digits || count <= places);
  char *end = to;
  while (count > places) *end++ = text[--count];
  *end++ = '.';
  while (count > 0) *end++ = text[--count];
  return (size_t)(end - to);
}
