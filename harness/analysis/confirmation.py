"""A suspicion measured once more: the suspicious prompts alone, as one more night against the same baseline nights.

The prompts were chosen because tonight's figures were bad, so these prove nothing more; the rerun's are new. Confirmed:
at least half a threshold worse and p, one-sided and of this one comparison, at most 5 %. Refuted: the threshold lies
above the upper one-sided 95 % bound, of counts as of timings. Open otherwise. What lasts all night is in the rerun as
well: it tells a passing disturbance from a change, not a bad night from a bad week.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.analysis.ledgernights import nights_of, watched_arm
from harness.analysis.nightlosses import losses_of
from harness.analysis.nightly import shift_over
from harness.analysis.nightmetrics import against_text, least_loss
from harness.analysis.promptnights import figure_name, prompt_nights, prompts_with
from harness.analysis.results.nights import (
    Blame,
    Night,
    NightlyRule,
    NightMetric,
    Rerun,
    RerunWord,
    Shift,
    Suspicion,
)
from harness.analysis.series import instant
from harness.model.ledger import LedgerEntry
from harness.model.record import Arm

LEVEL = 0.05
_SET_PARTS = frozenset({"golden"})  # a part of the set is another set


def prompts_to_rerun(suspicion: Suspicion) -> tuple[str, ...] | None:
    """Give the prompts to measure again: the flagged, else those beyond the threshold, else all that have the figure.

    None: the whole set, where the figure is one of the whole only.
    """
    blame, least = suspicion.blame, least_loss(suspicion.night.metric)
    if not blame.prompts:
        return None
    beyond = tuple(prompt.prompt_id for prompt in blame.prompts if prompt.loss >= least)
    return blame.flagged or beyond or tuple(prompt.prompt_id for prompt in blame.prompts)


def why_no_rerun(entries: Sequence[LedgerEntry], again: LedgerEntry) -> str | None:
    """Say why a run cannot confirm what the last of these showed: only new data can."""
    if any(entry.run_id == again.run_id for entry in entries):
        return "it is a night of this series itself"
    if instant(again.started_at) <= instant(entries[-1].started_at):
        return f"it began at {again.started_at}, no later than {entries[-1].run_id}"
    return None


def judge_rerun(
    entries: Sequence[LedgerEntry],
    baseline: int,
    again: LedgerEntry,
    suspicion: Suspicion,
    rule: NightlyRule,
) -> Rerun:
    """Say whether a rerun shows a suspicion too."""
    metric, arm = suspicion.night.metric, watched_arm(entries[-1])
    stale = why_no_rerun(entries, again)
    if stale is not None:
        return _open(again, None, stale)
    chosen = _shared(suspicion.blame, entries[-1], again, arm, metric)
    unlike = _unlike(entries[-1].parts, again.parts, is_whole=chosen is None)
    if unlike:
        return _open(again, chosen, f"the rerun differs in {', '.join(unlike)}")
    if chosen is not None and not chosen:
        return _open(again, chosen, "the rerun holds none of the prompts that have the figure")
    nights = (*nights_of(entries, arm, [metric])[metric.id], *nights_of([again], arm, [metric])[metric.id])
    if chosen is not None:
        nights = prompt_nights([*entries, again], nights, arm, metric, chosen)
    series = _as_one_series(nights, entries[-1].comparable)
    losses = losses_of(series, metric)
    if not losses or losses[-1].place != len(series) - 1:
        return _open(again, chosen, series[-1].reason or "the rerun has no value")
    suspicious = range(len(entries) - _n_nights(suspicion), len(entries))
    losses = tuple(loss for loss in losses if loss.place not in suspicious)  # they must not judge themselves
    shift = shift_over(losses, baseline, metric, rule, 1)
    if shift is None:
        return _open(again, chosen, "too few baseline nights have these prompts")
    word = rerun_word(shift, metric)
    sentence = f"{against_text(metric, shift.loss)} the baseline nights in the rerun: {word.value}"
    return Rerun(word=word, sentence=sentence, run_id=again.run_id, prompts=chosen, shift=shift)


def rerun_word(shift: Shift, metric: NightMetric) -> RerunWord:
    """Decide by the change that a rerun shows."""
    least = least_loss(metric)
    if shift.loss >= least / 2 and shift.p_value <= LEVEL:
        return RerunWord.CONFIRMED
    return RerunWord.REFUTED if shift.loss_high < least else RerunWord.OPEN


def _n_nights(suspicion: Suspicion) -> int:
    return 1 if suspicion.night.shift is None else suspicion.night.shift.n_nights


def _shared(
    blame: Blame, tonight: LedgerEntry, again: LedgerEntry, arm: Arm, metric: NightMetric
) -> tuple[str, ...] | None:
    """Give the prompts that the rerun measured again, where it is of a part of the set; None for the whole."""
    if again.golden_sha256 == tonight.golden_sha256 or figure_name(metric) is None:
        return None
    there = set(prompts_with(again, arm, metric))
    return tuple(prompt.prompt_id for prompt in blame.prompts if prompt.prompt_id in there)


def _unlike(one: Mapping[str, str], other: Mapping[str, str], *, is_whole: bool) -> tuple[str, ...]:
    names = sorted({*one, *other} - (frozenset() if is_whole else _SET_PARTS))
    return tuple(name for name in names if one.get(name) != other.get(name))


def _as_one_series(nights: Sequence[Night], comparable: str) -> list[Night]:
    return [replace(night, comparable=comparable) for night in nights]


def _open(again: LedgerEntry, prompts: tuple[str, ...] | None, reason: str) -> Rerun:
    return Rerun(word=RerunWord.OPEN, sentence=f"{reason}: open", run_id=again.run_id, prompts=prompts)
