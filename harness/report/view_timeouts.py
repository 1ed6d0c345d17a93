"""Time limits as values to paste, with what each rests on and would have ended."""

from collections.abc import Mapping, Sequence

from harness.analysis.results.estimates import Value
from harness.analysis.results.timeouts import LimitKind, OtherLimits, SizedLimit, TimeoutSizing
from harness.analysis.timeoutsizing import FACTOR
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.coldpage import Snippet, TimeoutsSide, TimeoutsView
from harness.report.page import Cell, Column, Table

_TITLES = {
    LimitKind.CONNECT: ("connect", "name, connection and TLS together"),
    LimitKind.FIRST_OUTPUT: ("first output", "from sent"),
    LimitKind.IDLE: ("idle", "between two outputs, and from the last one to the end"),
    LimitKind.TOTAL: ("total", "from sent to the last byte"),
}
_LEDE = (
    f"Sized from the first attempts of the judged level: never below {FACTOR:g} times the longest success, nor below "
    "the upper 95 % bound of the p99 where there are requests enough for one. A limit that would have ended none of n "
    "requests may still end some: the last column says how many at most."
)


def timeouts_view(found: Sequence[TimeoutSizing], names: Mapping[Arm, str]) -> TimeoutsView | None:
    """Say it for each side; None where nothing succeeded."""
    if not found:
        return None
    return TimeoutsView(
        lede=_LEDE, sides=tuple(_side(sized, names) for sized in found), others=_others_table(found, names)
    )


def _side(sized: TimeoutSizing, names: Mapping[Arm, str]) -> TimeoutsSide:
    name = names.get(sized.arm, sized.arm.value)
    return TimeoutsSide(
        arm=sized.arm.value,
        name=name,
        limits=Table(
            caption=f"Limits for {name}",
            columns=(
                Column(title="limit", is_number=False),
                Column(title="value"),
                Column(title="because", is_number=False),
                Column(title="longest"),
                Column(title="p99 at most", hint="distribution-free upper 95 % bound"),
                Column(title="would have ended"),
                Column(title="share at most", hint="one-sided 95 %"),
            ),
            rows=tuple(_row(limit) for limit in sized.limits),
            notes=tuple(_notes(sized)),
        ),
        snippets=(
            Snippet(title=f"In the endpoint file of {name}", text=endpoint_lines(sized)),
            Snippet(title="In code, with the official SDK", text=sdk_lines(sized)),
        ),
    )


def _row(limit: SizedLimit) -> tuple[Cell, ...]:
    title, hint = _TITLES[limit.kind]
    killed = f"{limit.n_killed:,} of {limit.n_measured:,}"
    return (
        Cell(text=title, detail=hint),
        _time(limit.value),
        Cell(text=limit.basis or fmt.DASH),
        Cell(text=_time(limit.longest).text, detail=f"n {limit.n:,}"),
        _time(limit.bound),
        Cell(text=killed, tone="warn" if limit.n_killed else "plain"),
        _share(limit.killed_at_most),
    )


def _time(value: Value) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.duration(value.value))


def _share(value: Value) -> Cell:
    return (
        Cell(text=fmt.DASH, detail=value.reason or "") if value.value is None else Cell(text=fmt.percent(value.value))
    )


def _notes(sized: TimeoutSizing) -> list[str]:
    notes = [
        f"{limit.n_cut:,} requests were ended by this run's own {_TITLES[limit.kind][0]} limit: what they would have "
        "taken is not known."
        for limit in sized.limits
        if limit.n_cut
    ]
    warm = sized.warm_first_output.value
    if sized.has_cold_path and warm is not None:
        notes.append(
            f"First output allows for a wake. A client that knows it to be awake can take {fmt.duration(warm)}."
        )
    elif not sized.n_wakes:
        notes.append("No wake is on record: where the endpoint sleeps when idle, measure one with bench cold first.")
    if sized.slow_rate.value is not None:
        notes.append(f"Slow decode rate: {sized.slow_rate.value:.1f} tok/s, {sized.slow_rate_basis}.")
    if sized.n_unpinned:
        notes.append(
            f"{fmt.plural(sized.n_unpinned, 'prompt')} pin no max_tokens: nothing bounds what their answers take."
        )
    return notes


def endpoint_lines(sized: TimeoutSizing) -> str:
    """Give the `timeouts:` section; the total is derived per prompt from the rate where there is one."""
    values = [(f"{limit.kind}_s", limit.value.value) for limit in sized.limits if limit.kind is not LimitKind.TOTAL]
    rate, total = sized.slow_rate.value, sized.limit(LimitKind.TOTAL).value.value
    if rate is not None and sized.max_tokens is not None and not sized.n_unpinned:
        values += [("expected_decode_rate", _rounded_down(rate)), ("safety_factor", FACTOR)]
    else:
        values += [("total_s", total)]
    return "\n".join(["timeouts:", *(f"  {name}: {value:g}" for name, value in values if value is not None)])


def sdk_lines(sized: TimeoutSizing) -> str:
    """Give the client's timeout; it counts each read on its own, so that the total is a limit around the call."""
    connect, total = sized.limit(LimitKind.CONNECT).value.value, sized.limit(LimitKind.TOTAL).value.value
    kinds = (LimitKind.FIRST_OUTPUT, LimitKind.IDLE)
    reads = [value for kind in kinds if (value := sized.limit(kind).value.value) is not None]
    opened = f"{connect:g}" if connect is not None else "5"
    lines = (
        [f"timeout = openai.Timeout(connect={opened}, read={max(reads):g}, write=30, pool={opened})"] if reads else []
    )
    if total is not None:
        lines.append(f"async with asyncio.timeout({total:g}):  # the whole answer; read= restarts with every piece")
    return "\n".join(lines)


def _rounded_down(rate: float) -> float:
    """Round down to two digits: the faster the rate assumed, the shorter the limit."""
    digits = f"{rate:.1e}"
    rounded = float(digits)
    return rounded if rounded <= rate else round(rounded - 10.0 ** (int(digits.split("e")[1]) - 1), 6)


def _others_table(found: Sequence[TimeoutSizing], names: Mapping[Arm, str]) -> Table:
    rows = [(names.get(sized.arm, sized.arm.value), other) for sized in found for other in sized.others]
    return Table(
        caption="What other limits would have ended",
        columns=(
            Column(title="limits", is_number=False),
            Column(title="side", is_number=False),
            Column(title="requests"),
            Column(title="wakes"),
        ),
        rows=tuple(_other_row(name, other) for name, other in rows),
    )


def _other_row(name: str, other: OtherLimits) -> tuple[Cell, ...]:
    return (
        Cell(text=other.name),
        Cell(text=name),
        Cell(text=fmt.share(other.n_killed, other.n_measured), tone="warn" if other.n_killed else "plain"),
        Cell(
            text=f"{other.n_wakes_killed} of {other.n_wakes}" if other.n_wakes else fmt.DASH,
            tone="warn" if other.n_wakes_killed else "plain",
        ),
    )
