"""A hand-made analysis of 28 prompts, five repeats and two sides, with what goes wrong in real runs."""

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.analysis.answerparity import compare_answers
from harness.analysis.catalog import CATALOG, Metric
from harness.analysis.certificate import certify
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.answers import SdkRow
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Interval, Quantile, Tail, Throughput, Value
from harness.analysis.results.evidence import FailureRow, FindingRow
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.instrument import Client, ClockSource, Instrument, OfferedLoad
from harness.analysis.results.judgement import Judgement, ValidityCheck, Verdict
from harness.analysis.results.prompts import AnswerGroup, PromptRow, PromptSide
from harness.analysis.results.tokens import Economics
from harness.analysis.results.trial import CheckResult, Rung, ToolResult, Trial
from harness.analysis.sdkrows import HELPER, PLAIN
from harness.analysis.structured import structured_sides
from harness.analysis.tokenparity import compare_tokens
from harness.analysis.toolparity import compare_tools
from harness.analysis.trials import JudgedRecord
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import (
    Answer,
    Arm,
    ArmHeader,
    Failure,
    FailureKind,
    Plan,
    Record,
    RequestKey,
    RunHeader,
    RunStatus,
    Stamps,
    ToolCall,
)
from harness.model.settings import Settings

REPEATS = 5
RUN_ID = "20261124T0231-h100-vs-a100-7f3a"
PROMPT_IDS = {
    "throughput": ("decode-list", "decode-story", "decode-essay", "ttft-tiny", "ttft-2k", "ttft-8k"),
    "code": ("code-fix", "code-sql", "code-explain-diff"),
    "extraction": ("json-invoice", "json-contact", "json-orders", "json-dates"),
    "classification": ("class-sentiment", "class-ticket"),
    "arithmetic": ("sum-two-step", "unit-conversion", "date-difference"),
    "multi-turn": ("turns-pronoun", "turns-correction"),
    "tools": ("tool-single", "tool-parallel", "tool-none", "tool-nested"),
    "text": ("text-scripts", "text-emoji"),
    "obedience": ("obey-twelve-words", "obey-stop"),
}
MODELS = {Arm.REFERENCE: "llama-3.3-70b-instruct", Arm.CANDIDATE: "meta-llama/Llama-3.3-70B-Instruct-FP8"}
NAMES = {Arm.REFERENCE: "h100-gateway", Arm.CANDIDATE: "a100-serverless"}
REQUESTS: Mapping[str, dict[str, Any]] = {
    "tools": {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "book_flight",
                    "parameters": {"type": "object", "properties": {"seats": {"type": "integer"}}},
                },
            }
        ]
    },
    "extraction": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "invoice", "schema": {"properties": {"total": {"type": "number"}}}},
        }
    },
}
STORY = (
    "The lighthouse keeper had counted the ships for thirty years. Each evening she wrote the number in a ledger "
    "bound in green cloth, and each morning she compared it with the day before. "
)


def interval(low: float | None, high: float | None, method: str = "cluster bootstrap") -> Interval:
    """Give a 95 % interval."""
    return Interval(low=low, high=high, level=0.95, method=method)


def known(value: float) -> Value:
    """Give a defined value."""
    return Value(value=value)


def missing(reason: str) -> Value:
    """Give an undefined value."""
    return Value(value=None, reason=reason)


def golden() -> GoldenSet:
    """Give the set."""
    prompts = [
        Prompt(
            id=prompt_id,
            category=category,
            intent=f"A change here would break what an application expects of {prompt_id}.",
            request={
                "messages": [{"role": "user", "content": f"Say {prompt_id}."}],
                "temperature": 0,
                **REQUESTS.get(category, {}),
            },
            tags=[category, "streamed"],
        )
        for category, ids in PROMPT_IDS.items()
        for prompt_id in ids
    ]
    return GoldenSet(name="golden", version="3", prompts=prompts)


class _Source:
    """Draws the outcome of each request from one seed."""

    def __init__(self, arm: Arm, seed: int) -> None:
        self.arm = arm
        self.random = random.Random(f"{seed}-{arm}")
        self.is_candidate = arm is Arm.CANDIDATE

    def ttft(self, prompt_id: str) -> float:
        """Draw a time to first token: lognormal, longer for long prompts, slower tail on the candidate."""
        base = {"ttft-2k": 0.42, "ttft-8k": 0.95}.get(prompt_id, 0.21)
        spike = 4.0 if self.random.random() < (0.05 if self.is_candidate else 0.02) else 1.0
        return base * (1.12 if self.is_candidate else 1.0) * spike * math.exp(self.random.gauss(0, 0.16))

    def decode(self) -> float:
        """Draw a decode rate around the known ones."""
        return self.random.gauss(106.6 if self.is_candidate else 118.9, 2.2)

    def failure(self) -> str | None:
        """Draw a failure of the request."""
        if not self.is_candidate:
            return "server_error" if self.random.random() < 0.004 else None
        draw = self.random.random()
        return "rate_limited" if draw < 0.012 else "timeout_idle" if draw < 0.025 else None

    def answer(self, category: str, prompt_id: str) -> tuple[Answer, ToolResult | None]:
        """Draw what the endpoint says, with the tool ladder's result."""
        if category != "tools":
            return Answer(text=self._text(category, prompt_id), finish_reason="stop"), None
        if prompt_id == "tool-none":
            return Answer(text="It is Tuesday.", finish_reason="stop"), ToolResult(rung=Rung.OK)
        if self.is_candidate and self.random.random() < 0.35:
            detail = "$.seats: 2 is expected to be an integer, came as the string '2'"
            call = ToolCall(name="book_flight", arguments='{"from": "PRG", "to": "LIS", "seats": "2"}', id="call_1")
            result = ToolResult(rung=Rung.SCHEMA_MISMATCH, tool="book_flight", detail=detail)
            return Answer(tool_calls=(call,), finish_reason="tool_calls"), result
        call = ToolCall(name="book_flight", arguments='{"from": "PRG", "to": "LIS", "seats": 2}', id="call_1")
        return Answer(tool_calls=(call,), finish_reason="tool_calls"), ToolResult(rung=Rung.OK)

    def _text(self, category: str, prompt_id: str) -> str:
        if category == "arithmetic":
            return "41" if self.is_candidate and self.random.random() < 0.25 else "42"
        if category == "extraction":
            total = '"118.90"' if self.is_candidate and self.random.random() < 0.2 else "118.90"
            return f'{{\n  "invoice": "2026-117",\n  "total": {total},\n  "currency": "EUR"\n}}'
        if category == "throughput":
            tail = "Then the fog came in" + (" at noon." if self.random.random() < 0.3 else " at dusk.")
            return STORY * 6 + (tail + " Nobody saw the thirty-first ship." if self.is_candidate else tail)
        if category == "text":
            return "こんにちは · مرحبا بالعالم · Příliš žluťoučký kůň · 👩‍👩‍👧‍👦"
        return f"The answer to {prompt_id} is a short one."


def _trial(source: _Source, category: str, prompt_id: str, repeat: int, block: int) -> tuple[Trial, Record]:
    key = RequestKey(arm=source.arm, prompt_id=prompt_id, repeat=repeat)
    failure = source.failure()
    answer, tool = source.answer(category, prompt_id)
    ttft, rate = source.ttft(prompt_id), source.decode()
    tokens = 60 if category != "throughput" else 260
    no_output = missing("the request failed")
    metrics = {
        "ttft": known(ttft),
        "decode_rate": known(rate) if category == "throughput" else missing("not in the throughput class"),
        "e2e": known(ttft + tokens / rate),
        "completion_tokens": known(tokens),
        "prompt_tokens": known(812),
    }
    checks = _checks(category, answer)
    trial = Trial(
        key=key,
        block=block,
        run_id=RUN_ID,
        is_judged=True,
        failure=failure,
        failure_message="HTTP 429: rate limit reached" if failure == "rate_limited" else failure,
        task_success=None if not checks else failure is None and all(check.passed for check in checks),
        tool=None if tool is None else tool if failure is None else ToolResult(rung=Rung.TRANSPORT),
        json_valid=failure is None if category == "extraction" else None,
        checks=checks if failure is None else (),
        metrics=metrics if failure is None else dict.fromkeys(metrics, no_output),
        canonical="" if failure else answer.text or f"{answer.tool_calls[0].name}{answer.tool_calls[0].arguments}",
    )
    record = Record(
        key=key, attempt=1, block=block, stamps=Stamps(intended_at_ns=0), answer=Answer() if failure else answer
    )
    return trial, record


def _checks(category: str, answer: Answer) -> tuple[CheckResult, ...]:
    if category == "arithmetic":
        came = answer.text
        return (CheckResult(check="number_equals: 42", passed=came == "42", expected="42", came=came),)
    if category == "extraction":
        is_number = '"118.90"' not in answer.text
        came = "118.9 (number)" if is_number else '"118.90" (string)'
        return (
            CheckResult(check="json_valid", passed=True, expected="JSON", came="JSON"),
            CheckResult(
                check="json_path: $.total == 118.9", passed=is_number, expected="118.9", came=came, where="$.total"
            ),
        )
    return ()


def _trials(source: _Source) -> tuple[list[Trial], list[Record]]:
    pairs = [
        _trial(source, category, prompt_id, repeat, block)
        for repeat in range(REPEATS)
        for block, (category, prompt_id) in enumerate(
            (category, prompt_id) for category, ids in PROMPT_IDS.items() for prompt_id in ids
        )
    ]
    return [trial for trial, _ in pairs], [record for _, record in pairs]


def _middle(values: list[float]) -> Value:
    return known(sorted(values)[len(values) // 2]) if values else missing("no request has a value")


def _values(trials: list[Trial], metric: str) -> list[float]:
    return sorted(value.value for trial in trials if (value := trial.metrics[metric]).value is not None)


def _prompt_side(trials: list[Trial]) -> PromptSide:
    groups: dict[str, list[RequestKey]] = {}
    for trial in trials:
        if trial.failure is None:
            groups.setdefault(trial.canonical, []).append(trial.key)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    judged = [trial.task_success for trial in trials if trial.task_success is not None]
    tools = [trial.tool.rung is Rung.OK for trial in trials if trial.tool is not None]
    return PromptSide(
        n=len(trials),
        n_failed=sum(trial.failure is not None for trial in trials),
        task_successes=sum(judged) if judged else None,
        tool_successes=sum(tools) if tools else None,
        ttft_p50_s=_middle(_values(trials, "ttft")),
        decode_p50=_middle(_values(trials, "decode_rate")),
        e2e_p50_s=_middle(_values(trials, "e2e")),
        completion_tokens_p50=_middle(_values(trials, "completion_tokens")),
        prompt_tokens=known(812),
        answers=tuple(AnswerGroup(canonical=text, count=len(keys), keys=tuple(keys)) for text, keys in ordered),
        self_agreement=known(max(len(keys) for _, keys in ordered) / len(trials)),
    )


def _quotient(above: Value, below: Value) -> Value:
    if above.value is None or below.value is None:
        return missing("a side has no value")
    return known(above.value / below.value)


def _prompt_rows(sides: dict[Arm, list[Trial]], prompts: list[Prompt]) -> tuple[PromptRow, ...]:
    rows = []
    for prompt in prompts:
        one = _prompt_side([trial for trial in sides[Arm.REFERENCE] if trial.key.prompt_id == prompt.id])
        two = _prompt_side([trial for trial in sides[Arm.CANDIDATE] if trial.key.prompt_id == prompt.id])
        lost = (one.tool_successes or one.task_successes or 0) - (two.tool_successes or two.task_successes or 0)
        ttft = _quotient(two.ttft_p50_s, one.ttft_p50_s)
        is_same = one.answers[0].canonical == two.answers[0].canonical
        rows.append(
            PromptRow(
                prompt_id=prompt.id,
                category=prompt.category,
                tags=tuple(prompt.tags),
                intent=prompt.intent,
                reference=one,
                candidate=two,
                cross_agreement=known(0.72 if is_same else 0.08),
                ttft_ratio=ttft,
                decode_ratio=_quotient(two.decode_p50, one.decode_p50),
                success_difference=known(-lost / REPEATS) if one.task_successes is not None else missing("no checks"),
                score=lost + two.n_failed + abs(math.log(ttft.value or 1.0)),
            )
        )
    return tuple(sorted(rows, key=lambda row: -row.score))


def _latency_tail(metric: str, arm: Arm, trials: list[Trial]) -> Tail:
    values = _values(trials, metric)

    def at(q: float) -> float:
        return values[min(int(q * len(values)), len(values) - 1)]

    quantiles = [
        Quantile(q=q, value=known(at(q)), interval=interval(at(q) * 0.93, at(q) * 1.11, "order statistics"))
        for q in (0.5, 0.9, 0.95)
    ]
    tail = missing(f"p99 is not estimable from {len(trials)} requests: it needs 300")
    return Tail(
        metric=metric,
        arm=arm,
        n=len(trials),
        n_failed=len(trials) - len(values),
        values=tuple(values),
        quantiles=(*quantiles, Quantile(q=0.99, value=tail)),
        worst=values[-1],
    )


def _decode_tail(arm: Arm, trials: list[Trial]) -> Tail:
    values = _values(trials, "decode_rate")
    return Tail(
        metric="decode_rate",
        arm=arm,
        n=30,
        n_failed=30 - len(values),
        undefined={"not in the throughput class": 110},
        values=tuple(values),
        quantiles=tuple(
            Quantile(q=q, value=known(values[int(q * len(values))]), interval=interval(values[0], values[-1]))
            for q in (0.05, 0.5)
        ),
        worst=values[0],
    )


def _gap_tail(arm: Arm) -> Tail:
    return Tail(
        metric="gap",
        arm=arm,
        n=4,
        n_failed=0,
        values=(0.008, 0.009, 0.009, 0.012),
        quantiles=(Quantile(q=0.5, value=known(0.009)),),
        worst=0.012,
    )


def _rate_gate(
    title: str, gate_id: str, k: tuple[int, int], n: int, outcome: Outcome, ends: tuple[float, float]
) -> Gate:
    effect = (k[1] - k[0]) / n
    return Gate(
        id=gate_id,
        title=title,
        metric=gate_id,
        kind=GateKind.DIFFERENCE,
        margin=0.05,
        higher_is_better=True,
        is_required=True,
        outcome=outcome,
        reason=f"{title}: {k[0]} of {n} against {k[1]} of {n}; a loss of 5 points is allowed.",
        effect=known(effect),
        interval=interval(*ends, "newcombe"),
        bound=ends[0] * 0.9,
        traffic_bound=ends[0] * 1.6,
        p_value=0.004 if outcome is Outcome.FAIL else 0.61,
        reference=known(k[0] / n),
        candidate=known(k[1] / n),
        n_reference=n,
        n_candidate=n,
        successes_reference=k[0],
        successes_candidate=k[1],
    )


def _ratio_gate(
    title: str, gate_id: str, sides: tuple[float, float], ends: tuple[float, float], margin: float, outcome: Outcome
) -> Gate:
    is_rate = gate_id.startswith("decode")
    return Gate(
        id=gate_id,
        title=title,
        metric={"ttft": "ttft", "deco": "decode_rate", "e2e_": "e2e"}[gate_id[:4]],
        kind=GateKind.RATIO,
        margin=margin,
        higher_is_better=is_rate,
        is_required=True,
        outcome=outcome,
        reason=f"{title} is {sides[1] / sides[0]:.2f} times the reference's.",
        effect=known(sides[1] / sides[0]),
        interval=interval(*ends),
        bound=ends[0] * 1.01 if is_rate else ends[1] * 0.99,
        p_value=0.2,
        reference=known(sides[0]),
        candidate=known(sides[1]),
        n_reference=140,
        n_candidate=140,
        is_measurably_worse=outcome is Outcome.PASS and ends[0] > 1,
    )


def gates() -> tuple[Gate, ...]:
    """Give gates of every outcome and kind."""
    tool = _rate_gate("Tool-call success", "tool_success", (60, 49), 60, Outcome.FAIL, (-0.302, -0.087))
    refusal = replace(
        _rate_gate("Refusals", "refusal", (0, 1), 140, Outcome.INCONCLUSIVE, (-0.02, 0.04)),
        is_required=False,
        higher_is_better=False,
        bound=0.032,
        traffic_bound=0.041,
        demoted_because="140 trials cannot show a change of 1 point",
    )
    nothing = missing("no prompt of the set asks for it")
    return (
        replace(tool, evidence=("9 of 11 losses are SchemaMismatch in book_flight", "2 of 11 are transport")),
        _rate_gate("Task success", "task_success", (35, 31), 35, Outcome.INCONCLUSIVE, (-0.26, 0.01)),
        _rate_gate("Request success", "request_success", (139, 138), 140, Outcome.PASS, (-0.031, 0.017)),
        _rate_gate("Valid JSON", "json_validity", (20, 20), 20, Outcome.PASS, (-0.04, 0.04)),
        _ratio_gate("TTFT p50", "ttft_p50", (0.214, 0.241), (1.07, 1.18), 1.25, Outcome.PASS),
        _ratio_gate("TTFT p95", "ttft_p95", (0.98, 1.31), (0.94, 2.31), 1.5, Outcome.INCONCLUSIVE),
        _ratio_gate("Decode rate p50", "decode_p50", (118.9, 106.6), (0.887, 0.905), 0.80, Outcome.PASS),
        _ratio_gate("Decode rate p5", "decode_p5", (115.1, 102.9), (0.87, 0.92), 0.67, Outcome.PASS),
        _ratio_gate("E2E p50", "e2e_p50", (0.83, 0.91), (1.06, 1.16), 1.25, Outcome.PASS),
        refusal,
        replace(
            tool,
            id="truncation",
            title="Truncated answers",
            is_required=False,
            outcome=Outcome.NOT_APPLICABLE,
            reason="No prompt can be truncated.",
            effect=nothing,
            interval=None,
            bound=None,
            traffic_bound=None,
            reference=nothing,
            candidate=nothing,
            successes_reference=None,
            successes_candidate=None,
            n_reference=0,
            n_candidate=0,
        ),
    )


def judgement() -> Judgement:
    """Give a FAIL with all its parts."""
    return Judgement(
        verdict=Verdict.FAIL,
        sentence=(
            "Do not cut over: tool-call success fell 18.3 points (95 % CI 8.7 to 30.2; allowed 5). "
            "9 of 11 losses are SchemaMismatch in book_flight."
        ),
        worst_case=("tool-call success −27.2 points (allowed −5)", "TTFT p95 2.29× (allowed 1.5×)"),
        gates=gates(),
        validity=(
            ValidityCheck(
                id="reference_answers",
                title="The reference answers this set",
                is_met=True,
                evidence="35 of 35 checkable trials (floor 50 %)",
                consequence="INVALID",
            ),
            ValidityCheck(
                id="lost",
                title="The reference lost few requests",
                is_met=True,
                evidence="1 of 140 lost (limit 5 %)",
                consequence="INVALID",
            ),
            ValidityCheck(
                id="usage",
                title="Token usage was reported",
                is_met=False,
                evidence="candidate: 2 of 137 answers without usage",
                consequence="note",
            ),
        ),
        settle=(
            (
                "`bench compare h100.yml a100.yml --resume --repeats 12` adds 392 requests, about $1.79; "
                "80 % chance to settle TTFT p95 if the candidate is truly equal."
            ),
        ),
        not_verified=(
            "Behaviour under more load than 4 requests in flight",
            "Cold starts: no request found the endpoint asleep",
            "Traffic unlike these 28 prompts",
        ),
        read_first=("tool-nested", "tool-single", "json-invoice"),
        notes=("The reference was recorded earlier, on 2026-11-21.",),
    )


def _economics(arm: Arm, trials: list[Trial], price: float) -> Economics:
    failed = sum(trial.failure is not None for trial in trials)
    return Economics(
        arm=arm,
        n_requests=len(trials),
        n_successes=len(trials) - failed,
        n_failed=failed,
        n_truncated=2,
        n_empty=0,
        prompt_tokens=113_680,
        completion_tokens=14_420,
        cached_tokens=61_440 if arm is Arm.REFERENCE else None,
        reasoning_tokens=None,
        cost=known(price),
        cost_per_success=known(price / (len(trials) - failed)),
        currency="USD",
    )


def _instrument(arm: Arm) -> Instrument:
    return Instrument(
        arm=arm,
        n_reads=9_812,
        kernel_stamp_fraction=known(1.0),
        receive_lag_p50_s=known(0.000061),
        receive_lag_p99_s=known(0.00041),
        send_lateness_p99_s=known(0.0012),
        shared_read_fraction=known(0.012 if arm is Arm.REFERENCE else 0.071),
        late_shared_fraction=known(0.0004),
        arrival_uncertainty_p99_s=known(0.000000212),
        gap_p50_s=known(0.0084),
        clock=ClockSource(name="kernel receive times", detail="SO_TIMESTAMPNS", mapping_bound_s=known(0.000000212)),
        load=OfferedLoad(
            words="4 requests in flight",
            offered_fraction=known(0.998),
            achieved=known(3.96),
            queue_delay_p99_s=known(0.0021),
        ),
        client=Client(
            n_processes=1,
            is_shared=True,
            loop_lag_p50_s=known(0.00007),
            loop_lag_p99_s=known(0.00052),
            loop_lag_max_s=known(0.0048),
            cpu_fraction=known(0.17),
            cpu_per_event_s=known(0.000031),
            open_connections=known(8),
            files_allowed=known(1_048_576),
        ),
    )


def _failures() -> tuple[FailureRow, ...]:
    return (
        FailureRow(
            arm=Arm.CANDIDATE,
            kind="rate_limited",
            n=2,
            prompts=("decode-essay", "tool-single"),
            example="HTTP 429: rate limit reached for requests per minute (60), try again in 2 s",
            advice="Set limits.requests_per_minute in the candidate's file to its quota.",
        ),
        FailureRow(
            arm=Arm.CANDIDATE,
            kind="timeout_idle",
            n=1,
            prompts=("json-orders",),
            example="no payload for 30.0 s after 41 events",
            advice="The server stalled; compare with its own logs at 02:33:17 UTC.",
        ),
    )


def _findings() -> tuple[FindingRow, ...]:
    return (
        FindingRow(
            arm=Arm.CANDIDATE,
            kind="usage_in_every_chunk",
            n_responses=140,
            example="usage in 61 of 62 chunks",
            advice="Read usage from the last chunk; never add it up.",
        ),
        FindingRow(
            arm=Arm.CANDIDATE,
            kind="sdk_crash",
            n_responses=2,
            example="tool-nested: TypeError: 'NoneType' object is not iterable; of 28 replayed",
            advice="The SDK fails with an error that is not its own: `except openai.OpenAIError` does not catch it.",
        ),
        FindingRow(
            arm=Arm.REFERENCE,
            kind="comments",
            n_responses=12,
            example=": keep-alive",
            advice="Legal in SSE; a parser that splits on 'data:' alone is unaffected.",
        ),
    )


def endpoint(arm: Arm) -> dict[str, object]:
    """Give the endpoint file's content."""
    return {
        "name": NAMES[arm],
        "base_url": f"https://{NAMES[arm]}.example/v1",
        "model": MODELS[arm],
        "api_key": "${REFERENCE_KEY}" if arm is Arm.REFERENCE else "${CANDIDATE_KEY}",
        "limits": {"concurrency": 4, "requests_per_minute": None if arm is Arm.REFERENCE else 60},
        "labels": {"hardware": "2x H100 80GB" if arm is Arm.REFERENCE else "2x A100 80GB", "region": "eu-west"},
    }


def sample(seed: int = 14) -> Analysis:
    """Give the whole analysis."""
    prompts = golden()
    drawn = {arm: _trials(_Source(arm, seed)) for arm in NAMES}
    trials = {arm: found for arm, (found, _) in drawn.items()}
    sides = {
        arm: Side(arm=arm, name=NAMES[arm], endpoint=endpoint(arm), run_id=RUN_ID, records=tuple(records))
        for arm, (_, records) in drawn.items()
    }
    found = Analysis(
        case=Case(
            golden=prompts,
            settings=Settings(),
            plan=None,
            reference=sides[Arm.REFERENCE],
            candidate=sides[Arm.CANDIDATE],
        ),
        judgement=judgement(),
        trials=tuple(trials[Arm.REFERENCE] + trials[Arm.CANDIDATE]),
        tails=tuple(
            tail
            for arm, found in trials.items()
            for tail in (
                _latency_tail("ttft", arm, found),
                _latency_tail("e2e", arm, found),
                _decode_tail(arm, found),
                _gap_tail(arm),
            )
        ),
        prompts=_prompt_rows(trials, prompts.prompts),
        economics=(
            _economics(Arm.REFERENCE, trials[Arm.REFERENCE], 0.4284),
            _economics(Arm.CANDIDATE, trials[Arm.CANDIDATE], 0.2117),
        ),
        throughput=tuple(
            Throughput(
                arm=arm,
                output_tokens_per_s=known(rate),
                requests_per_s=known(rate / 103),
                steady_output_tokens_per_s=steady,
            )
            for arm, rate, steady in (
                (Arm.REFERENCE, 386.2, known(431.6)),
                (Arm.CANDIDATE, 351.0, missing("never 4 requests in flight")),
            )
        ),
        failures=_failures(),
        findings=_findings(),
        instrument=tuple(_instrument(arm) for arm in NAMES),
        certificate=certify([_instrument(arm) for arm in NAMES]),
    )
    return compared(found)


def compared(analysis: Analysis) -> Analysis:
    """Compare the answers of an analysis's trials anew."""
    case = analysis.case
    sides = [side for side in (case.reference, case.candidate) if side is not None]
    judged = {side.arm: _judged(side, analysis.trials) for side in sides}
    return replace(
        analysis,
        answers=compare_answers(judged, case.golden, [row for row in _sdk_rows() if row.arm in judged]),
        tools=compare_tools(judged, case.golden),
        structured=structured_sides(judged, case.golden),
        tokens=compare_tokens(judged, case.golden),
    )


def _judged(side: Side, trials: tuple[Trial, ...]) -> list[JudgedRecord]:
    records = {record.key: record for record in side.records}
    return [
        JudgedRecord(trial=trial, record=_with_failure(records[trial.key], trial))
        for trial in trials
        if trial.key.arm is side.arm
    ]


def _with_failure(record: Record, trial: Trial) -> Record:
    if trial.failure is None:
        return record
    return replace(record, answer=Answer(), failure=Failure(kind=FailureKind(trial.failure), message="no"))


def _sdk_rows() -> tuple[SdkRow, ...]:
    outcomes = {"answer": 26, "empty": 0, "exception": 0, "crash": 2}
    return tuple(
        SdkRow(arm=arm, way=way, outcomes=outcomes, n_differing=2 if arm is Arm.CANDIDATE else 0)
        for arm in NAMES
        for way in (PLAIN, HELPER)
    )


def single(seed: int = 14) -> Analysis:
    """Give the same with one endpoint measured and nothing to compare."""
    both = sample(seed)
    one = Arm.REFERENCE
    nothing = missing("one endpoint measured")
    alone = replace(
        both,
        case=replace(both.case, candidate=None),
        judgement=None,
        trials=tuple(trial for trial in both.trials if trial.key.arm is one),
        tails=tuple(tail for tail in both.tails if tail.arm is one),
        prompts=tuple(
            replace(
                row,
                candidate=None,
                cross_agreement=nothing,
                ttft_ratio=nothing,
                decode_ratio=nothing,
                success_difference=nothing,
            )
            for row in both.prompts
        ),
        economics=both.economics[:1],
        throughput=both.throughput[:1],
        failures=(),
        findings=tuple(row for row in both.findings if row.arm is one),
        instrument=both.instrument[:1],
        certificate=certify(both.instrument[:1]),
    )
    return compared(alone)


def header() -> RunHeader:
    """Give the run's header."""
    plan = Plan(
        seed=20260101,
        look_ahead=16,
        repeats={},
        blocks=(),
        settings={"plan": {"repeats": 5}},
        golden_sha256=golden().sha256,
        estimators="1",
    )
    return RunHeader(
        run_id=RUN_ID,
        command="bench compare h100.yml a100.yml",
        started_at="2026-11-24T02:31:08Z",
        ended_at="2026-11-24T02:36:44Z",
        status=RunStatus.FINISHED,
        plan=plan,
        plan_sha256="5b1f0c9d" * 8,
        golden={"name": "golden"},
        arms=tuple(ArmHeader(arm=arm, endpoint=dict(endpoint(arm)), facts={"peer": "192.0.2.7"}) for arm in NAMES),
        provenance={"bench": "0.1.0", "python": "3.11.9", "platform": {"system": "Linux", "kernel": "6.8"}},
        clock={"source": "kernel", "mapping_bound_ns": 212},
    )


def catalog() -> Mapping[str, Metric]:
    """Give the definitions."""
    return CATALOG
