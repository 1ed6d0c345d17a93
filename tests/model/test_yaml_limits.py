"""Files built to exhaust a reader end in one clear error, before a tree of them is built."""

import tracemalloc
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.model.goldenfile import load_golden_set
from harness.model.yamlfile import MAX_ANCHORS, MAX_DEPTH, MAX_FILE_BYTES, MAX_KEY_CHARS, MAX_NODES, read_yaml


def laughs(levels: int) -> str:
    """Give lists of ten aliases each, every one to the list before."""
    rows = [f"  - &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, levels)]
    return "x:\n  - &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(rows)


BOMBS = {
    "laughs as a key": (laughs(5) + "? *a4\n: 1\n", "a key that is itself a list"),
    "laughs merged": (laughs(7).replace("&a0 [1,1,1,1,1,1,1,1,1,1]", "&a0 {k: 1}") + "y:\n  <<: *a6\n", "values"),
    "values": ("a: [" + "1," * (2 * MAX_NODES) + "1]\n", "values"),
    "depth in brackets": ("a: " + "[" * 50_000, "nest"),
    "depth in lines": ("".join(" " * i + "a:\n" for i in range(2 * MAX_DEPTH)), "nested deeper"),
    "anchors": ("".join(f"- &a{i} 1\n" for i in range(MAX_ANCHORS + 1)), "aliases"),
    "a number in base 60": ("a: 1" + ":1" * 500_000 + "\n", "too many digits"),
    "a tagged number in base 60": ("a: !!int '1" + ":1" * 500_000 + "'\n", "too many digits"),
    "a number": ("a: 1" + "0" * 500_000 + "\n", "too many digits"),
    "a long key": ("? " + "k" * (MAX_KEY_CHARS + 1) + "\n: 1\n", "a key of 1001 characters"),
    "long keys, many times": (
        "".join(" " * i + f"{i:03}" + "k" * 900 + ":\n" for i in range(90)) + " " * 91 + "[" + "1," * 2000 + "1]",
        "values",
    ),
    "a tab": ("a:\n\tb: 1\n", "cannot start any token"),
    "a text without end": ('a: "' + "x" * 100_000, "not valid YAML"),
    "two documents": ("a: 1\n---\nb: 1\n", "not valid YAML"),
}


def test_an_alias_as_a_key_is_refused_before_its_text_is_taken(tmp_path: Path) -> None:
    """A list of 10^5 nodes has a text of some 100 MB."""
    file = tmp_path / "f.yml"
    file.write_text(laughs(5) + "y:\n  ? *a4\n  : 1\n")
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match=r"f\.yml:8.*a key that is itself a list"):
            read_yaml(file)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_would_exhaust_a_reader_is_refused(bomb: str, tmp_path: Path) -> None:
    text, word = BOMBS[bomb]
    file = tmp_path / "f.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_golden_set(file)
    assert word in str(caught.value)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_that_never_ends_is_read_no_further_than_the_limit() -> None:
    with pytest.raises(ConfigError, match=f"larger than {MAX_FILE_BYTES} bytes"):
        read_yaml(Path("/dev/zero"))


def test_what_is_no_utf_8_is_named_by_its_byte(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes("name: café\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8 at byte 9"):
        read_yaml(file)


def test_long_prose_without_quotes_is_text(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_text("a: 2026 was " + "long " * 1000 + "\nb: 1:30\nc: " + "f" * 2000 + " g\n")
    assert read_yaml(file).value["b"] == 90
