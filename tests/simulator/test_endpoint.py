"""What an endpoint decides: keys, paths, bad requests, quotas, wakes, caches."""

from typing import Any

import pytest

from harness.simulator.endpoint import HttpRequest, SimulatedEndpoint
from harness.simulator.profile import Cold, PrefixCache, RateLimit
from harness.simulator.state import RateWindow, Sleeper
from tests.simulator.client import Raw, chat
from tests.simulator.deciding import CAPITAL, GOLDEN, a_profile, an_endpoint, answer, decide, wire_of

S = 1_000_000_000


def request(path: str, method: str = "GET", body: bytes = b"", **headers: str) -> HttpRequest:
    return HttpRequest(method=method, path=path, headers=headers, body=body)


def sent(endpoint: SimulatedEndpoint, asked: HttpRequest) -> Raw:
    return wire_of(endpoint.decide(asked, "id", 0))


def test_models_are_listed() -> None:
    endpoint = an_endpoint()
    listed = sent(endpoint, request("/v1/models")).json
    assert [entry["id"] for entry in listed["data"]] == ["sim-model"]
    assert sent(endpoint, request("/v1/models/sim-model")).json["object"] == "model"
    assert sent(endpoint, request("/v1/models/gpt")).json["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v1/responses", "POST", 404),
        ("/", "GET", 404),
        ("/v1/chat/completions", "GET", 405),
        ("/v1/models", "POST", 405),
    ],
)
def test_other_paths_and_methods_are_errors(path: str, method: str, status: int) -> None:
    raw = sent(an_endpoint(), request(path, method))
    assert raw.status == status
    assert set(raw.json["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b'{"model": "m", "messages": "\\ud800"}', None),
        (b'{"messages": [{"role": "user"}]}', "model"),
        (b'{"model": "m"}', "messages"),
        (b'{"model": "m", "messages": []}', "messages"),
        (b'{"model": "m", "messages": [7]}', "messages.[0]"),
        (chat("x", max_tokens=0), "max_tokens"),
        (chat("x", max_completion_tokens=True), "max_completion_tokens"),
        (chat("x", stop=["a"] * 5), "stop"),
        (chat("x", temperature=3), "temperature"),
        (chat("x", tools={}), "tools"),
        (chat("x", stream=False, stream_options={"include_usage": True}), "stream_options"),
    ],
)
def test_a_bad_request_gets_the_contracts_envelope(body: bytes, param: str | None) -> None:
    raw = sent(an_endpoint(), request("/v1/chat/completions", "POST", body))
    assert raw.status == 400
    assert raw.json["error"]["type"] == "invalid_request_error"
    assert raw.json["error"]["param"] == param


def test_a_key_is_asked_for_where_one_is_expected() -> None:
    endpoint = SimulatedEndpoint(a_profile(), GOLDEN, key="k-canary")
    refused = sent(endpoint, request("/v1/models", authorization="Bearer other"))
    assert (refused.status, refused.json["error"]["code"]) == (401, "invalid_api_key")
    assert b"k-canary" not in refused.wire
    assert sent(endpoint, request("/v1/models", authorization="Bearer k-canary")).status == 200


def test_other_models_are_served_or_refused_as_told() -> None:
    assert answer(an_endpoint(), CAPITAL, model="gpt").payloads[0]["model"] == "gpt"
    refused = answer(an_endpoint(refuses_other_models=True), CAPITAL, model="gpt")
    assert (refused.status, refused.json["error"]["code"]) == (404, "model_not_found")


def test_ids_end_in_the_requests_and_are_never_shared() -> None:
    one, two = an_endpoint(), an_endpoint()
    assert one.request_id(1) != one.request_id(2)
    assert one.request_id(1) != two.request_id(1)
    assert answer(one, CAPITAL).payloads[0]["id"] == "chatcmpl-id"


def test_above_the_quota_comes_429_with_what_to_wait_for() -> None:
    endpoint = an_endpoint(rate_limit=RateLimit(requests_per_minute=2))
    first, second, third = (wire_of(decide(endpoint, CAPITAL, at_ns=at * S)) for at in (0, 10, 20))
    assert [raw.status for raw in (first, second, third)] == [200, 200, 429]
    assert [raw.headers["x-ratelimit-remaining-requests"] for raw in (first, second, third)] == ["1", "0", "0"]
    assert third.headers["retry-after"] == "40"
    assert third.headers["x-ratelimit-reset-requests"] == "40.000s"
    assert third.json["error"]["code"] == "rate_limit_exceeded"
    assert wire_of(decide(endpoint, CAPITAL, at_ns=60 * S)).status == 200


def test_a_window_never_holds_more_than_its_limit() -> None:
    window = RateWindow(3)
    admitted = [at for at in range(0, 300, 7) if window.admit(at * S).is_admitted]
    assert len(admitted) >= 12
    assert all(sum(at <= other < at + 60 for other in admitted) <= 3 for at in admitted)


def test_a_sleeper_wakes_once_for_all_that_wait_and_sleeps_again_when_idle() -> None:
    sleeper = Sleeper(Cold(wake_s=8.0, idle_after_s=30.0))
    assert sleeper.ask(0).wait_ns == 8 * S
    assert sleeper.ask(3 * S).wait_ns == 5 * S
    assert sleeper.ask(9 * S).wait_ns == 0
    sleeper.used(20 * S)
    assert sleeper.ask(49 * S).wait_ns == 0
    assert sleeper.ask(100 * S).wait_ns == 8 * S


def test_a_wake_longer_than_the_cap_ends_in_504_and_goes_on_behind_it() -> None:
    endpoint = an_endpoint(cold=Cold(wake_s=10.0, cap_s=4.0))
    capped = decide(endpoint, CAPITAL, at_ns=0)
    assert capped.wait_ns == 4 * S
    raw = wire_of(capped)
    assert (raw.status, raw.json["error"]["type"]) == (504, "wake_timeout")
    later = decide(endpoint, CAPITAL, at_ns=7 * S)
    assert (later.wait_ns, wire_of(later).status) == (3 * S, 200)


def test_a_waking_endpoint_may_refuse_instead() -> None:
    endpoint = an_endpoint(cold=Cold(wake_s=10.0, while_waking="refuse"))
    raw = wire_of(decide(endpoint, CAPITAL, at_ns=0))
    assert (raw.status, raw.json["error"]["code"], raw.headers["retry-after"]) == (503, "loading", "1")
    assert wire_of(decide(endpoint, CAPITAL, at_ns=10 * S)).status == 200


def test_minutes_are_played_in_seconds() -> None:
    sleeper = Sleeper(Cold(wake_s=300.0, idle_after_s=900.0, cap_s=600.0, time_scale=60.0))
    assert sleeper.ask(0).wait_ns == 5 * S
    sleeper.used(6 * S)
    assert sleeper.ask(20 * S).wait_ns == 0
    assert sleeper.ask(36 * S).wait_ns == 5 * S
    capped = Sleeper(Cold(wake_s=660.0, cap_s=600.0, time_scale=60.0)).ask(0)
    assert (capped.wait_ns, capped.is_capped) == (10 * S, True)


def test_another_tenant_keeps_it_warm_after_some_wakes() -> None:
    sleeper = Sleeper(Cold(wake_s=8.0, idle_after_s=30.0, kept_warm_after=1))
    assert [sleeper.ask(at * S).wait_ns for at in (0, 1000, 9000)] == [8 * S, 0, 0]
    assert Sleeper(Cold(wake_s=8.0, kept_warm_after=0)).ask(0).wait_ns == 0


def cached(endpoint: SimulatedEndpoint, text: str) -> tuple[int, int]:
    said = decide(endpoint, text).said
    assert said is not None
    usage: dict[str, Any] = said.usage
    return usage["prompt_tokens_details"]["cached_tokens"], said.ttft_ns


def test_the_second_time_a_prompt_is_cached_and_faster() -> None:
    endpoint = an_endpoint(prefix_cache=PrefixCache(ttft_factor=0.5), prefill_ms_per_1k_tokens=100.0)
    text = "word " * 400
    (none, slow), (most, fast) = cached(endpoint, text), cached(endpoint, text)
    assert none == 0
    assert most > 350  # of about 400
    assert fast < 0.6 * slow


def test_a_shared_beginning_is_cached_in_part() -> None:
    endpoint = an_endpoint(prefix_cache=PrefixCache())
    _ = cached(endpoint, "word " * 400)
    partly, _ = cached(endpoint, "word " * 100 + "other " * 300)
    assert 80 < partly <= 102


def test_without_a_cache_nothing_is_cached() -> None:
    endpoint = an_endpoint()
    assert [cached(endpoint, "word " * 400)[0] for _ in range(2)] == [0, 0]
