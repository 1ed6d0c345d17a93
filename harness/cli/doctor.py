"""`bench doctor`: how far timings can be trusted on this machine."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.cli.doctordiagnosis import Diagnosis
    from harness.cli.doctorload import Regimen

_CANNOT_BE_TRUSTED = 3


@click.command()
@click.option("--quick", is_flag=True, help="Fewer and shorter looks: some 7 seconds instead of some 20.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
def doctor(*, quick: bool, as_json: bool) -> int:
    """Say how far timings can be trusted on this machine, and what would help.

    Looks at clocks, kernel receive stamps, open files and the loop, then reads ever more streams from a server on this
    machine that logs when it really wrote. Needs no endpoint. Exits with 3 when not even one stream can be timed.

    \b
    Example:
        bench doctor --quick
    """
    from harness.cli.doctorload import FULL, QUICK  # noqa: PLC0415  # keeps --help light
    from harness.cli.doctorpage import page  # noqa: PLC0415
    from harness.measure.ending import ending_once  # noqa: PLC0415
    from harness.measure.filelimit import OTHER_FILES  # noqa: PLC0415

    with ending_once():
        found = _examine(QUICK if quick else FULL, quiet=as_json)
    click.echo(_json(found) if as_json else "\n".join(page(found, OTHER_FILES)))
    return 0 if found.trust.n_streams else _CANNOT_BE_TRUSTED


def _examine(regimen: "Regimen", *, quiet: bool) -> "Diagnosis":
    from harness.cli.doctordiagnosis import Diagnosis  # noqa: PLC0415
    from harness.cli.doctorload import climb, rest  # noqa: PLC0415
    from harness.cli.doctorpage import streams_of  # noqa: PLC0415
    from harness.clock import SystemClock  # noqa: PLC0415
    from harness.measure.machine import look_at  # noqa: PLC0415

    machine = look_at(SystemClock())
    at_rest, steps = rest(regimen), []
    for step in climb(regimen, n_files=machine.n_files_allowed):
        steps.append(step)
        if not quiet:
            click.echo(f"{streams_of(step.n_streams)}: {', '.join(step.short) or 'ok'}", err=True)
    return Diagnosis(machine=machine, rest=at_rest, tokens_per_s=1000 / regimen.shape.itl_ms, steps=tuple(steps))


def _json(found: "Diagnosis") -> str:
    import msgspec  # noqa: PLC0415

    from harness.cli.doctordiagnosis import advice  # noqa: PLC0415

    trust = found.trust
    follows = {
        "trusted_streams": trust.n_streams,
        "limited_by": trust.beyond.short if trust.beyond else (),
        "kernel_stamp_fraction": found.kernel_stamp_fraction,
        "cpu_ns_per_event": found.best.cpu_ns_per_event if found.best else None,
        "advice": advice(found),
    }
    return msgspec.json.encode(msgspec.to_builtins(found) | msgspec.to_builtins(follows)).decode()
