"""What several processes spend adds up, and each sees the word of the others; each is a mapping of its own here."""

from hypothesis import given
from hypothesis import strategies as st

from harness.errors import StoppedRunError
from harness.measure.budget import Bounds, Budgets, read_usage
from harness.measure.guard import STOPPED_ELSEWHERE, Guard
from harness.measure.lane import Share
from harness.measure.ledger import Spent
from harness.measure.sharedpace import SharedLedger, SharedPace, new_pace_file
from harness.model.record import Arm
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

PLACES = [(arm, worker) for arm in range(2) for worker in range(2)]


def ledgers(file: int) -> list[SharedLedger]:
    return [SharedLedger(file, arm=arm, n_arms=2, share=Share(worker=worker, n_workers=2)) for arm, worker in PLACES]


@given(amounts=st.lists(st.tuples(*[st.integers(0, 1 << 40)] * 3), min_size=4, max_size=4))
def test_everybody_sees_the_sums_of_all(amounts: list[tuple[int, int, int]]) -> None:
    with new_pace_file(2, 2, 3) as file:
        found = ledgers(file.fileno())
        for ledger, (requests, tokens, nanomoney) in zip(found, amounts, strict=True):
            ledger.add(Spent(requests=requests, tokens=tokens, nanomoney=nanomoney))
        sums = [sum(column) for column in zip(*amounts, strict=True)]
        whole = Spent(requests=sums[0], tokens=sums[1], nanomoney=sums[2])
        assert [ledger.total() for ledger in found] == [whole] * 4


def test_the_pace_and_the_ledger_do_not_write_over_each_other() -> None:
    with new_pace_file(2, 2, 1) as file:
        paces = [
            SharedPace(file.fileno(), LoopClock(), arm=arm, n_arms=2, share=Share(worker=worker, n_workers=2))
            for arm, worker in PLACES
        ]
        found = ledgers(file.fileno())
        for ledger in found:
            ledger.add(Spent(requests=7, tokens=7, nanomoney=7))
        for pace in paces:
            pace.publish(0, 8)
        assert [pace.slowest() for pace in paces] == [8] * 4
        assert found[0].total() == Spent(requests=28, tokens=28, nanomoney=28)
        assert not found[0].is_stopped()


def test_who_waits_at_a_barrier_hears_that_another_has_stopped() -> None:
    async def main() -> str:
        with new_pace_file(2, 2, 1) as file:
            ledgers(file.fileno())[3].stop()
            pace = SharedPace(file.fileno(), LoopClock(), arm=0, n_arms=2, share=Share(worker=0, n_workers=2))
            try:
                await pace.gather(0)
            except StoppedRunError as error:
                return str(error)
        return "went on"

    assert run_in_virtual_time(main) == STOPPED_ELSEWHERE


def test_two_processes_keep_one_budget_together_and_both_stop() -> None:
    async def main() -> tuple[int, list[str | None]]:
        with new_pace_file(2, 1, 1) as file:
            shared = [SharedLedger(file.fileno(), arm=arm, n_arms=2, share=Share()) for arm in range(2)]
            guards = [Guard(LoopClock(), budgets=Budgets(max_requests=5), ledger=ledger) for ledger in shared]
            n_sent = 0
            for turn in range(10):
                n_sent += guards[turn % 2].claims(Arm.REFERENCE, "p", 10) is not None
            return n_sent, [guard.reason for guard in guards]

    n_sent, reasons = run_in_virtual_time(main)
    assert n_sent == 5
    assert sorted(filter(None, reasons)) == ["--max-requests 5 is spent", STOPPED_ELSEWHERE]


def test_usage_is_read_from_the_end_whatever_chunk_border_cuts_it() -> None:
    event = b'data: {"choices":[],"usage":{"prompt_tokens":120,"completion_tokens":34,"total_tokens":154}}\n\n'
    assert read_usage(b"x" * 50_000 + event) == (120, 34)
    for cut in range(len(event)):
        wire = b"5\r\nhello\r\n40\r\n" + event[:cut] + b"\r\n2a\r\n" + event[cut:] + b"\r\n0\r\n\r\n"
        assert read_usage(wire) == (120, 34), cut
    quoted = rb'data: {"choices":[{"delta":{"content":"{\"prompt_tokens\":1,\"completion_tokens\":2}"}}]}'
    assert read_usage(quoted) is None
    assert Bounds().of(Arm.REFERENCE, "unknown", 0) == Spent(requests=1)
