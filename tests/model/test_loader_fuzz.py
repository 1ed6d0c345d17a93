"""Whatever stands in a file that bench reads, it loads, or one error names the file: never a traceback."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.decode.record import decode_attempt
from harness.errors import ConfigError
from harness.model.endpointfile import load_endpoint
from harness.model.foreign.formats import Format, detect_format, read_foreign
from harness.model.goldenfile import load_golden_set
from harness.model.looks import read_looks
from harness.model.record import Arm, ArmHeader, Reads
from harness.model.settingsfile import load_settings
from harness.model.storage import RunWriter, load_run
from harness.simulator.profilefile import load_profile
from tests.model.runs import a_header, an_attempt
from tests.model.strategies import json_values

ROOT = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "data"
ENDPOINT = """\
name: a
base_url: https://a.example/v1?api-version=2
model: m
api_key: {command: [pass, show, llm]}
sampling: {temperature: 0, seed: 7}
params: {rename: {max_tokens: max_completion_tokens}, drop: [stop], add: {reasoning_effort: low}}
headers: {X-Team: "${TEAM}"}
extra_body: {top_k: 1}
limits: {concurrency: 4, requests_per_minute: 60}
timeouts: {connect_s: 3, first_output_s: 660, idle_s: 30, total_s: 700}
prices: {input_per_mtok: 1, output_per_mtok: 2.5}
labels: {hardware: 2x H100, other: {rack: "7"}}
tls: {verify: false}
cold: {scales_to_zero: true, idle_after_s: 60, budget_s: 90, cap_s: 600}
"""
GOLDEN = """\
name: g
version: "2"
defaults: {request: {temperature: 0}}
prompts:
  - id: one
    category: facts
    intent: A fact.
    request:
      messages: [{role: user, content: "Capital of Czechia?"}]
      tools: [{type: function, function: {name: f, parameters: {type: object}}}]
    checks: [{contains: Prague}, {not-contains: Brno}, {json_path: {path: $.a, equals: 1}}]
    tool_results: {f: {"x": 1}}
    final: [{contains: x}]
    repeats: 3
    measure: {decode: true}
    tags: [a]
    example: {text: It is Prague.}
"""
SETTINGS = (ROOT / "examples" / "settings.yml").read_text(encoding="utf-8")
PROFILE = "name: p\nttft: {shape: constant, ms: 5}\nfaults: [{fault: http_500, rate: 0.1}]\ncold: {wake_s: 3}\n"
YAML_FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "endpoint": (ENDPOINT, load_endpoint),
    "settings": (SETTINGS, load_settings),
    "golden": (GOLDEN, load_golden_set),
    "profile": (PROFILE, load_profile),
}
BRIEFLY = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
BYTES = st.binary(max_size=12) | st.sampled_from(
    [b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\t", b"&a", b"*a", b"<<: *a"]
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """List the path of every value inside."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *rest) for key, child in children for rest in places(child))]


def with_junk(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    changed = copy.copy(value)
    changed[path[0]] = with_junk(value[path[0]], path[1:], junk)
    return changed


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Replace, drop, double or cut some bytes, up to three times."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        new = draw(st.sampled_from([b"", content[start:end] * 2]) | BYTES)
        content = content[:start] + new + (b"" if draw(st.integers(0, 9)) == 0 else content[end:])
    return content


def assert_loads_or_names(file: Path, load: Callable[[Path], object]) -> None:
    refused = None
    try:
        load(file)
    except ConfigError as error:
        refused = error
    assert refused is None or str(file.parent) in str(refused)
    assert refused is None or len(str(refused)) < 2000


@pytest.mark.parametrize("kind", YAML_FILES)
@given(data=st.data(), junk=json_values)
@BRIEFLY
def test_junk_in_the_place_of_any_value(
    kind: str, data: st.DataObject, junk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text, load = YAML_FILES[kind]
    value = yaml.safe_load(text)
    path = data.draw(st.sampled_from(places(value)))
    file = tmp_path_factory.mktemp("junk") / "f.yml"
    file.write_text(yaml.safe_dump(with_junk(value, path, junk), allow_unicode=True), encoding="utf-8")
    assert_loads_or_names(file, load)


@pytest.mark.parametrize("kind", YAML_FILES)
@given(data=st.data())
@BRIEFLY
def test_damaged_bytes_of_a_file_that_a_user_writes(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text, load = YAML_FILES[kind]
    file = tmp_path_factory.mktemp("bytes") / "f.yml"
    file.write_bytes(data.draw(damaged(text.encode())))
    assert_loads_or_names(file, load)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("batch.jsonl", Format.BATCH),
        ("k2.jsonl", Format.BODIES),
        ("finetune.jsonl", Format.FINETUNE),
        ("sharegpt.json", Format.SHAREGPT),
        ("promptfooconfig.yaml", Format.PROMPTFOO),
    ],
)
@given(data=st.data())
@BRIEFLY
def test_damaged_bytes_of_a_foreign_file(
    name: str, kind: Format, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("foreign") / name
    file.write_bytes(data.draw(damaged((FOREIGN / name).read_bytes())))
    assert_loads_or_names(file, lambda path: list(read_foreign(path, kind)))
    assert_loads_or_names(file, detect_format)


WIRE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'3d\r\ndata: {"choices":[{"index":0,"delta":{"content":"Prague"}}]}\n\n\r\n0\r\n\r\n'
)


def a_folder(folder: Path) -> Path:
    """Write a run of three attempts with their bytes."""
    arm = ArmHeader(arm=Arm.REFERENCE, endpoint={"name": "a", "model": "m", "base_url": "http://a.example/v1"})
    with RunWriter(folder / "run", a_header(arms=(arm,))) as writer:
        for repeat in range(3):
            reads = Reads(at_ns=(5, 7), seen_at_ns=(6, 8), n_bytes=(80, len(WIRE) - 80), source="kk")
            writer.append(an_attempt(repeat, reads=reads), WIRE)
    return folder / "run"


def read_all(folder: Path) -> None:
    """Read and decode whatever is whole."""
    run = load_run(folder)
    read_looks(folder)
    for attempt in run.attempts:
        decode_attempt(attempt, run.wire(attempt), model_asked="m")


@pytest.mark.parametrize("name", ["run.json", "attempts.jsonl", "streams.bin", "looks.jsonl"])
@given(data=st.data())
@BRIEFLY
def test_damaged_bytes_of_a_recorded_run(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = a_folder(tmp_path_factory.mktemp("run"))
    file = folder / name
    whole = file.read_bytes() if file.exists() else b'{"at":"2026","n_attempts":3,"verdict":"PASS"}\n'
    file.write_bytes(data.draw(damaged(whole)))
    assert_loads_or_names(file, lambda path: read_all(path.parent))


@given(data=st.data(), junk=json_values)
@BRIEFLY
@pytest.mark.parametrize("name", ["run.json", "attempts.jsonl"])
def test_junk_in_the_place_of_any_recorded_value(
    name: str, data: st.DataObject, junk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = a_folder(tmp_path_factory.mktemp("run"))
    file = folder / name
    first, *rest = [file.read_text()] if name == "run.json" else file.read_text().splitlines(keepends=True)
    value = json.loads(first)
    path = data.draw(st.sampled_from(places(value)))
    file.write_text("".join([json.dumps(with_junk(value, path, junk)), "\n", *rest]), encoding="utf-8")
    assert_loads_or_names(file, lambda changed: read_all(changed.parent))
