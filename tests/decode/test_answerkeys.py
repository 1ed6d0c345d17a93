"""Answer keys: streams written out by hand, as servers send them, and everything that is true of each."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.results.trial import Rung
from harness.analysis.tools import judge_tools
from harness.decode.record import decode_attempt
from harness.model.record import Answer, Failure, FindingKind, Record
from tests.decode.answerkeys.all import KEYS
from tests.decode.answerkeys.key import JSON, MODEL, Found, Key
from tests.decode.wires import a_head, a_wire, an_attempt, as_object, chunked, reads_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "streams.md"
ROW = re.compile(r"^\| (\d+) \|", re.MULTILINE)


def read(key: Key, pieces: list[bytes]) -> Record:
    """Decode a key's response that came in these pieces."""
    failure = Failure(kind=key.transport, message="seen by the player") if key.transport else None
    attempt = an_attempt(reads_of(pieces), failure)
    return decode_attempt(attempt, b"".join(pieces), model_asked=MODEL, asked_stream=key.asked_stream)


def wire_of(key: Key, body: bytes | None = None) -> bytes:
    return a_wire(key.body if body is None else body, key.status, key.content_type, *key.headers)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_stream_is_read_exactly_as_its_key_says(key: Key) -> None:
    record = read(key, [wire_of(key)])
    found = [Found(kind=finding.kind, count=finding.count, detail=finding.detail) for finding in record.findings]
    assert record.answer == Answer(
        text=key.text,
        reasoning=key.reasoning,
        refusal=key.refusal,
        tool_calls=key.calls,
        finish_reason=key.finish_reason,
    )
    assert record.usage == key.usage
    assert Counter(found) == Counter(key.found)
    assert (record.failure and record.failure.kind) == key.failure
    assert (record.failure and record.failure.message) == key.said


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_its_tool_calls_fall_on_the_rung_that_its_key_names(key: Key) -> None:
    result = judge_tools(key.prompt, read(key, [wire_of(key)]))
    assert result is not None
    assert result.rung is key.rung, result.detail


LINE_ENDS = (b"\n", b"\r", b"\r\n")
IN_PLAIN_TEXT = [key for key in KEYS if not key.headers]  # a line end means nothing inside a compressed body


def with_line_ends(key: Key, end: bytes) -> bytes:
    return key.body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", end)


def said(record: Record) -> tuple[object, ...]:
    """Everything that does not depend on instants; a detail may count the bytes of line ends."""
    found = Counter((finding.kind, finding.count) for finding in record.findings)
    columns = record.arrivals.content_chars, record.arrivals.reasoning_chars, record.arrivals.tool_chars
    return record.answer, record.usage, record.failure, found, columns


@pytest.mark.parametrize("end", LINE_ENDS, ids=["LF", "CR", "CR LF"])
@pytest.mark.parametrize("key", IN_PLAIN_TEXT, ids=lambda key: key.name)
def test_it_reads_alike_with_every_line_end_and_every_byte_in_a_read_and_a_chunk_of_its_own(
    key: Key, end: bytes
) -> None:
    truth = said(read(key, [wire_of(key)]))
    body = with_line_ends(key, end)
    wire = wire_of(key, body)
    assert said(read(key, [wire])) == truth
    assert said(read(key, [wire[at : at + 1] for at in range(len(wire))])) == truth
    head = a_head(key.status, key.content_type)
    frames = [chunked(body[at : at + 1]) for at in range(len(body))]
    assert said(read(key, [head, *frames, b"0\r\n\r\n"])) == truth


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_it_reads_alike_in_two_reads_cut_anywhere(key: Key) -> None:
    wire = wire_of(key)
    truth = said(read(key, [wire]))
    places = range(1, len(wire), max(1, len(wire) // 40))
    assert [at for at in places if said(read(key, [wire[:at], wire[at:]])) != truth] == []


ANSWERED = [key for key in KEYS if key.failure is None]


@pytest.mark.parametrize("key", ANSWERED, ids=lambda key: key.name)
def test_the_same_answer_assembles_equal_when_it_is_not_streamed(key: Key) -> None:
    stream = read(key, [wire_of(key)])
    body = as_object(stream.answer)
    attempt = an_attempt(reads_of([wire := a_wire(body, 200, JSON)]))
    whole = decode_attempt(attempt, wire, model_asked=MODEL, asked_stream=False)
    calls = tuple(replace(call, index=place) for place, call in enumerate(key.calls))
    assert whole.answer == replace(stream.answer, tool_calls=calls)
    assert whole.failure is None
    assert judge_tools(key.prompt, whole) == judge_tools(key.prompt, stream)


def test_every_deviation_of_the_page_has_a_stream_written_out() -> None:
    on_page = set(map(int, ROW.findall(PAGE.read_text(encoding="utf-8"))))
    assert on_page == set(range(1, 32))
    assert {number for key in KEYS for number in key.numbers} == on_page


def test_every_finding_and_every_rung_of_one_request_is_in_some_key() -> None:
    assert {one.kind for key in KEYS for one in key.found} == set(FindingKind)
    assert {key.rung for key in KEYS} == set(Rung) - {Rung.LOOP, Rung.NOT_RUN}  # those of a second request


def test_there_are_at_least_sixty_and_no_two_are_the_same() -> None:
    assert len(KEYS) >= 60
    assert len({key.name for key in KEYS}) == len(KEYS)
    assert len({(key.body, key.status, key.headers, key.asked_stream, key.transport) for key in KEYS}) >= len(KEYS) - 2


@pytest.mark.parametrize(
    ("name", "content_chars", "reads"),
    [
        ("OpenAI, by the contract", (4, 9), (2, 3)),
        ("many tokens in one chunk", (30, 21), (1, 2)),
        ("a parser that holds tokens back while usage goes on", (12, 0), (1, 3)),
    ],
)
def test_an_arrival_keeps_its_read_and_its_characters_and_nothing_is_spread(
    name: str, content_chars: tuple[int, ...], reads: tuple[int, ...]
) -> None:
    key = next(key for key in KEYS if key.name == name)
    frames = [chunked(event + b"\n\n") for event in key.body.split(b"\n\n") if event]
    apart = read(key, [a_head(), *frames, b"0\r\n\r\n"])
    burst = read(key, [a_head() + b"".join(frames) + b"0\r\n\r\n"])
    assert apart.arrivals.content_chars == burst.arrivals.content_chars == content_chars
    assert apart.arrivals.read == reads
    assert burst.arrivals.read == (0,) * len(reads)
    assert len(set(burst.arrivals.at_ns)) == 1
