"""Notices answers that were not made for their request: a cache in front of the model."""

from collections import defaultdict
from collections.abc import Sequence

from harness.analysis.results.trial import Trial
from harness.analysis.words import count_of
from harness.model.record import Record

_SHOWN = 3
# A cached prefix shortens the wait for the first token only: generating these tokens takes its time on every repeat.
_FEWEST_TOKENS = 32
_TOO_FAST = 0.1  # of the time that the first answer took
_FEWEST_PROMPTS = 3  # with fewer, one slow first request explains it


def repeated_ids(records: Sequence[Record]) -> list[str]:
    """Name response ids that came again for one prompt after the first had ended; one that all share is a constant."""
    owners = defaultdict(list)
    for record in records:
        if record.response_id and record.failure is None:
            owners[record.response_id].append(record)
    shared = [found for found, owning in owners.items() if _is_replayed(owning)]
    if not shared or len(owners) == 1:
        return []
    shown = ", ".join(
        f"{found} on {len(owners[found])} repeats of {owners[found][0].key.prompt_id}" for found in shared[:_SHOWN]
    )
    return [f"{count_of(len(shared), 'response id')} came more than once ({shown})"]


def _is_replayed(owners: Sequence[Record]) -> bool:
    """A cache replays what is complete; requests in flight together share an id that is a mere timestamp."""
    if len({record.key.prompt_id for record in owners}) > 1:
        return False
    first_end_ns = min(record.stamps.ended_at_ns or 0 for record in owners)
    return any((record.stamps.sent_at_ns or 0) > first_end_ns for record in owners)


def cached_answers(trials: Sequence[Trial]) -> list[str]:
    """Name prompts whose repeats came word for word in under a tenth of the first answer's time.

    At least three prompts, and half of those that could show it: one slow first request is no cache.
    """
    by_prompt = defaultdict(list)
    for trial in sorted(trials, key=lambda trial: trial.block):
        if trial.failure is None and _value(trial, "e2e") is not None:
            by_prompt[trial.key.prompt_id].append(trial)
    able = {prompt_id: found for prompt_id, found in by_prompt.items() if _could_show(found)}
    cached = [prompt_id for prompt_id, found in able.items() if _all_too_fast(found)]
    if len(cached) < _FEWEST_PROMPTS or 2 * len(cached) < len(able):
        return []
    shown = ", ".join(cached[:_SHOWN])
    return [f"repeats of {len(cached)} prompts came word for word in under a tenth of the first one's time ({shown})"]


def _could_show(trials: Sequence[Trial]) -> bool:
    return len(trials) > 1 and (_value(trials[0], "completion_tokens") or 0) >= _FEWEST_TOKENS


def _all_too_fast(trials: Sequence[Trial]) -> bool:
    first, *repeats = trials
    whole = _value(first, "e2e") or 0.0
    return all(
        trial.canonical == first.canonical and (_value(trial, "e2e") or whole) < _TOO_FAST * whole for trial in repeats
    )


def _value(trial: Trial, metric: str) -> float | None:
    found = trial.metrics.get(metric)
    return None if found is None else found.value
