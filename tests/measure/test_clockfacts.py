"""What several processes say of their clocks, as one."""

from typing import Any

from harness.clock import ManualClock
from harness.measure.clockfacts import merge_clock_facts
from harness.measure.wire.player import Player
from harness.model.endpoint import Endpoint

SECOND = 1_000_000_000


def step(between: int, noticed: int, by_ns: int) -> dict[str, int]:
    return {"between_ns": between * SECOND, "and_ns": noticed * SECOND, "by_ns": by_ns}


def test_counts_add_up_and_of_two_bounds_the_larger_holds() -> None:
    one: dict[str, Any] = {"stamps": None, "reads_stamped_by_kernel": 3, "mapping_bound_ns": 90, "steps": []}
    other = {"stamps": "SO_TIMESTAMPNS", "reads_stamped_by_kernel": 4, "mapping_bound_ns": 120, "steps": []}
    assert merge_clock_facts([one, other]) == {
        "stamps": "SO_TIMESTAMPNS",
        "reads_stamped_by_kernel": 7,
        "mapping_bound_ns": 120,
        "steps": [],
    }


def test_a_step_that_several_processes_noticed_is_one_step() -> None:
    one = [step(1, 4, SECOND), step(7, 9, SECOND)]
    other = [step(2, 3, SECOND + 900), step(8, 10, SECOND - 900), step(8, 10, -SECOND), step(20, 21, SECOND)]
    (merged,) = merge_clock_facts([{"steps": one}, {"steps": other}]).values()
    assert merged == [
        step(2, 3, SECOND + 900),
        step(7, 9, SECOND),
        step(8, 10, -SECOND),  # at about the same time, another way
        step(20, 21, SECOND),
    ]


def test_what_no_process_knows_stays_unknown() -> None:
    unknown = {"stamps": None, "mapping_bound_ns": None}
    assert merge_clock_facts([unknown, unknown]) == unknown
    assert merge_clock_facts([]) == {}


def test_one_process_says_what_it_would_have_said_alone() -> None:
    endpoint = Endpoint(name="a", base_url="http://127.0.0.1:9/v1", model="m")
    player = Player(endpoint, ManualClock(), last_output_at=lambda *_: None, secrets=(), environ={})
    facts = player.clock_facts()
    assert len(facts) >= 7
    assert merge_clock_facts([facts]) == facts
    for name, value in merge_clock_facts([facts, facts]).items():
        kind = type(facts[name])
        assert isinstance(value, kind)
        assert kind in {int, list, type(None)}, f"{name}: how do two of these merge?"
