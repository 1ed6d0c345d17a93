"""A nightly check in words: rows for a terminal, and Markdown for CI."""

from collections.abc import Iterator

from harness.analysis.nightmetrics import change_text, least_loss
from harness.analysis.results.nights import (
    BlamedPrompt,
    MetricNight,
    NightlyCheck,
    NightMetric,
    RegressionWord,
    Suspicion,
)
from harness.analysis.series import NOT_MEASURED
from harness.report.markdown import prose, text

HEADS = ("figure", "baseline", "now", "change", "allowed", "p", "")
_UNITS = {"ttft_p50": "s", "ttft_p95": "s", "e2e_p50": "s", "decode_p50": "tok/s"}
_COST = "cost_per_success"
_ICONS = {
    RegressionWord.NOTHING: "\N{WHITE HEAVY CHECK MARK}",
    RegressionWord.REGRESSION: "\N{CROSS MARK}",
    RegressionWord.SUSPICION: "\N{BLACK QUESTION MARK ORNAMENT}",
    RegressionWord.NOT_JUDGED: "\N{WARNING SIGN}\ufe0f",
}
_PROMPTS = 8


def figure_rows(check: NightlyCheck) -> list[tuple[str, ...]]:
    """Give one row for each figure that the runs have."""
    return [_row(one, check.currency) for one in check.metrics if one.reason != NOT_MEASURED]


def _row(one: MetricNight, currency: str) -> tuple[str, ...]:
    metric, shift = one.metric, one.shift
    if shift is None:
        values = ("" if value is None else value_text(metric, value, currency) for value in (one.baseline, one.tonight))
        return (metric.title, *values, "", "", "", one.reason or "")
    nights = f" (mean of {shift.n_nights} nights)" if shift.n_nights > 1 else ""
    return (
        metric.title,
        value_text(metric, shift.baseline, currency),
        value_text(metric, shift.level, currency) + nights,
        change_text(metric, shift.loss),
        change_text(metric, least_loss(metric)),
        p_text(one.adjusted_p),
        "suspicious" if one.is_suspicious else "",
    )


def value_text(metric: NightMetric, value: float, currency: str) -> str:
    """Write a level in the metric's unit."""
    unit = currency if metric.id == _COST else _UNITS.get(metric.id, "")
    return f"{100 * value:.1f} %" if metric.is_rate else f"{value:.4g} {unit}".rstrip()


def p_text(p: float | None) -> str:
    """Write a p; small ones as a bound."""
    if p is None:
        return ""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"  # noqa: PLR2004  # digits that are shown


def suspicion_lines(one: Suspicion) -> Iterator[str]:
    """Say of a suspicion who moved, which prompts, and what a rerun said."""
    yield f"who moved: {one.drift.sentence}"
    blame = one.blame
    if blame.reason is not None:
        yield f"prompts: {blame.reason}"
    else:
        flagged = [prompt for prompt in blame.prompts if prompt.is_flagged]
        told = ", ".join(_prompt(one.night.metric, prompt) for prompt in (flagged or blame.prompts)[:_PROMPTS])
        of_all = f"{blame.n_worse} of {len(blame.prompts)} are worse than in their baseline nights"
        what = f"{len(flagged)} stand out (exploratory)" if flagged else "none stands out; the worst"
        yield f"prompts: {of_all}; {what}: {told}"
    of_run = f" ({one.rerun.run_id})" if one.rerun.run_id else ""
    yield f"rerun: {one.rerun.sentence}{of_run}"


def _prompt(metric: NightMetric, prompt: BlamedPrompt) -> str:
    return f"{prompt.prompt_id} {prompt.figure} {change_text(metric, prompt.loss)}"


def head_line(check: NightlyCheck) -> str:
    """Say what was held against what."""
    return f"{check.run_id}, {check.side}, against the baseline {check.baseline_run_id}"


def nightly_markdown(check: NightlyCheck) -> str:
    """Give the check as Markdown, for a job's page or a comment."""
    parts = [
        f"## {_ICONS[check.word]} {check.word.value}: {text(head_line(check))}",
        prose(check.sentence),
        _table(check),
        *(_section(one) for one in (*check.suspicions, *check.common, *check.of_reference)),
        "\n".join(f"- {prose(note)}" for note in (*check.refused, *check.notes)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(check: NightlyCheck) -> str:
    rows = figure_rows(check)
    if not rows:
        return ""
    lines = [f"| {' | '.join(map(text, row))} |" for row in rows]
    return "\n".join([f"| {' | '.join(HEADS)} |", "| :-- |" + " --: |" * (len(HEADS) - 1), *lines])


def _section(one: Suspicion) -> str:
    lines = [f"- {text(line)}" for line in suspicion_lines(one)]
    return "\n".join([f"### {text(one.night.metric.title)}", "", *lines])
