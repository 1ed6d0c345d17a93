"""Which responses of a run are replayed through the official SDK."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.cli.judging import first_responses
from harness.cli.sides import RecordedSide
from harness.model.record import Arm, ArmHeader, Attempt, Reads
from harness.model.storage import StoredRun
from tests.decode.wires import an_attempt
from tests.model.runs import a_header


def attempt(prompt_id: str, repeat: int = 0, *, nth: int = 1, n_bytes: int = 10, **key: Any) -> Attempt:
    found = an_attempt(Reads(at_ns=(0,), seen_at_ns=(0,), n_bytes=(n_bytes,), source="k"))
    named = replace(found.key, prompt_id=prompt_id, repeat=repeat, **key)
    return replace(found, key=named, attempt=nth)


def replayed(*attempts: Attempt) -> list[str]:
    run = StoredRun(folder=Path("unread"), header=a_header(), attempts=attempts)
    side = RecordedSide(run=run, header=ArmHeader(arm=Arm.REFERENCE, endpoint={}))
    return [found.key.id for found in first_responses(side)]


def test_the_first_response_to_each_prompt_is_replayed() -> None:
    assert sorted(replayed(attempt("a"), attempt("b"), attempt("a", 1), attempt("b", 2))) == [
        "reference/a/r0",
        "reference/b/r0",
    ]


def test_what_is_no_measured_response_is_left_out() -> None:
    told = (
        attempt("a", is_warmup=True),
        attempt("a", n_bytes=0),  # no byte came
        attempt("a", nth=2),  # a retry is no trial
        attempt("a", arm=Arm.CANDIDATE),
        attempt("a", 1, is_streamed=False),
        attempt("a", 1, turn=2),
        attempt("a", 3),
    )
    assert replayed(*told) == ["reference/a/r3"]
