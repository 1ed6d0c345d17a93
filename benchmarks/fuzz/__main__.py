"""Sends a number of damaged responses through every reader and prints what came of it: `python -m benchmarks.fuzz`."""

import argparse
import resource
import signal
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import benchmarks.fuzz
from benchmarks.fuzz.judging import Judge, judge
from benchmarks.fuzz.mutations import Mutant, mutant

LIMIT_S = 20.0  # for one response of some kilobytes: what takes longer hangs
TRACED_EVERY = 100


@dataclass(slots=True)
class Tally:
    """What came of the responses."""

    took_s: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    n_bytes: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def main() -> None:
    """Judge responses first to first + count of a seed; exit with 1 where one broke a promise."""
    asked = _arguments()
    if asked.show:
        print(*(mutant(asked.seed, number) for number in _numbers(asked)), sep="\n")
        return
    tally = Tally()
    rss_before = _rss_mib()
    for number in _numbers(asked):
        judge_one(mutant(asked.seed, number), number, tally)
    _print(tally, rss_before)
    sys.exit(1 if tally.broken else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=benchmarks.fuzz.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the responses instead of judging them")
    return parser.parse_args()


def _numbers(asked: argparse.Namespace) -> range:
    return range(asked.first, asked.first + asked.count)


def judge_one(one: Mutant, number: int, tally: Tally, judge: Judge = judge) -> None:
    """Judge a response under the time limit; what it raises is noted as broken."""
    tally.n_bytes += len(one.wire)
    is_traced = number % TRACED_EVERY == 0
    if is_traced:
        tracemalloc.start()
    began = time.perf_counter()
    try:
        with time_limit(LIMIT_S):
            record, judgements = judge(one)
    except Exception as error:  # noqa: BLE001  # what is looked for
        tally.broken.append(f"{number}: {type(error).__name__}: {error} after {', '.join(one.mutations)}")
        return
    finally:
        took = time.perf_counter() - began
        if is_traced:
            tally.peak_bytes.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        else:
            tally.took_s.append(took)
            tally.slowest = max(tally.slowest, (took, number))
    tally.seen[f"failure {record.failure.kind}" if record.failure else "success"] += 1
    tally.seen.update({f"finding {finding.kind}" for finding in record.findings})
    tally.seen.update({f"rung {judgement.tool.rung}" for judgement in judgements if judgement.tool})


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the main thread when the block takes longer."""

    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _print(tally: Tally, rss_before: float) -> None:
    took = sorted(tally.took_s)
    print(f"{len(took) + len(tally.peak_bytes):,} responses, {tally.n_bytes / 2**20:,.1f} MiB, {sum(took):,.1f} s")
    if took:
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
        slowest_s, number = tally.slowest
        print(f"each: p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms, slowest {slowest_s * 1e3:.1f} ms (no. {number})")
    if tally.peak_bytes:
        print(f"memory: {max(tally.peak_bytes) / 2**20:.2f} MiB at most for one of every {TRACED_EVERY}")
    print(f"resident: {rss_before:.0f} MiB before, {_rss_mib():.0f} MiB at most")
    for name, count in sorted(tally.seen.items()):
        print(f"  {name:32} {count:8,}")
    print(f"{len(tally.broken)} broken")
    print(*tally.broken[:50], sep="\n")


if __name__ == "__main__":
    main()
