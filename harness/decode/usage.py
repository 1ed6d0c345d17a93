"""Token usage as reported: the last non-null one counts, never a sum."""

from typing import Any

from harness.decode.findings import Findings
from harness.model.record import FindingKind, Usage

MAX_TOKENS = 2**53
_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")


class UsageCollector:
    """Watches every chunk's usage; knows at the end which style the server has."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._last: dict[str, Any] | None = None
        self._n_on_choice_chunks = 0
        self._n_seen = 0
        self._first_output_tokens: int | None = None
        self._n_output_chunks = 0
        self._n_counted: int | None = None  # tokens that a running count had reached
        self._n_unheard = 0  # by which it grew since in chunks without output

    def take(self, payload: dict[str, Any], *, has_choices: bool, has_output: bool, is_chunk: bool) -> bool:
        """Look at one chunk; True when it carried usage."""
        usage = self._found(payload)
        if has_output:
            self._n_output_chunks += 1
        if usage is None:
            return False
        if has_choices and is_chunk:
            self._n_on_choice_chunks += 1
        if _is_zero(usage) and self._last is not None and not _is_zero(self._last):
            self._findings.note(FindingKind.USAGE_ZEROED, "zeros behind real counts")
            return True
        self._last = usage
        self._n_seen += 1
        n_tokens = _tokens(usage, _COMPLETION)
        if has_output and self._n_output_chunks == 1:
            self._first_output_tokens = n_tokens
        if n_tokens is not None:
            self._follow(n_tokens, has_output=has_output)
        return True

    def _follow(self, n_tokens: int, *, has_output: bool) -> None:
        """Note tokens that were counted while nothing came, once output follows: the last ones are an end of text."""
        if has_output and self._n_unheard:
            self._findings.note(FindingKind.USAGE_GROWS_SILENTLY, f"{self._n_unheard} tokens before the next output")
            self._n_unheard = 0
        elif not has_output and self._n_counted is not None:
            self._n_unheard += max(0, n_tokens - self._n_counted)
        self._n_counted = n_tokens

    def _found(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Usage at the top, else in the places where some servers put it; an empty object says nothing."""
        usage = payload.get("usage")
        if usage and isinstance(usage, dict):
            return usage
        groq = payload.get("x_groq")
        if isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
            self._findings.note(FindingKind.USAGE_ELSEWHERE, "x_groq.usage")
            return dict(groq["usage"])
        choices = payload.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(first, dict) and isinstance(first.get("usage"), dict):
            self._findings.note(FindingKind.USAGE_ELSEWHERE, "choices[0].usage")
            return dict(first["usage"])
        return None

    def result(self, *, has_output: bool) -> Usage | None:
        """Give the usage that counts, with the findings about it."""
        self._note_placement()
        if self._last is None:
            return None
        usage = Usage(
            prompt_tokens=_tokens(self._last, _PROMPT),
            completion_tokens=_tokens(self._last, _COMPLETION),
            total_tokens=_tokens(self._last, ("total_tokens",)),
            cached_tokens=_cached(self._last),
            reasoning_tokens=_reasoning(self._last),
            first_chunk_tokens=self._first_chunk_tokens(),
        )
        self._note_contradictions(usage, has_output=has_output)
        return usage

    def _note_placement(self) -> None:
        n = self._n_on_choice_chunks
        if n == 1:
            self._findings.note(FindingKind.USAGE_ON_CHOICE_CHUNK)
        elif n > 1:
            self._findings.note(FindingKind.USAGE_IN_EVERY_CHUNK, f"{n} choice chunks", count=n)

    def _first_chunk_tokens(self) -> int | None:
        """Only a running count tells; the same number in every chunk is no running count."""
        first = self._first_output_tokens
        last = _tokens(self._last or {}, _COMPLETION)
        if not first or last is None or first > last:
            return None
        is_running = self._n_seen > 1 and (first < last or self._n_output_chunks == 1)
        return first if is_running else None

    def _note_contradictions(self, usage: Usage, *, has_output: bool) -> None:
        prompt, completion, total = usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
        if prompt is not None and completion is not None and total not in (None, prompt + completion):
            self._findings.note(FindingKind.USAGE_INCONSISTENT, f"total {total} is not {prompt} + {completion}")
        self._note_parts("cached tokens", usage.cached_tokens, "prompt", prompt)
        self._note_parts("reasoning tokens", usage.reasoning_tokens, "completion", completion)
        if completion == 0 and has_output:
            self._findings.note(FindingKind.USAGE_INCONSISTENT, "0 completion tokens beside output")
        if prompt is None and completion is None:
            self._findings.note(FindingKind.USAGE_INCONSISTENT, "no token counts in usage")

    def _note_parts(self, part: str, n_part: int | None, whole: str, n_whole: int | None) -> None:
        if n_part is not None and n_whole is not None and n_part > n_whole:
            self._findings.note(FindingKind.USAGE_INCONSISTENT, f"{n_part} {part} in a {whole} of {n_whole}")


def _is_zero(usage: dict[str, Any]) -> bool:
    """Whether it counts something, and all that it counts is zero."""
    counts = {_tokens(usage, names) for names in (_PROMPT, _COMPLETION, ("total_tokens",))} - {None}
    return counts == {0}


def _tokens(usage: dict[str, Any], names: tuple[str, ...]) -> int | None:
    """First plausible count under any of the names."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_TOKENS:
            return value
    return None


def _inner(usage: dict[str, Any], *names: str) -> dict[str, Any]:
    return next((usage[name] for name in names if isinstance(usage.get(name), dict)), {})


def _cached(usage: dict[str, Any]) -> int | None:
    details = _inner(usage, "prompt_tokens_details", "input_tokens_details")
    cached = _tokens(details, ("cached_tokens",))
    return cached if cached is not None else _tokens(usage, ("prompt_cache_hit_tokens", "cached_tokens"))


def _reasoning(usage: dict[str, Any]) -> int | None:
    details = _inner(usage, "completion_tokens_details", "output_tokens_details")
    reasoning = _tokens(details, ("reasoning_tokens",))
    return reasoning if reasoning is not None else _tokens(usage, ("reasoning_tokens",))
