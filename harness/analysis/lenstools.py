"""The six load generators whose figures the lens gives, each as data: which definitions are its own, and in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.analysis import lenspeers as of
from harness.analysis.lensstream import Heard
from harness.analysis.results.lens import Family

Windows = Callable[[Sequence[Heard], Sequence[Heard]], of.Window | None]  # of all, of those that count

NOT_PRINTED = "the tool prints no such figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One tool: which requests count, what each gives, and how many become one."""

    name: str
    source: str
    counts: Callable[[Heard], bool]
    tokens: Callable[[Heard], int | None]  # None: the bytes do not say
    without_tokens: str  # what the tool would do where they do not
    latencies: dict[Family, Callable[[Heard], of.Pool]]
    needs_tokens: frozenset[Family]
    nearest: frozenset[Family] = frozenset()
    is_by_rank: bool = False  # percentiles are a weighted sample's own values, not interpolated
    counts_failures: bool = False  # in requests per second
    request_window: Windows
    token_window: Windows
    why: dict[Family, str]
    absent: dict[Family, str] = field(default_factory=dict)


_WHOLE_TEST = "over the time from the first start to the end of the last request, failed ones included"
_ITS_TOKENS = "sum of N over its successes"

VLLM = Peer(
    name="vLLM bench serve",
    source="vllm-project/vllm at 02cfb53, serve.py at 009e6d4",
    counts=of.vllm_counts,
    tokens=of.vllm_tokens,
    without_tokens="count the text with its tokenizer",
    latencies={Family.TTFT: of.vllm_ttft, Family.TPOT: of.vllm_tpot, Family.ITL: of.vllm_itl, Family.E2E: of.vllm_e2e},
    needs_tokens=frozenset({Family.TPOT, Family.OUTPUT_RATE}),
    request_window=of.first_start_to_last_end,
    token_window=of.first_start_to_last_end,
    why={
        Family.TTFT: "until the first chunk with a choice, even if it holds only the role",
        Family.TPOT: "(E2E − TTFT) / (N − 1), a value per request; begins at the role chunk, ends at the finish chunk",
        Family.ITL: "gaps between chunks of all requests pooled, role and finish chunks included",
        Family.E2E: "until the last chunk with a choice, the finish chunk",
        Family.OUTPUT_RATE: f"{_ITS_TOKENS} {_WHOLE_TEST}",
        Family.REQUEST_RATE: f"its successes {_WHOLE_TEST}",
    },
)

SGLANG = Peer(
    name="SGLang bench_serving",
    source="sgl-project/sglang at 00f9ec4",
    counts=of.sglang_counts,
    tokens=of.sglang_tokens,
    without_tokens="take the length that was asked for",
    latencies={
        Family.TTFT: of.sglang_ttft,
        Family.TPOT: of.sglang_tpot,
        Family.ITL: of.sglang_itl,
        Family.E2E: of.sglang_e2e,
    },
    needs_tokens=frozenset({Family.TPOT, Family.OUTPUT_RATE}),
    request_window=of.first_start_to_last_end,
    token_window=of.first_start_to_last_end,
    why={
        Family.TTFT: "until the first text, reasoning included; a tool call has none, and no text at all is 0 s",
        Family.TPOT: "(E2E − TTFT) / (N − 1), a value per request; the wait for usage and [DONE] is in it",
        Family.ITL: "gaps between chunks with text of all requests pooled",
        Family.E2E: "until the last line, [DONE]",
        Family.OUTPUT_RATE: f"{_ITS_TOKENS} {_WHOLE_TEST}",
        Family.REQUEST_RATE: f"its successes {_WHOLE_TEST}",
    },
)

GUIDELLM = Peer(
    name="guidellm",
    source="vllm-project/guidellm at 31c74ea, metrics.py at 06cef29",
    counts=of.guidellm_counts,
    tokens=of.guidellm_tokens,
    without_tokens="take each chunk as a token",
    latencies={
        Family.TTFT: of.guidellm_ttft,
        Family.TPOT: of.guidellm_tpot,
        Family.ITL: of.guidellm_itl,
        Family.E2E: of.guidellm_e2e,
    },
    needs_tokens=frozenset({Family.TPOT, Family.ITL, Family.OUTPUT_RATE}),
    is_by_rank=True,
    counts_failures=True,
    request_window=of.guidellm_request_window,
    token_window=of.guidellm_token_window,
    why={
        Family.TTFT: (
            "until the first content, reasoning or tool call; none at all is 0 s; quantiles are a request's own value"
        ),
        Family.TPOT: "(last output − start) / N, TTFT included; requests weighted by N",
        Family.ITL: "(last − first output) / (N − 1), others' TPOT; requests weighted by N − 1",
        Family.E2E: "until [DONE]",
        Family.OUTPUT_RATE: "tokens of all requests over the time from the first output of any to the last",
        Family.REQUEST_RATE: "all requests, failed ones too, over the time from the first start to the last end",
    },
)

AIPERF = Peer(
    name="AIPerf",
    source="ai-dynamo/aiperf at 58dd5de, openai_chat.py at 00a8e85",
    counts=of.aiperf_counts,
    tokens=of.aiperf_tokens,
    without_tokens="count the text with its tokenizer",
    latencies={Family.TTFT: of.aiperf_ttft, Family.ITL: of.aiperf_itl, Family.E2E: of.aiperf_e2e},
    needs_tokens=frozenset({Family.ITL, Family.OUTPUT_RATE}),
    nearest=frozenset({Family.ITL, Family.OUTPUT_RATE}),
    request_window=of.aiperf_window,
    token_window=of.aiperf_window,
    why={
        Family.TTFT: "until the first content, reasoning or tool call's name or arguments",
        Family.ITL: "(E2E − TTFT) / (N − 1), others' TPOT: a value per request",
        Family.E2E: "until the last output, finish chunk and usage left out",
        Family.OUTPUT_RATE: f"{_ITS_TOKENS} over the time from their first start to their last output",
        Family.REQUEST_RATE: "its successes over the time from their first start to their last output",
    },
    absent={Family.TPOT: f"{NOT_PRINTED}: its ITL is one"},
)

INFERENCE_PERF = Peer(
    name="inference-perf",
    source="kubernetes-sigs/inference-perf at 010d12f, chat.py at 005a9a3",
    counts=of.inference_perf_counts,
    tokens=of.inference_perf_tokens,
    without_tokens="count the text with its tokenizer",
    latencies={
        Family.TTFT: of.inference_perf_ttft,
        Family.TPOT: of.inference_perf_tpot,
        Family.ITL: of.inference_perf_itl,
        Family.E2E: of.inference_perf_e2e,
    },
    needs_tokens=frozenset({Family.TPOT, Family.OUTPUT_RATE}),
    nearest=frozenset({Family.TPOT, Family.ITL, Family.OUTPUT_RATE}),
    request_window=of.first_start_to_last_end,
    token_window=of.first_start_to_last_end,
    why={
        Family.TTFT: "until the first text, reasoning included; answers with fewer than two such chunks are left out",
        Family.TPOT: "(last − first text) / (N − 1), a value per request",
        Family.ITL: "gaps between chunks with text pooled; with its tokenizer, a chunk of k tokens adds k − 1 zeros",
        Family.E2E: "until the end of the body",
        Family.OUTPUT_RATE: f"{_ITS_TOKENS} {_WHOLE_TEST}",
        Family.REQUEST_RATE: f"its successes {_WHOLE_TEST}",
    },
)

LLMPERF = Peer(
    name="LLMPerf",
    source="ray-project/llmperf at 004d3af, its client at 0451d33",
    counts=of.llmperf_counts,
    tokens=of.llmperf_tokens,
    without_tokens="count the text with a Llama tokenizer",
    latencies={Family.TTFT: of.llmperf_ttft, Family.ITL: of.llmperf_itl, Family.E2E: of.llmperf_e2e},
    needs_tokens=frozenset({Family.ITL, Family.OUTPUT_RATE}),
    nearest=frozenset({Family.ITL, Family.OUTPUT_RATE}),
    request_window=of.first_start_to_last_end,
    token_window=of.first_start_to_last_end,
    why={
        Family.TTFT: "until the first content; reasoning and tool calls have none, and none at all is 0 s",
        Family.ITL: "(last content − start) / N, TTFT included: a value per request",
        Family.E2E: "until the end of the body",
        Family.OUTPUT_RATE: f"{_ITS_TOKENS} {_WHOLE_TEST}",
        Family.REQUEST_RATE: f"its completed requests per minute / 60, {_WHOLE_TEST}",
    },
    absent={Family.TPOT: NOT_PRINTED},
)

PEERS = (VLLM, SGLANG, GUIDELLM, AIPERF, INFERENCE_PERF, LLMPERF)
