"""Tokens and money: what each side counted and cost, and how the counts compare: as text."""

from collections.abc import Callable, Mapping, Sequence

from harness.analysis.results.estimates import Value
from harness.analysis.results.tokens import Economics, PromptTokens, TokenComparison
from harness.analysis.tokenparity import ALIKE
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.page import Cell, Column, Table

_SEVERAL_TOKENS = 0.8  # chunks per token below which gaps are no times between tokens
_SAME = (0.98, 1.02)  # prompt-token ratios of one tokenizer: chat templates differ by a token or two


def economics_table(found: Sequence[Economics], names: Mapping[Arm, str]) -> Table | None:
    """Give tokens and money, attempts of every outcome told apart, a column per side."""
    if not found:
        return None
    lines: tuple[tuple[str, Callable[[Economics], Cell]], ...] = (
        ("requests", lambda side: Cell(text=fmt.count(side.n_requests))),
        ("succeeded", lambda side: Cell(text=fmt.share(side.n_successes, side.n_requests))),
        ("failed", lambda side: _trouble(side.n_failed, side.n_requests)),
        ("truncated", lambda side: _trouble(side.n_truncated, side.n_requests)),
        ("empty", lambda side: _trouble(side.n_empty, side.n_requests)),
        ("answers without usage", lambda side: _trouble(side.n_no_usage, side.n_successes)),
        ("answers whose usage says zero", lambda side: _trouble(side.n_zero_usage, side.n_successes)),
        ("prompt tokens", lambda side: _tokens(side.prompt_tokens)),
        ("of them cached", lambda side: _tokens(side.cached_tokens)),
        ("completion tokens", lambda side: _tokens(side.completion_tokens)),
        ("of them reasoning", lambda side: _tokens(side.reasoning_tokens)),
        ("chunks per token, streamed text", _chunks),
        ("cost", lambda side: _money(side.cost, side.currency)),
        ("cost per answer", lambda side: _money(side.cost_per_answer, side.currency)),
        ("cost per answer that passes", lambda side: _money(side.cost_per_success, side.currency)),
    )
    return Table(
        caption="As each side reported them" if len(found) > 1 else "As reported",
        columns=(Column(title="", is_number=False), *(Column(title=names.get(side.arm, side.arm)) for side in found)),
        rows=tuple((Cell(text=label), *(write(side) for side in found)) for label, write in lines),
        notes=_batching_notes(found, names),
    )


def _batching_notes(found: Sequence[Economics], names: Mapping[Arm, str]) -> tuple[str, ...]:
    return tuple(
        f"{names.get(side.arm, side.arm.value)} sends {side.chunks_per_token.value:.2f} chunks per token: its gaps are "
        "not times between tokens, and a count of chunks is not a count of tokens."
        for side in found
        if side.chunks_per_token.value is not None and side.chunks_per_token.value < _SEVERAL_TOKENS
    )


def _chunks(side: Economics) -> Cell:
    value = side.chunks_per_token
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.decimal(value.value, 2), tone="warn" if value.value < _SEVERAL_TOKENS else "plain")


def _trouble(part: int, whole: int) -> Cell:
    return Cell(text=fmt.share(part, whole), tone="warn" if part else "plain")


def _tokens(number: int | None) -> Cell:
    if number is None:
        return Cell(text=fmt.DASH, detail="not reported", tone="muted")
    return Cell(text=fmt.count(number))


def _money(value: Value, currency: str | None) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.money(value.value, currency))


def token_table(found: TokenComparison | None) -> Table | None:
    """Compare the counts of the same prompts; nothing for one endpoint."""
    if found is None:
        return None
    return Table(
        caption="Candidate's tokens over the reference's, for the same prompts",
        columns=(
            Column(title="", is_number=False),
            Column(title="ratio"),
            Column(title="lowest prompt"),
            Column(title="highest prompt"),
            Column(title="reading", is_number=False),
        ),
        rows=(_prompt_row(found), _completion_row(found)),
    )


def _prompt_row(found: TokenComparison) -> tuple[Cell, ...]:
    reading = "the tokenizers differ" if differs(found.prompt_ratio) else "the sides count alike" if _has(found) else ""
    return (
        Cell(text="prompt tokens"),
        _ratio(found.prompt_ratio),
        _extreme(found.lowest),
        _extreme(found.highest),
        Cell(text=reading or fmt.DASH),
    )


def _has(found: TokenComparison) -> bool:
    return found.prompt_ratio.value is not None


def differs(ratio: Value) -> bool:
    """Whether two counts of one text come from two tokenizers."""
    return ratio.value is not None and not _SAME[0] <= ratio.value <= _SAME[1]


def _completion_row(found: TokenComparison) -> tuple[Cell, ...]:
    ends = [row for row in found.prompts if row.completion_ratio.value is not None]
    lowest, highest = (pick(ends, key=_completion, default=None) for pick in (min, max))
    detail = f"geometric mean over {fmt.plural(found.n_completion_prompts, 'prompt')}"
    if found.n_cut_prompts:
        detail += f"; {found.n_cut_prompts} left out: max_tokens cuts both sides"
    return (
        Cell(text="completion tokens", detail=detail),
        _with_interval(found),
        Cell(text=fmt.DASH) if lowest is None else _named(lowest.completion_ratio, lowest.prompt_id),
        Cell(text=fmt.DASH) if highest is None else _named(highest.completion_ratio, highest.prompt_id),
        Cell(text=_length_words(found)),
    )


def _completion(row: PromptTokens) -> float:
    return row.completion_ratio.value or 0.0


def _length_words(found: TokenComparison) -> str:
    if found.is_length_alike is None:
        return fmt.DASH
    low, high = (fmt.ratio(end) for end in ALIKE)
    said = f"within {low} to {high}" if found.is_length_alike else f"not within {low} to {high}"
    of_prompts = found.prompt_ratio.value
    if of_prompts is None or not differs(found.prompt_ratio):
        return said
    return f"{said}; {fmt.ratio(of_prompts)} of it may be the tokenizer"


def _with_interval(found: TokenComparison) -> Cell:
    cell = _ratio(found.completion_ratio)
    if found.completion_interval is None:
        return cell
    ends = fmt.bounds(found.completion_interval, fmt.scale_for("ratio", []))
    return Cell(text=cell.text, detail=f"{fmt.level(found.completion_interval)}: {ends}")


def _ratio(value: Value) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.ratio(value.value))


def _extreme(row: PromptTokens | None) -> Cell:
    return Cell(text=fmt.DASH, tone="muted") if row is None else _named(row.prompt_ratio, row.prompt_id)


def _named(value: Value, prompt_id: str) -> Cell:
    return Cell(text=_ratio(value).text, detail=prompt_id)
