"""The validity certificate: its line at the top of a page, its rows with their limits."""

from collections.abc import Callable, Mapping

from harness.analysis.results.instrument import Certificate, CertificateRow, Measured, TimingVerdict
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.page import Cell, CertificateView, Column, Table, Tone
from harness.report.untrusted import visible

_VERDICTS: dict[TimingVerdict, tuple[str, Tone]] = {
    TimingVerdict.VALID: ("\N{CHECK MARK}", "good"),
    TimingVerdict.VOID: ("!", "void"),
    TimingVerdict.UNKNOWN: ("?", "warn"),
}
_RESULTS: dict[bool | None, Cell] = {
    True: Cell(text="within", tone="good"),
    False: Cell(text="beyond", tone="bad"),
    None: Cell(text="not known", tone="warn"),
}
_SMALLEST_MS = 1e-4  # seconds; shorter ones are written in microseconds


def certificate_view(certificate: Certificate) -> CertificateView:
    """Say whether the timings count."""
    icon, tone = _VERDICTS[certificate.verdict]
    return CertificateView(
        word="timing not known" if certificate.verdict is TimingVerdict.UNKNOWN else certificate.verdict.value,
        icon=icon,
        tone=tone,
        sentence=visible(certificate.sentence),
        line=visible(certificate.line),
        notes=tuple(visible(note) for note in certificate.notes),
    )


def instrument_tables(certificate: Certificate, names: dict[Arm, str]) -> tuple[Table, ...]:
    """Lay out the rows, a column per side: those with a limit, then what explains them."""
    if not certificate.rows:
        return ()
    sides = tuple(Column(title=names.get(arm, arm.value)) for arm in certificate.clock)
    gated = [row for row in certificate.rows if row.condition]
    reported = [row for row in certificate.rows if not row.condition]
    return (
        Table(
            caption="Measured in this run, against its limits",
            columns=(_HEAD, *sides, Column(title="limit", is_number=False), Column(title="result", is_number=False)),
            rows=tuple((*_cells(row), Cell(text=row.limit), _RESULTS[row.is_met]) for row in gated),
            notes=certificate_view(certificate).notes,
        ),
        Table(
            caption="How that came about",
            columns=(_HEAD, *sides),
            rows=(_clock_cells(certificate), *map(_cells, reported)),
        ),
    )


_HEAD = Column(title="", is_number=False)


def _clock_cells(certificate: Certificate) -> tuple[Cell, ...]:
    sources = (Cell(text=visible(source.name), detail=visible(source.detail)) for source in certificate.clock.values())
    return (Cell(text="clock source"), *sources)


def _cells(row: CertificateRow) -> tuple[Cell, ...]:
    return (Cell(text=row.title), *(_cell(row.unit, side) for side in row.sides))


def _cell(unit: str, side: Measured) -> Cell:
    value = side.value.value
    if value is None:
        reason = side.value.reason or ""
        return Cell(text=fmt.DASH, detail=visible(f"{reason}; {side.detail}" if side.detail else reason), tone="muted")
    tone: Tone = "bad" if side.is_met is False else "plain"
    return Cell(text=_WRITERS[unit](value), detail=visible(side.detail), tone=tone)


def _time(value_s: float) -> str:
    """Write a duration; far below a millisecond in microseconds."""
    if not 0 < value_s < _SMALLEST_MS:
        return fmt.duration(value_s)
    return (_TENTHS if value_s < _SMALLEST_MS / 10 else _MICROSECONDS).full(value_s)


_MICROSECONDS = fmt.Scale(symbol="\N{MICRO SIGN}s", factor=1e6)
_TENTHS = fmt.Scale(symbol="\N{MICRO SIGN}s", factor=1e6, decimals=1)


_WRITERS: Mapping[str, Callable[[float], str]] = {
    "s": _time,
    "fraction": fmt.percent,
    "count": lambda value: fmt.count(round(value)),
    "load": lambda value: fmt.decimal(value, 2),
}
