"""Kills measuring commands at random instants, has them go on until they are done, and compares what they recorded."""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.chaos.bomb import arm
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.errors import ConfigError
from harness.model.looks import was_cancelled
from harness.model.record import Attempt, Record, RequestKey, RunStatus
from harness.model.storage import ATTEMPTS, HEADER, StoredRun, load_header, load_run
from tests.cli.files import endpoint_file, write_yaml
from tests.cli.processes import workers_of
from tests.cli.simulated import Bench

MODES = ("run", "run", "compare", "compare", "isolate")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SETTINGS = {"plan": {"allocate": False, "unstreamed": 1, "warmup": 1}}
REPEATS = 4
ENDED = {0, 3, 4}  # a verdict, or none: the endpoints are alike and the sets tiny
PATIENCE_S = 60.0
JUDGED_EVERY = 5  # the others end once their run is on record: judging it takes longer than measuring it
_PRELOADED = [
    "benchmarks.chaos.stories",
    "openai.resources.chat.completions",
    "openai.types.responses",
    "harness.cli.run",
    "harness.cli.compare",
    "harness.cli.measuring",
    "harness.cli.resuming",
    "harness.cli.announcing",
    "harness.cli.judging",
    "harness.measure.isolation",
    "harness.measure.session",
    "harness.analysis.analyse",
    "harness.report.view",
    "harness.report.html",
]
Said = tuple[str, ...]  # failure, text, finish reason, and of each tool call its name and arguments
Bomb = tuple[int, int, float | None]  # signal, number of the write, how much of it
_CONTEXT = multiprocessing.get_context("forkserver")  # a child starts with everything imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """When a process is to die, and of what."""

    number: signal.Signals
    is_of_worker: bool  # one process of several
    share: float | None  # of the journal that is left to be written; None: while the command starts or ends
    delay_s: float  # after that
    is_from_inside: bool  # at a write of the journal; else from another process, somewhere near
    written_fraction: float | None = None  # of that write


@dataclass(slots=True, kw_only=True)
class Story:
    """What became of one run."""

    seed: int
    mode: str
    kills: list[str] = field(default_factory=list)  # that struck
    n_parts: int = 0
    n_recorded: list[int] = field(default_factory=list)  # requests on record at each death
    n_torn: int = 0  # lines that a death left, named on reading
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What an undisturbed run recorded."""

    folder: Path
    plan_sha256: str
    answers: Mapping[RequestKey, Said]
    journal_bytes: int


class Arena:
    """Two endpoints, and undisturbed runs to compare with."""

    def __init__(self, bench: Bench, a: Path, b: Path) -> None:
        """Measure nothing yet."""
        self._bench = bench
        self._files = {"run": ["run", str(a)], "compare": ["compare", str(a), str(b)]}
        self._files["isolate"] = [*self._files["compare"], "--isolate"]
        self._settings = write_yaml(bench.folder / "settings.yml", SETTINGS)
        self._wholes: dict[str, Whole] = {}

    def play(self, seed: int) -> Story:
        """Tell the story of one run: killed up to three times, and then left alone until it is done."""
        chance = random.Random(seed)
        story = Story(seed=seed, mode=chance.choice(MODES))
        kills = [_a_kill(chance, story.mode) for _ in range(chance.choice((1, 1, 2, 3)))]
        out = self._bench.folder / f"results-{seed}"
        kept: dict[RequestKey, bytes] = {}
        for kill in [*kills, None]:
            if (folder := _begun(out)) is not None and load_header(folder).status is RunStatus.FINISHED:
                break
            self._command(story, out, folder, kill)
            if (folder := _begun(out)) is not None:
                self._compare_with_before(story, folder, kept)
        folder = _begun(out)
        if folder is None:
            story.broken.append("no run")
            return story
        run = load_run(folder)
        story.n_parts = len(run.header.all_parts)
        story.broken += held_against(self.whole(story.mode), run)
        return story

    def whole(self, mode: str) -> Whole:
        """Give the undisturbed run of a mode, measured once."""
        if mode not in self._wholes:
            out = self._bench.folder / f"results-{mode}"
            story = Story(seed=-1, mode=mode)
            self._command(story, out, None, None)
            folder = _begun(out)
            if folder is None or story.broken:
                raise RuntimeError(story.broken)
            run = load_run(folder)
            size = (folder / ATTEMPTS).stat().st_size
            self._wholes[mode] = Whole(
                folder=folder, plan_sha256=run.header.plan_sha256, answers=_answers(run), journal_bytes=size
            )
        return self._wholes[mode]

    def _command(self, story: Story, out: Path, folder: Path | None, kill: Kill | None) -> None:
        """Run the command, or go on with its run, until it ends or is killed; note what it should not have said."""
        log = self._bench.folder / f"log-{story.mode}-{story.seed}-{len(story.n_recorded)}-{len(story.kills)}.txt"
        words = [*self._files[story.mode], "--quiet", "--out", str(out)]
        words += ["--reports", str(self._bench.folder / "reports")]
        if folder is None:
            plan = ["--golden", str(self._bench.golden), "--settings", str(self._settings)]
            words += [*plan, "--repeats", str(REPEATS), "--seed", "7"]
        else:
            words = [word for word in words if word != "--isolate"] + ["--resume", str(folder)]
        process = _CONTEXT.Process(target=_bench, args=(words, str(log), self._bomb(story, kill)))
        process.start()
        while process.is_alive() and not log.exists():  # what is killed before is Python, not the command
            time.sleep(0.0005)
        if kill is not None and (struck := _strike(process, kill, out, self._threshold(story, out, kill))):
            story.kills.append(struck)
        is_judged = kill is not None or story.seed % JUDGED_EVERY == 0
        if not is_judged:
            _end_once_finished(process, out)
        process.join(PATIENCE_S)
        if process.exitcode not in _allowed(kill, is_judged=is_judged):
            said = log.read_text() if log.exists() else ""
            story.broken.append(f"exit code {process.exitcode} after {kill}: {said[-2000:]}")
        if process.exitcode is None:
            process.kill()
            process.join()
        process.close()

    def _threshold(self, story: Story, out: Path, kill: Kill) -> float | None:
        """Give the length of the journal at which to strike from outside."""
        if kill.share is None:
            return None
        now = _journal_bytes(out)
        return now + kill.share * (self.whole(story.mode).journal_bytes - now)

    def _bomb(self, story: Story, kill: Kill | None) -> Bomb | None:
        """Give the write at which the process is to die by itself; an attempt takes two."""
        if kill is None or not kill.is_from_inside or kill.share is None:
            return None
        n_left = len(self.whole(story.mode).answers) - (story.n_recorded[-1] if story.n_recorded else 0)
        return int(kill.number), 1 + int(kill.share * 2 * max(1, n_left)), kill.written_fraction

    def _compare_with_before(self, story: Story, folder: Path, kept: dict[RequestKey, bytes]) -> None:
        """Check that what was on record before is still there; keep what is there now."""
        run = _released(folder)
        story.n_torn += len(run.notes)
        if not all("torn off" in note or ("line" in note and story.mode == "isolate") for note in run.notes):
            story.broken.append(f"notes: {run.notes}")
        now = {attempt.key: run.wire(attempt) for attempt in run.attempts if not was_cancelled(attempt)}
        story.broken += [f"{key.id}: not what it was" for key, wire in kept.items() if now.get(key) != wire]
        story.n_recorded.append(len(now))
        kept.update(now)


def held_against(whole: Whole, run: StoredRun) -> Iterator[str]:
    """Name what of a run is not as in the undisturbed one."""
    answers, count = _answers(run), Counter(attempt.key for attempt in _trials(run))
    yield from (f"{key.id}: lost" for key in whole.answers if key not in answers)
    yield from (f"{key.id}: {n} times" for key, n in count.items() if n > 1)
    yield from (f"{key.id}: not in the plan" for key in answers if key not in whole.answers)
    yield from (f"{key.id}: torn or another" for key, said in answers.items() if said != whole.answers.get(key, said))
    if run.header.status is not RunStatus.FINISHED:
        yield f"status {run.header.status}"
    if run.header.plan_sha256 != whole.plan_sha256:
        yield "another plan"


def _a_kill(chance: random.Random, mode: str) -> Kill:
    number = chance.choice(SIGNALS)
    share = None if chance.random() < 0.2 else chance.random()
    is_from_inside = mode != "isolate" and share is not None and chance.random() < 0.8
    is_torn = is_from_inside and number is signal.SIGKILL and chance.random() < 0.6
    return Kill(
        number=number,
        is_of_worker=mode == "isolate" and chance.random() < 0.3,
        share=share,
        delay_s=chance.uniform(0, 0.6) if share is None else chance.uniform(0, 0.004),
        is_from_inside=is_from_inside,
        written_fraction=chance.random() if is_torn else None,
    )


def _strike(process: BaseProcess, kill: Kill, out: Path, threshold: float | None) -> str | None:
    """Kill it when its journal is so long, and say of what; where it ends before, nothing is struck."""
    if kill.is_from_inside:
        process.join(PATIENCE_S)
        has_struck = process.exitcode in {-kill.number, 130}
        torn = " within a write" if kill.written_fraction is not None else " at a write"
        return f"{kill.number.name}{torn}" if has_struck else None
    while process.is_alive() and threshold is not None and _journal_bytes(out) < threshold:
        time.sleep(0.0005)
    time.sleep(kill.delay_s)
    own = process.pid or 0
    target = next(iter(workers_of(own)), own) if kill.is_of_worker else own
    if not process.is_alive():
        return None
    os.kill(target, kill.number)
    return f"{kill.number.name}{' of a worker' if target != own else ''}"


def _end_once_finished(process: BaseProcess, out: Path) -> None:
    while process.is_alive():
        folder = _begun(out)
        if folder is not None and load_header(folder).status is RunStatus.FINISHED:
            process.kill()
        time.sleep(0.02)


def _allowed(kill: Kill | None, *, is_judged: bool) -> set[int]:
    """Give the exit codes that a command may end with."""
    if kill is None:
        return ENDED if is_judged else ENDED | {-signal.SIGKILL}
    early = -kill.number  # before the command has its own way to end
    return ENDED | {early, 130} | ({75} if kill.is_of_worker else set())


def _bench(words: list[str], log: str, bomb: Bomb | None) -> None:
    """Be `bench` in a process of its own."""
    from harness.cli import main  # noqa: PLC0415  # only the child needs it

    for descriptor in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what runs in its background
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and nohup this one
    if bomb is not None:
        arm(*bomb)
    sys.argv = ["bench", *words]
    main(words)


def _begun(out: Path) -> Path | None:
    """Give the folder of the run; a process that died before it wrote a header has sent nothing."""
    found = [file.parent for file in out.glob(f"*/{HEADER}")]
    return found[-1] if found else None


def _journal_bytes(out: Path) -> int:
    return sum(file.stat().st_size for file in out.glob(f"*/{ATTEMPTS}"))


def _released(folder: Path) -> StoredRun:
    """Read the run once no process writes it: workers outlive the command that was killed for a moment."""
    until = time.monotonic() + PATIENCE_S
    while True:
        run = load_run(folder)
        if not run.is_being_written:
            return run
        if time.monotonic() > until:
            raise ConfigError("a process holds on to the run", where=str(folder))
        time.sleep(0.01)


def _trials(run: StoredRun) -> list[Attempt]:
    return [one for one in run.attempts if not one.key.is_warmup and not was_cancelled(one)]


def _answers(run: StoredRun) -> dict[RequestKey, Said]:
    """Decode every measured request; a failure is an answer that no undisturbed run has."""
    sides = [RecordedSide(run=run, header=header) for header in run.header.arms]
    records = [record for side in sides for record in decode_run(side) if not record.key.is_warmup]
    return {record.key: _said(record) for record in records}


def _said(record: Record) -> Said:
    """Give what was answered, without the ids that a server makes up."""
    answer = record.answer
    calls = (part for call in answer.tool_calls for part in (call.name or "", call.arguments))
    return (str(record.failure), answer.text, answer.finish_reason or "", *calls)


@contextmanager
def an_arena(folder: Path) -> Iterator[Arena]:
    """Serve two endpoints that answer alike."""
    _CONTEXT.set_forkserver_preload(_PRELOADED)
    bench = Bench(folder=folder)
    with ExitStack() as serving:
        served = [serving.enter_context(bench.serving(name, seed)) for name, seed in (("a", 1), ("b", 2))]
        a, b = (endpoint_file(folder, name, one.base_url) for name, one in zip("ab", served, strict=True))
        yield Arena(bench, a, b)
