"""The whole page as text and figures, from an analysis."""

from datetime import datetime

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.tokens import Economics
from harness.model.record import Arm, RunHeader
from harness.report import format as fmt
from harness.report.definitions import Catalog, define
from harness.report.exhibits import Exhibits
from harness.report.page import ChecklistView, Fact, ReportView, Section
from harness.report.untrusted import visible
from harness.report.view_answers import acceptance_words, answer_tables
from harness.report.view_attempts import attempt_tables
from harness.report.view_bodies import bodies_table
from harness.report.view_checklist import n_open
from harness.report.view_cold import cold_view
from harness.report.view_evidence import failure_cards, failure_line, finding_cards
from harness.report.view_figures import ecdf_figures, withheld_figures
from harness.report.view_followups import loop_table, streaming_tables
from harness.report.view_forest import forest_figure
from harness.report.view_headlines import gate_rows, headlines
from harness.report.view_identity import divergence_figure, identity_line, identity_words
from harness.report.view_instrument import certificate_view, instrument_tables
from harness.report.view_levels import levels_view
from harness.report.view_load import counted_words, is_leveled, load_fact
from harness.report.view_manifest import endpoints_table, manifest_groups, reproduce, side_labels, sides_of
from harness.report.view_overtime import overtime_figure
from harness.report.view_paired import paired_figures, withheld_pairs
from harness.report.view_prompts import prompt_views
from harness.report.view_redaction import redaction_facts
from harness.report.view_tails import FIRST, tail_tables, throughput_table
from harness.report.view_timeouts import timeouts_view
from harness.report.view_tls import tls_facts
from harness.report.view_tokens import economics_table, token_table
from harness.report.view_tools import structured_table, tool_tables
from harness.report.view_verdict import check_views, gate_views, verdict_view
from harness.report.view_worstoff import worst_off_view


def build_view(
    analysis: Analysis,
    header: RunHeader | None,
    catalog: Catalog,
    checklist: ChecklistView | None = None,
    exhibits: Exhibits | None = None,
) -> ReportView:
    """Say everything the page says; pure."""
    exhibits = exhibits or Exhibits()
    case = analysis.case
    names = {side.arm: visible(side.name) for side in sides_of(case)}
    judgement = analysis.judgement
    tables = tail_tables(analysis, names, catalog)
    return ReportView(
        title=_title(names),
        run_id=case.reference.run_id if case.candidate is None else case.candidate.run_id,
        started_at="" if header is None else header.started_at,
        sections=_sections(analysis, checklist),
        sides=side_labels(case),
        is_comparison=case.candidate is not None,
        certificate=certificate_view(analysis.certificate),
        verdict=verdict_view(analysis),
        headlines=headlines(analysis, catalog),
        gate_rows=gate_rows(analysis, catalog),
        facts=(*redaction_facts(case), *tls_facts(case), *_facts(analysis, header)),
        validity=check_views(judgement),
        gates=gate_views(judgement, catalog),
        identity=identity_words(judgement),
        identity_line=identity_line(judgement),
        worst_off=worst_off_view(judgement, catalog),
        divergence=divergence_figure(analysis.divergence),
        forest=forest_figure(judgement.gates) if judgement else None,
        tails=tuple(table for metric, table in tables.items() if metric in FIRST),
        more_tails=tuple(table for metric, table in tables.items() if metric not in FIRST),
        figures=ecdf_figures(analysis, names, catalog),
        withheld=withheld_figures(analysis, names, catalog) + withheld_pairs(analysis, catalog),
        paired=paired_figures(analysis, catalog),
        overtime=overtime_figure(analysis, names, catalog),
        throughput=throughput_table(analysis, names),
        levels=levels_view(analysis, names, catalog),
        counted=counted_words(analysis),
        answers=answer_tables(analysis, names, catalog),
        answers_note=acceptance_words(analysis.answers.acceptance),
        tools=tool_tables(analysis.tools, names, catalog),
        structured=structured_table(analysis.structured, names),
        prompts=prompt_views(analysis, names, catalog, exhibits),
        economics=economics_table(analysis.economics, names),
        tokens=token_table(analysis.tokens),
        tokens_note=analysis.tokens.guard if analysis.tokens else "",
        failures=failure_cards(analysis.failures, names),
        findings=finding_cards(analysis.findings, names),
        instrument=instrument_tables(analysis.certificate, names),
        endpoints=endpoints_table(case),
        manifest=manifest_groups(case, header),
        reproduce=reproduce(case, header, exhibits.folders),
        bodies=bodies_table(exhibits.differences, case),
        definitions=define(catalog),
        failure_line=failure_line(analysis),
        next_step=_next_step(analysis),
        loops=loop_table(analysis.loops, names),
        streaming=streaming_tables(analysis.streaming, names),
        checklist=checklist,
        attempts=attempt_tables(analysis.attempts, names),
        cold=cold_view(analysis.cold, names),
        timeouts=timeouts_view(analysis.timeouts, names),
    )


def _title(names: dict[Arm, str]) -> str:
    if Arm.CANDIDATE not in names:
        return names[Arm.REFERENCE]
    return f"{names[Arm.REFERENCE]} \u2192 {names[Arm.CANDIDATE]}"


def _sections(analysis: Analysis, checklist: ChecklistView | None) -> tuple[Section, ...]:
    gates = analysis.judgement.gates if analysis.judgement else ()
    found = (
        Section(id="verdict", title="Verdict" if analysis.judgement else "Summary"),
        Section(id="gates", title="Gates", badge=str(len(gates))) if gates else None,
        Section(id="worstoff", title="Worst off") if analysis.judgement and analysis.judgement.worst_off else None,
        Section(id="checklist", title="Cut-over checklist", badge=n_open(checklist)) if checklist else None,
        Section(id="tails", title="Tails"),
        Section(id="levels", title="Load levels") if is_leveled(analysis) else None,
        Section(id="overtime", title="Over time"),
        Section(id="cold", title="Cold path") if analysis.cold else None,
        Section(id="timeouts", title="Time limits") if analysis.timeouts else None,
        Section(id="answers", title="Answers") if analysis.answers.agreements else None,
        Section(id="tools", title="Tools") if analysis.tools else None,
        Section(id="structured", title="Structured output") if analysis.structured else None,
        Section(id="followups", title="Loops and streaming") if _has_follow_ups(analysis) else None,
        Section(id="prompts", title="Prompts", badge=str(len(analysis.prompts))),
        Section(id="economics", title="Tokens and money"),
        Section(id="failures", title="Failures", badge=str(sum(row.n for row in analysis.failures))),
        Section(id="findings", title="Findings", badge=str(len(analysis.findings))),
        Section(id="instrument", title="Instrument"),
        Section(id="manifest", title="Manifest"),
        Section(id="definitions", title="Definitions"),
    )
    return tuple(section for section in found if section is not None)


def _has_follow_ups(analysis: Analysis) -> bool:
    return bool(analysis.loops) or any(side.n_unstreamed for side in analysis.streaming)


def _facts(analysis: Analysis, header: RunHeader | None) -> tuple[Fact, ...]:
    golden = analysis.case.golden
    prompts = Fact(
        label="prompts",
        value=fmt.count(len(analysis.prompts)),
        detail=visible(f"{golden.name} {golden.version}"),
    )
    if not analysis.economics:
        return (prompts, load_fact(analysis.case))
    facts = [
        prompts,
        _per_side("requests", [side.n_requests for side in analysis.economics], _arms(analysis)),
        *_retries(analysis),
        _per_side("failed", [side.n_failed for side in analysis.economics], _arms(analysis)),
    ]
    set_aside = [_set_aside(analysis, side.arm) for side in analysis.economics]
    if any(set_aside):
        facts.append(_per_side("set aside", set_aside, "warm-up or possibly cold"))
    others = [_at_other_levels(analysis, side.arm) for side in analysis.economics]
    if any(others):
        facts.append(_per_side("at other levels", others, "of load, not judged"))
    followed = [side.n_follow_ups for side in analysis.economics]
    if any(followed):
        facts.append(_per_side("followed up", followed, "after the levels, untimed"))
    facts.append(load_fact(analysis.case))
    if any(side.cost.value is not None for side in analysis.economics):
        costs = " / ".join(map(_cost, analysis.economics))
        facts.append(Fact(label="cost", value=costs, detail=_arms(analysis)))
    if header is not None and header.ended_at is not None:
        took = _elapsed(header.started_at, header.ended_at)
        facts.append(Fact(label="took", value=took, detail=fmt.moment(header.started_at)))
    return tuple(facts)


def _per_side(label: str, counts: list[int], detail: str) -> Fact:
    return Fact(label=label, value=" / ".join(map(fmt.count, counts)), detail=detail)


def _retries(analysis: Analysis) -> list[Fact]:
    """Count the attempts beyond the first, which are billed too; nothing where there was none."""
    further = {side.arm: side.n_attempts - side.n_requests for side in analysis.attempts}
    counts = [further.get(side.arm, 0) for side in analysis.economics]
    return [_per_side("retries", counts, "further attempts, billed too")] if any(counts) else []


def _set_aside(analysis: Analysis, arm: Arm) -> int:
    return sum(not trial.is_judged and trial.key.level == 0 and trial.key.arm is arm for trial in analysis.trials)


def _at_other_levels(analysis: Analysis, arm: Arm) -> int:
    return sum(trial.key.level > 0 and trial.key.arm is arm for trial in analysis.trials)


def _cost(side: Economics) -> str:
    return fmt.DASH if side.cost.value is None else fmt.money(side.cost.value, side.currency)


def _arms(analysis: Analysis) -> str:
    return "reference / candidate" if len(analysis.economics) > 1 else ""


def _elapsed(started: str, ended: str) -> str:
    took_s = round((datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds())
    return f"{took_s // 60} min {took_s % 60} s" if took_s >= 60 else f"{took_s} s"  # noqa: PLR2004 - a minute


def _endpoint_first(analysis: Analysis) -> str | None:
    """Point at an endpoint that fails most of what it is asked: no prompt explains that; None where neither does."""
    failing = [side for side in analysis.economics if 2 * side.n_failed >= side.n_requests > 0]
    if not failing:
        return None
    counts = ", ".join(f"{side.n_failed:,} of {side.n_requests:,} requests to the {side.arm}" for side in failing)
    return f"look at the endpoint before the prompts: {counts} failed; bench probe says what it answers"


def _next_step(analysis: Analysis) -> str:
    judgement = analysis.judgement
    if (step := _endpoint_first(analysis)) is not None:
        return step
    if judgement is None:
        return "measure a second endpoint with bench compare to judge a replacement"
    if judgement.settle:
        return visible(judgement.settle[0])
    if judgement.verdict is Verdict.PASS:
        return "read the report's list of what was not verified before you cut over"
    if judgement.read_first:
        return f"read these prompts first: {', '.join(judgement.read_first)}"
    return "read the gates in the report"
