"""A publication as Markdown between two markers of a page, with the files that lie beside it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.results.published import Publication, PublishedFigure, PublishedRow
from harness.model.endpoint import Prices
from harness.report import format as fmt
from harness.report.markdown import code
from harness.report.publishplace import END
from harness.report.untrusted import one_line

_HOW = "<!-- Made by `bench publish`; what is changed by hand here is lost, and `bench verify` finds it. -->"
UNMEASURED = "not yet measured"
_DIGITS = 12  # of a digest in the table; the JSON has all
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(":?-+:?")
_ACTIVE = re.compile(r"[\\`*_\[\]<>#|~$&]")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

FIGURES = ("tier", "served on", "decode, tok/s (95 % interval)", "n", "TTFT (95 % interval)", "measured on", "timings")
CONDITIONS = ("tier", "endpoint as called", "golden set", "load, cache", "price", "run, definitions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the files beside a page are called."""

    page: str
    data: str
    plot: str

    def badge(self, tier: str) -> str:
        """Name a tier's badge."""
        return f"{self.data.removesuffix('.json')}.badge.{_UNSAFE.sub('_', tier)}.json"


def text(value: str) -> str:
    """Write a name so that it is read, not acted on, by entities: renderers of Markdown differ in what they escape."""
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", one_line(value))


def names_of(page: str) -> Names:
    """Name the files after the page's stem."""
    stem = page.rpartition(".")[0] or page
    return Names(page=page, data=f"{stem}.json", plot=f"{stem}.svg")


def render_block(publication: Publication, names: Names) -> str:
    """Render the block with its markers; the same publication gives the same bytes."""
    parts = (
        f'<!-- bench:throughput data="{names.data}" -->\n{_HOW}',
        f"![{text(alternative(publication))}]({names.plot})",
        _grid(FIGURES, [_figures(publication, tier) for tier in publication.tiers]),
        _grid(CONDITIONS, [_conditions(publication, tier) for tier in publication.tiers]),
        "\n".join(f"- {line}" for line in _notes(publication, names)),
        END,
    )
    return "\n\n".join(parts)


def alternative(publication: Publication) -> str:
    """Say the plot in words."""
    return "Decode rate by tier: " + "; ".join(
        f"{tier} {rate_words(publication.row(tier))}" for tier in publication.tiers
    )


def rate_words(row: PublishedRow | None) -> str:
    """Give a tier's rate with its interval."""
    if row is None:
        return UNMEASURED
    return f"{rate(row.decode.value)} tok/s ({rate(row.decode.low)} to {rate(row.decode.high)})"


def rate(value: float) -> str:
    """Write tokens per second: four digits."""
    return fmt.scale_for("tok/s", [value]).number(value)


def _figures(publication: Publication, tier: str) -> tuple[str, ...]:
    row = publication.row(tier)
    if row is None:
        return (text(tier), fmt.DASH, UNMEASURED, *[fmt.DASH] * (len(FIGURES) - 3))
    day = row.measured_at[:10]
    return (
        text(tier),
        _served_on(row),
        f"**{rate(row.decode.value)}** ({rate(row.decode.low)} to {rate(row.decode.high)})",
        _counts(row.decode, row.n_prompts),
        fmt.DASH if row.ttft is None else _ttft(row.ttft),
        f"{day}, **stale** (over {publication.stale_after_days} days)" if tier in publication.stale else day,
        text(row.validity),
    )


def _served_on(row: PublishedRow) -> str:
    found = [label for label in (row.hardware, row.checkpoint, row.region) if label]
    return text(", ".join(found)) if found else "not stated"


def _counts(figure: PublishedFigure, n_prompts: int) -> str:
    failed = f", {figure.n_failed} failed" if figure.n_failed else ""
    return f"{figure.n} of {fmt.plural(n_prompts, 'prompt')}{failed}"


def _ttft(figure: PublishedFigure) -> str:
    scale = fmt.scale_for("s", [figure.value])
    return f"{scale.full(figure.value)} ({scale.number(figure.low)} to {scale.number(figure.high)})"


def _conditions(publication: Publication, tier: str) -> tuple[str, ...]:
    row = publication.row(tier)
    if row is None:
        return (text(tier), *[fmt.DASH] * (len(CONDITIONS) - 1))
    return (
        text(tier),
        f"{code(row.model)} at {code(row.host)}{_reported(row)}",
        f"{text(row.golden_name)} {text(row.golden_version)}, {code(row.golden_sha256[:_DIGITS])}{_lengths(row)}",
        f"{text(row.load)}; cache {text(row.cache)}, {_cached(row.cached_fraction)}",
        price_words(row.prices),
        f"{code(row.run_id)}, {row.arm}; definitions {text(row.definitions)}, bench {text(row.bench)}",
    )


def _reported(row: PublishedRow) -> str:
    others = [model for model in row.models_reported if model != row.model]
    return f", which calls itself {', '.join(map(code, others))}" if others else ""


def _lengths(row: PublishedRow) -> str:
    if row.prompt_tokens_p50 is None or row.completion_tokens_p50 is None:
        return ""
    return f"; median {row.prompt_tokens_p50:.0f} prompt and {row.completion_tokens_p50:.0f} completion tokens"


def _cached(fraction: float | None) -> str:
    return "not reported" if fraction is None else f"{fmt.percent(fraction)} of prompt tokens cached"


def price_words(prices: Prices | None) -> str:
    """Give the price book with its denominators."""
    if prices is None:
        return "not stated"
    named = (
        (prices.input_per_mtok, "per million prompt tokens"),
        (prices.cached_input_per_mtok, "per million cached ones"),
        (prices.output_per_mtok, "per million completion tokens"),
        (prices.per_request or None, "per request"),
    )
    return text(", ".join(f"{price:,.10g} {prices.currency} {of}" for price, of in named if price is not None))


def _notes(publication: Publication, names: Names) -> Iterator[str]:
    yield (
        "Decode rate: tokens after the first chunk over the time they took, within one stream; the median over "
        "requests. It is not the throughput of all streams together. The interval is distribution-free, by ranks, and "
        "speaks of these prompts under this load."
    )
    if any(publication.row(tier) is None for tier in publication.tiers):
        yield f"What is {UNMEASURED} has no figure: none is derived from another tier's."
    if publication.stale:
        yield f"Stale: measured over {publication.stale_after_days} days before this page was last published."
    yield f"With every digit and digest: [{names.data}]({names.data})."


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells_of(block: str) -> dict[tuple[str, str], str]:
    """Give the cells of both tables by tier and column, every other line by its place; white space says nothing.

    A row that a tier has once more in a table is one of its own, so that neither hides the other.
    """
    found: dict[tuple[str, str], str] = {}
    heads: Sequence[str] = ()
    n_rows: Counter[tuple[str, ...]] = Counter()
    for line in filter(str.strip, block.split("\n")):
        words = [cell.strip() for cell in _BAR.split(line)[1:-1]] if line.startswith("|") else []
        if words and all(map(_RULE.fullmatch, words)):
            continue
        if tuple(words) in (FIGURES, CONDITIONS):
            heads = words
        if heads and heads is not words and len(words) == len(heads):
            n_rows[*heads, words[0]] += 1
            number = n_rows[*heads, words[0]]
            of = words[0] if number == 1 else f"{words[0]}, row {number}"
            found |= {(of, head): word for head, word in zip(heads, words, strict=True)}
        else:
            found["line", str(1 + sum(of == "line" for of, _ in found))] = " ".join(line.split())
    return found
