"""How a command that goes on with a run begins: with the run as it is under the lock, and with its own budgets."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.measuring import Request, _locked
from harness.cli.options import stated_budgets
from harness.cli.resuming import Resumed, go_on
from harness.errors import ConfigError, IncompleteRunError
from harness.model.golden import GoldenSet
from harness.model.record import Part, RunHeader, RunStatus
from harness.model.settings import Settings
from harness.model.storage import HEADER, encode_header, load_header, lock_run, write_atomically
from tests.cli.files import write_yaml
from tests.cli.recordedrun import write_run

ENDED_AT = "2026-01-01T00:01:00+00:00"
CLOCK = {"reference": {"source": "kernel"}}


def _part(status: RunStatus, **changes: Any) -> Part:
    return Part(started_at="2026-01-01T00:00:00+00:00", command="bench", plan_sha256="0", status=status, **changes)


def _write(folder: Path, header: RunHeader, **changes: Any) -> None:
    write_atomically(folder / HEADER, encode_header(replace(header, **changes)))


def _found(folder: Path, repeats: int | None = None, **as_found: Any) -> Resumed:
    """Find the run as one command has it, before another ends it."""
    write_run(folder)
    _write(folder, load_header(folder), **as_found)
    return go_on(folder, repeats)


def _request(resumed: Resumed) -> Request:
    golden = GoldenSet(name="g", prompts=[])
    return Request(endpoints={}, golden=golden, settings=Settings(), out=Path(), resumed=resumed)


def test_a_run_that_another_command_ended_meanwhile_keeps_how_that_ended(tmp_path: Path) -> None:
    resumed = _found(tmp_path / "run", status=RunStatus.RUNNING, parts=(_part(RunStatus.RUNNING),))
    ended = _part(RunStatus.STOPPED, ended_at=ENDED_AT, clock=CLOCK)
    _write(resumed.folder, resumed.header, status=RunStatus.STOPPED, ended_at=ENDED_AT, parts=(ended,))
    with ExitStack() as held:
        request, lock = _locked(_request(resumed), held)
        assert lock is not None
        assert request.resumed is not None
        assert request.resumed.header.all_parts == (ended,)
        with pytest.raises(IncompleteRunError, match="another process"):
            lock_run(resumed.folder)
    lock_run(resumed.folder).close()


def test_a_run_that_another_command_finished_meanwhile_is_left_alone(tmp_path: Path) -> None:
    resumed = _found(tmp_path / "run", status=RunStatus.RUNNING, parts=(_part(RunStatus.RUNNING),))
    _write(resumed.folder, resumed.header, status=RunStatus.FINISHED, parts=(_part(RunStatus.FINISHED),))
    with pytest.raises(ConfigError, match="nothing is left to send"), ExitStack() as held:
        _locked(_request(resumed), held)


def test_a_further_look_is_planned_on_the_run_as_it_is(tmp_path: Path) -> None:
    resumed = _found(tmp_path / "run", 5)
    assert resumed.look == 2
    with ExitStack() as held:
        assert _locked(_request(resumed), held)[0].resumed == resumed
    _write(resumed.folder, resumed.header, plan=resumed.plan, parts=(_part(RunStatus.FINISHED, look=2),))
    with pytest.raises(ConfigError, match="has 5 repeats or more already"), ExitStack() as held:
        _locked(_request(resumed), held)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ({}, {"max_cost": 2.0, "max_requests": None, "max_tokens": None, "max_time_s": 900.0}),
        ({"max_cost": 1.0, "max_tokens": 7}, {"max_cost": 1.0, "max_tokens": 7, "max_time_s": 900.0}),
    ],
)
def test_budgets_of_the_settings_file_hold_beside_those_of_the_line(
    tmp_path: Path, line: Mapping[str, Any], kept: Mapping[str, Any]
) -> None:
    file = write_yaml(tmp_path / "settings.yml", {"max_cost": 2, "max_time_s": 900})
    assert kept.items() <= stated_budgets({"settings": file, **line}).items()


def test_without_a_budget_of_its_own_a_command_has_none() -> None:
    assert set(stated_budgets({"settings": None}).values()) == {None}
