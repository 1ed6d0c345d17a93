"""Says whether the measuring process's memory stays flat: its resident size every so many requests of one run.

    python -m benchmarks.memory                  # 100,000 requests, 32 in flight, a figure every 10,000
    python -m benchmarks.memory --requests 20000

A server of a few lines answers at once from a process of its own; the process that is looked at does what `bench run`
does until judging begins. Linux only: the size is read from /proc.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

N_PROMPTS = 100
N_TOKENS = 24
IN_FLIGHT = 32
POLL_S = 0.05


def _event(delta: str, reason: str = "null") -> str:
    return f'data: {{"id":"c","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}\n\n'


def _response() -> bytes:
    parts = [_event(f'{{"content":"word{n} "}}') for n in range(N_TOKENS)]
    counts = f'"prompt_tokens":9,"completion_tokens":{N_TOKENS},"total_tokens":{N_TOKENS + 9}'
    usage = f'data: {{"id":"c","model":"m","choices":[],"usage":{{{counts}}}}}\n\n'
    body = "".join((*parts, _event("{}", '"stop"'), usage, "data: [DONE]\n\n"))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


async def serve() -> None:
    """Answer every request with the same stream; print the port."""
    response = _response()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
                await reader.readexactly(next(int(value) for name, _, value in lines if name == b"content-length"))
                writer.write(response)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def measure(base_url: str, out: Path, n_requests: int) -> None:
    """Measure one endpoint as `bench run` does, without judging."""
    from harness.cli.measuring import Request, measure  # noqa: PLC0415  # of the process that is looked at only
    from harness.model.endpoint import Endpoint, Limits  # noqa: PLC0415
    from harness.model.golden import GoldenSet, Prompt  # noqa: PLC0415
    from harness.model.record import Arm  # noqa: PLC0415
    from harness.model.settings import PlanSettings, Settings  # noqa: PLC0415

    asked = {"messages": [{"role": "user", "content": "say words"}], "max_tokens": 64, "temperature": 0}
    prompts = [Prompt(id=f"p{n}", category="text", intent="memory", request=asked) for n in range(N_PROMPTS)]
    repeats = {prompt.id: n_requests // N_PROMPTS for prompt in prompts}
    measure(
        Request(
            endpoints={
                Arm.REFERENCE: Endpoint(name="flat", base_url=base_url, model="m", limits=Limits(concurrency=IN_FLIGHT))
            },
            golden=GoldenSet(name="memory", prompts=prompts),
            settings=Settings(plan=PlanSettings(unstreamed=0)),
            out=out,
            quiet=True,
            repeats=repeats,
        )
    )


@contextmanager
def _running(*words: str, stdout: int | None = None) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "benchmarks.memory", *words]
    with subprocess.Popen(command, stdout=stdout, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def resident_sizes(n_requests: int, every: int) -> Iterator[tuple[int, int]]:
    """Give the number of requests on record and the resident size in bytes, at each mark of a run."""
    with TemporaryDirectory() as folder, _running("--serve", stdout=subprocess.PIPE) as server:
        assert server.stdout is not None  # noqa: S101  # asked for as a pipe
        base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        with _running("--measure", base_url, folder, "--requests", str(n_requests)) as measuring:
            yield from _marks(measuring, Path(folder), every)
        if measuring.returncode not in {0, -9}:
            raise SystemExit(measuring.returncode)


def _marks(measuring: "subprocess.Popen[str]", out: Path, every: int) -> Iterator[tuple[int, int]]:
    n, due, at_byte = 0, every, 0
    while measuring.poll() is None:
        size = _resident_bytes(measuring.pid)  # before the count: it belongs to no fewer requests than are on record
        for journal in out.glob("*/attempts.jsonl"):
            with journal.open("rb") as file:
                file.seek(at_byte)
                content = file.read()
            n, at_byte = n + content.count(b"\n"), at_byte + len(content)
        if n >= due and size is not None:
            yield n, size
            due += every
        sleep(POLL_S)


def _resident_bytes(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    lines = (line.split() for line in status.splitlines() if line.startswith("VmRSS:"))
    return next((1024 * int(words[1]) for words in lines), None)


def main() -> None:
    """Print a line per mark and the ratio of the last to the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, metavar=("URL", "OUT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    elif given.measure:
        measure(given.measure[0], Path(given.measure[1]), given.requests)
    else:
        sizes = []
        for n, size in resident_sizes(given.requests, given.every):
            sizes.append(size)
            print(f"{n:8,} requests  {size / 2**20:7.1f} MiB", flush=True)
        print(f"last / first: {sizes[-1] / sizes[0]:.3f}")


if __name__ == "__main__":
    main()
