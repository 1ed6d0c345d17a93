"""A key from a file that only its owner reads, or from a command; never in a message, never in a repr."""

import base64
import gc
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.errors import ConfigError
from harness.hidden import struck
from harness.measure import keysource
from harness.measure.compose import Composer
from harness.measure.keysource import key_from, keys_for_workers
from harness.measure.session import prepare_session
from harness.model.endpoint import Endpoint, KeySource
from harness.model.endpointfile import load_endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm
from harness.model.settings import Settings
from tests.measure.prompts import a_prompt
from tests.model.runs import a_plan

KEY = "sk-canary-0123456789abcdef"


def a_file(folder: Path, content: str = f"{KEY}\n", mode: int = 0o600) -> Path:
    file = folder / "key.txt"
    file.write_text(content)
    file.chmod(mode)
    return file


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_file_of_its_owner_alone_gives_the_key(tmp_path: Path) -> None:
    assert key_from(KeySource(file=str(a_file(tmp_path))), "a: api_key", {}) == KEY


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_file(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key_from(KeySource(file="~/key.txt"), "a: api_key", {}) == KEY


@pytest.mark.skipif(os.name != "posix", reason="no modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777, 0o610])
def test_a_file_that_others_can_use_is_refused_with_the_remedy(mode: int, tmp_path: Path) -> None:
    file = a_file(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match=rf"can be used by others \(mode {mode:04o}\)") as caught:
        key_from(KeySource(file=str(file)), "a: api_key", {})
    assert caught.value.remedy == f"chmod 600 {file}"
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n", f"{KEY}\n{KEY}\n", f"{KEY}\x00", "sk-canär", "x" * 20_000])
def test_what_is_no_bare_key_is_refused_and_not_shown(content: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        key_from(KeySource(file=str(a_file(tmp_path, content))), "a: api_key", {})
    assert "canary" not in str(caught.value)
    assert caught.value.where == "a: api_key"


@pytest.mark.parametrize("name", ["absent.txt", "."])
def test_a_file_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        key_from(KeySource(file=str(tmp_path / name)), "a: api_key", {})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_a_pipe_that_nobody_writes_into_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    opened = threading.Timer(
        5, lambda: os.close(os.open(tmp_path / "fifo", os.O_RDWR))
    )  # lets a reader that waits go on
    opened.start()
    try:
        with pytest.raises(ConfigError, match="is no file"):
            key_from(KeySource(file=str(tmp_path / "fifo")), "a: api_key", {})
        assert opened.is_alive()
    finally:
        opened.cancel()


def test_a_command_that_never_stops_printing_is_ended_at_the_first_byte_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keysource, "COMMAND_LIMIT_S", 20.0)
    note = tmp_path / "n"
    code = f"import os\nopen({str(note)!r}, 'w').write(str(os.getpid()))\nwhile True: print('x' * 1000)"
    with pytest.raises(ConfigError, match="longer than 16384 bytes"):
        key_from(KeySource(command=python(code)), "a: api_key", {})
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_a_command_that_says_nothing_is_ended_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keysource, "COMMAND_LIMIT_S", 0.05)
    with pytest.raises(ConfigError, match=r"took more than 0\.05 s"):
        key_from(KeySource(command=python("import time; time.sleep(60)")), "a: api_key", {})
    with pytest.raises(ConfigError, match=r"took more than 0\.05 s"):
        key_from(KeySource(command=python("import os, time; os.close(1); time.sleep(60)")), "a: api_key", {})


def test_a_command_is_run_once_and_workers_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keysource, "_PRINTED", {})
    source = KeySource(command=python(f"open({str(tmp_path / 'n')!r}, 'a').write('x'); print('{KEY}')"))
    assert [key_from(source, "a: api_key", {}) for _ in range(3)] == [KEY] * 3
    assert (tmp_path / "n").read_text() == "x"
    told = keys_for_workers()
    assert [value.strip() for value in told.values()] == [KEY]
    monkeypatch.setattr(keysource, "_PRINTED", {})
    assert key_from(source, "a: api_key", told) == KEY
    assert (tmp_path / "n").read_text() == "x"


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (python(f"import sys; print('{KEY}'); sys.stderr.write('{KEY}'); sys.exit(3)"), "exit code 3"),
        (["/nowhere/at-all"], "cannot be started"),
        (python(f"print('{KEY}', '{KEY}', sep=chr(10))"), "no key"),
        (python(f"print('{KEY}' * 1000)"), "longer than"),
        (["a\x00b"], "cannot be started"),
    ],
)
def test_a_command_that_fails_is_named_and_what_it_said_is_not(
    command: list[str], word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        key_from(KeySource(command=command), "a: api_key", {})
    assert KEY not in str(caught.value)
    assert KEY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("source", [KeySource(), KeySource(file="a", command=["b"])])
def test_there_is_one_source(source: KeySource) -> None:
    with pytest.raises(ConfigError, match="one of file and command"):
        key_from(source, "a: api_key", {})


def test_an_endpoint_file_names_the_source_and_a_key_in_a_command_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    head = "name: a\nbase_url: http://host/v1\nmodel: m\n"
    file.write_text(head + "api_key: {command: [pass, show, llm]}\n")
    assert load_endpoint(file).api_key == KeySource(command=["pass", "show", "llm"])
    file.write_text(head + f"api_key: {{command: [echo, {KEY}]}}\n")
    with pytest.raises(ConfigError, match="looks like a key") as caught:
        load_endpoint(file)
    assert KEY not in str(caught.value)


def test_a_file_s_key_goes_into_the_request_and_into_no_repr(tmp_path: Path) -> None:
    endpoint = Endpoint(name="a", base_url="http://host/v1", model="m", api_key=KeySource(file=str(a_file(tmp_path))))
    golden = GoldenSet(name="g", version="1", prompts=[a_prompt()])
    session = prepare_session(
        golden, {Arm.REFERENCE: endpoint}, replace(a_plan(), settings=msgspec.to_builtins(Settings())), environ={}
    )
    ours: list[Any] = [one for one in gc.get_objects() if str(type(one).__module__).startswith("harness.")]
    assert any(isinstance(one, Composer) for one in ours)
    assert [type(one) for one in (*ours, session) if KEY in _shown(one)] == []


def _shown(one: object) -> str:
    try:
        return repr(one) + str(one)
    except (AttributeError, ValueError):  # half made, or closed
        return ""


def test_whatever_form_a_resolved_key_is_quoted_in_is_struck_out_of_what_is_said(tmp_path: Path) -> None:
    Composer(
        Endpoint(name="a", base_url="http://host/v1", model="m", api_key=KeySource(file=str(a_file(tmp_path)))), {}
    )
    for text in (KEY, base64.b64encode(KEY.encode()).decode(), base64.b64encode(f"user:{KEY}".encode()).decode()):
        said = struck(f"it said {text}!")
        assert said.startswith("it said ")
        assert "*****" in said
        assert text not in said
        assert KEY not in said


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "Bearer ", "a longer beginning, "])
@pytest.mark.parametrize("after", ["", "!", " and more"])
def test_a_key_inside_of_a_longer_base64_is_recognised(before: str, after: str, tmp_path: Path) -> None:
    endpoint = Endpoint(name="a", base_url="http://host/v1", model="m", api_key=KeySource(file=str(a_file(tmp_path))))
    secrets = Composer(endpoint, {}).secrets
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        coded = encode((before + KEY + after).encode())
        assert any(secret in coded for secret in secrets)
        assert not any(secret in encode((before + "another value, no key" + after).encode()) for secret in secrets)
