"""What one page says, kept as files; `scripts/snapshots` writes them anew, tests never do."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from harness.report.html import render_html
from harness.report.page import ReportView
from tests.report.exhibited import exhibited_view
from tests.report.pages import Parsed

FOLDER = Path(__file__).parent / "snapshots"
VIEW, PAGE = FOLDER / "sample.view.json", FOLDER / "sample.page.txt"
_PROMPTS = ("tool-nested", "json-invoice", "text-emoji")
_DRAWN = frozenset({"plot", "csv", "steps", "events", "margin_used"})  # numbers: other tests look at them


def view_text() -> str:
    """Give every string of the view."""
    return json.dumps(_told(msgspec.to_builtins(_view())), indent=1, ensure_ascii=False) + "\n"


def page_text() -> str:
    """Give the words of the page, a line per element that ends a thought."""
    source = re.sub(r"</(?:p|li|h[1-6]|tr|dt|dd|pre|summary|figcaption|caption|text)>", "\n", render_html(_view()))
    source = re.sub(r"<(style|script)>.*?</\1>", "", source, flags=re.DOTALL)
    lines = ("".join(Parsed(line).words) for line in source.split("\n"))
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines))) + "\n"


def _view() -> ReportView:
    """Give a comparison with a few of its prompts, and no definitions: these have a page of their own."""
    found = exhibited_view("sample")
    return replace(found, prompts=tuple(one for one in found.prompts if one.id in _PROMPTS), definitions=())


def _told(value: Any) -> Any:
    """Leave out what is drawn, and what is empty."""
    if isinstance(value, dict):
        found = {key: _told(inner) for key, inner in value.items() if key not in _DRAWN}
        return {key: inner for key, inner in found.items() if inner not in ("", [], {}, None)}
    if isinstance(value, list | tuple):
        return [_told(inner) for inner in value]
    return value


def main() -> None:
    """Write both files."""
    FOLDER.mkdir(exist_ok=True)
    VIEW.write_text(view_text())
    PAGE.write_text(page_text())


if __name__ == "__main__":
    main()
