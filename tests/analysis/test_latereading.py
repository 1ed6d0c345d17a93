"""The estimate of what our late reading merged, against a simulated reader whose absences are known."""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, groupby

import pytest

from harness.analysis.latereading import late_shared_fraction
from harness.analysis.values import known
from harness.model.record import Arrivals, Reads, Record
from tests.analysis.cases import MS, a_record

GAP_MS = 10.0
N_EVENTS = 400
PROMPT_MS = 0.05
Away = Callable[[random.Random], list[tuple[float, float]]]  # stretches in which nothing is read, ascending


def seen_at(at_ms: float, away: Sequence[tuple[float, float]]) -> float:
    """When a loop gets round to what came at an instant: at once, or when it is back."""
    place = bisect_left(away, (at_ms, 0.0)) - 1
    return max(at_ms + PROMPT_MS, away[place][1]) if place >= 0 else at_ms + PROMPT_MS


def read_through(sent_ms: Sequence[float], away: Sequence[tuple[float, float]]) -> tuple[Record, float]:
    """Read events as a loop does; give the record and the share of events merged by being away."""
    reads = [list(group) for _, group in groupby(sent_ms, key=lambda at_ms: seen_at(at_ms, away))]
    at = [round(at_ms * MS) for at_ms in sent_ms]
    stamped = tuple(round(group[-1] * MS) for group in reads for _ in group)  # a read has the instant of its last
    places = tuple(place for place, group in enumerate(reads) for _ in group)
    together = Counter(sent_ms)  # what the server wrote at once shares a read whoever reads
    merged = sum(len(group) > together[event] for group in reads for event in group)
    record = replace(
        a_record(),
        arrivals=Arrivals(at_ns=stamped, read=places, content_chars=(5,) * len(at)),
        reads=Reads(
            at_ns=tuple(round(group[-1] * MS) for group in reads),
            seen_at_ns=tuple(round(seen_at(group[-1], away) * MS) for group in reads),
            n_bytes=(10,) * len(reads),
            source="k" * len(reads),
        ),
    )
    return record, merged / len(at)


def loop_lag_p99_s(away: Sequence[tuple[float, float]], chance: random.Random) -> float:
    """What a timer at instants of its own sees of the absences."""
    ticks = [chance.uniform(0, GAP_MS * N_EVENTS) for _ in range(2000)]
    return sorted(seen_at(tick, away) - tick for tick in ticks)[1979] / 1000


def singles(chance: random.Random) -> list[float]:
    """Events one by one, a gap apart, give or take."""
    start = chance.uniform(0, GAP_MS)
    return [start + GAP_MS * event + chance.gauss(0, 0.5) for event in range(N_EVENTS)]


def pairs(chance: random.Random) -> list[float]:
    """Events that the server writes two at a time."""
    start = chance.uniform(0, GAP_MS)
    return [start + GAP_MS * (event // 2) for event in range(N_EVENTS)]


def jittered(chance: random.Random) -> list[float]:
    """Events one by one, as a network spreads them: gaps of a mean with half their size as deviation."""
    return list(accumulate(chance.gammavariate(4, GAP_MS / 4) for _ in range(N_EVENTS)))


def stalls(every_ms: float, length_ms: float) -> Away:
    """Be away now and then, at random."""

    def away(chance: random.Random) -> list[tuple[float, float]]:
        found, now = [], 0.0
        while now < GAP_MS * N_EVENTS:
            now += chance.expovariate(1 / every_ms)
            found.append((now, now + length_ms))
            now += length_ms
        return found

    return away


def cycles(length_ms: float) -> Away:
    """Be away all the time: what arrives in one round of the loop is read at its end."""
    return lambda _: [(length_ms * turn, length_ms * (turn + 1)) for turn in range(int(GAP_MS * N_EVENTS / length_ms))]


def shares(events: Callable[[random.Random], list[float]], away: Away) -> tuple[float, float]:
    """Give the true share and the estimate, over forty streams."""
    chance = random.Random(11)
    found = [read_through(events(chance), away(chance)) for _ in range(40)]
    loop_lag = known(loop_lag_p99_s(away(chance), chance))
    estimate = late_shared_fraction([record for record, _ in found], loop_lag).value
    assert estimate is not None
    return sum(share for _, share in found) / len(found), estimate


@pytest.mark.parametrize(
    ("every_ms", "length_ms"),
    [(2000, 50), (1000, 50), (500, 30), (200, 100)],
)
def test_rare_long_absences_are_estimated_well(every_ms: float, length_ms: float) -> None:
    truth, estimate = shares(singles, stalls(every_ms, length_ms))
    assert truth > 0.01
    assert estimate == pytest.approx(truth, rel=0.3)


@pytest.mark.parametrize("length_ms", [13.0, 17.0, 35.0])
def test_a_loop_that_never_keeps_up_is_seen(length_ms: float) -> None:
    """Its reads are as far apart as its rounds are long, which a lag alone does not show."""
    truth, estimate = shares(singles, cycles(length_ms))
    assert truth > 0.3
    assert estimate > 0.8 * truth


def test_short_absences_merge_nothing() -> None:
    truth, estimate = shares(singles, cycles(6.0))
    assert truth < 0.001
    assert estimate < 0.001


@pytest.mark.parametrize("length_ms", [0.5, 2.0, 4.5])
def test_what_the_server_bundles_is_not_ours(length_ms: float) -> None:
    truth, estimate = shares(pairs, cycles(length_ms))
    assert (truth, estimate) == (0.0, 0.0)


def test_absences_in_a_bundled_stream_are_counted_apart_from_the_bundles() -> None:
    truth, estimate = shares(pairs, stalls(1000, 50))
    assert 0.02 < truth < 0.1
    assert truth < estimate < 2 * truth


@pytest.mark.parametrize("length_ms", [5.0, 8.0])
def test_short_absences_merge_what_comes_close_together(length_ms: float) -> None:
    """Absences below half a gap leave only what an uneven stream says by itself: at least a third of the truth."""
    truth, estimate = shares(jittered, cycles(length_ms))
    assert truth > 0.06
    assert truth / 3 < estimate <= truth
