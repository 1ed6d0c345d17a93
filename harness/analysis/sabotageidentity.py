"""How often known damage shows as a shift of the answers, whatever the gates say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.disagreement import LEAST_ANSWERS, MOST_ANSWERS, Block, excess_disagreement, is_greedy
from harness.analysis.kernels import Modality, kernel_matrix, modality_of
from harness.analysis.results.case import Side
from harness.analysis.results.likeness import Disagreement
from harness.model.golden import GoldenSet
from harness.model.record import Record, RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Alikeness:
    """One prompt: how alike its answers are, undamaged ones first, then the damaged ones."""

    prompt_id: str
    modality: Modality
    alike: NDArray[np.float64]
    plain: Mapping[RequestKey, int]  # row of each answer
    damaged: Mapping[RequestKey, int]


def alikeness(
    side: Side, golden: GoldenSet, records: Sequence[Record], struck: Mapping[RequestKey, Record]
) -> tuple[Alikeness, ...]:
    """Compare every answer with every other, and with every damaged one, once for all draws."""
    by_prompt: dict[str, list[Record]] = {}
    for record in records:
        if record.failure is None:
            by_prompt.setdefault(record.key.prompt_id, []).append(record)
    found = []
    for prompt in golden.prompts:
        plain = by_prompt.get(prompt.id, [])[:MOST_ANSWERS]
        if len(plain) >= LEAST_ANSWERS:
            worse = [
                struck[record.key] for record in plain if record.key in struck and struck[record.key].failure is None
            ]
            modality = modality_of(prompt, is_greedy=is_greedy(prompt, side))
            found.append(
                Alikeness(
                    prompt_id=prompt.id,
                    modality=modality,
                    alike=kernel_matrix(modality, [record.answer for record in (*plain, *worse)]),
                    plain={record.key: place for place, record in enumerate(plain)},
                    damaged={record.key: len(plain) + place for place, record in enumerate(worse)},
                )
            )
    return tuple(found)


def drawn_disagreement(
    prompts: Sequence[Alikeness],
    reference: Mapping[str, Sequence[RequestKey]],
    candidate: Mapping[str, Sequence[tuple[RequestKey, bool]]],
    rng: np.random.Generator,
    alpha: float,
    permutations: int,
) -> Disagreement:
    """Say how far a draw's answers differ beyond their own repeats.

    `candidate` says of each drawn answer whether it is damaged; one that failed is no answer.
    """
    blocks = [block for one in prompts if (block := _block(one, reference, candidate)) is not None]
    return excess_disagreement(blocks, rng, level=1 - alpha, draws=permutations)


def _block(
    one: Alikeness,
    reference: Mapping[str, Sequence[RequestKey]],
    candidate: Mapping[str, Sequence[tuple[RequestKey, bool]]],
) -> Block | None:
    ours = [one.plain[key] for key in reference[one.prompt_id] if key in one.plain]
    theirs = [
        (one.damaged if is_damaged else one.plain)[key]
        for key, is_damaged in candidate[one.prompt_id]
        if key in (one.damaged if is_damaged else one.plain)
    ]
    if min(len(ours), len(theirs)) < LEAST_ANSWERS:
        return None
    rows = np.array([*ours, *theirs])
    return Block(prompt_id=one.prompt_id, modality=one.modality, alike=one.alike[np.ix_(rows, rows)], n_first=len(ours))
