#include "include/clg_utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static size_t ascii_blocks(const uint8_t *text, size_t length) {
  size_t i = 0;
  for (; i + 128 <= length; i += 128) {
    const __m256i *block = (const __m256i *)(text + i);
    __m256i a = _mm256_or_si256(_mm256_loadu_si256(block), _mm256_loadu_si256(block + 1));
    __m256i b = _mm256_or_si256(_mm256_loadu_si256(block + 2), _mm256_loadu_si256(block + 3));
    if (_mm256_movemask_epi8(_mm256_or_si256(a, b))) break;
  }
  return i;
}

static size_t ascii_blocks_plain(const uint8_t *text, size_t length) {
  size_t i = 0;
  for (; i + 64 <= length; i += 64) {
    const __m128i *block = (const __m128i *)(text + i);
    __m128i a = _mm_or_si128(_mm_loadu_si128(block), _mm_loadu_si128(block + 1));
    __m128i b = _mm_or_si128(_mm_loadu_si128(block + 2), _mm_loadu_si128(block + 3));
    if (_mm_movemask_epi8(_mm_or_si128(a, b))) break;
  }
  return i;
}

static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#endif

size_t clg_ascii_prefix(const uint8_t *text, size_t length) {
  size_t i = 0;
#if defined(__x86_64__)
  i = has_avx2() ? ascii_blocks(text, length) : ascii_blocks_plain(text, length);
#else
  for (; i + 32 <= length; i += 32) {
    uint64_t words[4];
    memcpy(words, text + i, 32);
    if ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) break;
  }
#endif
  while (i < length && text[i] < 0x80) i++;
  return i;
}

static inline int is_tail(uint8_t byte) { return (byte & 0xC0) == 0x80; }

static int valid_one_by_one(const uint8_t *text, size_t length) {
  size_t i = 0;
  while (i < length) {
    uint8_t lead = text[i];
    if (lead < 0x80) {
      uint64_t word;
      if (i + 8 <= length && (memcpy(&word, text + i, 8), !(word & 0x8080808080808080u)))
        i += 8;
      else
        i++;
    } else if (lead < 0xE0) {
      if (lead < 0xC2 || length - i < 2 || !is_tail(text[i + 1])) return 0;
      i += 2;
    } else if (lead < 0xF0) {
      if (length - i < 3 || !is_tail(text[i + 1]) || !is_tail(text[i + 2])) return 0;
      if (lead == 0xE0 && text[i + 1] < 0xA0) return 0;  // overlong
      if (lead == 0xED && text[i + 1] >= 0xA0) return 0; // surrogates
      i += 3;
    } else {
      if (lead > 0xF4 || length - i < 4 || !is_tail(text[i + 1]) || !is_tail(text[i + 2]) || !is_tail(text[i + 3])) return 0;
      if (lead == 0xF0 && text[i + 1] < 0x90) return 0;  // overlong
      if (lead == 0xF4 && text[i + 1] >= 0x90) return 0; // above U+10FFFF
      i += 4;
    }
  }
  return 1;
}

#if defined(__x86_64__)
// Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte": three lookups by half bytes say which
// errors a pair of neighbours may be; an error is one that all three agree on.
enum {
  TOO_SHORT = 1 << 0, TOO_LONG = 1 << 1, OVERLONG_3 = 1 << 2, SURROGATE = 1 << 4, OVERLONG_2 = 1 << 5, TWO_TAILS = 1 << 7,
  TOO_LARGE = 1 << 3, TOO_LARGE_1000 = 1 << 6, OVERLONG_4 = 1 << 6, CARRY = TOO_SHORT | TOO_LONG | TWO_TAILS,
};
#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define BEFORE(block, previous, n) _mm256_alignr_epi8(block, _mm256_permute2x128_si256(previous, block, 0x21), 16 - (n))

__attribute__((target("avx2"))) static inline __m256i utf8_errors(__m256i block, __m256i previous) {
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  const __m256i first_high = TWICE(
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, (char)TWO_TAILS, (char)TWO_TAILS, (char)TWO_TAILS,
    (char)TWO_TAILS, TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
  const __m256i first_low = TWICE(
    (char)(CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), (char)(CARRY | OVERLONG_2), (char)CARRY, (char)CARRY, (char)(CARRY | TOO_LARGE),
    (char)(CARRY | TOO_LARGE | TOO_LARGE_1000), (char)(CARRY | TOO_LARGE | TOO_LARGE_1000), (char)(CARRY | TOO_LARGE | TOO_LARGE_1000),
    (char)(CARRY | TOO_LARGE | TOO_LARGE_1000), (char)(CARRY | TOO_LARGE | TOO_LARGE_1000), (char)(CARRY | TOO_LARGE | TOO_LARGE_1000),
    (char)(CARRY | TOO_LARGE | TOO_LARGE_1000), (char)(CARRY | TOO_LARGE | TOO_LARGE_1000),
    (char)(CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE), (char)(CARRY | TOO_LARGE | TOO_LARGE_1000),
    (char)(CARRY | TOO_LARGE | TOO_LARGE_1000));
  const __m256i second_high = TWICE(
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    (char)(TOO_LONG | OVERLONG_2 | TWO_TAILS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4),
    (char)(TOO_LONG | OVERLONG_2 | TWO_TAILS | OVERLONG_3 | TOO_LARGE), (char)(TOO_LONG | OVERLONG_2 | TWO_TAILS | SURROGATE | TOO_LARGE),
    (char)(TOO_LONG | OVERLONG_2 | TWO_TAILS | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
  __m256i one_before = BEFORE(block, previous, 1);
  __m256i pairs = _mm256_and_si256(
    _mm256_and_si256(
      _mm256_shuffle_epi8(first_high, _mm256_and_si256(_mm256_srli_epi16(one_before, 4), nibble)),
      _mm256_shuffle_epi8(first_low, _mm256_and_si256(one_before, nibble))),
    _mm256_shuffle_epi8(second_high, _mm256_and_si256(_mm256_srli_epi16(block, 4), nibble)));
  __m256i third = _mm256_subs_epu8(BEFORE(block, previous, 2), _mm256_set1_epi8((char)(0xE0 - 0x80)));
  __m256i fourth = _mm256_subs_epu8(BEFORE(block, previous, 3), _mm256_set1_epi8((char)(0xF0 - 0x80)));
  __m256i must_be_tails = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
  return _mm256_xor_si256(must_be_tails, pairs);
}

__attribute__((target("avx2"))) static int valid_by_blocks(const uint8_t *text, size_t length) {
  __m256i previous = _mm256_setzero_si256(), errors = previous;
  size_t i = 0;
  for (; i + 32 <= length; i += 32) {
    __m256i block = _mm256_loadu_si256((const __m256i *)(text + i));
    errors = _mm256_or_si256(errors, utf8_errors(block, previous));
    previous = block;
  }
  uint8_t rest[32] = {0}; // zeros behind the end show a sequence that is cut there
  memcpy(rest, text + i, length - i);
  errors = _mm256_or_si256(errors, utf8_errors(_mm256_loadu_si256((const __m256i *)rest), previous));
  return _mm256_testz_si256(errors, errors);
}
#endif

int clg_utf8_valid_from(const uint8_t *text, size_t length) {
#if defined(__x86_64__)
  if (length >= 64 && has_avx2()) return valid_by_blocks(text, length);
#endif
  return valid_one_by_one(text, length);
}

size_t clg_utf8_count(const uint8_t *text, size_t length) {
  size_t tails = 0;
  for (size_t i = 0; i < length; i++) tails += is_tail(text[i]); // the compiler does 16 at a time
  return length - tails;
}

size_t clg_json_plain_or_high(const uint8_t *text, size_t length, int *high) {
  size_t i = 0;
  uint8_t seen = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
  __m128i all = _mm_setzero_si128();
  for (; i + 16 <= length; i += 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(text + i));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, last_control), block);
    __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)), control);
    if (_mm_movemask_epi8(special)) break;
    all = _mm_or_si128(all, block);
  }
  if (_mm_movemask_epi8(all)) seen = 0x80;
#endif
  for (; i < length && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\'; i++) seen |= text[i];
  if (seen & 0x80) *high = 1;
  return i;
}
