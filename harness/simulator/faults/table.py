"""The one table of faults: name, effect, function."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.simulator.faults import chunks, endings, errors, framing, timing
from harness.simulator.faults.kind import Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {**errors.FAULTS, **endings.FAULTS, **timing.FAULTS, **framing.FAULTS, **chunks.FAULTS}
)
AT_ACCEPT = "refuse_connection"  # drawn per connection, before any request
