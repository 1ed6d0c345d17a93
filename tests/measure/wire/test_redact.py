"""What may be recorded, and that nothing else is."""

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.headers import is_recorded
from harness.decode.http import split_wire
from harness.measure.wire import redact as redacting
from harness.measure.wire.redact import recorded_headers, redact
from tests.measure.wire.builders import CANARY, CHUNKED_HEAD, LAST_CHUNK, chunk, sized, some_reads

STARS = b"*" * len(CANARY)
SECRETS = (CANARY, b"another-secret")


def pieces_of(text: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[start:end] for start, end in pairwise(edges) if start < end]


def body_of(wire: bytes) -> bytes:
    return split_wire(wire, some_reads(wire)).body


@given(
    st.lists(
        st.sampled_from([CANARY, b"another-secret", b"data: x\n\n", b"sk-canary", b"\r\n", b"0\r\n\r\n"]), max_size=8
    ),
    st.lists(st.integers(0, 500), max_size=15),
)
def test_any_chunking_of_a_body_gives_the_same_redacted_body(parts: list[bytes], places: list[int]) -> None:
    body = b"".join(parts)
    wire = CHUNKED_HEAD + b"".join(map(chunk, pieces_of(body, places))) + LAST_CHUNK
    clean = redact(wire, SECRETS)
    expected = redact(sized(body), SECRETS)
    assert len(clean) == len(wire)
    assert body_of(clean) == body_of(expected) if body else body_of(clean) == b""
    assert not any(secret in body_of(clean) for secret in SECRETS)


@given(st.lists(st.sampled_from([CANARY, b"a", b"\n", b"sk-"]), max_size=6), st.integers(0, 60))
def test_a_body_cut_off_anywhere_leaks_no_longer_part_than_a_stub(parts: list[bytes], missing: int) -> None:
    wire = CHUNKED_HEAD + b"".join(map(chunk, parts))
    wire = wire[: max(len(CHUNKED_HEAD), len(wire) - missing)]
    assert CANARY[:7] not in redact(wire, SECRETS).replace(CANARY[:6] + b"*", b"")


def test_framing_stays_as_it_was() -> None:
    wire = CHUNKED_HEAD + chunk(b"a " + CANARY[:5]) + b"F;x=y\r\n" + CANARY[5:] + b"\r\n" + LAST_CHUNK
    expected = CHUNKED_HEAD + chunk(b"a *****") + b"F;x=y\r\n" + STARS[5:] + b"\r\n" + LAST_CHUNK
    assert redact(wire, SECRETS) == expected


def test_bytes_without_a_secret_stay_untouched() -> None:
    wire = CHUNKED_HEAD + chunk(b"data: x\n\n") + LAST_CHUNK
    assert redact(wire, SECRETS) == wire
    assert redact(b"", SECRETS) == b""


def test_values_outside_the_allow_list_go_with_their_continuation_lines() -> None:
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: id=1\r\n  more\r\nServer: x\r\nOpenAI-Organization:acme\r\n\r\n"
    clean = redact(head + b"body", ())
    assert clean == (
        b"HTTP/1.1 200 OK\r\nSet-Cookie:*****\r\n******\r\nServer: x\r\nOpenAI-Organization:****\r\n\r\nbody"
    )


def test_interim_heads_and_trailers_are_heads_too() -> None:
    wire = (
        b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: a\r\n\r\n"
        + CHUNKED_HEAD
        + chunk(b"x")
        + b"0\r\nSet-Cookie: b\r\n\r\n"
    )
    clean = redact(wire, ())
    assert clean.count(b"Set-Cookie:**\r\n") == 2
    assert len(clean) == len(wire)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nX: " + CANARY,
        b"HTTP/1.1 200 " + CANARY + b"\r\n\r\n",
        b"garbage " + CANARY + b" garbage",
        b"HTTP/1.1 200 OK\nSet-Cookie: " + CANARY + b"\n\n",
        sized(CANARY + CANARY),
        CHUNKED_HEAD + b"broken " + CANARY,
        sized(b"") + CANARY,
    ],
)
def test_a_secret_in_a_broken_response_is_struck_out(wire: bytes) -> None:
    clean = redact(wire, SECRETS)
    assert CANARY not in clean
    assert len(clean) == len(wire)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_compressed_body_that_holds_a_secret_goes_whole(is_chunked: bool) -> None:
    packed = gzip.compress(json.dumps({"echo": CANARY.decode()}).encode())
    coded = b"Content-Encoding: gzip"
    head = CHUNKED_HEAD.replace(b"\r\n\r\n", b"\r\n%s\r\n\r\n" % coded)
    hidden = b"*" * len(packed)
    if is_chunked:
        assert redact(head + chunk(packed) + LAST_CHUNK, SECRETS) == head + chunk(hidden) + LAST_CHUNK
    else:
        assert redact(sized(packed, "200 OK", coded), SECRETS) == sized(hidden, "200 OK", coded)


def test_a_compressed_body_without_a_secret_stays() -> None:
    wire = sized(gzip.compress(b"hello"), "200 OK", b"Content-Encoding: gzip")
    assert redact(wire, SECRETS) == wire


def test_a_body_that_nobody_here_can_decode_is_not_recorded() -> None:
    wire = sized(b"\x8b\x02\x80hello\x03", "200 OK", b"Content-Encoding: br")
    assert redact(wire, SECRETS).endswith(b"\r\n\r\n" + b"*" * 9)


def test_headers_are_kept_by_name_and_cleaned() -> None:
    headers = [
        ("set-cookie", "a"),
        ("x-ratelimit-remaining-tokens", "5"),
        ("x-request-id", CANARY.decode()),
        ("x-request-id", "second"),
        ("location", "http://x/?key=1"),
    ]
    kept = recorded_headers(headers, SECRETS)
    assert kept == {"x-ratelimit-remaining-tokens": "5", "x-request-id": STARS.decode()}


@pytest.mark.parametrize(
    "name", ["retry-after-ms", "cf-ray", "via", "server-timing", "x-should-retry", "content-length"]
)
def test_what_explains_a_response_is_recorded(name: str) -> None:
    assert is_recorded(name)


@pytest.mark.parametrize("name", ["set-cookie", "authorization", "location", "openai-organization", "x-anything"])
def test_what_may_name_an_account_is_not(name: str) -> None:
    assert not is_recorded(name)


SIGNED = b"Canary+k3y/with=signs"


@pytest.mark.parametrize(
    "spelled",
    [
        SIGNED,
        rb"Canary+k3y\/with=signs",  # PHP
        rb"Canary\u002Bk3y/with=signs",  # .NET
        rb"Canary\u002bk3y\/with=signs",
        rb"Canary\u002Bk3y/with\u003Dsigns",
        rb"Canary\u002bk3y\u002fwith\u003dsigns",
    ],
)
def test_a_secret_is_struck_out_as_json_writers_spell_it(spelled: bytes) -> None:
    body = b'{"error": {"message": "bad key ' + spelled + b'"}}'
    assert json.loads(body)["error"]["message"] == f"bad key {SIGNED.decode()}"
    clean = body_of(redact(sized(body), (SIGNED,)))
    assert clean == body.replace(spelled, b"*" * len(spelled))


def deltas(*texts: str, name: str = "content", index: int | None = 0) -> list[bytes]:
    """Give the events of a stream whose texts a client would join."""
    place = {} if index is None else {"index": index}
    chunks = [{"id": "c1", "choices": [place | {"delta": {name: text}, "finish_reason": None}]} for text in texts]
    return [b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks]


def joined_deltas(wire: bytes, name: str = "content", index: int = 0) -> str:
    found = [json.loads(line[6:]) for line in body_of(wire).split(b"\n\n") if line.startswith(b"data: {")]
    choices = [choice for chunk in found for choice in chunk["choices"] if choice.get("index", index) == index]
    return "".join(choice["delta"][name] for choice in choices)


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("name", ["content", "reasoning_content", "arguments"])
@pytest.mark.parametrize("size", [1, 4, 9, 1000])
def test_a_secret_that_the_events_of_a_stream_cut_is_struck_out(size: int, name: str, index: int | None) -> None:
    text = f'the key "{CANARY.decode()}" is wrong'
    events = deltas(*(text[at : at + size] for at in range(0, len(text), size)), name=name, index=index)
    for wire in (sized(b"".join(events)), CHUNKED_HEAD + b"".join(map(chunk, events)) + LAST_CHUNK):
        clean = redact(wire, SECRETS)
        assert len(clean) == len(wire)
        assert joined_deltas(clean, name) == text.replace(CANARY.decode(), "*" * len(CANARY))


def test_a_cut_secret_is_found_among_the_texts_of_another_choice_and_as_json_spells_it() -> None:
    key = SIGNED.decode()
    mine, other = deltas(key[:9], key[9:], index=1), deltas("abc", "def", "ghi", index=0)
    mine = [event.replace(b"+", rb"\u002B") for event in mine]
    clean = redact(sized(b"".join((other[0], mine[0], other[1], mine[1], other[2]))), (SIGNED,))
    assert set(joined_deltas(clean, index=1)) == {"*"}
    assert joined_deltas(clean, index=0) == "abcdefghi"


def test_a_cut_secret_in_a_compressed_stream_takes_the_body_along() -> None:
    packed = gzip.compress(b"".join(deltas(CANARY[:6].decode(), CANARY[6:].decode())))
    clean = redact(sized(packed, "200 OK", b"Content-Encoding: gzip"), SECRETS)
    assert clean.endswith(b"\r\n\r\n" + b"*" * len(packed))


def event_of(text: bytes, key: bytes = b"content") -> bytes:
    """One event of a stream, its text quoted as JSON where it has to be."""
    said = json.dumps(text.decode()).encode()
    return b'data: {"id":"c-1","model":"m","choices":[{"index":0,"delta":{"%s":%s}}]}\n\n' % (key, said)


@given(
    before=st.text(alphabet='ab "\\\n{}:', max_size=12),
    cuts=st.lists(st.integers(0, 60), max_size=20),
    places=st.lists(st.integers(0, 4000), max_size=15),
    key=st.sampled_from([b"content", b"arguments", b"reasoning_content"]),
)
def test_a_secret_spelled_over_events_is_struck_out_however_they_are_cut(
    before: str, cuts: list[int], places: list[int], key: bytes
) -> None:
    text = before.encode() + CANARY + b" so"
    parts = pieces_of(text, cuts)
    body = b"".join(event_of(part, key) for part in parts) + b"data: [DONE]\n\n"
    wire = CHUNKED_HEAD + b"".join(map(chunk, pieces_of(body, places))) + LAST_CHUNK
    clean = redact(wire, SECRETS)
    assert len(clean) == len(wire)
    events = [json.loads(line[6:]) for line in body_of(clean).splitlines() if line.startswith(b"data: {")]
    said = "".join(event["choices"][0]["delta"][key.decode()] for event in events)
    assert said == before + STARS.decode() + " so"
    assert [event["id"] for event in events] == ["c-1"] * len(parts)


def test_the_beginning_of_a_secret_that_the_last_event_cuts_off_is_struck_out() -> None:
    body = b"".join(event_of(CANARY[at : at + 1]) for at in range(12))
    said = body_of(redact(sized(body), SECRETS))
    assert said == b"".join(event_of(b"*") for _ in range(12))


def test_texts_under_different_keys_are_not_one_text() -> None:
    body = event_of(CANARY[:9], b"content") + event_of(CANARY[9:], b"reasoning_content")
    assert body_of(redact(sized(body), SECRETS)) == body


def test_a_compressed_body_whose_events_spell_a_secret_goes_whole() -> None:
    packed = gzip.compress(b"".join(event_of(CANARY[at : at + 2]) for at in range(0, len(CANARY), 2)))
    wire = sized(packed, "200 OK", b"Content-Encoding: gzip")
    assert redact(wire, SECRETS) == wire.removesuffix(packed) + b"*" * len(packed)


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        (b"https://elsewhere.example/v1?token=1", b"https://elsewhere.example/**********"),
        (b"https://user:pw@elsewhere.example:99/x", b"https://********elsewhere.example:99/*"),
        (b"//elsewhere.example", b"//elsewhere.example"),
        (b"https://elsewhere.example;token=1", b"https://elsewhere.example;*******"),
        (b"/login?next=1", None),
        (b"elsewhere", None),
        (b"https://" + CANARY + b".example/", b"https://" + STARS + b".example/"),
    ],
)
def test_of_a_redirect_s_address_the_host_is_recorded(location: bytes, kept: bytes | None) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
    expected = head % kept if kept else (head % location).replace(b" " + location, b"*" * (len(location) + 1))
    assert redact(head % location, SECRETS) == expected


COOKIE = b"Set-Cookie: sessionid=abcdef\r\n"


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n\nHTTP/1.1 200 OK\r\n" + COOKIE + b"Content-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n" + COOKIE + b"Content-Length: 2\r\n\r\n{}",
        b"garbage\r\n" + COOKIE + b"\r\nbody",
        b"HTTP/1.1 200 OK\r\nServer: x\r" + COOKIE + b"Content-Length: 2\r\n\r\n{}",
        sized(b"ok") + b"HTTP/1.1 200 OK\r\n" + COOKIE + b"\r\n",
        CHUNKED_HEAD + chunk(b"x") + LAST_CHUNK + b"HTTP/1.1 200 OK\r\n" + COOKIE + b"\r\n",
        CHUNKED_HEAD + chunk(b"x") + LAST_CHUNK + CHUNKED_HEAD.replace(b"\r\n\r\n", b"\r\n" + COOKIE + b"\r\n")
        + chunk(b"y") + LAST_CHUNK,
        CHUNKED_HEAD + b"%017x\r\nx\r\n" % 1 + b"0\r\n" + COOKIE + b"\r\n",
    ],
)  # fmt: skip
def test_a_header_outside_the_allow_list_is_struck_out_wherever_the_parser_finds_a_head(wire: bytes) -> None:
    clean = redact(wire, SECRETS)
    assert b"sessionid" not in clean
    assert len(clean) == len(wire)
    assert body_of(clean) == body_of(wire)


def test_what_comes_after_the_response_s_end_goes_whole() -> None:
    for wire in (sized(b"ok"), CHUNKED_HEAD + chunk(b"x") + LAST_CHUNK, sized(b"", "204 No Content")):
        assert redact(wire + b"more", SECRETS) == wire + b"****"


def test_an_echo_in_every_chunk_is_looked_up_once_for_each_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: a look at every chunk for every place of the key would be 400 times 400."""
    looked: list[int] = []

    class Pieces(list[tuple[int, int]]):
        def __iter__(self) -> Iterator[tuple[int, int]]:
            for piece in super().__iter__():
                looked.append(1)
                yield piece

        def __getitem__(self, at: object) -> Any:
            looked.append(1)
            return super().__getitem__(at)  # type: ignore[call-overload]  # any of them

    chunks = redacting._chunks
    monkeypatch.setattr(redacting, "_chunks", lambda wire, start: Pieces(chunks(wire, start)))
    event = b'data: {"auth": "%s"}\n\n' % CANARY
    wire = CHUNKED_HEAD + b"".join(chunk(event[:20]) + chunk(event[20:]) for _ in range(200)) + LAST_CHUNK
    assert body_of(redact(wire, SECRETS)) == event.replace(CANARY, STARS) * 200
    assert len(looked) < 20 * 400
