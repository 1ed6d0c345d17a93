"""The mapping of stamps, on scripted clocks."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from harness.measure.wire.clockmap import ClockMap
from harness.measure.wire.stamps import Ancillary, reads_of, stamp_of
from tests.measure.wire.stamping import a_stamp

EPOCH = 1_800_000_000_000_000_000
MS = 1_000_000


class ScriptedClock:
    """Two clocks with a given difference; each look at one takes a given time."""

    def __init__(self, *, look_ns: int = 100) -> None:
        self.at_ns = 0
        self.offset_ns = EPOCH
        self.look_ns = look_ns

    def monotonic_ns(self) -> int:
        self.at_ns += self.look_ns
        return self.at_ns

    def realtime_ns(self) -> int:
        self.at_ns += self.look_ns
        return self.at_ns + self.offset_ns

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def paired(clock: ScriptedClock, at_ns: Iterable[int]) -> ClockMap:
    clock_map = ClockMap(clock)
    for instant in at_ns:
        clock.at_ns = instant
        clock_map.pair()
    return clock_map


def test_a_stamp_is_mapped_within_the_bound_of_the_bracket() -> None:
    clock_map = paired(ScriptedClock(), [0, 10 * MS])
    mapped = clock_map.monotonic_of([EPOCH + 5 * MS], [6 * MS])[0]
    assert mapped is not None
    assert abs(mapped - 5 * MS) <= (clock_map.bound_ns or 0) == 101


def test_a_wide_bracket_is_a_wide_bound() -> None:
    assert paired(ScriptedClock(look_ns=3 * MS), [0]).bound_ns == 3 * MS + 1


def test_nothing_is_mapped_before_the_first_pairing() -> None:
    clock_map = ClockMap(ScriptedClock())
    assert clock_map.monotonic_of([EPOCH], [1])[0] is None
    assert clock_map.bound_ns is None


def test_a_step_is_noticed_and_its_stretch_is_not_mapped() -> None:
    clock = ScriptedClock()
    clock_map = paired(clock, [0, 10 * MS])
    clock.offset_ns += 7 * MS
    clock.at_ns = 20 * MS
    clock_map.pair()
    (step,) = clock_map.steps
    assert step["by_ns"] == 7 * MS
    assert 10 * MS < step["between_ns"] < step["and_ns"] < 21 * MS
    assert clock_map.monotonic_of([EPOCH + 5 * MS], [6 * MS])[0] is not None
    assert clock_map.monotonic_of([EPOCH + 15 * MS], [15 * MS])[0] is None
    after = clock_map.monotonic_of([EPOCH + 7 * MS + 25 * MS], [26 * MS])[0]
    assert after is not None
    assert abs(after - 25 * MS) < 1000


def test_a_stamp_from_before_a_step_is_not_mapped_by_the_difference_after_it() -> None:
    clock = ScriptedClock()
    clock_map = paired(clock, [0])
    clock.offset_ns += 50 * MS
    clock.at_ns = 20 * MS
    clock_map.pair()
    assert clock_map.monotonic_of([EPOCH + 19 * MS], [21 * MS])[0] is None


def test_a_clock_that_is_set_back_is_a_step_too() -> None:
    clock = ScriptedClock()
    clock_map = paired(clock, [0])
    clock.offset_ns -= 3_600_000 * MS
    clock_map.pair()
    assert [step["by_ns"] for step in clock_map.steps] == [-3_600_000 * MS]


def test_a_difference_within_the_bracket_is_no_step() -> None:
    clock = ScriptedClock()
    clock_map = paired(clock, [0])
    clock.offset_ns += 10_000
    clock_map.pair()
    assert clock_map.steps == []
    assert clock_map.bound_ns == 10_101


def mapped_reads(stamps: list[int | None], seen: list[int], not_before: int = 0) -> tuple[tuple[int, ...], str]:
    clock_map = paired(ScriptedClock(look_ns=0), [0])
    ancillary: list[Ancillary] = [[] if at is None else a_stamp(EPOCH + at) for at in stamps]
    reads = reads_of([1] * len(seen), seen, ancillary, clock_map, not_before)
    assert reads.seen_at_ns == tuple(seen)
    return reads.at_ns, reads.source


def test_the_kernels_stamp_counts_where_there_is_one() -> None:
    assert mapped_reads([100, None, 300], [150, 250, 350]) == ((100, 250, 300), "kuk")


def test_a_stamp_after_our_own_look_gives_way() -> None:
    assert mapped_reads([100, 9000], [150, 250]) == ((100, 250), "ku")


def test_a_stamp_before_the_request_gives_way() -> None:
    assert mapped_reads([10, 100], [70, 150], not_before=50) == ((70, 100), "uk")


def test_unstamped_bytes_came_no_later_than_the_stamped_ones_behind_them() -> None:
    assert mapped_reads([None, 100], [5000, 6000]) == ((100, 100), "uk")


def test_bytes_are_readable_only_once_those_before_them_came() -> None:
    assert mapped_reads([300, 200, 400], [310, 320, 410]) == ((300, 300, 400), "kkk")


def test_other_control_messages_are_no_stamps() -> None:
    ((level, kind, data),) = a_stamp(EPOCH)
    assert stamp_of([(level, kind + 1, data), (level, kind, data[:-1])]) is None
    assert stamp_of([(level, kind + 1, data), (level, kind, data)]) == EPOCH


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 3_000), st.sampled_from(["good", "none", "wild"])), min_size=1
    )
)
def test_instants_ascend_and_never_lie_after_our_look(given_reads: list[tuple[int, int, str]]) -> None:
    seen = sorted(at + late for at, late, _ in given_reads)
    stamps = [
        None if kind == "none" else saw - late if kind == "good" else saw * 7 - 100_000
        for saw, (_, late, kind) in zip(seen, given_reads, strict=True)
    ]
    at_ns, source = mapped_reads(stamps, seen)
    assert list(at_ns) == sorted(at_ns)
    assert all(at <= saw for at, saw in zip(at_ns, seen, strict=True))
    assert len(source) == len(seen)


def test_a_wide_bracket_that_excludes_nothing_leaves_the_bound() -> None:
    clock = ScriptedClock()
    clock_map = ClockMap(clock)
    clock_map.pair()
    before = clock_map.bound_ns
    clock.look_ns = 2 * MS  # the process was held up between the readings of every try
    clock_map.pair()
    assert clock_map.bound_ns == before
    assert clock_map.steps == []
