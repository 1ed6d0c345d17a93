"""Masked responses: as long, decoded alike, and nothing left of what was said."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.kept import decodes_alike
from harness.decode.body import BodyKind
from harness.decode.headers import is_header_kept
from harness.decode.maskedbody import mask_body
from harness.decode.maskedjson import Kept, fill, mask_json
from harness.decode.maskedwire import mask_wire
from harness.decode.record import decode_attempt
from harness.model.record import Reads, Record
from tests.decode.cases import CASES, Case
from tests.decode.recordings import DATA, read_recording
from tests.decode.wires import a_wire, an_attempt

KEPT = Kept(pseudonym=lambda text: "p" * len(text), tool_names=frozenset({"weather"}))


UNLIKE = {  # how the call goes on hangs on the words themselves: such a response keeps its decoded record only
    "neither index nor id (16)",
    "one index for two calls without ids (16)",
    "one index for two calls (16)",
    "the name late and in parts (17)",
    "a custom tool",
}


def _decoded(wire: bytes, reads: Reads) -> Record:
    return decode_attempt(an_attempt(reads), wire, model_asked=None)


def _in_pieces(wire: bytes) -> Reads:
    """Let every seventh byte be the first of a read of its own."""
    sizes = tuple(len(wire[at : at + 7]) for at in range(0, len(wire), 7))
    at_ns = tuple(range(1, 1 + len(sizes)))
    return Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=sizes, source="u" * len(sizes))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_way_to_answer_decodes_alike_once_masked(case: Case) -> None:
    wire = a_wire(case.body, case.status, case.content_type, *case.headers)
    reads = _in_pieces(wire)
    masked = mask_wire(wire, reads, KEPT)
    if masked is None:
        assert any(header.lower().startswith("content-encoding") for header in case.headers)
        return
    assert len(masked) == len(wire)
    one, other = _decoded(wire, reads), _decoded(masked, reads)
    assert (one.response_id is None) == (other.response_id is None)
    assert decodes_alike(_without_names(other), _without_names(one)) is (case.name not in UNLIKE)


def _without_names(record: Record) -> Record:
    return replace(record, response_id=None, system_fingerprint=None)


@pytest.mark.parametrize("name", sorted(file.stem for file in DATA.glob("*.json")))
def test_recordings_of_other_servers_decode_alike_once_masked(name: str) -> None:
    recording = read_recording(name)
    masked = mask_wire(recording.wire, recording.reads, KEPT)
    assert masked is not None
    one, other = _decoded(recording.wire, recording.reads), _decoded(masked, recording.reads)
    assert decodes_alike(_without_names(other), _without_names(one))
    assert not one.answer.text or one.answer.text.encode() not in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (b'{"content":"Hi \\u00e9\\n"}', b'{"content":"xxx\\u0078\\/"}'),
        ('{"content":"é€😀"}'.encode(), '{"content":"×□🀫"}'.encode()),
        (b'{"content":"\\ud83d\\ude00"}', b'{"content":"\\ud83c\\udc2b"}'),
        (
            b'{"id":"abc","created":17,"object":"chat.completion"}',
            b'{"id":"ppp","created":17,"object":"chat.completion"}',
        ),
        (b'{"usage":{"prompt_tokens":17}}', b'{"usage":{"prompt_tokens":17}}'),
        (b'{"seventeen":17,"content":-2.5e3}', b'{"xxxxxxxxx":11,"content":-1.1e0}'),
        (b'{"name":"weather"}', b'{"name":"weather"}'),
        (b'{"name":"Prague"}', b'{"name":"xxxxxx"}'),
        (b'{"arguments":{"city":"Rome","n":17,"is":true}}', b'{"arguments":{"xxxx":"xxxx","n":11,"xx":null}}'),
        (b'{"finish_reason":"eos"}', b'{"finish_reason":"eos"}'),
        (b'{"finish_reason":"as you asked"}', b'{"finish_reason":"xxxxxxxxxxxx"}'),
        (b'{"error":{"type":"Prague"}}', b'{"error":{"type":"xxxxxx"}}'),
        (b'{"content":"torn', b'{"content":"xxxx'),
        (b"no JSON, 17", b"xx xxxx, 11"),
    ],
)
def test_what_stays_of_json_is_its_structure(text: bytes, masked: bytes) -> None:
    assert mask_json(text, KEPT) == masked


def test_an_event_over_several_lines_is_one_text() -> None:
    body = b'data: {"content":\ndata: "Prague",\ndata: "model": "m"}\n\n: hello\nevent: error\nid: Prague\n\n'
    assert mask_body(body, BodyKind.EVENTS, KEPT) == (
        b'data: {"content":\ndata: "xxxxxx",\ndata: "model": "m"}\n\n: xxxxx\nevent: error\nid: xxxxxx\n\n'
    )


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("content-type", "text/event-stream; charset=utf-8", True),
        ("x-ratelimit-remaining-tokens", "149,984", True),
        ("x-ratelimit-reset-requests", "1m30.5s", True),
        ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", True),
        ("x-request-id", "req_123", False),
        ("server", "I will say what I was asked", False),
        ("content-type", "text/plain a b c d e f g h i", False),
    ],
)
def test_a_header_stays_where_it_can_hold_no_text(name: str, value: str, stays: bool) -> None:
    assert is_header_kept(name, value) is stays


def test_servers_go_with_the_endpoints() -> None:
    assert is_header_kept("server", "uvicorn")
    assert not is_header_kept("server", "uvicorn", has_servers=False)


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("x-ratelimit-limit-acme-corp-gpt9", "60", False),
        ("x-ratelimit-limit-requests", "acme_corp", False),
        ("x-ratelimit-remaining-tokens", "149,984", True),
        ("x-ratelimit-reset-tokens-minute", "1m30.5s", True),
        ("anthropic-ratelimit-input-tokens-reset", "2026-10-21T07:28:00Z", True),
        ("content-type", "acme/secret-model", False),
        ("content-type", "text/event-stream; charset=utf-8", True),
        ("connection", "x-acme-key", False),
        ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", True),
    ],
)
def test_with_the_endpoints_goes_every_word_that_not_any_server_may_use(name: str, value: str, stays: bool) -> None:
    assert is_header_kept(name, value, has_servers=False) is stays


def test_a_quota_s_name_goes_with_the_endpoints_from_the_wire_too() -> None:
    wire = a_wire(b"", 200, "acme/secret-model", "x-ratelimit-limit-acme: 60", "x-ratelimit-limit-tokens: 7")
    hidden = mask_wire(wire, _in_pieces(wire), replace(KEPT, has_models=False))
    assert hidden is not None
    assert hidden.lower().count(b"acme") == hidden.count(b"secret") == 0
    assert b"x-ratelimit-limit-tokens: 7\r\n" in hidden
    assert b"x-ratelimit-limit-acme: 60\r\n" in (mask_wire(wire, _in_pieces(wire), KEPT) or b"")


@given(st.binary(max_size=200))
def test_any_bytes_keep_their_length(raw: bytes) -> None:
    assert len(fill(raw)) == len(raw)
    assert len(mask_json(raw, KEPT)) == len(raw)
    assert all(len(mask_body(raw, kind, KEPT)) == len(raw) for kind in BodyKind)


@given(st.binary(max_size=120), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n"]))
def test_any_wire_keeps_its_length_and_loses_its_words(raw: bytes, head: bytes) -> None:
    wire = head + b"Prague " + raw
    masked = mask_wire(wire, Reads(at_ns=(1,), seen_at_ns=(1,), n_bytes=(len(wire),), source="u"), KEPT)
    assert masked is None or (len(masked) == len(wire) and b"Prague" not in masked)


@given(st.text(max_size=60))
def test_a_text_is_as_many_characters_as_before(said: str) -> None:
    spelled = re.sub(r'[\x00-\x1f"\\\ud800-\udfff]', "-", said).encode()
    assert len(fill(spelled).decode()) == len(spelled.decode())
