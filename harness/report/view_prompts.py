"""Each prompt of the set, worst first: a summary line and the evidence behind it."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.acceptance import HAS_CHECKS
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.answers import PromptAnswers
from harness.analysis.results.estimates import Value
from harness.analysis.results.prompts import AnswerGroup, PromptRow, PromptSide
from harness.analysis.results.tokens import PromptTokens
from harness.analysis.results.trial import CheckResult, Rung, Trial
from harness.model.golden import Prompt
from harness.model.record import Answer, Arm, Record, RequestKey
from harness.report import format as fmt
from harness.report.chosen import Chosen, chosen_requests
from harness.report.definitions import Catalog
from harness.report.difference import Difference, difference
from harness.report.exhibits import Exchange, Exhibits
from harness.report.page import (
    AnswerView,
    Cell,
    Column,
    PromptCell,
    PromptView,
    SideAnswers,
    Table,
    Tone,
)
from harness.report.untrusted import excerpt, one_line
from harness.report.view_answers import acceptance_words, agreement_table, path_table
from harness.report.view_flags import FAR, MUCH, prompt_flags
from harness.report.view_manifest import sides_of
from harness.report.view_requests import instants_table, request_views, shown_requests
from harness.report.view_sdk import sdk_tables
from harness.report.view_tails import side_cell

_ASKED_LIMIT = 600  # characters of a prompt on the page
ANSWER_LIMIT = 1_500  # characters of one answer on the page
_ANSWERS_SHOWN = 4  # distinct answers of one side
_CALLS_SHOWN = 8  # tool calls of one answer
_ROWS_SHOWN = 12  # lines of a prompt's check or tool table
_LAST = 1e9  # where an infinite ratio sorts: a page holds finite numbers only
_SAME = "same / own"
_ALIKE = "How alike two answers are"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What the prompts are drawn from, indexed once."""

    records: Mapping[RequestKey, Record]  # first attempts
    trials: Mapping[str, Sequence[Trial]]
    judged: Mapping[RequestKey, Trial]
    names: Mapping[Arm, str]
    prompts: Mapping[str, Prompt]
    compared: Mapping[str, PromptAnswers]
    tokens: Mapping[str, PromptTokens]
    catalog: Catalog
    chosen: Mapping[tuple[str, Arm], Chosen]
    exchanges: Mapping[RequestKey, Exchange]
    sdk: Mapping[str, Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A figure of a prompt, of each side."""

    label: str
    unit: str
    values: Sequence[Value]

    @property
    def shared_reason(self) -> str | None:
        """Why no side has it, where that is one reason: a note under the table says it once."""
        reasons = {value.reason for value in self.values}
        return self.values[0].reason if len(reasons) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """An answer of each side, aligned, and which ones they are."""

    note: str = ""
    difference: Difference | None = None


def prompt_views(
    analysis: Analysis, names: Mapping[Arm, str], catalog: Catalog, exhibits: Exhibits
) -> tuple[PromptView, ...]:
    """List the prompts, worst first."""
    evidence = _Evidence(
        records=_first_attempts(analysis),
        trials=_by_prompt(analysis.trials),
        judged={trial.key: trial for trial in analysis.trials if trial.is_judged},
        names=names,
        prompts={prompt.id: prompt for prompt in analysis.case.golden.prompts},
        compared={found.prompt_id: found for found in analysis.answers.prompts},
        tokens={found.prompt_id: found for found in analysis.tokens.prompts} if analysis.tokens else {},
        catalog=catalog,
        chosen=chosen_requests(analysis),
        exchanges=exhibits.exchanges,
        sdk=sdk_tables(sides_of(analysis.case), names),
    )
    ordered = sorted(analysis.prompts, key=lambda row: (-row.score, row.prompt_id))
    return tuple(_prompt_view(row, evidence) for row in ordered)


def _first_attempts(analysis: Analysis) -> dict[RequestKey, Record]:
    if analysis.case.redaction is not None:  # digests tell answers apart, what stands in their place does not
        return {}
    records: Iterable[Record] = (record for side in sides_of(analysis.case) for record in side.records)
    return {record.key: record for record in records if record.attempt == 1}


def _by_prompt(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.is_judged:
            found.setdefault(trial.key.prompt_id, []).append(trial)
    return found


def _prompt_view(row: PromptRow, evidence: _Evidence) -> PromptView:
    trials = evidence.trials.get(row.prompt_id, ())
    sides = [(Arm.REFERENCE, row.reference)]
    if row.candidate is not None:
        sides.append((Arm.CANDIDATE, row.candidate))
    compared = _compared(row, evidence)
    checks, tools = _check_table(trials, evidence), _tool_table(trials, evidence)
    failures = _failure_table(trials, evidence)
    answers = evidence.compared.get(row.prompt_id)
    chosen = {arm: found for arm, _ in sides if (found := evidence.chosen.get((row.prompt_id, arm)))}
    shown = shown_requests(chosen, evidence.records, evidence.exchanges)
    return PromptView(
        id=row.prompt_id,
        anchor=f"prompt-{row.prompt_id}",
        category=row.category,
        tags=row.tags,
        intent=row.intent,
        asked=excerpt(_asked(evidence.prompts.get(row.prompt_id)), _ASKED_LIMIT),
        asked_note=_asked_note(evidence.prompts.get(row.prompt_id)),
        cells=_cells(row),
        figures=_figures(row, evidence),
        sides=tuple(_side_answers(arm, side, evidence) for arm, side in sides),
        difference=compared.difference,
        difference_note=compared.note,
        agreements=None if answers is None else _agreements(answers, evidence.catalog),
        agreement_note=_acceptance_note(answers),
        paths=None if answers is None else path_table(answers, evidence.names),
        checks=checks,
        tools=tools,
        failures=failures,
        flags=prompt_flags(row, trials, evidence.names),
        sdk=evidence.sdk.get(row.prompt_id),
        requests=request_views(shown, evidence.names),
        instants=instants_table(shown, evidence.names),
    )


def _agreements(answers: PromptAnswers, catalog: Catalog) -> Table | None:
    return agreement_table(answers.agreements, catalog, caption=_ALIKE, counts_prompts=False)


def _acceptance_note(answers: PromptAnswers | None) -> str:
    if answers is None or answers.acceptance.reference.reason == HAS_CHECKS:
        return ""
    return acceptance_words(answers.acceptance)


def _asked(prompt: Prompt | None) -> str:
    """Give the last thing that the prompt says to the model, images and the like left out."""
    messages = prompt.request.get("messages", []) if prompt else []
    content = messages[-1].get("content") if messages else ""
    parts = content if isinstance(content, list) else [{"text": content}]
    return "\n".join(str(part["text"]) for part in parts if part.get("text"))


def _asked_note(prompt: Prompt | None) -> str:
    n_messages = len(prompt.request.get("messages", [])) if prompt else 0
    return f"last of {n_messages} messages" if n_messages > 1 else ""


def _cells(row: PromptRow) -> tuple[PromptCell, ...]:
    one, two = row.reference, row.candidate
    cells = [
        _rate_cell("success", "task", one.task_successes, two.task_successes if two else None, row),
        _rate_cell("tools", "tools", one.tool_successes, two.tool_successes if two else None, row),
    ]
    if two is None:
        return (
            *cells,
            _value_cell("same", "agrees with itself", one.self_agreement, "fraction"),
            _value_cell("ttft", "TTFT", one.ttft_p50_s, "s"),
            _value_cell("decode", "decode", one.decode_p50, "tok/s"),
        )
    return (
        *cells,
        _same_cell(row),
        _value_cell("ttft", "TTFT ratio", row.ttft_ratio, "ratio", _ratio_tone(row.ttft_ratio, is_bad_high=True)),
        _value_cell(
            "decode", "decode ratio", row.decode_ratio, "ratio", _ratio_tone(row.decode_ratio, is_bad_high=False)
        ),
    )


def _rate_cell(key: str, label: str, one: int | None, two: int | None, row: PromptRow) -> PromptCell:
    if one is None:
        return PromptCell(key=key, label=label, text=fmt.DASH, sort=None, tone="muted")
    left = f"{one}/{row.reference.n}"
    if row.candidate is None or two is None:
        return PromptCell(key=key, label=label, text=left, sort=one / max(row.reference.n, 1))
    change = two / max(row.candidate.n, 1) - one / max(row.reference.n, 1)
    tone: Tone = "bad" if change < 0 else "good" if change > 0 else "plain"
    return PromptCell(key=key, label=label, text=f"{left} \u2192 {two}/{row.candidate.n}", sort=change, tone=tone)


def _same_cell(row: PromptRow) -> PromptCell:
    """Write how often the sides say the same beside how often the reference does with itself: alone it says nothing."""
    own, across = row.reference.self_agreement.value, row.cross_agreement.value
    if own is None or across is None:
        return PromptCell(key="same", label=_SAME, text=fmt.DASH, sort=None, tone="muted")
    text = f"{fmt.decimal(across * 100, 0)} of {fmt.decimal(own * 100, 0)}{fmt.GAP}%"
    tone: Tone = "warn" if own - across > FAR else "plain"
    return PromptCell(key="same", label=_SAME, text=text, sort=across - own, tone=tone)


def _value_cell(key: str, label: str, value: Value, unit: str, tone: Tone = "plain") -> PromptCell:
    if value.value is None:
        return PromptCell(key=key, label=label, text=fmt.DASH, sort=None, tone="muted")
    text = fmt.ratio(value.value) if unit == "ratio" else fmt.scale_for(unit, [value.value]).full(value.value)
    return PromptCell(
        key=key, label=label, text=text, sort=value.value if math.isfinite(value.value) else _LAST, tone=tone
    )


def _ratio_tone(value: Value, *, is_bad_high: bool) -> Tone:
    if value.value is None:
        return "muted"
    worse = value.value > MUCH if is_bad_high else value.value < 1 / MUCH
    return "warn" if worse else "plain"


def _figures(row: PromptRow, evidence: _Evidence) -> Table:
    names, tokens = evidence.names, evidence.tokens.get(row.prompt_id)
    sides = [row.reference] if row.candidate is None else [row.reference, row.candidate]
    arms = (Arm.REFERENCE, Arm.CANDIDATE)[: len(sides)]
    lines = (
        _Line(label="TTFT, median", unit="s", values=[side.ttft_p50_s for side in sides]),
        _Line(label="decode rate, median", unit="tok/s", values=[side.decode_p50 for side in sides]),
        _Line(label="E2E latency, median", unit="s", values=[side.e2e_p50_s for side in sides]),
        _Line(label="completion tokens, median", unit="count", values=[side.completion_tokens_p50 for side in sides]),
        _Line(label="prompt tokens", unit="count", values=[side.prompt_tokens for side in sides]),
    )
    return Table(
        caption="Figures",
        columns=(Column(title="", is_number=False), *(Column(title=names.get(arm, arm.value)) for arm in arms)),
        rows=(
            _count_line("requests", [side.n for side in sides]),
            _count_line("failed", [side.n_failed for side in sides]),
            *(_value_line(line) for line in lines if line.shared_reason is None),
        ),
        notes=(
            *(f"{line.label}: {line.shared_reason}" for line in lines if line.shared_reason is not None),
            *_ratio_notes(tokens),
        ),
    )


def _ratio_notes(tokens: PromptTokens | None) -> Iterator[str]:
    if tokens is not None and tokens.prompt_ratio.value is not None:
        yield f"Prompt-token ratio: {fmt.ratio(tokens.prompt_ratio.value)}"
    if tokens is not None and tokens.completion_ratio.value is not None:
        yield f"Completion-token ratio: {fmt.ratio(tokens.completion_ratio.value)}"


def _count_line(label: str, counts: Sequence[int]) -> tuple[Cell, ...]:
    return (Cell(text=label), *(Cell(text=fmt.count(number)) for number in counts))


def _value_line(line: _Line) -> tuple[Cell, ...]:
    scale = fmt.scale_for(line.unit, [value.value for value in line.values if value.value is not None])
    if line.unit == "count":
        scale = fmt.Scale(symbol="")
    cells = (Cell(text=fmt.value_text(value, scale), detail=value.reason or "") for value in line.values)
    return (Cell(text=line.label), *cells)


def _side_answers(arm: Arm, side: PromptSide, evidence: _Evidence) -> SideAnswers:
    groups = sorted(side.answers, key=lambda group: -group.count)
    n_answers = sum(group.count for group in groups)
    trials = {key: trial for group in groups for key in group.keys if (trial := evidence.judged.get(key))}
    summary = f"{fmt.plural(len(groups), 'distinct answer')} in {fmt.count(n_answers)}" if groups else "no answer"
    return SideAnswers(
        arm=arm.value,
        name=evidence.names.get(arm, arm.value),
        summary=summary,
        answers=tuple(_answer_view(group, trials, evidence) for group in groups[:_ANSWERS_SHOWN]),
        n_more=max(0, len(groups) - _ANSWERS_SHOWN),
    )


def _answer_view(group: AnswerGroup, trials: Mapping[RequestKey, Trial], evidence: _Evidence) -> AnswerView:
    answer = _answer_of(group, evidence)
    outcome, tone = answer_outcome([trials[key] for key in group.keys if key in trials])
    text = group.canonical if answer is None else answer.text or answer.refusal
    calls = () if answer is None else answer.tool_calls
    return AnswerView(
        count=f"{group.count}{fmt.TIMES}",
        text=excerpt(text, ANSWER_LIMIT),
        tool_calls=tuple(one_line(_call(call.name, call.arguments), 600) for call in calls[:_CALLS_SHOWN]),
        n_more_calls=max(0, len(calls) - _CALLS_SHOWN),
        outcome=outcome,
        tone=tone,
    )


def answer_outcome(trials: Sequence[Trial]) -> tuple[str, Tone]:
    """Say what the checks make of the trials with one answer: a rung, or how many passed; nothing where none judges."""
    fallen = Counter(trial.tool.rung for trial in trials if trial.tool is not None and trial.tool.rung is not Rung.OK)
    if fallen:
        return f"rung {fallen.most_common(1)[0][0]}", "bad"
    judged = [trial.task_success for trial in trials if trial.task_success is not None]
    if not judged:
        return "", "plain"
    n_passed = sum(judged)
    if n_passed == len(judged):
        return "passes its checks", "good"
    return "fails its checks" if not n_passed else f"passes in {n_passed} of {len(judged)}", "bad"


def _answer_of(group: AnswerGroup, evidence: _Evidence) -> Answer | None:
    return next((evidence.records[key].answer for key in group.keys if key in evidence.records), None)


def _call(name: str | None, arguments: str) -> str:
    return f"{name or '(no name)'}({arguments})"


def _compared(row: PromptRow, evidence: _Evidence) -> _Compared:
    """Align the reference's most frequent answer with the candidate's most frequent one that differs from it."""
    if row.candidate is None:
        return _Compared()
    if not row.reference.answers or not row.candidate.answers:
        return _Compared(note="A side has no answer to compare.")
    if not evidence.records:
        return _Compared(note="Answers are struck out; those of one digest have the same canonical form.")
    one = _most_frequent(row.reference.answers)
    others = [group for group in row.candidate.answers if group.canonical != one.canonical]
    two = _most_frequent(others or row.candidate.answers)
    ours, theirs = _whole(one, evidence), _whole(two, evidence)
    laid_out = as_json(ours), as_json(theirs)
    is_json = None not in laid_out and laid_out[0] != laid_out[1]
    found = difference(laid_out[0] or "", laid_out[1] or "") if is_json else difference(ours, theirs)
    if found is None:
        return _Compared(note="The most frequent answers of both sides are identical.")
    if not others:
        return _Compared(
            note="The most frequent answers count as the same; they differ in form only.", difference=found
        )
    return _Compared(
        note=(
            f"The reference's most frequent answer ({_share(one, row.reference)}) against the candidate's most "
            f"frequent one that differs ({_share(two, row.candidate)})"
            f"{', both laid out as JSON with sorted keys' if is_json else ''}."
        ),
        difference=found,
    )


def as_json(text: str) -> str | None:
    """Lay a JSON object or array out over lines, keys sorted; None for everything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, (dict, list)):
        return None
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def _most_frequent(groups: Sequence[AnswerGroup]) -> AnswerGroup:
    return max(groups, key=lambda group: group.count)


def _share(group: AnswerGroup, side: PromptSide) -> str:
    return f"{group.count} of {sum(found.count for found in side.answers)}"


def _whole(group: AnswerGroup, evidence: _Evidence) -> str:
    answer = _answer_of(group, evidence)
    if answer is None:
        return group.canonical
    calls = [_call(call.name, call.arguments) for call in answer.tool_calls]
    return "\n".join([text for text in (answer.text or answer.refusal,) if text] + calls)


def _check_table(trials: Sequence[Trial], evidence: _Evidence) -> Table | None:
    counted = Counter(
        (trial.key.arm, _without_repetition(check), check.where, check.expected, one_line(check.came, 200))
        for trial in trials
        for check in trial.checks
        if not check.passed and not _tells_the_rung(check, trial)
    )
    rows = tuple(
        (
            side_cell(arm, evidence.names),
            Cell(text=f"{n}{fmt.TIMES}"),
            Cell(text=one_line(check, 160), detail=one_line(where, 120)),
            Cell(text=one_line(expected, 200)),
            Cell(text=came),
        )
        for (arm, check, where, expected, came), n in counted.most_common(_ROWS_SHOWN)
    )
    return _evidence_table("Checks that failed", ("check", "expected", "came"), rows, len(counted))


def _without_repetition(check: CheckResult) -> str:
    """Leave out a check's argument where what is expected repeats it."""
    name, _, argument = check.check.partition(": ")
    return name if argument and argument in check.expected else check.check


def _tells_the_rung(check: CheckResult, trial: Trial) -> bool:
    """Whether the table of tool trials says the same of this trial."""
    return trial.tool is not None and trial.tool.rung is not Rung.OK and check.where == f"rung {trial.tool.rung}"


def _expected_call(trial: Trial) -> str:
    """Give the call that the fallen trial was to make, as its check writes it."""
    found = next((check.check for check in trial.checks if not check.passed and _tells_the_rung(check, trial)), "")
    return one_line(found.partition(": ")[2], 240)


def _tool_table(trials: Sequence[Trial], evidence: _Evidence) -> Table | None:
    counted = Counter(
        (
            trial.key.arm,
            trial.tool.rung.value,
            trial.tool.tool or "",
            one_line(trial.tool.detail, 240),
            _expected_call(trial),
        )
        for trial in trials
        if trial.failure is None and trial.tool is not None and trial.tool.rung is not Rung.OK
    )
    rows = tuple(
        (
            side_cell(arm, evidence.names),
            Cell(text=f"{n}{fmt.TIMES}"),
            Cell(text=rung),
            Cell(text=one_line(tool, 80) or fmt.DASH),
            Cell(text=detail or fmt.DASH, detail=f"expected {expected}" if expected else ""),
        )
        for (arm, rung, tool, detail, expected), n in counted.most_common(_ROWS_SHOWN)
    )
    return _evidence_table(
        "Tool trials that fell, by rung of the ladder", ("rung", "tool", "detail"), rows, len(counted)
    )


def _failure_table(trials: Sequence[Trial], evidence: _Evidence) -> Table | None:
    counted = Counter(
        (trial.key.arm, trial.failure, one_line(trial.failure_message or "", 240))
        for trial in trials
        if trial.failure is not None
    )
    rows = tuple(
        (
            side_cell(arm, evidence.names),
            Cell(text=f"{n}{fmt.TIMES}"),
            Cell(text=kind),
            Cell(text=message or fmt.DASH),
        )
        for (arm, kind, message), n in counted.most_common(_ROWS_SHOWN)
    )
    return _evidence_table("Requests that failed", ("kind", "message"), rows, len(counted))


def _evidence_table(
    caption: str, heads: Sequence[str], rows: tuple[tuple[Cell, ...], ...], n_rows: int
) -> Table | None:
    if not rows:
        return None
    more = n_rows - len(rows)
    return Table(
        caption=f"{caption} ({more:,} more kinds not shown)" if more else caption,
        columns=(
            Column(title="side", is_number=False),
            Column(title="count"),
            *(Column(title=head, is_number=False) for head in heads),
        ),
        rows=rows,
    )
