"""Judges held against single answers: what a word shows, and what a plain server leaves out."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.model.probe import ProbeClass
from harness.probes.catalogue import chosen
from harness.probes.classify import classify
from harness.probes.probe import Target
from tests.probes.probed import probed
from tests.probes.recorded import exchange_of

C = ProbeClass


def an_answer(text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = json.dumps({"model": "m", "choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 16}})
    return {"asked": {}, "status": 200, "headers": [["content-type", "application/json"]], "reads": [[1.0, body]]}


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Red", C.SUPPORTED),
        ("**red**.", C.SUPPORTED),
        ("The picture is red.", C.SUPPORTED),
        ("I cannot see the coloured picture you shared.", C.IGNORED),
        ("Rendered", C.IGNORED),
        ("I cannot see images. If you tell me its code I can say whether it is red, green or blue.", C.IGNORED),
    ],
)
def test_seeing_red_is_a_word_of_a_short_answer(text: str, outcome: ProbeClass) -> None:
    (probe,) = chosen(ids=["image"])
    assert classify(probe, [exchange_of("red", 0, an_answer(text))], Target(model="m")).outcome is outcome


@pytest.mark.parametrize("probe", ["compression", "headers_cache_responses"])
def test_what_a_plain_server_leaves_out_is_no_feature_ignored(probe: str, tmp_path: Path) -> None:
    (result,) = probed({probe: "accepted"}, tmp_path / "p", probe).results
    assert (result.outcome, result.change) == (C.ACCEPTED, None)
    assert len(result.notes) == 1
