"""Answers made worse at known rates: what is measured is what was done, one by one, and as often as was asked for.

The counts are compared with exact binomial intervals, each of which a right measurement leaves in less than one case of
a million; there are 18, so another seed raises a false alarm in less than 2 of 100,000 runs. This seed's draws are
fixed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom

from harness.analysis.results.case import Side
from harness.analysis.results.trial import Rung, Trial
from harness.analysis.trials import judge_side
from harness.cli.judging import decode_run
from harness.cli.measuring import Request, measure
from harness.cli.sides import recorded_side
from harness.model.endpoint import Endpoint
from harness.model.golden import Check, CheckKind, Example, ExampleCall, GoldenSet, Prompt
from harness.model.record import Arm, Record
from harness.model.settings import PlanSettings, Settings
from harness.model.storage import load_run
from harness.simulator.process import running_simulator
from harness.simulator.truth import Said, read_truth
from tests.cli.files import write_yaml

FALSE_ALARM = 1e-6
RATES = (0.05, 0.1, 0.2)
OF_TOOLS = ("rename_argument", "wrong_argument_type", "call_as_text")
OF_JSON = ("wrong_type", "prose_for_json")
REPEATS = 75
CITIES = ("Oslo", "Lima", "Rome", "Cairo")
TYPES: Mapping[str, type] = {"city": str, "nights": int, "is_flexible": bool}
PROPERTIES = {"city": {"type": "string"}, "nights": {"type": "integer"}, "is_flexible": {"type": "boolean"}}
# No argument is required and others are allowed: a renamed one is left to the matchers, a wrong type is not.
TOOL = {"type": "function", "function": {"name": "book", "parameters": {"type": "object", "properties": PROPERTIES}}}
INVOICE = {"number": 17, "customer": "Ada", "is_paid": True}
INVOICE_TYPES: Mapping[str, type] = {"number": int, "customer": str, "is_paid": bool}
SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer"}, "customer": {"type": "string"}, "is_paid": {"type": "boolean"}},
}


def _stay(city: str) -> dict[str, Any]:
    return {"city": city, "nights": 3, "is_flexible": False}


def _prompt(prompt_id: str, question: str, check: Check, example: Example, **request: Any) -> Prompt:
    body = {"messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 200, **request}
    return Prompt(id=prompt_id, category="c", intent="i", request=body, checks=[check], example=example)


def _tool_prompt(city: str) -> Prompt:
    arguments = _stay(city)
    check = Check(kind=CheckKind.TOOL_CALLED, argument={"name": "book", "arguments": arguments})
    example = Example(tool_calls=[ExampleCall(name="book", arguments=arguments)])
    return _prompt(city.lower(), f"Three nights in {city}.", check, example, tools=[TOOL])


def _json_prompt(n: int) -> Prompt:
    check = Check(kind=CheckKind.JSON_SCHEMA, argument=SCHEMA)
    return _prompt(f"invoice-{n}", f"Invoice {n} as JSON.", check, Example(text=json.dumps(INVOICE)))


GOLDEN = GoldenSet(name="rates", prompts=[*map(_tool_prompt, CITIES), *map(_json_prompt, range(4))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One request: what was really said, what was recorded, how it was judged."""

    said: Said
    record: Record
    trial: Trial

    @property
    def is_of_tools(self) -> bool:
        return self.trial.tool is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """All requests to an endpoint that makes answers worse at a rate."""

    rate: float
    calls: tuple[Judged, ...]
    documents: tuple[Judged, ...]


@pytest.fixture(scope="module", params=RATES, ids=lambda rate: f"{rate:.0%}")
def degraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Degraded:
    rate = float(request.param)
    folder = tmp_path_factory.mktemp("rates")
    profile = {
        "name": "worse",
        "ttft": {"shape": "constant", "ms": 1},
        "decode": {"tokens_per_s": 20_000},
        "degradations": [{"one_of": [name], "rate": rate} for name in (*OF_TOOLS, *OF_JSON)],
    }
    golden = write_yaml(folder / "golden.yml", _as_written(GOLDEN))
    truth = folder / "truth.jsonl"
    with running_simulator(write_yaml(folder / "worse.yml", profile), golden=golden, truth=truth, seed=4) as simulator:
        run = load_run(measure(_request(simulator.base_url, folder)))
    side = recorded_side(run, Arm.REFERENCE)
    records = tuple(decode_run(side))
    trials = judge_side(Side(arm=Arm.REFERENCE, name="worse", endpoint={}, run_id="r", records=records), GOLDEN)
    lines = {line.id: line.said for line in read_truth(truth)}
    judged = tuple(_paired(item.record, item.trial, lines) for item in trials)
    assert len(judged) == len(records) == len(lines) == REPEATS * len(GOLDEN.prompts)
    return Degraded(
        rate=rate,
        calls=tuple(one for one in judged if one.is_of_tools),
        documents=tuple(one for one in judged if not one.is_of_tools),
    )


def _as_written(golden: GoldenSet) -> dict[str, Any]:
    """Give the set as the simulator reads it: questions and examples, whatever the checks."""
    prompts = [
        {
            "id": prompt.id,
            "category": prompt.category,
            "intent": prompt.intent,
            "request": prompt.request,
            "example": {"text": prompt.example.text}
            if prompt.example and prompt.example.text
            else {"tool_calls": [{"name": "book", "arguments": _stay(prompt.id.capitalize())}]},
        }
        for prompt in golden.prompts
    ]
    return {"name": golden.name, "prompts": prompts}


def _request(base_url: str, folder: Path) -> Request:
    plan = PlanSettings(repeats=REPEATS, max_repeats=REPEATS, allocate=False, warmup=0, unstreamed=0)
    return Request(
        endpoints={Arm.REFERENCE: Endpoint(name="worse", base_url=base_url, model="sim-model")},
        golden=GOLDEN,
        settings=Settings(load=[16], plan=plan),
        out=folder / "results",
        quiet=True,
    )


def _paired(record: Record, trial: Trial, lines: Mapping[str, Said | None]) -> Judged:
    said = next(said for line_id, said in lines.items() if (record.response_id or "").endswith(line_id))
    assert said is not None
    return Judged(said=said, record=record, trial=trial)


def has_wrong_type(given: Mapping[str, Any], types: Mapping[str, type]) -> bool:
    return any(type(given[name]) is not kind for name, kind in types.items() if name in given)


def rung_of(said: Said) -> Rung:
    """Where a call falls, by what the simulator says that it said."""
    if "<tool_call>" in said.text:
        return Rung.LEAKED_MARKUP
    (call,) = said.tool_calls
    arguments = json.loads(call["arguments"])
    if has_wrong_type(arguments, TYPES):
        return Rung.SCHEMA_MISMATCH
    city = str(said.prompt_id).capitalize()
    return Rung.OK if arguments == _stay(city) else Rung.ARGUMENT_MISMATCH


def test_every_call_falls_where_it_was_made_to_fall_and_no_other_does(degraded: Degraded) -> None:
    for one in degraded.calls:
        assert one.record.failure is None
        assert one.trial.tool is not None
        assert one.trial.tool.rung is rung_of(one.said), one.trial.tool.detail
        assert (one.trial.tool.rung is Rung.OK) == (one.said.degradations == []) == one.trial.task_success
        assert (one.trial.tool.rung is Rung.LEAKED_MARKUP) == ("call_as_text" in one.said.degradations)
    assert {name for one in degraded.calls for name in one.said.degradations} == set(OF_TOOLS)


def test_a_fall_names_the_argument_that_was_changed(degraded: Degraded) -> None:
    for one in degraded.calls:
        tool = one.trial.tool
        assert tool is not None
        if one.said.degradations == ["rename_argument"]:
            (renamed,) = set(json.loads(one.said.tool_calls[0]["arguments"])) - set(TYPES)
            assert f"book.arguments.{renamed.removesuffix('_value')}: expected" in tool.detail
            assert f"book.arguments.{renamed}: expected no such argument" in tool.detail
        if one.said.degradations == ["wrong_argument_type"]:
            arguments = json.loads(one.said.tool_calls[0]["arguments"])
            (wrong,) = [name for name, kind in TYPES.items() if type(arguments[name]) is not kind]
            assert tool.detail.startswith(f"$.{wrong}: ")
            assert "is not of type" in tool.detail


def test_every_document_fails_as_it_was_made_to_fail_and_no_other_does(degraded: Degraded) -> None:
    for one in degraded.documents:
        is_prose = "prose_for_json" in one.said.degradations
        assert one.trial.json_valid is not is_prose
        assert one.trial.task_success == (one.said.degradations == [])
        (check,) = one.trial.checks
        if is_prose:
            assert one.said.text.startswith("Here is what you asked for")
            assert (check.passed, check.where) == (False, "answer text")
        else:
            document = json.loads(one.said.text)
            wrong = [name for name, kind in INVOICE_TYPES.items() if type(document[name]) is not kind]
            assert (check.passed, check.where) == ((True, "$") if not wrong else (False, f"$.{wrong[0]}"))
    assert {name for one in degraded.documents for name in one.said.degradations} == set(OF_JSON)


def is_likely(n_found: int, n: int, probability: float) -> bool:
    """Whether a count lies in the exact binomial interval that holds all but one of a million."""
    fewest, most = binom.ppf(FALSE_ALARM / 2, n, probability), binom.isf(FALSE_ALARM / 2, n, probability)
    return bool(fewest <= n_found <= most)


def shares_of_rungs(rate: float) -> dict[Rung, float]:
    """Chances of each rung when three independent rules strike at a rate; markup hides the others.

    A renamed argument hides its wrong type, where the two strike the same one of three.
    """
    schema = (1 - rate) * rate * (1 - rate / 3)
    arguments = (1 - rate) * (rate * (1 - rate) + rate * rate / 3)
    falls = {Rung.LEAKED_MARKUP: rate, Rung.SCHEMA_MISMATCH: schema, Rung.ARGUMENT_MISMATCH: arguments}
    assert sum(falls.values()) == pytest.approx(1 - (1 - rate) ** 3)
    return falls | {Rung.OK: (1 - rate) ** 3}


def test_the_measured_rates_are_the_ones_asked_for(degraded: Degraded) -> None:
    rungs = [one.trial.tool.rung for one in degraded.calls if one.trial.tool]
    for rung, share in shares_of_rungs(degraded.rate).items():
        assert is_likely(rungs.count(rung), len(rungs), share), (rung, rungs.count(rung), share)
    n_prose = sum(one.trial.json_valid is False for one in degraded.documents)
    n_valid_and_wrong = sum(bool(one.trial.json_valid and not one.trial.task_success) for one in degraded.documents)
    n = len(degraded.documents)
    assert is_likely(n_prose, n, degraded.rate)
    assert is_likely(n_valid_and_wrong, n, (1 - degraded.rate) * degraded.rate)


def test_the_intervals_tell_the_rates_apart() -> None:
    n = REPEATS * len(CITIES)
    assert not is_likely(round(0.05 * n), n, 0.2)
    assert not is_likely(round(0.2 * n), n, 0.05)
    assert not is_likely(0, n, 0.05)
