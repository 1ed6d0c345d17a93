from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.analysis.looks import looks_of
from harness.analysis.modes import sequential
from harness.analysis.results.case import Case
from harness.analysis.results.judgement import Judgement
from harness.analysis.settleprice import compare_words, run_folder
from harness.analysis.settling import Remedy, Split, _if_true, _prompt_line, _split_remedy
from harness.model.record import LookScheme
from harness.model.redaction import Redaction
from harness.model.settings import Gates, PlanSettings, Settings
from tests.analysis.test_verdict import broken, judge, planned

COMMAND = "bench compare a.yml b.yml --golden g.jsonl --repeats 3 --settings=s.yml --load 4 --out 'my runs' --quiet"


def test_the_command_keeps_the_options_that_name_files() -> None:
    assert compare_words(COMMAND) == "bench compare a.yml b.yml --golden g.jsonl --settings s.yml --out 'my runs'"
    assert compare_words("bench compare --placebo a.yml b.yml") == "bench compare a.yml b.yml"
    assert compare_words("bench compare a.yml b.yml --repeats 3") == "bench compare a.yml b.yml"
    assert compare_words("bench run a.yml --golden g.jsonl") == "bench compare a.yml b.yml"


@pytest.mark.parametrize(("command", "folder"), [(COMMAND, "'my runs/r1'"), (None, "results/r1")])
def test_the_run_that_goes_on_is_named_by_its_folder(command: str | None, folder: str) -> None:
    assert run_folder(command, "r1") == folder


def _of_a_sequence(look: int) -> tuple[Case, Judgement]:
    """One tool call in twelve fails on either side, in a sequence at its so-manyth look of 3, 5 and 10 repeats."""
    of = replace(planned(sequential(Settings())), look=look)
    assert of.plan is not None
    repeats = dict.fromkeys(of.plan.repeats, (3, 5, 10)[look - 1])
    of = replace(of, plan=replace(of.plan, repeats=repeats))
    return of, judge(broken(0.08, 5), broken(0.08, 6), of=of)


def test_a_fixed_next_look_promises_no_chance_where_more_is_wanted() -> None:
    line = _of_a_sequence(2)[1].settle[0]
    assert "--repeats 10` adds 280 requests" in line  # 28 prompts from 5 to 10, on both sides
    assert "the next look that the plan fixed; 80 % chance to settle" in line
    assert "if the candidate is truly equal" not in line


def test_after_a_sequence_a_new_run_of_two_looks_is_priced() -> None:
    line = _of_a_sequence(3)[1].settle[0]
    repeats = int(line.split("--repeats ")[1].split("`")[0])
    asked = int(line.split("asks ")[1].split(" requests")[0].replace(",", ""))
    assert "--resume" not in line
    assert asked == 2 * 28 * repeats  # so many repeats of each of 28 prompts reach every gate's n without more


def _split_words(within: float, between: float) -> str:
    """Say what a gate of 1.25 needs whose variance has these parts, as multiples of what the margin allows."""
    of = replace(planned(), plan=None)
    allowed = (0.2231436 / (1.6448536 + 0.8416212)) ** 2  # ln 1.25, z of 95 % and of 80 %
    gate: Any = SimpleNamespace(id="ttft_p50", margin=1.25, is_two_sided=False, reason="")
    split = Split(total=(within + between) * allowed, within=within * allowed)
    remedy = _split_remedy(of, SimpleNamespace(), gate, (), split, 28)  # type: ignore[arg-type]
    return _prompt_line(remedy)


def test_repeats_that_cannot_settle_it_and_those_that_would_take_too_many_are_told_apart() -> None:
    assert "more repetitions cannot settle it, 67 %" in _split_words(within=1.0, between=2.0)
    assert "more than ten times the repeats, 31 %" in _split_words(within=2.0, between=0.9)
    assert "add at least 2 prompts" in _prompt_line(Remedy(gate="ttft_p50", prompts=2))


def test_a_share_rests_on_the_candidates_own_rate() -> None:
    one, two = "slo: ttft <= 2 s in 99 %", "slo: e2e <= 9 s in 99 %"
    assert _if_true([one]) == "if its true share is as seen"
    assert _if_true([one, two]) == "if their true shares are as seen"
    assert _if_true(["tool_success", one]) == "if the candidate is truly equal and its true share is as seen"
    assert _if_true(["tool_success"]) == "if the candidate is truly equal"


def test_a_redacted_copy_names_the_original_as_what_goes_on() -> None:
    of = replace(planned(), redaction=Redaction())
    line = judge(broken(0.06, 5), broken(0.06, 6), of=of).settle[0]
    assert line.startswith("`bench compare a.yml b.yml --resume ORIGINAL-RUN --repeats ")
    assert "` (ORIGINAL-RUN: the run that this redacted copy was made from) adds " in line


def test_one_look_stays_one_look_in_a_new_run() -> None:
    settings = Settings(plan=PlanSettings(looks=LookScheme.SINGLE), verdict=Gates())
    of = planned(settings)
    assert of.plan is not None
    assert of.plan.looks == looks_of(LookScheme.SINGLE, 5)
    assert "--resume" not in judge(broken(0.06, 5), broken(0.06, 6), of=of).settle[0]
