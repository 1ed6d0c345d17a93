"""The loopback twin: what it learns from, how often it plays, what ends it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from harness.clock import SystemClock
from harness.measure.handmade import streaming_request
from harness.measure.twin import NO_PATTERN, Twin, pattern_of, playing, rest_s
from harness.measure.wire.exchange import Exchange
from harness.model.record import Arm, Attempt, Failure, FailureKind, Reads, RequestKey
from harness.simulator.process import RunningSimulator, running_metronome
from harness.units import NS_PER_MS
from tests.measure.conftest import Run

SENT_AT_NS = 5_000 * NS_PER_MS


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSimulator]:
    with running_metronome() as running:
        yield running


def an_attempt(*, arm: Arm = Arm.REFERENCE, is_warmup: bool = True, **changes: Any) -> Attempt:
    """Give a warm-up that streamed three reads within 4 ms."""
    good = Attempt(
        key=RequestKey(arm=arm, prompt_id="p", repeat=0, is_warmup=is_warmup),
        attempt=1,
        block=0,
        request_sha256="",
        request_bytes=1,
        intended_at_ns=0,
        sent_at_ns=SENT_AT_NS,
        status=200,
        headers={"content-type": "Text/Event-Stream; charset=utf-8"},
        reads=reads(2, 3, 4),
    )
    return replace(good, **changes)


def reads(*after_ms: int) -> Reads:
    at_ns = tuple(SENT_AT_NS + after * NS_PER_MS for after in after_ms)
    return Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=(300,) * len(at_ns), source="k" * len(at_ns))


def play(run: Run, twin: Twin, for_s: float, meanwhile: Any = lambda: None) -> None:
    async def main() -> None:
        async with playing(twin):
            await asyncio.sleep(for_s / 2)
            meanwhile()
            await asyncio.sleep(for_s / 2)

    run(main())


def learned(base_url: str, *attempts: Attempt) -> Twin:
    twin = Twin(base_url, SystemClock())
    passed_on: list[Attempt] = []
    observe = twin.learning(passed_on.append)
    for attempt in attempts:
        observe(attempt)
    assert passed_on == list(attempts)
    return twin


def test_a_pattern_is_what_streamed() -> None:
    assert pattern_of(an_attempt()) == {"at_ns": [2 * NS_PER_MS, 3 * NS_PER_MS, 4 * NS_PER_MS], "n_bytes": [300] * 3}


def test_a_pattern_is_cut_after_a_minute() -> None:
    found = pattern_of(an_attempt(reads=reads(1, 2, 60_000, 60_001)))
    assert found is not None
    assert found["at_ns"] == [NS_PER_MS, 2 * NS_PER_MS, 60_000 * NS_PER_MS]


@pytest.mark.parametrize(
    "change",
    [
        {"status": 503},
        {"status": None},
        {"headers": {"content-type": "application/json"}},
        {"headers": {}},
        {"reads": reads(2)},
        {"reads": reads(2, 2)},
        {"reads": Reads()},
        {"sent_at_ns": None},
        {"failure": Failure(kind=FailureKind.CUT_OFF, message="")},
    ],
)
def test_an_answer_that_did_not_stream_gives_no_pattern(change: dict[str, Any]) -> None:
    assert pattern_of(an_attempt(**change)) is None


def test_only_warm_ups_that_streamed_are_learned_and_without_one_nothing_is_sent(
    run: Run, server: RunningSimulator
) -> None:
    twin = learned(server.base_url, an_attempt(status=503), an_attempt(is_warmup=False))
    play(run, twin, 0.05)
    assert (twin.replayed, twin.notes) == ([], [NO_PATTERN])


def test_the_arms_take_turns_and_the_twin_rests_between(run: Run, server: RunningSimulator) -> None:
    twin = learned(server.base_url, an_attempt(), an_attempt(arm=Arm.CANDIDATE), an_attempt(status=503))
    play(run, twin, 0.4)
    assert twin.notes == []
    assert len(twin.replayed) >= 2
    arms = [seen.arm for seen in twin.replayed]
    assert arms == [(Arm.CANDIDATE, Arm.REFERENCE)[k % 2] for k in range(len(arms))]
    starts = [seen.sent_at_ns for seen in twin.replayed]
    assert all(b - a >= 50 * NS_PER_MS for a, b in pairwise(starts))


@pytest.mark.parametrize(
    ("n_reads", "took_ms", "expected_s"),
    [(3, 4, 0.05), (900, 100, 0.8), (900, 899, 0.05), (900, 20_000, 0.05)],  # at most one read per ms, rests included
)
def test_the_twin_rests_longer_after_a_burst(n_reads: int, took_ms: int, expected_s: float) -> None:
    exchange = Exchange(
        sent_at_ns=SENT_AT_NS,
        ended_at_ns=SENT_AT_NS + took_ms * NS_PER_MS,
        connection=None,
        status=200,
        headers={},
        wire=b"",
        reads=reads(*range(n_reads)),
        failure=None,
    )
    assert rest_s(exchange) == pytest.approx(expected_s)


def test_a_pattern_that_the_server_refuses_is_asked_for_once(run: Run, server: RunningSimulator) -> None:
    descending = an_attempt(arm=Arm.CANDIDATE, reads=reads(3, 2))
    twin = learned(server.base_url, an_attempt(), descending)
    play(run, twin, 0.4)
    assert twin.notes == ["its server refused a pattern with status 400"]
    assert {seen.arm for seen in twin.replayed} == {Arm.REFERENCE}


def test_a_dead_server_ends_the_twin(run: Run) -> None:
    with running_metronome() as dying:
        twin = learned(dying.base_url, an_attempt())
        play(run, twin, 0.4, lambda: os.kill(dying.pid, signal.SIGKILL))
    assert twin.replayed
    (note,) = twin.notes  # one: it was not tried again
    assert note.startswith("it ended early: ")


def test_an_error_of_ours_is_a_note(run: Run, server: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such thing")

    twin = learned(server.base_url, an_attempt())
    monkeypatch.setattr(twin, "_keep", broken)
    play(run, twin, 0.2)
    assert twin.notes == ["it ended early: internal error: RuntimeError: no such thing"]


def test_a_request_made_by_hand_asks_for_a_stream() -> None:
    request = streaming_request("http://127.0.0.1:99/v1", "m", stream_options={"include_usage": True})
    assert request.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:99\r\n")
    assert f"Content-Length: {len(request.body)}\r\n".encode() in request.head
    body = msgspec.json.decode(request.body)
    assert (body["model"], body["stream"], body["stream_options"]) == ("m", True, {"include_usage": True})
