"""Records survive their file, whatever stands in them."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.model.record import Arm, Attempt, FailureKind, FindingKind, Record, RequestKey, RunHeader
from tests.model.strategies import texts, values_of


@pytest.mark.parametrize("kind", [Attempt, Record, RunHeader])
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_writing_then_reading_is_the_identity(data: st.DataObject, kind: Any) -> None:
    value = data.draw(values_of(kind))
    line = msgspec.json.encode(value)
    assert msgspec.json.decode(line, type=kind) == value
    assert min(line) >= 0x20  # no control character stands raw in it: a line is a line


@given(text=texts)
def test_a_line_of_json_holds_no_line_end(text: str) -> None:
    line = msgspec.json.encode(text)
    assert line.splitlines() == [line]


def test_a_record_cannot_be_changed() -> None:
    key = RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=0)
    with pytest.raises(AttributeError):
        key.repeat = 1  # type: ignore[misc]  # the point


@pytest.mark.parametrize(
    ("is_warmup", "arm", "name"),
    [(False, Arm.REFERENCE, "reference/p/r3"), (True, Arm.CANDIDATE, "candidate/p/w3")],
)
def test_a_key_reads_as_what_it_is(*, is_warmup: bool, arm: Arm, name: str) -> None:
    assert RequestKey(arm=arm, prompt_id="p", repeat=3, is_warmup=is_warmup).id == name


@pytest.mark.parametrize(
    ("more", "suffix", "is_follow_up"),
    [
        ({}, "", False),
        ({"level": 2}, "", False),
        ({"turn": 2}, "/t2", True),
        ({"is_streamed": False}, "/whole", True),
        ({"turn": 2, "is_streamed": False}, "/t2/whole", True),
    ],
)
def test_what_follows_a_request_has_a_name_of_its_own(more: dict[str, Any], suffix: str, *, is_follow_up: bool) -> None:
    key = RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=3, **more)
    level = "l2" if key.level else ""
    assert key.id == f"reference/p/{level}r3{suffix}"
    assert key.is_follow_up is is_follow_up


def test_a_key_that_was_written_before_loops_went_on_reads_as_a_first_streamed_request() -> None:
    old = b'{"arm":"reference","prompt_id":"p","repeat":3,"is_warmup":false,"level":0}'
    assert msgspec.json.decode(old, type=RequestKey) == RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=3)


@pytest.mark.parametrize("kind", [FailureKind, FindingKind])
def test_a_kind_is_written_as_its_own_name(kind: Any) -> None:
    assert all(member.value == name.lower() for name, member in kind.__members__.items())
