"""How many tokens each side makes of the same prompts, and how long its answers are.

The ratio of completion tokens is a geometric mean over prompts, its 90 % interval Student's t on the prompts' mean log
ratios: prompts are the unit, since repeats of one prompt are alike. Within 0.80 to 1.25 the lengths count as alike, the
convention of bioequivalence (D. J. Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987) 657). A prompt that
both sides mostly answer up to their limit of tokens is left out: its ratio would be that of the limits.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from harness.analysis.finishwords import contract_word
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.tokens import PromptTokens, TokenComparison
from harness.analysis.tokens import NO_USAGE
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.values import known, missing, quotient
from harness.model.golden import GoldenSet
from harness.model.record import Arm

LEVEL = 0.90
ALIKE = (0.80, 1.25)
GUARD = 900  # tokens: the example that is worked out
REPORTED_AS_ZERO = "reported as zero"
CUT_ON_BOTH = "cut by max_tokens on both sides"
_LENGTH = "length"
_UPPER = 0.5 + LEVEL / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """One prompt's token counts on one side."""

    prompt: Value  # median over the repeats, which agree as a rule
    log_completion: Value  # mean of the logarithms over the repeats
    is_mostly_cut: bool  # more than half of the answers ended by length


def compare_tokens(judged: Mapping[Arm, Sequence[JudgedRecord]], golden: GoldenSet) -> TokenComparison | None:
    """Compare what is judged; None for one endpoint."""
    if len(judged) == 1:
        return None
    reference, candidate = (_by_prompt(found) for found in judged.values())
    ids = [prompt.id for prompt in golden.prompts if prompt.id in reference and prompt.id in candidate]
    pairs = [(_counts(reference[prompt_id]), _counts(candidate[prompt_id])) for prompt_id in ids]
    rows = tuple(_prompt_tokens(prompt_id, *pair) for prompt_id, pair in zip(ids, pairs, strict=True))
    with_ratio = [row for row in rows if row.prompt_ratio.value is not None]
    lowest, highest = (pick(with_ratio, key=_prompt_ratio, default=None) for pick in (min, max))
    ratio = _ratio_of_sums(pairs)
    logs = [math.log(row.completion_ratio.value) for row in rows if row.completion_ratio.value is not None]
    n_cut = sum(row.completion_ratio.reason == CUT_ON_BOTH for row in rows)
    interval = log_mean_interval(logs)
    return TokenComparison(
        prompt_ratio=ratio,
        lowest=lowest,
        highest=highest,
        completion_ratio=known(math.exp(fmean(logs))) if logs else missing(CUT_ON_BOTH if n_cut else NO_USAGE),
        completion_interval=interval,
        is_length_alike=None if interval is None else _is_within(interval),
        n_completion_prompts=len(logs),
        n_cut_prompts=n_cut,
        guard=guard_words(ratio, lowest, highest),
        prompts=rows,
    )


def _by_prompt(judged: Sequence[JudgedRecord]) -> dict[str, list[JudgedRecord]]:
    found: dict[str, list[JudgedRecord]] = {}
    for item in at_level(judged, 0):
        found.setdefault(item.trial.key.prompt_id, []).append(item)
    return found


def _counts(repeats: Sequence[JudgedRecord]) -> _Counts:
    prompt, completion = _values(repeats, "prompt_tokens"), _values(repeats, "completion_tokens")
    logs = [math.log(count) for count in completion if count > 0]
    counts = [count for count in prompt if count > 0]
    return _Counts(
        prompt=known(median(counts)) if counts else missing(REPORTED_AS_ZERO if prompt else NO_USAGE),
        log_completion=known(fmean(logs)) if logs else missing(REPORTED_AS_ZERO if completion else NO_USAGE),
        is_mostly_cut=_is_mostly_cut([item for item in repeats if item.trial.metrics["completion_tokens"].value]),
    )


def _values(repeats: Sequence[JudgedRecord], metric: str) -> list[float]:
    return [value for item in repeats if (value := item.trial.metrics[metric].value) is not None]


def _is_mostly_cut(counted: Sequence[JudgedRecord]) -> bool:
    return 2 * sum(contract_word(item.record.answer.finish_reason) == _LENGTH for item in counted) > len(counted)


def _prompt_tokens(prompt_id: str, reference: _Counts, candidate: _Counts) -> PromptTokens:
    one, two = reference.log_completion, candidate.log_completion
    if one.value is None or two.value is None:
        completion = one if one.value is None else two
    elif reference.is_mostly_cut and candidate.is_mostly_cut:
        completion = missing(CUT_ON_BOTH)
    else:
        completion = known(math.exp(two.value - one.value))
    return PromptTokens(
        prompt_id=prompt_id,
        prompt_ratio=quotient(candidate.prompt, reference.prompt),
        completion_ratio=completion,
    )


def _prompt_ratio(row: PromptTokens) -> float:
    return row.prompt_ratio.value or 0.0


def _ratio_of_sums(pairs: Sequence[tuple[_Counts, _Counts]]) -> Value:
    """Add up the prompts that both sides count, each once however often it was repeated."""
    both = [(one.prompt.value, two.prompt.value) for one, two in pairs]
    counted = [(one, two) for one, two in both if one is not None and two is not None]
    if not counted:
        return missing(NO_USAGE)
    return known(math.fsum(two for _, two in counted) / math.fsum(one for one, _ in counted))


def log_mean_interval(logs: Sequence[float]) -> Interval | None:
    """Give the interval of exp(mean) over prompts; None for fewer than two."""
    if len(logs) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    from scipy.stats import t as student  # noqa: PLC0415  # heavy, and only here

    half = float(student.ppf(_UPPER, len(logs) - 1)) * stdev(logs) / math.sqrt(len(logs))
    middle = fmean(logs)
    return Interval(low=math.exp(middle - half), high=math.exp(middle + half), level=LEVEL, method="t of log ratios")


def _is_within(interval: Interval) -> bool:
    low, high = interval.low, interval.high
    return low is not None and high is not None and low >= ALIKE[0] and high <= ALIKE[1]


def guard_words(ratio: Value, lowest: PromptTokens | None, highest: PromptTokens | None) -> str:
    """Work out what a limit in the reference's tokens is in the candidate's, for the prompts at hand."""
    if ratio.value is None or lowest is None or highest is None:
        return ""
    low, high = _prompt_ratio(lowest), _prompt_ratio(highest)
    if low == high == 1:
        return "The sides count every prompt alike: a context guard measured on the reference holds on the candidate."
    return (
        f"A text of {GUARD:,} tokens on the reference is {GUARD * ratio.value:,.0f} on the candidate "
        f"({GUARD * low:,.0f} to {GUARD * high:,.0f} by prompt). A context guard of {GUARD:,} tokens, measured on the "
        f"reference, lets texts of up to {GUARD * high:,.0f} through to the candidate: to keep to {GUARD:,} there, "
        f"refuse above {math.floor(GUARD / high):,} as the reference counts."
    )
