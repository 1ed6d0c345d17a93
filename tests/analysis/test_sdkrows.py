"""What the SDK would have handed over, beside what came."""

import pytest

from harness.analysis.results.case import Side
from harness.analysis.sdkrows import HELPER, HELPER_ADVICE, PLAIN, SDK_ADVICE, sdk_findings, sdk_rows
from harness.decode.record import decode_attempt
from harness.decode.sdk_view import sdk_view
from harness.model.record import Arm
from tests.decode.wires import DONE, END, HI, TOOL_END, a_wire, an_attempt, data, finish, reads_of, tool, usage

FLAT_ERROR = data({"message": "out of memory"})
RESPONSES = {
    "a contract stream": (HI + END, None),
    "an error field that the SDK ignores": (b'error: {"message": "boom"}\n\n', "sdk_reports_success"),
    "a flat error body": (FLAT_ERROR + DONE, "sdk_reports_success"),
    "a byte order mark before the only text": (b"\xef\xbb\xbf" + HI + finish() + usage() + DONE, "sdk_empty_answer"),
    "an empty data event": (HI + b"data:\n\n" + END, "sdk_crash"),
    "a last event without its blank line": (HI + finish("stop", content=" there").rstrip(), "sdk_other_text"),
    "a tool call": (tool(index=0, id="a", function={"name": "f", "arguments": "{}"}) + END, None),
    "two calls without an index": (
        b"".join(tool(id=name, function={"name": name, "arguments": "{}"}) for name in "ab") + END,
        "sdk_other_calls",
    ),
}


def replayed(body: bytes, *, helper: bool = True) -> Side:
    """Give a side with one response, replayed both ways unless told."""
    wire = a_wire(body)
    attempt = an_attempt(reads_of([wire]))
    return Side(
        arm=Arm.REFERENCE,
        name="a",
        endpoint={},
        run_id="r",
        records=(decode_attempt(attempt, wire, model_asked="m"),),
        sdk_views={attempt.key: sdk_view(wire, attempt.reads)},
        sdk_helper_views={attempt.key: sdk_view(wire, attempt.reads, through_helper=True)} if helper else {},
    )


@pytest.mark.parametrize("name", RESPONSES)
def test_a_disagreement_is_named(name: str) -> None:
    body, expected = RESPONSES[name]
    rows = sdk_findings(replayed(body, helper=False))
    assert [row.kind for row in rows] == ([] if expected is None else [expected])
    assert all(row.advice == SDK_ADVICE[row.kind] and "p" in row.example and row.prompts == ("p",) for row in rows)


def test_every_kind_but_the_sdks_own_exception_is_produced_by_a_response_above() -> None:
    produced = {kind for _, kind in RESPONSES.values() if kind}
    assert produced | {"sdk_exception"} == set(SDK_ADVICE)


AZURE_END = data({"choices": [{"index": 0, "finish_reason": None}], "object": "chat.completion.chunk"})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (tool(id="a", function={"name": "f", "arguments": "{}"}) + TOOL_END, "TypeError"),
        (HI + AZURE_END + END, "AttributeError"),
    ],
    ids=["a tool delta without index", "a choice without delta"],
)
def test_what_only_the_helper_does_is_said_apart(body: bytes, error: str) -> None:
    side = replayed(body)
    (row,) = sdk_findings(side)
    assert (row.kind, row.advice, row.n_responses) == ("sdk_helper_crash", HELPER_ADVICE, 1)
    assert row.example.startswith(f"p: {error}")
    assert [(found.way, found.outcomes["answer"], found.outcomes["crash"]) for found in sdk_rows(side)] == [
        (PLAIN, 1, 0),
        (HELPER, 0, 1),
    ]
    assert [found.n_differing for found in sdk_rows(side)] == [0, 1]


def test_what_both_ways_do_alike_is_said_once() -> None:
    side = replayed(HI + b"data:\n\n" + END)
    assert [row.kind for row in sdk_findings(side)] == ["sdk_crash"]
    assert [found.outcomes["crash"] for found in sdk_rows(side)] == [1, 1]


def test_outcomes_are_counted_by_way_and_an_error_of_the_sdks_own_is_one() -> None:
    side = replayed(HI + data({"error": {"message": "boom"}}))
    plain, helper = sdk_rows(side)
    assert plain.outcomes == helper.outcomes == {"answer": 0, "empty": 0, "exception": 1, "crash": 0}
    assert plain.n_differing == 0  # the request failed, and the application hears of it
    assert sdk_findings(side) == ()


def test_nothing_replayed_has_no_row() -> None:
    side = Side(arm=Arm.REFERENCE, name="a", endpoint={}, run_id="r", records=())
    assert sdk_rows(side) == ()
    assert sdk_findings(side) == ()
