"""A redacted copy: no words of prompts or answers anywhere, figures and outcomes as in the original."""

import asyncio
import gzip
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.model.redaction import read_redaction, redaction_words
from tests.cli.files import endpoint_file, exact_repeats, golden_file, write_yaml
from tests.cli.simulated import WEATHER_TOOL, Bench, Outcome

_WORDS = (
    "alder",
    "birch",
    "cedar",
    "dogwood",
    "elder",
    "fir",
    "ginkgo",
    "hazel",
    "ironwood",
    "juniper",
    "kauri",
    "larch",
)


def canary(place: str) -> str:
    """Give twelve words that stand nowhere else."""
    return " ".join(f"{word}{place}" for word in _WORDS)


ASKED, SYSTEM, CITY = canary("asked"), canary("system"), canary("city")
SAID, THOUGHT, CALLED, COMPLAINED, COMMENTED = map(canary, ("said", "thought", "called", "complained", "commented"))
HEADED, TITLED, CODED, INTENDED, EXPECTED, RETURNED = map(
    canary, ("headed", "titled", "coded", "intended", "expected", "returned")
)
CANARIES = (
    *(ASKED, SYSTEM, CITY, SAID, THOUGHT, CALLED, COMPLAINED, COMMENTED, HEADED, TITLED, CODED, INTENDED),
    *(EXPECTED, RETURNED),
)
LONGEST_WINDOW = 8
DAMAGED: dict[str, Any] = {
    "degradations": [{"one_of": ["drop_argument"], "rate": 0.5}],
    "faults": [{"fault": "http_429_capacity", "rate": 0.05}, {"fault": "reset_mid_stream", "rate": 0.05}],
}


def _chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": {"content": [{"token": SAID}]}}
    return f"data: {json.dumps({'id': 'chat-1', 'model': 'm', 'choices': [choice], **more})}\n\n".encode()


def _call(arguments: str, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": arguments}, **more}]}


def _answer(n: int) -> tuple[str, str, bytes]:
    """Give status, type and body of the n-th response: each leaks in another way."""
    usage = {"prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60}
    parts = [_chunk({"content": f"{word} "}) for word in SAID.split()]
    whole = b"".join((*parts, _chunk({}, "stop", usage=usage), b"data: [DONE]\n\n"))
    bodies = (
        whole,
        b": " + COMMENTED.encode() + b"\n\n" + _chunk({"reasoning_content": THOUGHT}) + whole,
        _chunk(_call('{"city": "', id="call_1")) + _chunk(_call(f'{CALLED}", "unit": "C"}}')) + whole,
        _chunk({"content": [{"type": "text", "text": SAID}, {"type": "thinking", "thinking": THOUGHT}]}) + whole,
        whole + b"data: " + SAID.encode() + b"\n\n" + b"id: " + SAID.encode() + b"\n\n",
        whole[:900],
        b'data: {"error": {"message": "' + COMPLAINED.encode() + b'", "code": "' + COMPLAINED.encode() + b'"}}\n\n',
        _chunk({"content": SAID.replace("a", "\u00e9").replace("e", "\U0001f600")}) + whole,
        _chunk({"tool_calls": [{"index": 0, "function": {"name": CALLED, "arguments": {CALLED: CITY}}}]}) + whole,
        json.dumps({SAID: SAID, "choices": [{"message": {"content": SAID}, CALLED: 1}]}).encode(),
        b"<html><title>" + TITLED.encode() + b"</title>" + TITLED.encode() + b"</html>",
        json.dumps({"error": {"message": f"wrong: {ASKED}", "type": COMPLAINED}}).encode(),
        json.dumps({"detail": [{"msg": COMPLAINED, "input": ASKED}]}).encode(),
        gzip.compress(whole.replace(SAID.split()[0].encode(), CODED.encode())),
    )
    statuses = {10: "502 Bad Gateway", 11: "400 Bad Request", 12: f"422 {COMPLAINED}"}
    return statuses.get(n, "200 OK"), "application/json" if n in {9, 11, 12} else "text/event-stream", bodies[n]


N_ANSWERS = 14


class Leaking:
    """An endpoint that puts its answers' words wherever a response has room."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        self.n = 0

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._respond, "127.0.0.1", 0)

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(next(lengths))
        status, kind, body = _answer(self.n % N_ANSWERS)
        is_coded, is_chunked = self.n % N_ANSWERS == N_ANSWERS - 1, self.n % 2 == 0
        self.n += 1
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"X-Request-Id: {HEADED}", f"Server: {HEADED}"]
        lines += [f"X-RateLimit-Remaining: {HEADED}", f"X-Own: {HEADED}", "Connection: close"]
        lines += ["Content-Encoding: gzip"] if is_coded else []
        lines += ["Transfer-Encoding: chunked"] if is_chunked else [f"Content-Length: {len(body)}"]
        writer.write("\r\n".join((*lines, "", "")).encode())
        for at in range(0, len(body), 61) if is_chunked else ():
            piece = body[at : at + 61]
            writer.write(f"{len(piece):x};note={HEADED}\r\n".encode() + piece + b"\r\n")
        writer.write(f"0\r\nX-Trailer: {HEADED}\r\n\r\n".encode() if is_chunked else body)
        await writer.drain()
        writer.close()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _bench(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def _leaking_prompt() -> dict[str, Any]:
    tool = {**WEATHER_TOOL, "function": {**WEATHER_TOOL["function"], "description": ASKED}}
    return {
        "id": "leaky",
        "category": "facts",
        "intent": INTENDED,
        "request": {
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ASKED}],
            "tools": [tool],
            "max_tokens": 64,
            "stop": [ASKED],
        },
        "checks": [
            {"contains": EXPECTED},
            {"tool_called": {"name": "get_weather", "arguments": {"city": CITY, "unit": "C"}}},
        ],
        "tool_results": {"get_weather": {"said": RETURNED}},
        "final": [{"contains": RETURNED}],
    }


def leaked(folder: Path) -> dict[str, list[str]]:
    """Give, by file, the canaries of which some window of so many words stands in it, however it is written."""
    found = {}
    for file in folder.rglob("*"):
        if file.is_file():
            text = _plain(file.read_bytes().decode("utf-8", "replace"))
            hits = [window for canary in CANARIES for window in _windows(canary) if window in text]
            if hits:
                found[file.name] = hits
    return found


def _content(folder: Path) -> str:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file()).decode("utf-8", "replace")


def _plain(text: str) -> str:
    """Join what stands in events or chunks of their own, by letters only."""
    return re.sub(r"[^a-z]+", "", text.lower())


def _windows(canary: str) -> Iterator[str]:
    words = canary.split()
    for at in range(len(words) - LONGEST_WINDOW + 1):
        yield "".join(words[at : at + LONGEST_WINDOW])


@pytest.fixture(scope="module")
def leaky_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Measure an endpoint that leaks in every response; give the run and the endpoint's address."""
    folder = tmp_path_factory.mktemp("leaky")
    server = Leaking()
    try:
        endpoint = endpoint_file(folder, "secret-name", server.base_url, extra_body={"hint": ASKED})
        golden = golden_file(folder, _leaking_prompt())
        ended = _bench(
            *("run", str(endpoint), "--golden", str(golden), "--settings", str(exact_repeats(folder)), "--quiet"),
            *("--repeats", str(N_ANSWERS), "--out", str(folder / "results"), "--reports", str(folder / "reports")),
        )
    finally:
        server.close()
    assert ended.exit_code == 0, ended.output
    return next((folder / "results").iterdir()), server.base_url


def test_the_search_finds_the_words_where_they_are(leaky_run: tuple[Path, str]) -> None:
    found = leaked(leaky_run[0])
    assert set(found) >= {"run.json", "streams.bin", "records.jsonl"}
    content = _content(leaky_run[0])
    placed = set(CANARIES) - {HEADED, CODED}  # headers outside the allow-list are never recorded, the last is coded
    assert all(any(word in content for word in canary.split()) for canary in placed)


@pytest.mark.parametrize("options", [[], ["--endpoints"]])
def test_no_words_of_prompts_or_answers_stand_anywhere_in_a_copy(
    tmp_path: Path, leaky_run: tuple[Path, str], options: list[str]
) -> None:
    run, base_url = leaky_run
    copy = tmp_path / "copy"
    made = _bench("redact", str(run), "-o", str(copy), *options)
    assert made.exit_code == 0, made.output
    shown = _bench("report", str(copy), "--reports", str(copy / "reports"))
    assert shown.exit_code == 0, shown.output
    assert leaked(copy) == {}
    one_words = [word for canary in CANARIES for word in canary.split()]
    content = _content(copy)
    assert [word for word in one_words if word in content] == []
    assert all((name in content) is not bool(options) for name in ("secret-name", base_url))


def test_only_a_response_that_cannot_be_masked_in_place_loses_its_bytes(
    tmp_path: Path, leaky_run: tuple[Path, str]
) -> None:
    copy = tmp_path / "copy"
    assert _bench("redact", str(leaky_run[0]), "-o", str(copy)).exit_code == 0
    attempts, kept = (
        [json.loads(line) for line in (copy / name).read_text().splitlines()]
        for name in ("attempts.jsonl", "kept.jsonl")
    )
    bare = [(line["key"], line["attempt"]) for line in attempts if line["length"] == 0]
    coded = [line for line in kept if any(finding["kind"] == "compressed" for finding in line["findings"])]
    assert len(bare) == len(coded) == 1
    assert bare == [(line["key"], line["attempt"]) for line in coded if line["record"]["usage"]["total_tokens"] == 60]
    assert json.loads((copy / "redacted.json").read_text())["n_without_bytes"] == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A comparison, its redacted copy, and what `bench report` says of both."""

    bench: Bench
    run: Path
    copy: Path
    original: Outcome
    redacted: Outcome


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """Compare two simulated endpoints once, of which one answers wrongly and fails now and then."""
    bench = Bench(folder=tmp_path_factory.mktemp("redacted"))
    with bench.pair({}, DAMAGED) as (one, other):
        settings = write_yaml(bench.folder / "few.yml", {"plan": {"allocate": False}})
        original = bench.compare(one, other, "--repeats", "3", "--settings", str(settings))
    copy = bench.folder / "copy"
    made = _bench("redact", str(original.run), "-o", str(copy))
    assert made.exit_code == 0, made.output
    redacted = bench.bench("report", str(copy))
    return Copied(bench=bench, run=original.run, copy=copy, original=original, redacted=redacted)


_TEXTUAL = {"answers", "tools", "structured", "streaming", "divergence", "identity", "notes", "sides", "findings"}


def test_a_copy_is_judged_as_its_original_but_for_what_needs_texts(copied: Copied) -> None:
    one, other = copied.original, copied.redacted
    assert other.exit_code == one.exit_code
    gates = [[gate for gate in found.summary["gates"] if gate["id"] != "identity"] for found in (one, other)]
    assert gates[0] == gates[1]
    assert any(gate["reference"]["value"] != gate["candidate"]["value"] for gate in gates[0])  # something is judged
    assert len(one.summary["failures"]) > 0
    for name in set(one.summary) - _TEXTUAL - {"gates"}:
        assert _wordless(other.summary[name], name) == _wordless(one.summary[name], name), name


def _wordless(value: Any, section: str) -> Any:
    """Leave out the server's own words, where failures and limits quote them."""
    if isinstance(value, list):
        return [_wordless(one, section) for one in value]
    if isinstance(value, dict):
        is_quoting = section in {"failures", "attempts"}
        return {k: _wordless(v, section) for k, v in value.items() if not (is_quoting and k in {"example", "evidence"})}
    return value


def test_a_copy_says_what_it_is_and_what_the_original_had_come_to(copied: Copied) -> None:
    page = copied.redacted.report.read_text(encoding="utf-8")
    assert "prompts and answers struck out" in page
    assert f"verdict: {copied.original.summary['verdict']}" in page
    assert "A redacted copy" in copied.redacted.summary["notes"][0]
    assert "Prague" not in page
    assert "Prague" in copied.original.report.read_text(encoding="utf-8")
    assert copied.redacted.report != copied.original.report  # the original's page stays


def test_a_copy_says_how_much_of_the_original_was_damaged(copied: Copied, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(copied.run, run)
    lines = (run / "attempts.jsonl").read_bytes().splitlines(keepends=True)
    (run / "attempts.jsonl").write_bytes(b"".join((*lines[:-2], b'{"broken\n', lines[-1])))
    made = _bench("redact", str(run), "-o", str(tmp_path / "copy"))
    assert made.exit_code == 0, made.output
    assert "left out as damaged in the original: 1" in made.output
    assert json.loads((tmp_path / "copy" / "redacted.json").read_text())["n_damaged"] == 1
    assert "Left out as damaged in the original: 1." in redaction_words(read_redaction(tmp_path / "copy"))
    assert "damaged" not in redaction_words(read_redaction(copied.copy))


def test_bytes_keep_their_lengths_and_reads(copied: Copied) -> None:
    one, other = (
        [json.loads(line) for line in (folder / "attempts.jsonl").read_text().splitlines()]
        for folder in (copied.run, copied.copy)
    )
    assert [line["length"] for line in one] == [line["length"] for line in other] != []
    assert [line["reads"] for line in one] == [line["reads"] for line in other]


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "COPY", "ORIGINAL"),
        ("redact", "COPY"),
        ("sabotage", "COPY"),
    ],
)
def test_what_needs_texts_is_refused_on_a_copy(copied: Copied, words: tuple[str, ...]) -> None:
    ended = _bench(*(word.replace("COPY", str(copied.copy)).replace("ORIGINAL", str(copied.run)) for word in words))
    assert ended.exit_code == 2
    assert "no prompts and no answers" in ended.output


def test_a_copy_is_never_gone_on_with(copied: Copied) -> None:
    files = [str(copied.bench.folder / f"{name}.yml") for name in ("a", "b")]
    out = ("--out", str(copied.bench.folder / "results"))
    ended = _bench("compare", *files, "--resume", str(copied.copy), "--repeats", "900", *out)
    assert ended.exit_code == 2, ended.output
    assert "no prompts and no answers" in ended.output


def test_an_existing_folder_is_not_written_into(copied: Copied, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    ended = _bench("redact", str(copied.run), "-o", str(tmp_path))
    assert ended.exit_code == 2
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
