"""What a command reads from a run folder for the page beside the analysis."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.trial import Trial
from harness.cli.exhibits import exhibits_of
from harness.cli.sides import RecordedSide
from harness.model.record import Arm, ArmHeader, RequestKey
from harness.model.storage import RunWriter, load_run
from tests.model.runs import a_header, an_attempt
from tests.report.sample import known, sample

PROMPT = {
    "id": "p",
    "category": "text",
    "intent": "Says something.",
    "request": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5, "temperature": 0},
}
WIRE = b"HTTP/1.1 200 OK\r\n\r\ndata: [DONE]\n\n"


def endpoint(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "base_url": f"http://user:secret@{name}.example/v1/", "model": name, **more}


def recorded(folder: Path, *arms: tuple[Arm, dict[str, Any]]) -> dict[Arm, RecordedSide]:
    headers = tuple(ArmHeader(arm=arm, endpoint=found) for arm, found in arms)
    header = a_header(golden={"name": "g", "version": "1", "prompts": [PROMPT]}, arms=headers)
    with RunWriter(folder, header) as writer:
        for arm, _ in arms:
            for repeat in range(2):
                key = RequestKey(arm=arm, prompt_id="p", repeat=repeat)
                writer.append(an_attempt(key=key), WIRE + str(repeat).encode())
    run = load_run(folder)
    return {one.arm: RecordedSide(run=run, header=one) for one in run.header.arms}


def analysis(*keys: RequestKey) -> Analysis:
    """Give an analysis that knows these requests alone, the first one of each side being the median."""
    trials = tuple(
        Trial(
            key=key,
            block=0,
            run_id="r",
            is_judged=True,
            failure=None,
            task_success=None,
            metrics={"e2e": known(1.0)},
        )
        for key in keys
    )
    return replace(sample(), trials=trials)


def key(arm: Arm, repeat: int = 1) -> RequestKey:
    return RequestKey(arm=arm, prompt_id="p", repeat=repeat)


def test_the_chosen_request_of_each_side_comes_with_body_and_bytes(tmp_path: Path) -> None:
    sides = recorded(tmp_path / "r", (Arm.REFERENCE, endpoint("a")), (Arm.CANDIDATE, endpoint("b")))
    told = analysis(key(Arm.REFERENCE), key(Arm.CANDIDATE))
    found = exhibits_of(told, sides[Arm.REFERENCE], sides[Arm.CANDIDATE])
    assert set(found.exchanges) == {key(Arm.REFERENCE), key(Arm.CANDIDATE)}
    exchange = found.exchanges[key(Arm.CANDIDATE)]
    assert (exchange.head, exchange.tail, exchange.n_bytes) == (WIRE + b"1", b"", len(WIRE) + 1)
    assert exchange.address == "POST http://b.example/v1/chat/completions"  # without the credentials
    body = json.loads(exchange.body)
    assert (body["model"], body["stream"], body["messages"]) == ("b", True, PROMPT["request"]["messages"])  # type: ignore[index]  # a plain mapping


def test_differences_say_whether_a_file_explains_them(tmp_path: Path) -> None:
    dropping = endpoint("b", params={"drop": ["max_tokens"]})
    sides = recorded(tmp_path / "r", (Arm.REFERENCE, endpoint("a")), (Arm.CANDIDATE, dropping))
    found = exhibits_of(analysis(), sides[Arm.REFERENCE], sides[Arm.CANDIDATE]).differences
    assert found is not None
    assert [(one.path, one.reference, one.candidate, one.is_declared, one.prompts) for one in found] == [
        ("model", '"a"', '"b"', True, ("p",)),
        ("max_tokens", "5", "not sent", True, ("p",)),
    ]


def test_one_endpoint_has_no_differences(tmp_path: Path) -> None:
    (side,) = recorded(tmp_path / "r", (Arm.REFERENCE, endpoint("a"))).values()
    found = exhibits_of(analysis(), side, None)
    assert (found.differences, found.folders) == (None, (str(tmp_path / "r"),))


@pytest.mark.parametrize("is_swapped", [False, True])
def test_the_folder_is_named_as_given_with_an_arm_where_it_takes_one(tmp_path: Path, *, is_swapped: bool) -> None:
    sides = recorded(tmp_path / "r", (Arm.REFERENCE, endpoint("a")), (Arm.CANDIDATE, endpoint("b")))
    pair = (sides[Arm.REFERENCE], sides[Arm.CANDIDATE])
    found = exhibits_of(analysis(), *(reversed(pair) if is_swapped else pair)).folders
    assert found == (
        (f"{tmp_path / 'r'}:candidate", f"{tmp_path / 'r'}:reference") if is_swapped else (str(tmp_path / "r"),)
    )


def test_two_runs_are_named_both(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one", (Arm.REFERENCE, endpoint("a")))[Arm.REFERENCE]
    two = recorded(tmp_path / "two", (Arm.REFERENCE, endpoint("b")))[Arm.REFERENCE]
    found = exhibits_of(analysis(key(Arm.CANDIDATE)), one, two)
    assert found.folders == (str(tmp_path / "one"), str(tmp_path / "two"))
    assert set(found.exchanges) == {key(Arm.CANDIDATE)}  # recorded as a reference, judged as the candidate
