"""Files that a user writes: what is read, and what each mistake says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.endpointfile import endpoint_schema, load_endpoint
from harness.model.goldenfile import load_golden_set
from harness.model.settingsfile import load_settings
from harness.model.yamlfile import read_yaml

MINIMAL = "name: a\nbase_url: http://127.0.0.1:9/v1\nmodel: m\n"
BILLION_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
BILLION_MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def written(folder: Path, text: str) -> Path:
    file = folder / "file.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_minimal_endpoint_file_gets_defaults(tmp_path: Path) -> None:
    endpoint = load_endpoint(written(tmp_path, MINIMAL))
    assert endpoint == Endpoint(name="a", base_url="http://127.0.0.1:9/v1", model="m")
    assert endpoint.limits.concurrency == 4


@pytest.mark.parametrize(
    "text",
    [
        "- name: x\n  api_key: sk-abcdefghijklmnopqrstuvwxyz0123456789\n",
        MINIMAL + "limits: {api_key: sk-abcdefghijklmnopqrstuvwxyz0123456789}\n",
        MINIMAL + "limits: sk-abcdefghijklmnopqrstuvwxyz0123456789\n",
        MINIMAL + "timeouts:\n  idle_s: [sk-abcdefghijklmnopqrstuvwxyz0123456789]\n",
    ],
)
def test_a_key_at_the_wrong_place_is_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_endpoint(written(tmp_path, text))
    assert "abcdefghij" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "line", "words"),
    [
        ("limits:\n  concurency: 3\n", 5, ("concurency", "Did you mean 'concurrency'?")),
        ("limits:\n  concurrency: three\n", 5, ("limits.concurrency", "'three'", "int")),
        ("limits:\n  concurrency: 0\n", 5, ("limits.concurrency", "(found 0)")),
        ("api_key: sk-literal\n", 4, ("api_key", "environment variable", "${NAME_OF_VARIABLE}")),
        ("api_key: {command: [false]}\n", 4, ("api_key.command[0]", "expected a text, found true or false", '"false"')),
        ("api_key: {command: echo}\n", 4, ("expected a list, each item a text, found a text",)),
        ("headers:\n  Authorization: Bearer abc\n", 5, ("Authorization", "environment variable")),
        ("params:\n  add: {model: other}\n", 5, ("params.add", "'model'")),
        ("extra_body: {stream: true}\n", 4, ("extra_body", "'stream'")),
        ("tls: {ca_file: /nowhere.pem}\n", 4, ("no such file: /nowhere.pem",)),
        ("name: b\n", 4, ("'name' is given twice",)),
        ("labels: [\n", 5, ("not valid YAML",)),
        ("timeouts: {idle_s: -1}\n", 4, ("idle_s", "(found -1)")),
        ("timeouts: {idle_s: .inf}\n", 4, (".inf is not a finite number",)),
        ("timeouts:\n  idle_s: .nan\n", 5, (".nan is not a finite number",)),
        ("zzz: 1\n", 4, ("'zzz'", "`bench schema endpoint` prints")),
        ("stream_usage: maybe\n", 4, ("stream_usage", "(found 'maybe')", "`bench schema endpoint` prints")),
        ("labels:\n  other: {a: 1}\n", 5, ("labels.other", "expected a text", "(found a mapping)")),
        ("prices: {input_per_mtok: 1}\n", 4, ("prices", "output_per_mtok")),
        ("limits: 3\n", 4, ("limits", "a mapping with the keys concurrency", "(found 3)")),
        ("tls: {client_key: README.md}\n", 4, ("client_key without client_cert", "Give both")),
        ("headers:\n  X-A: b\n  X-A: c\n", 6, ("'X-A' is given twice", "Keep one of them")),
        ("extra_body: &x {a: *x}\n", 4, ("nested deeper than 100", "without aliases")),
        ("extra_body:\n  key: sk-abcdefghijklmnopqrstuv\n", 5, ("looks like a key", "${NAME}")),
        ("labels:\n  tier: gsk_abcdefghijklmnopqrstuvwx\n", 5, ("looks like a key", "${NAME}")),
        ("extra_body:\n  a: [{b: hf_abcdefghijklmnopqrstuvwx}]\n", 5, ("looks like a key", "${NAME}")),
        ("headers:\n  X-Auth-Token: a\n", 5, ("'X-Auth-Token' holds a key", "${NAME}")),
        ("headers:\n  CF-Access-Client-Secret: a\n", 5, ("'CF-Access-Client-Secret' holds a key", "${NAME}")),
        ("headers:\n  Cookie: a=b\n", 5, ("'Cookie' holds a key", "${NAME}")),
    ],
)
def test_a_mistake_names_line_thing_and_remedy(tmp_path: Path, more: str, line: int, words: tuple[str, ...]) -> None:
    file = written(tmp_path, MINIMAL + more)
    with pytest.raises(ConfigError) as caught:
        load_endpoint(file)
    message = str(caught.value)
    assert f"{file}:{line}" in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("secret", ["sk-canary-123", "Bearer sk-canary-123"])
@pytest.mark.parametrize("where", ["api_key: {}", "headers: {{Authorization: '{}'}}", "headers: {{X-Api-Key: '{}'}}"])
def test_a_literal_key_is_refused_and_never_repeated(tmp_path: Path, where: str, secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_endpoint(written(tmp_path, MINIMAL + where.format(secret) + "\n"))
    assert "sk-canary-123" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://user:pw@host/v1", "credentials"),
        ("https:///v1", "host"),
        ("ftp://host/v1", "base_url"),
        ("http://host:99999/v1", "port"),
        ("http://host/v1/chat/completions", "/v1"),
        ("http://host/v1/chat/completions/", "/v1"),
        ("http://[::1/v1", "no valid host or port"),
        ("http://ho st/v1", "white space"),
        ('"http://host/v1\\n"', "white space"),
        ("http://user@host/v1", "credentials"),
        ("user:pw@host/v1", "base_url"),
        ("https://host/v1?api-version=1&api-key=pw", "key in its query .api-key."),
        ("https://host/v1?key=pw", "key in its query"),
        ("https://host/v1?access_token=pw", "key in its query"),
        ("ftp://host/v1?key=pw", "base_url"),
    ],
)
def test_a_wrong_base_url_is_refused_with_its_line_and_a_remedy(tmp_path: Path, url: str, word: str) -> None:
    file = written(tmp_path, f"name: a\nbase_url: {url}\nmodel: m\n")
    with pytest.raises(ConfigError, match=word) as caught:
        load_endpoint(file)
    assert str(caught.value.where).startswith(f"{file}:2 ")
    assert caught.value.remedy
    assert "pw" not in str(caught.value)


def test_a_right_base_url_of_any_form_is_taken(tmp_path: Path) -> None:
    for url in (
        "http://127.0.0.1:8000/v1",
        "http://[::1]:8000/v1",
        "https://host.example",
        "https://host/a@b/v1/",
        "https://host/v1?api-version=2",
    ):
        file = written(tmp_path, f"name: a\nbase_url: '{url}'\nmodel: m\n")
        assert load_endpoint(file).base_url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        BILLION_LAUGHS,
        BILLION_MERGES,
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a\n  <<: *a\n",
        "\x00",
        "- 1\n- 2\n",
        "? [a]\n: b\n",
        "a: !!python/object:os.system x\n",
        "a: *nowhere\n",
        "--- 1\n--- 2\n",
        "a: 0x\nb: 1" + "0" * 5000 + "\n",
    ],
)
def test_a_hostile_file_ends_in_one_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_endpoint(written(tmp_path, text))
    assert str(tmp_path) in str(caught.value)


@given(text=st.text(max_size=200))
def test_any_text_loads_or_is_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "f.yml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass" if not text.isprintable() else "strict")
    refused = None
    try:
        read_yaml(file)
    except ConfigError as error:
        refused = error
    assert refused is None or str(file) in str(refused)


def test_a_missing_file_names_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yml: cannot be read"):
        load_endpoint(tmp_path / "nowhere.yml")


def test_a_header_that_is_no_credential_may_be_written_out(tmp_path: Path) -> None:
    headers = {"X-Team": "search", "Idempotency-Key": "1", "X-Token": "${TOKEN}", "HTTP-Referer": "https://a.example"}
    lines = "".join(f"  {name}: '{value}'\n" for name, value in headers.items())
    assert load_endpoint(written(tmp_path, f"{MINIMAL}headers:\n{lines}")).headers == headers


def test_a_date_stays_text(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL.replace("model: m", "model: 2026-01-01"))
    assert load_endpoint(file).model == "2026-01-01"


def test_the_schema_describes_every_field() -> None:
    definitions = endpoint_schema()["$defs"]
    undescribed = [
        f"{name}.{field}"
        for name, part in definitions.items()
        for field, found in part["properties"].items()
        if not (found.get("description") or any(option.get("description") for option in found.get("anyOf", ())))
    ]
    assert len(definitions) >= 8
    assert undescribed == []


def test_a_margin_on_the_wrong_side_of_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="decode_p50 is a ratio below 1"):
        load_settings(written(tmp_path, "verdict: {decode_p50: {margin: 1.2}}\n"))
    with pytest.raises(ConfigError, match="ttft_p95 is a ratio above 1"):
        load_settings(written(tmp_path, "verdict: {ttft_p95: {margin: 0.9}}\n"))


GOLDEN = """
name: g
defaults: {request: {temperature: 0, max_tokens: 10}}
prompts:
  - id: one
    category: c
    intent: i
    request: {messages: [{role: user, content: hi}], max_tokens: 20}
    checks: [{contains: x}, {not-contains: y}, {number-equals: {value: 1}}]
"""


def test_defaults_are_merged_and_checks_parsed(tmp_path: Path) -> None:
    prompt = load_golden_set(written(tmp_path, GOLDEN)).prompts[0]
    assert prompt.request["temperature"] == 0
    assert prompt.request["max_tokens"] == 20
    assert [(check.kind, check.negated) for check in prompt.checks] == [
        ("contains", False),
        ("contains", True),
        ("number_equals", False),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{contains: x}", "{contans: x}", ("unknown check 'contans'", "contains")),
        ("{contains: x}", "{contains: x, regex: y}", ("one key",)),
        ("max_tokens: 20", "model: gpt", ("'model'", "endpoint file")),
        ("messages: [{role: user, content: hi}], ", "", ("no messages",)),
        ("intent: i", "intnt: i", ("intnt", "intent")),
        ("id: one", "id: 'Not An Id'", ("prompts[0].id",)),
    ],
)
def test_a_mistake_in_a_golden_set_names_prompt_and_remedy(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    assert old in GOLDEN
    with pytest.raises(ConfigError) as caught:
        load_golden_set(written(tmp_path, GOLDEN.replace(old, new)))
    assert [word for word in words if word not in str(caught.value)] == []


def test_two_prompts_of_one_id_are_refused(tmp_path: Path) -> None:
    twice = GOLDEN + GOLDEN.partition("prompts:\n")[2]
    with pytest.raises(ConfigError, match="'one' is given twice"):
        load_golden_set(written(tmp_path, twice))


def test_the_digest_moves_with_what_is_sent_or_judged_but_not_with_examples(tmp_path: Path) -> None:
    base = load_golden_set(written(tmp_path, GOLDEN)).sha256
    example = GOLDEN.replace("    intent: i\n", "    intent: i\n    example: {text: x}\n")
    assert load_golden_set(written(tmp_path, example)).sha256 == base
    assert load_golden_set(written(tmp_path, GOLDEN.replace("content: hi", "content: ho"))).sha256 != base
    assert load_golden_set(written(tmp_path, GOLDEN.replace("{contains: x}", "{contains: z}"))).sha256 != base
