"""The one table of faults: name, effect, function."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.simulator.faults import (
    calls,
    chunks,
    codings,
    dialects,
    endings,
    errors,
    framing,
    heads,
    mediatypes,
    silence,
    statuses,
    timing,
    usages,
)
from harness.simulator.faults.kind import Fault

_MODULES = (
    *(errors, statuses, heads, codings, mediatypes, endings, silence, timing, framing),
    *(chunks, calls, usages, dialects),
)
FAULTS: Mapping[str, Fault] = MappingProxyType(
    {name: fault for module in _MODULES for name, fault in module.FAULTS.items()}
)
SILENT_AT_ACCEPT = "silent_connection"
AT_ACCEPT = ("refuse_connection", SILENT_AT_ACCEPT)  # drawn per connection, before any request
