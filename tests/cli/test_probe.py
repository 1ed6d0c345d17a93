"""`bench probe` against simulated endpoints: what is sent, what is written, how it ends."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.simulator.process import running_simulator
from tests.cli.files import endpoint_file, write_yaml
from tests.cli.test_mistakes import Doorbell

CORE = ("models", "chat", "stream", "stream_usage", "usage_agreement", "max_tokens", "stop_string")


@contextmanager
def featured(folder: Path, **sides: Mapping[str, str]) -> Iterator[dict[str, Path]]:
    """Serve endpoints whose features are switched; give their endpoint files."""
    with ExitStack() as stack:
        files = {}
        for name, features in sides.items():
            profile = write_yaml(folder / f"profile-{name}.yml", {"name": name, "features": dict(features)})
            simulator = stack.enter_context(running_simulator(profile))
            files[name] = endpoint_file(folder, name, simulator.base_url)
        yield files


def probing(folder: Path, *words: str) -> Result:
    output = ["--out", str(folder / "results"), "--reports", str(folder / "reports"), "--rate", "60000"]
    return CliRunner().invoke(main, ["probe", *words, *output])


def only(*ids: str) -> list[str]:
    return [word for probe in ids for word in ("--probe", probe)]


def test_two_endpoints_stand_side_by_side_the_differences_first(tmp_path: Path) -> None:
    with featured(tmp_path, a={}, b={"stop_string": "ignored"}) as files:
        shown = probing(tmp_path, str(files["a"]), str(files["b"]), *only(*CORE))
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.stdout.splitlines()]
    heads = rows.index(["probe", "a", "b", "asked", "evidence"])
    assert rows[heads + 1][:4] == ["stop_string", "supported", "ignored", "3x"]
    assert [row[0] for row in rows if row[1:3] == ["supported", "supported"]] == list(CORE[:-1])
    assert shown.stdout.index("stop_string") < shown.stdout.index("the same on all:")
    assert "what your code must change" in shown.stdout


def test_the_cost_is_said_before_and_every_probe_as_it_ends(tmp_path: Path) -> None:
    with featured(tmp_path, a={}) as files:
        shown = probing(tmp_path, str(files["a"]), *only("chat", "stream"))
    before, _, after = shown.stderr.partition("1/2 chat: supported")
    assert "probing a: 2 probes, at most 4 requests" in before
    assert "cost unknown (no price book)" in before
    assert "2/2 stream: supported" in after


def test_page_markdown_and_folder_are_written(tmp_path: Path) -> None:
    with featured(tmp_path, a={"chat": "broken"}) as files:
        shown = probing(tmp_path, str(files["a"]), *only("models", "chat"), "--json")
    assert shown.exit_code == 0, shown.output
    content = json.loads(shown.stdout)
    folder = Path(content["folders"][0])
    assert json.loads((folder / "probes.json").read_text())["results"] == content["endpoints"][0]["results"]
    assert {file.name for file in folder.iterdir()} == {"probes.json", "exchanges.jsonl", "streams.bin"}
    page, markdown = sorted((tmp_path / "reports").iterdir())
    assert (page.suffix, markdown.suffix) == (".html", ".md")
    assert str(page) == content["page"]
    assert "broken" in markdown.read_text()
    assert content["differences"] == []


def test_groups_and_single_probes_add_up(tmp_path: Path) -> None:
    with featured(tmp_path, a={}) as files:
        shown = probing(tmp_path, str(files["a"]), "--group", "errors", "--probe", "chat", "--json")
    results = json.loads(shown.stdout)["endpoints"][0]["results"]
    assert {result["group"] for result in results} == {"core", "errors"}
    assert [result["id"] for result in results if result["group"] == "core"] == ["chat"]
    contract = [
        result for result in results if result["id"].startswith("error_") and result["id"] != "error_rate_limit"
    ]
    assert contract
    assert all(result["errors"] for result in contract)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--group", "colours"), ("unknown group 'colours'", "Known: core")),
        (("--probe", "telepathy"), ("unknown probe 'telepathy'",)),
        (("--max-cost", "1"), ("--max-cost needs a price book",)),
    ],
)
def test_a_mistake_is_named_and_nothing_is_sent(words: tuple[str, ...], told: tuple[str, ...], tmp_path: Path) -> None:
    bell = Doorbell()
    shown = probing(tmp_path, str(endpoint_file(tmp_path, "a", bell.base_url)), *words)
    assert shown.exit_code == 2, shown.output
    assert all(word in shown.output for word in told)
    assert not bell.was_rung()
    bell.close()
    assert not (tmp_path / "results").exists()


def test_the_second_endpoints_missing_key_is_found_before_the_first_is_asked(tmp_path: Path) -> None:
    bell = Doorbell()
    files = [
        endpoint_file(tmp_path, name, bell.base_url, **more)
        for name, more in (("a", {}), ("b", {"api_key": "${BENCH_TEST_ABSENT}"}))
    ]
    shown = probing(tmp_path, *map(str, files), *only("chat"))
    assert shown.exit_code == 2
    assert "BENCH_TEST_ABSENT" in shown.output
    assert not bell.was_rung()
    bell.close()


def test_one_file_twice_is_refused(tmp_path: Path) -> None:
    file = str(endpoint_file(tmp_path, "a", "http://127.0.0.1:9/v1"))
    shown = probing(tmp_path, file, file)
    assert shown.exit_code == 2
    assert "two endpoint files have the name 'a'" in shown.output


def test_more_money_than_allowed_is_refused(tmp_path: Path) -> None:
    prices: dict[str, Any] = {"input_per_mtok": 1000, "output_per_mtok": 1000}
    file = endpoint_file(tmp_path, "a", "http://127.0.0.1:9/v1", prices=prices)
    shown = probing(tmp_path, str(file), *only("chat"), "--max-cost", "0.01")
    assert shown.exit_code == 2
    assert "more than --max-cost 0.0100; nothing was sent" in shown.output


def test_an_endpoint_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    file = endpoint_file(tmp_path, "a", "http://127.0.0.1:9/v1")
    shown = probing(tmp_path, str(file))
    assert shown.exit_code == 75, shown.output
    told = [line for line in shown.output.splitlines() if "connect" in line]
    assert len(told) == 1
    assert "http://127.0.0.1:9/v1 cannot be reached (connect: " in told[0]
    assert "inconclusive" not in shown.output
    assert list((tmp_path / "reports").iterdir()) == []


def test_what_is_repeated_and_what_is_left_out_is_said_beforehand(tmp_path: Path) -> None:
    file = endpoint_file(tmp_path, "a", "http://127.0.0.1:9/v1", params={"drop": ["max_tokens"]})
    shown = probing(tmp_path, str(file), *only("stop_string", "temperature", "seed", "context_overflow", "models"))
    assert "5 probes (3 of them hang on the model's choice and are asked 3 to 5 times)" in shown.stderr
    assert "not sent and not counted: context_overflow" in shown.stderr
    assert "requests have no budget" in shown.stderr
    assert "or more" not in shown.stderr


def test_money_without_a_bound_or_in_two_currencies_is_refused(tmp_path: Path) -> None:
    prices: dict[str, Any] = {"input_per_mtok": 1, "output_per_mtok": 1}
    a = endpoint_file(tmp_path, "a", "http://127.0.0.1:9/v1", prices=prices)
    b = endpoint_file(tmp_path, "b", "http://127.0.0.1:9/v1", prices=prices | {"currency": "EUR"})
    both = probing(tmp_path, str(a), str(b), *only("chat"), "--max-cost", "100")
    assert (both.exit_code, "prices are in EUR and USD" in both.output) == (2, True), both.output
    c = endpoint_file(tmp_path, "c", "http://127.0.0.1:9/v1", prices=prices, params={"drop": ["max_tokens"]})
    unbounded = probing(tmp_path, str(c), *only("chat"), "--max-cost", "100")
    assert (unbounded.exit_code, "needs a bound on every answer" in unbounded.output) == (2, True), unbounded.output


def test_the_sum_of_both_endpoints_is_held_against_the_money(tmp_path: Path) -> None:
    prices: dict[str, Any] = {"input_per_mtok": 0, "output_per_mtok": 0, "per_request": 1}
    files = [str(endpoint_file(tmp_path, name, "http://127.0.0.1:9/v1", prices=prices)) for name in ("a", "b")]
    words = [*only("chat"), "--max-cost", "1.5"]
    assert probing(tmp_path, files[0], *words).exit_code == 75, "one request each costs 1"
    refused = probing(tmp_path, *files, *words)
    assert refused.exit_code == 2
    assert "the probes may cost 2.00, more than --max-cost 1.50; nothing was sent" in refused.output


def test_a_burst_is_sent_where_it_is_asked_for(tmp_path: Path) -> None:
    with featured(tmp_path, a={"error_rate_limit": "supported"}) as files:
        shown = probing(tmp_path, str(files["a"]), *only("chat"), "--provoke-rate-limit", "40", "--json")
    assert shown.exit_code == 0, shown.output
    results = {result["id"]: result for result in json.loads(shown.stdout)["endpoints"][0]["results"]}
    assert results["error_rate_limit"]["outcome"] == "supported"
    assert results["error_rate_limit"]["status"] == 429
