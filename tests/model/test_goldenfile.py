"""The golden file: what is merged and parsed, and what each mistake says."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.model.golden import Check, CheckKind, ExampleCall, GoldenSet, Measure
from harness.model.goldenfile import load_golden_set
from harness.model.goldentext import golden_jsonl, golden_yaml

SET = """name: mine
version: "2"
defaults:
  request: {temperature: 0, max_tokens: 10}
prompts:
  - id: one
    category: c
    intent: i
    request:
      messages: [{role: user, content: hi}]
    checks:
      - contains: x
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "golden.yml"
    file.write_text(text, encoding="utf-8")
    return file


def loaded(folder: Path, text: str) -> GoldenSet:
    return load_golden_set(written(folder, text))


def refused(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return caught.value


def with_check(line: str) -> str:
    return SET.replace("- contains: x", line)


def test_a_prompt_gets_the_defaults_and_overrides_them(tmp_path: Path) -> None:
    golden = loaded(tmp_path, SET.replace("      messages", "      max_tokens: 20\n      messages"))
    assert (golden.name, golden.version) == ("mine", "2")
    assert golden.prompts[0].request == {
        "temperature": 0,
        "max_tokens": 20,
        "messages": [{"role": "user", "content": "hi"}],
    }
    assert golden.prompts[0].measure == Measure(decode=False, ttft=True)


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("- contains: x", Check(kind=CheckKind.CONTAINS, argument="x")),
        ("- not-contains: x", Check(kind=CheckKind.CONTAINS, argument="x", negated=True)),
        ("- not_contains: x", Check(kind=CheckKind.CONTAINS, argument="x", negated=True)),
        ("- number-equals: {value: 1}", Check(kind=CheckKind.NUMBER_EQUALS, argument={"value": 1})),
        ("- no-tool: true", Check(kind=CheckKind.NO_TOOL, argument=True)),
        ("- no_tool:", Check(kind=CheckKind.NO_TOOL)),
        ("- equals: 2026-01-01", Check(kind=CheckKind.EQUALS, argument="2026-01-01")),
    ],
)
def test_a_check_is_a_mapping_of_one_key(tmp_path: Path, line: str, check: Check) -> None:
    assert loaded(tmp_path, with_check(line)).prompts[0].checks == [check]


LOOP = """    tool_results:
      find: {shelf: C14-OSPREY, left: 37}
      now: "12:30"
    final:
      - contains: C14-OSPREY
      - not-contains: sorry
"""


def test_canned_results_and_checks_on_the_second_answer_are_read(tmp_path: Path) -> None:
    prompt = loaded(tmp_path, SET + LOOP).prompts[0]
    assert prompt.tool_results == {"find": {"shelf": "C14-OSPREY", "left": 37}, "now": "12:30"}
    assert prompt.final == [
        Check(kind=CheckKind.CONTAINS, argument="C14-OSPREY"),
        Check(kind=CheckKind.CONTAINS, argument="sorry", negated=True),
    ]
    assert prompt.has_loop
    assert not loaded(tmp_path, SET).prompts[0].has_loop


def test_a_loop_is_part_of_the_digest_and_its_absence_leaves_older_digests_alone(tmp_path: Path) -> None:
    with_loop, without = loaded(tmp_path, SET + LOOP), loaded(tmp_path, SET)
    assert len({with_loop.sha256, without.sha256, loaded(tmp_path, SET + LOOP.replace("37", "38")).sha256}) == 3
    assert b"final" not in msgspec.json.encode(without)


def test_a_loop_is_written_as_it_is_read(tmp_path: Path) -> None:
    golden = loaded(tmp_path, SET + LOOP)
    assert loaded(tmp_path, golden_yaml(golden)) == golden
    lines = tmp_path / "golden.jsonl"
    lines.write_text(golden_jsonl(golden), encoding="utf-8")
    assert load_golden_set(lines) == golden


def test_a_mistake_in_a_final_check_names_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, SET + LOOP.replace("not-contains", "not-containing"))
    assert error.where == f"{tmp_path / 'golden.yml'}:18 (prompts[0].final[1])"
    assert "final is a list (found 5)" in str(refused(tmp_path, SET + "    final: 5\n"))
    assert "cannot stand in a request" in str(refused(tmp_path, SET + LOOP.replace("left", "no")))


def test_an_example_and_flags_are_read(tmp_path: Path) -> None:
    example = "    example: {tool_calls: [{name: f, arguments: {a: 1}}]}\n"
    flags = "    measure: {decode: true, ttft: false}\n    repeats: 3\n"
    prompt = loaded(tmp_path, SET + example + flags).prompts[0]
    assert prompt.example is not None
    assert prompt.example.tool_calls == [ExampleCall(name="f", arguments={"a": 1})]
    assert prompt.measure == Measure(decode=True, ttft=False)
    assert prompt.repeats == 3


def test_a_prompt_without_checks_is_allowed(tmp_path: Path) -> None:
    assert loaded(tmp_path, SET.partition("    checks")[0]).prompts[0].checks == []
    assert loaded(tmp_path, SET.partition("      - contains")[0]).prompts[0].checks == []


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("- contains: x", "- contans: x", 12, ("unknown check 'contans'", "Known: contains", "tool_called")),
        ("- contains: x", "- x", 12, ("a mapping of one key (found 'x')", "For example: contains: Prague")),
        ("- contains: x", "- {contains: x, regex: y}", 12, ("a mapping of one key",)),
        ("\n      - contains: x", " 5", 11, ("checks is a list (found 5)", "For example")),
        ("\n      - contains: x", " {contains: x}", 11, ("checks is a list", "For example")),
        ("\n      - contains: x", " contains", 11, ("checks is a list (found 'contains')",)),
        ("intent: i", "intnt: i", 8, ("unknown key 'intnt'", "Did you mean 'intent'?")),
        ("    intent: i\n", "", 6, ("the key 'intent' is missing",)),
        ("id: one", "id: 'Not An Id'", 6, ("prompts[0].id", "'Not An Id'")),
        ("id: one", "id: 5", 6, ("prompts[0].id", "(found 5)")),
        (
            "category: c",
            "category: c\n    requires: [tools, json_shema]",
            8,
            ("prompts[0].requires[1]", "unknown feature 'json_shema'", "Did you mean json_schema?", "Known: tools"),
        ),
        ("category: c", "category: c\n    requires: [xyzzy]", 8, ("unknown feature 'xyzzy'", "Known: tools")),
        ("category: c", "category: c\n    repeats: 0", 8, ("prompts[0].repeats", "(found 0)")),
        ("category: c", "category: c\n    measure: {decode: often}", 8, ("measure.decode", "'often'")),
        ("category: c", "category: c\n    example: {txt: x}", 8, ("unknown key 'txt'", "Did you mean 'text'?")),
        (
            "messages: [{role: user, content: hi}]",
            "max_tokens: 5",
            10,
            ("prompts[0].request.messages", "no messages", "For example"),
        ),
        ("messages: [{role: user, content: hi}]", "messages: []", 10, ("the prompt has no messages",)),
        ("messages: [{role: user, content: hi}]", "messages: hi", 10, ("the prompt has no messages",)),
        (
            "{role: user, content: hi}",
            "hi",
            10,
            ("prompts[0].request.messages[0]", "a message has no role (found 'hi')", "a mapping"),
        ),
        ("{role: user, content: hi}", "{content: hi}", 10, ("has no role",)),
        ("      messages", "      model: gpt\n      messages", 10, ("may not set 'model'", "the endpoint file")),
        ("      messages", "      tools: 5\n      messages", 10, ("request.tools", "tools is a list (found 5)")),
        ("      messages", "      stream: true\n      messages", 10, ("may not set 'stream'", "the harness's")),
        (
            "{temperature: 0, max_tokens: 10}",
            "{stream_options: {}}",
            4,
            ("defaults.request.stream_options", "may not set 'stream_options'"),
        ),
        ("      messages", "      logit_bias: {5: 1}\n      messages", 10, ("the key 5", "in quotes")),
        (
            "      messages",
            "      x: {no: 1}\n      messages",
            10,
            ("the key False cannot stand in a request", "quotes"),
        ),
        ("      messages", "      x: [.nan]\n      messages", 10, ("not a finite number",)),
        ("      messages", '      x: "\\ud800"\n      messages', 10, ()),
        ("      messages", "      x: !!binary aGk=\n      messages", 10, ("b'hi' cannot stand in a request",)),
        ("name: mine", "nam: mine", 1, ("unknown key 'nam'", "Did you mean 'name'?")),
        ("defaults:\n  request: {", "defaults:\n  requests: {", 4, ("unknown key 'requests'",)),
        ("prompts:", "prompts: 5\nrest:", 5, ("prompts", "(found 5)")),
        ("prompts:", "prompts: []\n#", None, ("the golden set has no prompt", "`bench golden export")),
    ],
)
def test_a_mistake_names_file_line_thing_and_remedy(
    tmp_path: Path, old: str, new: str, line: int | None, words: tuple[str, ...]
) -> None:
    assert SET.count(old) == 1
    text = SET.replace(old, new) if line is not None else SET.partition(old)[0] + new
    error = refused(tmp_path, text)
    message = str(error)
    assert f"{tmp_path / 'golden.yml'}:{line or 5}" in message
    assert [word for word in words if word not in message] == []
    assert error.exit_code == 2


def test_an_id_given_twice_names_the_second_line(tmp_path: Path) -> None:
    error = refused(tmp_path, SET + SET.partition("prompts:\n")[2])
    assert error.where == f"{tmp_path / 'golden.yml'}:13 (prompts[1].id)"
    assert (error.problem, error.remedy) == ("prompt id 'one' is given twice", "Results are found by id: rename one")


def test_the_line_is_that_of_the_prompt_at_fault(tmp_path: Path) -> None:
    second = SET.partition("prompts:\n")[2].replace("id: one", "id: two").replace("contains", "contians")
    error = refused(tmp_path, SET + second)
    assert error.where == f"{tmp_path / 'golden.yml'}:19 (prompts[1].checks[0])"


@given(
    junk=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab: -[]{}", max_size=6), st.lists, max_leaves=4
    )
)
def test_any_value_anywhere_loads_or_is_one_clear_error(junk: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    for old in (
        "[{role: user, content: hi}]",
        "{temperature: 0, max_tokens: 10}",
        "\n      - contains: x",
        "c\n",
        "i\n",
    ):
        file = written(folder, SET.replace(old, f" {junk!r}\n", 1))
        problem = None
        try:
            golden = load_golden_set(file)
        except ConfigError as error:
            problem = str(error)
        assert str(file) in problem if problem else len(golden.sha256) == len("0" * 64)
