"""The README of a run folder that stands alone."""

from collections.abc import Iterator

import msgspec

from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.keptrun import GOLDEN, PROBES, RECORD, KeptRun
from harness.model.record import RunHeader
from harness.model.storage import ATTEMPTS, HEADER, STREAMS
from harness.model.vantage import vantage_of
from harness.report.format import moment, plural
from harness.report.untrusted import one_line

_FILES = {
    HEADER: "plan, golden set, endpoint as configured (its key is a reference to a variable), machine, versions",
    ATTEMPTS: "every request: instants, status, headers",
    STREAMS: "every byte that came back",
    GOLDEN: "the golden set as a file, to be used for other runs",
    RECORD: "digests of these files, labels and note",
}


def kept_readme(header: RunHeader, endpoint: Endpoint, golden: GoldenSet, kept: KeptRun) -> str:
    """Write it: what was measured, how to compare with it, what is in the folder."""
    return "\n".join((*_head(header, endpoint, golden, kept), *_use(header), *_files(kept))) + "\n"


def _head(header: RunHeader, endpoint: Endpoint, golden: GoldenSet, kept: KeptRun) -> Iterator[str]:
    yield f"# {one_line(endpoint.name)}: {one_line(endpoint.model)}, recorded {header.started_at[:10]}"
    yield ""
    if kept.note:
        yield one_line(kept.note, 2_000)
        yield ""
    yield "| | |"
    yield "|---|---|"
    for name, value in _facts(header, endpoint, golden, kept):
        yield f"| {name} | {value} |"
    yield ""


def _facts(header: RunHeader, endpoint: Endpoint, golden: GoldenSet, kept: KeptRun) -> Iterator[tuple[str, str]]:
    versions = header.provenance.get("packages") or {}
    labels = msgspec.to_builtins(endpoint.labels)
    yield "run", f"`{header.run_id}`"
    yield "measured", f"{moment(header.started_at)} to {moment(header.ended_at or header.started_at)}"
    yield "model", _cell(endpoint.model)
    yield "golden set", f"{_cell(golden.name)}, {plural(len(golden.prompts), 'prompt')}, `{golden.sha256}`"
    yield "plan", f"`{header.plan_sha256}`, seed {header.plan.seed}"
    yield "measured with", _cell(f"bench {versions.get('bench-harness')}, definitions {header.plan.estimators}")
    yield (
        "measured from",
        _cell(", ".join(f"{name} {value}" for name, value in vantage_of(header).items()) or "unknown"),
    )
    if labels:
        yield "the endpoint", _cell(", ".join(f"{name}: {value}" for name, value in labels.items()))
    if kept.labels:
        yield "labels", _cell(", ".join(kept.labels))


def _cell(text: str) -> str:
    return one_line(text, 400).replace("|", "\\|")


def _use(header: RunHeader) -> Iterator[str]:
    yield "## Comparing with it"
    yield ""
    yield "Copy the whole folder. With bench installed, on any machine and at any time:"
    yield ""
    yield "```sh"
    yield f"bench compare {header.run_id} b.yml"
    yield "```"
    yield ""
    yield "`b.yml` is the endpoint file of the candidate; the golden set and the repeats come from this run. Answers,"
    yield "tool calls and failures are judged. Timings are shown and do not decide: they were measured at another time,"
    yield "maybe from another place. `--recorded-timings` lets them decide."
    yield ""


def _files(kept: KeptRun) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield "| file | holds | SHA-256 |"
    yield "|---|---|---|"
    for name, told in _FILES.items():
        digest = kept.files.get(name)
        yield f"| `{name}` | {told} | {f'`{digest}`' if digest else ''} |"
    yield "| `records.jsonl`, `verdict.json`, `looks.jsonl` | what was derived, and which verdicts stood on it | |"
    if kept.probes:
        yield f"| `{PROBES}/` | what the endpoint did with each feature: {', '.join(kept.probes)} | |"
    yield ""
    yield "Prompts and answers are in these files as they were: treat the folder as you would treat them."
