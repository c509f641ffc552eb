"""The hello chain in Baseten's chains framework, run locally: for each number on stdin greets as many names as the
argument says, all at once, so often, and prints the nanoseconds of one request."""

import asyncio
import sys
import time

import truss_chains as chains


class SayHello(chains.ChainletBase):
    async def run_remote(self, name: str) -> str:
        return f"Hello, {name}"


@chains.mark_entrypoint
class HelloAll(chains.ChainletBase):
    def __init__(self, say_hello: SayHello = chains.depends(SayHello)) -> None:
        self._say_hello = say_hello

    async def run_remote(self, names: list[str]) -> str:
        lines = await asyncio.gather(*(self._say_hello.run_remote(name) for name in names))
        return "\n".join(lines)


async def measure(chain: HelloAll, names: list[str], times: int) -> float:
    start = time.perf_counter_ns()
    for _ in range(times):
        await chain.run_remote(names)
    return (time.perf_counter_ns() - start) / times


def main() -> None:
    names = [f"name {n}" for n in range(1, int(sys.argv[1]) + 1)]
    with chains.run_local():
        chain = HelloAll()
        for line in sys.stdin:
            print(asyncio.run(measure(chain, names, int(line))), flush=True)


main()
