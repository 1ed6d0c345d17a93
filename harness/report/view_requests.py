"""One request of each side of a prompt in full: its timeline, its bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.model.record import Arm, Record, RequestKey
from harness.report import format as fmt
from harness.report.chosen import Chosen
from harness.report.exhibits import REQUEST_CHARS, Exchange
from harness.report.page import Cell, Column, Table
from harness.report.promptpage import RequestView
from harness.report.untrusted import Excerpt, excerpt, visible
from harness.report.view_timeline import INSTANTS, length_s, since_sent_s, timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """A side's chosen request with what is known of it."""

    arm: Arm
    chosen: Chosen
    record: Record
    exchange: Exchange | None


def shown_requests(
    chosen: Mapping[Arm, Chosen], records: Mapping[RequestKey, Record], exchanges: Mapping[RequestKey, Exchange]
) -> tuple[ShownRequest, ...]:
    """Join each side's choice with its record and bytes."""
    return tuple(
        ShownRequest(arm=arm, chosen=one, record=records[one.key], exchange=exchanges.get(one.key))
        for arm, one in chosen.items()
        if one.key in records
    )


def request_views(shown: Sequence[ShownRequest], names: Mapping[Arm, str]) -> tuple[RequestView, ...]:
    """Say each; the timelines share one axis, so that they compare by eye."""
    axis_s = max((length_s(one.record) for one in shown), default=0.0)
    return tuple(_request_view(one, names, axis_s) for one in shown if one.exchange is not None or length_s(one.record))


def _request_view(shown: ShownRequest, names: Mapping[Arm, str], axis_s: float) -> RequestView:
    drawn, exchange = timeline(shown.record, axis_s), shown.exchange
    return RequestView(
        arm=shown.arm.value,
        name=names.get(shown.arm, shown.arm.value),
        title=f"repeat {shown.chosen.key.repeat + 1}",
        why=shown.chosen.why,
        timeline=drawn,
        timeline_note="" if drawn else "No timeline: it was not sent, or nothing came.",
        address=visible(exchange.address) if exchange else "",
        body=excerpt(exchange.body, REQUEST_CHARS) if exchange and exchange.body else None,
        response=as_text(exchange.head) if exchange else None,
        response_end=as_text(exchange.tail).text if exchange else "",
        n_left_out=max(0, exchange.n_bytes - len(exchange.head) - len(exchange.tail)) if exchange else 0,
    )


def as_text(wire: bytes) -> Excerpt:
    """Write bytes as text: UTF-8 where they are, else escaped; CR LF as a line end."""
    text = wire.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return Excerpt(text=visible(text))


def instants_table(shown: Sequence[ShownRequest], names: Mapping[Arm, str]) -> Table | None:
    """Lay out when what came, counted from sent; None where nothing has a time."""
    columns = {one.arm: {name: since_sent_s(one.record.stamps, name) for name, _ in INSTANTS} for one in shown}
    known = [(name, label) for name, label in INSTANTS if any(found[name] is not None for found in columns.values())]
    if not known:
        return None
    return Table(
        caption="Instants of these requests, counted from sent",
        columns=(Column(title="", is_number=False), *(Column(title=names.get(arm, arm.value)) for arm in columns)),
        rows=(
            *((Cell(text=label), *(_instant(found[name]) for found in columns.values())) for name, label in known),
            (Cell(text="events with output"), *(Cell(text=fmt.count(len(one.record.arrivals.at_ns))) for one in shown)),
            (Cell(text="longest gap"), *(_longest_gap(one.record) for one in shown)),
        ),
    )


def _instant(since_s: float | None) -> Cell:
    return Cell(text=fmt.DASH, tone="muted") if since_s is None else Cell(text=fmt.duration(since_s))


def _longest_gap(record: Record) -> Cell:
    at_ns = record.arrivals.at_ns
    gaps = [later - earlier for earlier, later in pairwise(at_ns)]
    return _instant(max(gaps) / 1e9 if gaps else None)
