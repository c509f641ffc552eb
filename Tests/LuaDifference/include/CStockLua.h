#pragma once
#include <stddef.h>
#include <stdlib.h>

typedef struct stock_lua stock_lua;
stock_lua *stock_open(const char *chunk, size_t length); // the chunk returns a function; NULL when it does not
void stock_close(stock_lua *stock);
const char *stock_case(stock_lua *stock, long long number, size_t *length); // what the function gives for a number
const char *stock_call(stock_lua *stock, const char *text, size_t text_length, size_t *length); // for a string
