"""What the streamed and the unstreamed answers of one endpoint are compared by.

Wording and the values of arguments vary from one repeat to the next by themselves: they are compared by what the checks
make of them, never as such. Counts are compared where the answers are the same to the letter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.analysis.canonical import canonical_answer
from harness.analysis.jsonschemas import first_violation
from harness.analysis.jsontext import read_json
from harness.analysis.results.streams import Aspect
from harness.analysis.results.trial import Rung
from harness.analysis.structured import expects_json, stated_schema
from harness.analysis.tools import judge_tools
from harness.model.golden import Prompt
from harness.model.record import Record

VALID = "valid"
_TOLERANCE, _FEWEST_TOLERATED = 0.05, 2  # of completion tokens


def _every(_: Prompt) -> bool:
    return True


def _any_two(_: Record, __: Record) -> bool:
    return True


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other)


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectRule:
    """How one aspect is read and compared; a signature of None says that there is nothing to compare."""

    aspect: Aspect
    signature: Callable[[Prompt, Record], str | int | None]
    advice: str
    applies: Callable[[Prompt], bool] = _every
    are_comparable: Callable[[Record, Record], bool] = _any_two
    are_alike: Callable[[Any, Any], bool] = _equal


def _offers_tools(prompt: Prompt) -> bool:
    return prompt.is_tool_prompt or bool(prompt.request.get("tools"))


def _calls(prompt: Prompt, record: Record) -> str:
    """Give the calls with the types of their arguments, and the rung on which they fall."""
    judged = judge_tools(prompt, record)
    calls = sorted(
        f"{call.name or '?'}({_shape(read_json(call.arguments).value)})" for call in record.answer.tool_calls
    )
    fall = "" if judged is None or judged.rung is Rung.OK else f" [{judged.rung}]"
    return (", ".join(calls) or "no call") + fall


def _shape(value: Any, depth: int = 0) -> str:
    """Give an object's keys with the types of their values, a list by the shapes that it holds."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_shape(value[key], depth + 1)}" for key in sorted(value))
        return f"{{{inner}}}" if depth else inner
    if isinstance(value, list):
        return f"[{', '.join(sorted({_shape(item, depth + 1) for item in value}))}]"
    kinds: tuple[tuple[type, str], ...] = ((bool, "boolean"), (str, "text"), (int, "number"), (float, "number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null" if depth else "no object")


def json_state(prompt: Prompt, record: Record) -> str:
    """Say whether an answer is JSON and satisfies the schema that the prompt states."""
    reading = read_json(record.answer.text)
    if reading.problem is not None:
        return f"no JSON ({reading.flaw})"
    schema = stated_schema(prompt)
    is_valid = schema is None or first_violation(schema, reading.value) is None
    return VALID if is_valid else "JSON against its schema"


def _finish_reason(_: Prompt, record: Record) -> str:
    return record.answer.finish_reason or "none"


def _prompt_tokens(_: Prompt, record: Record) -> int | None:
    return None if record.usage is None else record.usage.prompt_tokens


def _answer_tokens(_: Prompt, record: Record) -> int | None:
    """Give the tokens of the answer itself: reasoning varies where the answer does not."""
    usage = record.usage
    if usage is None or usage.completion_tokens is None:
        return None
    return usage.completion_tokens - (usage.reasoning_tokens or 0)


def _are_near(one: int, other: int) -> bool:
    return abs(one - other) <= max(_FEWEST_TOLERATED, _TOLERANCE * max(one, other))


def _has_usage(_: Prompt, record: Record) -> str:
    has_any = record.usage is not None and record.usage.completion_tokens is not None
    return "reported" if has_any else "missing"


def _model(_: Prompt, record: Record) -> str | None:
    return record.model_reported


def _same_letters(one: Record, other: Record) -> bool:
    return _letters(one) == _letters(other)


def _letters(record: Record) -> tuple[Any, ...]:
    answer = record.answer
    return answer.text, answer.refusal, tuple((call.name, call.arguments) for call in answer.tool_calls)


def same_meaning(one: Record, other: Record) -> bool:
    """Whether two answers have one canonical form."""
    return canonical_answer(one.answer) == canonical_answer(other.answer)


RULES: tuple[AspectRule, ...] = (
    AspectRule(
        aspect=Aspect.TOOL_CALLS,
        signature=_calls,
        applies=_offers_tools,
        advice="Calls differ between the forms more than from one stream to the next: the server may parse them in "
        "other code when it streams. Keep to the form in which your calls are valid, and show the provider the "
        "example.",
    ),
    AspectRule(
        aspect=Aspect.JSON,
        signature=json_state,
        applies=expects_json,
        advice="JSON is valid more often in one form: keep to that form, or validate and ask again.",
    ),
    AspectRule(
        aspect=Aspect.FINISH_REASON,
        signature=_finish_reason,
        are_comparable=same_meaning,
        advice="The same answer ends for another reason when it is streamed: decide by what the answer holds.",
    ),
    AspectRule(
        aspect=Aspect.PROMPT_TOKENS,
        signature=_prompt_tokens,
        advice="The same prompt is counted differently: ask which of the two counts is billed.",
    ),
    AspectRule(
        aspect=Aspect.COMPLETION_TOKENS,
        signature=_answer_tokens,
        are_comparable=_same_letters,
        are_alike=_are_near,
        advice="The same answer is counted differently: ask which of the two counts is billed.",
    ),
    AspectRule(
        aspect=Aspect.USAGE,
        signature=_has_usage,
        advice="Token counts come in one form only: accounting that reads the other sees nothing.",
    ),
    AspectRule(
        aspect=Aspect.MODEL,
        signature=_model,
        advice="The two forms name different models: a router may send them to different servers.",
    ),
)
