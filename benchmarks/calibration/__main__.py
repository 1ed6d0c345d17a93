"""Prints the tables of docs/statistics.md: `python -m benchmarks.calibration [part ...] --sets 1000 --seed 20261125`.

Run from the repository's root. Every part is seeded; the same command gives the same table.
"""

import argparse
import time
from collections.abc import Callable, Iterator

from benchmarks.calibration import coverage, disagreement, exact, inside, looks, placebo, power, size, verdicts

PARTS: dict[str, tuple[str, Callable[[int, int], Iterator[str]]]] = {
    "equal": ("Verdicts on equal sides", verdicts.equal_lines),
    "defects": ("Verdicts on real losses", verdicts.defect_lines),
    "inside": ("Outcomes of a loss inside its margin", inside.lines),
    "margins": ("False PASS of each gate at its margin", verdicts.margin_lines),
    "exact": ("False PASS of rates at their margin, summed exactly", exact.lines),
    "levels": ("False PASS of a service level, summed exactly", exact.share_lines),
    "coverage": ("Coverage of 95 % intervals of ratios of quantiles", coverage.lines),
    "power": ("What a run of this size can show", power.lines),
    "size": ("Size of the permutation test", size.lines),
    "looks": ("Overall error of several looks", looks.lines),
    "disagreement": ("Excess disagreement", disagreement.lines),
    "placebo": ("The reference against itself", placebo.lines),
}


def main() -> None:
    """Print each part's table as its lines are known, then the seconds that it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--sets", type=int, default=1_000, help="simulated comparisons per row")
    parser.add_argument("--seed", type=int, default=20_261_125)
    parser.add_argument("--repeats", type=int, help="of every prompt, in `equal` and `defects` only")
    given = parser.parse_args()
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in given.parts or PARTS:
        title, lines = PARTS[name]
        extra = {"repeats": given.repeats} if given.repeats and name in {"equal", "defects"} else {}
        print(f"\n## {title} ({name}, {given.sets} sets, seed {given.seed})\n", flush=True)
        started = time.perf_counter()
        for line in lines(given.sets, given.seed, **extra):
            print(line, flush=True)
        print(f"\n{time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
