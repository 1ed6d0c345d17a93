"""The catalogue, its page and the glossary say the same."""

import re
from pathlib import Path

from harness.analysis.catalog import CATALOG, Direction, Failures, Metric, Of, Scope
from harness.analysis.catalogpage import catalog_markdown
from harness.analysis.frames import TAIL_METRICS
from harness.analysis.gatetable import GATES, Form
from harness.analysis.tails import SHOWN
from harness.report.definitions import define
from tests.analysis.test_analyse import SUMMARY_KEYS

DOCS = Path(__file__).parents[2] / "docs"
UNITS = {"s", "tok/s", "chars/s", "tokens", "ratio", "fraction", "currency", "requests/s"}
WRITE_IT = "Path('docs/metrics.md').write_text(catalog_markdown(), encoding='utf-8')"


def glossary_metrics() -> dict[str, str]:
    """Titles by id, from the glossary's last table."""
    section = (DOCS / "glossary.md").read_text(encoding="utf-8").partition("\n## Metrics\n")[2]
    found = re.findall(r"^\| ([^|]+) \| `([a-z0-9_]+)` \| [^|]+ \|$", section, re.MULTILINE)
    return {metric: title for title, metric in found}


def test_the_catalogue_is_keyed_by_id_and_titles_are_unique() -> None:
    assert len(CATALOG) > 30
    assert all(metric.id == key for key, metric in CATALOG.items())
    assert len({metric.title for metric in CATALOG.values()}) == len(CATALOG)


def test_every_metric_is_defined_in_full() -> None:
    for metric in CATALOG.values():
        assert metric.unit in UNITS, metric.id
        assert metric.formula, metric.id
        assert metric.undefined, metric.id
        assert "|" not in metric.formula + metric.undefined, metric.id


def test_a_page_shows_the_definitions_in_the_catalogues_order() -> None:
    views = define(CATALOG)
    assert [view.id for view in views] == list(CATALOG)
    assert (views[0].title, views[0].unit, views[0].direction) == ("TTFT", "s", "lower")


def test_latencies_rank_failures_and_rates_leave_them_out() -> None:
    def where(of: Failures) -> set[str]:
        return {metric.id for metric in CATALOG.values() if metric.failures is of}

    assert where(Failures.INFINITE) == {"ttft", "ttft_from_intended", "ttfat", "ttfe", "e2e", "ttlb", "e2e_effective"}
    assert {"decode_rate", "tpot", "visible_chars_rate"} <= where(Failures.LEFT_OUT)
    assert where(Failures.AS_OTHERS) == {"queue_delay", "admission_wait", "send_lateness"}
    assert set(SHOWN) <= set(TAIL_METRICS)


def test_what_a_prompt_may_leave_out_follows_its_measure_section() -> None:
    scoped: dict[Scope, set[str]] = {}
    for metric in CATALOG.values():
        scoped.setdefault(metric.scope, set()).add(metric.id)
    assert scoped[Scope.TTFT] == {"ttft", "ttft_from_intended", "ttfat"}
    assert scoped[Scope.DECODE] == {"decode_rate", "tpot", "visible_chars_rate"}


def test_every_gate_looks_at_a_metric_of_the_catalogue_with_its_direction() -> None:
    for gate in GATES:
        metric: Metric = CATALOG[gate.metric]
        if gate.form not in {Form.RATES, Form.QUANTILES}:
            continue
        assert (metric.direction is Direction.HIGHER) is gate.higher_is_better, gate.id
        assert (metric.failures is Failures.INFINITE) is gate.counts_failures, gate.id
        assert (metric.of is Of.SIDE) is (gate.q is None), gate.id


def test_the_metrics_page_is_the_catalogues() -> None:
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    assert page == catalog_markdown(), f"docs/metrics.md is out of date; write it with {WRITE_IT}"


def test_the_metrics_page_names_every_metric() -> None:
    page = catalog_markdown()
    for metric in CATALOG.values():
        assert f"| `{metric.id}` | {metric.title} |" in page


def test_the_glossary_defines_every_metric_under_the_catalogues_title() -> None:
    assert glossary_metrics() == {metric.id: metric.title for metric in CATALOG.values()}


def test_the_glossary_defines_a_term_once() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = [term for term in re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE) if term not in {"term", "---"}]
    assert len(terms) > 70
    assert sorted(set(terms)) == sorted(terms)


def test_the_summary_page_explains_every_key() -> None:
    page = (DOCS / "summary.md").read_text(encoding="utf-8")
    for key in SUMMARY_KEYS:
        assert f"`{key}`" in page, key
