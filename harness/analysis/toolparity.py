"""How each side's tool calls hold up: the ladder's rungs, calls against their schemas, and whether repeats all succeed.

Schema accuracy follows K2-Vendor-Verifier (see `triggers`): the share of calling answers whose every call names an
offered tool and satisfies its schema; an empty schema, which it refuses, allows any object here. pass@k: M. Chen et
al., arXiv 2107.03374; pass^k: S. Yao et al., arXiv 2406.12045.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from harness.analysis.jsonschemas import first_violation
from harness.analysis.jsontext import read_json
from harness.analysis.results.estimates import Value
from harness.analysis.results.tools import ToolComparison, ToolSide
from harness.analysis.results.trial import Rung, Trial
from harness.analysis.similarity import offers_tools
from harness.analysis.tools import offered_tools
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.triggers import NO_CALL, ONE_REPEAT, TOGETHER, has_call, trigger_agreements
from harness.analysis.values import known, missing, quotient
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Answer, Arm

NO_TRIAL = "no request of a prompt that expects a decision about tools"


def compare_tools(judged: Mapping[Arm, Sequence[JudgedRecord]], golden: GoldenSet) -> ToolComparison | None:
    """Compare what is judged; None where no prompt offers tools."""
    prompts = {prompt.id: prompt for prompt in golden.prompts if offers_tools(prompt)}
    if not prompts:
        return None
    sides = [[item for item in at_level(found, 0) if item.record.key.prompt_id in prompts] for found in judged.values()]
    triggers = trigger_agreements([[item.record for item in side] for side in sides])
    together = next(found for found in triggers if found.metric == TOGETHER)
    k = _fewest_repeats(sides)
    return ToolComparison(
        triggers=triggers,
        trigger_share=quotient(together.cross, together.reference_self),
        sides=tuple(_side(arm, side, prompts, k) for arm, side in zip(judged, sides, strict=True)),
    )


def _side(arm: Arm, judged: Sequence[JudgedRecord], prompts: Mapping[str, Prompt], k: int | None) -> ToolSide:
    every = [item.trial for item in judged]
    trials = list(filter(_is_settled, every))
    calling = [item.record for item in judged if has_call(item.record)]
    n_valid = sum(has_valid_calls(prompts[record.key.prompt_id], record.answer) for record in calling)
    return ToolSide(
        arm=arm,
        n_trials=len(trials),
        rungs=Counter(trial.tool.rung.value for trial in every if trial.tool is not None),
        n_calling=len(calling),
        n_schema_valid=n_valid,
        schema_accuracy=known(n_valid / len(calling)) if calling else missing(NO_CALL),
        pass_at_k=_over_prompts(trials, k, pass_at_k),
        pass_all_k=_over_prompts(trials, k, pass_all_k),
        k=k,
    )


def _is_settled(trial: Trial) -> bool:
    """Whether a trial expects a decision and has an outcome: a loop that was not run has none."""
    return trial.tool is not None and trial.tool.rung is not Rung.NOT_RUN


def has_valid_calls(prompt: Prompt, answer: Answer) -> bool:
    """Whether every call names an offered tool and its arguments are an object that satisfies the tool's schema."""
    schemas = offered_tools(prompt.request)
    for call in answer.tool_calls:
        arguments = read_json(call.arguments).value
        if call.name not in schemas or not isinstance(arguments, dict):
            return False
        schema = schemas[call.name]
        if first_violation({} if schema is None else schema, arguments) is not None:
            return False
    return True


def _fewest_repeats(sides: Sequence[Sequence[JudgedRecord]]) -> int | None:
    """Give the k that every tool prompt has on every side; None below two."""
    by_side = [Counter(item.trial.key.prompt_id for item in side if _is_settled(item.trial)) for side in sides]
    fewest = min((count for counts in by_side for count in counts.values()), default=0)
    return fewest if fewest > 1 else None


def _over_prompts(trials: Sequence[Trial], k: int | None, chance: Callable[[int, int, int], float]) -> Value:
    if not trials:
        return missing(NO_TRIAL)
    if k is None:
        return missing(ONE_REPEAT)
    n = Counter(trial.key.prompt_id for trial in trials)
    passed = Counter(trial.key.prompt_id for trial in trials if trial.tool and trial.tool.rung is Rung.OK)
    return known(math.fsum(chance(count, passed[prompt_id], k) for prompt_id, count in n.items()) / len(n))


def pass_at_k(n: int, passed: int, k: int) -> float:
    """Chance that at least one of k of these n repeats passed: 1 - C(n - c, k) / C(n, k)."""
    return 1 - math.comb(n - passed, k) / math.comb(n, k)


def pass_all_k(n: int, passed: int, k: int) -> float:
    """Chance that all k of these n repeats passed: C(c, k) / C(n, k)."""
    return math.comb(passed, k) / math.comb(n, k)
