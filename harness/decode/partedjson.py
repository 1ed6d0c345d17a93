"""A JSON text that comes in parts, and whether the parts so far are a whole value."""

import re

import msgspec

_MARK = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_DEPTHS = {"[": 1, "{": 1, "]": -1, "}": -1}
_ENDS = '"]}'


class PartedJson:
    """Looks at each character once, however often it is asked: a server may repeat a call's name with every part."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._n_seen = 0
        self._depth = 0
        self._is_inside_text = False
        self._escape = ""  # a backslash at the end of the parts seen
        self._last = ""  # the last character seen that is no white space
        self._is_whole = False
        self._is_beyond_repair = False  # what closes and does not decode is no JSON, whatever follows

    def __str__(self) -> str:
        """Give the text so far."""
        return "".join(self.parts)

    def is_whole(self) -> bool:
        """Whether the parts are an object, a list or a text, from beginning to end."""
        if self._n_seen < len(self.parts):
            self._see("".join(self.parts[self._n_seen :]))
            self._n_seen = len(self.parts)
            self._is_whole = self._is_closed() and self._decodes()
        return self._is_whole

    def _see(self, part: str) -> None:
        text = self._escape + part
        end = 0
        for found in _MARK.finditer(text):
            end = found.end()
            if found[0] == '"':
                self._is_inside_text = not self._is_inside_text
            elif not self._is_inside_text:
                self._depth += _DEPTHS.get(found[0], 0)
        self._escape = "\\" if text.endswith("\\") and end < len(text) else ""
        self._last = part.rstrip()[-1:] or self._last

    def _is_closed(self) -> bool:
        return not (self._depth or self._is_inside_text or self._is_beyond_repair) and self._last in _ENDS

    def _decodes(self) -> bool:
        try:
            msgspec.json.decode(str(self))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._is_beyond_repair = True
        return not self._is_beyond_repair
