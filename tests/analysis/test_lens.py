"""Other tools' figures from recorded bytes, each computed by hand."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.lens import peer_report
from harness.analysis.lensstream import Heard, heard
from harness.analysis.lenstools import AIPERF, GUIDELLM, INFERENCE_PERF, LLMPERF, PEERS, SGLANG, VLLM, Peer
from harness.analysis.results.lens import LATENCIES, Family, LensFigure, Statistic, ToolReport
from harness.decode.record import decode_attempt
from harness.model.record import Failure, FailureKind
from tests.decode.wires import (
    DONE,
    MS,
    a_head,
    a_usage,
    an_attempt,
    chunked,
    data,
    delta,
    finish,
    reads_of,
    tool,
    usage,
)

ROLE = delta(role="assistant", content="")
WORD = delta(content="word ")
LAST = b"0\r\n\r\n"
Event = tuple[int, bytes]  # ms after the start, bytes of one read
BY_NAME = {peer.name: peer for peer in PEERS}
TTFT, TPOT, ITL, E2E, TOKENS, REQUESTS = Family
PAGE = (Path(__file__).parents[2] / "docs" / "lens.md").read_text(encoding="utf-8")
PRINTED = (
    *((VLLM, TPOT), (SGLANG, TPOT), (GUIDELLM, TPOT), (GUIDELLM, ITL)),
    *((AIPERF, ITL), (INFERENCE_PERF, TPOT), (LLMPERF, ITL)),
)


def request(
    *events: Event, start_ms: int = 0, sent_ms: int = 0, end_ms: int = 0, status: int = 200, cut: bool = False
) -> Heard:
    """Hear one request whose events come in a read each; the head comes with the first."""
    pieces = [(a_head(status) if place == 0 else b"") + chunked(body) for place, (_, body) in enumerate(events)]
    if not cut:
        pieces[-1] += LAST
    attempt = replace(
        an_attempt(
            reads_of(pieces, [start_ms + at for at, _ in events]),
            Failure(kind=FailureKind.CUT_OFF, message="cut") if cut else None,
        ),
        intended_at_ns=start_ms * MS,
        admitted_at_ns=start_ms * MS,
        sent_at_ns=(start_ms + sent_ms) * MS,
        ended_at_ns=(start_ms + (end_ms or events[-1][0])) * MS,
        status=status,
    )
    wire = b"".join(pieces)
    return heard(decode_attempt(attempt, wire, model_asked="m"), wire, is_cut=cut)


def three_requests() -> list[Heard]:
    """9 tokens in three chunks with a gap of a second; 5 tokens in two chunks; an HTTP 500."""
    slow = request(
        *((50, ROLE), (100, WORD), (200, WORD), (1200, WORD), (1250, finish()), (1260, usage(5, 9)), (1270, DONE)),
        end_ms=1280,
    )
    short = request(
        *((30, ROLE), (100, WORD), (300, WORD), (330, finish()), (340, usage(5, 5)), (350, DONE)), start_ms=2000
    )
    return [slow, short, request((40, b'{"error":{"message":"no"}}'), start_ms=3000, status=500)]


def numbers(report: ToolReport, family: Family) -> list[float | None]:
    return [figure.value.value for figure in report.figures if figure.family is family]


def number(peer: Peer, requests: Sequence[Heard], family: Family, statistic: Statistic = Statistic.MEAN) -> float:
    value = peer_report(peer, requests).figure(family, statistic).value
    assert value.value is not None, value.reason
    return value.value


def reason(peer: Peer, requests: Sequence[Heard], family: Family, statistic: Statistic = Statistic.MEAN) -> str:
    value = peer_report(peer, requests).figure(family, statistic).value
    assert value.reason is not None, value.value
    return value.reason


# From the three requests above, in seconds; the arithmetic is of the definitions in docs/lens.md.
BY_HAND: dict[str, dict[Family, list[float | None]]] = {
    "vLLM bench serve": {
        TTFT: [(0.05 + 0.03) / 2, 0.04, 0.03 + 0.99 * 0.02],
        TPOT: [(1.2 / 8 + 0.3 / 4) / 2, 0.1125, 0.075 + 0.99 * 0.075],
        ITL: [(0.05 + 0.1 + 1.0 + 0.05 + 0.07 + 0.2 + 0.03) / 7, 0.07, 0.2 + 0.94 * 0.8],
        E2E: [(1.25 + 0.33) / 2, 0.79, 0.33 + 0.99 * 0.92],
        TOKENS: [14 / 3.04],
        REQUESTS: [2 / 3.04],
    },
    "SGLang bench_serving": {
        TTFT: [0.1, 0.1, 0.1],
        TPOT: [(1.17 / 8 + 0.25 / 4) / 2, 0.104375, 0.0625 + 0.99 * 0.08375],
        ITL: [(0.1 + 1.0 + 0.2) / 3, 0.2, 0.2 + 0.98 * 0.8],
        E2E: [(1.27 + 0.35) / 2, 0.81, 0.35 + 0.99 * 0.92],
        TOKENS: [14 / 3.04],
        REQUESTS: [2 / 3.04],
    },
    "guidellm": {
        TTFT: [0.1, 0.1, 0.1],
        TPOT: [(1.2 + 0.3) / 14, 1.2 / 9, 1.2 / 9],  # 0.06 has 5 of 14 shares, 0.133 the rest
        ITL: [(1.1 + 0.2) / 12, 1.1 / 8, 1.1 / 8],
        E2E: [0.81, 0.35, 1.27],
        TOKENS: [14 / (3.04 - 0.1)],  # the failed request ends the time
        REQUESTS: [3 / 3.04],
    },
    "AIPerf": {
        TTFT: [0.1, 0.1, 0.1],
        TPOT: [None, None, None],
        ITL: [(1.1 / 8 + 0.2 / 4) / 2, 0.09375, 0.05 + 0.99 * 0.0875],
        E2E: [(1.2 + 0.3) / 2, 0.75, 0.3 + 0.99 * 0.9],
        TOKENS: [14 / 2.3],
        REQUESTS: [2 / 2.3],
    },
    "inference-perf": {
        TTFT: [0.1, 0.1, 0.1],
        TPOT: [(1.1 / 8 + 0.2 / 4) / 2, 0.09375, 0.05 + 0.99 * 0.0875],
        ITL: [(0.1 + 1.0 + 0.2) / 3, 0.2, 0.2 + 0.98 * 0.8],
        E2E: [(1.28 + 0.35) / 2, 0.815, 0.35 + 0.99 * 0.93],
        TOKENS: [14 / 3.04],
        REQUESTS: [2 / 3.04],
    },
    "LLMPerf": {
        TTFT: [0.1, 0.1, 0.1],
        TPOT: [None, None, None],
        ITL: [(1.2 / 9 + 0.3 / 5) / 2, (1.2 / 9 + 0.06) / 2, 0.06 + 0.99 * (1.2 / 9 - 0.06)],
        E2E: [(1.28 + 0.35) / 2, 0.815, 0.35 + 0.99 * 0.93],
        TOKENS: [14 / 3.04],
        REQUESTS: [2 / 3.04],
    },
}


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("tool_name", BY_HAND)
def test_each_figure_of_each_tool_is_the_one_computed_by_hand(tool_name: str, family: Family) -> None:
    report = peer_report(BY_NAME[tool_name], three_requests())
    assert numbers(report, family) == pytest.approx(BY_HAND[tool_name][family])
    assert (report.n_counted, report.n_failed) == (2, 1)


def one_stream() -> Heard:
    """A role chunk at 50 ms, reasoning from 300 to 1280, content from 1300 to 1780, 200 tokens."""
    reasoning = [(at, delta(reasoning_content="think ")) for at in range(300, 1300, 20)]
    content = [(at, WORD) for at in range(1300, 1800, 20)]
    return request((50, ROLE), *reasoning, *content, (1800, finish() + usage(9, 200)), (1801, DONE))


def test_one_stream_has_three_first_tokens() -> None:
    found = {peer.name: number(peer, [one_stream()], TTFT) for peer in PEERS}
    assert found == pytest.approx(
        {
            "vLLM bench serve": 0.05,
            "SGLang bench_serving": 0.3,
            "guidellm": 0.3,
            "AIPerf": 0.3,
            "inference-perf": 0.3,
            "LLMPerf": 1.3,
        }
    )


def counted_by(one: Heard) -> set[str]:
    return {peer.name for peer in PEERS if peer_report(peer, [one]).n_counted}


ALL = set(BY_NAME)
ENDED = ((30, finish()), (40, usage(5, 4)), (50, DONE))


@pytest.mark.parametrize(
    ("events", "counting"),
    [
        (((10, ROLE), (20, WORD), *ENDED), ALL),
        (((10, b": ping\n\n"), (20, WORD), *ENDED), ALL - {"SGLang bench_serving", "LLMPerf"}),
        (
            ((10, b"event: message\n" + ROLE), (20, WORD), *ENDED),
            ALL - {"vLLM bench serve", "SGLang bench_serving", "LLMPerf"},
        ),
        (
            ((10, ROLE), (20, WORD), (30, data({"error": {"message": "no"}})), (50, DONE)),
            {"vLLM bench serve", "SGLang bench_serving", "AIPerf"},
        ),
        (
            ((10, ROLE), (20, WORD), (30, b"event: error\n" + data({"error": {"message": "no"}})), (50, DONE)),
            set(),
        ),
        (((10, ROLE), *ENDED), ALL - {"AIPerf"}),
        (((10, ROLE), (30, finish()), (50, DONE)), {"vLLM bench serve", "SGLang bench_serving", "LLMPerf"}),
        (((10, b"data: {nonsense\n\n"), (20, WORD), *ENDED), {"AIPerf", "inference-perf"}),
    ],
    ids=["plain", "comment", "named", "error", "error event", "empty", "empty, no usage", "no JSON"],
)
def test_what_a_success_is(events: tuple[Event, ...], counting: set[str]) -> None:
    assert counted_by(request(*events)) == counting


def test_a_broken_transport_is_a_failure_for_all() -> None:
    assert counted_by(request((10, ROLE), (20, WORD), cut=True)) == set()


def test_an_answer_without_text_is_zero_seconds_for_some() -> None:
    called = delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}])
    one = request((10, ROLE), (20, called), (25, tool(index=0, function={"arguments": " "})), *ENDED)
    found = {peer.name: number(peer, [one], TTFT) for peer in PEERS if peer is not INFERENCE_PERF}
    assert found == pytest.approx(
        {"vLLM bench serve": 0.01, "SGLang bench_serving": 0.0, "guidellm": 0.02, "AIPerf": 0.02, "LLMPerf": 0.0}
    )
    assert reason(INFERENCE_PERF, [one], TTFT) == "no request has such a value; it prints 0 or nothing"


def test_a_call_that_says_nothing_yet_is_output_for_guidellm_alone() -> None:
    one = request((10, ROLE), (20, tool(index=0, id="a")), (25, tool(index=0, function={"name": "f"})), *ENDED)
    assert number(GUIDELLM, [one], TTFT) == pytest.approx(0.02)
    assert number(AIPERF, [one], TTFT) == pytest.approx(0.025)


def test_without_usage_the_reason_says_what_the_tool_would_do() -> None:
    silent = [request((10, ROLE), (20, WORD), (40, WORD), (50, DONE)), three_requests()[0]]
    assert reason(VLLM, silent, TPOT) == "1 of 2 without usage: it would count the text with its tokenizer"
    assert reason(SGLANG, silent, TOKENS, Statistic.TOTAL).endswith("it would take the length that was asked for")
    assert reason(LLMPERF, silent, ITL).endswith("it would count the text with a Llama tokenizer")
    assert number(GUIDELLM, silent[:1], TPOT) == pytest.approx(0.04 / 2)  # two chunks, so two tokens
    assert number(VLLM, silent, TTFT) == pytest.approx(0.03)


def test_only_vllm_overlooks_usage_beside_a_choice() -> None:
    used = delta({"usage": a_usage(5, 4)}, content="word ")
    one = [request((10, ROLE), (20, WORD), (40, used), (60, DONE))]
    assert reason(VLLM, one, TPOT).startswith("1 of 1 without usage")
    assert number(SGLANG, one, TPOT) == pytest.approx((0.06 - 0.02) / 3)


def test_what_is_only_near_is_marked() -> None:
    near = {(peer.name, figure.family) for peer in PEERS for figure in _figures(peer) if figure.is_nearest}
    assert near == {
        *(("AIPerf", family) for family in (ITL, TOKENS)),
        *(("inference-perf", family) for family in (TPOT, ITL, TOKENS)),
        *(("LLMPerf", family) for family in (ITL, TOKENS)),
    }


def _figures(peer: Peer) -> Sequence[LensFigure]:
    return peer_report(peer, three_requests()).figures


def test_a_clock_starts_with_the_slot_not_with_the_last_byte_sent() -> None:
    assert number(SGLANG, [request((100, WORD), *((at + 100, body) for at, body in ENDED), sent_ms=60)], TTFT) == 0.1


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_nothing_gives_no_number(peer: Peer) -> None:
    report = peer_report(peer, [])
    assert all(figure.value.value is None for figure in report.figures)
    lost = peer_report(peer, [request((40, b"{}"), status=500)])
    assert [number for family in LATENCIES for number in numbers(lost, family)] == [None] * 12


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_figure_has_its_words(peer: Peer) -> None:
    report = peer_report(peer, three_requests())
    assert set(report.why) == set(Family)
    assert not any("\n" in words for words in report.why.values())


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), min_size=1, max_size=12))
def test_guidellms_quantiles_are_those_of_its_cumulated_weights(pieces: list[tuple[int, int]]) -> None:
    """Its own way: unique values, cumulated shares, the first at or beyond q."""
    requests = [
        request((10, WORD), (10 + 8 * span, WORD), (400, usage(1, 1 + 8 * weight)), (410, DONE))
        for span, weight in pieces
    ]
    values = np.array([span / weight / 1000 for span, weight in pieces])
    weights = np.array([8.0 * weight for _, weight in pieces])
    order = np.argsort(values)
    shares = np.cumsum(weights[order]) / weights.sum()
    wanted = values[order][np.searchsorted(shares, 0.5 - 1e-12)]
    assert number(GUIDELLM, requests, ITL, Statistic.MEDIAN) == pytest.approx(wanted)


def test_the_pages_example_is_what_comes_out() -> None:
    """The table of docs/lens.md, in ms."""
    found = [number(peer, [one_stream()], family) * 1000 for peer, family in PRINTED]
    assert [round(value, 2) for value in found] == [8.79, 7.54, 8.9, 7.44, 7.44, 7.44, 8.9]
    assert all(f"{value:.2f} ms" in PAGE for value in found)


def test_every_source_is_on_the_page_with_its_commit() -> None:
    commits = [commit for peer in PEERS for commit in re.findall(r" at (\w+)", peer.source)]
    assert len(commits) >= len(PEERS)
    assert [commit for commit in commits if f"`{commit}" not in PAGE] == []
