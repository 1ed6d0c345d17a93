"""`bench golden`: check, show, import, export and sample, as a user calls them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.options import resolve_golden
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import GOLDEN_SETS, shipped_golden_set, shipped_profile
from harness.simulator.serving import read_serving
from tests.cli.files import PROMPT, golden_file, write_yaml

DATA = Path(__file__).resolve().parents[1] / "model" / "data"
SUBCOMMANDS = ("check", "show", "import", "export", "sample")
WIDTH = 80
PINNED = {"temperature": 0, "top_p": 1, "max_tokens": 10}


def bench(*words: object) -> Result:
    return CliRunner().invoke(main, ["golden", *map(str, words)])


def imported(folder: Path, file: Path, *words: str, name: str = "set.yml") -> tuple[str, Path]:
    output = folder / name
    shown = bench("import", file, "-o", output, *words)
    assert shown.exit_code == 0, shown.output
    return " ".join(shown.stdout.split()), output


def lines_file(folder: Path, *values: Any, name: str = "in.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return file


def a_body(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **PINNED, **more}


def test_the_group_holds_exactly_these_commands_each_with_an_example() -> None:
    group = main.commands["golden"]
    assert set(group.commands) == set(SUBCOMMANDS)  # type: ignore[attr-defined]  # a group
    for name in SUBCOMMANDS:
        shown = bench(name, "--help")
        assert shown.exit_code == 0
        assert f"bench golden {name}" in shown.output.split("Example:")[1]
    for command in group.commands.values():  # type: ignore[attr-defined]
        assert all(getattr(p, "help", None) for p in command.params if p.param_type_name == "option")


@pytest.mark.parametrize("words", [(), ("golden",), (str(shipped_golden_set()),)])
def test_check_finds_nothing_odd_about_the_shipped_set(words: tuple[str, ...]) -> None:
    shown = bench("check", *words)
    assert shown.exit_code == 0
    assert "warnings  none" in shown.stdout
    assert "digest" in shown.stdout
    assert max(map(len, shown.stdout.splitlines()[1:])) <= WIDTH


def test_check_says_warnings_and_exits_0(tmp_path: Path) -> None:
    shown = bench("check", golden_file(tmp_path), "extended")
    text = " ".join(shown.stdout.split())
    assert shown.exit_code == 0
    assert "warning 1 prompt: with fewer than 20" in text
    assert "warning 1 prompt with sampling that is not pinned: temperature, top_p (capital)" in text
    assert "extended, version 1" in text


def test_check_lists_every_error_of_every_file_with_its_line_and_exits_2(tmp_path: Path) -> None:
    bad = {**PROMPT, "checks": [{"regex": "("}, {"number_equals": "many"}]}
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "nonsense"}}}
    worse = {**PROMPT, "id": "worse", "request": {**PROMPT["request"], "response_format": schema}}
    failing = {**PROMPT, "id": "failing", "example": {"text": "It is Brno."}}
    broken = write_yaml(tmp_path / "broken.yml", {"name": "b", "prompts": [{**PROMPT, "check": []}]})
    shown = bench("check", golden_file(tmp_path, PROMPT, bad | {"id": "bad"}, worse, failing), broken, "golden")
    errors = [line for line in shown.stderr.splitlines() if line.startswith("bench: ")]
    assert shown.exit_code == 2
    assert "warnings  none" in shown.stdout  # the set without a fault is summarized all the same
    assert len(errors) == 5
    for word in ("prompts[1]), prompt 'bad': regex", "number_equals", "response_format", "example fails contains"):
        assert any(f"{tmp_path / 'golden.yml'}:" in line and word in line for line in errors), word
    line = 1 + broken.read_text(encoding="utf-8").splitlines().index("  check: []")
    assert f"broken.yml:{line} (prompts[0].check): unknown key 'check'" in errors[4]


def test_check_reads_json_lines(tmp_path: Path) -> None:
    bad = {**PROMPT, "checks": [{"regex": "("}]}
    file = lines_file(tmp_path, {"name": "g"}, {**PROMPT, "id": "good"}, bad, name="set.jsonl")
    shown = bench("check", file)
    assert shown.exit_code == 2
    assert f"bench: {file}:3 (prompts[1]), prompt 'capital': regex" in shown.stderr


@pytest.mark.parametrize("name", GOLDEN_SETS)
def test_show_lists_every_prompt_in_80_columns(name: str) -> None:
    shown = bench("show", name)
    lines = shown.stdout.splitlines()
    table = lines[lines.index("") + 1 :]
    assert shown.exit_code == 0
    assert [line.split()[0] for line in table[1:]] == [p.id for p in load_golden_set(shipped_golden_set(name)).prompts]
    assert max(map(len, table)) <= WIDTH


@pytest.mark.parametrize("prompt", load_golden_set(shipped_golden_set()).prompts, ids=lambda prompt: prompt.id)
def test_show_prints_a_prompt_in_full_in_80_columns(prompt: Any) -> None:
    shown = bench("show", "golden", prompt.id)
    assert shown.exit_code == 0
    assert max(map(len, shown.stdout.splitlines())) <= WIDTH
    told = "".join(shown.stdout.split())
    for message in prompt.request["messages"]:
        if message["content"] and message["content"].isascii():
            assert "".join(message["content"].split()) in told
    assert shown.stdout.count("checks:") == 1


def test_show_prints_the_checks_on_the_second_answer_of_a_loop() -> None:
    shown = bench("show", "golden", "tool-loop").stdout
    _, second = shown.split("checks on the answer to them:")
    assert "contains: C14-OSPREY" in second.split("example, never sent:")[0]
    assert "checks on the answer to them:" not in bench("show", "golden", "tool-single").stdout


def test_show_looks_for_a_prompt_in_the_shipped_set_where_no_set_is_named() -> None:
    short, full = bench("show", "tool-loop"), bench("show", "golden", "tool-loop")
    assert short.exit_code == full.exit_code == 0
    assert short.stdout == full.stdout


def test_show_lets_nothing_act_on_the_terminal(tmp_path: Path) -> None:
    request = {"messages": [{"role": "user", "content": "a\x1b[2Jb \u202ec"}]}
    file = golden_file(tmp_path, {**PROMPT, "request": request, "category": "x\x1b[31m"})
    for words in ((file,), (file, "capital")):
        shown = bench("show", *words)
        assert shown.exit_code == 0
        assert "\x1b" not in shown.stdout
        assert "\u202e" not in shown.stdout


def test_show_says_which_prompt_may_have_been_meant() -> None:
    shown = bench("show", "tool-lop")
    assert shown.exit_code == 2
    assert "no prompt 'tool-lop'. Did you mean 'tool-loop'?" in shown.stderr
    assert "cannot be read" in bench("show", "nowhere.yml").stderr


def test_a_batch_is_imported_and_what_was_dropped_is_said(tmp_path: Path) -> None:
    text, output = imported(tmp_path, DATA / "batch.jsonl")
    golden = load_golden_set(output)
    assert golden.name == "set"
    assert golden.prompts[0].id == "order-17"
    assert "read 3 items" in text
    assert "as OpenAI Batch requests" in text
    assert "1: model dropped 1: stream dropped" in text
    assert f"skipped 1: a request of /v1/embeddings ({DATA / 'batch.jsonl'}:4)" in text
    assert "warning 1 prompt with sampling that is not pinned: temperature, top_p" in text


def test_unsupported_assertions_are_counted_aloud_by_name(tmp_path: Path) -> None:
    text, output = imported(tmp_path, DATA / "promptfooconfig.yaml")
    assert "not taken 12 assertions skipped, unsupported: 4: javascript 4: llm-rubric" in text
    assert "2: not-icontains of a skipped test" in text
    assert "4: latency measured on every request" in text
    assert "2: a template beyond {{variable}}" in text
    assert "1: scenarios" in text
    assert len(load_golden_set(output).prompts) == 4
    assert "canary" not in text + output.read_text(encoding="utf-8")


def test_the_assertions_of_a_test_that_is_skipped_are_counted_too(tmp_path: Path) -> None:
    tests = [
        {"vars": {"x": "a"}, "assert": [{"type": "contains", "value": "b"}]},
        {"vars": {"x": "a"}, "prompts": ["p"], "assert": [{"type": "contains", "value": "b"}, {"type": "is-json"}]},
        {"vars": {"x": "file://x.txt"}, "assert": [{"type": "contains", "value": "b"}]},
        {"vars": {}, "assert": [{"type": "assert-set", "assert": [{"type": "regex", "value": "b"}]}]},
    ]
    whole = {"prompts": ["Say {{x}}"], "defaultTest": {"assert": [{"type": "equals", "value": "c"}]}, "tests": tests}
    text, _ = imported(tmp_path, write_yaml(tmp_path / "promptfooconfig.yaml", whole))
    counted = ("3: equals", "2: contains", "1: is-json", "1: regex")
    told = " ".join(f"{one} of a skipped test" for one in counted)
    assert f"not taken 7 assertions skipped, unsupported: {told}" in text


def test_what_a_log_says_of_the_response_is_dropped_aloud(tmp_path: Path) -> None:
    text, output = imported(tmp_path, lines_file(tmp_path, a_body("a", hash="h", finish_reason="stop", max_token=10)))
    assert "1: finish_reason dropped 1: hash dropped" in text
    assert "1 prompt with max_token, which is no parameter of chat completions: did you mean max_tokens?" in text
    assert set(load_golden_set(output).prompts[0].request) == {*a_body("a"), "max_token"}


def test_a_file_with_a_byte_order_mark_of_its_own_is_imported(tmp_path: Path) -> None:
    file = tmp_path / "bom.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + (DATA / "finetune.jsonl").read_bytes().replace(b"\n", b"\r\n\r\n"))
    text, output = imported(tmp_path, file, name="set.jsonl")
    golden = load_golden_set(output)
    assert "as fine-tuning examples" in text
    assert "2: last answer kept as example, not sent" in text
    assert golden.prompts[0].example is not None
    assert golden.prompts[0].example.text == "Prague"


def test_pinning_is_done_only_where_asked_and_moves_no_id(tmp_path: Path) -> None:
    _, left = imported(tmp_path, DATA / "k2.jsonl", name="left.yml")
    text, pinned = imported(tmp_path, DATA / "finetune.jsonl", "--pin", "--max-tokens", "77", name="pinned.yml")
    _, unpinned = imported(tmp_path, DATA / "finetune.jsonl", name="unpinned.yml")
    assert load_golden_set(left).prompts[0].request["temperature"] == 0.6
    requests = [prompt.request for prompt in load_golden_set(pinned).prompts]
    assert {(r["temperature"], r["top_p"], r["max_tokens"]) for r in requests} == {(0, 1, 77)}
    assert "pinned 3 of 3" in text
    assert "not pinned" not in text
    ids = [[prompt.id for prompt in load_golden_set(file).prompts] for file in (pinned, unpinned)]
    assert ids[0] == ids[1]


def test_sharegpt_is_said_to_be_poor_for_parity(tmp_path: Path) -> None:
    text, _ = imported(tmp_path, DATA / "sharegpt.json")
    assert "says little of parity" in text


def test_what_could_not_be_judged_is_left_out_and_said(tmp_path: Path) -> None:
    schema = {"type": "json_schema", "json_schema": {"schema": {"type": "nonsense"}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": 5}}}]
    file = lines_file(tmp_path, a_body("a"), a_body("b", response_format=schema), a_body("c", tools=tools))
    text, output = imported(tmp_path, file)
    assert len(load_golden_set(output).prompts) == 1
    assert "1: response_format: not a draft 2020-12 schema" in text
    assert "1: parameters of tool 'f'" in text
    config = {
        "prompts": ["{{x}}"],
        "tests": [{"vars": {"x": "a"}, "assert": [{"type": "is-json", "value": {"type": 5}}]}],
    }
    text, output = imported(tmp_path, write_yaml(tmp_path / "p.yml", config), name="p.out.yml")
    assert "left out 1: json_schema: not a draft 2020-12 schema" in text
    assert load_golden_set(output).prompts[0].checks == []


def test_a_request_format_adds_its_check_and_says_so(tmp_path: Path) -> None:
    file = lines_file(tmp_path, a_body("a", response_format={"type": "json_object"}))
    text, output = imported(tmp_path, file)
    assert "1: json_valid check added from response_format" in text
    assert load_golden_set(output).prompts[0].is_json_prompt


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            [{"custom_id": "a", "url": "/v1/responses", "body": {"input": "x"}}],
            ("in.jsonl:1", "Responses API", "messages"),
        ),
        ([a_body("a"), {"model": "m", "input": "x", "instructions": "y"}], ("in.jsonl:2", "Responses API")),
        ([{"messages": []}], ("nothing could be taken", "--from")),
        ([{"id": "p", "request": {}}], ("a golden set already", "export")),
        ([{"what": 1}], ("no format that is known", "--from batch")),
    ],
)
def test_a_file_that_gives_nothing_ends_with_2_and_writes_nothing(
    tmp_path: Path, lines: list[Any], words: tuple[str, ...]
) -> None:
    shown = bench("import", lines_file(tmp_path, *lines), "-o", tmp_path / "set.yml")
    assert shown.exit_code == 2
    assert [word for word in words if word not in shown.stderr] == []
    assert not (tmp_path / "set.yml").exists()


def test_a_broken_line_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    file = lines_file(tmp_path, a_body("a"))
    file.write_text(file.read_text() + '{"messages": [', encoding="utf-8")
    shown = bench("import", file, "-o", tmp_path / "set.yml")
    assert shown.exit_code == 2
    assert f"{file}:2:15: not JSON" in shown.stderr
    assert not (tmp_path / "set.yml").exists()


@pytest.mark.parametrize("command", ["import", "sample"])
def test_a_set_is_replaced_only_by_force_and_has_a_known_ending(tmp_path: Path, command: str) -> None:
    file = lines_file(tmp_path, a_body("a"))
    output = tmp_path / "set.yml"
    output.write_text("mine", encoding="utf-8")
    shown = bench(command, file, "-o", output)
    assert shown.exit_code == 2
    assert "the file exists" in shown.stderr
    assert output.read_text(encoding="utf-8") == "mine"
    assert bench(command, file, "-o", output, "--force").exit_code == 0
    assert load_golden_set(output).prompts
    shown = bench(command, file, "-o", tmp_path / "set.txt")
    assert shown.exit_code == 2
    assert "ends in .yml or .jsonl, not in .txt" in shown.stderr


@pytest.mark.parametrize("kind", ["yaml", "jsonl"])
def test_an_export_of_the_whole_set_is_the_same_set(tmp_path: Path, kind: str) -> None:
    output = tmp_path / ("out.jsonl" if kind == "jsonl" else "out.yml")
    assert bench("export", "--to", kind, "-o", output).exit_code == 0
    assert load_golden_set(output) == load_golden_set(shipped_golden_set())


@pytest.mark.parametrize("kind", ["batch", "bodies"])
def test_an_export_of_the_requests_comes_back_as_the_same_requests(tmp_path: Path, kind: str) -> None:
    output = tmp_path / "out.jsonl"
    shown = bench("export", "golden", "--to", kind, "--model", "m", "-o", output)
    assert "left out  checks, repeats" in shown.stderr
    assert "no model" not in shown.stderr
    _, back = imported(tmp_path, output)
    golden = load_golden_set(shipped_golden_set())
    assert [prompt.request for prompt in load_golden_set(back).prompts] == [prompt.request for prompt in golden.prompts]


def test_an_export_goes_to_the_screen_without_a_file(tmp_path: Path) -> None:
    shown = bench("export", golden_file(tmp_path), "--to", "batch")
    (line,) = shown.stdout.splitlines()
    assert json.loads(line)["custom_id"] == "capital"
    assert "no model in the requests" in shown.stderr
    shown = bench("export", golden_file(tmp_path), "--to", "yaml")
    assert yaml.safe_load(shown.stdout)["prompts"][0]["checks"] == [{"contains": "Prague"}]


def test_an_export_refuses_what_has_no_place(tmp_path: Path) -> None:
    shown = bench("export", "--to", "yaml", "--model", "m")
    assert shown.exit_code == 2
    assert "--model has no place in yaml" in shown.stderr
    assert bench("export", golden_file(tmp_path), "--to", "yaml", "-o", tmp_path / "golden.yml").exit_code == 2


def traffic(folder: Path) -> Path:
    chance = random.Random(4)
    words = ["order", "parcel", "invoice", "refund", "train", "ticket", "window", "river"]
    lines: list[dict[str, Any]] = []
    for i in range(300):
        text = "What is the state of the " + " ".join(chance.choices(words, k=5))
        tools = {"tools": [{"type": "function", "function": {"name": "f"}}]} if i % 3 == 0 else {}
        lines.append({"custom_id": f"r{i}", "body": a_body(text, model="m", **tools)})
    lines[7] = {"custom_id": "other", "url": "/v1/responses", "body": {"input": "x"}}
    return lines_file(folder, *lines, name="traffic.jsonl")


def test_a_sample_is_reproducible_and_says_what_each_prompt_stands_for(tmp_path: Path) -> None:
    file, output = traffic(tmp_path), tmp_path / "set.yml"
    shown = bench("sample", file, "-n", 24, "--seed", 7, "-o", output)
    assert shown.exit_code == 0, shown.output
    first = output.read_bytes()
    golden = load_golden_set(output)
    shares = [float(tag.removeprefix("share: ")) for p in golden.prompts for tag in p.tags if tag.startswith("share: ")]
    assert len(golden.prompts) == len(shares) == 24
    assert sum(shares) == pytest.approx(1, abs=24 * 0.00005)
    assert sum("tools" in prompt.tags for prompt in golden.prompts) == 8
    rows = [line.split() for line in shown.stdout.splitlines() if line.strip()[:1].isdigit() and "%" in line]
    assert [row[1] for row in rows] == [prompt.id for prompt in golden.prompts]
    assert "picked    24 prompts out of 299 requests" in shown.stdout
    assert f"1: a request of /v1/responses ({file}:8)" in " ".join(shown.stdout.split())
    assert "with seed 7" in output.read_text(encoding="utf-8").splitlines()[0]
    assert bench("sample", file, "-n", 24, "--seed", 7, "-o", output, "--force").exit_code == 0
    assert output.read_bytes() == first
    assert bench("sample", file, "-n", 24, "--seed", 8, "-o", output, "--force").exit_code == 0
    assert output.read_bytes() != first


def test_a_sample_of_nothing_ends_with_2(tmp_path: Path) -> None:
    shown = bench("sample", lines_file(tmp_path, {"messages": []}), "-o", tmp_path / "set.yml")
    assert shown.exit_code == 2
    assert "nothing could be taken" in shown.stderr


def test_json_lines_and_shipped_names_load_where_any_set_does(tmp_path: Path) -> None:
    output = tmp_path / "set.jsonl"
    assert bench("export", "extended", "--to", "jsonl", "-o", output).exit_code == 0
    expected = load_golden_set(shipped_golden_set("extended"))
    assert resolve_golden(output) == resolve_golden(Path("extended")) == expected
    for given in (output, Path("extended")):
        serving = read_serving(shipped_profile("sim-h100"), golden=given, truth=None)
        assert serving.golden == expected
