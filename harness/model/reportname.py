"""How a report is named after the runs that it is of."""

import re

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^\.+")


def stem_of(*run_ids: str) -> str:
    """Name a report after its run; after both, the last first, when the sides come from two."""
    return "-against-".join(dict.fromkeys(_UNSAFE.sub("_", run) for run in reversed(run_ids)))
