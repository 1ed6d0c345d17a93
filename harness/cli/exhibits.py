"""Reads from a run folder what a page shows beside the analysis: single exchanges, the bodies' differences."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from harness.cli.sides import RecordedSide
from harness.errors import ConfigError
from harness.model.record import Arm, Attempt, RequestKey

if TYPE_CHECKING:
    from harness.analysis.results.analysis import Analysis
    from harness.model.endpoint import Endpoint
    from harness.report.exhibits import Exchange, Exhibits, FieldDifference

_VALUE = 120  # characters of a value that a line shows
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ABSENT = object()


def exhibits_of(analysis: "Analysis", reference: RecordedSide, candidate: RecordedSide | None) -> "Exhibits":
    """Gather everything; bytes of one request per prompt and side."""
    from harness.report.exhibits import Exhibits  # noqa: PLC0415  # loads with the page

    sides = {Arm.REFERENCE: reference} | ({Arm.CANDIDATE: candidate} if candidate else {})
    exchanges = {key: one for arm, side in sides.items() for key, one in _exchanges(analysis, arm, side)}
    return Exhibits(
        exchanges=exchanges,
        differences=None if candidate is None else tuple(_differences(reference, candidate)),
        folders=_places(reference, candidate),
    )


def _places(reference: RecordedSide, candidate: RecordedSide | None) -> tuple[str, ...]:
    """Give what a command takes to judge the same again: one folder, or a side each."""
    pair = [(reference, Arm.REFERENCE), *([(candidate, Arm.CANDIDATE)] if candidate else [])]
    is_as_run = len({side.run.folder for side, _ in pair}) == 1 and all(side.header.arm is arm for side, arm in pair)
    if is_as_run or candidate is None:
        return (str(reference.run.folder),)
    return tuple(
        str(side.run.folder) if _is_found(side, arm) else f"{side.run.folder}:{side.header.arm}" for side, arm in pair
    )


def _is_found(side: RecordedSide, arm: Arm) -> bool:
    """Whether the folder alone names this arm."""
    return side.header.arm is arm or len(side.run.header.arms) == 1


def _exchanges(analysis: "Analysis", arm: Arm, side: RecordedSide) -> Iterator[tuple[RequestKey, "Exchange"]]:
    from harness.report.chosen import chosen_requests  # noqa: PLC0415

    if analysis.case.redaction is not None:  # neither the request nor the response is what was on the wire
        return
    wanted = {chosen.key for (_, of), chosen in chosen_requests(analysis).items() if of is arm}
    bodies = _bodies(side)
    for attempt in side.run.attempts:
        key = replace(attempt.key, arm=arm)
        if attempt.key.arm is side.header.arm and attempt.attempt == 1 and key in wanted:
            yield key, _exchange(side, attempt, bodies.get(attempt.key.prompt_id))


def _exchange(side: RecordedSide, attempt: Attempt, body: dict[str, Any] | None) -> "Exchange":
    from harness.report.exhibits import Exchange, cut_response  # noqa: PLC0415

    wire = side.run.wire(attempt)
    head, tail = cut_response(wire)
    return Exchange(
        address=f"POST {_address(side.endpoint.base_url)}",
        body="" if body is None else json.dumps(body, indent=1, ensure_ascii=False),
        head=head,
        tail=tail,
        n_bytes=len(wire),
    )


def _address(base_url: str) -> str:
    """Give the URL that was asked, without credentials."""
    url = urlsplit(base_url)
    place = url.netloc.rpartition("@")[2]
    return urlunsplit((url.scheme, place, f"{url.path.rstrip('/')}/chat/completions", url.query, ""))


def _bodies(side: RecordedSide) -> dict[str, dict[str, Any]]:
    """Compose the bodies again; none for a prompt that this version would refuse."""
    from harness.measure.body import request_body  # noqa: PLC0415

    found = {}
    for prompt in side.golden.prompts:
        try:
            found[prompt.id] = request_body(prompt, side.endpoint)
        except ConfigError:
            continue
    return found


def _differences(reference: RecordedSide, candidate: RecordedSide) -> Iterator["FieldDifference"]:
    """Join what differs in the same way in several prompts; undeclared differences come first."""
    from harness.report.exhibits import FieldDifference  # noqa: PLC0415

    ours, theirs = _bodies(reference), _bodies(candidate)
    found: dict[tuple[bool, str, str, str], list[str]] = {}
    for prompt_id in ours:
        if prompt_id in theirs:
            pair = (reference.endpoint, candidate.endpoint)
            for told in _of_prompt(ours[prompt_id], theirs[prompt_id], pair):
                found.setdefault(told, []).append(prompt_id)
    for (is_declared, path, one, other), prompts in sorted(found.items(), key=lambda item: item[0][0]):
        yield FieldDifference(
            path=path, reference=one, candidate=other, is_declared=is_declared, prompts=tuple(prompts)
        )


def _of_prompt(
    one: Mapping[str, Any], other: Mapping[str, Any], endpoints: tuple["Endpoint", "Endpoint"]
) -> Iterator[tuple[bool, str, str, str]]:
    from harness.measure.body import compare_bodies  # noqa: PLC0415

    compared = compare_bodies(one, other, *endpoints)
    for path in compared.undeclared:
        yield False, path, _shown(one, path), _shown(other, path)
    for path in compared.declared:
        yield True, path, _shown(one, path), _shown(other, path)


def _shown(body: Mapping[str, Any], path: str) -> str:
    """Write the value at a path such as `messages[0].content`, cut."""
    value: Any = body
    for name, index in _STEP.findall(path):
        value = _item(value, name, index)
    text = "not sent" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def _item(value: Any, name: str, index: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, _ABSENT)
    if isinstance(value, list) and index and int(index) < len(value):
        return value[int(index)]
    return _ABSENT
