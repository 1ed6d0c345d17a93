"""The hint that says how to go on with a run: what it was given and the run does not hold is said again."""

import shlex

import pytest

from harness.cli.compare import compare
from harness.cli.goingon import kept_words
from harness.cli.run import run

GIVEN = "--out rx --reports rpx --ledger hx.jsonl --markdown m.md --log l.txt --lock l.lock --step-summary"


def _kept(words: str) -> set[str]:
    with compare.make_context("compare", ["a.yml", "b.yml", *shlex.split(words)]):
        return set(kept_words())


def test_what_the_run_does_not_hold_is_kept() -> None:
    assert _kept(GIVEN) == set(GIVEN.split())
    with run.make_context("run", ["a.yml", "--reports", "a folder", "--probes", "x", "--probes", "y"]):
        kept = kept_words()
    assert kept == ["--probes", "x", "--probes", "y", "--reports", "a folder"]


@pytest.mark.parametrize("words", ["", "--repeats 4 --load 2 --max-requests 6 --seed 3 --golden g.yml"])
def test_what_the_plan_says_or_the_command_has_by_itself_is_not(words: str) -> None:
    assert _kept(words) == set()


def test_a_settings_file_is_kept_but_not_beside_a_preset_whose_margins_are_others() -> None:
    assert _kept("--settings s.yml") == {"--settings", "s.yml"}
    assert _kept("--settings s.yml --quick") == set()


def test_without_a_command_there_is_nothing_to_keep() -> None:
    assert kept_words() == []
