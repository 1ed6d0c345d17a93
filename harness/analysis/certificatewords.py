"""The certificate in a sentence, and in a line short enough for a terminal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import ClockSource, Instrument, OfferedLoad, TimingVerdict
from harness.analysis.words import listed, percent

_NOT_KNOWN, _BY_QUOTA = "not known", "by quota"


def certificate_sentence(verdict: TimingVerdict, reasons: Sequence[str], instrument: Sequence[Instrument]) -> str:
    """Say where the instants come from and how late we were, or why the timings are not to be trusted."""
    if verdict is TimingVerdict.VOID:
        return f"The latencies and token rates of this run must not be used: {'; '.join(reasons)}."
    if verdict is TimingVerdict.UNKNOWN:
        return f"Nothing shows whether the timings of this run are right: {'; '.join(reasons)}."
    parts = (
        f"Instants from {listed(list(dict.fromkeys(_clock(one.clock) for one in instrument)))}",
        f"read {_lag(instrument)} and sent {_sent(instrument)} late (p99)",
        _kept_up(instrument, _LONG),
        f"{_shared(instrument)} of output events share a read",
        *(f"on average {text}" for text in _short_of_load(instrument)),
    )
    return f"{'; '.join(parts)}."


def certificate_line(verdict: TimingVerdict, reasons: Sequence[str], instrument: Sequence[Instrument]) -> str:
    """Say the same within about ninety characters; reasons may take more."""
    if verdict is not TimingVerdict.VALID:
        return f"{verdict.value.removesuffix(' for timing')}: {'; '.join(reasons)}"
    parts = (
        _stamps(instrument),
        f"read {_lag(instrument)}, sent {_sent(instrument)} late (p99)",
        _kept_up(instrument, _SHORT),
        f"shared {_shared(instrument)}",
        *_short_of_load(instrument),
    )
    return f"valid: {', '.join(parts)}"


def milliseconds(value_s: float) -> str:
    """Write a lateness to 0.01 ms: less moves nothing that is shown."""
    text = f"{value_s * 1000:.2f}".removesuffix(".00")
    return "<0.01 ms" if text == "0" and value_s > 0 else f"{text} ms"


def _clock(source: ClockSource) -> str:
    return f"{source.name} ({source.detail})" if source.detail else source.name


def _stamps(instrument: Sequence[Instrument]) -> str:
    shares = {one.kernel_stamp_fraction.value for one in instrument}
    return "kernel stamps" if shares == {1.0} else "own stamps" if shares == {0.0} else "mixed stamps"


def _lag(instrument: Sequence[Instrument]) -> str:
    """The larger of the sides'; where no lag can be seen, what bounds it."""
    lags = (
        one.receive_lag_p99_s if one.receive_lag_p99_s.value is not None else one.arrival_uncertainty_p99_s
        for one in instrument
    )
    return _largest(lags, milliseconds)


def _sent(instrument: Sequence[Instrument]) -> str:
    return _largest((one.send_lateness_p99_s for one in instrument), milliseconds)


def _shared(instrument: Sequence[Instrument]) -> str:
    return _largest((one.shared_read_fraction for one in instrument), percent)


_LONG = {False: "free slots filled", True: "schedule kept"}  # by whether the loop is open
_SHORT = {False: "slots", True: "schedule"}


def _kept_up(instrument: Sequence[Instrument], names: Mapping[bool, str]) -> str:
    """The least share that the harness filled or kept, over the sides whose waits for a quota are known apart."""
    what = " or ".join(dict.fromkeys(names[one.load.is_open_loop] for one in instrument))
    free = [one.load.offered_fraction.value for one in instrument if not one.load.includes_quota]
    shares = [share for share in free if share is not None]
    if not free:
        return f"{what} {_BY_QUOTA}"
    return f"{what} {percent(min(shares)) if len(shares) == len(free) else _NOT_KNOWN}"


def achieved_words(load: OfferedLoad) -> str:
    """Put what was there beside what was asked, as `1.26 of 8 requests in flight`."""
    there = load.achieved.value
    return f"{_NOT_KNOWN if there is None else f'{there:.3g}'} of {load.words}"


def _short_of_load(instrument: Sequence[Instrument]) -> Iterator[str]:
    """Say for each side that the plan kept load from how much was there."""
    for one in instrument:
        if one.load.shortfall:
            whose = "" if len(instrument) == 1 else f"{one.arm} "
            yield f"{whose}{achieved_words(one.load)}"


def _largest(values: Iterable[Value], write: Callable[[float], str]) -> str:
    found = [value.value for value in values if value.value is not None]
    return write(max(found)) if found else _NOT_KNOWN
