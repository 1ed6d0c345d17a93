"""Which prompts moved: each against its own baseline nights, as the whole is; a list to read, not a finding.

Over the prompts of a metric Benjamini and Hochberg's rule (J. R. Statist. Soc. B 57 (1995) 289) at q = 10 % flags some.
What moves all prompts alike flags many or none; that is said, too.
"""

from collections.abc import Sequence

from scipy.stats import false_discovery_control

from harness.analysis.nightlosses import losses_of
from harness.analysis.nightly import shift_over
from harness.analysis.promptnights import figure_name, prompt_nights, prompts_with
from harness.analysis.results.nights import Blame, BlamedPrompt, Night, NightlyRule, NightMetric, Shift
from harness.model.ledger import LedgerEntry
from harness.model.record import Arm

Q = 0.10


def blame_prompts(
    entries: Sequence[LedgerEntry],
    nights: Sequence[Night],
    arm: Arm,
    metric: NightMetric,
    places: tuple[int, int],
    rule: NightlyRule,
) -> Blame:
    """Compare every prompt's last k nights with its baseline nights: `places` is (baseline, k)."""
    figure = figure_name(metric)
    if figure is None:
        return Blame(metric_id=metric.id, reason="the ledger holds no figure of single prompts for it")
    shifts: dict[str, Shift] = {}
    for prompt in prompts_with(entries[-1], arm, metric):
        own = prompt_nights(entries, nights, arm, metric, [prompt])
        losses = losses_of(own, metric)
        if losses and losses[-1].place == len(own) - 1:
            found = shift_over(losses, places[0], metric, rule, places[1])
            shifts |= {prompt: found} if found is not None else {}
    if not shifts:
        return Blame(metric_id=metric.id, reason="no prompt has enough nights with a value")
    return Blame(metric_id=metric.id, prompts=_blamed(shifts, figure), n_worse=_n_worse(shifts))


def _n_worse(shifts: dict[str, Shift]) -> int:
    return sum(shift.loss > 0 for shift in shifts.values())


def _blamed(shifts: dict[str, Shift], figure: str) -> tuple[BlamedPrompt, ...]:
    adjusted = false_discovery_control([shift.p_value for shift in shifts.values()])
    found = [
        BlamedPrompt(
            prompt_id=prompt,
            figure=figure,
            baseline=shift.baseline,
            level=shift.level,
            loss=shift.loss,
            p_value=shift.p_value,
            adjusted_p=float(p),
            is_flagged=bool(p <= Q and shift.loss > 0),
        )
        for (prompt, shift), p in zip(shifts.items(), adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.loss, one.prompt_id)))
