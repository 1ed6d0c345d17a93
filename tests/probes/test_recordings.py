"""What real servers answered in November 2026, classified; and a folder of more where there is one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.probes.recorded import CASES, classified, recordings_in

DATA: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(
    (Path(__file__).parent / "data" / "recordings.json").read_text("utf-8")
)
MODELS = {"llama.cpp": "tiny-f32", "llama.cpp-tools": "tiny-tooly", "aimock": "gpt-4o", "llm-katan": "tiny-echo"}
TRUTHS = (  # read from the recordings by eye
    ("llama.cpp", "stream_usage", "supported", "16 completion tokens"),
    ("llama.cpp", "max_tokens", "supported", "5 tokens for 5, finish_reason length"),
    ("llama.cpp", "seed", "supported", "1 different answers of 2 with seed 7"),
    ("llama.cpp", "n", "supported", "index 0 and 1"),
    ("llama.cpp", "logprobs", "supported", "4 tokens, 3 alternatives"),
    ("llama.cpp", "image", "broken", "image input is not supported"),
    ("llama.cpp", "error_unknown_model", "ignored", "served with HTTP 200"),
    ("llama.cpp", "error_bad_key", "supported", "HTTP 401"),
    ("llama.cpp", "error_bad_json", "broken", "HTTP 500"),
    ("llama.cpp", "error_over_long", "supported", "exceed_context_size_error"),
    ("llama.cpp-tools", "tool_none", "broken", "<tool_call>"),
    ("aimock", "models", "supported", "a list of 5"),
    ("aimock", "stream", "supported", "5 chunks, 1 finish_reason"),
    ("aimock", "max_tokens", "ignored", "15 tokens for 5, finish_reason stop"),
    ("aimock", "seed", "inconclusive", "temperature shows no effect"),
    ("aimock", "n", "ignored", "index [0]"),
    ("aimock", "error_bad_json", "supported", "code invalid_json"),
    ("llm-katan", "tool_none", "ignored", "1 calls although forbidden"),
    ("mockllm", "models", "rejected", "HTTP 404"),
    ("mockllm", "stream_usage", "ignored", "no chunk had usage"),
    ("mockllm", "error_bad_key", "ignored", "the contract says 401"),
    ("mockllm", "error_wrong_type", "broken", "string"),
)


@pytest.mark.parametrize(("server", "probe", "outcome", "words"), TRUTHS)
def test_a_recorded_answer_is_classified(server: str, probe: str, outcome: str, words: str) -> None:
    found = classified(probe, DATA[server][probe], MODELS.get(server, "m"))
    assert (found.outcome, words in found.evidence) == (outcome, True), found.evidence


def test_the_error_contract_keeps_type_code_and_place() -> None:
    (facts,) = classified("error_over_long", DATA["llama.cpp"]["error_over_long"], "tiny-f32").errors
    assert (facts.status, facts.shape, facts.code, facts.place) == (400, "openai", "400", "status")
    (served,) = classified("error_bad_key", DATA["mockllm"]["error_bad_key"], "m").errors
    assert (served.status, served.shape, served.place) == (200, None, "none")


FOLDER = os.environ.get("BENCH_TRANSCRIPTS")
KEY_LINES = {  # probe: line of the folder's answer key, and how its words begin for each class
    "stream_usage": ("stream_options.include_usage", {"yes": "supported", "no usage": "ignored"}),
    "max_tokens": (
        "max_tokens 5",
        {"completion_tokens=5, finish=length": "supported", "completion_tokens=": "ignored"},
    ),
    "max_completion_tokens": (
        "max_completion_tokens 5",
        {"completion_tokens=5, finish=length": "supported", "completion_tokens=": "ignored"},
    ),
    "seed": ("seed 7 vs seed 8", {"differs": "supported", "same": "inconclusive"}),
    "greedy_repeat": ("temperature 0 twice", {"same": "supported", "differs": "accepted"}),
    "n": ("n=2", {"2 choices": "supported", "1 choices": "ignored"}),
    "logprobs": ("logprobs+top_logprobs 3", {"yes": "supported", "absent": "ignored"}),
    "unknown_field": ("unknown field", {"200": "accepted", "4": "rejected"}),
    "error_unknown_model": ("unknown model", {"404": "supported", "200": "ignored"}),
    "error_bad_key": ("bad key", {"401": "supported", "200": "ignored"}),
    "error_bad_json": ("malformed JSON", {"400": "supported", "500": "broken"}),
    "error_wrong_type": ("messages string", {"400": "supported", "500": "broken"}),
    "error_over_long": ("prompt too long", {"400": "supported", "200": "ignored"}),
}


@pytest.mark.skipif(not FOLDER, reason="BENCH_TRANSCRIPTS names no folder of recorded exchanges")
@pytest.mark.parametrize("server", ["llama.cpp", "llm-katan", "mockllm", "aimock"])
def test_a_whole_folder_agrees_with_its_answer_key(server: str) -> None:
    assert FOLDER is not None
    told = json.loads((Path(FOLDER) / "answer_key.json").read_text("utf-8"))[server]
    for probe, (line, classes) in KEY_LINES.items():
        wanted = next(kind for words, kind in classes.items() if told[line].startswith(words))
        found = classified(probe, recordings_in(Path(FOLDER) / server, probe), MODELS.get(server, "m"))
        assert found.outcome == wanted, (probe, told[line], found.evidence)


def test_every_recorded_case_names_a_probe() -> None:
    assert {probe for probes in DATA.values() for probe in probes} <= set(CASES)
