"""`bench init`: what it writes, what it refuses, and that a smoke test finds what an endpoint cannot do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from harness.analysis.allocation import allocate
from harness.cli import main
from harness.cli.initasking import offered_lines, variable_name
from harness.cli.initfiles import SHORT_SET, first_golden_set, names_of, spread
from harness.errors import ConfigError
from harness.model.endpointfile import load_endpoint
from harness.model.goldenfile import load_golden_set
from harness.model.record import Arm
from harness.model.settings import Settings
from harness.model.shipped import shipped_golden_set
from tests.cli.simulated import Bench
from tests.cli.test_mistakes import Doorbell

KEY = "sk-canary-0123456789abcdef0123"
URLS = ("--reference-url", "https://a.test/v1", "--candidate-url", "https://b.test/v1")
MODELS = ("--reference-model", "one", "--candidate-model", "vendor/two")


def init(folder: Path, *words: str, **more: Any) -> Result:
    return CliRunner().invoke(main, ["init", "--out", str(folder), *words], **more)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with Bench(folder=tmp_path).serving("a") as simulator:
        yield simulator.base_url


def test_without_a_terminal_it_writes_two_endpoints_and_a_set_and_sends_nothing(tmp_path: Path) -> None:
    words = ["--reference-key-variable", "REFERENCE_KEY", "--yes", "--no-smoke"]
    shown = init(tmp_path, *URLS, *MODELS, *words)
    assert shown.exit_code == 0, shown.output
    a, b = load_endpoint(tmp_path / "a.yml"), load_endpoint(tmp_path / "b.yml")
    assert (a.name, a.base_url, a.model, a.api_key) == ("one", "https://a.test/v1", "one", "${REFERENCE_KEY}")
    assert (b.name, b.base_url, b.model, b.api_key) == ("two", "https://b.test/v1", "vendor/two", None)
    golden = load_golden_set(tmp_path / "golden.yml")
    assert len(golden.prompts) == SHORT_SET
    assert shown.stdout.splitlines()[-1].endswith("bench compare a.yml b.yml --golden golden.yml")


def test_the_short_set_has_every_category_and_five_timed_prompts() -> None:
    prompts = load_golden_set(shipped_golden_set()).prompts
    short = spread(prompts, SHORT_SET, n_timed=5)
    assert {one.category for one in short} == {one.category for one in prompts}
    assert sum(one.measure.decode for one in short) >= 5
    assert [prompts.index(one) for one in short] == sorted(prompts.index(one) for one in short)


@pytest.mark.parametrize(("is_whole", "gates"), [(False, {"tool_success", "json_validity"}), (True, set())])
def test_what_is_said_of_the_short_set_is_so(is_whole: bool, gates: set[str]) -> None:
    golden = first_golden_set(load_golden_set(shipped_golden_set()), is_whole=is_whole)
    assert {one.gate for one in allocate(golden, Settings()).demotions} == gates


def test_the_short_set_is_said_to_be_too_small_for_two_gates(tmp_path: Path) -> None:
    words = (*URLS, *MODELS, "--yes", "--no-smoke")
    assert "--prompts whole has enough" in init(tmp_path / "short", *words).stderr
    assert "--prompts whole" not in init(tmp_path / "whole", *words, "--prompts", "whole").stderr


@pytest.mark.parametrize(("choice", "n"), [("whole", 40), ("none", None)])
def test_the_whole_set_or_none(choice: str, n: int | None, tmp_path: Path) -> None:
    shown = init(tmp_path, *URLS, *MODELS, "--yes", "--no-smoke", "--prompts", choice)
    assert shown.exit_code == 0, shown.output
    file = tmp_path / "golden.yml"
    assert (len(load_golden_set(file).prompts) if file.exists() else None) == n


def test_what_is_there_is_never_replaced_unless_forced(tmp_path: Path) -> None:
    mine = tmp_path / "b.yml"
    mine.write_text("mine")
    shown = init(tmp_path, *URLS, *MODELS, "--yes", "--no-smoke")
    assert shown.exit_code == 2
    assert f"{mine} exists already" in shown.output
    assert "--force" in shown.output
    assert mine.read_text() == "mine"
    assert not (tmp_path / "a.yml").exists()
    assert init(tmp_path, *URLS, *MODELS, "--yes", "--no-smoke", "--force").exit_code == 0
    assert load_endpoint(mine).model == "vendor/two"


@pytest.mark.parametrize("option", ["--key-variable", "--reference-key-variable", "--candidate-key-variable"])
def test_a_pasted_key_is_refused_and_not_shown(option: str, tmp_path: Path) -> None:
    shown = init(tmp_path, *URLS, *MODELS, "--yes", "--no-smoke", option, KEY)
    assert shown.exit_code == 2
    assert option in shown.output
    assert "export OPENAI_API_KEY" in shown.output
    assert "canary" not in shown.output
    assert not list(tmp_path.iterdir())


def test_a_key_typed_at_the_question_is_refused_and_not_shown_again(tmp_path: Path) -> None:
    typed = f"https://a.test/v1\n{KEY}\n"
    shown = init(tmp_path, *MODELS, "--no-smoke", input=typed)
    assert shown.exit_code == 2
    assert shown.output.count("canary") <= 1  # what the runner echoes of the typing
    assert "canary" not in shown.output.rpartition("bench: ")[2]


@pytest.mark.parametrize("url", ["https://me:canary@a.test/v1", "https://a.test/v1?api_key=canary"])
def test_a_key_in_the_address_is_refused_and_not_shown(url: str, tmp_path: Path) -> None:
    words = ["--reference-url", url, "--candidate-url", "https://b.test/v1", *MODELS]
    shown = init(tmp_path, *words, "--yes", "--no-smoke")
    assert shown.exit_code == 2
    assert "canary" not in shown.output


@pytest.mark.parametrize(
    ("given", "name"), [("OPENAI_API_KEY", "OPENAI_API_KEY"), ("$MY_KEY", "MY_KEY"), ("${my_key}", "my_key")]
)
def test_a_variable_may_be_written_as_in_a_shell(given: str, name: str) -> None:
    assert variable_name(given, "--key-variable") == name


@pytest.mark.parametrize(
    "given", [KEY, "hf_AbCdEfGhIjKlMnOpQrSt", "a3f9c0d1e2b3a4c5d6e7f809", "two words", "${}", "9A"]
)
def test_what_may_be_a_key_is_no_variable(given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        variable_name(given, "--key-variable")
    assert given not in str(caught.value)


def test_what_is_missing_is_named_where_nobody_can_be_asked(tmp_path: Path) -> None:
    assert "--candidate-url is not given" in init(tmp_path, *URLS[:2], *MODELS, "--yes", "--no-smoke").output
    shown = init(tmp_path, *URLS[:2], *MODELS, "--no-smoke", "--key-variable", "K", input="")
    assert shown.exit_code == 2
    assert "--candidate-url is not given" in shown.output
    shown = init(tmp_path, *URLS, "--yes", "--no-smoke")
    assert "--reference-model is not given" in shown.output


def test_names_are_what_tells_the_endpoints_apart() -> None:
    urls = {Arm.REFERENCE: "https://api.a.test/v1", Arm.CANDIDATE: "http://127.0.0.1:8000/v1"}
    same, apart = dict.fromkeys(urls, "m"), {Arm.REFERENCE: "org/m-1", Arm.CANDIDATE: "m 2"}
    assert list(names_of(urls, apart).values()) == ["m-1", "m-2"]
    assert list(names_of(urls, same).values()) == ["api.a.test", "127.0.0.1-8000"]
    assert list(names_of(dict.fromkeys(urls, "https://a.test"), same).values()) == ["reference", "candidate"]


def test_a_long_list_of_models_is_cut_and_cannot_colour_the_terminal() -> None:
    lines = offered_lines([f"m{n}\x1b[31m" for n in range(30)])
    assert lines[-1] == "... and 10 more"
    assert not any("\x1b" in line for line in lines)


def test_an_address_without_its_version_is_mended_and_the_only_model_taken(served: str, tmp_path: Path) -> None:
    bare = served.removesuffix("/v1")
    folder = tmp_path / "new"
    words = ["--reference-url", bare, "--candidate-url", served, "--candidate-model", "sim-model", "--yes"]
    shown = init(folder, *words, "--prompts", "none")
    assert shown.exit_code == 0, shown.output
    assert f"{bare} answers 404, {served} does not" in shown.output
    assert "the reference offers one model, which is taken: sim-model" in shown.output
    assert load_endpoint(folder / "a.yml").base_url == served
    assert "3 probes" in shown.output  # what it costs is said
    assert shown.output.index("3 probes") < shown.output.index("works")
    assert shown.output.count("completion: ") == 2
    assert len(list((folder / "results").glob("*-probe"))) == 2


def test_a_model_that_is_not_listed_is_warned_of(served: str, tmp_path: Path) -> None:
    words = ["--reference-url", served, "--candidate-url", served, "--reference-model", "sim-model"]
    shown = init(tmp_path / "new", *words, "--candidate-model", "other", "--yes", "--prompts", "none")
    assert "the candidate does not list 'other' among its 1 models" in shown.output


def test_an_endpoint_whose_key_is_not_there_is_left_out_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_TEST_ABSENT", raising=False)
    bell = Doorbell()
    words = ["--reference-url", bell.base_url, "--candidate-url", bell.base_url, *MODELS]
    shown = init(tmp_path / "new", *words, "--key-variable", "BENCH_TEST_ABSENT", "--yes", "--prompts", "none")
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("BENCH_TEST_ABSENT is not set") == 2
    assert not bell.was_rung()
    bell.close()


def test_a_smoke_test_that_fails_leaves_the_files_and_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    words = ["--reference-url", "http://127.0.0.1:9/v1", "--candidate-url", "http://127.0.0.1:9/v1", *MODELS]
    shown = init(folder, *words, "--yes", "--prompts", "none")
    assert shown.exit_code == 75, shown.output
    assert "the smoke test failed: the reference and the candidate cannot be measured yet" in shown.output
    assert "could not be reached" in shown.output
    assert yaml.safe_load((folder / "a.yml").read_text())["model"] == "one"


def test_a_slip_at_the_terminal_is_asked_again_and_no_answer_is_lost(tmp_path: Path) -> None:
    typed = "127.0.0.1:8131\nhttps://a.test/v1\ntwo words\nA_KEY\none\nhttps://b.test/v1\n\ntwo\n"
    shown = init(tmp_path / "new", "--prompts", "none", "--no-smoke", input=typed)
    assert shown.exit_code == 0, shown.output
    a, b = load_endpoint(tmp_path / "new" / "a.yml"), load_endpoint(tmp_path / "new" / "b.yml")
    assert (a.base_url, a.api_key, a.model) == ("https://a.test/v1", "${A_KEY}", "one")
    assert (b.base_url, b.api_key, b.model) == ("https://b.test/v1", None, "two")
    assert shown.output.count("Base URL of the reference") == 2
    assert "begins with http:// or https://" in shown.output
    assert "--reference" not in shown.output  # nobody typed an option
    assert "typed as an option" not in shown.output


@pytest.mark.parametrize(("place", "option"), [("127.0.0.1:8131", "--reference-url"), ("http://", "--reference-url")])
def test_a_wrong_address_names_the_option_that_it_was_given_by(place: str, option: str, tmp_path: Path) -> None:
    words = ["--reference-url", place, "--candidate-url", "https://b.test/v1", *MODELS]
    shown = init(tmp_path / "new", *words, "--yes", "--no-smoke")
    assert shown.exit_code == 2
    assert f"bench: {option}: " in shown.output
    assert "-model" not in shown.output


def test_an_endpoint_that_is_not_there_is_said_by_its_address(tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9/v1"
    words = ["--reference-url", dead, "--reference-model", "one", "--candidate-url", dead, "--yes"]
    shown = init(tmp_path / "new", *words)
    assert shown.exit_code == 2
    assert f"bench: {dead}: the candidate could not be reached" in shown.output
    assert "mend --candidate-url" in shown.output


def test_answers_at_the_terminal_make_the_same_files(served: str, tmp_path: Path) -> None:
    typed = f"{served}\n\n{served}\n\n"
    shown = init(tmp_path / "new", "--prompts", "none", input=typed)
    assert shown.exit_code == 0, shown.output
    assert load_endpoint(tmp_path / "new" / "b.yml").model == "sim-model"
    report = json.loads(next((tmp_path / "new" / "results").glob("*-probe/probes.json")).read_text())
    assert [one["id"] for one in report["results"]] == ["chat", "stream", "tool_auto"]
