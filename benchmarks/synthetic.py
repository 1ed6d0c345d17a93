"""Synthetic endpoints for calibration: prompts that differ, spikes, rare failures; no network, no clock.

Everything is drawn from one seeded generator. The candidate draws from the same distributions as the reference, except
for what its `Defect` says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Rung, ToolResult, Trial
from harness.model.golden import Check, CheckKind, GoldenSet, Measure, Prompt
from harness.model.record import Arm, RequestKey

_FAILED = Value(value=None, reason="the request failed")
_NO_RATE = Value(value=None, reason="outside the throughput class")
_OK = ToolResult(rung=Rung.OK, tool="book_flight")
_BROKEN = ToolResult(rung=Rung.SCHEMA_MISMATCH, tool="book_flight")
_NO_ANSWER = ToolResult(rung=Rung.TRANSPORT)

KINDS = {"tool": 8, "json": 7, "text": 7, "speed": 8}  # 30 prompts


def golden_set(kinds: Mapping[str, int] = KINDS) -> GoldenSet:
    """Give a set of so many prompts of each kind."""
    checks = {
        "tool": [Check(kind=CheckKind.TOOL_CALLED, argument={"name": "book_flight"})],
        "json": [Check(kind=CheckKind.JSON_VALID)],
        "text": [Check(kind=CheckKind.CONTAINS, argument="yes")],
        "speed": [],
    }
    prompts = [
        Prompt(
            id=f"{kind}-{number}",
            category=kind,
            intent="A synthetic prompt.",
            request={},
            checks=checks[kind],
            measure=Measure(decode=kind == "speed"),
        )
        for kind, count in kinds.items()
        for number in range(count)
    ]
    return GoldenSet(name="synthetic", prompts=prompts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """How the candidate differs from the reference; the default is not at all."""

    tool_drop: float = 0.0  # success falls by this much on every prompt with tools
    json_drop: float = 0.0
    text_drop: float = 0.0
    ttft_factor: float = 1.0
    rate_factor: float = 1.0
    e2e_factor: float = 1.0  # on top of what the other two do to it
    token_factor: float = 1.0  # of counted tokens, which is all that they are charged by

    def drop_on(self, kind: str) -> float:
        """Give the loss of success on a kind of prompts."""
        return {"tool": self.tool_drop, "json": self.json_drop, "text": self.text_drop}.get(kind, 0.0)

    failure: float = 0.0  # added to the share of failed requests


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One set of prompts as both endpoints meet it."""

    success: Mapping[str, float]  # chance of a right answer, by prompt
    ttft_s: Mapping[str, float]  # median
    rate: Mapping[str, float]  # median, tok/s
    tokens: Mapping[str, float]
    failure: float = 0.002
    price: float | None = None  # of a token; None: no price is known


def draw_world(
    golden: GoldenSet,
    rng: np.random.Generator,
    *,
    success: float | None = None,
    on_kinds: Collection[str] = ("tool",),
    failure: float = 0.002,
) -> World:
    """Draw what each prompt is like: most are almost always answered, a few are hard; times span an order."""
    ids = [prompt.id for prompt in golden.prompts]
    kinds = {prompt.id: prompt.category for prompt in golden.prompts}
    hardness = dict(zip(ids, rng.beta(0.3, 6.0, len(ids)), strict=True))
    if success is not None:  # one rate, so that a drop is the same on every prompt and none is cut off at 0
        hardness |= {prompt_id: 1 - success for prompt_id in ids if kinds[prompt_id] in on_kinds}
    return World(
        success={prompt_id: 1 - hard for prompt_id, hard in hardness.items()},
        ttft_s=dict(zip(ids, 0.25 * np.exp(rng.normal(0, 0.6, len(ids))), strict=True)),
        rate=dict(zip(ids, 118.9 * np.exp(rng.normal(0, 0.03, len(ids))), strict=True)),
        tokens={prompt_id: 400.0 if kinds[prompt_id] == "speed" else 80.0 for prompt_id in ids},
        failure=failure,
    )


def without_mistakes(world: World) -> World:
    """Give the same world where every answer is right and no request fails."""
    return replace(world, success=dict.fromkeys(world.success, 1.0), failure=0.0)


def draw_trials(
    golden: GoldenSet,
    repeats: Mapping[str, int],
    world: World,
    defect: Defect,
    rng: np.random.Generator,
    *,
    with_placebo: bool = False,
) -> list[Trial]:
    """Draw both sides' trials, and the reference's once more where asked; only the candidate has the defect."""
    arms = {Arm.REFERENCE: Defect(), Arm.CANDIDATE: defect} | ({Arm.PLACEBO: Defect()} if with_placebo else {})
    return [
        trial
        for arm, own in arms.items()
        for prompt in golden.prompts
        for trial in _prompt_trials(arm, prompt, repeats[prompt.id], world, own, rng)
    ]


def _prompt_trials(
    arm: Arm, prompt: Prompt, n: int, world: World, defect: Defect, rng: np.random.Generator
) -> list[Trial]:
    right = rng.random(n) < max(world.success[prompt.id] - defect.drop_on(prompt.category), 0.0)
    fails = rng.random(n) < world.failure + defect.failure
    ttft = world.ttft_s[prompt.id] * defect.ttft_factor * np.exp(rng.normal(0, 0.2, n)) * _spikes(rng, n)
    tokens = world.tokens[prompt.id] * np.exp(rng.normal(0, 0.05, n))
    undisturbed_s = tokens / (world.rate[prompt.id] * np.exp(rng.normal(0, 0.03, n)))
    decode_s = (undisturbed_s + _stalls(rng, n)) / defect.rate_factor
    drawn = [
        _trial(
            RequestKey(arm=arm, prompt_id=prompt.id, repeat=repeat),
            prompt,
            is_right=bool(right[repeat]),
            is_failed=bool(fails[repeat]),
            measured=(
                float(ttft[repeat]),
                float(tokens[repeat] / decode_s[repeat]),
                float(ttft[repeat] + decode_s[repeat]) * defect.e2e_factor,
                float(tokens[repeat]) * defect.token_factor,
            ),
        )
        for repeat in range(n)
    ]
    return drawn if world.price is None else [replace(trial, cost=_cost(trial, world.price)) for trial in drawn]


def _cost(trial: Trial, price: float) -> Value:
    """Charge counted tokens; a failure is free."""
    return Value(value=price * (trial.metrics["completion_tokens"].value or 0.0))


def _stalls(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Stop 2 % of streams for about a second: a stream's rate is a mean, so a stall slows it by a part."""
    return np.where(rng.random(n) < 0.02, rng.exponential(1.0, n), 0.0)


def _spikes(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Slow 2 % of requests by a factor with a heavy tail."""
    return np.where(rng.random(n) < 0.02, 1.5 + rng.pareto(1.8, n), 1.0)


def _trial(
    key: RequestKey, prompt: Prompt, *, is_right: bool, is_failed: bool, measured: tuple[float, float, float, float]
) -> Trial:
    ttft, rate, e2e, tokens = measured
    is_tool, is_json = prompt.category == "tool", prompt.category == "json"
    metrics = {
        "ttft": Value(value=ttft),
        "decode_rate": Value(value=rate) if prompt.measure.decode else _NO_RATE,
        "e2e": Value(value=e2e),
        "completion_tokens": Value(value=tokens),
    }
    tool = _NO_ANSWER if is_failed else _OK if is_right else _BROKEN
    return Trial(
        key=key,
        block=key.repeat,
        run_id="synthetic",
        is_judged=True,
        failure="server_error" if is_failed else None,
        task_success=(is_right and not is_failed) if prompt.checks else None,
        tool=tool if is_tool else None,
        json_valid=(is_right and not is_failed) if is_json else None,
        was_refused=None if is_failed else False,
        was_truncated=None if is_failed else False,
        metrics=dict.fromkeys(metrics, _FAILED) if is_failed else metrics,
        canonical=f"{key.id}",
    )
