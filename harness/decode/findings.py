"""A collector of what the decoder noticed, one finding per kind with its count."""

from harness.decode.payload import clean_text
from harness.model.record import Finding, FindingKind

MAX_DETAIL_CHARS = 200
_ONE_EACH = frozenset({FindingKind.REASONING_FIELD, FindingKind.FINISH_REASON_UNKNOWN})


def one_line(text: str, limit: int = MAX_DETAIL_CHARS) -> str:
    """Evidence that fits in a line: white space joined, cut at a limit, encodable."""
    line = " ".join(clean_text(text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Findings:
    """Findings in the order of first notice; the first detail of a kind stays."""

    def __init__(self) -> None:
        self._details: dict[tuple[FindingKind, str], str] = {}
        self._counts: dict[tuple[FindingKind, str], int] = {}

    def note(self, kind: FindingKind, detail: str = "", *, count: int = 1) -> None:
        """Count one more occurrence; kinds whose detail is a name count by name."""
        key = (kind, detail if kind in _ONE_EACH else "")
        self._counts[key] = self._counts.get(key, 0) + count
        if key not in self._details:
            self._details[key] = one_line(detail)

    def taken(self) -> tuple[Finding, ...]:
        """Give what was noted so far."""
        return tuple(
            Finding(kind=key[0], detail=self._details[key], count=count) for key, count in self._counts.items()
        )
