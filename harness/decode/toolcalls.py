"""Tool calls put together from fragments, however a server numbers them."""

from dataclasses import dataclass
from typing import Any

from harness.decode.findings import Findings
from harness.decode.numbering import number_of
from harness.decode.partedjson import PartedJson
from harness.decode.payload import as_json_text, clean_text
from harness.model.record import FindingKind, ToolCall

MAX_CALLS = 1024
_SHOWN = 40  # characters of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What one fragment says of its call."""

    call_id: str | None = None
    name: str
    arguments: str
    is_placeholder: bool  # an empty object, which may keep the place of text to come


class _OpenCall:
    """A call under construction."""

    def __init__(self, index: int | None, *, is_legacy: bool = False) -> None:
        self.index = index
        self.is_legacy = is_legacy
        self.id: str | None = None
        self.name = ""
        self.arguments = PartedJson()
        self.has_placeholder = False
        self.fragments: list[dict[str, Any]] = []  # kept where asked for

    def add_arguments(self, piece: _Piece) -> int:
        """Add what a piece brings; text takes the place of an empty object. Gives the characters that came."""
        if not piece.arguments or (piece.is_placeholder and self.arguments.parts):
            return 0
        if self.has_placeholder:
            self.arguments = PartedJson()
        self.has_placeholder = piece.is_placeholder
        self.arguments.parts.append(piece.arguments)
        return len(piece.arguments)

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
        self._legacy: _OpenCall | None = None

    def take(self, delta: dict[str, Any], *, is_chunk: bool) -> int:
        """Take a delta's or message's fragments; gives the characters of output among them."""
        chars = 0
        fragments = delta.get("tool_calls")
        if fragments is not None:
            for position, fragment in enumerate(self._listed(fragments)):
                chars += self._take_fragment(fragment, None if is_chunk else position)
        legacy = delta.get("function_call")
        if isinstance(legacy, dict):
            legacy_chars = self._take_legacy(legacy)
            chars = chars or legacy_chars  # beside listed fragments it says the same once more
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
        call_id = fragment.get("id")
        piece = self._piece(body, body.get("arguments", body.get("input")), call_id)
        call = self._call_for(self._index(fragment), position, piece)
        if self._keeps_fragments:
            call.fragments.append(fragment)
        return self._extend(call, piece)

    def _piece(self, body: dict[str, Any], arguments: object, call_id: object = None) -> _Piece:
        name = body.get("name")
        return _Piece(
            call_id=call_id if isinstance(call_id, str) and call_id else None,
            name=name if isinstance(name, str) else "",
            arguments=self._as_text(arguments),
            is_placeholder=arguments == {},
        )

    def _index(self, fragment: dict[str, Any]) -> int | None:
        came = fragment.get("index")
        index = number_of(came)
        if not isinstance(index, int) or isinstance(index, bool):
            return None
        if isinstance(came, str):
            self._findings.note(FindingKind.INDEX_NOT_NUMBER, f'a call\'s "{came}"')
        return index

    def _call_for(self, index: int | None, position: int | None, piece: _Piece) -> _OpenCall:
        """Find or open the fragment's call; a message's calls are whole, their position is their index."""
        if position is not None:
            return self._open(position if index is None else index)
        if index is not None:
            return self._with_index(index, piece)
        self._findings.note(FindingKind.TOOL_INDEX_MISSING)
        return self._without_index(piece)

    def _with_index(self, index: int, piece: _Piece) -> _OpenCall:
        call = self._by_index.get(index)
        if call is None:
            return self._open(index)
        is_other_id = piece.call_id is not None and call.id is not None and piece.call_id != call.id
        is_same_id = piece.call_id is not None and piece.call_id == call.id
        if is_other_id or (not is_same_id and (_starts_another(call, piece) or _is_renamed(call, piece))):
            self._findings.note(FindingKind.TOOL_INDEX_REUSED, f"index {index}")
            return self._open(index)
        return call

    def _without_index(self, piece: _Piece) -> _OpenCall:
        last = next((call for call in reversed(self._calls) if not call.is_legacy), None)
        if last is None:
            return self._open(None)
        if piece.call_id is not None and piece.call_id != last.id:
            known = next((call for call in self._calls if call.id == piece.call_id), None)
            return known or self._open(None)
        has_another_name = bool(piece.name and last.name and piece.name != last.name)
        is_another = has_another_name or (piece.call_id is None and _starts_another(last, piece))
        return self._open(None) if is_another else last

    def _take_legacy(self, fragment: dict[str, Any]) -> int:
        """Take a piece of the one call that a message may hold as `function_call`."""
        if self._legacy is None:
            self._legacy = _OpenCall(None, is_legacy=True)
            self._calls.append(self._legacy)
        return self._extend(self._legacy, self._piece(fragment, fragment.get("arguments")))

    def _extend(self, call: _OpenCall, piece: _Piece) -> int:
        call.id = call.id or piece.call_id
        return self._name(call, piece.name) + call.add_arguments(piece)

    def _name(self, call: _OpenCall, name: str) -> int:
        """Take a name that comes late, repeated, in parts or growing; gives the characters that are new."""
        if not name or name == call.name:
            return 0
        before = call.name
        if before:
            self._findings.note(FindingKind.TOOL_NAME_IN_PARTS, f"{before[:_SHOWN]}, then {name[:_SHOWN]}")
        if name.startswith(before):
            call.name = name
        elif not call.arguments.parts:
            call.name += name
        return len(call.name) - len(before)

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
            for call in self._counting()
        )

    def result(self) -> tuple[ToolCall, ...]:
        """Give the calls in order of appearance."""
        calls = self._counting()
        nameless = sum(1 for call in calls if not call.id and not call.is_legacy)
        if nameless:
            self._findings.note(FindingKind.TOOL_ID_MISSING, count=nameless)
        if self._legacy is not None and len(calls) < len(self._calls):
            self._findings.note(FindingKind.LEGACY_CALL_REPEATS, self._legacy.name)
        return tuple(call.closed() for call in calls)

    def _counting(self) -> list[_OpenCall]:
        """Leave out a legacy call that repeats a listed one: servers that send both forms mean one call."""
        if self._legacy is None:
            return self._calls
        legacy = self._legacy.name, str(self._legacy.arguments)
        listed = [call for call in self._calls if call is not self._legacy]
        is_repeat = any((call.name, str(call.arguments)) == legacy for call in listed)
        return listed if is_repeat else self._calls


def _body(fragment: dict[str, Any]) -> dict[str, Any]:
    """The part with name and arguments: a function, a custom tool, or the fragment itself."""
    for key in ("function", "custom"):
        inner = fragment.get(key)
        if isinstance(inner, dict):
            return inner
    return fragment


def _starts_another(call: _OpenCall, piece: _Piece) -> bool:
    """A named fragment without a new id is another call once the one before it is whole."""
    if not piece.name or not call.name:
        return False
    if piece.name == call.name and (not piece.arguments or call.has_placeholder):
        return False
    return call.arguments.is_whole()


def _is_renamed(call: _OpenCall, piece: _Piece) -> bool:
    """A name that goes on brings no id, stands before all arguments and beside no whole ones; else it is another's."""
    if not piece.name or not call.name or piece.name.startswith(call.name):
        return False
    return piece.call_id is not None or bool(call.arguments.parts) or _is_whole(piece.arguments)


def _is_whole(arguments: str) -> bool:
    text = PartedJson()
    text.parts.append(arguments)
    return text.is_whole()
