"""`bench schema`: the JSON Schema of a file, for editors and programs."""

import json

import click


@click.command()
@click.argument(
    "kind", type=click.Choice(["endpoint", "settings", "golden", "suite", "probes", "summary"]), default="endpoint"
)
def schema(kind: str) -> None:
    """Print the JSON Schema of a file that you write (endpoint, settings, golden, suite) or read (probes, summary).

    probes is the probes.json of a probe folder; summary is verdict.json and what --json prints.

    \b
    Example:
        bench schema endpoint > endpoint.schema.json
        bench schema summary > summary.schema.json
    """
    from harness.analysis.summaryschema import summary_schema  # noqa: PLC0415  # pandas loads here
    from harness.model.endpointfile import endpoint_schema  # noqa: PLC0415  # keeps --help light
    from harness.model.goldenfile import golden_schema  # noqa: PLC0415
    from harness.model.probestorage import probe_report_schema  # noqa: PLC0415
    from harness.model.settingsfile import settings_schema  # noqa: PLC0415
    from harness.model.suite import suite_schema  # noqa: PLC0415

    schemas = {"endpoint": endpoint_schema, "settings": settings_schema, "golden": golden_schema, "suite": suite_schema}
    schemas |= {"probes": probe_report_schema, "summary": summary_schema}
    click.echo(json.dumps(schemas[kind](), indent=2))
