"""Gets a key from a file that only its owner can read, or from a command that prints it."""

import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from harness.errors import ConfigError
from harness.model.endpoint import KeySource

MAX_KEY_BYTES = 16 * 1024
COMMAND_LIMIT_S = 60.0
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe without a writer would never open
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PRINTED: dict[str, str] = {}  # by variable: what commands printed in this process


def key_from(source: KeySource, where: str, environ: Mapping[str, str]) -> str:
    """Read the key; ConfigError says what is wrong with where it comes from, never what it is."""
    if (source.file is None) == (not source.command):
        raise ConfigError("give one of file and command", where=where, remedy="For example: api_key: {file: key.txt}")
    text = _from_file(Path(source.file), where) if source.file is not None else _printed(source.command, where, environ)
    key = text.strip()
    if not key or not (key.isascii() and key.isprintable()):
        raise ConfigError(
            "what comes from there is no key: empty, of several lines, or with characters that no header may hold",
            where=where,
            remedy="It must give the bare key and nothing else",
        )
    return key


def keys_for_workers() -> dict[str, str]:
    """What commands have printed, as variables of a worker's environment: no command runs twice in a run."""
    return dict(_PRINTED)


def _from_file(file: Path, where: str) -> str:
    file = file.expanduser()
    try:
        descriptor = os.open(file, os.O_RDONLY | _AT_ONCE)
        try:
            _refuse_open_to_others(file, os.fstat(descriptor), where)
            content = os.read(descriptor, MAX_KEY_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", where=where, remedy="Check the path") from None
    return _text(content, str(file), where)


def _refuse_open_to_others(file: Path, found: os.stat_result, where: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{file} is no file", where=where, remedy="Name a file with the key in it")
    if os.name == "posix" and found.st_mode & _OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        raise ConfigError(f"{file} can be used by others (mode {mode:04o})", where=where, remedy=f"chmod 600 {file}")


def _printed(command: list[str], where: str, environ: Mapping[str, str]) -> str:
    """Run the command once in this process's life; a worker finds what its run was given."""
    name = f"BENCH_KEY_{hashlib.sha256(chr(0).join(command).encode()).hexdigest()[:16].upper()}"
    if name not in _PRINTED:
        _PRINTED[name] = environ[name] if name in environ else _run(command, where)
    return _PRINTED[name]


def _run(command: list[str], where: str) -> str:
    try:
        process = subprocess.Popen(  # noqa: S603  # our user's own command, as a list: no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may quote the key
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a command"
        raise ConfigError(f"{command[0]} cannot be started: {why}", where=where, remedy="Check the command") from None
    try:
        content = _text(_first_bytes(process), f"what {command[0]} prints", where)
        code = process.wait(COMMAND_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{command[0]} took more than {COMMAND_LIMIT_S:g} s", where=where) from None
    finally:
        process.kill()  # nothing where it has ended
        process.wait()
    if code != 0:
        raise ConfigError(f"{command[0]} ended with exit code {code}", where=where, remedy="Run it by hand to see why")
    return content


def _first_bytes(process: "subprocess.Popen[bytes]") -> bytes:
    """Read no more than shows whether it is a key, beside this thread: a pipe has no time limit of its own."""
    read = Queue[bytes](1)

    def take() -> None:
        with process.stdout as pipe:  # type: ignore[union-attr]  # as it was asked for
            read.put(pipe.read(MAX_KEY_BYTES + 1))

    Thread(target=take, daemon=True).start()
    try:
        return read.get(timeout=COMMAND_LIMIT_S)
    except Empty:
        raise subprocess.TimeoutExpired(process.args, COMMAND_LIMIT_S) from None


def _text(content: bytes, what: str, where: str) -> str:
    if len(content) > MAX_KEY_BYTES:
        raise ConfigError(f"{what} is longer than {MAX_KEY_BYTES} bytes", where=where, remedy="It must be the bare key")
    return content.decode("latin-1")
