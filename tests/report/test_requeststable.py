import csv
import io
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest

from harness.analysis.analyse import analyse
from harness.analysis.results.analysis import Analysis
from harness.model.record import Answer, Arm, Connection, FailureKind, Usage
from harness.report.requestcolumns import COLUMNS, Kind
from harness.report.requeststable import render_csv, render_parquet, request_rows
from tests.analysis.cases import MS, a_case, a_golden, a_key, a_prompt, a_record, a_side, failed

PROMPT = a_prompt(says="answer")


def analysed(*records: Any, **endpoint: Any) -> Analysis:
    return analyse(a_case(records, None, a_golden(PROMPT), **endpoint))


def read_csv(analysis: Analysis) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(request_rows(analysis)).decode(), newline="")))


def read_parquet(analysis: Analysis) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(render_parquet(request_rows(analysis)))).to_pylist()
    return rows


def test_an_answer_has_its_durations_usage_metrics_and_checks() -> None:
    """Sent at 0, due 3 ms before; output after 100 to 1,000 ms, ended 1 ms later; 46 tokens in ten events."""
    connection = Connection(reused=False, tcp_ns=2 * MS)
    (row,) = read_csv(analysed(a_record(connection=connection)))
    assert row["request"] == "reference/p/r0"
    assert (row["attempt"], row["level"], row["status"], row["failure"]) == ("1", "0", "200", "")
    durations = {name: float(row[name]) for name in ("intended_s", "sent_s", "first_output_after_s", "ended_after_s")}
    assert durations == {"intended_s": 0.0, "sent_s": 0.003, "first_output_after_s": 0.1, "ended_after_s": 1.001}
    assert (row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]) == ("100", "46", "")
    assert float(row["ttft_s"]) == 0.1
    assert float(row["e2e_s"]) == 1.0
    assert (row["tcp_s"], row["dns_s"], row["reused_connection"]) == ("0.002", "", "false")
    assert (row["task_success"], row["n_checks"], row["n_checks_failed"]) == ("true", "1", "0")
    assert (row["is_judged"], row["is_warmup"], row["finish_reason"]) == ("true", "false", "stop")


def test_a_failure_has_its_kind_and_the_reasons_of_what_is_undefined() -> None:
    (row,) = read_csv(analysed(failed(FailureKind.RATE_LIMITED, status=429, message="slow down")))
    assert (row["failure"], row["failure_message"], row["status"]) == ("rate_limited", "slow down", "429")
    assert (row["ttft_s"], row["ended_after_s"]) == ("", "0.05")
    assert "the request failed" in row["undefined"]


def test_every_attempt_has_a_row_and_only_the_first_is_judged() -> None:
    rows = read_csv(analysed(failed(), a_record(attempt=2), a_record(key=a_key(0, is_warmup=True))))
    assert sorted((row["request"], row["attempt"], row["is_judged"]) for row in rows) == [
        ("reference/p/r0", "1", "true"),
        ("reference/p/r0", "2", "false"),
        ("reference/p/w0", "1", "false"),
    ]
    retry = next(row for row in rows if row["attempt"] == "2")
    assert (retry["ttft_s"], retry["undefined"]) == ("", "no trial of its own: a retry or a follow-up")


def test_a_placebo_is_in_the_table() -> None:
    case = a_case([a_record()], [a_record(key=a_key(arm=Arm.CANDIDATE))], a_golden(PROMPT))
    third = a_side([a_record(key=a_key(arm=Arm.PLACEBO))], Arm.PLACEBO)
    rows = read_csv(analyse(replace(case, placebo=third)))
    assert [row["arm"] for row in rows] == ["reference", "candidate", "placebo"]
    assert {row["ttft_s"] for row in rows} == {"0.1"}


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"])
def test_a_text_that_a_spreadsheet_would_compute_is_quoted(start: str) -> None:
    (row,) = read_csv(analysed(a_record(answer=Answer(text="the answer", finish_reason=start))))
    assert row["finish_reason"] == f"'{start}"
    (typed,) = read_parquet(analysed(a_record(answer=Answer(text="the answer", finish_reason=start))))
    assert typed["finish_reason"] == start


def test_numbers_are_never_quoted() -> None:
    (row,) = read_csv(analysed(a_record(usage=Usage(prompt_tokens=-1))))
    assert row["prompt_tokens"] == "-1"


def test_a_hostile_text_stays_in_its_cell() -> None:
    hostile = 'a"b,c\nd\x1b[31m\ud800\u202e'
    (row,) = read_csv(analysed(a_record(model_reported=hostile)))
    assert row["model_reported"] == 'a"b,c d\N{SYMBOL FOR ESCAPE}[31m⟨U+D800⟩⟨U+202E⟩'
    assert row["status"] == "200"


def test_parquet_holds_the_same_with_types() -> None:
    told = analysed(a_record(), failed(key=a_key(1)))
    table = pq.read_table(io.BytesIO(render_parquet(request_rows(told))))
    assert table.column_names == [column.name for column in COLUMNS]
    types = {Kind.TEXT: "string", Kind.INTEGER: "int64", Kind.NUMBER: "double", Kind.TRUTH: "bool"}
    assert [str(field.type) for field in table.schema] == [types[column.kind] for column in COLUMNS]
    assert table.schema.field("ttft_s").metadata == {b"meaning": b"TTFT", b"unit": b"s"}
    assert [tuple(row.values()) for row in table.to_pylist()] == list(request_rows(told))


def test_a_run_without_requests_has_a_head() -> None:
    told = analysed()
    assert render_csv(request_rows(told)).decode().rstrip() == ",".join(column.name for column in COLUMNS)
    assert read_parquet(told) == []
