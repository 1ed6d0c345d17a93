"""What a page needs of the catalogue of metrics."""

from collections.abc import Mapping

from harness.analysis.catalog import Direction, Failures, Metric
from harness.report.page import DefinitionView

Catalog = Mapping[str, Metric]


def define(catalog: Catalog) -> tuple[DefinitionView, ...]:
    """Give every definition for the page, in the catalogue's order."""
    return tuple(
        DefinitionView(
            id=metric,
            title=found.title,
            formula=found.formula,
            unit=found.unit,
            direction=found.direction.value,
            undefined=found.undefined,
        )
        for metric, found in catalog.items()
    )


def title_of(catalog: Catalog, metric: str) -> str:
    """Name a metric; its id when the catalogue of this version does not know it."""
    return catalog[metric].title if metric in catalog else metric


def unit_of(catalog: Catalog, metric: str) -> str:
    """Give a metric's stored unit; none when the catalogue of this version does not know it."""
    return catalog[metric].unit if metric in catalog else ""


def is_latency(catalog: Catalog, metric: str) -> bool:
    """Tell whether a failure counts as an infinite value of this metric."""
    return metric in catalog and catalog[metric].failures is Failures.INFINITE


def worst_title(catalog: Catalog, metric: str) -> str:
    """Name the worst value seen."""
    if is_latency(catalog, metric):
        return "slowest seen"
    is_rate = metric in catalog and catalog[metric].direction is Direction.HIGHER
    return "lowest seen" if is_rate else "largest seen"
