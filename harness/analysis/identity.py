"""Whether the candidate answers as the reference does, said apart from the verdict: different is not worse."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from harness.analysis.disagreement import Answers, Block, compare_blocks, excess_disagreement, is_greedy
from harness.analysis.looks import plan_alpha
from harness.analysis.permutation import DRAWS
from harness.analysis.results.case import Case, Side
from harness.analysis.results.gate import SelfNoise
from harness.analysis.results.likeness import Disagreement, Identity, Likeness
from harness.analysis.selfnoise import PLACEBO, SPLIT
from harness.analysis.trials import first_attempts, is_judged
from harness.analysis.words import percent, points
from harness.model.record import Answer

_STREAM = 5_202  # of the run's seed, so that no gate shares its draws
_LEAST_IN_HALF = 2
_SHOWN_FROM = 0.001
_ROUNDING = 1e-12  # 1 - .97 is not quite .03


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a shift is measured against."""

    margin: float = 0.10  # excess disagreement up to which sides count as alike
    level: float = 0.95


def identity_limits(case: Case) -> Limits:
    """Give the settings' margin, and the level of the look at the data."""
    return Limits(margin=case.settings.verdict.identity.margin, level=1 - plan_alpha(case.plan, case.look))


def placebo_disagreement(case: Case, limits: Limits, *, draws: int = DRAWS) -> Disagreement | None:
    """Compare the reference with its third arm as with a candidate; None without one."""
    if case.placebo is None or case.redaction is not None:
        return None
    return excess_disagreement(_blocks(case, case.reference, case.placebo), _rng(case), level=limits.level, draws=draws)


def compare_identity(case: Case, limits: Limits, *, draws: int = DRAWS) -> Identity | None:
    """Compare the answers of both sides; None without a candidate, or without answers."""
    if case.candidate is None or case.redaction is not None:
        return None
    blocks = _blocks(case, case.reference, case.candidate)
    found = excess_disagreement(blocks, _rng(case), level=limits.level, draws=draws)
    noise = _noise(case, limits.level)
    likeness = likeness_of(found, limits)
    return Identity(
        likeness=likeness,
        sentence=identity_sentence(likeness, found, noise, limits),
        disagreement=found,
        noise=noise,
        modalities={modality.value: count for modality, count in Counter(one.modality for one in blocks).items()},
    )


def _rng(case: Case) -> np.random.Generator:
    return np.random.default_rng([case.plan.seed if case.plan else case.settings.plan.seed, _STREAM])


def _blocks(case: Case, first: Side, second: Side) -> list[Block]:
    return compare_blocks(
        case.golden, side_answers(first), side_answers(second), lambda prompt: is_greedy(prompt, first, second)
    )


def side_answers(side: Side) -> dict[str, list[Answer]]:
    """Give the judged answers of a side by prompt, in the order of repeats; failed requests have none."""
    found: dict[str, list[tuple[int, Answer]]] = defaultdict(list)
    for record in first_attempts(side.records):
        if is_judged(record) and record.failure is None:
            found[record.key.prompt_id].append((record.key.repeat, record.answer))
    return {
        prompt_id: [answer for _, answer in sorted(rows, key=lambda row: row[0])] for prompt_id, rows in found.items()
    }


def _noise(case: Case, level: float) -> SelfNoise:
    """Compare the reference with its placebo, else the halves of its repeats; without a test of its own."""
    if case.placebo is not None:
        blocks, source = _blocks(case, case.reference, case.placebo), PLACEBO
    else:
        blocks, source = _halves(case), SPLIT
    found = excess_disagreement(blocks, _rng(case), level=level, draws=0)
    return SelfNoise(source=source, effect=found.effect, interval=found.interval, n=found.n_answers)


def _halves(case: Case) -> list[Block]:
    answers = side_answers(case.reference)
    even: Answers = {prompt_id: found[::2] for prompt_id, found in answers.items()}
    odd: Answers = {prompt_id: found[1::2] for prompt_id, found in answers.items()}
    return compare_blocks(
        case.golden, even, odd, lambda prompt: is_greedy(prompt, case.reference), least=_LEAST_IN_HALF
    )


def likeness_of(found: Disagreement, limits: Limits) -> Likeness:
    """A detected shift comes first; without one, a shift beyond the margin must be excluded to say "alike"."""
    if not found.is_measurable or found.bounds is None or found.p_value is None:
        return Likeness.NOT_MEASURABLE
    if found.p_value <= 1 - limits.level + _ROUNDING:
        return Likeness.SHIFTED
    return Likeness.INDISTINGUISHABLE if found.bounds[1] < limits.margin else Likeness.NOT_SETTLED


def identity_sentence(likeness: Likeness, found: Disagreement, noise: SelfNoise, limits: Limits) -> str:
    """Say likeness, agreements, excess, and the reference's own excess."""
    if likeness is Likeness.NOT_MEASURABLE:
        return f"IDENTITY: not measurable ({_why(found)})"
    return f"IDENTITY: {likeness} ({agreement_words(found)}{_bound_words(found, limits)}{_noise_words(noise)})"


def _why(found: Disagreement) -> str:
    return (found.reason or "no test").removeprefix("not measurable: ")


def agreement_words(found: Disagreement) -> str:
    """Say how far each side agrees with itself, and both with each other."""
    own, other, cross = (_share(value.value) for value in (found.reference_self, found.candidate_self, found.cross))
    excess = found.effect.value or 0.0
    return (
        f"the reference agrees with itself {own}, the candidate with itself {other}, the reference with the candidate "
        f"{cross}: excess disagreement {points(excess) if excess < 0 else points(excess, signed=False)}"
    )


def _share(value: float | None) -> str:
    return "?" if value is None else percent(value)


def _bound_words(found: Disagreement, limits: Limits) -> str:
    upper = found.bounds[1] if found.bounds else 0.0
    p_value = found.p_value or 0.0
    told = f"p {p_value:.3f}" if p_value >= _SHOWN_FROM else f"p below {_SHOWN_FROM}"
    most = points(max(upper, 0.0), signed=False)
    alike = points(limits.margin, signed=False)
    return (
        f", at most {most} with {percent(limits.level)} confidence, where below {alike} would count as alike; equal "
        f"sides would differ as much with {told}"
    )


def _noise_words(noise: SelfNoise) -> str:
    if noise.effect.value is None:
        return "; self-noise not measurable"
    source = "the reference and a placebo" if noise.source == PLACEBO else "two halves of the reference's repeats"
    return f"; self-noise, the same between {source}: {points(noise.effect.value)}"
