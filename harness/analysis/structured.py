"""Structured output of one side: how many answers are JSON, how many satisfy their schema, what the others are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.finishwords import contract_word
from harness.analysis.jsonschemas import first_violation
from harness.analysis.jsontext import Flaw, read_json
from harness.analysis.results.estimates import Value
from harness.analysis.results.tools import StructuredSide
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.values import known, missing
from harness.model.golden import CheckKind, GoldenSet, Prompt
from harness.model.record import Arm, Record

NO_SCHEMA = "no request of a prompt that states a schema"
_LENGTH = "length"
_JSON_FORMATS = frozenset({"json_object", "json_schema"})


def expects_json(prompt: Prompt) -> bool:
    """Whether a prompt checks its answer as JSON, or asks the server for JSON."""
    return prompt.is_json_prompt or _response_format(prompt).get("type") in _JSON_FORMATS


def stated_schema(prompt: Prompt) -> Any:
    """Give the schema that an answer must satisfy: its check's, else that of the request; None where none is stated."""
    for check in prompt.checks:
        if check.kind is CheckKind.JSON_SCHEMA and not check.negated:
            return check.argument
    asked = _response_format(prompt).get("json_schema")
    return asked.get("schema") if isinstance(asked, dict) else None


def _response_format(prompt: Prompt) -> dict[str, Any]:
    found = prompt.request.get("response_format")
    return found if isinstance(found, dict) else {}


def structured_sides(judged: Mapping[Arm, Sequence[JudgedRecord]], golden: GoldenSet) -> tuple[StructuredSide, ...]:
    """Give a row per side; none where no prompt asks for JSON."""
    prompts = {prompt.id: prompt for prompt in golden.prompts if expects_json(prompt)}
    return tuple(_side(arm, found, prompts) for arm, found in judged.items()) if prompts else ()


def _side(arm: Arm, judged: Sequence[JudgedRecord], prompts: Mapping[str, Prompt]) -> StructuredSide:
    records = [item.record for item in at_level(judged, 0) if item.record.key.prompt_id in prompts]
    outcomes = Counter(map(_outcome, records))
    schemas = {prompt_id: stated_schema(prompt) for prompt_id, prompt in prompts.items()}
    with_schema = [record for record in records if schemas[record.key.prompt_id] is not None]
    n_schema_valid = sum(_satisfies(schemas[record.key.prompt_id], record) for record in with_schema)
    return StructuredSide(
        arm=arm,
        n=len(records),
        n_valid=outcomes["valid"],
        n_fenced=outcomes[Flaw.FENCED],
        n_wrapped=outcomes[Flaw.WRAPPED],
        n_prose=outcomes[Flaw.PROSE],
        n_cut=outcomes[Flaw.CUT],
        n_empty=outcomes[Flaw.EMPTY],
        n_malformed=outcomes[Flaw.MALFORMED],
        n_failed=outcomes["failed"],
        n_length=sum(contract_word(record.answer.finish_reason) == _LENGTH for record in records),
        n_with_schema=len(with_schema),
        n_schema_valid=n_schema_valid,
        schema_valid=_share(n_schema_valid, len(with_schema)),
    )


def _outcome(record: Record) -> str:
    """Name what one answer is; a failed request is none, whatever came of it."""
    return "failed" if record.failure is not None else read_json(record.answer.text).flaw or "valid"


def _satisfies(schema: Any, record: Record) -> bool:
    reading = read_json(record.answer.text)
    return record.failure is None and reading.problem is None and first_violation(schema, reading.value) is None


def _share(part: int, whole: int) -> Value:
    return known(part / whole) if whole else missing(NO_SCHEMA)
