"""Batch files and bare bodies: the request is the application's own, without what the harness sets."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.model.foreign.assemble import prompts_of
from harness.model.foreign.batch import batch_jsonl
from harness.model.foreign.bodies import bodies_jsonl
from harness.model.foreign.draft import RESPONSES
from harness.model.foreign.formats import Format
from harness.model.golden import GoldenSet, Prompt
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import shipped_golden_set
from tests.model.foreign.reading import DATA, USER, lines_file, read
from tests.model.strategies import json_values


def test_a_batch_gives_its_bodies_under_their_custom_ids() -> None:
    drafts, skipped = read(DATA / "batch.jsonl", Format.BATCH)
    assert [draft.name for draft in drafts] == ["Order 17", "order-17"]
    assert drafts[0].request == {
        "messages": [{"role": "user", "content": "Où est ma commande ?"}],
        "temperature": 0,
        "top_p": 1,
        "max_tokens": 50,
    }
    assert drafts[0].changes == ("model dropped", "stream dropped")
    assert drafts[1].changes == ()
    assert [(one.reason, one.where.rpartition(":")[2]) for one in skipped] == [("a request of /v1/embeddings", "4")]


def test_line_ends_and_a_mark_at_the_start_do_not_matter(tmp_path: Path) -> None:
    text = (DATA / "batch.jsonl").read_text(encoding="utf-8")
    file = tmp_path / "windows.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    ours, theirs = (read(one, Format.BATCH) for one in (DATA / "batch.jsonl", file))
    assert [draft.request for draft in ours[0]] == [draft.request for draft in theirs[0]]
    assert [skipped.reason for skipped in ours[1]] == [skipped.reason for skipped in theirs[1]]


def test_the_input_role_of_k2_vendor_verifier_is_the_system() -> None:
    (draft,), _ = read(DATA / "k2.jsonl", Format.BODIES)
    assert [message["role"] for message in draft.request["messages"]] == ["system", "user"]
    assert draft.request["temperature"] == 0.6
    assert draft.changes == ("role _input read as system",)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"messages": []}, "no messages"),
        ({"prompt": "x"}, "no messages"),
        ({"messages": "hi"}, "no messages"),
        ({"messages": [{"content": "x"}]}, "a message without a role"),
        ({"messages": ["hi"]}, "a message without a role"),
        ({"messages": [{"role": "user", "content": "cut \ud83d"}]}, "half a character (a lone surrogate)"),
        ({"messages": [USER], "x": {"\udc00": 1}}, "half a character (a lone surrogate)"),
        ({"messages": [USER], "tools": {"a": 1}}, "tools that are no list"),
        (["not a body"], "not a mapping"),
        ({"model": "m", "input": ["a"], "dimensions": 5}, "no messages, as in a request of /v1/embeddings"),
    ],
)
def test_a_body_that_is_no_chat_request_is_skipped_with_its_reason(tmp_path: Path, body: Any, reason: str) -> None:
    drafts, skipped = read(lines_file(tmp_path, {"messages": [USER]}, body), Format.BODIES)
    assert len(drafts) == 1
    assert [(one.reason, one.where) for one in skipped] == [(reason, f"{tmp_path / 'f.jsonl'}:2")]
    assert not skipped[0].is_responses


@pytest.mark.parametrize(
    "line",
    [
        {"custom_id": "a", "url": "/v1/responses", "body": {"model": "m", "input": "hi"}},
        {"custom_id": "a", "url": "https://api.example/v1/responses/", "body": {"messages": [USER]}},
        {"custom_id": "a", "body": {"model": "m", "input": "hi", "instructions": "be kind"}},
    ],
)
def test_a_request_of_the_responses_api_is_known_as_such(tmp_path: Path, line: Any) -> None:
    drafts, (skipped,) = read(lines_file(tmp_path, line), Format.BATCH)
    assert drafts == []
    assert skipped.is_responses
    assert skipped.reason == RESPONSES


@pytest.mark.parametrize("url", ["/v1/chat/completions", "https://h/v1/chat/completions?api-version=1", None, 5])
def test_a_chat_url_or_none_is_taken(tmp_path: Path, url: Any) -> None:
    drafts, _ = read(lines_file(tmp_path, {"url": url, "custom_id": 7, "body": {"messages": [USER]}}), Format.BATCH)
    assert [draft.name for draft in drafts] == ["7"]


@pytest.mark.parametrize(("line", "reason"), [({"custom_id": "a"}, "no body"), (5, "not a mapping")])
def test_a_batch_line_without_a_body_is_skipped(tmp_path: Path, line: Any, reason: str) -> None:
    assert [one.reason for one in read(lines_file(tmp_path, line), Format.BATCH)[1]] == [reason]


@pytest.mark.parametrize(
    ("method", "is_taken"), [("POST", True), ("post", True), (None, True), ("GET", False), (5, False)]
)
def test_a_batch_line_of_another_method_is_skipped(tmp_path: Path, method: Any, is_taken: bool) -> None:
    line = {"custom_id": "a", "method": method, "url": "/v1/chat/completions", "body": {"messages": [USER]}}
    drafts, skipped = read(lines_file(tmp_path, line), Format.BATCH)
    assert len(drafts) == is_taken
    reasons = [] if is_taken else [f"method {method}, where a chat request is a POST"]
    assert [one.reason for one in skipped] == reasons


def test_keys_and_addresses_are_dropped_and_their_values_never_said(tmp_path: Path) -> None:
    secret = "sk-canary-1234567890"
    body = {"messages": [USER], "api_key": secret, "extra_headers": {"Authorization": secret}, "base_url": "http://h"}
    (draft,), _ = read(lines_file(tmp_path, body), Format.BODIES)
    assert draft.request == {"messages": [USER]}
    assert draft.changes == ("api_key dropped", "base_url dropped", "extra_headers dropped")
    assert "canary" not in repr(draft)


def test_a_line_that_is_not_json_ends_the_reading_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text(json.dumps({"messages": [USER]}) + "\n\n{'messages': []}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"f\.jsonl:3:2: not JSON"):
        read(file, Format.BODIES)


def test_the_shipped_set_survives_a_batch_file(tmp_path: Path) -> None:
    golden = load_golden_set(shipped_golden_set())
    file = tmp_path / "batch.jsonl"
    file.write_text(batch_jsonl(golden, "some-model"), encoding="utf-8")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {(line["method"], line["url"], line["body"]["model"]) for line in lines} == {
        ("POST", "/v1/chat/completions", "some-model")
    }
    drafts, skipped = read(file, Format.BATCH)
    back = list(prompts_of(drafts, prefix="batch"))
    assert skipped == []
    assert [(prompt.id, prompt.request) for prompt in back] == [(one.id, one.request) for one in golden.prompts]


@given(texts=st.lists(st.text(min_size=1), min_size=1, max_size=3), extra=json_values)
def test_any_request_survives_both_exports(
    texts: list[str], extra: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    prompts = [
        Prompt(
            id=f"p{i}", category="c", intent="i", request={"messages": [{"role": "user", "content": text}], "x": extra}
        )
        for i, text in enumerate(texts)
    ]
    golden = GoldenSet(name="g", prompts=prompts)
    file = tmp_path_factory.mktemp("export") / "f.jsonl"
    for kind, text in ((Format.BATCH, batch_jsonl(golden)), (Format.BODIES, bodies_jsonl(golden, "m"))):
        file.write_text(text, encoding="utf-8", newline="")
        drafts, _ = read(file, kind)
        assert [draft.request for draft in drafts] == [prompt.request for prompt in prompts]
