"""Model markup that a server's parser should have taken out of the visible text."""

import re

_TOOL_MARKUP = re.compile(
    r"</?(?:[\w-]+:)?(?:tool_call|toolcall|function_call|function_calls|tool_code)>"
    r"|<function=|<invoke\s+name=|<arg_key>|<parameter="
    r"|\[/?TOOL_CALLS?\]|\[TOOL_REQUEST\]|\[ARGS\]"
    r"|<\|(?:python_tag|tool_calls?_\w+|tool_calls?|tool_call_argument_begin|action_start|plugin)\|>"
    r"|<｜tool▁[^｜\n]{1,40}｜>|functions\.\w+:\d+<\|"
)
_OTHER_MARKUP = re.compile(
    r"</?think>|</?thinking>|\[/?THINK\]|\[/?INST\]"
    r"|<\|(?:im_start|im_end|im_sep|eot_id|eom_id|start_header_id|end_header_id|begin_of_text|end_of_text"
    r"|endoftext|end_of_turn|channel|message|start|end|return|call|assistant|user|system|observation)\|>"
    r"|<(?:start|end)_of_turn>|<｜[^｜\n]{1,40}｜>|◁/?think▷"
)


def find_tool_markup(text: str) -> str | None:
    """Give the first leaked tool-call marker, None when there is none."""
    found = _TOOL_MARKUP.search(text)
    return found[0] if found else None


def find_markup(text: str) -> str | None:
    """Give the first leaked marker of any kind: tool calls, reasoning, chat template."""
    found = _OTHER_MARKUP.search(text)
    return find_tool_markup(text) or (found[0] if found else None)


def leaked_markup(text: str) -> tuple[str, ...]:
    """Distinct markers that stand in a text, tool calls' first."""
    found = (match[0] for pattern in (_TOOL_MARKUP, _OTHER_MARKUP) for match in pattern.finditer(text))
    return tuple(dict.fromkeys(found))
