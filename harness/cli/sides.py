"""Reads what stands on a side of `bench compare`: an endpoint file or a recorded run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.errors import ConfigError, DamagedFileError
from harness.model.endpoint import Endpoint
from harness.model.endpointfile import load_endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, ArmHeader
from harness.model.redaction import refuse_redacted
from harness.model.storage import HEADER, StoredRun, load_run
from harness.model.validationwords import converted_problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSide:
    """One arm of a run on disk."""

    run: StoredRun
    header: ArmHeader

    @property
    def golden(self) -> GoldenSet:
        """Give the golden set that was replayed."""
        return part_of_header(self.run, self.run.header.golden, GoldenSet)

    @property
    def endpoint(self) -> Endpoint:
        """Give the endpoint that was measured."""
        return part_of_header(self.run, self.header.endpoint, Endpoint)


def part_of_header(run: StoredRun, part: dict[str, Any], kind: type[T]) -> T:
    """Convert what a header holds as plain JSON; DamagedFileError for what this version does not understand."""
    try:
        return msgspec.convert(part, kind)
    except msgspec.ValidationError as error:
        problem = converted_problem(error, kind)
        raise DamagedFileError(f"damaged: {problem} in its {kind.__name__}", where=str(run.folder / HEADER)) from None


def read_side(given: str, arm: Arm) -> Endpoint | RecordedSide:
    """Read `a.yml`, `results/<run>` or `results/<run>:candidate`."""
    path, chosen = split_arm(given)
    if path.is_dir():
        run = load_run(path)
        refuse_redacted(path, run.header, "a side of another comparison")
        return recorded_side(run, chosen or arm)
    folder, colon, name = given.rpartition(":")
    if not path.exists() and colon and Path(folder).is_dir():
        raise ConfigError(f"no side is called {name!r}", where=folder, remedy=f"It is one of: {', '.join(Arm)}")
    if not path.exists():
        raise ConfigError(
            "no such file or run folder", where=given, remedy="Give an endpoint file (a.yml) or results/<run>"
        )
    return load_endpoint(path)


def recorded_side(run: StoredRun, wanted: Arm) -> RecordedSide:
    """Pick the arm asked for, or the only one."""
    arms = {header.arm: header for header in run.header.arms}
    if wanted not in arms and len(arms) == 1:
        return RecordedSide(run=run, header=next(iter(arms.values())))
    if wanted not in arms:
        raise ConfigError(f"the run has no {wanted} arm", where=str(run.folder), remedy=f"It has: {', '.join(arms)}")
    return RecordedSide(run=run, header=arms[wanted])


def split_arm(given: str) -> tuple[Path, Arm | None]:
    """Split `results/<run>:candidate` into its folder and its side; None: no side is named."""
    path, colon, arm = given.rpartition(":")
    if colon and arm in set(Arm) and Path(path).is_dir():
        return Path(path), Arm(arm)
    return Path(given), None
