"""Writes what was measured: a block per shape, with the naive client beside ours, and a summary in Markdown: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from benchmarks.truth.bias import Bias

CLIENT, NAIVE = "client", "naive"  # the modules of the two children
_RATIO = "naive/ours"
_HEADS = (
    "streams",
    "client",
    "late p50 / p99, ms",
    "TTFT error p50 / p99, ms",
    "gap error p99, ms",
    "shared",
    "wall over ideal",
    "in flight",
    "CPU per event, µs",
    "with decoding, µs",
    "events/s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one client."""

    loop: str  # that it ran on
    bias: Bias


def block(shape: str, loop: str, found: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Give every figure of one shape: medians, naive / ours where both were measured, and each run."""
    n_runs = len(found[CLIENT])
    heads = [*found, *([_RATIO] if NAIVE in found else [])]
    lines = [f"{shape}, {loop}, medians of {n_runs}", *_loop_notes(loop, found)]
    lines.append(f"  {'':22}" + "".join(f" {head:>12}" for head in heads) + "   each run")
    for field in fields(Bias):
        runs = {client: [getattr(one.bias, field.name) for one in measured] for client, measured in found.items()}
        middles = [_median(values) for values in runs.values()]
        cells = [*map(_text, middles), *([_times(_ratio(middles))] if NAIVE in found else [])]
        each = "  |  ".join("  ".join(map(_text, values)) for values in runs.values())
        lines.append(f"  {field.name:22}" + "".join(f" {cell:>12}" for cell in cells) + f"   {each}")
    return lines


def summary(loop: str, found: Mapping[str, Mapping[str, Sequence[Measured]]]) -> list[str]:
    """Give a Markdown table with a row per shape and client; each value is the median of the runs."""
    n_runs = max((len(measured) for clients in found.values() for measured in clients.values()), default=0)
    notes = [f"{shape}: {note.strip()}" for shape, clients in found.items() for note in _loop_notes(loop, clients)]
    return [
        f"{loop}, each value the median of {n_runs} runs",
        "",
        _line(_HEADS),
        _line(["---", "---", *["---:"] * (len(_HEADS) - 2)]),
        *(_line(row) for shape, clients in found.items() for row in _rows(shape, clients)),
        *(["", *notes] if notes else []),
    ]


def _rows(shape: str, clients: Mapping[str, Sequence[Measured]]) -> Iterator[list[str]]:
    middles = {client: _medians(measured) for client, measured in clients.items()}
    for client, middle in middles.items():
        yield [shape, client, *_cells({name: _text(value) for name, value in middle.items()}, _shares(middle))]
    if NAIVE in middles:
        ratios = {name: _times(_ratio([middles[CLIENT][name], middles[NAIVE][name]])) for name in middles[CLIENT]}
        yield [shape, _RATIO, *_cells(ratios, ratios)]


def _cells(texts: Mapping[str, str], shares: Mapping[str, str]) -> list[str]:
    return [
        f"{texts['late_p50']} / {texts['late_p99']}",
        f"{texts['ttft_error_p50']} / {texts['ttft_error_p99']}",
        texts["gap_error_p99"],
        shares["shared_fraction"],
        texts["wall_over_ideal"],
        shares["in_flight_fraction"],
        texts["cpu_us_per_event"],
        texts["whole_cpu_us_per_event"],
        texts["events_per_s"],
    ]


def _medians(measured: Sequence[Measured]) -> dict[str, float | None]:
    return {field.name: _median([getattr(one.bias, field.name) for one in measured]) for field in fields(Bias)}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) else None


def _ratio(ours_and_naive: Sequence[float | None]) -> float | None:
    ours, naive = ours_and_naive
    return naive / ours if ours and naive is not None else None  # of nothing there is no multiple


def _loop_notes(loop: str, found: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Say where a client ran on another loop than was asked for."""
    used = {client: sorted({one.loop for one in measured}) for client, measured in found.items()}
    return [
        f"  NOT AS ASKED: {client} ran on {', '.join(names)}, not on {loop}"
        for client, names in used.items()
        if names != [loop]
    ]


def _shares(middle: Mapping[str, float | None]) -> dict[str, str]:
    return {name: "unknown" if value is None else f"{value:.1%}".replace("%", " %") for name, value in middle.items()}


def _text(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.3g}"


def _times(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{_text(ratio)}x"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
