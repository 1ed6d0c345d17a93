"""Says where the time of judging goes: seconds of CPU by stage, for one recorded run.

    python -m benchmarks.judging results/<run>

Nothing is sent and nothing beside the run is written. For a run of the size that the target speaks of:
`bench demo --repeats 10`.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TARGET_S = 10.0


class Stages:
    """CPU seconds by stage, in the order in which stages were entered."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what the block costs; CPU time, since a shared machine's wall clock measures its neighbours."""
        before = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - before


def judge(folder: Path) -> tuple[int, dict[str, float]]:
    """Judge a run as `bench report` does; give its number of attempts and the seconds."""
    stages = Stages()
    with stages.stage("imports"):
        from harness.analysis.analyse import analyse  # noqa: PLC0415  # importing is the first stage
        from harness.cli import judging  # noqa: PLC0415
        from harness.cli.sides import recorded_side  # noqa: PLC0415
        from harness.model.storage import load_run  # noqa: PLC0415
        from harness.report.write import write_report  # noqa: PLC0415
    with stages.stage("reading the journal"):
        run = load_run(folder)
        sides = [recorded_side(run, header.arm) for header in run.header.arms[:2]]
    with stages.stage("decoding, and replaying through the SDK"):
        case = judging._case(sides[0], sides[1] if len(sides) > 1 else None, None)  # noqa: SLF001  # a stage of its own
    with stages.stage("analysing"):
        analysis = analyse(case)
    with stages.stage("writing the report"), TemporaryDirectory() as reports:
        write_report(analysis, run.header, Path(reports))
    return len(run.attempts), stages.seconds


def main() -> None:
    """Print a line per stage and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    n, seconds = judge(parser.parse_args().run)
    for name, taken in seconds.items():
        print(f"{taken:6.2f} s  {name}")
    print(f"{sum(seconds.values()):6.2f} s  in all, for {n:,} requests (the target: {TARGET_S:g} s)")


if __name__ == "__main__":
    main()
