"""Every fault, as its bytes come over a socket; what a stall or a hold looks like before the client gives up."""

import json
import select
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.simulator.faults import calls
from harness.simulator.faults.table import FAULTS
from harness.simulator.process import RunningSimulator, running_simulator
from harness.simulator.profile import FaultRule
from harness.simulator.script import After
from harness.simulator.tokens import count_tokens
from harness.simulator.wire import writes_of
from tests.simulator.client import Raw, ask, chat, connect, http
from tests.simulator.deciding import (
    CAPITAL,
    CAPITAL_TEXT,
    FAST,
    GOLDEN_FILE,
    TWO_CITIES,
    WEATHER,
    an_endpoint,
    answer,
    decide,
    wire_of,
)

MS = 1_000_000
Holds = Callable[[Raw], bool]


def is_error(status: int, code: object = None, **headers: str) -> Holds:
    """The envelope with this status, code and headers."""

    def holds(raw: Raw) -> bool:
        error = raw.json["error"]
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        is_envelope = set(error) == {"message", "type", "param", "code"} and error["code"] == code
        return raw.status == status and raw.is_whole and is_envelope and given.items() <= raw.headers.items()

    return holds


def is_half(raw: Raw) -> bool:
    """The first part of the text, then no regular end."""
    return CAPITAL_TEXT.startswith(raw.text) and 0 < len(raw.text) < len(CAPITAL_TEXT) and not raw.finish_reasons


def is_cut(raw: Raw) -> bool:
    return is_half(raw) and not raw.is_whole and not raw.is_done and not raw.is_reset


def is_answer(raw: Raw) -> bool:
    """The whole text, whatever surrounds it."""
    return raw.text == CAPITAL_TEXT and raw.finish_reasons == ["stop"] and raw.is_done and raw.is_whole


def has_inserted(line: bytes) -> Holds:
    return lambda raw: is_answer(raw) and raw.body.startswith(line) and raw.body.count(line) == 2


def ends_inside_a_character(raw: Raw) -> bool:
    try:
        raw.body.decode()
    except UnicodeDecodeError as error:
        return error.end == len(raw.body) and not raw.is_whole
    return False


def is_empty(raw: Raw) -> bool:
    return raw.wire == b"" and raw.is_reset


def has_page(status: int) -> Holds:
    return lambda raw: raw.status == status and raw.headers["content-type"] == "text/html" and b"<html>" in raw.body


REFUSED = {402: "payment_required", 403: "permission_denied", 408: None, 529: None}


def is_framed(raw: Raw) -> bool:
    return not {"content-length", "transfer-encoding"}.isdisjoint(raw.headers)


def is_answer_unframed(raw: Raw) -> bool:
    return not is_framed(raw) and raw.text == CAPITAL_TEXT and raw.finish_reasons == ["stop"] and raw.is_done


def _inflates_badly(raw: Raw) -> bool:
    inflater = zlib.decompressobj(31)
    good = b"" if raw.headers["content-encoding"] == "gzip" else raw.wire
    for chunk in raw.chunks:
        try:
            good += inflater.decompress(chunk)
        except zlib.error:
            return CAPITAL_TEXT.startswith(Raw(wire=b"HTTP/1.1 200 OK\r\n\r\n" + good).text)
    return False


def _excess(raw: Raw) -> int:
    usage = raw.usages[-1]
    return int(usage["total_tokens"] - usage["prompt_tokens"] - usage["completion_tokens"])


EXPECTED: dict[str, Holds] = {
    "refuse_connection": is_empty,
    "reset_before_response": is_empty,
    "malformed_http": lambda raw: raw.wire == b"this is no HTTP\r\n\r\n",
    "redirect": lambda raw: (raw.status, raw.headers["location"], raw.body) == (302, "/elsewhere", b""),
    "http_400_flat": lambda raw: raw.status == 400 and (raw.json["object"], raw.json["code"]) == ("error", 400),
    "http_401": is_error(401, "invalid_api_key"),
    "http_404": is_error(404, "model_not_found"),
    "http_409": is_error(409),
    "http_422_detail": lambda raw: raw.status == 422 and list(raw.json) == ["detail"],
    "http_429": is_error(429, "rate_limit_exceeded", retry_after="1", x_ratelimit_remaining_requests="0"),
    "http_500": is_error(500),
    "http_502": is_error(502),
    "http_503_no_upstream": is_error(503, "no_upstream"),
    "http_503_loading": is_error(503, "loading", retry_after="1"),
    "http_504": is_error(504, "wake_timeout"),
    "html_error": has_page(502),
    "html_200": has_page(200),
    "json_error_200": is_error(200, "overloaded"),
    "empty_200": lambda raw: raw.status == 200 and raw.body == b"" and raw.is_whole,
    "error_in_stream": lambda raw: is_half(raw) and raw.payloads[-1]["error"]["code"] == 500 and raw.is_done,
    "error_in_stream_flat": lambda raw: is_half(raw) and raw.payloads[-1]["object"] == "error" and not raw.is_done,
    "error_field_in_stream": lambda raw: is_half(raw) and b'\n\nerror: {"message"' in raw.body,
    "error_event_in_stream": lambda raw: is_half(raw) and b'\n\nevent: error\ndata: {"error"' in raw.body,
    "cut_mid_event": lambda raw: is_cut(raw) and not raw.body.endswith(b"\n\n"),
    "cut_mid_character": ends_inside_a_character,
    "cut_between_events": lambda raw: is_cut(raw) and raw.body.endswith(b"\n\n"),
    "reset_mid_stream": lambda raw: raw.is_reset and not raw.finish_reasons and not raw.is_whole,
    "ends_early": lambda raw: is_half(raw) and raw.is_whole and not raw.is_done,
    "no_done": lambda raw: raw.finish_reasons == ["stop"] and raw.is_whole and not raw.is_done,
    "no_finish_reason": lambda raw: raw.text == CAPITAL_TEXT and raw.finish_reasons == [] and raw.is_done,
    "unknown_finish_reason": lambda raw: raw.finish_reasons == ["banana"],
    "filtered": lambda raw: (raw.text, raw.finish_reasons) == ("", ["content_filter"]),
    "empty_stream": lambda raw: raw.text == "" and raw.finish_reasons == ["stop"] and raw.is_done,
    "json_for_stream": lambda raw: (
        raw.headers["content-type"] == "application/json"
        and raw.json["choices"][0]["message"]["content"] == CAPITAL_TEXT
        and raw.json["usage"]["completion_tokens"] == count_tokens(CAPITAL_TEXT)
    ),
    "stall": is_cut,
    "keepalive_then_stall": lambda raw: raw.body == b": keep-alive\n\n" * 5 and not raw.is_whole,
    "slow_drip": is_answer,
    "pause": is_answer,
    "buffered": lambda raw: is_answer(raw) and len(raw.chunks) == 2,
    "gzip_buffered": lambda raw: is_answer(raw) and raw.headers["content-encoding"] == "gzip",
    "empty_data_events": has_inserted(b"data:\n\n"),
    "comments": has_inserted(b": PROCESSING\n\n"),
    "invalid_json_event": has_inserted(b"data: {oops\n\n"),
    "crlf": lambda raw: is_answer(raw) and raw.body.count(b"\n") == raw.body.count(b"\r\n"),
    "bom": lambda raw: is_answer(raw) and raw.body.startswith(b"\xef\xbb\xbfdata: "),
    "no_space_after_data": lambda raw: is_answer(raw) and raw.body.startswith(b'data:{"'),
    "several_events_per_write": lambda raw: is_answer(raw) and raw.chunks[0].count(b"data: ") == 4,
    "split_writes": lambda raw: is_answer(raw) and not raw.chunks[0].endswith(b"\n"),
    "hold_after_done": lambda raw: raw.finish_reasons == ["stop"] and raw.is_done and not raw.is_whole,
    "close_between_requests": lambda raw: is_answer(raw) and "connection" not in raw.headers,
    "duplicate_finish": lambda raw: raw.finish_reasons == ["stop", "stop"],
    "tool_index_missing": lambda raw: bool(raw.fragments) and not any("index" in f for f in raw.fragments),
    "tool_index_repeated": lambda raw: (
        {f["index"] for f in raw.fragments} == {0} and len([f for f in raw.fragments if "id" in f]) == 2
    ),
    "tool_calls_as_object": lambda raw: isinstance(raw.deltas[1]["tool_calls"], dict),
    "arguments_as_object": lambda raw: (
        [f["function"]["arguments"] for f in raw.fragments] == [{"city": "Brno"}, {"city": "Olomouc"}]
    ),
    "usage_wrong": lambda raw: raw.usages[-1]["completion_tokens"] == 10 * count_tokens(CAPITAL_TEXT),
    "usage_missing": lambda raw: is_answer(raw) and raw.usages == [],
    "model_other": lambda raw: is_answer(raw) and {payload["model"] for payload in raw.payloads} == {"another-model"},
    **{f"http_{status}": is_error(status, code) for status, code in REFUSED.items()},
    "http_429_tokens": is_error(429, "rate_limit_exceeded", x_ratelimit_remaining_tokens="0"),
    "http_429_capacity": is_error(429, "engine_overloaded", x_ratelimit_remaining_requests="59"),
    "http_429_quota_spent": is_error(429, "insufficient_quota"),
    "http_400_filtered": is_error(400, "content_filter"),
    "http_429_bare": lambda raw: (raw.status, raw.body) == (429, b"Too Many Requests"),
    "http_413": lambda raw: (raw.status, raw.body) == (413, b""),
    "http_503_bare": lambda raw: (raw.status, raw.body) == (503, b""),
    "http_504_bare": lambda raw: (raw.status, raw.body) == (504, b"upstream request timeout"),
    "redirect_other_host": lambda raw: (
        raw.status == 307 and raw.headers["location"].startswith("https://elsewhere.example/")
    ),
    "redirect_nowhere": lambda raw: raw.status == 301 and "location" not in raw.headers,
    "interim_heads": lambda raw: (
        [int(line[9:12]) for line in raw.wire.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] == [100, 103, 102, 200]
    ),
    "interim_only": lambda raw: raw.wire == b"HTTP/1.1 102 Processing\r\n\r\n",
    "switching_protocols": lambda raw: raw.status == 101,
    "no_content_204": lambda raw: (raw.status, raw.payload) == (204, b""),
    "large_head": lambda raw: is_answer(raw) and 50_000 < len(raw.head) < 100_000,
    "huge_head": lambda raw: is_answer(raw) and len(raw.head) > 1 << 20,
    "cut_in_head": lambda raw: raw.wire.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" not in raw.wire,
    "reset_in_head": lambda raw: raw.is_reset and b"\r\n\r\n" not in raw.wire,
    "cut_after_head": lambda raw: (raw.payload, raw.status, raw.is_reset) == (b"", 200, False),
    "reset_after_head": lambda raw: raw.is_reset and raw.payload == b"",
    "reset_after_done": lambda raw: raw.is_reset and not raw.is_whole,
    "http_10_close": lambda raw: raw.head.startswith(b"HTTP/1.0 200") and is_answer_unframed(raw),
    "unframed_close": lambda raw: raw.head.startswith(b"HTTP/1.1 200") and is_answer_unframed(raw),
    "unframed_cut": lambda raw: not is_framed(raw) and is_half(raw) and not raw.is_done,
    "length_short": lambda raw: int(raw.headers["content-length"]) < len(raw.payload) and raw.text == CAPITAL_TEXT,
    "length_long": lambda raw: int(raw.headers["content-length"]) > len(raw.payload) and is_half(raw),
    "length_not_number": lambda raw: raw.headers["content-length"] == "many",
    "length_and_chunks": lambda raw: is_answer(raw) and raw.headers["content-length"] == "10",
    "chunk_size_broken": lambda raw: b"\r\nzz\r\n" in raw.payload and is_half(raw),
    "chunk_too_long": lambda raw: is_half(raw) and not raw.is_whole and not raw.chunks[-1].endswith(b"\n\n"),
    "gzip": lambda raw: is_answer(raw) and raw.headers["content-encoding"] == "gzip" and len(raw.chunks) > 10,
    "deflate": lambda raw: (
        raw.headers["content-encoding"] == "deflate" and zlib.decompress(raw.body).endswith(b"[DONE]\n\n")
    ),
    "gzip_damaged": _inflates_badly,
    "unknown_coding": lambda raw: is_answer(raw) and raw.headers["content-encoding"] == "br",
    "gzip_bomb": lambda raw: len(raw.wire) < 100_000 and len(raw.body) == 65 << 20,
    "json_typed_as_stream": lambda raw: (
        raw.headers["content-type"] == "text/event-stream"
        and raw.json["choices"][0]["message"]["content"] == CAPITAL_TEXT
    ),
    "stream_for_json": is_answer,  # it leaves a streamed request alone
    "stream_typed_as_json": lambda raw: is_answer(raw) and raw.headers["content-type"] == "application/json",
    "stream_typed_as_text": lambda raw: is_answer(raw) and raw.headers["content-type"] == "text/plain",
    "json_lines": lambda raw: all("choices" in json.loads(line) for line in raw.body.splitlines() if line),
    "plain_text_200": lambda raw: (raw.status, raw.headers["content-type"]) == (200, "text/plain"),
    "other_json_200": lambda raw: raw.status == 200 and set(raw.json) == {"status", "queued"},
    "error_before_output": lambda raw: [list(payload) for payload in raw.payloads] == [["error"]],
    "error_of_filter": lambda raw: is_half(raw) and raw.payloads[-1]["error"]["code"] == "content_filter",
    "finish_reason_error": lambda raw: raw.finish_reasons == ["error"],
    "finish_reason_empty": lambda raw: is_answer(raw) and raw.body.count(b'"finish_reason":""') > 10,
    "finish_reason_contradicts": lambda raw: raw.finish_reasons == ["tool_calls"],
    "bytes_after_done": lambda raw: raw.events[-2:] == [b"[DONE]", b'{"late": true}'],
    "unfinished_last_event": lambda raw: raw.body.endswith(b"\n\ndata: [DONE]\n"),
    "invalid_utf8": lambda raw: raw.body.count(b'"content":"\xff') == 1,
    "choice_without_delta": lambda raw: b'"choices":[{"index":0,"finish_reason":null}]' in raw.body,
    "empty_choices": lambda raw: sum(p["choices"] == [] and not p.get("usage") for p in raw.payloads) == 1,
    "several_choices": lambda raw: [c["index"] for p in raw.payloads for c in p["choices"]].count(1) == 1,
    "choice_index_text": lambda raw: {c["index"] for p in raw.payloads for c in p["choices"]} == {"0"},
    "leaked_markup": lambda raw: raw.text == CAPITAL_TEXT + "<|im_end|>",
    "reasoning_field": lambda raw: is_answer(raw) and sum("reasoning_content" in d for d in raw.deltas) == 1,
    "silent": lambda raw: raw.wire == b"",
    "silent_connection": lambda raw: raw.wire == b"",
    "silent_after_head": lambda raw: (raw.status, raw.payload) == (200, b""),
    "comments_for_ever": lambda raw: set(raw.chunks) == {b": keep-alive\n\n"},
    "half_then_comments": lambda raw: is_half(raw) and raw.chunks[-1] == b": keep-alive\n\n",
    "half_then_empty_deltas": lambda raw: is_half(raw) and raw.deltas[-1] == {"content": ""},
    "speaks_for_ever": lambda raw: raw.text.endswith(" on on"),
    "byte_by_byte": lambda raw: is_answer(raw) and sum(len(chunk) == 1 for chunk in raw.chunks) > 100,
    "reset_next_request": is_answer,
    "usage_zeroed": lambda raw: [usage["total_tokens"] > 0 for usage in raw.usages] == [True, False],
    "usage_inconsistent": lambda raw: _excess(raw) == 100,
    "usage_elsewhere": lambda raw: raw.usages == [] and [p for p in raw.payloads if "x_groq" in p] != [],
    "usage_on_finish": lambda raw: [p["choices"][0]["finish_reason"] for p in raw.payloads if p["usage"]] == ["stop"],
    "usage_in_every_chunk": lambda raw: len(raw.usages) > 10 and raw.usages[0]["completion_tokens"] == 1,
    "usage_grows_silently": lambda raw: (
        is_answer(raw)
        and [p["usage"]["completion_tokens"] for p in raw.payloads if p["usage"]][:3] == [1, 2, 3]
        and raw.deltas[3]["content"] == ""
    ),
    "hidden_reasoning": lambda raw: raw.usages[-1]["completion_tokens_details"] == {"reasoning_tokens": 7},
    "tool_id_missing": lambda raw: bool(raw.fragments) and not any("id" in f for f in raw.fragments),
    "tool_name_in_parts": lambda raw: (
        [f["function"]["name"] for f in raw.fragments if "name" in f["function"]] == ["get_w", "eather"] * 2
    ),
    "legacy_call_repeats": lambda raw: (
        [d["function_call"]["name"] for d in raw.deltas if "function_call" in d] == ["get_weather"]
    ),
}
OF_TOOLS = set(calls.FAULTS)
ENDLESS = {name for name in FAULTS if name.endswith(("_for_ever", "half_then_comments", "half_then_empty_deltas"))}
HELD = {"stall", "keepalive_then_stall", "hold_after_done", "silent", "silent_connection", "silent_after_head"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(FAST, golden=GOLDEN_FILE) as running:
        yield running


def test_every_fault_has_an_expectation() -> None:
    assert set(EXPECTED) == set(FAULTS)
    assert len(FAULTS) >= 40


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_asked_for_by_header_comes_over_the_wire(simulator: RunningSimulator, name: str) -> None:
    asked = dict(TWO_CITIES) if name in OF_TOOLS else {"messages": CAPITAL}
    headers = {"x-sim-fault": name}
    if name in ENDLESS:
        raw = ask_briefly(simulator.port, asked.pop("messages"), headers)
    else:
        raw = ask(simulator.port, asked.pop("messages"), headers=headers, **asked)
    assert EXPECTED[name](raw), raw.wire[:2000]


SPOKEN = b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":" on"}'


def ask_briefly(port: int, messages: object, headers: dict[str, str]) -> Raw:
    """Leave after so many bytes of what never ends."""
    with connect(port) as sock:
        sock.sendall(http("POST", "/v1/chat/completions", chat(messages), **headers))
        wire = b""
        while wire.count(b"keep-alive") < 2 and wire.count(b'"content":""') < 3 and wire.count(SPOKEN) < 2:
            wire += sock.recv(1 << 16)
    return Raw(wire=wire)


def test_without_a_fault_no_expectation_of_one_holds(simulator: RunningSimulator) -> None:
    whole = ask(simulator.port, CAPITAL)
    assert is_answer(whole)
    unmoved = {
        "slow_drip",
        "pause",
        "close_between_requests",
        "reset_next_request",
        "stream_for_json",
    }  # the bytes are right; the instants or the end are not
    wrongly = [name for name in set(FAULTS) - OF_TOOLS - unmoved if _holds(EXPECTED[name], whole)]
    assert wrongly == []


def _holds(expectation: Holds, raw: Raw) -> bool:
    try:
        return expectation(raw)
    except (LookupError, TypeError, ValueError, zlib.error):
        return False


@pytest.mark.parametrize("name", sorted(HELD))
def test_a_held_connection_stays_open_and_silent_until_the_client_leaves(
    simulator: RunningSimulator, name: str
) -> None:
    silence_s = 0.7  # longer than the comments' 100 ms
    with connect(simulator.port) as sock:
        sock.sendall(http("POST", "/v1/chat/completions", chat(CAPITAL), x_sim_fault=name))
        wire = b""
        while select.select([sock], [], [], silence_s)[0]:
            data = sock.recv(1 << 16)
            assert data != b"", "closed instead of held"
            wire += data
    assert EXPECTED[name](Raw(wire=wire))


def test_timing_faults_move_the_instants() -> None:
    plain = decide(an_endpoint(), CAPITAL).script
    due = {
        name: [w.at_ns for w in writes_of(FAULTS[name].apply(plain)) if w.n_tokens]
        for name in ("slow_drip", "pause", "buffered", "gzip_buffered", "several_events_per_write")
    }
    last_ns = plain.events[-1].at_ns
    assert due["slow_drip"] == [(100 + 200 * k) * MS for k in range(18)]
    assert due["pause"][8:11] == [180 * MS, 2190 * MS, 2200 * MS]
    assert due["buffered"] == due["gzip_buffered"] == [last_ns]
    assert due["several_events_per_write"][:2] == [120 * MS, 160 * MS]  # the role chunk is the first of the four


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_never_breaks_on_an_unstreamed_or_empty_answer(name: str) -> None:
    whole = decide(an_endpoint(), CAPITAL, stream=False).script
    empty = decide(an_endpoint(), "Go [[tokens:0]]").script
    for script in (whole, empty):
        assert isinstance(writes_of(FAULTS[name].apply(script)), list)


@pytest.mark.parametrize("name", ["http_500", "usage_wrong", "model_other", "cut_mid_event", "stall", "html_200"])
def test_faults_that_make_sense_without_a_stream_strike_there_too(name: str) -> None:
    decision = decide(an_endpoint(), CAPITAL, stream=False, headers={"x-sim-fault": name})
    assert decision.fault == name


def test_a_wrong_usage_in_a_json_body_keeps_the_length_right() -> None:
    raw = answer(an_endpoint(), CAPITAL, stream=False, headers={"x-sim-fault": "usage_wrong"})
    assert raw.is_whole
    assert raw.json["usage"]["completion_tokens"] == 180


def test_a_fault_that_does_not_apply_is_not_claimed() -> None:
    decision = decide(an_endpoint(), CAPITAL, headers={"x-sim-fault": "tool_index_missing"})
    assert decision.fault is None
    assert wire_of(decision).text == CAPITAL_TEXT


def test_a_fault_can_be_asked_for_in_the_prompt() -> None:
    assert answer(an_endpoint(), "Hello [[fault:http_502]]").status == 502


def test_a_rule_strikes_at_its_rate() -> None:
    endpoint = an_endpoint(faults=[FaultRule(fault="http_500", rate=0.2), FaultRule(fault="no_done", rate=0.1)])
    found = [decide(endpoint, CAPITAL).fault for _ in range(1000)]
    assert found.count("http_500") == pytest.approx(200, abs=38)
    assert found.count("no_done") == pytest.approx(80, abs=26)  # of those that the first let through


def test_a_rule_can_be_meant_for_some_prompts_only() -> None:
    endpoint = an_endpoint(faults=[FaultRule(fault="http_500", prompt="Czechia")])
    assert answer(endpoint, CAPITAL).status == 500
    assert answer(endpoint, **WEATHER).status == 200


def test_connections_are_refused_at_accept_at_the_rate() -> None:
    endpoint = an_endpoint(faults=[FaultRule(fault="refuse_connection", rate=0.25)])
    refused = sum(endpoint.fault_at_accept(number) == "refuse_connection" for number in range(1000))
    assert refused == pytest.approx(250, abs=41)
    assert decide(endpoint, CAPITAL).fault is None
    assert not any(an_endpoint().fault_at_accept(number) for number in range(100))


def test_a_profile_can_refuse_every_connection(tmp_path: Path) -> None:
    profile = tmp_path / "refusing.yml"
    profile.write_text("name: refusing\nfaults: [{fault: refuse_connection}]\n")
    with running_simulator(profile, golden=GOLDEN_FILE) as running:
        assert ask(running.port, CAPITAL).is_reset


def test_what_happens_to_the_connection_afterwards() -> None:
    script = decide(an_endpoint(), CAPITAL).script
    assert script.after is After.KEEP
    after = {name: fault.apply(script).after for name, fault in FAULTS.items()}
    assert {name for name, then in after.items() if then is After.HOLD} == HELD
    assert {name for name, then in after.items() if then is After.RESET} == {
        "refuse_connection",
        "reset_before_response",
        "reset_mid_stream",
        "reset_in_head",
        "reset_after_head",
        "reset_after_done",
    }
    assert {name for name, then in after.items() if then is After.REPEAT} == ENDLESS
    assert {name for name, then in after.items() if then is After.RESET_NEXT} == {"reset_next_request"}
