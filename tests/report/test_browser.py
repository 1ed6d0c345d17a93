"""The page in a browser, loaded from disk."""

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from harness.report.html import render_html
from tests.report.cases import CASES
from tests.report.pages import hostile_view, page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="needs Chromium")]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
)


def load(source: str, folder: Path, *, width: int = 1280) -> tuple[str, list[str]]:
    """Load a page from disk; give its document afterwards and what it wrote to the console."""
    file = folder / "page.html"
    file.write_text(source)
    ended = subprocess.run(
        [
            str(BROWSER),
            *FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},900",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ended.stdout, re.findall(r".*CONSOLE.*", ended.stderr)


@pytest.mark.parametrize("case", [*CASES, "hostile"])
def test_a_page_loads_and_its_script_runs_without_an_error(case: str, tmp_path: Path) -> None:
    source = render_html(hostile_view()) if case == "hostile" else page(case)
    document, console = load(source, tmp_path)
    assert console == []
    assert 'aria-current="true"' in document  # the script marked the section in sight
    assert ('<button type="button" class="h" data-sort="rank"' in document) == ('class="phead"' in source)


def test_the_policy_stops_a_script_that_is_not_ours(tmp_path: Path) -> None:
    injected = page("single").replace("</main>", "<script>document.title = 'taken'</script></main>")
    document, console = load(injected, tmp_path)
    assert "<title>taken</title>" not in document
    assert any("Content Security Policy" in line for line in console)


MEASURE = """
<body style="margin:0"><iframe id="phone" style="width:390px;height:800px;border:0" srcdoc="{page}"></iframe>
<script>
phone.onload = () => {{
  const root = phone.contentDocument.documentElement;
  phone.contentDocument.querySelectorAll("details").forEach((one) => {{ one.open = true; }});
  document.title = `${{root.scrollWidth - root.clientWidth}} too wide of ${{root.clientWidth}}`;
}};
</script>
"""


@pytest.mark.parametrize("case", ["sample", "single", "all_failed", "hostile"])
def test_a_phone_never_scrolls_sideways(case: str, tmp_path: Path) -> None:
    source = render_html(hostile_view()) if case == "hostile" else page(case)
    without_policy = re.sub(r"<meta http-equiv[^>]*>", "", source)
    document, _ = load(MEASURE.format(page=escape(without_policy)), tmp_path)
    assert re.search(r"<title>0 too wide of 3\d\d</title>", document)
