"""Writes a golden set as text that loads to the same set: YAML for people, JSON lines for tools."""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from harness.model.golden import Check, GoldenSet, Prompt

_WIDTH = 116
_IN_ORDER = (
    *("id", "category", "intent", "tags", "requires", "repeats", "measure"),
    *("request", "checks", "tool_results", "final"),
)
# Where an item begins, unless behind an empty line: a block ends in it, and one more would change its text.
# Whatever stands inside an item is indented further.
_ITEM = re.compile(r"(?<!\n)\n(?=  - id: )")
_END_OF_DOCUMENT = "\n...\n"  # PyYAML writes it behind a block that keeps the empty lines at its end
_SHORT = 72
_TAKEN_FOR_A_LINE_END = re.compile("[\x85\u2028\u2029]")
_KEPT_BY_A_BLOCK = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010fffe]+")


def golden_yaml(golden: GoldenSet, comments: Sequence[str] = ()) -> str:
    """Give the YAML file: what all requests share stands once under defaults, long texts as blocks."""
    shared = _shared(golden.prompts)
    head: list[dict[str, Any]] = [{"name": golden.name}, {"version": golden.version}]
    head += [{"defaults": {"request": shared}}] if shared else []
    body = _dumped({"prompts": [_written(prompt, without=shared) for prompt in golden.prompts]})
    remarks = [f"# {line}".rstrip() + "\n" for line in comments]
    top = "".join(map(_dumped, head))
    apart = "" if top.endswith("\n\n") else "\n"
    return "".join((*remarks, top, apart, _ITEM.sub("\n\n", body)))


def golden_jsonl(golden: GoldenSet) -> str:
    """Give the JSON lines: the set's name and version, then one whole prompt per line."""
    lines = [{"name": golden.name, "version": golden.version}, *map(_written, golden.prompts)]
    return "".join(map(json_line, lines))


def json_line(value: Any) -> str:
    """Give one line of JSON; U+2028 and its kind are escaped, since many readers take them for line ends."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _TAKEN_FOR_A_LINE_END.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _written(prompt: Prompt, without: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the prompt as its file has it."""
    plain = msgspec.to_builtins(prompt)
    plain["request"] = {name: value for name, value in prompt.request.items() if name not in (without or {})}
    for name, checks in (("checks", prompt.checks), ("final", prompt.final)):
        if checks:
            plain[name] = [check_as_mapping(check) for check in checks]
    order = [*_IN_ORDER, *plain]
    return {name: plain[name] for name in dict.fromkeys(order) if name in plain}


def check_as_mapping(check: Check) -> dict[str, Any]:
    """Give a check as the file has it: a mapping of one key."""
    return {("not-" if check.negated else "") + check.kind: check.argument}


def _shared(prompts: Sequence[Prompt]) -> dict[str, Any]:
    """Find what every request holds with the same value; one prompt shares nothing."""
    if len(prompts) < 2:  # noqa: PLR2004  # two can share
        return {}
    first, *others = (prompt.request for prompt in prompts)
    names = [name for name in first if name != "messages" and all(name in other for other in others)]
    return {name: first[name] for name in names if len({_canonical(p.request[name]) for p in prompts}) == 1}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


class _Dumper(yaml.SafeDumper):
    """YAML without aliases, with lists indented and texts of several lines as blocks."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def analyze_scalar(self, scalar: str) -> Any:
        """Allow blocks where PyYAML would rather quote: around tabs, and spaces at the end of a line."""
        analysis = super().analyze_scalar(scalar)
        if _fits_a_block(scalar):
            analysis.allow_block = True
        return analysis


def _fits_a_block(text: str) -> bool:
    """Whether a literal block gives the text back letter by letter."""
    is_kept = "\n" in text and _KEPT_BY_A_BLOCK.fullmatch(text) is not None
    return is_kept and text[0] not in " \t\n" and text.rstrip("\n")[-1] not in " \t"


def _text_node(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_one_line = "\n" not in text and _KEPT_BY_A_BLOCK.fullmatch(text) is not None
    style = None if is_one_line else "|" if _fits_a_block(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list_node(dumper: _Dumper, items: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=_is_short(items))


def _mapping_node(dumper: _Dumper, mapping: dict[str, Any]) -> yaml.MappingNode:
    is_short = len(mapping) > 1 and _is_short(list(mapping.items()))
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping, flow_style=is_short)


def _is_short(items: list[Any]) -> bool:
    """Whether a list or mapping is read more easily on one line."""
    parts = [part for item in items for part in (item if isinstance(item, tuple) else (item,))]
    is_plain = all(part is None or isinstance(part, (str, bool, int, float)) for part in parts)
    return is_plain and len(json.dumps(parts, ensure_ascii=False)) <= _SHORT


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(list, _list_node)
_Dumper.add_representer(dict, _mapping_node)


def _dumped(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text.removesuffix(_END_OF_DOCUMENT) + "\n" if text.endswith(_END_OF_DOCUMENT) else text
