"""Measures shape after shape, some runs each, and prints the medians."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import benchmarks.truth
from benchmarks.truth.bias import bias
from benchmarks.truth.page import CLIENT, NAIVE, Measured, block, summary
from benchmarks.truth.seen import read_seen
from benchmarks.truth.servers import TruthServer, behind_tls, given, metronome, on_core, truthd
from benchmarks.truth.shape import BLAST, SHAPES, Shape

Serve = Callable[[Shape], AbstractContextManager[TruthServer]]


def main() -> None:
    """Print a block per shape, at the end a row for each."""
    asked = _arguments()
    shapes = [SHAPES[n] for n in asked.streams] + ([BLAST] if asked.blast else [])
    found = {}
    for shape in shapes:
        found[shape.name] = _by_client(shape, asked)
        print("\n".join(block(shape.name, asked.loop, found[shape.name])), end="\n\n", flush=True)
    print("\n".join(summary(asked.loop, found)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=benchmarks.truth.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, nargs="*", default=sorted(SHAPES), choices=sorted(SHAPES))
    parser.add_argument("--blast", action="store_true", help="as fast as the sockets take it, too")
    parser.add_argument("--naive", action="store_true", help="the SDK's own loop beside ours")
    parser.add_argument("--tls", action="store_true", help="TLS in front of the server: for the client's cost only")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    server = parser.add_mutually_exclusive_group()
    server.add_argument("--truthd", help="path of truthd's binary")
    server.add_argument("--url", help="base URL of a server with a truth log; needs --log")
    parser.add_argument("--log", type=Path, help="its log; needs --url")
    asked = parser.parse_args()
    if (asked.url is None) != (asked.log is None):
        given, missing = ("--url", "--log") if asked.log is None else ("--log", "--url")
        parser.error(f"{given} without {missing}: give both, the server and the file in which it logs what it sends")
    if asked.runs < 1:
        parser.error(f"--runs {asked.runs}: at least one run has a median")
    return asked


def _by_client(shape: Shape, asked: argparse.Namespace) -> dict[str, list[Measured]]:
    """Measure by turns, so that what else happens on the machine meets both clients."""
    clients = [CLIENT, NAIVE] if asked.naive else [CLIENT]
    found: dict[str, list[Measured]] = {client: [] for client in clients}
    for _ in range(asked.runs):
        for client in clients:
            try:
                found[client].append(_measured(_serve(asked), shape, client, asked))
            except ValueError as error:
                sys.exit(f"{shape.name}, {client}: {error}")
    return found


def _serve(asked: argparse.Namespace) -> Serve:
    if asked.truthd:
        return lambda shape: truthd(asked.truthd, shape, 0)
    if asked.url:
        return lambda _: given(asked.url, asked.log)
    return lambda shape: metronome(shape, 0)


def _measured(serve: Serve, shape: Shape, client: str, asked: argparse.Namespace) -> Measured:
    words = [sys.executable, "-m", f"benchmarks.truth.{client}"]
    with ExitStack() as stack:
        server = stack.enter_context(serve(shape))
        if asked.tls:
            server = stack.enter_context(behind_tls(server, 0))
        done = subprocess.run(
            on_core(1, [*words, server.base_url, shape.text()]),
            env={**os.environ, "BENCH_LOOP": asked.loop},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seen = read_seen(done.stdout)
        return Measured(loop=seen.loop, bias=bias(shape, seen, server.truth()))


if __name__ == "__main__":
    main()
