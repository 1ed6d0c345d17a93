"""The head of a page of `bench cold`: how its wakes ended, instead of the figures of a run."""

from collections.abc import Sequence

from harness.analysis.results.cold import ColdPath, Wake, WakeOutcome
from harness.report import format as fmt
from harness.report.page import Headline, Tone, VerdictView

_GRAVEST_FIRST = (  # as the exit code weighs them
    *(WakeOutcome.GAVE_UP, WakeOutcome.CAPPED, WakeOutcome.OVER_BUDGET, WakeOutcome.FAILED),
    *(WakeOutcome.NOT_CONFIRMED, WakeOutcome.WOKE, WakeOutcome.WITHIN_BUDGET),
)
_MARKS: dict[WakeOutcome, tuple[str, Tone]] = {
    WakeOutcome.NOT_CONFIRMED: ("?", "warn"),
    WakeOutcome.WOKE: ("i", "plain"),
    WakeOutcome.WITHIN_BUDGET: ("\N{CHECK MARK}", "good"),
}
_BAD: tuple[str, Tone] = ("\N{MULTIPLICATION X}", "bad")
_TOLD, _TILES = 4, 8


def cold_run(found: Sequence[ColdPath]) -> ColdPath | None:
    """Give the wakes where a run was made to measure them; None where they are a run's first contacts."""
    return next((path for path in found if path.is_cold_run and path.wakes), None)


def waking_verdict(path: ColdPath) -> VerdictView:
    """Say the gravest outcome, and of each wake how it ended and after how long."""
    ordered = _ordered(path)
    gravest = ordered[0].outcome
    icon, tone = _MARKS.get(gravest, _BAD)
    told = "; ".join(f"wake {one.number}: {one.outcome}, {fmt.duration(one.wait_s)}" for one in ordered[:_TOLD])
    more = f"; and {len(ordered) - _TOLD} more" if len(ordered) > _TOLD else ""
    sentence = f"{told[0].upper()}{told[1:]}{more}. {_limits(path)} One endpoint's own wakes: there is no verdict."
    return VerdictView(word=gravest.value.upper(), icon=icon, tone=tone, sentence=sentence)


def waking_headlines(path: ColdPath) -> tuple[Headline, ...]:
    """Give a tile for each wake; figures of warm requests would say nothing of what was measured."""
    return tuple(_tile(wake) for wake in _ordered(path)[:_TILES])


def _ordered(path: ColdPath) -> list[Wake]:
    return sorted(path.wakes, key=lambda wake: _GRAVEST_FIRST.index(wake.outcome))


def _limits(path: ColdPath) -> str:
    stated = ((name, value) for name, value in (("budget", path.budget_s), ("cap", path.cap_s)) if value)
    words = ", ".join(f"{name} {fmt.duration(value)}" for name, value in stated)
    return f"{words[0].upper()}{words[1:]}." if words else "No budget and no cap are stated."


def _tile(wake: Wake) -> Headline:
    icon, tone = _MARKS.get(wake.outcome, _BAD)
    warm = wake.warm_ttft.value
    return Headline(
        label=f"Wake {wake.number}",
        value=fmt.duration(wake.wait_s),
        interval="",
        has_interval=False,
        sides="no warm request" if warm is None else f"warm TTFT {fmt.duration(warm)}",
        word=wake.outcome.value,
        icon=icon,
        tone=tone,
    )
