"""What is odd about a golden set though it can be replayed and judged."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from harness.model.chatrequest import parameter_like, required_features, unknown_parameters, unpinned_sampling
from harness.model.golden import GoldenSet, Prompt
from harness.model.keyforms import WEB_TOKEN_FORM, key_form

FEWEST_PROMPTS, MOST_PROMPTS = 20, 50
_FEWEST_DECODE = 5  # resampling fewer prompts says nothing about a tail
_NAMED = 5
_DECLARED = frozenset({"tools", "tool_choice", "json_schema", "stop"})
_KEY = re.compile(rf"\b(?:{key_form(20)}|AKIA[A-Z0-9]{{16}}\b|{WEB_TOKEN_FORM}|Bearer\s+[A-Za-z0-9._-]{{20,}})")


def golden_warnings(golden: GoldenSet) -> tuple[str, ...]:
    """List what a person should know before the set is replayed, each with the prompts that it is about."""
    prompts = golden.prompts
    return (
        *_number(len(prompts)),
        *_unpinned(prompts),
        *_about(_ids(p for p in prompts if not p.checks), "without a check: timed and compared, never right or wrong"),
        *_about(_ids(filter(_has_only_negations, prompts)), "with nothing but negated checks: any garbage passes them"),
        *_about(
            _ids(filter(_holds_key, prompts)), "with what looks like a key in a text: it would be sent and recorded"
        ),
        *_unknown(prompts),
        *_undeclared(prompts),
        *_twice(prompts),
        *_decode(prompts),
    )


def _number(n_prompts: int) -> Iterator[str]:
    if n_prompts < FEWEST_PROMPTS:
        yield f"{_counted(n_prompts)}: with fewer than {FEWEST_PROMPTS} a gate rests on very few different requests"
    if n_prompts > MOST_PROMPTS:
        yield f"{n_prompts} prompts: more than {MOST_PROMPTS} cost time and money; bench golden sample picks some"


def _unpinned(prompts: list[Prompt]) -> Iterator[str]:
    by_names: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for prompt in prompts:
        if names := unpinned_sampling(prompt.request):
            by_names[names].append(prompt.id)
    for names, ids in by_names.items():
        yield from _about(ids, f"with sampling that is not pinned: {', '.join(names)}")


def _has_only_negations(prompt: Prompt) -> bool:
    return bool(prompt.checks) and all(check.negated for check in prompt.checks)


def _holds_key(prompt: Prompt) -> bool:
    return _KEY.search(msgspec.json.encode(prompt).decode()) is not None


def _undeclared(prompts: list[Prompt]) -> Iterator[str]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        used = _DECLARED.intersection(required_features(prompt.request))
        for name in sorted(used.difference(prompt.requires)):
            by_name[name].append(prompt.id)
    for name, ids in by_name.items():
        yield from _about(ids, f"whose requires lacks {name}, which the request uses")


def _unknown(prompts: list[Prompt]) -> Iterator[str]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        for name in unknown_parameters(prompt.request):
            by_name[name].append(prompt.id)
    for name, ids in by_name.items():
        meant = parameter_like(name)
        hint = f"did you mean {meant}?" if meant else "it is sent as it stands, and an endpoint may ignore or refuse it"
        yield from _about(ids, f"with {name:.60}, which is no parameter of chat completions: {hint}")


def _twice(prompts: list[Prompt]) -> Iterator[str]:
    by_request: dict[bytes, list[str]] = defaultdict(list)
    for prompt in prompts:
        by_request[msgspec.json.encode(prompt.request, order="sorted")].append(prompt.id)
    for ids in by_request.values():
        if len(ids) > 1:
            yield from _about(ids, "with the same request: raise repeats instead, or their answers count twice")


def _decode(prompts: list[Prompt]) -> Iterator[str]:
    n_decode = sum(prompt.measure.decode for prompt in prompts)
    if n_decode < _FEWEST_DECODE:
        yield (
            f"{_counted(n_decode)} with measure.decode: the gates of the decode rate need {_FEWEST_DECODE}, "
            "of plain text and some hundred tokens"
        )


def _ids(prompts: Iterable[Prompt]) -> list[str]:
    return [prompt.id for prompt in prompts]


def _about(ids: list[str], words: str) -> Iterator[str]:
    if ids:
        more = f", … and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        yield f"{_counted(len(ids))} {words} ({', '.join(ids[:_NAMED])}{more})"


def _counted(n_prompts: int) -> str:
    return {0: "no prompt", 1: "1 prompt"}.get(n_prompts, f"{n_prompts} prompts")
