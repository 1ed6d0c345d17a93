"""Compares the answers of both sides prompt by prompt, and adds the prompts up."""

from collections.abc import Mapping, Sequence

from harness.analysis.acceptance import prompt_acceptance, total_acceptance, without_acceptance
from harness.analysis.jsonpaths import PathTable, path_table
from harness.analysis.parity import prompt_agreements, total_agreements
from harness.analysis.results.answers import AnswerComparison, PromptAnswers, SdkRow
from harness.analysis.similarity import offers_tools
from harness.analysis.structured import expects_json
from harness.analysis.trials import JudgedRecord, at_level
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Answer, Arm

_FORM = "same_exactly"
_ByPrompt = Mapping[str, Sequence[JudgedRecord]]


def compare_answers(
    judged: Mapping[Arm, Sequence[JudgedRecord]], golden: GoldenSet, sdk: Sequence[SdkRow] = ()
) -> AnswerComparison:
    """Compare what is judged; one side alone is compared with itself."""
    reference, *others = (_by_prompt(found) for found in judged.values())
    candidate = others[0] if others else None
    prompts = [_compare_prompt(prompt, reference, candidate) for prompt in golden.prompts]
    return AnswerComparison(
        agreements=total_agreements([prompt.agreements for prompt in prompts]),
        acceptance=total_acceptance([prompt.acceptance for prompt in prompts]),
        prompts=tuple(sorted(prompts, key=_best_last)),
        sdk=tuple(sdk),
    )


def _by_prompt(judged: Sequence[JudgedRecord]) -> dict[str, list[JudgedRecord]]:
    found: dict[str, list[JudgedRecord]] = {}
    for item in at_level(judged, 0):
        found.setdefault(item.record.key.prompt_id, []).append(item)
    return found


def _compare_prompt(prompt: Prompt, reference: _ByPrompt, candidate: _ByPrompt | None) -> PromptAnswers:
    ours, theirs = reference.get(prompt.id, ()), None if candidate is None else candidate.get(prompt.id, ())
    paths = _paths(prompt, ours, theirs or ())
    return PromptAnswers(
        prompt_id=prompt.id,
        agreements=prompt_agreements(prompt, _answers(ours), None if theirs is None else _answers(theirs)),
        acceptance=without_acceptance()
        if prompt.checks
        else prompt_acceptance(
            [item.trial for item in ours], None if theirs is None else [item.trial for item in theirs]
        ),
        paths=paths.rows,
        n_paths=paths.n_paths,
        n_paths_cut=paths.n_cut,
    )


def _paths(prompt: Prompt, ours: Sequence[JudgedRecord], theirs: Sequence[JudgedRecord]) -> PathTable:
    is_json = expects_json(prompt)
    if not is_json and not offers_tools(prompt):
        return PathTable()
    return path_table(_answers(ours), _answers(theirs), is_json=is_json)


def _answers(judged: Sequence[JudgedRecord]) -> list[Answer]:
    return [item.record.answer for item in judged if item.record.failure is None]


def _best_last(prompt: PromptAnswers) -> tuple[float, str]:
    """Order by disagreement beyond the sides' own, differences of form aside; what cannot be measured stands last."""
    found = [row.excess.value for row in prompt.agreements if row.metric != _FORM and row.excess.value is not None]
    return (-max(found, default=-1.0), prompt.prompt_id)
