"""The line of a run: what was measured, by hand, and what makes it comparable."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.analyse import analyse
from harness.analysis.ledgerentry import address_of, comparable_parts, labels_of, ledger_entry
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case
from harness.cli.judging import recorded_case
from harness.model.ledger import LedgerEntry, differences, encode_line
from harness.model.record import Arm, RunHeader
from harness.model.storage import load_header
from tests.cli.recordedrun import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    provenance = {"cpu": "some CPU", "host": "0123", "packages": {"bench-harness": "0.9"}}
    return write_run(tmp_path_factory.mktemp("runs") / "r1", provenance=provenance)


@pytest.fixture(scope="module")
def case(folder: Path) -> Case:
    return recorded_case(folder)


@pytest.fixture(scope="module")
def analysis(case: Case) -> Analysis:
    return analyse(case)


def entry_of(analysis: Analysis, header: RunHeader) -> LedgerEntry:
    headers = {Arm.REFERENCE: header, Arm.CANDIDATE: header}
    return ledger_entry(analysis, headers, n_requests=12, summary_sha256="d" * 64)


@pytest.fixture(scope="module")
def entry(folder: Path, analysis: Analysis) -> LedgerEntry:
    return entry_of(analysis, load_header(folder))


def test_it_says_which_run_it_is_of(entry: LedgerEntry, analysis: Analysis) -> None:
    assert (entry.run_id, entry.kind, entry.started_at) == ("r1", "compare", "2026-01-01T00:00:00+00:00")
    assert entry.bench == "0.9"
    assert entry.vantage == {"cpu": "some CPU", "host": "0123"}
    assert analysis.judgement is not None
    assert entry.verdict == analysis.judgement.verdict
    assert [gate.id for gate in entry.gates] == [gate.id for gate in analysis.judgement.gates]
    assert entry.golden_sha256 == analysis.case.golden.sha256


def test_rates_and_prompts_are_those_of_the_hand_written_run(entry: LedgerEntry) -> None:
    """Six requests a side: the candidate loses one of `invoice` and says Brno once."""
    reference, candidate = entry.sides
    assert (reference.n, candidate.n) == (6, 6)
    assert reference.figures["request_success"].value == 1.0
    assert candidate.figures["request_success"].value == pytest.approx(5 / 6)
    assert candidate.figures["task_success"].value == pytest.approx(4 / 6)
    assert candidate.figures["tool_success"].reason == "no request of this kind"
    low, high = candidate.figures["request_success"].low, candidate.figures["request_success"].high
    assert (low, high) == pytest.approx((0.4365, 0.9699), abs=1e-4)  # Wilson's score interval of 5 of 6, by statsmodels
    by_id = {prompt.prompt_id: prompt for prompt in candidate.prompts}
    assert (by_id["capital"].n, by_id["capital"].n_failed, by_id["capital"].n_passed) == (3, 0, 2)
    assert (by_id["capital"].n_tool, by_id["capital"].n_json) == (0, 0)
    assert (by_id["invoice"].n, by_id["invoice"].n_failed, by_id["invoice"].n_passed) == (3, 1, 2)


def test_latencies_are_those_of_the_reads(entry: LedgerEntry) -> None:
    """The head comes at 20 ms, the first piece 30 ms later, counted from sent."""
    reference = entry.side(Arm.REFERENCE)
    assert reference is not None
    assert reference.figures["ttft_p50"].value == pytest.approx(0.05)
    assert reference.figures["decode_p50"].value is None  # two reads with output are too few
    assert reference.figures["decode_p50"].reason


def test_the_same_run_gives_the_same_bytes(entry: LedgerEntry, folder: Path) -> None:
    again = entry_of(analyse(recorded_case(folder)), load_header(folder))
    assert encode_line(again) == encode_line(entry)
    assert b"Infinity" not in encode_line(entry)


def test_no_secret_of_an_address_is_kept(entry: LedgerEntry) -> None:
    assert b"s3cret" not in encode_line(entry)
    assert entry.sides[0].address == "https://a.example/v1?api-version=1&sig=*"
    assert address_of({"base_url": "https://me:key@h.example:8/v1/"}) == "https://h.example:8/v1"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"model": "n"}, "candidate.model"),
        ({"base_url": "https://b.example/v1"}, "candidate.address"),
        ({"sampling": {"temperature": 1}}, "candidate.sampling"),
        ({"params": {"drop": ["seed"]}}, "candidate.params"),
        ({"extra_body": {"effort": "low"}}, "candidate.extra_body"),
        ({"timeouts": {"total_s": 5}}, "candidate.timeouts"),
        ({"headers": {"X-Tier": "${TIER}"}}, "candidate.headers"),
        ({"prices": {"currency": "EUR", "input_per_mtok": 1, "output_per_mtok": 2}}, "candidate.currency"),
    ],
)
def test_what_changes_an_answer_makes_another_series(case: Case, change: dict[str, object], part: str) -> None:
    assert case.candidate is not None
    candidate = replace(case.candidate, endpoint={**case.candidate.endpoint, **change})
    one, two = comparable_parts(case), comparable_parts(replace(case, candidate=candidate))
    assert [name for name in sorted({*one, *two}) if one.get(name) != two.get(name)] == [part]


@pytest.mark.parametrize("change", [{"name": "x"}, {"limits": {"concurrency": 9}}, {"labels": {"tier": "t"}}])
def test_what_does_not_leaves_the_series(case: Case, change: dict[str, object]) -> None:
    """Concurrency is the plan's load here; names and labels are words."""
    assert case.candidate is not None
    candidate = replace(case.candidate, endpoint={**case.candidate.endpoint, **change})
    assert comparable_parts(case) == comparable_parts(replace(case, candidate=candidate))


def test_headers_are_told_apart_by_a_digest_alone(case: Case) -> None:
    def digest(headers: dict[str, str]) -> str:
        reference = replace(case.reference, endpoint={**case.reference.endpoint, "headers": headers})
        return comparable_parts(replace(case, reference=reference))["reference.headers"]

    assert digest({"X-Tier": "${TIER}"}) == digest({"x-tier": "${TIER}"}) != digest({"X-Tier": "${OTHER}"})
    assert "TIER" not in digest({"X-Tier": "${TIER}"})


def test_money_is_by_request(folder: Path, case: Case) -> None:
    """A bill of more repeats is larger, and each request costs the same."""
    prices = {"currency": "EUR", "input_per_mtok": 1.0, "output_per_mtok": 2.0}
    reference = replace(case.reference, endpoint={**case.reference.endpoint, "prices": prices})
    one = analyse(replace(case, reference=reference))
    (cost,) = [side.cost.value for side in one.economics if side.arm is Arm.REFERENCE]
    figures = entry_of(one, load_header(folder)).sides[0].figures
    assert "cost" not in figures
    assert cost is not None
    assert figures["cost_per_request"].value == pytest.approx(cost / len(case.reference.records))
    assert figures["cost_per_request"].n == len(case.reference.records)


def test_another_load_is_another_series(case: Case, entry: LedgerEntry) -> None:
    assert case.plan is not None
    plan = replace(case.plan, load=(8,))
    sides = {"reference": replace(case.reference, plan=plan)}
    assert comparable_parts(replace(case, **sides))["reference.load"] == "closed 8"  # type: ignore[arg-type]
    assert entry.parts["reference.load"] == "closed 4"
    assert differences([entry]) == ()


def test_a_recorded_side_makes_a_series_of_its_own(case: Case) -> None:
    recorded = replace(case, reference=replace(case.reference, was_recorded_earlier=True, run_id="old"))
    assert comparable_parts(recorded) == {**comparable_parts(case), "reference.recorded": "old"}


def test_an_unfinished_run_is_not_valid(folder: Path, case: Case) -> None:
    cut = replace(case, reference=replace(case.reference, unfinished="interrupted: by hand"))
    found = entry_of(analyse(cut), load_header(folder))
    assert not found.is_valid
    assert "reference: interrupted: by hand" in found.reasons


def test_labels_of_an_endpoint_are_flat() -> None:
    labels = {"tier": "h100", "region": None, "other": {"rack": "7"}}
    assert labels_of({"labels": labels}) == {"rack": "7", "tier": "h100"}
    assert labels_of({}) == {}
