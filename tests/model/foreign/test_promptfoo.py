"""promptfoo configurations: which drafts come out, what is left out, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import ConfigError
from harness.model.foreign.draft import Draft, Skipped
from harness.model.foreign.formats import Format
from harness.model.foreign.template import TemplateError, render, resolved
from harness.model.golden import Check, CheckKind
from tests.model.foreign.reading import DATA, read


def config(folder: Path, **parts: Any) -> Path:
    written = {"prompts": ["Say {{x}}"], "tests": [{"vars": {"x": "hi"}}], **parts}
    file = folder / "promptfooconfig.yaml"
    file.write_text(yaml.safe_dump({key: value for key, value in written.items() if value is not None}), "utf-8")
    return file


def said(draft: Draft) -> list[str]:
    return [message["content"] for message in draft.request["messages"]]


def drafts_of(folder: Path, **parts: Any) -> list[Draft]:
    return read(config(folder, **parts), Format.PROMPTFOO)[0]


def skipped_of(folder: Path, **parts: Any) -> list[Skipped]:
    return read(config(folder, **parts), Format.PROMPTFOO)[1]


def test_prompts_times_tests_times_values() -> None:
    drafts, _ = read(DATA / "promptfooconfig.yaml", Format.PROMPTFOO)
    assert [said(draft) for draft in drafts] == [
        ["Translate into French: good morning"],
        ["Be kind.", "good morning, in French"],
        ["Translate into Czech: good morning"],
        ["Be kind.", "good morning, in Czech"],
    ]
    assert {draft.intent for draft in drafts} == {"A greeting"}
    assert [draft.name for draft in drafts[:2]] == ["A greeting prompt 1", "A greeting chat"]


def test_checks_come_from_the_test_and_the_default_test() -> None:
    (draft, *_), _ = read(DATA / "promptfooconfig.yaml", Format.PROMPTFOO)
    assert draft.checks == (
        Check(kind=CheckKind.REGEX, argument="(?i)shut up", negated=True),
        Check(kind=CheckKind.CONTAINS_ANY, argument=["Bonjour", "Dobré ráno"]),
        Check(kind=CheckKind.REGEX, argument=r"(?P<word>\w+)"),
    )
    assert draft.unsupported == ("llm-rubric", "javascript")


def test_the_first_providers_settings_are_part_of_the_request_and_no_key_is() -> None:
    (draft, *_), _ = read(DATA / "promptfooconfig.yaml", Format.PROMPTFOO)
    assert {name: value for name, value in draft.request.items() if name != "messages"} == {
        "temperature": 0,
        "max_tokens": 60,
        "tools": [{"type": "function", "function": {"name": "look_up"}}],
    }
    assert draft.changes[0] == "settings taken from provider openai:gpt-4o, the first of 2"
    assert "latency measured on every request; its margin stands in the settings file" in draft.changes
    assert "canary" not in repr(draft)


def test_what_is_left_out_is_said_with_its_place() -> None:
    _, skipped = read(DATA / "promptfooconfig.yaml", Format.PROMPTFOO)
    assert [(one.reason, one.where.partition("yaml:")[2].split(" ")[0]) for one in skipped] == [
        ("a prompt from a program or table (.py)", "6"),
        ("scenarios", "35"),
        ("a template beyond {{variable}}: '{{language | upper}}'", "32"),
        ("a template beyond {{variable}}: '{{language | upper}}'", "32"),
        ("a test in another file", "33"),
    ]


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ("Say {{x}}", [["Say hi"]]),
        ([{"raw": "Say {{ x }}", "label": "l"}], [["Say hi"]]),
        (["{{- x -}}"], [["hi"]]),
        (['[{"role": "user", "content": "{{x}}!"}]'], [["hi!"]]),
        (["- role: system\n  content: be {{x}}\n- role: user\n  content: go\n"], [["be hi", "go"]]),
        (["[not a chat] {{x}}"], [["[not a chat] hi"]]),
        (["- a list\n- of things"], [["- a list\n- of things"]]),
    ],
)
def test_a_prompt_is_a_text_or_a_chat(tmp_path: Path, prompts: Any, expected: list[list[str]]) -> None:
    assert [said(draft) for draft in drafts_of(tmp_path, prompts=prompts)] == expected


def test_a_variable_may_hold_the_chat(tmp_path: Path) -> None:
    chat = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]'
    (draft,) = drafts_of(tmp_path, prompts=["{{x}}"], tests=[{"vars": {"x": chat}}])
    assert said(draft) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("p.txt", "One {{x}}\n---\nTwo {{x}}\n", [["One hi"], ["Two hi"]]),
        ("p.md", "# {{x}}\n---\nall of it", [["# hi\n---\nall of it"]]),
        ("p.json", '\ufeff[{"role": "user", "content": "{{x}}"}]', [["hi"]]),
        ("p.yaml", "- role: user\n  content: say {{x}}\n", [["say hi"]]),
    ],
)
@pytest.mark.parametrize("scheme", ["file://", ""])
def test_prompts_may_stand_in_files(
    tmp_path: Path, name: str, content: str, expected: list[list[str]], scheme: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert [said(draft) for draft in drafts_of(tmp_path, prompts=[scheme + name])] == expected


def test_a_missing_prompt_file_is_our_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"promptfooconfig\.yaml:2 .*'nowhere.txt' cannot be read"):
        drafts_of(tmp_path, prompts=["file://nowhere.txt"])


def test_without_tests_every_prompt_is_sent_once(tmp_path: Path) -> None:
    assert [said(draft) for draft in drafts_of(tmp_path, prompts=["a", "b"], tests=None)] == [["a"], ["b"]]


def test_values_are_written_as_javascript_writes_them(tmp_path: Path) -> None:
    variables = {"a": 5.0, "b": True, "c": None, "d": {"k": [1]}, "e": "{{a}}-", "f": {"g": "deep"}}
    (draft,) = drafts_of(tmp_path, prompts=["{{a}} {{b}} {{c}} {{d}} {{e}} {{f.g}}"], tests=[{"vars": variables}])
    assert said(draft) == ['5 true  {"k": [1]} 5- deep']


def test_lists_are_expanded_in_every_combination_unless_switched_off(tmp_path: Path) -> None:
    test = {"vars": {"x": ["a", "b"], "y": ["1", "2"]}}
    drafts = drafts_of(tmp_path, prompts=["{{x}}{{y}}"], tests=[test])
    assert [said(draft)[0] for draft in drafts] == ["a1", "a2", "b1", "b2"]
    (draft,) = drafts_of(tmp_path, prompts=["{{x}}"], tests=[{**test, "options": {"disableVarExpansion": True}}])
    assert said(draft) == ['["a", "b"]']


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"tests": [{"vars": {}}]}, "no value for {{x}}"),
        ({"prompts": ["{% if x %}{{x}}{% endif %}"]}, "beyond {{variable}}"),
        ({"prompts": ["{# remark #}{{x}}"]}, "beyond {{variable}}"),
        ({"tests": [{"vars": {"x": "file://x.txt"}}]}, "a variable from another file"),
        ({"tests": [{"vars": "file://vars.yaml"}]}, "its variables in another file"),
        ({"tests": ["file://t.yaml"]}, "a test in another file"),
        ({"tests": [{"vars": {"x": "a"}, "prompts": ["p"]}]}, "picks among the prompts"),
        ({"tests": [{"vars": {"x": "a"}, "options": {"prefix": "p"}}]}, "a prefix or suffix"),
        ({"prompts": [""]}, "a prompt without text"),
        ({"prompts": [{"function": 1}]}, "a prompt without text"),
        ({"prompts": ["file://p.csv"]}, "from a program or table"),
    ],
)
def test_what_cannot_be_read_is_skipped_with_its_reason(tmp_path: Path, parts: dict[str, Any], reason: str) -> None:
    file = config(tmp_path, **parts)
    drafts, skipped = read(file, Format.PROMPTFOO)
    assert drafts == []
    assert len(skipped) == 1
    assert reason in skipped[0].reason
    assert str(file) in skipped[0].where


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"tests": "file://tests.csv"}, "tests is no list of tests"),
        ({"defaultTest": "file://default.yaml"}, "defaultTest is no mapping"),
        ({"defaultTest": {"vars": "file://v.yaml"}}, "defaultTest.vars is no mapping"),
        ({"tests": [{"vars": {"x": "a"}, "assert": "file://a.yaml"}]}, "assert is no list"),
        ({"tests": [{"vars": {"x": "a"}, "options": "file://o.yaml"}]}, "options is no mapping"),
        ({"prompts": None}, "no prompts"),
    ],
)
def test_a_part_that_would_be_lost_as_a_whole_is_refused(tmp_path: Path, parts: dict[str, Any], words: str) -> None:
    file = config(tmp_path, **parts)
    with pytest.raises(ConfigError, match=words) as caught:
        read(file, Format.PROMPTFOO)
    assert str(caught.value.where).startswith(f"{file}:")


def test_assertions_on_a_transformed_answer_are_unsupported(tmp_path: Path) -> None:
    test = {"vars": {"x": "a"}, "options": {"transform": "output.a"}, "assert": [{"type": "contains", "value": "a"}]}
    (draft,) = drafts_of(tmp_path, tests=[test])
    assert (draft.checks, draft.unsupported) == ((), ("contains on a transformed answer",))


def test_a_threshold_is_not_read_and_said(tmp_path: Path) -> None:
    (draft,) = drafts_of(tmp_path, tests=[{"vars": {"x": "a"}, "threshold": 0.5}])
    assert draft.changes == ("threshold of a test not read: every check must hold",)
    part = {"type": "assert-set", "threshold": 0.5, "assert": [{"type": "contains", "value": "a"}]}
    (draft,) = drafts_of(tmp_path, tests=[{"vars": {"x": "a"}, "assert": [part]}])
    assert draft.unsupported == ("assert-set",)


def test_default_assertions_can_be_switched_off(tmp_path: Path) -> None:
    default = {"assert": [{"type": "contains", "value": "a"}]}
    test = {"vars": {"x": "a"}}
    assert len(drafts_of(tmp_path, defaultTest=default, tests=[test])[0].checks) == 1
    off = {**test, "options": {"disableDefaultAsserts": True}}
    assert drafts_of(tmp_path, defaultTest=default, tests=[off])[0].checks == ()


def test_two_assertions_on_tools_are_one_check_or_said(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "fg"]
    asserts = [
        {"type": "is-valid-openai-tools-call"},
        {"type": "tool-call-f1", "value": "f"},
        {"type": "tool-call-f1", "value": "g"},
    ]
    providers = [{"openai:gpt-4o": {"config": {"tools": tools}}}]
    (draft,) = drafts_of(tmp_path, providers=providers, tests=[{"vars": {"x": "a"}, "assert": asserts}])
    assert draft.checks == (Check(kind=CheckKind.TOOL_CALLED, argument=["f"]),)
    assert draft.unsupported == ("tool-call-f1 beside another one",)


def test_settings_in_other_files_are_said_to_be_missing(tmp_path: Path) -> None:
    providers = [{"id": "p", "config": {"tools": "file://t.json", "temperature": 0, "organization": "o"}}]
    (draft,) = drafts_of(tmp_path, providers=providers)
    assert draft.request.keys() == {"temperature", "messages"}
    assert draft.changes == (
        "provider's tools left out: it stands in another file",
        "settings taken from provider p",
    )


def test_a_reference_to_nothing_is_named(tmp_path: Path) -> None:
    asserts = [{"$ref": "#/assertionTemplates/absent"}]
    (draft,) = drafts_of(tmp_path, tests=[{"vars": {"x": "a"}, "assert": asserts}])
    assert draft.unsupported == ("$ref #/assertionTemplates/absent",)


def test_templates_render_inside_lists_and_mappings() -> None:
    assert render({"a": ["{{x}}", 5]}, {"x": "y"}) == {"a": ["y", 5]}
    assert resolved({"a": "{{b}}!", "b": "c", "n": 5}) == {"a": "c!", "b": "c", "n": 5}
    with pytest.raises(TemplateError, match=r"no value for \{\{x\.y\}\}"):
        render("{{x.y}}", {"x": "text"})
