"""Every metric as data: what it is called, how it is computed, in which unit, when it has no value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"
    NONE = "none"


class Of(StrEnum):
    """What has one value of the metric."""

    REQUEST = "request"
    PAIR = "pair"  # of answers to one prompt
    PROMPT = "prompt"
    SIDE = "side"


class Failures(StrEnum):
    """What a failed request is in a tail of the metric."""

    INFINITE = "slower than anything"
    LEFT_OUT = "left out, counted beside"
    AS_OTHERS = "as any other request"
    NO_TAIL = "no tail"


class Scope(StrEnum):
    """Which prompts of the golden set the metric is taken from."""

    ALL = "all"
    TTFT = "measure.ttft"
    DECODE = "measure.decode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One definition; report, documentation and tests draw on it."""

    id: str
    title: str
    formula: str
    unit: str  # s, tok/s, chars/s, tokens, ratio, fraction, currency, requests/s
    direction: Direction
    undefined: str
    of: Of = Of.REQUEST
    failures: Failures = Failures.NO_TAIL
    scope: Scope = Scope.ALL


_LOWER, _HIGHER, _NONE = Direction.LOWER, Direction.HIGHER, Direction.NONE
_AS_DECODE_RATE = "as decode rate"
_NO_USAGE = "usage missing"

_LATENCIES = (
    Metric(
        id="ttft",
        title="TTFT",
        formula="token_1 − sent: first event with model output of any channel (content, reasoning, refusal, tool call)",
        unit="s",
        direction=_LOWER,
        undefined="no output; a prompt whose measure.ttft is false",
        failures=Failures.INFINITE,
        scope=Scope.TTFT,
    ),
    Metric(
        id="ttft_from_intended",
        title="TTFT from intended",
        formula="token_1 − intended: what an open-loop user waits",
        unit="s",
        direction=_LOWER,
        undefined="closed loop; as TTFT",
        failures=Failures.INFINITE,
        scope=Scope.TTFT,
    ),
    Metric(
        id="ttfat",
        title="TTFAT",
        formula="answer_1 − sent: first visible answer (content, refusal, tool call)",
        unit="s",
        direction=_LOWER,
        undefined="no visible answer; a prompt whose measure.ttft is false",
        failures=Failures.INFINITE,
        scope=Scope.TTFT,
    ),
    Metric(
        id="ttfe",
        title="TTFE",
        formula="event_1 − sent: first server-sent event of any kind, role-only chunks included",
        unit="s",
        direction=_LOWER,
        undefined="no event; a reply that was not streamed",
        failures=Failures.INFINITE,
    ),
    Metric(
        id="e2e",
        title="E2E latency",
        formula="token_N − sent: last event with output",
        unit="s",
        direction=_LOWER,
        undefined="no output",
        failures=Failures.INFINITE,
    ),
    Metric(
        id="ttlb",
        title="Time to last byte",
        formula="ended − sent",
        unit="s",
        direction=_LOWER,
        undefined="the end was not seen",
        failures=Failures.INFINITE,
    ),
    Metric(
        id="e2e_effective",
        title="E2E from intended",
        formula="token_N − intended: E2E with the wait for quota and slot",
        unit="s",
        direction=_LOWER,
        undefined="no output",
        failures=Failures.INFINITE,
    ),
    Metric(
        id="ntpot",
        title="NTPOT",
        formula="E2E / N",
        unit="s",
        direction=_LOWER,
        undefined="usage missing; N is 0; as E2E",
    ),
    Metric(
        id="queue_delay",
        title="Queue delay",
        formula="sent − intended",
        unit="s",
        direction=_LOWER,
        undefined="never sent",
        failures=Failures.AS_OTHERS,
    ),
    Metric(
        id="admission_wait",
        title="Admission wait",
        formula="admitted − intended: the part of the queue delay that waits for quota and slot",
        unit="s",
        direction=_LOWER,
        undefined="never admitted",
        failures=Failures.AS_OTHERS,
    ),
    Metric(
        id="send_lateness",
        title="Send lateness",
        formula="sent − admitted, less the time that opening a new connection took: the harness's own delay",
        unit="s",
        direction=_LOWER,
        undefined="never sent",
        failures=Failures.AS_OTHERS,
    ),
)

_STREAM = (
    Metric(
        id="decode_rate",
        title="Decode rate",
        formula="(N − n1) / (token_N − token_1), one stream; n1 = tokens of the first output chunk",
        unit="tok/s",
        direction=_HIGHER,
        undefined=(
            "usage missing; N − n1 < 1; fewer than 5 distinct reads; buffered; hidden reasoning; a tool call in the "
            "answer; a prompt outside the throughput class (measure.decode is false)"
        ),
        failures=Failures.LEFT_OUT,
        scope=Scope.DECODE,
    ),
    Metric(
        id="tpot",
        title="TPOT",
        formula="1 / decode rate",
        unit="s",
        direction=_LOWER,
        undefined=_AS_DECODE_RATE,
        failures=Failures.LEFT_OUT,
        scope=Scope.DECODE,
    ),
    Metric(
        id="visible_chars_rate",
        title="Visible characters per second",
        formula="characters after the first output event / (token_N − token_1); comparable across tokenizers",
        unit="chars/s",
        direction=_HIGHER,
        undefined=_AS_DECODE_RATE,
        failures=Failures.LEFT_OUT,
        scope=Scope.DECODE,
    ),
    Metric(
        id="gap",
        title="Gap",
        formula=(
            "time between consecutive reads that carry output; a request's value is the median of its gaps, a tail "
            "takes them all"
        ),
        unit="s",
        direction=_LOWER,
        undefined="fewer than two reads with output",
        failures=Failures.LEFT_OUT,
    ),
    Metric(
        id="stall",
        title="Stall",
        formula="sum of max(0, gap − max(1 s, 10 × median gap)) over one request's gaps",
        unit="s",
        direction=_LOWER,
        undefined="as gap",
        failures=Failures.LEFT_OUT,
    ),
    Metric(
        id="tokens_per_chunk",
        title="Tokens per chunk",
        formula="N / output events",
        unit="ratio",
        direction=_NONE,
        undefined=_NO_USAGE,
    ),
)

_TOKENS = (
    Metric(
        id="prompt_tokens",
        title="Prompt tokens",
        formula="usage.prompt_tokens of the last non-null usage",
        unit="tokens",
        direction=_NONE,
        undefined=_NO_USAGE,
    ),
    Metric(
        id="completion_tokens",
        title="Completion tokens",
        formula="N = usage.completion_tokens of the last non-null usage; never counted from chunks",
        unit="tokens",
        direction=_NONE,
        undefined=_NO_USAGE,
    ),
    Metric(
        id="total_tokens",
        title="Total tokens",
        formula="usage.total_tokens of the last non-null usage",
        unit="tokens",
        direction=_NONE,
        undefined=_NO_USAGE,
    ),
    Metric(
        id="cached_tokens",
        title="Cached tokens",
        formula="usage.prompt_tokens_details.cached_tokens of the last non-null usage",
        unit="tokens",
        direction=_NONE,
        undefined="usage missing; not reported",
    ),
    Metric(
        id="reasoning_tokens",
        title="Reasoning tokens",
        formula="usage.completion_tokens_details.reasoning_tokens of the last non-null usage",
        unit="tokens",
        direction=_NONE,
        undefined="usage missing; not reported",
    ),
    Metric(
        id="first_chunk_tokens",
        title="First-chunk tokens",
        formula="n1 = tokens in the first output chunk, from usage that runs along",
        unit="tokens",
        direction=_NONE,
        undefined="no running usage: the decode rate then assumes 1",
    ),
    Metric(
        id="cost",
        title="Cost",
        formula=(
            "((prompt − cached) × input + cached × cached input + completion × output) / 10⁶ + per request; cached "
            "tokens at the input price when the price book has none of their own"
        ),
        unit="currency",
        direction=_LOWER,
        undefined="no price book; usage missing; more cached than prompt or more reasoning than completion tokens",
    ),
    Metric(
        id="cost_per_answer",
        title="Cost per answer",
        formula="cost of the side / requests that did not fail",
        unit="currency",
        direction=_LOWER,
        undefined="as cost; no answer",
        of=Of.SIDE,
    ),
    Metric(
        id="cost_per_success",
        title="Cost per success",
        formula="cost of the side / requests that succeeded, with every check passed where the prompt has checks",
        unit="currency",
        direction=_LOWER,
        undefined="as cost; no success",
        of=Of.SIDE,
    ),
    Metric(
        id="prompt_token_ratio",
        title="Prompt-token ratio",
        formula="the candidate's median prompt tokens / the reference's, per prompt: how far the tokenizers differ",
        unit="ratio",
        direction=_NONE,
        undefined="usage missing on a side",
        of=Of.PROMPT,
    ),
    Metric(
        id="completion_token_ratio",
        title="Completion-token ratio",
        formula=(
            "the candidate's geometric mean of completion tokens over a prompt's repeats / the reference's; in total "
            "the geometric mean over prompts, its 90 % interval by Student's t on the logarithms; prompts of which "
            "both sides' answers mostly end by `length` are left out"
        ),
        unit="ratio",
        direction=_NONE,
        undefined="usage missing or zero on a side; cut by max_tokens on both",
        of=Of.PROMPT,
    ),
    Metric(
        id="chunks_per_token",
        title="Chunks per token",
        formula=(
            "output events / completion tokens, summed over streamed texts; below 0.8 a gap is no time between tokens"
        ),
        unit="ratio",
        direction=_NONE,
        undefined="no streamed text with usage",
        of=Of.SIDE,
    ),
)


def _rate(metric_id: str, title: str, formula: str, undefined: str, direction: Direction = _HIGHER) -> Metric:
    return Metric(
        id=metric_id,
        title=title,
        formula=formula,
        unit="fraction",
        direction=direction,
        undefined=undefined,
        of=Of.SIDE,
    )


_RATES = (
    _rate("request_success", "Request success", "first attempts without a failure / judged requests", "no request"),
    _rate(
        "task_success",
        "Task success",
        "requests whose every check passed / judged requests of prompts with checks; a failed request is no success",
        "no prompt has checks",
    ),
    _rate(
        "tool_success",
        "Tool-call success",
        "requests that reached the top of the tool ladder, in a tool loop with the second answer / judged requests of "
        "prompts that expect a tool decision",
        "no prompt expects a tool decision",
    ),
    _rate(
        "json_validity",
        "Valid JSON",
        "answers that are JSON as a whole / judged requests of prompts that expect JSON",
        "no prompt expects JSON",
    ),
    _rate("refusal", "Refusals", "answers that decline / answers of prompts that should be answered", "none", _LOWER),
    _rate(
        "truncation",
        "Truncated answers",
        "answers cut by length / answers of prompts that do not ask for it",
        "none",
        _LOWER,
    ),
    _rate(
        "schema_valid",
        "Schema-valid answers",
        "answers that are JSON and satisfy the stated schema / judged requests of prompts that state one",
        "no prompt states a schema",
    ),
    _rate(
        "schema_accuracy",
        "Tool schema accuracy",
        "calling answers whose every call names an offered tool and satisfies its schema / calling answers",
        "no answer calls a tool",
    ),
    _rate(
        "pass_at_k",
        "pass@k",
        "1 − C(n − c, k) / C(n, k) of a tool prompt with c successes in n repeats, mean over prompts",
        "fewer than two repeats of a prompt",
    ),
    _rate(
        "pass_all_k",
        "pass^k",
        "C(c, k) / C(n, k) of a tool prompt with c successes in n repeats, mean over prompts",
        "fewer than two repeats of a prompt",
    ),
    _rate(
        "tool_trigger_f1",
        "Trigger agreement",
        "2 Σ p q / (Σ p + Σ q), p and q being the shares of a prompt's requests that each side answers with a call",
        "no prompt offers tools; fewer than two answers of the reference; no answer calls a tool",
        _NONE,
    ),
    _rate(
        "tool_trigger_f1_by_finish",
        "Trigger agreement by finish reason",
        "the same with answers whose finish_reason is tool_calls, as K2-Vendor-Verifier counts",
        "as trigger agreement",
        _NONE,
    ),
    _rate(
        "tool_trigger_pairs",
        "Pairs in which both call, of all pairs",
        "mean of p q over prompts that offer tools; its ceiling is the mean of p² over pairs of the reference's own",
        "as trigger agreement",
        _NONE,
    ),
    _rate(
        "accepted",
        "Accepted by the reference",
        (
            "answers found among n − 1 of the reference's n answers to a prompt without checks, averaged over the one "
            "left out / requests; the reference's own answers are each looked for among its others"
        ),
        "every prompt has checks; fewer than two answers of the reference",
    ),
    _rate(
        "self_agreement",
        "Self agreement",
        (
            "mean over pairs of a prompt's repeats on one side: in the same canonical form, or as alike as a way of "
            "comparing says"
        ),
        "fewer than two answers",
        _NONE,
    ),
    _rate(
        "cross_agreement",
        "Cross agreement",
        "the same over pairs of a reference's and a candidate's answer to one prompt",
        "a side has no answer",
        _NONE,
    ),
    _rate(
        "excess_disagreement",
        "Excess disagreement",
        "(reference's self agreement + candidate's) / 2 − cross agreement, mean over prompts",
        "a side without two answers; the reference agrees with itself in less than 30 %",
        _NONE,
    ),
)


def _likeness(metric_id: str, title: str, formula: str) -> Metric:
    return Metric(
        id=metric_id,
        title=title,
        formula=formula,
        unit="fraction",
        direction=_NONE,
        undefined="a failed request",
        of=Of.PAIR,
    )


_LIKENESS = (
    _likeness("same_exactly", "Same, letter by letter", "1 for the same text, refusal and calls as they came, else 0"),
    _likeness(
        "same_canonical",
        "Same in canonical form",
        "1 for the same canonical form (white space, key order, order of calls and 5.0 for 5 aside), else 0",
    ),
    _likeness(
        "same_calls",
        "Same tool calls",
        "prompts that offer tools: 1 for the same multiset of canonical calls, none included, else 0",
    ),
    _likeness(
        "json_similarity",
        "JSON by path",
        (
            "prompts that ask for JSON: (path, value) leaves in common / leaves of either; without JSON 1 for equal "
            "text, else 0"
        ),
    ),
    _likeness(
        "text_similarity",
        "Text, by characters",
        "other prompts: 2 × longest common subsequence / both lengths, of the first 4,000 characters (rapidfuzz)",
    ),
    _likeness(
        "word_overlap",
        "Text, by words",
        "other prompts: 0.5 cosine of word counts + 0.5 cosine of counts of neighbouring words, case aside",
    ),
    _likeness(
        "shared_prefix",
        "First divergence",
        "other prompts: characters before the first difference / characters of the longer answer",
    ),
)

_THROUGHPUT = (
    Metric(
        id="throughput",
        title="Throughput",
        formula="sum of N over successes / (last token_N − first sent), all streams of one level of load together",
        unit="tok/s",
        direction=_HIGHER,
        undefined="no success; a success without usage",
        of=Of.SIDE,
    ),
    Metric(
        id="request_rate",
        title="Request rate",
        formula="successes / (last token_N − first sent) at one level of load",
        unit="requests/s",
        direction=_HIGHER,
        undefined="no success",
        of=Of.SIDE,
    ),
    Metric(
        id="goodput",
        title="Goodput",
        formula=(
            "requests per second that meet all stated limits; a failure and an undefined value miss theirs, and every "
            "scheduled request is in the denominator"
        ),
        unit="requests/s",
        direction=_HIGHER,
        undefined="no limits are stated",
        of=Of.SIDE,
    ),
)

CATALOG: Mapping[str, Metric] = {
    metric.id: metric for metric in (*_LATENCIES, *_STREAM, *_TOKENS, *_RATES, *_LIKENESS, *_THROUGHPUT)
}
