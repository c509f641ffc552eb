#include "include/clg_utf8.h"

size_t clg_ascii_prefix(const uint8_t *text, size_t length) {
  size_t i = 0;
#if defined(__SSE2__)
  for (; i + 64 <= length; i += 64) {
    const __m128i *block = (const __m128i *)(text + i);
    __m128i a = _mm_or_si128(_mm_loadu_si128(block), _mm_loadu_si128(block + 1));
    __m128i b = _mm_or_si128(_mm_loadu_si128(block + 2), _mm_loadu_si128(block + 3));
    if (_mm_movemask_epi8(_mm_or_si128(a, b))) break;
  }
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

int clg_utf8_valid_from(const uint8_t *text, size_t length) {
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
