"""What our user gets wrong ends with exit code 2, a message that names it, and nothing sent."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.record import Arm, ArmHeader
from harness.model.storage import RunWriter
from tests.cli.files import PROMPT, endpoint_file, golden_file, write_yaml
from tests.model.runs import a_header, a_plan

NAMED = {"name": "a", "base_url": "http://127.0.0.1:9/v1", "model": "m"}


class Doorbell:
    """A listening socket that knows whether somebody came."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def was_rung(self) -> bool:
        try:
            visitor, _ = self._socket.accept()
        except BlockingIOError:
            return False
        visitor.close()
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def doorbell() -> Iterator[Doorbell]:
    bell = Doorbell()
    yield bell
    bell.close()


def compare(folder: Path, *words: str) -> Any:
    out = ["--out", str(folder / "results"), "--reports", str(folder / "reports")]
    return CliRunner().invoke(main, ["compare", *words, *out])


ENDPOINT_MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "an unknown key": ({"modle": "m"}, ("b.yml:4", "unknown key 'modle'", "'model'")),
    "a wrong type": ({"limits": {"concurrency": "four"}}, ("b.yml:5", "limits.concurrency", "four")),
    "a value out of range": ({"limits": {"concurrency": 0}}, ("limits.concurrency", "0")),
    "a literal key": ({"api_key": "sk-canary-1234567890"}, ("b.yml:4", "environment variable", "${NAME")),
    "a missing variable": ({"api_key": "${BENCH_TEST_ABSENT}"}, ("BENCH_TEST_ABSENT",)),
    "a missing header variable": ({"headers": {"X-Team": "${BENCH_TEST_ABSENT}"}}, ("BENCH_TEST_ABSENT",)),
    "a key in a header": ({"headers": {"Authorization": "Bearer sk-canary-1"}}, ("holds a key", "${NAME}")),
    "a parameter of ours": ({"extra_body": {"stream": False}}, ("extra_body", "'stream'")),
    "a missing file": ({"tls": {"ca_file": "absent.pem"}}, ("tls.ca_file", "absent.pem")),
    "credentials in the URL": ({"base_url": "http://me:canary@127.0.0.1:1/v1"}, ("credentials",)),
    "a key in the URL": ({"base_url": "http://127.0.0.1:1/v1?key=canary"}, ("key in its query",)),
    "a length that is none": ({"sampling": {"max_tokens": "many"}}, ("max_tokens", "'many'", "prompt capital")),
    "a whole path in the URL": ({"base_url": "http://127.0.0.1:1/v1/chat/completions"}, ("/chat/completions",)),
}


@pytest.mark.parametrize("mistake", ENDPOINT_MISTAKES)
def test_a_mistake_in_an_endpoint_file_is_named_and_nothing_is_sent(
    mistake: str, tmp_path: Path, doorbell: Doorbell
) -> None:
    changes, words = ENDPOINT_MISTAKES[mistake]
    good = endpoint_file(tmp_path, "a", doorbell.base_url)
    bad = endpoint_file(tmp_path, "b", **{"base_url": doorbell.base_url, **changes})
    shown = compare(tmp_path, str(good), str(bad), "--golden", str(golden_file(tmp_path)))
    assert shown.exit_code == 2, shown.output
    for word in words:
        assert word in shown.output
    assert "canary" not in shown.output
    assert not doorbell.was_rung()
    assert not list(tmp_path.glob("results/*"))


GOLDEN_MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "an unknown check": ({"checks": [{"contians": "x"}]}, ("contians", "contains")),
    "a check without its argument": ({"checks": [{"number_equals": "many"}]}, ("capital", "number")),
    "a bad pattern": ({"checks": [{"regex": "("}]}, ("capital", "regex")),
    "a bad schema": ({"checks": [{"json_schema": {"type": "nonsense"}}]}, ("capital", "json")),
    "a model": ({"request": {**PROMPT["request"], "model": "m"}}, ("prompts[0].request.model", "'model'")),
    "no messages": ({"request": {"max_tokens": 4}}, ("prompts[0].request.messages", "no messages")),
    "an unknown key": ({"check": []}, ("unknown key 'check'", "'checks'")),
}


@pytest.mark.parametrize("mistake", GOLDEN_MISTAKES)
def test_a_mistake_in_a_golden_set_is_named_and_nothing_is_sent(
    mistake: str, tmp_path: Path, doorbell: Doorbell
) -> None:
    changes, words = GOLDEN_MISTAKES[mistake]
    file = endpoint_file(tmp_path, "a", doorbell.base_url)
    golden = golden_file(tmp_path, {**PROMPT, **changes})
    shown = compare(tmp_path, str(file), str(file), "--golden", str(golden))
    assert shown.exit_code == 2, shown.output
    for word in words:
        assert word in shown.output
    assert not doorbell.was_rung()


def test_a_repeated_prompt_id_is_named(tmp_path: Path, doorbell: Doorbell) -> None:
    file = endpoint_file(tmp_path, "a", doorbell.base_url)
    shown = compare(tmp_path, str(file), str(file), "--golden", str(golden_file(tmp_path, PROMPT, PROMPT)))
    assert shown.exit_code == 2
    assert "'capital' is given twice" in shown.output


def test_an_undeclared_difference_of_the_bodies_cannot_be_made_but_a_declared_one_can(
    tmp_path: Path, doorbell: Doorbell
) -> None:
    reference = endpoint_file(tmp_path, "a", doorbell.base_url)
    candidate = endpoint_file(
        tmp_path, "b", doorbell.base_url, params={"rename": {"max_tokens": "max_completion_tokens"}}
    )
    golden = golden_file(tmp_path)
    shown = compare(tmp_path, str(reference), str(candidate), "--golden", str(golden), "--max-cost", "1")
    assert shown.exit_code == 2
    assert "price book" in shown.output  # the bodies were accepted; the budget was the next question


def test_a_run_that_may_cost_more_than_allowed_is_not_started(tmp_path: Path, doorbell: Doorbell) -> None:
    prices = {"input_per_mtok": 1000, "output_per_mtok": 1000}
    file = endpoint_file(tmp_path, "a", doorbell.base_url, prices=prices)
    golden = golden_file(tmp_path)
    shown = compare(tmp_path, str(file), str(file), "--golden", str(golden), "--max-cost", "0.01")
    assert shown.exit_code == 2
    assert "more than --max-cost 0.01" in shown.output
    assert not doorbell.was_rung()


def test_the_cost_is_that_of_what_this_endpoint_is_asked_for(tmp_path: Path, doorbell: Doorbell) -> None:
    prices = {"input_per_mtok": 0, "output_per_mtok": 1000}
    file = endpoint_file(tmp_path, "a", doorbell.base_url, prices=prices, sampling={"max_tokens": 10_000})
    words = ["--golden", str(golden_file(tmp_path)), "--max-cost", "1", "--repeats", "1"]
    shown = compare(tmp_path, str(file), str(file), *words)
    assert shown.exit_code == 2
    assert "more than --max-cost" in shown.output


def test_a_required_cost_without_prices_is_refused_before_anything_is_sent(tmp_path: Path, doorbell: Doorbell) -> None:
    prices = {"input_per_mtok": 1, "output_per_mtok": 1}
    priced = endpoint_file(tmp_path, "a", doorbell.base_url, prices=prices)
    bare = endpoint_file(tmp_path, "b", doorbell.base_url)
    settings = tmp_path / "settings.yml"
    settings.write_text("verdict:\n  cost_per_success: {margin: 1.25, required: true}\n", encoding="utf-8")
    words = ["--golden", str(golden_file(tmp_path)), "--settings", str(settings)]
    shown = compare(tmp_path, str(priced), str(bare), *words)
    assert shown.exit_code == 2
    assert "cost_per_success is required, and b has no prices" in shown.output
    assert "Add prices:" in shown.output
    assert not doorbell.was_rung()


def test_a_budget_needs_a_bound_on_every_answer(tmp_path: Path, doorbell: Doorbell) -> None:
    prices = {"input_per_mtok": 1, "output_per_mtok": 1}
    params = {"drop": ["max_tokens"]}
    file = endpoint_file(tmp_path, "a", doorbell.base_url, prices=prices, params=params)
    shown = compare(tmp_path, str(file), str(file), "--golden", str(golden_file(tmp_path)), "--max-cost", "100000")
    assert shown.exit_code == 2
    assert "pin no max_tokens: capital" in shown.output
    assert not doorbell.was_rung()


def test_a_folder_that_can_take_no_report_is_found_before_anything_is_sent(tmp_path: Path, doorbell: Doorbell) -> None:
    file = endpoint_file(tmp_path, "a", doorbell.base_url)
    (tmp_path / "reports").write_text("a file")
    for command in (["compare", str(file), str(file)], ["run", str(file)]):
        words = [*command, "--golden", str(golden_file(tmp_path)), "--reports", str(tmp_path / "reports")]
        shown = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "results")])
        assert shown.exit_code == 2, shown.output
        assert "reports cannot be written" in shown.output
        assert not doorbell.was_rung()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"verdict": {"tool_sucess": {"margin": 0.1}}}, ("tool_sucess", "tool_success")),
        ({"verdict": {"ttft_p50": {"margin": 0.8}}}, ("ttft_p50", "above 1")),
        ({"verdict": {"decode_p50": {"margin": 1.2}}}, ("decode_p50", "below 1")),
        ({"plan": {"repeats": 0}}, ("plan.repeats", "0")),
        ({"load": [4, 2.5]}, ("load[1]", "2.5", "requests in flight")),
        ({"load": [5000]}, ("load[0]", "5000", "4096")),
        ({"load": list(range(1, 18))}, ("load", "16")),
        ({"arrival": {"process": "poisson"}}, ("arrival.process", "needs a rate")),
        ({"arrival": {"process": "poisson"}, "load": [1e-9]}, ("load[0]", "1e-09", "0.001")),
        ({"arrival": {"max_in_flight": 3}}, ("arrival.max_in_flight", "no effect")),
        (
            {"arrival": {"process": "constant"}, "load": [1], "plan": {"look_ahead": 3}},
            ("plan.look_ahead", "no effect"),
        ),
        ({"max_cost": 1, "plan": {"warmup_s": 5}}, ("warmup_s", "max-cost")),
    ],
)
def test_a_mistake_in_a_settings_file_is_named(
    content: object, words: tuple[str, ...], tmp_path: Path, doorbell: Doorbell
) -> None:
    file = endpoint_file(tmp_path, "a", doorbell.base_url)
    settings = write_yaml(tmp_path / "settings.yml", content)
    golden = golden_file(tmp_path)
    shown = compare(tmp_path, str(file), str(file), "--golden", str(golden), "--settings", str(settings))
    assert shown.exit_code == 2, shown.output
    for word in words:
        assert word in shown.output
    assert not doorbell.was_rung()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--load", "1,x"], ("'x'", "1,4,16")),
        (["--load", "0"], ("'0'", "above 0")),
        (["--load", "1e400"], ("above 0",)),
        (["--load", ",".join("1" * 17)], ("17 levels", "16")),
        (["--load", "4", "--concurrency", "2"], ("--concurrency", "--load 8")),
        (["--arrival", "poisson"], ("needs a rate",)),
        (["--arrival", "often"], ("'often'", "'poisson'")),
        (["--workers", "5", "--load", "4"], ("--workers 5", "4 requests in flight", "--workers 4")),
        (["--twin", "--isolate"], ("--twin", "--isolate")),
    ],
)
def test_a_load_that_cannot_be_is_refused_before_anything_is_sent(
    given: list[str], words: tuple[str, ...], tmp_path: Path, doorbell: Doorbell
) -> None:
    file = str(endpoint_file(tmp_path, "a", doorbell.base_url))
    shown = compare(tmp_path, file, file, "--golden", str(golden_file(tmp_path)), *given)
    assert shown.exit_code == 2, shown.output
    for word in words:
        assert word in shown.output
    assert not doorbell.was_rung()


def test_a_load_beyond_a_files_limit_or_the_set_is_said(tmp_path: Path, doorbell: Doorbell) -> None:
    file = str(endpoint_file(tmp_path, "a", doorbell.base_url, limits={"concurrency": 2}))
    words = [file, file, "--golden", str(golden_file(tmp_path)), "--max-cost", "1", "--load", "64", "--repeats", "3"]
    output = compare(tmp_path, *words).output
    assert "a load of 64 is more than limits.concurrency of the candidate, 2" in output
    assert "cannot keep 64 in flight" in output
    assert "both sides run at the lower" not in output


@pytest.mark.parametrize("missing", ["absent.yml", "results/absent"])
def test_a_side_that_does_not_exist_is_named(missing: str, tmp_path: Path) -> None:
    shown = compare(tmp_path, missing, missing)
    assert shown.exit_code == 2
    assert missing in shown.output
    assert "endpoint file" in shown.output


def test_a_proxy_on_the_way_is_named_without_its_password(
    tmp_path: Path, doorbell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:canary-word@proxy.test:3128")
    file = endpoint_file(tmp_path, "a", doorbell.base_url)
    shown = compare(tmp_path, str(file), str(file), "--golden", str(golden_file(tmp_path)), "--max-cost", "1")
    assert "the candidate is reached through the proxy proxy.test:3128" in shown.output
    assert "canary" not in shown.output


def test_concurrencies_that_differ_are_said_to_be_made_equal(tmp_path: Path, doorbell: Doorbell) -> None:
    files = [
        endpoint_file(tmp_path, name, doorbell.base_url, limits={"concurrency": n}) for name, n in (("a", 3), ("b", 9))
    ]
    golden = golden_file(tmp_path)
    shown = compare(tmp_path, str(files[0]), str(files[1]), "--golden", str(golden), "--max-cost", "1")
    assert "limits.concurrency differs; both sides run at the lower, 3" in shown.output


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert shown.exit_code == 2
    assert "not a run folder" in shown.output


@pytest.mark.parametrize("part", ["endpoint", "golden", "settings"])
def test_a_header_whose_inside_is_damaged_is_named_by_its_path(part: str, tmp_path: Path) -> None:
    inside: dict[str, object] = {"unheard_of": 1}
    arm = ArmHeader(arm=Arm.REFERENCE, endpoint=inside if part == "endpoint" else NAMED)
    golden = inside if part == "golden" else {"name": "g", "prompts": []}
    plan = replace(a_plan(), settings=inside if part == "settings" else {})
    with RunWriter(tmp_path / "r", a_header(arms=(arm,), golden=golden, plan=plan)):
        pass
    shown = CliRunner().invoke(main, ["report", str(tmp_path / "r"), "--reports", str(tmp_path / "reports")])
    assert shown.exit_code == 2, shown.output
    assert "run.json: damaged: " in shown.output
    assert "unheard_of" in shown.output
