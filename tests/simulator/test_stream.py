"""The dialect of a stream: roles, chunks, usage, finish reasons, instants."""

from typing import Any

import pytest

from harness.simulator.profile import Reasoning, StreamStyle
from harness.simulator.tokens import count_tokens, tokenize
from harness.simulator.wire import writes_of
from tests.simulator.client import Raw
from tests.simulator.deciding import CAPITAL, CAPITAL_TEXT, WEATHER, an_endpoint, answer, decide

MS = 1_000_000
N = count_tokens(CAPITAL_TEXT)


def styled(**style: Any) -> Raw:
    return answer(an_endpoint(stream=StreamStyle(**style)), CAPITAL)


def test_by_the_contract() -> None:
    raw = styled()
    assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert raw.deltas[0] == {"role": "assistant", "content": ""}
    assert [delta["content"] for delta in raw.deltas[1:-1]] == tokenize(CAPITAL_TEXT)
    assert raw.deltas[-1] == {}
    assert raw.finish_reasons == ["stop"]
    assert [payload.get("usage") for payload in raw.payloads[:-1]] == [None] * (N + 2)
    assert raw.payloads[-1]["choices"] == []
    assert raw.usages == [raw.payloads[-1]["usage"]]
    assert raw.usages[0]["completion_tokens"] == N
    assert raw.events[-1] == b"[DONE]"
    assert raw.is_whole
    assert len({payload["id"] for payload in raw.payloads}) == 1


def test_usage_is_not_given_unasked() -> None:
    raw = answer(an_endpoint(), CAPITAL, stream_options=None)
    assert raw.text == CAPITAL_TEXT
    assert not any("usage" in payload for payload in raw.payloads)


def test_every_write_is_due_on_an_absolute_schedule() -> None:
    writes = writes_of(decide(an_endpoint(), CAPITAL).script)
    output = [write for write in writes if write.n_tokens]
    assert [write.at_ns for write in output] == [(100 + 10 * k) * MS for k in range(N)]
    assert [write.n_tokens for write in output] == [1] * N
    assert writes[0].at_ns == 0  # the head
    assert {write.at_ns for write in writes[-4:]} == {(100 + 10 * N) * MS}  # finish, usage, [DONE], the body's end


@pytest.mark.parametrize("size", [2, 4, 1000])
def test_several_tokens_per_chunk_go_out_when_the_last_is_due(size: int) -> None:
    script = decide(an_endpoint(stream=StreamStyle(tokens_per_chunk=size)), CAPITAL).script
    output = [event for event in script.events if event.n_tokens]
    ends = [min(end, N) for end in range(size, N + size, size)]
    assert [event.at_ns for event in output] == [(100 + 10 * (end - 1)) * MS for end in ends]
    assert sum(event.n_tokens for event in output) == N


def test_an_unstreamed_answer_is_due_with_its_last_token() -> None:
    (write,) = writes_of(decide(an_endpoint(), CAPITAL, stream=False).script)
    assert (write.at_ns, write.n_tokens) == ((100 + 10 * (N - 1)) * MS, N)


def test_the_role_chunk_of_an_answer_without_text_has_null_content() -> None:
    assert answer(an_endpoint(), **WEATHER).deltas[0] == {"role": "assistant", "content": None}


def test_roles() -> None:
    assert styled(role="none").deltas[0] == {"content": "The"}
    assert styled(role="with").deltas[1] == {"role": "assistant", "content": " capi"}
    early = decide(an_endpoint(stream=StreamStyle(role="early")), CAPITAL).script
    assert early.events[0].at_ns == 50 * MS


def test_the_head_can_wait_for_the_first_token() -> None:
    late = decide(an_endpoint(stream=StreamStyle(head="first-token")), CAPITAL).script
    assert late.head_at_ns == 100 * MS


def test_usage_styles() -> None:
    on_finish = styled(usage="on-finish")
    assert on_finish.payloads[-1]["choices"][0]["finish_reason"] == "stop"
    assert on_finish.usages[0]["completion_tokens"] == N
    running = styled(usage="every-chunk")
    assert [usage["completion_tokens"] for usage in running.usages] == [0, *range(1, N + 1), N, N]
    assert styled(usage="none").usages == []


def test_finish_styles() -> None:
    reasons = [c["finish_reason"] for p in styled(finish="empty-until-end").payloads for c in p["choices"]]
    assert reasons == [""] * (N + 1) + ["stop"]
    assert styled(finish="every-chunk").finish_reasons == ["stop"] * (N + 2)
    assert styled(finish="eos").finish_reasons == ["eos"]
    last = styled(finish="with-last-token", usage="on-finish")
    assert last.payloads[-1]["choices"][0] | {"logprobs": None} == {
        "index": 0,
        "delta": {"content": tokenize(CAPITAL_TEXT)[-1]},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert last.usages[0]["completion_tokens"] == N
    with_tools = answer(an_endpoint(stream=StreamStyle(finish="stop-with-tools")), **WEATHER)
    assert with_tools.fragments
    assert with_tools.finish_reasons == ["stop"]


def test_a_stream_of_hidden_reasoning_alone_still_finishes() -> None:
    style, reasoning = StreamStyle(finish="with-last-token"), Reasoning(tokens=50, hidden=True)
    raw = answer(an_endpoint(stream=style, reasoning=reasoning), CAPITAL, max_tokens=20)
    assert (raw.text, raw.finish_reasons) == ("", ["length"])
    assert raw.usages[-1]["completion_tokens"] == 20


def test_another_tokenizer_counts_otherwise_and_limits_in_its_own_counts() -> None:
    raw = answer(an_endpoint(tokenizer_factor=2.0), CAPITAL)
    assert (raw.text, raw.usages[-1]["completion_tokens"]) == (CAPITAL_TEXT, 2 * N)
    cut = answer(an_endpoint(tokenizer_factor=2.0), CAPITAL, max_tokens=10)
    assert (count_tokens(cut.text), cut.usages[-1]["completion_tokens"]) == (5, 10)
