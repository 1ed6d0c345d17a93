"""The documentation as a site: it builds without a network, and what it points at exists."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harness.cli import main
from harness.model.configurationpage import configuration_markdown

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("*/README.md")])
WRITE_IT = "Path('docs/configuration.md').write_text(configuration_markdown(), encoding='utf-8')"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr  # any warning aborts
    return folder


def test_every_page_is_built(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in ROOT.glob("docs/**/*.md")}
    built = {page.relative_to(site) for page in site.glob("**/*.html")}
    assert {page.parent / "index.html" if page.stem == "README" else page for page in pages} <= built


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.glob("**/*.html"))
    loaded = [
        (page.name, address)
        for page in pages
        for address in re.findall(
            r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"?(https?://[^\s\">]+)", page.read_text()
        )
    ]
    assert len(pages) > 30
    assert loaded == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_relative_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_configuration_page_is_of_these_types() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == configuration_markdown(), f"docs/configuration.md is out of date; write it with {WRITE_IT}"


def test_the_configuration_page_names_every_key_of_a_file() -> None:
    page = configuration_markdown()
    for key in ("base_url", "first_output_s", "cached_input_per_mtok", "look_ahead", "reference_task_floor", "intent"):
        assert f"| `{key}` |" in page
    assert "| `concurrency` | whole number, at least 1, at most 4096 | `4` |" in page


def commands() -> Iterator[tuple[str, str]]:
    """Every `bench` command in a fenced block of a page."""
    for page in PAGES:
        for block in re.findall(
            r"^```(?:sh|yaml|bash)?\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(r"(?:\$ |- )?(?:\.venv/bin/)?(bench [a-z].*)", line.strip())
                if found:
                    yield page.name, re.split(r"\s+#|\s[|>&;]", found[1])[0]


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_a_command_in_the_documentation_exists_with_its_options(page: str, line: str) -> None:
    command: click.Command = main
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, f"{page}: {line}"
        command = found
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known
