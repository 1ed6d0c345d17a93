"""Kills measuring commands at random instants, has them go on until they are done, and compares what they recorded.

    python -m benchmarks.chaos --runs 200

Each run is held against one that nobody disturbed: every request once, the same answers, the same plan. What was on
record when the process died must be in the end what it was then. Exits with 1 where a run broke that.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.chaos.stories import an_arena


def main() -> None:
    """Print a line per run that broke a promise, and what all of them went through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    asked = parser.parse_args()
    kills: Counter[str] = Counter()
    parts: Counter[int] = Counter()
    n_broken = n_torn = 0
    with tempfile.TemporaryDirectory() as folder, an_arena(Path(folder)) as arena:
        for seed in range(asked.first, asked.first + asked.runs):
            story = arena.play(seed)
            kills.update(story.kills)
            parts[story.n_parts] += 1
            n_torn += story.n_torn
            if story.broken:
                n_broken += 1
                print(story, flush=True)
    print(f"{asked.runs} runs, {n_broken} broken; killed by {dict(kills)}; parts {dict(sorted(parts.items()))}")
    print(f"{n_torn} torn lines, all named")
    sys.exit(1 if n_broken else 0)


if __name__ == "__main__":
    main()
