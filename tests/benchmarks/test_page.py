"""What the truth benchmark prints and refuses."""

import sys
from dataclasses import replace

import pytest

from benchmarks.truth.__main__ import main
from benchmarks.truth.bias import Bias
from benchmarks.truth.page import Measured, block, summary

OURS = Bias(
    n_requests=5,
    n_events=640,
    late_p50=0.01,
    late_p99=0.04,
    ttft_error_p50=0.1,
    ttft_error_p99=0.2,
    gap_error_p99=0.05,
    decode_error_p50=0.001,
    decode_error_p99=0.002,
    shared_fraction=0.015,
    wall_over_ideal=1.01,
    in_flight_fraction=0.99,
    cpu_us_per_event=25.0,
    decode_us_per_event=0.0,
    whole_cpu_us_per_event=25.0,
    events_per_s=1234.0,
)
NAIVE = replace(
    OURS,
    late_p50=0.5,
    late_p99=1.0,
    shared_fraction=None,
    cpu_us_per_event=250.0,
    decode_us_per_event=3.0,
    whole_cpu_us_per_event=253.0,
)


def runs(one: Bias, *late: float, loop: str = "uvloop") -> list[Measured]:
    return [Measured(loop=loop, bias=replace(one, late_p99=value)) for value in late or (one.late_p99,)]


def cells_of(lines: list[str], figure: str) -> list[str]:
    (line,) = [line for line in lines if line.split()[0] == figure]
    return line.split()[1:]


def test_a_block_gives_medians_of_both_and_their_ratio_beside_each_other() -> None:
    found = {"client": runs(OURS, 0.04, 0.9, 0.05), "naive": runs(NAIVE, 2, 1, 0.1)}
    lines = block("1 x 100 tok/s", "uvloop", found)
    assert lines[0] == "1 x 100 tok/s, uvloop, medians of 3"
    assert lines[1].split() == ["client", "naive", "naive/ours", "each", "run"]
    assert cells_of(lines, "late_p99") == ["0.05", "1", "20x", "0.04", "0.9", "0.05", "|", "2", "1", "0.1"]
    assert cells_of(lines, "cpu_us_per_event")[:3] == ["25", "250", "10x"]
    far = {"client": runs(OURS, 0.001), "naive": runs(NAIVE, 2)}
    assert cells_of(block("s", "uvloop", far), "late_p99")[2] == "2,000x"


def test_where_one_side_knows_nothing_or_had_nothing_there_is_no_ratio() -> None:
    lines = block("s", "uvloop", {"client": runs(OURS), "naive": runs(NAIVE)})
    assert cells_of(lines, "shared_fraction")[:3] == ["0.015", "unknown", "unknown"]
    assert cells_of(lines, "decode_us_per_event")[:3] == ["0", "3", "unknown"]


def test_our_client_alone_has_no_ratio() -> None:
    lines = block("s", "uvloop", {"client": runs(OURS)})
    assert "naive" not in "\n".join(lines)
    assert cells_of(lines, "late_p50") == ["0.01", "0.01"]


def test_another_loop_than_was_asked_for_is_said() -> None:
    found = {"client": runs(OURS), "naive": runs(NAIVE, loop="asyncio")}
    note = "NOT AS ASKED: naive ran on asyncio, not on uvloop"
    assert f"  {note}" in block("s", "uvloop", found)
    assert summary("uvloop", {"s": found})[-1] == f"s: {note}"
    assert "NOT AS ASKED" not in "\n".join(summary("uvloop", {"s": {"client": runs(OURS)}}))


def test_the_summary_is_a_markdown_table_of_medians() -> None:
    found = {
        "1 x 100 tok/s": {"client": runs(OURS, 0.04, 0.9, 0.05)},
        "16 x 100 tok/s": {"client": runs(OURS, 1, 2, 3), "naive": runs(NAIVE, 4, 4, 4)},
    }
    title, _, head, rule, *rows = summary("uvloop", found)
    assert title == "uvloop, each value the median of 3 runs"
    assert {line.count("|") for line in (head, rule, *rows)} == {12}
    ours = "0.1 / 0.2 | 0.05 | 1.5 % | 1.01 | 99.0 % | 25 | 25 | 1,234 |"
    assert rows == [
        f"| 1 x 100 tok/s | client | 0.01 / 0.05 | {ours}",
        f"| 16 x 100 tok/s | client | 0.01 / 2 | {ours}",
        "| 16 x 100 tok/s | naive | 0.5 / 4 | 0.1 / 0.2 | 0.05 | unknown | 1.01 | 99.0 % | 250 | 253 | 1,234 |",
        "| 16 x 100 tok/s | naive/ours | 50x / 2x | 1x / 1x | 1x | unknown | 1x | 1x | 10x | 10.1x | 1x |",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--url", "http://127.0.0.1:1/v1"], "--url without --log"),
        (["--log", "truth.jsonl"], "--log without --url"),
        (["--truthd", "t", "--url", "u", "--log", "l"], "not allowed with"),
        (["--runs", "0"], "at least one run"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    words: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["truth", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
