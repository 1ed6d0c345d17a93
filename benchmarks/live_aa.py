"""Compares a simulated endpoint with its copy over real sockets, again and again, and counts the verdicts.

    python -m benchmarks.live_aa --runs 5

Each run draws its own order of requests and its own delays. Takes about a minute a run; leave the machine alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path


def main() -> None:
    """Print a line per run and the count of verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    verdicts: Counter[str] = Counter()
    for seed in range(parser.parse_args().runs):
        summary = compare_with_copy(seed)
        verdicts[summary["verdict"]] += 1
        print(seed, summary["verdict"], summary["sentence"], flush=True)
    print(dict(verdicts))


def compare_with_copy(seed: int) -> dict[str, str]:
    """Run the comparison in a folder of its own; give its summary."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--out", str(Path(folder) / "results"), "--reports", str(Path(folder) / "reports")]
        words = ["-m", "harness", "demo", "--same", "--seed", str(seed), "--json", *where]
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    summary: dict[str, str] = json.loads(done.stdout)
    return summary


if __name__ == "__main__":
    main()
