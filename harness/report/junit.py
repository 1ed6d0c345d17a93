"""Gates, validity checks and golden prompts' checks as JUnit XML, for a CI system's list of tests.

A case fails where the data say so, and is skipped where they settle nothing. The case "verdict" fails unless the
verdict is PASS, so that a list without a failure and without an error means PASS and nothing else.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Side
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.judgement import Judgement, ValidityCheck, Verdict
from harness.analysis.results.trial import Rung, Trial
from harness.model.record import RunHeader
from harness.report.untrusted import visible

_INVALID = "INVALID"
_HOST = "localhost"  # the schema wants one; ours is nobody's business
_NO_START = "1970-01-01T00:00:00"
_MESSAGE, _BODY = 300, 4_000  # characters
_EXAMPLES = 5
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Ending(StrEnum):
    """How a case ended; the element's name."""

    PASSED = "passed"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One line of the list."""

    __test__ = False  # not pytest's

    name: str
    ending: Ending = Ending.PASSED
    kind: str = ""  # of a failure or an error
    message: str = ""
    body: str = ""
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSuite:
    """Cases under one name."""

    __test__ = False

    name: str
    cases: tuple[TestCase, ...]
    facts: dict[str, str] = field(default_factory=dict)

    def count(self, ending: Ending) -> int:
        """Count the cases that ended so."""
        return sum(case.ending is ending for case in self.cases)


def render_junit(analysis: Analysis, header: RunHeader | None) -> bytes:
    """Render the list; the same analysis gives the same bytes."""
    suites = junit_suites(analysis)
    root = ET.Element("testsuites")
    started = _NO_START if header is None else _timestamp(header.started_at)
    root.extend(_suite(number, suite, started) for number, suite in enumerate(suites))
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def junit_suites(analysis: Analysis) -> tuple[TestSuite, ...]:
    """Give the suites: the verdict with gates and validity, then each side's checks."""
    sides = [side for side in (analysis.case.reference, analysis.case.candidate) if side is not None]
    if analysis.judgement is None:
        judged = [TestSuite(name="bench.timing", cases=(_timing(analysis),))]
    else:
        judged = list(_judged(analysis.judgement))
    checked = [_checks(side, analysis.trials) for side in sides]
    return (*judged, *(suite for suite in checked if suite.cases))


def _judged(judgement: Judgement) -> Iterator[TestSuite]:
    yield TestSuite(name="bench.verdict", cases=(_verdict(judgement),))
    yield TestSuite(name="bench.gates", cases=tuple(map(_gate, judgement.gates)))
    yield TestSuite(name="bench.validity", cases=tuple(map(_validity, judgement.validity)))


def _verdict(judgement: Judgement) -> TestCase:
    endings = {Verdict.PASS: Ending.PASSED, Verdict.INVALID: Ending.ERROR}
    return TestCase(
        name="verdict",
        ending=endings.get(judgement.verdict, Ending.FAILURE),
        kind=judgement.verdict.value,
        message=judgement.sentence,
        body="\n".join((*judgement.worst_case, *judgement.settle, *judgement.notes)),
    )


def _gate(gate: Gate) -> TestCase:
    """An informative gate that is beyond its margin is no failure of the run: it says so and is skipped."""
    endings = {Outcome.PASS: Ending.PASSED, Outcome.FAIL: Ending.FAILURE}
    ending = endings.get(gate.outcome, Ending.SKIPPED)
    is_informative = not gate.is_required and ending is Ending.FAILURE
    role = "" if gate.is_required else " (informative)"
    return TestCase(
        name=f"{gate.title}{role}",
        ending=Ending.SKIPPED if is_informative else ending,
        kind=gate.outcome.value,
        message=f"{gate.outcome.value}: {gate.reason}",
        body="\n".join((*gate.evidence, *([gate.demoted_because] if gate.demoted_because else []))),
    )


def _validity(check: ValidityCheck) -> TestCase:
    return TestCase(
        name=check.title,
        ending=Ending.PASSED if check.is_met or check.consequence == "note" else _unmet(check),
        kind=check.consequence,
        message=f"{check.consequence}: {check.evidence}" if check.consequence else check.evidence,
    )


def _unmet(check: ValidityCheck) -> Ending:
    return Ending.ERROR if check.consequence == _INVALID else Ending.FAILURE


def _timing(analysis: Analysis) -> TestCase:
    """One endpoint has no validity checks: its timings count or not."""
    told = analysis.certificate
    endings = {TimingVerdict.VALID: Ending.PASSED, TimingVerdict.VOID: Ending.FAILURE}
    return TestCase(
        name="timings", ending=endings.get(told.verdict, Ending.SKIPPED), kind=told.verdict.value, message=told.sentence
    )


def _checks(side: Side, trials: Sequence[Trial]) -> TestSuite:
    """Give one case per golden prompt and check: it fails where any judged request failed it."""
    prompts: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.key.arm is side.arm and trial.is_judged:
            prompts.setdefault(trial.key.prompt_id, []).append(trial)
    cases = (case for prompt_id in sorted(prompts) for case in _of_prompt(prompt_id, prompts[prompt_id]))
    facts = {"endpoint": side.name, "model": str(side.endpoint.get("model", "")), "run": side.run_id}
    return TestSuite(name=f"bench.checks.{side.arm}", cases=tuple(cases), facts=facts)


def _of_prompt(prompt_id: str, trials: Sequence[Trial]) -> Iterator[TestCase]:
    took_s = sum(trial.metrics["ttlb"].value or 0.0 for trial in trials if "ttlb" in trial.metrics)
    lost = [f"{trial.key.id}: {trial.failure}: {trial.failure_message}" for trial in trials if trial.failure]
    yield _counted(f"{prompt_id}: answers", lost, len(trials), took_s)
    checks = dict.fromkeys(check.check for trial in trials for check in trial.checks)
    for name in checks:
        results = [(trial, check) for trial in trials for check in trial.checks if check.check == name]
        wrong = [
            f"{trial.key.id}: expected {check.expected}, came {check.came} {check.where}".rstrip()
            for trial, check in results
            if not check.passed
        ]
        yield _counted(f"{prompt_id}: {name}", wrong, len(results))
    yield from _tools(prompt_id, trials)


def _tools(prompt_id: str, trials: Sequence[Trial]) -> Iterator[TestCase]:
    tools = [(trial, trial.tool) for trial in trials if trial.tool is not None]
    fallen = [
        f"{trial.key.id}: {tool.rung} {tool.tool or ''} {tool.detail}".strip()
        for trial, tool in tools
        if tool.rung not in (Rung.OK, Rung.NOT_RUN)
    ]
    if tools:
        yield _counted(f"{prompt_id}: tool ladder", fallen, len(tools))


def _counted(name: str, wrong: Sequence[str], n: int, took_s: float = 0.0) -> TestCase:
    if not wrong:
        return TestCase(name=name, took_s=took_s)
    body = "\n".join((*wrong[:_EXAMPLES], *([f"and {len(wrong) - _EXAMPLES} more"] if len(wrong) > _EXAMPLES else [])))
    return TestCase(
        name=name,
        ending=Ending.FAILURE,
        kind="check",
        message=f"{len(wrong)} of {n}: {wrong[0]}",
        body=body,
        took_s=took_s,
    )


def _suite(number: int, suite: TestSuite, started: str) -> ET.Element:
    """Every attribute that either of the two schemas in use asks for, in the order of elements that both accept."""
    element = ET.Element(
        "testsuite",
        {
            "name": _clean(suite.name),
            "package": "bench",
            "id": str(number),
            "timestamp": started,
            "hostname": _HOST,
            "tests": str(len(suite.cases)),
            "failures": str(suite.count(Ending.FAILURE)),
            "errors": str(suite.count(Ending.ERROR)),
            "skipped": str(suite.count(Ending.SKIPPED)),
            "time": _time(sum(case.took_s for case in suite.cases)),
        },
    )
    properties = ET.SubElement(element, "properties")
    for name, value in suite.facts.items():
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    element.extend(map(_case, _named_apart(suite.cases), [suite.name] * len(suite.cases)))
    ET.SubElement(element, "system-out")
    ET.SubElement(element, "system-err")
    return element


def _named_apart(cases: Iterable[TestCase]) -> Iterator[tuple[str, TestCase]]:
    """Number what would have the same name: readers merge such cases."""
    seen: dict[str, int] = {}
    for case in cases:
        name = _clean(case.name)[:_MESSAGE]
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} ({seen[name]})", case)


def _case(named: tuple[str, TestCase], suite: str) -> ET.Element:
    name, case = named
    element = ET.Element("testcase", {"name": name, "classname": suite, "time": _time(case.took_s)})
    message = _clean(case.message)[:_MESSAGE]
    if case.ending is Ending.SKIPPED:
        ET.SubElement(element, "skipped", {"message": message})
    elif case.ending is not Ending.PASSED:
        found = ET.SubElement(element, case.ending.value, {"type": _clean(case.kind), "message": message})
        found.text = _clean(case.body or case.message)[:_BODY]
    return element


def _clean(text: str) -> str:
    """Leave what XML 1.0 can hold; what would act in a terminal is made visible first."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", visible(text))


def _time(took_s: float) -> str:
    return f"{took_s:.3f}"


def _timestamp(started_at: str) -> str:
    """Give UTC without its zone: the schema has no place for one."""
    return f"{datetime.fromisoformat(started_at).astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
