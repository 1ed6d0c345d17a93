"""How many sockets a run may open."""

import resource

import pytest

from harness.errors import ConfigError
from harness.measure.filelimit import allow_files, files_needed, most_files
from harness.model.record import Arrival, Plan
from harness.model.settings import ArrivalSettings, Settings
from tests.measure.test_runner import planned_with


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stand in for the process's soft and hard limit."""
    pair = [256, 1000]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(pair))

    def put(_: int, new: tuple[int, int]) -> None:
        pair[:] = new

    monkeypatch.setattr(resource, "setrlimit", put)
    return pair


def test_a_limit_that_is_enough_is_left_alone(limits: list[int]) -> None:
    allow_files(256)
    assert limits == [256, 1000]


def test_the_process_raises_its_own_limit_as_far_as_it_must(limits: list[int]) -> None:
    allow_files(900)
    assert limits == [900, 1000]


def test_a_process_may_open_as_many_as_it_may_raise_its_limit_to(limits: list[int]) -> None:
    assert most_files() == 1000
    limits[1] = -1
    assert most_files() is None


def test_beyond_the_systems_limit_nothing_is_sent(limits: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"(?s)1936 connections .* 1000 files.*ulimit -n 2000"):
        allow_files(2000)
    assert limits == [256, 1000]


def test_no_limit_is_enough(limits: list[int]) -> None:
    limits[:] = [-1, -1]
    allow_files(10**6)
    assert limits == [-1, -1]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(load=[1, 300, 20]), 2 * 300 + 64),
        (Settings(load=[5], arrival=ArrivalSettings(process=Arrival.POISSON, max_in_flight=70)), 2 * 70 + 64),
    ],
)
def test_what_a_plan_needs(settings: Settings, expected: int) -> None:
    plan: Plan = planned_with(settings)
    assert files_needed(plan, 2) == expected


def test_each_worker_needs_files_for_its_share() -> None:
    assert files_needed(planned_with(Settings(load=[128])), 1, 3) == 43 + 64
