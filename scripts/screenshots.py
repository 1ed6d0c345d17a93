"""Takes the pictures of docs/pictures/ from the report of a recorded run."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path("docs/pictures")
OPEN_WORST = "() => { const one = document.querySelector('tbody.prompt button.toggle'); if (one) one.click(); }"
HEIGHTS = {1280: 1000, 390: 844}
SHOTS = (
    ("report-1280", 1280, "light", "verdict"),
    ("report-gates", 1280, "light", "gates"),
    ("report-390", 390, "light", "verdict"),
    ("report-dark", 1280, "dark", "prompts"),
)


def main(run: str) -> None:
    """Judge the run into a folder of its own, then take each picture."""
    browser_file = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_file is None:
        sys.exit("screenshots: no Chromium on the path")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        subprocess.run([".venv/bin/bench", "report", run, "--reports", folder, "--quiet"], check=False)  # noqa: S603
        page = next(file for file in Path(folder).glob("*.html") if not file.name.endswith(".memo.html"))
        browser = playwright.chromium.launch(executable_path=browser_file, args=["--no-sandbox"])
        for name, width, scheme, section in SHOTS:
            take(browser, page, PICTURES / f"{name}.png", (width, scheme, section))
        print_pages(browser, page, PICTURES / "report-print.png")
        browser.close()


def take(browser: Browser, file: Path, picture: Path, how: tuple[int, str, str]) -> None:
    """Take what a screen shows of a section, the worst prompt opened."""
    width, scheme, section = how
    page = browser.new_page(viewport={"width": width, "height": HEIGHTS[width]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(file.absolute().as_uri())
    page.evaluate(OPEN_WORST)
    if section != "verdict":
        page.evaluate("id => document.getElementById(id).scrollIntoView()", section)
    page.wait_for_timeout(200)
    page.screenshot(path=picture)
    page.close()


def print_pages(browser: Browser, file: Path, picture: Path) -> None:
    """Take the first page as it would come on A4."""
    page = browser.new_page(viewport={"width": 794, "height": 1123})
    page.emulate_media(media="print")
    page.goto(file.absolute().as_uri())
    page.screenshot(path=picture)
    page.close()


if __name__ == "__main__":
    main(sys.argv[1])
