"""Writes a golden set to a file and proves that it loads to the same set."""

from collections.abc import Sequence
from pathlib import Path

from harness.errors import ConfigError
from harness.model.golden import GoldenSet

_YAML = frozenset({".yml", ".yaml"})


def check_output(file: Path, *, may_replace: bool) -> None:
    """Refuse before any work what could not be written after it."""
    _is_line_wise(file)
    _refuse_existing(file, may_replace=may_replace)


def write_golden_set(golden: GoldenSet, file: Path, comments: Sequence[str] = (), *, may_replace: bool) -> None:
    """Write YAML or JSON lines by the file's ending."""
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415  # keeps --help light
    from harness.model.goldentext import golden_jsonl, golden_yaml  # noqa: PLC0415

    text = golden_jsonl(golden) if _is_line_wise(file) else golden_yaml(golden, comments)
    write_text(text, file, may_replace=may_replace)
    if load_golden_set(file) != golden:
        raise AssertionError(f"{file} does not load to the set that was written")


def _is_line_wise(file: Path) -> bool:
    from harness.model.goldenfile import LINE_WISE  # noqa: PLC0415

    ending = file.suffix.lower()
    if ending not in LINE_WISE and ending not in _YAML:
        raise ConfigError(f"a golden set ends in .yml or .jsonl, not in {ending or 'nothing'}", where=str(file))
    return ending in LINE_WISE


def _refuse_existing(file: Path, *, may_replace: bool) -> None:
    if file.exists() and not may_replace:
        raise ConfigError("the file exists", where=str(file), remedy="Give another name, or --force to replace it")


def write_text(text: str, file: Path, *, may_replace: bool) -> None:
    """Write UTF-8 with line feeds; ConfigError where it cannot be."""
    _refuse_existing(file, may_replace=may_replace)
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", where=str(file), remedy="Check the path and its permissions"
        ) from None
