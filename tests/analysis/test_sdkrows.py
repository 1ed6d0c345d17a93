"""What the SDK would have handed over, beside what came."""

import pytest

from harness.analysis.results import Side
from harness.analysis.sdkrows import SDK_ADVICE, sdk_rows
from harness.decode.record import decode_attempt
from harness.decode.sdk_view import sdk_view
from harness.model.record import Arm
from tests.decode.wires import DONE, END, HI, a_wire, an_attempt, data, finish, reads_of, tool, usage

FLAT_ERROR = data({"message": "out of memory"})
RESPONSES = {
    "a contract stream": (HI + END, None),
    "an error field that the SDK ignores": (b'error: {"message": "boom"}\n\n', "sdk_reports_success"),
    "a flat error body": (FLAT_ERROR + DONE, "sdk_reports_success"),
    "a byte order mark before the only text": (b"\xef\xbb\xbf" + HI + finish() + usage() + DONE, "sdk_empty_answer"),
    "an empty data event": (HI + b"data:\n\n" + END, "sdk_crash"),
    "a last event without its blank line": (HI + finish("stop", content=" there").rstrip(), "sdk_other_text"),
    "a tool call": (tool(index=0, id="a", function={"name": "f", "arguments": "{}"}) + END, None),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_disagreement_is_named(name: str) -> None:
    body, expected = RESPONSES[name]
    pieces = [a_wire(body)]
    attempt = an_attempt(reads_of(pieces))
    record = decode_attempt(attempt, pieces[0], model_asked="m")
    views = {attempt.key: sdk_view(pieces[0], attempt.reads)}
    side = Side(arm=Arm.REFERENCE, name="a", endpoint={}, run_id="r", records=(record,), sdk_views=views)
    rows = sdk_rows(side)
    assert [row.kind for row in rows] == ([] if expected is None else [expected])
    assert all(row.advice == SDK_ADVICE[row.kind] and "p" in row.example for row in rows)


def test_every_kind_but_the_sdks_own_exception_is_produced_by_a_response_above() -> None:
    produced = {kind for _, kind in RESPONSES.values() if kind}
    assert produced | {"sdk_exception"} == set(SDK_ADVICE)
