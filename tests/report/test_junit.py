import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.judgement import ValidityCheck, Verdict
from harness.report.junit import Ending, junit_suites, render_junit
from tests.report.cases import CASES, HOSTILE, hostile, invalid, passed
from tests.report.junitshape import faults
from tests.report.sample import gates, header, sample, single


def endings(analysis: Analysis, suite: str) -> dict[str, Ending]:
    found = next(one for one in junit_suites(analysis) if one.name == suite)
    return {case.name: case.ending for case in found.cases}


def with_gate(**changes: object) -> Analysis:
    gate: Gate = replace(gates()[0], title="G", **changes)  # type: ignore[arg-type]  # fields of a gate
    judged = sample()
    assert judged.judgement is not None
    return replace(judged, judgement=replace(judged.judgement, gates=(gate,)))


@pytest.mark.parametrize("case", [*CASES, "hostile"])
def test_the_file_has_the_shape_that_readers_ask_for(case: str) -> None:
    made = {**CASES, "hostile": hostile}[case]
    assert faults(render_junit(made(), header())) == []


def test_the_shape_sees_a_wrong_count_and_a_wrong_order() -> None:
    xml = render_junit(passed(), header())
    assert faults(xml.replace(b'failures="', b'failures="1', 1))
    assert faults(xml.replace(b"<system-out />", b"", 1))
    assert faults(xml.replace(b"<properties>", b"<properties><x/></properties><properties>", 1))


@pytest.mark.parametrize(
    ("verdict", "ending"),
    [
        (Verdict.PASS, Ending.PASSED),
        (Verdict.FAIL, Ending.FAILURE),
        (Verdict.INCONCLUSIVE, Ending.FAILURE),
        (Verdict.INVALID, Ending.ERROR),
    ],
)
def test_only_a_pass_has_no_failing_verdict(verdict: Verdict, ending: Ending) -> None:
    judged = sample()
    assert judged.judgement is not None
    told = replace(judged, judgement=replace(judged.judgement, verdict=verdict))
    assert endings(told, "bench.verdict") == {"verdict": ending}


@pytest.mark.parametrize(
    ("outcome", "is_required", "ending"),
    [
        (Outcome.PASS, True, Ending.PASSED),
        (Outcome.FAIL, True, Ending.FAILURE),
        (Outcome.INCONCLUSIVE, True, Ending.SKIPPED),
        (Outcome.NOT_APPLICABLE, True, Ending.SKIPPED),
        (Outcome.FAIL, False, Ending.SKIPPED),
        (Outcome.PASS, False, Ending.PASSED),
    ],
)
def test_a_gate_ends_as_its_outcome_says(outcome: Outcome, is_required: bool, ending: Ending) -> None:
    told = endings(with_gate(outcome=outcome, is_required=is_required), "bench.gates")
    assert list(told.values()) == [ending]


def test_what_is_not_settled_says_why() -> None:
    xml = render_junit(with_gate(outcome=Outcome.INCONCLUSIVE, reason="too few requests"), header())
    skipped = ET.fromstring(xml).find(".//skipped")  # noqa: S314  # our own output
    assert skipped is not None
    assert skipped.get("message") == "INCONCLUSIVE: too few requests"


@pytest.mark.parametrize(
    ("is_met", "consequence", "ending"),
    [
        (True, "", Ending.PASSED),
        (False, "INVALID", Ending.ERROR),
        (False, "VOID for timing", Ending.FAILURE),
        (False, "no PASS", Ending.FAILURE),
        (False, "note", Ending.PASSED),
    ],
)
def test_a_validity_check_ends_as_its_consequence_says(is_met: bool, consequence: str, ending: Ending) -> None:
    check = ValidityCheck(id="c", title="C", is_met=is_met, evidence="e", consequence=consequence)
    judged = invalid()
    assert judged.judgement is not None
    told = replace(judged, judgement=replace(judged.judgement, validity=(check,)))
    assert endings(told, "bench.validity") == {"C": ending}


def test_each_side_has_its_own_checks_and_a_prompt_fails_where_a_repeat_did() -> None:
    told = sample()
    reference, candidate = (endings(told, f"bench.checks.{arm}") for arm in ("reference", "candidate"))
    assert reference.keys() == candidate.keys()
    name = "number_equals: 42"
    wrong = {
        trial.key.prompt_id
        for trial in told.trials
        if trial.key.arm == "candidate" and any(check.check == name and not check.passed for check in trial.checks)
    }
    asked = {case.removesuffix(f": {name}") for case in candidate if case.endswith(f": {name}")}
    assert wrong
    assert {prompt for prompt in asked if candidate[f"{prompt}: {name}"] is Ending.FAILURE} == wrong
    assert all(reference[f"{prompt}: {name}"] is Ending.PASSED for prompt in asked)


def test_one_endpoint_has_timings_and_checks() -> None:
    assert [suite.name for suite in junit_suites(single())] == ["bench.timing", "bench.checks.reference"]


def test_no_control_character_reaches_the_file() -> None:
    assert "\x1b" in HOSTILE
    text = render_junit(hostile(), header()).decode()
    assert not any(ord(sign) < 0x20 and sign not in "\t\n\r" for sign in text)
    assert "\u202e" not in text
    assert "<script>" not in text
    assert "\N{SYMBOL FOR ESCAPE}" in text
