"""Installs and starts real servers on 127.0.0.1."""

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

Word = str | Path
CACHE = Path(os.environ.get("BENCH_REAL_CACHE", Path(__file__).resolve().parents[2] / ".cache" / "real"))
LLM_KATAN = "llm-katan==0.22.0"
AIMOCK = "@copilotkit/aimock@1.43.0"


def installed_llm_katan() -> Path:
    """Give the command of an echo server in an environment of its own, installed once."""
    folder = CACHE / "llm-katan"
    command = folder / "bin" / "llm-katan"
    if not command.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", LLM_KATAN], check=True)
    return command


def installed_aimock() -> Path:
    """Give the command of a mock server with paced answers, installed once with npm."""
    folder = CACHE / "aimock"
    command = folder / "node_modules" / ".bin" / "llmock"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", AIMOCK], cwd=folder, check=True)
    return command


@contextmanager
def running_aimock(command: Path, port: int, fixtures: Path, key: str, *more: str) -> Iterator[str]:
    """Serve canned answers, four characters a chunk; give the base URL."""
    words: list[Word] = [command, "-h", "127.0.0.1", "-p", str(port), "-f", fixtures, "-c", "4", *more]
    with _running(words, re.compile("server listening"), {"AIMOCK_API_KEYS": key}):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def running_llm_katan(command: Path, port: int, *more: str) -> Iterator[str]:
    """Serve model `tiny-echo`; give the base URL."""
    words: list[Word] = [
        command,
        "--backend",
        "echo",
        "--model",
        "tiny-echo",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with _running([*words, "--max-concurrent", "8", *more], re.compile(r"Uvicorn running|startup complete")):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def running_llama_server(command: Path, model: Path, port: int) -> Iterator[str]:
    """Serve a GGUF file with llama.cpp; give the base URL."""
    words: list[Word] = [command, "-m", model, "--alias", "tiny", "--host", "127.0.0.1", "--port", str(port)]
    options = ["-c", "16384", "-np", "4", "-t", "1", "--jinja", "--no-webui"]
    with _running([*words, *options], re.compile("server is listening")):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def _running(words: list[Word], ready: re.Pattern[str], environ: Mapping[str, str] | None = None) -> Iterator[None]:
    """Start a server, read its log until it says that it listens, end it afterwards."""
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environ or {})}
    )
    with process, ExitStack() as stack:
        stack.callback(process.terminate)
        _wait_until(process, ready)
        drain = subprocess.Popen([sys.executable, "-c", "import sys\nfor _ in sys.stdin: pass"], stdin=process.stdout)
        stack.callback(drain.wait, 20)  # it ends when the server does
        stack.callback(process.terminate)
        yield


def _wait_until(process: subprocess.Popen[str], ready: re.Pattern[str]) -> None:
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if ready.search(line):
            return
    raise AssertionError("the server ended before it listened:\n" + "".join(seen[-20:]))
