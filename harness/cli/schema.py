"""`bench schema`: the JSON Schema of a file, for editors."""

import json

import click


@click.command()
@click.argument("kind", type=click.Choice(["endpoint", "settings", "golden", "probes"]), default="endpoint")
def schema(kind: str) -> None:
    """Print the JSON Schema of an endpoint file, a settings file, a golden set or the probes.json of a probe folder.

    \b
    Example:
        bench schema endpoint > endpoint.schema.json
    """
    from harness.model.endpointfile import endpoint_schema  # noqa: PLC0415  # keeps --help light
    from harness.model.goldenfile import golden_schema  # noqa: PLC0415
    from harness.model.probestorage import probe_report_schema  # noqa: PLC0415
    from harness.model.settingsfile import settings_schema  # noqa: PLC0415

    schemas = {"endpoint": endpoint_schema, "settings": settings_schema, "golden": golden_schema}
    schemas["probes"] = probe_report_schema
    click.echo(json.dumps(schemas[kind](), indent=2))
