"""Tails at every level of load as tables: quantiles with their intervals, a row per level and side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.results.estimates import Tail
from harness.analysis.results.levels import LevelRow
from harness.model.record import Arm, Arrival
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Cell, Column, Table
from harness.report.untrusted import visible
from harness.report.view_load import LEVEL_HEADS, level_head, level_name
from harness.report.view_tails import quantile_cell, side_cell

_DUE = {"ttft": "ttft_from_intended", "e2e": "e2e_effective"}  # beside each latency from sent, that from intended
_LATENCY_LEVELS = (0.5, 0.95, 0.99)
_STREAM = (("decode_rate", 0.5), ("decode_rate", 0.05), ("gap", 0.5), ("gap", 0.99))
_ONLY_IF_ANY = 0.99  # a quantile that few runs can support has a column where one does


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantile:
    """A column: which quantile, and what its head says before it."""

    metric: str
    q: float
    title: str


def level_tail_tables(rows: Sequence[LevelRow], names: Mapping[Arm, str], catalog: Catalog) -> Iterator[Table]:
    """Give latencies, in an open loop from sent and from intended, and the streams' own rhythm."""
    found = _Tables(rows=rows, names=names, catalog=catalog)
    titles = {metric: title_of(catalog, metric) for metric in ("ttft", "e2e", "decode_rate", "gap")}
    if all(row.arrival is Arrival.CLOSED for row in rows):
        latency = [_Quantile(metric=metric, q=q, title=titles[metric]) for metric in _DUE for q in _LATENCY_LEVELS]
        yield found.table("Latency", latency)
    else:
        for metric, due in _DUE.items():
            both = ((metric, "from sent,"), (due, "from intended,"))
            columns = [_Quantile(metric=one, q=q, title=title) for q in _LATENCY_LEVELS for one, title in both]
            yield found.table(f"{titles[metric]}, from sent and from intended", columns)
    yield found.table("One stream", [_Quantile(metric=metric, q=q, title=titles[metric]) for metric, q in _STREAM])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    """What every table is made of."""

    rows: Sequence[LevelRow]
    names: Mapping[Arm, str]
    catalog: Catalog

    def table(self, caption: str, columns: Iterable[_Quantile]) -> Table:
        """Lay out the columns that any level supports."""
        shown = [column for column in columns if column.q != _ONLY_IF_ANY or self._has_any(column)]
        scales = {column.metric: self._scale(column.metric) for column in shown}
        heads = (f"{column.title} {fmt.quantile_name(column.q)}, {scales[column.metric].symbol}" for column in shown)
        return Table(
            caption=caption,
            columns=(*LEVEL_HEADS, *(Column(title=head) for head in heads)),
            rows=tuple(
                (
                    level_head(row),
                    side_cell(row.arm, self.names),
                    *(_cell(row, column, scales[column.metric]) for column in shown),
                )
                for row in self.rows
            ),
            notes=(*self._missing(shown), *self._without(shown)),
        )

    def _has_any(self, column: _Quantile) -> bool:
        found = (row.quantile(column.metric, column.q) for row in self.rows)
        return any(quantile is not None and quantile.value.value is not None for quantile in found)

    def _scale(self, metric: str) -> fmt.Scale:
        """Choose the unit; a latency from intended is written in that from sent."""
        sent = next((sent for sent, due in _DUE.items() if due == metric), metric)
        quantiles = [quantile for tail in self._tails(sent) for quantile in tail.quantiles]
        values = [value for quantile in quantiles if (value := quantile.value.value) is not None]
        return fmt.scale_for(unit_of(self.catalog, sent), values)

    def _tails(self, metric: str) -> list[Tail]:
        return [tail for row in self.rows if (tail := row.tail(metric)) is not None]

    def _missing(self, columns: Sequence[_Quantile]) -> Iterator[str]:
        """Say why a quantile has no value, once for all rows that share the reason."""
        said: dict[str, list[str]] = {}
        for row in self.rows:
            for column in columns:
                found = row.quantile(column.metric, column.q)
                reason = None if found is None else found.value.reason
                if reason is not None and not reason.startswith((">", fmt.UNATTAINABLE)):
                    said.setdefault(self._line(column, reason), []).append(level_name(row, self.names))
        for line, places in said.items():
            yield f"{line}." if len(places) == len(self.rows) else f"{line} ({'; '.join(places)})."

    def _line(self, column: _Quantile, reason: str) -> str:
        name = fmt.quantile_name(column.q)
        title = title_of(self.catalog, column.metric)
        return f"{title}: {visible(reason)}" if name in reason else f"{title} {name}: {visible(reason)}"

    def _without(self, columns: Sequence[_Quantile]) -> Iterator[str]:
        """Say what entered no quantile, the most of any row."""
        for metric in dict.fromkeys(column.metric for column in columns):
            most: dict[str, int] = {}
            for tail in self._tails(metric):
                for reason, n in tail.undefined.items():
                    most[reason] = max(most.get(reason, 0), n)
            for reason, n in most.items():
                title = title_of(self.catalog, metric)
                yield f"{title}: up to {fmt.plural(n, 'request')} of a row without a value: {visible(reason)}."


def _cell(row: LevelRow, column: _Quantile, scale: fmt.Scale) -> Cell:
    tail = row.tail(column.metric)
    if tail is None:
        return Cell(text=fmt.DASH, tone="muted")
    return quantile_cell(row.quantile(column.metric, column.q), tail, scale)
