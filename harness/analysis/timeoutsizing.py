"""Sizes the four time limits from a side's measured requests, the cold path included.

With x the times of the n successes of one kind, F = 2, and U the distribution-free upper 95 % bound of their p99:

    connect, idle  = max(F · max x, U, floor)
    first output   = the same; with a cold path at least 1.1 · cap, or F · longest wake where no cap is stated
    total          = max(first output + max_tokens / r · F, F · longest), r the slow decode rate

r is the distribution-free lower 95 % bound of the p5 of the decode rates, the slowest one seen below its n. The floors
let a lost packet be sent again: an unanswered SYN after 1 s and 3 s (RFC 6298), data after up to a second.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.analysis.intervals import Z_ONE_SIDED, rate_without_event, wilson_ends
from harness.analysis.latencies import time_to_first_token, time_to_last_byte, waited_s
from harness.analysis.quantiles import quantile_at_most, smallest_n_at_most
from harness.analysis.rates import decode_rate
from harness.analysis.results.case import Side
from harness.analysis.results.cold import AWAKENED, ColdPath
from harness.analysis.results.estimates import Value
from harness.analysis.results.timeouts import LimitKind, OtherLimits, SizedLimit, TimeoutSizing
from harness.analysis.trials import first_attempts, is_judged
from harness.analysis.values import known, missing
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import FailureKind, Record
from harness.units import seconds

FACTOR = 2.0
CAP_FACTOR = 1.1
QUANTILE, SLOW_QUANTILE = 0.99, 0.05
FLOORS_S = {LimitKind.CONNECT: 4.0, LimitKind.FIRST_OUTPUT: 2.0, LimitKind.IDLE: 2.0, LimitKind.TOTAL: 4.0}
COMMON = {"a flat limit of 10 s": 10.0, "a flat limit of 30 s": 30.0}
_ENDED_BY = {
    LimitKind.CONNECT: FailureKind.TIMEOUT_CONNECT,
    LimitKind.FIRST_OUTPUT: FailureKind.TIMEOUT_FIRST_OUTPUT,
    LimitKind.IDLE: FailureKind.TIMEOUT_IDLE,
    LimitKind.TOTAL: FailureKind.TIMEOUT_TOTAL,
}
_NOTHING = "no request on record has this time"
_LENGTHS = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """What of a side the limits rest on."""

    measured: tuple[Record, ...]  # first attempts of the judged level
    opened: tuple[Record, ...]  # those that opened a connection, first contacts and warm-ups included
    cold: ColdPath | None
    cold_settings: Mapping[str, object]
    tokens: Mapping[str, int | None]  # by prompt: the length that its request pins


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """A limit's value before it is held against the requests."""

    seconds: Value
    basis: str


def size_timeouts(side: Side, golden: GoldenSet, cold: ColdPath | None) -> TimeoutSizing | None:
    """Size a side's limits; None where nothing succeeded."""
    profile = _profile(side, golden, cold)
    if not any(record.failure is None for record in profile.measured):
        return None
    pinned = [tokens for tokens in profile.tokens.values() if tokens is not None]
    rate, rate_basis, n_rates = slow_rate([found for r in profile.measured if (found := decode_rate(r).value)])
    warm = _warm(LimitKind.FIRST_OUTPUT, _times(profile, LimitKind.FIRST_OUTPUT))
    rules = _rules(profile, warm, rate, max(pinned, default=None))
    wakes = _wakes(cold)
    return TimeoutSizing(
        arm=side.arm,
        limits=tuple(_sized(kind, rule, profile) for kind, rule in rules.items()),
        warm_first_output=warm.seconds,
        n_wakes=len(wakes),
        longest_wake=known(max(wakes)) if wakes else missing("no wake is on record"),
        has_cold_path=rules[LimitKind.FIRST_OUTPUT] is not warm,
        slow_rate=rate,
        slow_rate_basis=rate_basis,
        n_rates=n_rates,
        max_tokens=max(pinned, default=None),
        n_unpinned=len(profile.tokens) - len(pinned),
        others=tuple(_others(side, profile, wakes)),
    )


def slow_rate(rates: Sequence[float]) -> tuple[Value, str, int]:
    """Give a rate that hardly any stream is slower than, how it was found, and from how many."""
    n = len(rates)
    if not n:
        return missing("no stream has a decode rate"), "", 0
    bound = quantile_at_most([-rate for rate in rates], 1 - SLOW_QUANTILE)
    if bound is None:
        needed = smallest_n_at_most(1 - SLOW_QUANTILE)
        return known(min(rates)), f"slowest of {n}; a bound of the p5 needs {needed}", n
    return known(-bound), f"lower 95 % bound of the p5 of {n}", n


def _profile(side: Side, golden: GoldenSet, cold: ColdPath | None) -> _Profile:
    settings = side.endpoint.get("cold")
    firsts = first_attempts(side.records)
    return _Profile(
        measured=tuple(record for record in firsts if is_judged(record)),
        opened=tuple(record for record in firsts if _opening_s(record) is not None),
        cold=cold,
        cold_settings=settings if isinstance(settings, Mapping) else {},
        tokens={prompt.id: pinned_tokens(prompt, side.endpoint) for prompt in golden.prompts},
    )


def pinned_tokens(prompt: Prompt, endpoint: Mapping[str, object]) -> int | None:
    """Give the tokens that a prompt's request allows its answer at this endpoint; None where nothing bounds them."""
    sampling = endpoint.get("sampling")
    asked = {**prompt.request, **(sampling if isinstance(sampling, Mapping) else {})}
    counts = [count for name in _LENGTHS if isinstance(count := asked.get(name), int) and count > 0]
    choices = asked.get("n")
    return max(counts) * (choices if isinstance(choices, int) and choices > 0 else 1) if counts else None


def _rules(profile: _Profile, warm: _Rule, rate: Value, max_tokens: int | None) -> dict[LimitKind, _Rule]:
    first = _with_cold_path(warm, profile)
    return {
        LimitKind.CONNECT: _warm(LimitKind.CONNECT, _times(profile, LimitKind.CONNECT)),
        LimitKind.FIRST_OUTPUT: first,
        LimitKind.IDLE: _warm(LimitKind.IDLE, _times(profile, LimitKind.IDLE)),
        LimitKind.TOTAL: _total(first, rate, max_tokens, _times(profile, LimitKind.TOTAL)),
    }


def _warm(kind: LimitKind, times: Sequence[float]) -> _Rule:
    """F times the longest, or the bound of the p99, or the floor: whichever is most."""
    if not times:
        return _Rule(seconds=missing(_NOTHING), basis="")
    bound = quantile_at_most(times, QUANTILE)
    rules = {f"{FACTOR:g} × the longest": FACTOR * max(times), "lets a lost packet be sent again": FLOORS_S[kind]}
    if bound is not None:
        rules["upper 95 % bound of the p99"] = bound
    basis = max(rules, key=lambda name: rules[name])
    return _Rule(seconds=known(rounded_up(rules[basis])), basis=basis)


def _with_cold_path(warm: _Rule, profile: _Profile) -> _Rule:
    """Let a wake end: above the cap the provider has answered itself, with 504."""
    if warm.seconds.value is None:
        return warm
    cap, wakes = profile.cold_settings.get("cap_s"), _wakes(profile.cold)
    may_sleep = profile.cold_settings.get("scales_to_zero") is True or bool(wakes)
    rules = {f"{FACTOR:g} × the longest wake": FACTOR * max(wakes)} if wakes else {}
    if may_sleep and isinstance(cap, int | float):
        rules = {f"{CAP_FACTOR:g} × cold.cap_s": CAP_FACTOR * cap}
        rules |= {"the longest wake": max(wakes)} if wakes else {}
    basis = max(rules, key=lambda name: rules[name], default="")
    if not basis or rules[basis] <= warm.seconds.value:
        return warm
    return _Rule(seconds=known(rounded_up(rules[basis])), basis=basis)


def _total(first: _Rule, rate: Value, max_tokens: int | None, times: Sequence[float]) -> _Rule:
    """First output + max_tokens / slow rate × F, and never below F times the longest."""
    if first.seconds.value is None or not times:
        return _Rule(seconds=missing(first.seconds.reason or _NOTHING), basis="")
    least = FACTOR * max(times)
    if rate.value is None or max_tokens is None:
        why = rate.reason or "no prompt pins max_tokens"
        total = max(least, first.seconds.value, FLOORS_S[LimitKind.TOTAL])
        return _Rule(seconds=known(rounded_up(total)), basis=f"{FACTOR:g} × the longest, or first output; {why}")
    derived = first.seconds.value + max_tokens / rate.value * FACTOR
    basis = f"first output + {max_tokens:,} tokens / {rate.value:.1f} per s × {FACTOR:g}"
    if least > derived:
        derived, basis = least, f"{FACTOR:g} × the longest"
    return _Rule(seconds=known(rounded_up(max(derived, FLOORS_S[LimitKind.TOTAL]))), basis=basis)


def rounded_up(value_s: float) -> float:
    """Round up to two digits: a limit is no measurement."""
    step = 10.0 ** (math.floor(math.log10(value_s)) - 1)
    return round(math.ceil(round(value_s / step, 6)) * step, 6)


def _sized(kind: LimitKind, rule: _Rule, profile: _Profile) -> SizedLimit:
    times = _times(profile, kind)
    records = profile.opened if kind is LimitKind.CONNECT else profile.measured
    killed = sum(_is_killed(record, {kind: rule.seconds.value}) for record in records)
    bound = quantile_at_most(times, QUANTILE)
    why = f"needs {smallest_n_at_most(QUANTILE)} requests, has {len(times)}"
    return SizedLimit(
        kind=kind,
        value=rule.seconds,
        basis=rule.basis,
        n=len(times),
        longest=known(max(times)) if times else missing(_NOTHING),
        bound=missing(why) if bound is None else known(bound),
        n_killed=killed,
        n_measured=len(records),
        killed_at_most=_at_most(killed, len(records)),
        n_cut=sum(record.failure is not None and record.failure.kind is _ENDED_BY[kind] for record in records),
    )


def _at_most(killed: int, n: int) -> Value:
    if not n:
        return missing(_NOTHING)
    return known(rate_without_event(n) if not killed else wilson_ends(killed, n, Z_ONE_SIDED)[1])


def _others(side: Side, profile: _Profile, wakes: Sequence[float]) -> Iterator[OtherLimits]:
    """Hold what the run itself had, and what is commonly set, against the same requests."""
    own = side.endpoint.get("timeouts")
    stated = own if isinstance(own, Mapping) else {}
    limits = {kind: value for kind in LimitKind if isinstance(value := stated.get(f"{kind}_s"), int | float)}
    if limits:
        yield _other("what the endpoint file states", limits, profile, wakes)
    for name, value in COMMON.items():
        yield _other(name, {LimitKind.TOTAL: value}, profile, wakes)


def _other(name: str, limits: Mapping[LimitKind, float], profile: _Profile, wakes: Sequence[float]) -> OtherLimits:
    silent = min((limits[kind] for kind in (LimitKind.FIRST_OUTPUT, LimitKind.TOTAL) if kind in limits), default=None)
    return OtherLimits(
        name=name,
        n_killed=sum(_is_killed(record, limits) for record in profile.measured),
        n_measured=len(profile.measured),
        n_wakes_killed=0 if silent is None else sum(wake > silent for wake in wakes),
        n_wakes=len(wakes),
    )


def _is_killed(record: Record, limits: Mapping[LimitKind, float | None]) -> bool:
    """Whether one of the limits would have ended it: a success beyond it, or a failure of our limit that waited so."""
    for kind, limit_s in limits.items():
        if limit_s is None:
            continue
        if record.failure is None:
            taken = _TIMES[kind](record)
            if taken is not None and taken > limit_s:
                return True
        elif record.failure.kind is _ENDED_BY[kind] and waited_s(record) >= limit_s:
            return True
    return False


def _times(profile: _Profile, kind: LimitKind) -> list[float]:
    records = profile.opened if kind is LimitKind.CONNECT else profile.measured
    found = (_TIMES[kind](record) for record in records if record.failure is None or kind is LimitKind.CONNECT)
    return [time for time in found if time is not None]


def _opening_s(record: Record) -> float | None:
    """Name, connection and TLS, of whichever request or warm-up opened it."""
    connection = record.connection
    if connection is None or connection.reused or connection.tcp_ns is None:
        return None
    return seconds(connection.opening_ns)


def longest_silence_s(record: Record) -> float | None:
    """Longest time between two outputs, or from the last one to the end; None where nothing was streamed."""
    at_ns = [*record.arrivals.at_ns, *([] if record.stamps.ended_at_ns is None else [record.stamps.ended_at_ns])]
    silences = [later - earlier for earlier, later in pairwise(at_ns)]
    return seconds(max(silences)) if silences and record.was_streamed else None


_TIMES: Mapping[LimitKind, Callable[[Record], float | None]] = {
    LimitKind.CONNECT: _opening_s,
    LimitKind.FIRST_OUTPUT: lambda record: time_to_first_token(record).value,
    LimitKind.IDLE: longest_silence_s,
    LimitKind.TOTAL: lambda record: time_to_last_byte(record).value,
}


def _wakes(cold: ColdPath | None) -> list[float]:
    """What the request that a wake answered waited for its first output: a limit is held against one request."""
    found = () if cold is None else cold.wakes
    return [wake.ttft.value for wake in found if wake.outcome in AWAKENED and wake.ttft.value is not None]
