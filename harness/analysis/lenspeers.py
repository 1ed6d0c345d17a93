"""How six load generators define their figures: a small function per tool and figure.

Read from their sources, which docs/lens.md names with the commit; only what they compute is taken, no code of theirs.
A latency function gives what one request puts into the tool's pool, in seconds, each with its weight.
"""

from collections.abc import Sequence
from itertools import pairwise

from harness.analysis.lensstream import Heard, HeardChunk
from harness.units import seconds

Weighted = tuple[float, float]  # seconds, weight
Pool = tuple[Weighted, ...]
Window = tuple[int, int]  # instants

FEW = 2  # tokens or chunks below which there is nothing between them


def _once(value_s: float) -> Pool:
    return ((value_s, 1.0),)


def _since(request: Heard, at_ns: int) -> float:
    return seconds(at_ns - request.start_at_ns)


def _gaps(chunks: Sequence[HeardChunk]) -> Pool:
    return tuple((seconds(later.at_ns - earlier.at_ns), 1.0) for earlier, later in pairwise(chunks))


def _last_count(chunks: Sequence[HeardChunk]) -> int | None:
    return next((chunk.tokens for chunk in reversed(chunks) if chunk.tokens is not None), None)


def _per_later_token(span_s: float, tokens: int | None) -> Pool:
    """A span over N − 1; nothing where N is unknown or 1."""
    return () if tokens is None or tokens < FEW else _once(span_s / (tokens - 1))


def first_start_to_last_end(everything: Sequence[Heard], _counted: Sequence[Heard]) -> Window | None:
    """From the first request's start to the end of the last one, whatever became of it."""
    if not everything:
        return None
    return min(one.start_at_ns for one in everything), max(one.ended_at_ns for one in everything)


# vLLM, its bench serve


def vllm_chunks(request: Heard) -> list[HeardChunk]:
    """Any chunk with a choice: the one with the role and the one with the finish reason, too."""
    return [chunk for chunk in request.chunks if chunk.has_choices]


def vllm_counts(request: Heard) -> bool:
    """One chunk with a choice makes a success, an error later in the stream does not unmake it."""
    is_parsed = request.is_readable and not request.has_fields
    return request.is_whole and is_parsed and bool(vllm_chunks(request))


def vllm_tokens(request: Heard) -> int | None:
    """Usage of a chunk without a choice."""
    return _last_count([chunk for chunk in request.chunks if not chunk.has_choices]) or None


def vllm_ttft(request: Heard) -> Pool:
    """First chunk − start."""
    return _once(_since(request, vllm_chunks(request)[0].at_ns))


def vllm_e2e(request: Heard) -> Pool:
    """Last chunk with a choice − start."""
    return _once(_since(request, vllm_chunks(request)[-1].at_ns))


def vllm_tpot(request: Heard) -> Pool:
    """(E2E − TTFT) / (N − 1)."""
    chunks = vllm_chunks(request)
    return _per_later_token(seconds(chunks[-1].at_ns - chunks[0].at_ns), vllm_tokens(request))


def vllm_itl(request: Heard) -> Pool:
    """Every gap between two chunks with a choice."""
    return _gaps(vllm_chunks(request))


# SGLang, the module bench_serving


def sglang_chunks(request: Heard) -> list[HeardChunk]:
    """Chunks with text of the answer or of its reasoning."""
    return [chunk for chunk in request.chunks if chunk.has_content or chunk.has_reasoning]


def sglang_counts(request: Heard) -> bool:
    """Every line of a 200 must be data with JSON; nothing need be in it."""
    has_only_data = not (request.has_comments or request.has_fields)
    return request.is_whole and request.is_readable and has_only_data


def sglang_tokens(request: Heard) -> int | None:
    """Last usage of any chunk."""
    return _last_count(request.chunks)


def _sglang_ttft_s(request: Heard) -> float:
    chunks = sglang_chunks(request)
    return _since(request, chunks[0].at_ns) if chunks else 0.0


def sglang_ttft(request: Heard) -> Pool:
    """First text − start; an answer without text enters as 0."""
    return _once(_sglang_ttft_s(request))


def _sglang_e2e_s(request: Heard) -> float:
    """Until the last line, [DONE] included."""
    last = request.chunks[-1].at_ns if request.chunks else request.start_at_ns
    return _since(request, last if request.done_at_ns is None else request.done_at_ns)


def sglang_e2e(request: Heard) -> Pool:
    """Last line − start."""
    return _once(_sglang_e2e_s(request))


def sglang_tpot(request: Heard) -> Pool:
    """(E2E − TTFT) / (N − 1): the wait for usage and [DONE] is in it."""
    return _per_later_token(_sglang_e2e_s(request) - _sglang_ttft_s(request), sglang_tokens(request))


def sglang_itl(request: Heard) -> Pool:
    """Every gap between two chunks with text."""
    return _gaps(sglang_chunks(request))


# guidellm


def guidellm_chunks(request: Heard) -> list[HeardChunk]:
    """Chunks with content, reasoning or a tool call."""
    return [chunk for chunk in request.chunks if chunk.has_content or chunk.has_reasoning or chunk.has_tool_calls]


def guidellm_counts(request: Heard) -> bool:
    """An error in the stream is a failure, and so is an answer with neither output nor tokens."""
    is_answered = request.is_readable and not request.reports_error
    has_text = any(chunk.has_content or chunk.has_tool_calls for chunk in request.chunks)
    return request.is_whole and is_answered and (has_text or guidellm_tokens(request) > 0)


def guidellm_tokens(request: Heard) -> int:
    """Last usage; without one, a token for each chunk."""
    used = [chunk for chunk in request.chunks if chunk.has_usage]
    return (used[-1].tokens or 0) if used else len(guidellm_chunks(request))


def guidellm_ttft(request: Heard) -> Pool:
    """First chunk with output − start; an answer without one enters as 0."""
    chunks = guidellm_chunks(request)
    return _once(_since(request, chunks[0].at_ns) if chunks else 0.0)


def _guidellm_end_ns(request: Heard) -> int:
    """It leaves the stream at [DONE]."""
    return request.ended_at_ns if request.done_at_ns is None else request.done_at_ns


def guidellm_e2e(request: Heard) -> Pool:
    """[DONE] − start."""
    return _once(_since(request, _guidellm_end_ns(request)))


def guidellm_tpot(request: Heard) -> Pool:
    """(last output − start) / N: the wait for the first token is in it; weighted by N."""
    tokens, chunks = guidellm_tokens(request), guidellm_chunks(request)
    last = chunks[-1].at_ns if chunks else _guidellm_end_ns(request)
    return ((_since(request, last) / tokens, float(tokens)),) if tokens else ()


def guidellm_itl(request: Heard) -> Pool:
    """(last − first output) / (N − 1), what others call TPOT; weighted by N − 1."""
    tokens, chunks = guidellm_tokens(request), guidellm_chunks(request)
    if tokens < FEW or not chunks:
        return ()
    return ((seconds(chunks[-1].at_ns - chunks[0].at_ns) / (tokens - 1), float(tokens - 1)),)


def guidellm_token_window(everything: Sequence[Heard], _counted: Sequence[Heard]) -> Window | None:
    """From the first output to the last; a request with no more than one chunk has its tokens at its end."""
    instants = [at_ns for one in everything for at_ns in _guidellm_token_instants(one)]
    return (min(instants), max(instants)) if instants else None


def _guidellm_token_instants(request: Heard) -> tuple[int, ...]:
    chunks = guidellm_chunks(request)
    if len(chunks) < FEW:
        return (chunks[-1].at_ns if chunks else _guidellm_end_ns(request),)
    return chunks[0].at_ns, chunks[-1].at_ns


def guidellm_request_window(everything: Sequence[Heard], _counted: Sequence[Heard]) -> Window | None:
    """From the first start to the last [DONE]."""
    if not everything:
        return None
    return min(one.start_at_ns for one in everything), max(map(_guidellm_end_ns, everything))


# AIPerf


def aiperf_chunks(request: Heard) -> list[HeardChunk]:
    """Chunks with content, reasoning or a tool call's name or arguments."""
    return [chunk for chunk in request.chunks if chunk.has_content or chunk.has_reasoning or chunk.has_tool_text]


def aiperf_counts(request: Heard) -> bool:
    """At least one chunk with output, and no event named error."""
    return request.is_whole and not request.has_error_event and bool(aiperf_chunks(request))


def aiperf_tokens(request: Heard) -> int | None:
    """What its option --use-server-token-count takes: the last usage."""
    return _last_count(request.chunks)


def aiperf_ttft(request: Heard) -> Pool:
    """First output − start."""
    return _once(_since(request, aiperf_chunks(request)[0].at_ns))


def aiperf_e2e(request: Heard) -> Pool:
    """Last output − start."""
    return _once(_since(request, aiperf_chunks(request)[-1].at_ns))


def aiperf_itl(request: Heard) -> Pool:
    """(E2E − TTFT) / (N − 1), what others call TPOT."""
    chunks = aiperf_chunks(request)
    return _per_later_token(seconds(chunks[-1].at_ns - chunks[0].at_ns), aiperf_tokens(request))


def aiperf_window(_everything: Sequence[Heard], counted: Sequence[Heard]) -> Window | None:
    """From the first success's start to the last output of one."""
    if not counted:
        return None
    return min(one.start_at_ns for one in counted), max(aiperf_chunks(one)[-1].at_ns for one in counted)


# inference-perf


def inference_perf_chunks(request: Heard) -> list[HeardChunk]:
    """Chunks with text of the answer or of its reasoning; a tool call is none."""
    return [chunk for chunk in request.chunks if chunk.has_content or chunk.has_reasoning]


def inference_perf_counts(request: Heard) -> bool:
    """An error in the stream is a failure, and so is an answer with neither text nor usage."""
    says_something = any(chunk.has_content or chunk.has_reasoning or chunk.has_usage for chunk in request.chunks)
    return request.is_whole and not request.reports_error and says_something


def inference_perf_tokens(request: Heard) -> int | None:
    """What its setting use_server_output_tokens takes: the last usage."""
    return _last_count(request.chunks)


def inference_perf_ttft(request: Heard) -> Pool:
    """First text − start; left out where all text came at once."""
    chunks = inference_perf_chunks(request)
    return _once(_since(request, chunks[0].at_ns)) if len(chunks) >= FEW else ()


def inference_perf_e2e(request: Heard) -> Pool:
    """End of the body − start."""
    return _once(_since(request, request.ended_at_ns))


def inference_perf_tpot(request: Heard) -> Pool:
    """(last − first text) / (N − 1)."""
    chunks = inference_perf_chunks(request)
    if len(chunks) < FEW:
        return ()
    return _per_later_token(seconds(chunks[-1].at_ns - chunks[0].at_ns), inference_perf_tokens(request))


def inference_perf_itl(request: Heard) -> Pool:
    """Every gap between two chunks with text."""
    return _gaps(inference_perf_chunks(request))


# LLMPerf


def llmperf_chunks(request: Heard) -> list[HeardChunk]:
    """Chunks with content; reasoning and tool calls are none."""
    return [chunk for chunk in request.chunks if chunk.has_content]


def llmperf_counts(request: Heard) -> bool:
    """Every line must be data with a choice; the usage chunk is left out, since it never asks for one."""
    is_parsed = request.is_readable and not (request.has_comments or request.has_fields)
    has_choices = all(chunk.has_choices for chunk in request.without_usage_chunk())
    return request.is_whole and is_parsed and has_choices and not request.reports_error


def llmperf_tokens(request: Heard) -> int | None:
    """Last usage, in place of its Llama tokenizer."""
    return _last_count(request.chunks)


def llmperf_ttft(request: Heard) -> Pool:
    """First content − start; an answer without content enters as 0."""
    chunks = llmperf_chunks(request)
    return _once(_since(request, chunks[0].at_ns) if chunks else 0.0)


def llmperf_e2e(request: Heard) -> Pool:
    """End of the body − start."""
    return _once(_since(request, request.ended_at_ns))


def llmperf_itl(request: Heard) -> Pool:
    """(last content − start) / N: the wait for the first token is in it; 0 without tokens."""
    chunks, tokens = llmperf_chunks(request), llmperf_tokens(request)
    return _once(_since(request, chunks[-1].at_ns) / tokens if chunks and tokens else 0.0)
