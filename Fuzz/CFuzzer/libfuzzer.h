// libFuzzer's way in for programs that have a main of their own; the library comes with the compiler.
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *count, char ***words, int (*target)(const uint8_t *data, size_t length));
