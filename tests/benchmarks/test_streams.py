"""The servers' logs, by hand."""

from pathlib import Path

from benchmarks.truth.streams import TrueStream, read_own_log, read_truthd_log

CONTENT, OTHER = 1, 2


def little(width: int, *numbers: int) -> bytes:
    return b"".join(number.to_bytes(width, "little") for number in numbers)


def truthd_request(number: int, arrived: int, ended: int, events: list[tuple[int, int]], flags: int = 0) -> bytes:
    """Six fields of eight bytes, six of four; then each event: two of eight, two of four, one of eight."""
    head = little(8, 77, number, 78, arrived, 79, ended) + little(4, len(events), 80, flags, 81, 82, 83)
    return head + b"".join(little(8, at, at + 5) + little(4, kind, 84) + little(8, 85) for at, kind in events)


def test_truthds_log_is_read_request_by_request(tmp_path: Path) -> None:
    log = tmp_path / "truth.bin"
    first = truthd_request(26, 1_000, 9_000, [(2_000, OTHER), (3_000, CONTENT), (4_000, CONTENT), (5_000, OTHER)])
    left = truthd_request(27, 1_500, 2_500, [(2_000, CONTENT)], flags=2)
    other_flag = truthd_request(28, 2**40, 2**41, [], flags=5)
    log.write_bytes(first + left + other_flag + b"a head that is not whole")
    assert read_truthd_log(log) == [
        TrueStream(id="0" * 30 + "1a", arrived_at_ns=1_000, output_at_ns=(3_000, 4_000), ended_at_ns=9_000),
        TrueStream(id="0" * 30 + "1c", arrived_at_ns=2**40, output_at_ns=(), ended_at_ns=2**41),
    ]


def own_line(number: str, outcome: str = "complete", is_stream: str = "true") -> str:
    return (
        f'{{"id":"{number}","connection":0,"is_stream":{is_stream},"status":200,"outcome":"{outcome}",'
        '"arrived_at_ns":10,"started_at_ns":11,"ended_at_ns":50,'
        '"at_ns":[12,20,30,40],"n_bytes":[100,9,9,20],"n_tokens":[0,1,2,0]}\n'
    )


def test_of_our_own_log_the_whole_streams_count_and_of_them_the_writes_with_tokens(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    log.write_text(own_line("a") + own_line("b", outcome="client_left") + own_line("c", is_stream="false"))
    assert read_own_log(log) == [TrueStream(id="a", arrived_at_ns=10, output_at_ns=(20, 30), ended_at_ns=50)]
