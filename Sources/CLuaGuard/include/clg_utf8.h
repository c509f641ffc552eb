// Bytes of text, many at a time: is it UTF-8, how many code points has it, where does a JSON string need a closer look.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

int clg_utf8_valid_from(const uint8_t *text, size_t length); // the general case of clg_utf8_valid
size_t clg_ascii_prefix(const uint8_t *text, size_t length); // for long texts: the bytes before the first block with a byte >= 0x80

// Whether the bytes are UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF.
static inline int clg_utf8_valid(const uint8_t *text, size_t length) {
  if (length >= 64) {
    size_t ascii = clg_ascii_prefix(text, length);
    return ascii == length || clg_utf8_valid_from(text + ascii, length - ascii);
  }
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t word;
    memcpy(&word, text + i, 8);
    if (word & 0x8080808080808080u) return clg_utf8_valid_from(text + i, length - i);
  }
  uint8_t high = 0;
  for (size_t j = i; j < length; j++) high |= text[j];
  return high < 0x80 || clg_utf8_valid_from(text + i, length - i);
}

// The code points of valid UTF-8.
size_t clg_utf8_count(const uint8_t *text, size_t length);

// The bytes before the first quote, backslash, control character or byte >= 0x80, or before `length`. A caller that may
// read 16 bytes past the end says so with `padded`.
static inline size_t clg_json_plain(const uint8_t *text, size_t length, int padded) {
  size_t i = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
  for (; i + 16 <= length || (padded && i < length); i += 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(text + i));
    // A signed comparison: bytes >= 0x80 are negative, so below a space too.
    __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)), _mm_cmplt_epi8(block, space));
    int mask = _mm_movemask_epi8(special);
    if (mask) {
      size_t found = i + (size_t)__builtin_ctz((unsigned)mask);
      return found < length ? found : length;
    }
  }
  if (i > length) return length;
#else
  (void)padded;
  for (; i + 8 <= length; i += 8) {
    uint64_t word, ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    memcpy(&word, text + i, 8);
    uint64_t quotes = word ^ ones * '"', slashes = word ^ ones * '\\';
    if (((quotes - ones) & ~quotes & highs) | ((slashes - ones) & ~slashes & highs) | ((word - ones * 0x20) & highs) | (word & highs)) break;
  }
#endif
  while (i < length && text[i] >= 0x20 && text[i] < 0x80 && text[i] != '"' && text[i] != '\\') i++;
  return i;
}

// The same, but bytes >= 0x80 are passed over: `*high` becomes non-zero when there was one.
size_t clg_json_plain_or_high(const uint8_t *text, size_t length, int *high);

static inline int clg_json_copy_word(uint8_t *to, const uint8_t *from, size_t length, uint64_t *high);

// Copies text that needs no escapes, looking at it on the way; 0 when it does need some, and then `to` holds anything.
// `*high` becomes non-zero when there was a byte >= 0x80.
static inline int clg_json_copy(uint8_t *to, const uint8_t *from, size_t length, uint64_t *high) {
#if defined(__SSE2__)
  if (length >= 16) {
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
    __m128i all = _mm_setzero_si128(), special = all;
    for (size_t i = 0;; i += 16) {
      if (i + 16 > length) {
        if (i == length) break;
        i = length - 16; // the last block overlaps the one before
      }
      __m128i block = _mm_loadu_si128((const __m128i *)(from + i));
      __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, last_control), block);
      special = _mm_or_si128(special, _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)), control));
      all = _mm_or_si128(all, block);
      _mm_storeu_si128((__m128i *)(to + i), block);
    }
    if (_mm_movemask_epi8(special)) return 0;
    *high |= (uint64_t)_mm_movemask_epi8(all);
    return 1;
  }
#endif
  if (length >= 8) {
    size_t i = 0;
    for (; i + 8 < length; i += 8)
      if (!clg_json_copy_word(to + i, from + i, 8, high)) return 0;
    return clg_json_copy_word(to + length - 8, from + length - 8, 8, high);
  }
  return clg_json_copy_word(to, from, length, high);
}

// At most eight bytes.
static inline int clg_json_copy_word(uint8_t *to, const uint8_t *from, size_t length, uint64_t *high) {
  const uint64_t ones = 0x0101010101010101u, highs = ones * 0x80;
  uint64_t word;
  if (length == 8) {
    memcpy(&word, from, 8);
    memcpy(to, &word, 8);
  } else { // made up with spaces
    word = ones * ' ';
    if (length & 4) {
      uint32_t part;
      memcpy(&part, from, 4);
      memcpy(to, &part, 4);
      word = word << 32 | part;
      from += 4;
      to += 4;
    }
    for (size_t i = 0; i < (length & 3); i++) {
      to[i] = from[i];
      word = word << 8 | from[i];
    }
  }
  uint64_t quotes = word ^ ones * '"', slashes = word ^ ones * '\\', low = word & ~highs;
  // Exact for bytes < 0x80; a byte >= 0x80 is none of them.
  uint64_t special = ((quotes & ~highs) + (highs - ones)) & ((slashes & ~highs) + (highs - ones)) & (low + ones * 0x60);
  *high |= word & highs;
  return ((special | word) & highs) == highs;
}

// Whether two runs of bytes are equal; for short ones.
static inline int clg_same(const uint8_t *a, const uint8_t *b, size_t length) {
  uint64_t x, y;
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    memcpy(&x, a + i, 8);
    memcpy(&y, b + i, 8);
    if (x != y) return 0;
  }
  for (; i < length; i++)
    if (a[i] != b[i]) return 0;
  return 1;
}

// Whether a run of bytes comes before another.
static inline int clg_precedes(const void *a, size_t a_length, const void *b, size_t b_length) {
  int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
  return order != 0 ? order < 0 : a_length < b_length;
}

// Copies blocks of 16 bytes: reads and writes up to 15 bytes more than `length`, where both must have room.
static inline void clg_copy_blocks(uint8_t *to, const uint8_t *from, size_t length) {
  size_t i = 0;
  do {
    memcpy(to + i, from + i, 16);
    i += 16;
  } while (i < length);
}
