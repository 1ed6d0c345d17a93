"""Wakes as text: outcome, wait, where the wait went."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.coldpath import COLD_FACTOR, COLD_MARGIN_S
from harness.analysis.results.cold import ColdPath, WaitPhase, Wake, WakeOutcome
from harness.analysis.results.estimates import Value
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.coldpage import ColdView
from harness.report.page import Cell, Column, Table, Tone
from harness.report.untrusted import one_line

_TONES: Mapping[WakeOutcome, Tone] = {
    WakeOutcome.WITHIN_BUDGET: "good",
    WakeOutcome.OVER_BUDGET: "bad",
    WakeOutcome.CAPPED: "bad",
    WakeOutcome.GAVE_UP: "bad",
    WakeOutcome.FAILED: "bad",
    WakeOutcome.NOT_CONFIRMED: "warn",
}
_OPENING = (WaitPhase.DNS, WaitPhase.CONNECT, WaitPhase.TLS)
_COLUMNS = [phase for phase in WaitPhase if phase not in (WaitPhase.DNS, WaitPhase.TLS)]
_DETAIL = 200
_LEDE = (
    "First contacts with an endpoint that sleeps, or may. One request is in flight until it answers; none of them "
    "enters a warm figure. The wait counts from the request's start to its first output, and its parts add up to it."
)


def cold_view(found: Sequence[ColdPath], names: Mapping[Arm, str]) -> ColdView | None:
    """Say it for each side; None where nothing slept and nobody said that it could."""
    if not found:
        return None
    return ColdView(lede=_LEDE, tables=tuple(_table(path, names) for path in found))


def wake_lines(path: ColdPath) -> list[str]:
    """Give a line for each wake, for the terminal."""
    return [f"wake {wake.number}  {wake.outcome}: {line}" for wake in path.wakes for line in [_line(wake)]]


def _line(wake: Wake) -> str:
    parts = ", ".join(f"{part.phase} {fmt.duration(part.duration_s)}" for part in wake.split if part.duration_s)
    warm = "" if wake.warm_ttft.value is None else f"; warm TTFT {fmt.duration(wake.warm_ttft.value)}"
    detail = f"; {one_line(wake.detail, _DETAIL)}" if wake.detail else ""
    return f"{fmt.duration(wake.wait_s)} ({parts}){warm}{detail}"


def _table(path: ColdPath, names: Mapping[Arm, str]) -> Table:
    rows = [_durations(wake) for wake in path.wakes]
    phases = [phase for phase in _COLUMNS if any(found.get(phase) for found in rows)]
    name = names.get(path.arm, path.arm.value)
    return Table(
        caption=f"{name}: {fmt.plural(len(path.wakes), 'wake' if path.is_cold_run else 'first contact')}",
        columns=(
            Column(title="wake", is_number=False),
            Column(title="outcome", is_number=False),
            Column(title="wait"),
            *(Column(title=phase.value, hint=f"until: {phase.value}") for phase in phases),
            Column(title="warm TTFT", hint="of the request to compare with"),
        ),
        rows=tuple(_row(wake, found, phases) for wake, found in zip(path.wakes, rows, strict=True)),
        notes=tuple(_notes(path)),
    )


def _durations(wake: Wake) -> dict[WaitPhase, float]:
    """Sum a wake's parts by column: name, connection and TLS share one."""
    found: dict[WaitPhase, float] = {}
    for part in wake.split:
        column = WaitPhase.CONNECT if part.phase in _OPENING else part.phase
        found[column] = found.get(column, 0.0) + part.duration_s
    return found


def _row(wake: Wake, took: Mapping[WaitPhase, float], phases: Sequence[WaitPhase]) -> tuple[Cell, ...]:
    idle = f"after {fmt.duration(wake.idle.value)} idle" if wake.idle.value is not None else wake.idle.reason or ""
    return (
        Cell(text=str(wake.number), detail=idle),
        Cell(
            text=wake.outcome.value,
            detail=one_line(wake.detail, _DETAIL),
            tone=_TONES.get(wake.outcome, "plain"),
        ),
        Cell(text=fmt.duration(wake.wait_s)),
        *(
            Cell(
                text=fmt.duration(took[phase]) if phase in took else fmt.DASH,
                detail=_opening(wake) if phase is WaitPhase.CONNECT else "",
            )
            for phase in phases
        ),
        _value(wake.warm_ttft),
    )


def _opening(wake: Wake) -> str:
    """Tell name, connection and TLS apart where there was more than the connection."""
    parts = [part for part in wake.split if part.phase in _OPENING]
    return ", ".join(f"{part.phase} {fmt.duration(part.duration_s)}" for part in parts) if len(parts) > 1 else ""


def _value(value: Value) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.duration(value.value))


def _notes(path: ColdPath) -> Iterator[str]:
    stated = [
        f"{name} {fmt.duration(value)}" for name, value in (("budget", path.budget_s), ("cap", path.cap_s)) if value
    ]
    yield (
        f"Judged against: {', '.join(stated)}." if stated else "No budget and no cap are stated: cold.budget_s, cap_s."
    )
    unconfirmed = [wake for wake in path.wakes if wake.outcome is WakeOutcome.NOT_CONFIRMED]
    if any(wake.warm_ttft.value is None for wake in unconfirmed):
        yield "Not confirmed: no warm request succeeded, so nothing shows that the endpoint was asleep."
    if any(wake.warm_ttft.value is not None for wake in unconfirmed):
        yield (
            f"Not confirmed: the first output came within {COLD_FACTOR:g} times that of a warm request and "
            f"{COLD_MARGIN_S:g} s. Somebody else may have kept the endpoint awake."
        )
