"""`bench probe`: what an endpoint really does with each feature."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import ConfigError, IncompleteRunError

if TYPE_CHECKING:
    from harness.model.endpoint import Endpoint
    from harness.model.probestorage import StoredProbing
    from harness.probes.probe import Probe
    from harness.report.probepage import ProbesView


@click.command()
@click.argument("endpoints", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--group", "groups", multiple=True, help="Only the probes of this group (may be repeated).")
@click.option("--probe", "ids", multiple=True, help="Only this probe, by its id (may be repeated, and beside --group).")
@click.option("--rate", type=click.IntRange(1, 60_000), help="Requests per minute; the endpoint file's, or 60.")
@click.option(
    "--provoke-rate-limit",
    "burst",
    is_flag=False,
    flag_value=30,
    type=click.IntRange(2, 200),
    metavar="[N]",
    help="At the end, send up to N requests (30) without a pause, until one is turned away with 429.",
)
@click.option(
    "--thinking-tokens",
    type=click.IntRange(0, 100_000),
    default=0,
    help="Add this to every budget that is not itself probed, for a model that thinks before it answers.",
)
@click.option("--max-cost", type=click.FloatRange(0), help="Send nothing if all probes together may cost more.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), help="Folder of probe folders.")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), help="Folder of reports.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as one line of JSON.")
def probe(endpoints: tuple[Path, ...], **given: Any) -> int:
    """Ask each of ENDPOINTS (a.yml) one request per feature, and say what it really does.

    Each feature is supported, ignored (answered 200, not done), rejected, broken, accepted (nothing to see from
    outside) or inconclusive. One request at a time; the cost is said beforehand. With several endpoints, the
    differences come first.

    \b
    Example:
        bench probe a.yml b.yml --group core --group tools
    """
    from harness.cli.judging import make_reports_folder  # noqa: PLC0415  # keeps --help light
    from harness.cli.keyplace import naming_files  # noqa: PLC0415
    from harness.cli.probing import probe_endpoint  # noqa: PLC0415
    from harness.measure.probecompose import ProbeComposer  # noqa: PLC0415
    from harness.model.probestorage import load_probing  # noqa: PLC0415
    from harness.probes.catalogue import chosen  # noqa: PLC0415

    probes = chosen(given["groups"], given["ids"], burst=given["burst"])
    loaded = _loaded(endpoints)
    quiet = given["quiet"] or given["as_json"]
    with naming_files({endpoint.name: file for endpoint, file in zip(loaded, endpoints, strict=True)}):
        for endpoint in loaded:
            ProbeComposer(endpoint, os.environ)  # a missing key is found before the first endpoint is asked
    make_reports_folder(given["reports"])
    _announce(loaded, probes, given, quiet=quiet)
    folders = [
        probe_endpoint(
            one, probes, given["out"], quiet=quiet, rate=given["rate"], thinking_tokens=given["thinking_tokens"]
        )
        for one in loaded
    ]
    probings = [load_probing(folder) for folder in folders]
    if all(probing.report.stopped and not probing.report.results for probing in probings):
        _refuse_silence(probings)
    _report(probings, given)
    _refuse_silence(probings)
    return 0


def _announce(
    endpoints: Sequence["Endpoint"], probes: Sequence["Probe"], given: dict[str, Any], *, quiet: bool
) -> None:
    """Say what all of it takes; refuse what may cost more than allowed."""
    from harness.cli.budget import refuse_over_budget, refuse_unbounded  # noqa: PLC0415
    from harness.cli.probing import cost_of, say_probes  # noqa: PLC0415

    costs = [cost_of(endpoint, probes, given["thinking_tokens"]) for endpoint in endpoints]
    for endpoint, cost in zip(endpoints, costs, strict=True):
        if not quiet:
            say_probes(endpoint, probes, cost, given["rate"])
    unbounded = [one.name for one, cost in zip(endpoints, costs, strict=True) if cost.n_unbounded]
    if given["max_cost"] is not None:
        refuse_unbounded(unbounded, "Do not drop the budget in the endpoint file")
    prices = [(cost.price, cost.currency) for cost in costs]
    remedy = "Choose fewer (--group, --probe)"
    refuse_over_budget(prices, given["max_cost"], what="the probes", remedy=remedy)


def _loaded(files: Sequence[Path]) -> list["Endpoint"]:
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    loaded = [load_endpoint(file) for file in files]
    twice = [name for name, count in Counter(endpoint.name for endpoint in loaded).items() if count > 1]
    if twice:
        raise ConfigError(
            f"two endpoint files have the name {twice[0]!r}",
            remedy="Give each a name of its own, or name one file once",
        )
    return loaded


def _report(probings: Sequence["StoredProbing"], given: dict[str, Any]) -> None:
    from harness.report.probesmarkdown import probes_block  # noqa: PLC0415
    from harness.report.view_probes import build_probes_view  # noqa: PLC0415
    from harness.report.write import probes_stem, write_probes  # noqa: PLC0415

    view = build_probes_view(probings)
    pages = write_probes(view, probes_stem([probing.folder.name for probing in probings], given["reports"]))
    if given["as_json"]:
        click.echo(_json(probings, view, pages))
    elif not given["quiet"]:
        for line in probes_block(view, [probing.report for probing in probings], [str(page) for page in pages]):
            click.echo(line)


def _json(probings: Sequence["StoredProbing"], view: "ProbesView", pages: Sequence[Path]) -> str:
    import msgspec  # noqa: PLC0415

    from harness.analysis.unverified import is_unverified  # noqa: PLC0415
    from harness.report.view_probes import differing  # noqa: PLC0415

    reports = [probing.report for probing in probings]
    content = {
        "endpoints": msgspec.to_builtins(reports),
        "tls_not_verified": [report.endpoint["name"] for report in reports if is_unverified(report.endpoint)],
        "folders": [str(probing.folder) for probing in probings],
        "differences": [one.id for one in differing(reports)] if len(reports) > 1 else [],
        "changes": msgspec.to_builtins(view.changes),
        "page": str(pages[0]),
    }
    return msgspec.json.encode(content).decode()


def _refuse_silence(probings: Sequence["StoredProbing"]) -> None:
    """An endpoint that could not be reached, or never answered, was not probed, whatever its table says."""
    for probing in probings:
        if probing.report.stopped is not None:
            url = probing.report.endpoint.get("base_url")
            why = probing.report.stopped
            raise IncompleteRunError(f"{url} cannot be reached ({why}). Start it, or mend its base_url")
        attempts = [exchange.attempt for exchange in probing.exchanges]
        if attempts and all(attempt.status is None for attempt in attempts):
            failure = attempts[0].failure
            why = f" ({failure.kind}: {failure.message})" if failure else ""
            raise IncompleteRunError(f"{probing.folder}: no request was answered{why}")
