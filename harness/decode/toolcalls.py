"""Tool calls put together from fragments, however a server numbers them."""

from dataclasses import dataclass
from typing import Any

from harness.decode.findings import Findings
from harness.decode.partedjson import PartedJson
from harness.decode.payload import as_json_text, clean_text
from harness.model.record import FindingKind, ToolCall

MAX_CALLS = 1024


class _OpenCall:
    """A call under construction."""

    def __init__(self, index: int | None, *, is_legacy: bool = False) -> None:
        self.index = index
        self.is_legacy = is_legacy
        self.id: str | None = None
        self.name = ""
        self.arguments = PartedJson()
        self.fragments: list[dict[str, Any]] = []  # kept where asked for

    def closed(self) -> ToolCall:
        return ToolCall(
            name=clean_text(self.name) or None,
            arguments=clean_text(str(self.arguments)),
            id=None if self.id is None else clean_text(self.id),
            index=self.index,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """A call beside the fragments that it came in, whose unknown keys a next request may have to bring back."""

    call: ToolCall
    fragments: tuple[dict[str, Any], ...]
    is_legacy: bool  # came as function_call


class ToolCallAssembler:
    """Keys calls by index while the id stays; a new id or a new name after whole arguments opens one."""

    def __init__(self, findings: Findings, *, keeps_fragments: bool = False) -> None:
        self._findings = findings
        self._keeps_fragments = keeps_fragments
        self._calls: list[_OpenCall] = []
        self._by_index: dict[int, _OpenCall] = {}

    def take(self, delta: dict[str, Any], *, is_chunk: bool) -> int:
        """Take a delta's or message's fragments; gives the characters of output among them."""
        chars = 0
        fragments = delta.get("tool_calls")
        if fragments is not None:
            for position, fragment in enumerate(self._listed(fragments)):
                chars += self._take_fragment(fragment, None if is_chunk else position)
        legacy = delta.get("function_call")
        if isinstance(legacy, dict):
            chars += self._take_legacy(legacy)
        return chars

    def _listed(self, fragments: object) -> list[dict[str, Any]]:
        if isinstance(fragments, dict):
            self._findings.note(FindingKind.TOOL_CALLS_NOT_LIST, "an object")
            return [fragments]
        if not isinstance(fragments, list):
            self._findings.note(FindingKind.TOOL_CALLS_NOT_LIST, type(fragments).__name__)
            return []
        listed = [fragment for fragment in fragments if isinstance(fragment, dict)]
        if len(listed) < len(fragments):
            self._findings.note(FindingKind.TOOL_CALLS_NOT_LIST, "an item is not an object")
        return listed

    def _take_fragment(self, fragment: dict[str, Any], position: int | None) -> int:
        body = _body(fragment)
        name = body.get("name")
        name = name if isinstance(name, str) else ""
        arguments = self._as_text(body.get("arguments", body.get("input")))
        call_id = fragment.get("id")
        call_id = call_id if isinstance(call_id, str) and call_id else None
        call = self._call_for(_index(fragment), position, call_id, name, arguments)
        if self._keeps_fragments:
            call.fragments.append(fragment)
        return _extend(call, call_id, name, arguments)

    def _call_for(
        self, index: int | None, position: int | None, call_id: str | None, name: str, arguments: str
    ) -> _OpenCall:
        """Find or open the fragment's call; a message's calls are whole, their position is their index."""
        if position is not None:
            return self._open(position if index is None else index)
        if index is not None:
            return self._with_index(index, call_id, name, arguments)
        self._findings.note(FindingKind.TOOL_INDEX_MISSING)
        return self._without_index(call_id, name, arguments)

    def _with_index(self, index: int, call_id: str | None, name: str, arguments: str) -> _OpenCall:
        call = self._by_index.get(index)
        if call is None:
            return self._open(index)
        is_other_id = call_id is not None and call.id is not None and call_id != call.id
        is_same_id = call_id is not None and call_id == call.id
        if is_other_id or (not is_same_id and _starts_another(call, name, arguments)):
            self._findings.note(FindingKind.TOOL_INDEX_REUSED, f"index {index}")
            return self._open(index)
        return call

    def _without_index(self, call_id: str | None, name: str, arguments: str) -> _OpenCall:
        if not self._calls:
            return self._open(None)
        last = self._calls[-1]
        if call_id is not None and call_id != last.id:
            known = next((call for call in self._calls if call.id == call_id), None)
            return known or self._open(None)
        is_renamed = bool(name and last.name and name != last.name)
        return self._open(None) if is_renamed or _starts_another(last, name, arguments) else last

    def _take_legacy(self, fragment: dict[str, Any]) -> int:
        name = fragment.get("name")
        call = self._calls[-1] if self._calls and self._calls[-1].is_legacy else None
        if call is None:
            call = _OpenCall(None, is_legacy=True)
            self._calls.append(call)
        arguments = self._as_text(fragment.get("arguments"))
        return _extend(call, None, name if isinstance(name, str) else "", arguments)

    def _open(self, index: int | None) -> _OpenCall:
        call = _OpenCall(index)
        if len(self._calls) < MAX_CALLS:
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _as_text(self, arguments: object) -> str:
        if arguments is None:
            return ""
        if isinstance(arguments, str):
            return arguments
        self._findings.note(FindingKind.TOOL_ARGUMENTS_NOT_TEXT, type(arguments).__name__)
        return as_json_text(arguments)

    def kept(self) -> tuple[KeptCall, ...]:
        """Give the calls in order of appearance with the fragments that they came in."""
        return tuple(
            KeptCall(call=call.closed(), fragments=tuple(call.fragments), is_legacy=call.is_legacy)
            for call in self._calls
        )

    def result(self) -> tuple[ToolCall, ...]:
        """Give the calls in order of appearance."""
        nameless = sum(1 for call in self._calls if not call.id and not call.is_legacy)
        if nameless:
            self._findings.note(FindingKind.TOOL_ID_MISSING, count=nameless)
        return tuple(call.closed() for call in self._calls)


def _body(fragment: dict[str, Any]) -> dict[str, Any]:
    """The part with name and arguments: a function, a custom tool, or the fragment itself."""
    for key in ("function", "custom"):
        inner = fragment.get(key)
        if isinstance(inner, dict):
            return inner
    return fragment


def _index(fragment: dict[str, Any]) -> int | None:
    index = fragment.get("index")
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _starts_another(call: _OpenCall, name: str, arguments: str) -> bool:
    """A named fragment without a new id is another call once the one before it is whole."""
    if not name or not call.name or (name == call.name and not arguments):
        return False
    return call.arguments.is_whole()


def _extend(call: _OpenCall, call_id: str | None, name: str, arguments: str) -> int:
    """Add a fragment to its call; a name may come late, repeated or in parts."""
    chars = len(arguments)
    call.id = call.id or call_id
    if name and name != call.name and not (call.name and call.arguments.parts):
        call.name += name
        chars += len(name)
    if arguments:
        call.arguments.parts.append(arguments)
    return chars
