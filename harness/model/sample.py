"""Picks a stratified sample of traffic: few requests that stand for many, each with the share it stands for.

Strata are cut by use (tools, structured output), length, turns and language. Strata below half of one prompt's share
are joined by their coarser features (collapsed strata; Cochran, Sampling Techniques, 3rd ed. 1977, 5A.12). Prompts are
allocated in proportion, at least one to each stratum, by largest remainders. Within a stratum texts are drawn without
replacement with chances in proportion to how often they occur (Efraimidis and Spirakis 2006). Requests whose texts are
equal once case, numbers, punctuation and white space are set aside count as one text.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.trafficshape import Shape, shape_of, text_key


@dataclass(slots=True, kw_only=True)
class _Text:
    """All requests of one text: the shape and place of the first, and their number."""

    key: int
    shape: Shape
    position: int
    n_requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One request of the sample."""

    position: int
    shape: Shape
    stratum: tuple[str, ...]  # its features; fewer than the shape's where strata were joined
    fraction: float  # of the traffic, which this request stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The chosen requests in the order of their positions, and what they leave out."""

    chosen: tuple[Chosen, ...]
    n_requests: int
    n_texts: int
    n_strata: int
    uncovered_fraction: float  # of the traffic, in strata too small for a prompt


def draw_sample(requests: Iterable[Mapping[str, Any]], n: int, chance: random.Random) -> Sample:
    """Choose at most n requests; the order of the requests decides nothing but which one of equal texts is taken."""
    texts = _distinct_texts(requests)
    strata, n_uncovered = _strata(texts, n)
    n_requests = sum(text.n_requests for text in texts)
    sizes = [sum(text.n_requests for text in stratum) for stratum in strata.values()]
    counts = allocate(sizes, [len(stratum) for stratum in strata.values()], n)
    chosen = [
        Chosen(position=text.position, shape=text.shape, stratum=key, fraction=size / (n_requests * count))
        for (key, stratum), size, count in zip(strata.items(), sizes, counts, strict=True)
        for text in _drawn(stratum, count, chance)
    ]
    left_out = sum(size for size, count in zip(sizes, counts, strict=True) if count == 0)
    return Sample(
        chosen=tuple(sorted(chosen, key=lambda one: one.position)),
        n_requests=n_requests,
        n_texts=len(texts),
        n_strata=len(strata),
        uncovered_fraction=(n_uncovered + left_out) / n_requests if n_requests else 0.0,
    )


def _distinct_texts(requests: Iterable[Mapping[str, Any]]) -> list[_Text]:
    found: dict[int, _Text] = {}
    for position, request in enumerate(requests):
        key = text_key(request)
        if key in found:
            found[key].n_requests += 1
        else:
            found[key] = _Text(key=key, shape=shape_of(request), position=position)
    return list(found.values())


def _strata(texts: Sequence[_Text], n: int) -> tuple[dict[tuple[str, ...], list[_Text]], int]:
    """Cut by all features, join what is too small by fewer and fewer; give the number of requests left over."""
    fewest = sum(text.n_requests for text in texts) / (2 * n)
    strata: dict[tuple[str, ...], list[_Text]] = {}
    rest: Sequence[_Text] = texts
    for depth in (4, 2, 1, 0):
        groups: dict[tuple[str, ...], list[_Text]] = {}
        for text in rest:
            groups.setdefault(text.shape.features[:depth], []).append(text)
        large = {key: group for key, group in groups.items() if _n_requests(group) >= fewest}
        strata |= large
        rest = [text for key, group in groups.items() if key not in large for text in group]
    return dict(sorted(strata.items())), _n_requests(rest)


def _n_requests(texts: Sequence[_Text]) -> int:
    return sum(text.n_requests for text in texts)


def allocate(sizes: Sequence[int], limits: Sequence[int], n: int) -> list[int]:
    """Divide n in proportion to the sizes, at least 1 and at most its limit to each, by largest remainders.

    With more strata than n the smallest get none.
    """
    total = sum(sizes)
    quotas = [n * size / total for size in sizes]
    counts = [min(limit, max(1, math.floor(quota))) for quota, limit in zip(quotas, limits, strict=True)]
    while sum(counts) > n:
        over = [i for i, count in enumerate(counts) if count > 1]
        if over:
            counts[max(over, key=lambda i: (counts[i] - quotas[i], -i))] -= 1
        else:
            counts[min((i for i, count in enumerate(counts) if count), key=lambda i: (sizes[i], -i))] = 0
    while sum(counts) < n and (free := [i for i, count in enumerate(counts) if count < limits[i]]):
        counts[max(free, key=lambda i: (quotas[i] - counts[i], -i))] += 1
    return counts


def _drawn(texts: Sequence[_Text], count: int, chance: random.Random) -> list[_Text]:
    """Draw without replacement, frequent texts sooner: the smallest of exponential waits at these rates."""
    in_order = sorted(texts, key=lambda text: text.key)
    waits = {text.key: -math.log(1 - chance.random()) / text.n_requests for text in in_order}
    return sorted(in_order, key=lambda text: waits[text.key])[:count]
