"""What further requests would ask for, from what this run's own took: tokens, money, minutes; and the command."""

import math
import shlex
from collections.abc import Sequence
from itertools import pairwise

from harness.analysis.cost import currency_of
from harness.analysis.results.case import Case, Side
from harness.analysis.results.trial import Trial
from harness.model.record import Arm

_NS_PER_MINUTE = 60 * 10**9
_ARMS = (Arm.REFERENCE, Arm.CANDIDATE)
_FILES = (".yml", ".yaml")
_COMPARE = "bench compare a.yml b.yml"
_PAIR = 2
_KEPT = ("--golden", "--settings", "--out")
_OUT = "results"


def price_words(case: Case, trials: Sequence[Trial], per_side: int) -> str:
    """Say what so many requests per side may take; nothing of what this run did not show."""
    parts = [_tokens(trials, per_side), _money(case, trials, per_side), _minutes(case, trials, per_side)]
    return "".join(f", {part}" for part in parts if part)


def _tokens(trials: Sequence[Trial], per_side: int) -> str:
    total = 0.0
    for metric in ("prompt_tokens", "completion_tokens"):
        means = [_mean(trials, arm, metric) for arm in _ARMS]
        if any(mean is None for mean in means):
            return ""
        total += per_side * math.fsum(mean for mean in means if mean is not None)
    return f"about {total:,.0f} tokens"


def _mean(trials: Sequence[Trial], arm: Arm, metric: str) -> float | None:
    found = [value for trial in trials if trial.key.arm is arm and (value := _value(trial, metric)) is not None]
    return math.fsum(found) / len(found) if found else None


def _value(trial: Trial, metric: str) -> float | None:
    found = trial.cost if metric == "cost" else trial.metrics.get(metric)
    return None if found is None else found.value


def _money(case: Case, trials: Sequence[Trial], per_side: int) -> str:
    """Price the run from what this one cost; nothing where a side has no price."""
    means = [_mean(trials, arm, "cost") for arm in _ARMS]
    if any(mean is None for mean in means):
        return ""
    total = per_side * math.fsum(mean for mean in means if mean is not None)
    return f"about {total:.2f} {currency_of(case)}".rstrip()


def _minutes(case: Case, trials: Sequence[Trial], per_side: int) -> str:
    """Both sides are asked at once, so the slower one sets the pace."""
    sides = [side for side in (case.reference, case.candidate) if side is not None]
    paces = [pace for side in sides if (pace := _minutes_per_request(side, trials)) is not None]
    if len(paces) < len(sides) or not paces:
        return ""
    minutes = per_side * max(paces)
    return f"about {math.ceil(minutes)} min" if minutes > 1 else "less than a minute"


def _minutes_per_request(side: Side, trials: Sequence[Trial]) -> float | None:
    """Minutes of the load part over the requests of all levels, warm-up left out."""
    spans: dict[int, int] = {}
    for process in side.client:
        spans[process.part] = max(spans.get(process.part, 0), process.ended_at_ns - process.started_at_ns)
    n = sum(trial.key.arm is side.arm and not trial.key.is_warmup for trial in trials)
    return sum(spans.values()) / _NS_PER_MINUTE / n if spans and n else None


def compare_words(command: str | None) -> str:
    """Give the comparison's command with its two endpoint files and the options that name other files."""
    words = shlex.split(command) if command else []
    if words[1:2] != ["compare"]:
        return _COMPARE
    files = [word for before, word in pairwise(words[1:]) if _is_endpoint(before, word)]
    kept = (piece for name in _KEPT if (value := option_of(words, name)) for piece in (name, value))
    return shlex.join(["bench", "compare", *files, *kept]) if len(files) == _PAIR else _COMPARE


def _is_endpoint(before: str, word: str) -> bool:
    return word.endswith(_FILES) and not word.startswith("--") and before not in _KEPT


def run_folder(command: str | None, run_id: str) -> str:
    """Give where the command put its run."""
    out = option_of(shlex.split(command) if command else [], "--out") or _OUT
    return shlex.quote(f"{out.rstrip('/')}/{run_id}")


def option_of(words: Sequence[str], name: str) -> str | None:
    """Give an option's value as the command line has it, `--name value` or `--name=value`; the last one counts."""
    apart = [word for before, word in pairwise(words) if before == name]
    joined = [word.removeprefix(f"{name}=") for word in words if word.startswith(f"{name}=")]
    found = apart or joined
    return found[-1] if found else None
