"""A tier's rate as a badge: the JSON of a shields.io endpoint."""

import json

from harness.analysis.results.published import Publication
from harness.report.publish import UNMEASURED, rate

_KNOWN, _UNKNOWN = "blue", "lightgrey"


def render_badge(publication: Publication, tier: str) -> bytes:
    """Render it after https://shields.io/badges/endpoint-badge: label, message, colour; grey where nothing is known."""
    row = publication.row(tier)
    is_stale = tier in publication.stale
    message = UNMEASURED if row is None else f"{rate(row.decode.value)} tok/s{' (stale)' if is_stale else ''}"
    badge = {
        "schemaVersion": 1,
        "label": f"{tier} decode",
        "message": message,
        "color": _UNKNOWN if row is None or is_stale else _KNOWN,
    }
    return json.dumps(badge, indent=1, ensure_ascii=False).encode() + b"\n"
