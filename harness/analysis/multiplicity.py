"""Keeps the chance of any false alarm at its level over several gates.

S. Holm, Scandinavian J. Statistics 6 (1979) 65: valid under any dependence between the gates. PASS needs no correction,
since all required gates must hold at once (intersection-union: R. L. Berger and J. C. Hsu, Statistical Science 11
(1996) 283).
"""

from collections.abc import Mapping


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p-values step by step: the smallest times m, the next times m - 1, never falling, at most 1."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: (item[1], item[0]))):
        highest = max(highest, min(p * (len(p_values) - rank), 1.0))
        adjusted[name] = highest
    return adjusted
