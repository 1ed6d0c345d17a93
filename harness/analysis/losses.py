"""What the candidate's losses have in common: rung and tool, check, failure, prompt."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.gatetable import GateRow
from harness.analysis.intervals import rate_without_event
from harness.analysis.pairs import Pair, RatePairs
from harness.analysis.results.trial import Rung, Trial
from harness.analysis.words import count_of, percent, points
from harness.model.record import FailureKind

_SHOWN = 3
_CONCENTRATED = 0.8  # share of the losses in one prompt that points at the prompt
_FEWEST_FOR_SHARE = 3
_FAILED = "failed requests"
_IN_WORDS = {Rung.DECISION: "a missing or unneeded call", Rung.LOOP: "a broken tool loop"}
_LONGEST_CHECK = 40  # a whole pattern or schema has no place in a sentence


def loss_evidence(row: GateRow, found: RatePairs) -> tuple[str, ...]:
    """Explain a rate gate's losses (pairs that the reference won and the candidate lost), commonest cause first."""
    losses = found.losses(is_loss_low=row.higher_is_better)
    wins = found.losses(is_loss_low=not row.higher_is_better)
    lines = [*_causes(row, losses), *_concentration(losses), *_quota(row, losses)]
    if wins:
        noun = count_of(len(wins), "pair")
        lines.append(f"the candidate was better in {noun}: the reference is not the truth")
    return (*lines, *_nothing_seen(row, found))


def granularity(n: int, margin: float) -> str | None:
    """Warn where one trial weighs as much as the margin: it then tolerates nothing."""
    if n == 0 or 1 / n < margin:
        return None
    step, limit = points(1 / n, signed=False), points(margin, signed=False)
    return f"one lost trial of {n} is {step}, no less than the {limit} allowed"


def _causes(row: GateRow, losses: Sequence[Pair]) -> list[str]:
    """Count the causes that are known, each with what it struck; what is left is told by prompt."""
    struck: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in losses:
        if (cause := _cause(row, pair.candidate)) is not None:
            struck[cause.name][cause.of] += 1
    noun = count_of(len(losses), "loss", "losses")
    verb = "is" if len(losses) == 1 else "are"
    ordered = sorted(struck.items(), key=lambda item: -item[1].total())[:_SHOWN]
    return [f"{of.total()} of {noun} {verb} {name}{_struck(name, of)}" for name, of in ordered] or _by_prompt(losses)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """Why a trial was lost, and the tool or kind of failure that it concerns."""

    name: str
    of: str


def _cause(row: GateRow, trial: Trial) -> _Cause | None:
    if trial.failure is not None:
        return _Cause(name=_FAILED, of=trial.failure)
    if row.id != "tool_success" or trial.tool is None:
        return None
    rung = trial.tool.rung
    name = _IN_WORDS.get(rung, rung.value)
    return _Cause(name=name, of=trial.tool.tool or "")


def _struck(name: str, of: Counter[str]) -> str:
    """Name the only thing struck, or the commonest with their counts."""
    if len(of) == 1:
        only = next(iter(of))
        return f" ({only})" if name == _FAILED else f" in {only}" if only else ""
    shown = [f"{thing or 'no tool'} {count}" for thing, count in of.most_common(_SHOWN)]
    rest = sum(count for _, count in of.most_common()[_SHOWN:])
    return ": " + ", ".join([*shown, f"others {rest}"] if rest else shown)


def _by_prompt(losses: Sequence[Pair]) -> list[str]:
    if not losses:
        return []
    prompts = Counter(pair.prompt_id for pair in losses)
    shown = ", ".join(f"{prompt_id} ({count})" for prompt_id, count in prompts.most_common(_SHOWN))
    noun = count_of(len(losses), "loss", "losses")
    return [f"{noun} on {count_of(len(prompts), 'prompt')}, most in {shown}{_missed(losses)}"]


def _missed(losses: Sequence[Pair]) -> str:
    """Name the check that was missed most, first misses only."""
    firsts = [next((check.check for check in pair.candidate.checks if not check.passed), None) for pair in losses]
    missed = Counter(check for check in firsts if check is not None)
    if not missed:
        return ""
    check, count = missed.most_common(1)[0]
    return f"; {count} missed `{check if len(check) <= _LONGEST_CHECK else check.partition(':')[0]}`"


def _concentration(losses: Sequence[Pair]) -> list[str]:
    if len(losses) < _FEWEST_FOR_SHARE:
        return []
    prompt_id, count = Counter(pair.prompt_id for pair in losses).most_common(1)[0]
    if count < _CONCENTRATED * len(losses):
        return []
    return [f"{count} of {len(losses)} losses come from one prompt, {prompt_id}: read it before blaming the model"]


def _quota(row: GateRow, losses: Sequence[Pair]) -> list[str]:
    if row.id != "request_success" or not losses:
        return []
    if {pair.candidate.failure for pair in losses} != {FailureKind.RATE_LIMITED.value}:
        return []
    return ["every loss is a rate limit: this measures the candidate's quota, not its model"]


def _nothing_seen(row: GateRow, found: RatePairs) -> list[str]:
    """Say what a clean sheet is worth."""
    n = len(found.pairs)
    bad = sum(is_one != row.higher_is_better for is_one in found.candidate)
    if bad:
        return []
    return [f"0 of {n} went wrong on the candidate, which still allows a true rate of {percent(rate_without_event(n))}"]
