"""Every fault, as its bytes come over a socket; what a stall or a hold looks like before the client gives up."""

import json
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
}
OF_TOOLS = {"tool_index_missing", "tool_index_repeated", "tool_calls_as_object", "arguments_as_object"}
HELD = {"stall", "keepalive_then_stall", "hold_after_done"}


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
    raw = ask(simulator.port, asked.pop("messages"), headers={"x-sim-fault": name}, **asked)
    assert EXPECTED[name](raw), raw.wire


def test_without_a_fault_no_expectation_of_one_holds(simulator: RunningSimulator) -> None:
    whole = ask(simulator.port, CAPITAL)
    assert is_answer(whole)
    unmoved = {"slow_drip", "pause", "close_between_requests"}  # the bytes are right; the instants or the end are not
    wrongly = [name for name in set(FAULTS) - OF_TOOLS - unmoved if _holds(EXPECTED[name], whole)]
    assert wrongly == []


def _holds(expectation: Holds, raw: Raw) -> bool:
    try:
        return expectation(raw)
    except (LookupError, TypeError, json.JSONDecodeError):
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
    refused = sum(endpoint.resets_at_accept(number) for number in range(1000))
    assert refused == pytest.approx(250, abs=41)
    assert decide(endpoint, CAPITAL).fault is None
    assert not any(an_endpoint().resets_at_accept(number) for number in range(100))


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
    }
