"""The page on failures names every kind with its policy, as the code has it."""

import re
from pathlib import Path

from harness.measure.breaker import MAY_BE_LOAD, UNREACHABLE
from harness.model.retries import POLICIES
from harness.model.settings import BreakerSettings, RetrySettings

PAGE = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")


def test_the_table_holds_the_policies() -> None:
    rows = {f"| `{kind}` | {policy.how} | {policy.why} |" for kind, policy in POLICIES.items()}
    shown = re.findall(r"^\| `[a-z_]+` \| (?:never|backoff|as asked|once, delayed) \|.*$", PAGE, re.MULTILINE)
    assert set(shown) == rows


def test_the_defaults_are_those_of_the_settings() -> None:
    retries, breaker = RetrySettings(), BreakerSettings()
    shown = {name: float(value) for name, value in re.findall(r"^  ([a-z_]+): +([0-9.]+) ", PAGE, re.MULTILINE)}
    assert shown == {
        "max_attempts": 3,  # the example: 1 by default, which the page says
        "backoff_s": retries.backoff_s,
        "max_backoff_s": retries.max_backoff_s,
        "delayed_s": retries.delayed_s,
        "max_wait_s": retries.max_wait_s,
        "unreachable": breaker.unreachable,
        "from_the_start": breaker.from_the_start,
        "without_success": breaker.without_success,
    }
    assert retries.max_attempts == 1


def test_the_kinds_that_show_an_endpoint_dead_are_named() -> None:
    sentence = re.search(r"The first rule counts the kinds (.*?)\.", PAGE, re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`([a-z_]+)`", sentence[1])) == {str(kind) for kind in UNREACHABLE}


def test_the_kinds_that_load_may_explain_are_named() -> None:
    sentence = re.search(r"does not count for it: (.*?)\.", PAGE, re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`([a-z_]+)`", sentence[1])) == {str(kind) for kind in MAY_BE_LOAD}
