"""Whole commands against simulated endpoints: fast profiles, a small golden set, the files they leave."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from harness.cli import main
from harness.simulator.process import RunningSimulator, running_simulator
from tests.cli.files import endpoint_file, golden_file, write_yaml

FAST: dict[str, Any] = {
    "name": "fast",
    "ttft": {"shape": "lognormal", "median_ms": 12, "sigma": 0.05},
    "decode": {"tokens_per_s": 1500},
}
WEATHER_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["C", "F"]}},
            "required": ["city", "unit"],
        },
    },
}


def _prompt(prompt_id: str, question: str, example: dict[str, Any], checks: list[Any], **more: Any) -> dict[str, Any]:
    request = {"messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 64}
    return {
        "id": prompt_id,
        "category": more.pop("category", "facts"),
        "intent": "Told apart by its answer.",
        "request": {**request, **more.pop("request", {})},
        "checks": checks,
        "example": example,
        **more,
    }


def _fact(prompt_id: str, question: str, word: str, **more: Any) -> dict[str, Any]:
    text = f"The answer to this question is {word}, as far as anybody who asks for it needs to know today."
    return _prompt(prompt_id, question, {"text": text}, [{"contains": word}], **more)


def _tool(prompt_id: str, city: str) -> dict[str, Any]:
    arguments = {"city": city, "unit": "C"}
    return _prompt(
        prompt_id,
        f"Weather in {city}, in Celsius?",
        {"tool_calls": [{"name": "get_weather", "arguments": arguments}]},
        [{"tool_called": {"name": "get_weather", "arguments": arguments}}],
        category="tools",
        request={"tools": [WEATHER_TOOL]},
    )


PROMPTS = (
    _fact("capital", "Capital of Czechia?", "Prague", measure={"decode": True}),
    _fact("river", "Longest river of Europe?", "Volga", measure={"decode": True}),
    _fact("peak", "Highest mountain of Africa?", "Kilimanjaro", measure={"decode": True}),
    _fact("metal", "Which metal is liquid at room temperature?", "mercury"),
    _prompt(
        "invoice",
        "The invoice 17 is over 12 euro: as JSON with number and total.",
        {"text": '{"number": 17, "total": 12}'},
        [{"json_path": {"path": "$.total", "equals": 12}}],
        category="extraction",
    ),
    _tool("weather-oslo", "Oslo"),
    _tool("weather-lima", "Lima"),
    _tool("weather-cairo", "Cairo"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended and what it left."""

    exit_code: int
    output: str
    summary: Mapping[str, Any]
    run: Path
    report: Path

    def gate(self, gate_id: str) -> Mapping[str, Any]:
        """Give one gate of the summary."""
        return next(gate for gate in self.summary["gates"] if gate["id"] == gate_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A folder with a golden set in which commands run."""

    folder: Path

    @property
    def golden(self) -> Path:
        """The small golden set, written once."""
        file = self.folder / "golden.yml"
        return file if file.exists() else golden_file(self.folder, *PROMPTS)

    @contextmanager
    def serving(self, name: str, seed: int = 1, **changes: Any) -> Iterator[RunningSimulator]:
        """Serve the fast profile with changes."""
        profile = write_yaml(self.folder / f"profile-{name}.yml", {**FAST, **changes, "name": name})
        truth = self.folder / f"truth-{name}.jsonl"
        with running_simulator(profile, golden=self.golden, truth=truth, seed=seed) as simulator:
            yield simulator

    @contextmanager
    def pair(self, reference: Mapping[str, Any], candidate: Mapping[str, Any]) -> Iterator[tuple[Path, Path]]:
        """Serve two profiles; give their endpoint files."""
        with self.serving("a", 1, **reference) as one, self.serving("b", 2, **candidate) as other:
            yield (
                endpoint_file(self.folder, "a", one.base_url),
                endpoint_file(self.folder, "b", other.base_url),
            )

    def bench(self, *words: str) -> Outcome:
        """Run a command with the folder's results and reports; a crash of ours fails the test."""
        known = set((self.folder / "results").glob("*"))
        output = ["--reports", str(self.folder / "reports"), "--json"]
        if words[0] != "report":
            output += ["--out", str(self.folder / "results")]
        shown = CliRunner().invoke(main, [*words, *output])
        assert shown.exit_code in {0, 1, 3, 4}, shown.output
        runs = set((self.folder / "results").glob("*")) - known
        return Outcome(
            exit_code=shown.exit_code,
            output=shown.output,
            summary=json.loads(shown.stdout.splitlines()[-1]),
            run=runs.pop() if runs else Path(words[1]),
            report=max(_reports(self.folder / "reports"), key=lambda file: file.stat().st_mtime_ns),
        )

    def compare(self, reference: Path | str, candidate: Path | str, *more: str) -> Outcome:
        """Run `bench compare` on the small golden set, or on what a recorded run holds."""
        is_live = Path(reference).suffix == Path(candidate).suffix == ".yml"
        golden = ["--golden", str(self.golden)] if is_live else []
        return self.bench("compare", str(reference), str(candidate), *golden, *more)


def _reports(folder: Path) -> list[Path]:
    """Give the pages of reports; a memo lies beside each."""
    return [file for file in folder.glob("*.html") if not file.name.endswith(".memo.html")]
