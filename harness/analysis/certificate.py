"""The validity certificate: what the instrument measured of itself, against its limits, and what follows."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.certificatefacts import reported_rows
from harness.analysis.certificatelimits import MOST_LATE_SHARED, VOID, blame, gated_rows
from harness.analysis.certificatewords import achieved_words, certificate_line, certificate_sentence
from harness.analysis.results.instrument import Certificate, CertificateRow, Instrument, TimingVerdict
from harness.analysis.twin import twin_notes
from harness.analysis.words import percent

_NEEDED = ("arrival_uncertainty", "send_lateness")  # without these nothing can be said
_NO_RUN = "nothing is known of how it was read and sent"


def certify(
    instrument: Sequence[Instrument], *, others: Mapping[str, Sequence[Instrument]] | None = None
) -> Certificate:
    """Judge the timings of a run by its instrument's figures, one per side.

    `others` are the figures at the levels of load that no verdict rests on, by their names: what voids one is a note.
    """
    rows = (*gated_rows(instrument), *reported_rows(instrument)) if instrument else ()
    verdict = _verdict(rows)
    reasons = tuple(_reasons(rows, verdict))
    return Certificate(
        verdict=verdict,
        sentence=certificate_sentence(verdict, reasons, instrument),
        line=certificate_line(verdict, reasons, instrument),
        reasons=reasons,
        notes=(*_notes(rows, verdict, instrument), *_void_levels(others or {})),
        clock={one.arm: one.clock for one in instrument},
        rows=rows,
    )


def _verdict(rows: Sequence[CertificateRow]) -> TimingVerdict:
    """Void by any row beyond its limit; valid only where the rows that matter most were measured."""
    if any(row.is_met is False for row in rows):
        return TimingVerdict.VOID
    met = {row.id for row in rows if row.is_met}
    return TimingVerdict.VALID if met.issuperset(_NEEDED) else TimingVerdict.UNKNOWN


def _reasons(rows: Sequence[CertificateRow], verdict: TimingVerdict) -> Iterator[str]:
    """Say of the sides that are to blame what the verdict rests on; a good one needs no reason."""
    if not rows:
        yield _NO_RUN
    for row in rows:
        if row.is_met is False or (verdict is TimingVerdict.UNKNOWN and row.id in _NEEDED and row.is_met is None):
            yield blame(row)


def _notes(rows: Sequence[CertificateRow], verdict: TimingVerdict, instrument: Sequence[Instrument]) -> Iterator[str]:
    """Say what was not measured, what the endpoint blurs, what load the plan kept away, every step of the clock."""
    for row in rows:
        is_reason = verdict is TimingVerdict.UNKNOWN and row.id in _NEEDED
        if row.condition and row.is_met is None and not is_reason:
            yield blame(row)
    for one in instrument:
        yield from (note if len(instrument) == 1 else f"{one.arm}: {note}" for note in _side_notes(one))
    yield from twin_notes({one.arm: one.twin for one in instrument})


def _side_notes(one: Instrument) -> Iterator[str]:
    ours, everything = one.late_shared_fraction.value, one.shared_read_fraction.value
    if everything is not None and ours is not None and everything > MOST_LATE_SHARED >= ours:
        yield (
            f"{percent(everything)} of output events share a read, about {percent(ours)} because we read late: the "
            "server or a proxy sends several at once, and gaps within them are not resolved"
        )
    if one.load.shortfall:
        yield f"on average {achieved_words(one.load)}: {one.load.shortfall}"
    yield from one.clock.steps


def _void_levels(others: Mapping[str, Sequence[Instrument]]) -> Iterator[str]:
    for name, instrument in others.items():
        found = certify(instrument)
        if found.verdict is TimingVerdict.VOID:
            yield f"{name}: {VOID}, {'; '.join(found.reasons)}"
