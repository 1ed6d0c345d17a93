"""`bench bundle`: a recorded run as one file that a stranger can check."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from harness import __version__
from harness.cli.completing import complete_run
from harness.cli.redactedcopy import KEPT
from harness.errors import ConfigError, DamagedFileError
from harness.model.redaction import REDACTED
from harness.model.storage import ATTEMPTS, HEADER, RECORDS, STREAMS, StoredRun

_FILES = (HEADER, ATTEMPTS, STREAMS, RECORDS, "verdict.json", "looks.jsonl", "twin.jsonl")
_KEPT = ("record.json", "golden.yml", "README.md", REDACTED, KEPT)  # that other commands add
_EARLIER = "verdict.*.json"  # that bench recompute kept
_LEFT_OUT = ("run.lock",)
_README = """\
A recorded run of bench {version}: what was asked, every byte that came back with its instant, and the judgement.

{runs}
golden.yml    the golden set that was replayed; its digest is {golden}
manifest.json every file with its size and SHA-256
SHA256SUMS    the same for `sha256sum --check SHA256SUMS`

To check it:

    pip install bench-harness
    bench verify THIS-FILE

That compares every digest, judges the recorded bytes again, offline, and compares every number with verdict.json, which
is of definitions {definitions}. To look at it, unpack it and give the folder to `bench report` or `bench show`.
"""


@click.command()
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_run)
@click.option("--out", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Archive: .zip or .tar.gz.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def bundle(run: Path, **given: Any) -> None:
    """Pack a recorded RUN, its golden set and a manifest of digests into one archive.

    `bench verify` checks it and judges it again, offline. The same folder gives the same bytes. Prompts and answers are
    in it as they were recorded; keys never were.

    \b
    Example:
        bench bundle results/<run> -o run.zip && bench verify run.zip
    """
    from harness.cli.sides import recorded_side  # noqa: PLC0415  # keeps --help light
    from harness.model.bundle import Manifest, describe, is_archive, pack  # noqa: PLC0415

    out = given["out"] or Path(f"{run.resolve().name}.zip")
    if not is_archive(out):
        raise ConfigError("an archive is called .zip or .tar.gz", where=str(out), remedy="Choose another -o")
    if not out.parent.is_dir():
        raise ConfigError("its folder does not exist", where=str(out), remedy="Choose another -o")
    runs, recorded = _runs(run)
    golden = recorded_side(runs[0], runs[0].header.arms[0].arm).golden
    definitions = _definitions(run, recorded)
    contents = _contents(runs, golden, definitions)
    manifest = Manifest(
        run_id=runs[0].header.run_id,
        runs=tuple(one.header.run_id for one in runs),
        golden_sha256=golden.sha256,
        plan_sha256=runs[0].header.plan_sha256,
        definitions=definitions,
        bench=__version__,
        files=tuple(describe(path, contents[path]) for path in sorted(contents)),
    )
    pack(manifest, contents, out)
    if not given["quiet"]:
        _say(out, manifest.files, runs)


def _runs(folder: Path) -> tuple[list[StoredRun], Mapping[str, Any] | None]:
    """Read the run, and the other one where its verdict is of two."""
    from harness.cli.rejudging import other_run, other_run_ids, recorded_summary  # noqa: PLC0415
    from harness.model.storage import load_run  # noqa: PLC0415

    run, recorded = load_run(folder), recorded_summary(folder)
    if run.is_being_written:
        raise ConfigError("another process is still writing this run", where=str(folder), remedy="Wait for its end")
    others = other_run_ids(run.header.run_id, recorded)
    return [run, *(other_run(folder, run_id, ()) for run_id in others)], recorded


def _definitions(folder: Path, recorded: Mapping[str, Any] | None) -> str | None:
    definitions = None if recorded is None else recorded.get("estimators", "")
    if definitions is None or (isinstance(definitions, str) and definitions):
        return definitions
    raise DamagedFileError(
        "it does not say under which definitions",
        where=str(folder / "verdict.json"),
        remedy="bench recompute --write makes it anew",
    )


def _contents(runs: list[StoredRun], golden: Any, definitions: str | None) -> dict[str, Path | bytes]:
    from harness.model.goldentext import golden_yaml  # noqa: PLC0415

    named = [f"runs/{run.header.run_id}/" for run in runs]
    readme = _README.format(
        version=__version__, runs="\n".join(named), golden=golden.sha256, definitions=definitions or "(not judged)"
    )
    contents: dict[str, Path | bytes] = {"README.txt": readme.encode(), "golden.yml": golden_yaml(golden).encode()}
    for place, run in zip(named, runs, strict=True):
        contents |= {place + file.name: file for file in _files(run.folder)}
    return contents


def _files(folder: Path) -> list[Path]:
    """Give what a run leaves; a link leads elsewhere and is refused."""
    found = [*(folder / name for name in (*_FILES, *_KEPT)), *sorted(folder.glob(_EARLIER))]
    present = [file for file in found if file.is_symlink() or file.exists()]
    for file in present:
        if file.is_symlink() or not file.is_file():
            raise ConfigError("is a link or no plain file", where=str(file), remedy="Put the file itself there")
    return present


def _say(out: Path, files: Any, runs: list[StoredRun]) -> None:
    from harness.report.format import plural  # noqa: PLC0415

    click.echo(f"{out}: {plural(len(files), 'file')}, {sum(file.n_bytes for file in files):,} bytes unpacked")
    for run in runs:
        left = sorted(
            one.name for one in run.folder.iterdir() if one not in _files(run.folder) and one.name not in _LEFT_OUT
        )
        if left:
            click.echo(f"left out of {run.folder}: {', '.join(left)}", err=True)
