"""Whether the sides answer alike, and where their answers part: as text and as a figure."""

from collections.abc import Sequence

from harness.analysis.divergence import BOTH, CANDIDATE, REFERENCE
from harness.analysis.results.judgement import Judgement
from harness.analysis.results.likeness import DivergenceCurve
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.page import Figure
from harness.report.plotdata import SurvivalCurve, SurvivalPlot
from harness.report.untrusted import visible
from harness.report.view_figures import csv_text

_COLOURS = {REFERENCE: Arm.REFERENCE, CANDIDATE: Arm.CANDIDATE, BOTH: Arm.PLACEBO}


def identity_words(judgement: Judgement | None) -> str:
    """Give the whole line."""
    return visible(judgement.identity.sentence) if judgement and judgement.identity else ""


def identity_line(judgement: Judgement | None) -> str:
    """Give it short: likeness, excess and self-noise."""
    found = judgement.identity if judgement else None
    if found is None:
        return ""
    excess = found.disagreement.effect.value
    if excess is None or not found.disagreement.is_measurable:
        return str(found.likeness)
    noise = found.noise.effect.value if found.noise else None
    own = "" if noise is None else f" (self-noise {fmt.signed(noise * 100)})"
    return f"{found.likeness}: excess disagreement {fmt.points(excess)}{own}"


def divergence_figure(curves: Sequence[DivergenceCurve]) -> Figure | None:
    """Give the curves, where there are any."""
    if not curves:
        return None
    drawn = tuple(_curve(curve) for curve in curves)
    return Figure(
        id="divergence",
        title="Where two answers part: share of pairs still the same",
        description=". ".join(map(_describe, curves)),
        plot=SurvivalPlot(x_label="characters, log axis", curves=drawn),
        csv=csv_text(
            ("pair", "characters", "share_still_the_same"),
            (
                (curve.pair, place, share)
                for curve in curves
                for place, share in zip(curve.characters, curve.shares, strict=True)
            ),
        ),
    )


def _curve(curve: DivergenceCurve) -> SurvivalCurve:
    parted = f"{curve.n_parting:,} of {curve.n_pairs:,} part"
    return SurvivalCurve(
        arm=_COLOURS[curve.pair].value,
        label=f"{curve.pair} ({parted})",
        characters=curve.characters,
        shares=curve.shares,
    )


def _describe(curve: DivergenceCurve) -> str:
    middle = (
        f"half of them by character {curve.median.value:,.0f}"
        if curve.median.value is not None
        else curve.median.reason
    )
    share = curve.n_parting / curve.n_pairs
    return f"{curve.pair}: {curve.n_parting:,} of {curve.n_pairs:,} pairs part ({fmt.percent(share)}), {middle}"
