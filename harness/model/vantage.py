"""From where a run was measured, as far as its header says: to tell one machine from another, not to name it."""

from harness.model.record import RunHeader

_FACTS = ("host", "vantage", "system", "machine", "cpu", "time_zone")


def vantage_of(header: RunHeader) -> dict[str, str]:
    """Give what is on record of the machine and its place."""
    return {name: str(value) for name in _FACTS if (value := header.provenance.get(name))}
