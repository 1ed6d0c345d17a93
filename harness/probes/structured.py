"""Probes of structured output: valid by force, by kindness, or not at all."""

from typing import Any

import msgspec

from harness.model.probe import ProbeClass
from harness.probes.classify import Sign, each, each_label, in_pairs, judged, served
from harness.probes.probe import Ask, Judged, Probe, Taken
from harness.probes.seen import Seen

C = ProbeClass
_FENCE = "```"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"code": {"type": "string", "enum": ["zq7"]}, "n": {"type": "integer"}},
    "required": ["code", "n"],
    "additionalProperties": False,
}
_PROSE = [{"role": "user", "content": "Describe the sea in one sentence of plain English."}]
_FRIENDLY = [{"role": "user", "content": 'Reply with JSON only: an object with code "zq7" and an integer n.'}]
_KEYWORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # property's schema, and $defs beside it
    "minItems": ({"type": "array", "items": {"type": "string"}, "minItems": 3}, {}),
    "pattern": ({"type": "string", "pattern": "^[0-9]{4}-x$"}, {}),
    "format": ({"type": "string", "format": "date"}, {}),
    "anyOf": ({"anyOf": [{"type": "integer", "minimum": 7000, "maximum": 7999}, {"type": "null"}]}, {}),
    "$ref": ({"$ref": "#/$defs/odd"}, {"odd": {"type": "string", "enum": ["vx3"]}}),
}


def _format(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "probe", "strict": True, "schema": schema}}
    }


def _keyword_schema(keyword: str) -> dict[str, Any]:
    inner, defs = _KEYWORDS[keyword]
    schema = {"type": "object", "properties": {"value": inner}, "required": ["value"], "additionalProperties": False}
    return schema | ({"$defs": defs} if defs else {})


def problem_with(text: str, schema: dict[str, Any]) -> str | None:
    """Say why a text is not a value of a schema; None when it is."""
    import jsonschema  # half a second

    try:
        value = msgspec.json.decode(text.strip())
    except (msgspec.DecodeError, RecursionError):
        return "fenced" if _FENCE in text else "not JSON"
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    first = next(validator.iter_errors(value), None)
    return None if first is None else f"against the schema: {first.message}"[:120]


def _object(seen: Seen) -> Sign:
    problem = problem_with(seen.text, {"type": "object"})
    if problem is None:
        return C.SUPPORTED, "a bare JSON object"
    return (C.INCONCLUSIVE if _is_cut(seen) else C.IGNORED), f"{problem}: {seen.text[:40]!r}"


def _is_cut(seen: Seen) -> bool:
    """Whether JSON had begun when the budget ended."""
    return seen.answer.finish_reason == "length" and seen.text.lstrip().startswith("{")


def _enforced(taken: Taken) -> Judged:
    forced = [problem_with(seen.text, SCHEMA) for seen in taken.of("prose")]
    if not any(forced):
        return judged((C.SUPPORTED, f"valid against the schema, though prose was asked for ({len(forced)} trials)"))
    if any(map(_is_cut, taken.of("prose"))):
        return judged((C.INCONCLUSIVE, "the budget ended inside the JSON"))
    friendly = [problem_with(seen.text, SCHEMA) for seen in taken.of("friendly")]
    if any(problem == "fenced" for problem in (*forced, *friendly)):
        return judged((C.BROKEN, "JSON inside a code fence"))
    n_bad = sum(problem is not None for problem in forced)
    said = f"{n_bad} of {len(forced)} not valid when prose was asked for ({next(filter(None, forced))})"
    if any(friendly):
        return judged((C.IGNORED, said), enforcement="none")
    return judged((C.IGNORED, said), "encouraged: valid when the prompt asks for it", enforcement="encouraged")


def _same_as_plain(plain: Seen, stream: Seen) -> Sign:
    problems = [problem_with(seen.text, SCHEMA) for seen in (plain, stream)]
    if problems[0] is not None:
        kind = C.IGNORED if problems[1] is not None else C.BROKEN
        return kind, f"plain: {problems[0]}, streamed: {problems[1] or 'valid'}"
    if problems[1] is not None:
        return C.BROKEN, f"valid when plain, {problems[1]} when streamed"
    is_same = plain.text == stream.text
    return C.SUPPORTED, "valid both ways" + (", the same text" if is_same else ", with other values")


def _keyword(seen: Seen) -> Sign:
    problem = problem_with(seen.text, _keyword_schema(seen.label))
    return (C.SUPPORTED, "obeyed") if problem is None else (C.IGNORED, problem)


def _truncated(seen: Seen) -> Sign:
    reason = seen.answer.finish_reason
    problem = problem_with(seen.text, SCHEMA)
    if problem is None:
        return C.INCONCLUSIVE, "the whole object fitted in the budget"
    if not seen.text.lstrip().startswith(("{", _FENCE)):
        return C.INCONCLUSIVE, f"no JSON had begun: {seen.text[:30]!r}"
    said = f"finish_reason {reason} on {seen.text[:30]!r}"
    return (C.SUPPORTED if reason == "length" else C.BROKEN), said


_STRICT = _format(SCHEMA) | {"max_tokens": 60}
_CHANGE = "Validate every answer against the schema and ask again where it fails."

PROBES = (
    Probe(
        id="json_object",
        number=22,
        group="structured",
        question="Does json_object bring bare JSON?",
        asks=(
            Ask(
                label="object",
                fields={"messages": _FRIENDLY, "max_tokens": 60, "response_format": {"type": "json_object"}},
            ),
        ),
        judge=each(_object),
        trials=3,
        needs_model=True,
        feature="json_object",
        change="Ask for JSON in the prompt, strip fences, and parse with a second try.",
        changes={
            C.IGNORED: "Strip prose and fences and parse with a second try: json_object is taken without effect.",
            C.REJECTED: "Leave response_format out: ask for JSON in the prompt, and parse with a second try.",
        },
    ),
    Probe(
        id="json_schema_enforced",
        number=23,
        group="structured",
        question="Is a strict JSON Schema enforced against the prompt?",
        asks=(
            Ask(label="prose", fields=_STRICT | {"messages": _PROSE}),
            Ask(label="friendly", fields=_STRICT | {"messages": _FRIENDLY}, trials=1),
        ),
        judge=_enforced,
        trials=3,
        needs_model=True,
        feature="json_schema",
        change=_CHANGE,
        changes={
            C.REJECTED: "Leave response_format out: put the schema into the prompt, validate, ask again on failure.",
            C.BROKEN: "Strip the code fence, then validate every answer against the schema.",
        },
    ),
    Probe(
        id="json_schema_stream",
        number=24,
        group="structured",
        question="Does a strict schema hold in a stream as well?",
        asks=tuple(
            Ask(label=label, fields=_STRICT | {"messages": _FRIENDLY, "stream": label == "stream" or None})
            for label in ("plain", "stream")
        ),
        judge=lambda taken: in_pairs(taken, "plain", "stream", _same_as_plain),
        trials=3,
        needs_model=True,
        change="Ask for structured answers without a stream.",
        changes={
            C.IGNORED: "Validate structured answers yourself: the schema holds neither plain nor streamed.",
        },
    ),
    Probe(
        id="schema_keywords",
        number=25,
        group="structured",
        question="Which schema keywords are obeyed: minItems, pattern, format, anyOf, $ref?",
        asks=tuple(
            Ask(label=keyword, fields=_format(_keyword_schema(keyword)) | {"messages": _PROSE, "max_tokens": 80})
            for keyword in _KEYWORDS
        ),
        judge=lambda taken: each_label(taken, served(_keyword)),  # one that is refused says nothing of the others
        trials=3,
        needs_model=True,
        judges_refusals=True,
        change="Take the keywords that are not obeyed out of your schemas, and check their rules in code.",
        changes={
            C.REJECTED: "Take the keywords that are refused out of your schemas, and check their rules in code.",
            C.BROKEN: "Take the keywords that break the request out of your schemas, and check their rules in code.",
        },
    ),
    Probe(
        id="json_truncated",
        number=26,
        group="structured",
        question="Does JSON that the budget cut finish with length?",
        asks=(
            Ask(label="cut", fields=_format(SCHEMA) | {"messages": _FRIENDLY, "max_tokens": 3}, has_exact_budget=True),
        ),
        judge=each(_truncated),
        trials=2,
        needs_model=True,
        change="Parse before trusting finish_reason: cut JSON says stop.",
        changes={
            C.REJECTED: "Send structured requests with a larger budget, and parse before trusting an answer.",
        },
    ),
)
