"""Reads a JSON file; for each number on stdin decodes and encodes it so often and prints the nanoseconds of one."""

import sys
import time

import orjson

with open(sys.argv[1], "rb") as file:
    text = file.read()
for line in sys.stdin:
    times = int(line)
    start = time.perf_counter_ns()
    for _ in range(times):
        orjson.dumps(orjson.loads(text))
    print((time.perf_counter_ns() - start) / times, flush=True)
