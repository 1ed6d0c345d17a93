"""The composed request is the application's, and keys stay inside it."""

import base64
import json
import traceback
from typing import Any

import httpx2
import openai
import pytest

from harness.errors import ConfigError
from harness.measure.body import request_body
from harness.measure.compose import ComposedRequest, Composer
from harness.model.endpoint import Endpoint, Params
from harness.model.golden import Prompt
from tests.measure.prompts import a_prompt, an_endpoint

CANARY = 'sk-canary/"0123456789'
ENVIRON = {"BENCH_KEY": CANARY, "TENANT": "tenant-canary", "SHORT": "EMPTY"}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def composed(endpoint: Endpoint, prompt: Prompt | None = None) -> ComposedRequest:
    return Composer(endpoint, ENVIRON).compose(prompt or a_prompt(temperature=0))


def headers_of(request: ComposedRequest) -> dict[str, str]:
    head = request.head.decode().removesuffix("\r\n\r\n")
    lines = head.split("\r\n")[1:]
    names = [line.partition(": ")[0].lower() for line in lines]
    assert len(set(names)) == len(names)
    return {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}


def application_body(create: dict[str, Any]) -> bytes:
    """What an application on the SDK sends."""
    sent: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.read())
        return httpx2.Response(200, headers={"content-type": "text/event-stream"})

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        client = openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=http, max_retries=0)
        client.chat.completions.create(**create).close()
    return sent[0]


@pytest.mark.parametrize(
    ("endpoint", "prompt", "create"),
    [
        (
            an_endpoint(),
            a_prompt(temperature=0, max_tokens=5, tools=TOOLS, tool_choice="auto"),
            {"temperature": 0, "max_tokens": 5, "tools": TOOLS, "tool_choice": "auto"},
        ),
        (
            an_endpoint(extra_body={"top_k": 3, "temperature": 0.5}),
            a_prompt(seed=1, stop=["ä", "\u2028"]),
            {"seed": 1, "stop": ["ä", "\u2028"], "extra_body": {"top_k": 3, "temperature": 0.5}},
        ),
        (
            an_endpoint(params=Params(add={"min_p": 0.1})),
            a_prompt(logprobs=None),
            {"logprobs": None, "extra_body": {"min_p": 0.1}},
        ),
    ],
)
def test_the_body_is_byte_for_byte_what_the_application_would_send(
    endpoint: Endpoint, prompt: Prompt, create: dict[str, Any]
) -> None:
    plain = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}
    request = composed(endpoint, prompt)
    assert request.body == application_body(plain | {"messages": prompt.request["messages"]} | create)
    assert json.loads(request.body) == request_body(prompt, endpoint)


def test_the_head_is_the_sdks_with_identity_and_keep_alive() -> None:
    request = composed(an_endpoint(api_key="${BENCH_KEY}"))
    assert request.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    headers = headers_of(request)
    assert headers["host"] == "127.0.0.1:9"
    assert headers["authorization"] == f"Bearer {CANARY}"
    assert headers["accept-encoding"] == "identity"
    assert headers["connection"] == "keep-alive"
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(request.body))
    assert headers["user-agent"].startswith("OpenAI/Python 3.")
    assert headers["x-stainless-retry-count"] == "0"
    assert (request.scheme, request.host, request.port) == ("http", "127.0.0.1", 9)
    assert request.n_bytes == len(request.head) + len(request.body)


def test_without_a_key_no_authorization_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    request = composed(an_endpoint())
    assert "authorization" not in headers_of(request)
    assert b"canary" not in request.head


def test_what_the_environment_holds_for_openai_goes_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Ambient: canary\nAuthorization: Bearer canary")
    environ = ENVIRON | {"OPENAI_CUSTOM_HEADERS": "X-Ambient: canary\nAuthorization: Bearer canary"}
    for endpoint in (an_endpoint(), an_endpoint(headers={"x-own": "1"})):
        request = Composer(endpoint, environ).compose(a_prompt())
        assert b"canary" not in request.head
    keyed = headers_of(Composer(an_endpoint(api_key="${BENCH_KEY}"), environ).compose(a_prompt()))
    assert keyed["authorization"] == f"Bearer {CANARY}"


def test_an_azure_style_endpoint_keeps_its_query_and_its_own_header() -> None:
    endpoint = an_endpoint(
        base_url="https://res.example/openai/deployments/d?api-version=2024-10-21", headers={"api-key": "${BENCH_KEY}"}
    )
    request = composed(endpoint)
    assert request.target == "/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert (request.scheme, request.host, request.port) == ("https", "res.example", 443)
    headers = headers_of(request)
    assert headers["api-key"] == CANARY
    assert headers["host"] == "res.example"
    assert "authorization" not in headers


def test_references_inside_a_header_are_put_in() -> None:
    headers = headers_of(
        composed(an_endpoint(headers={"X-Tenant": "a ${TENANT} b ${SHORT}", "Authorization": "Key ${TENANT}"}))
    )
    assert headers["x-tenant"] == "a tenant-canary b EMPTY"
    assert headers["authorization"] == "Key tenant-canary"


def test_an_ipv6_host_is_kept_in_brackets_where_http_wants_them() -> None:
    request = composed(an_endpoint(base_url="http://[::1]:8000/v1"))
    assert (request.host, request.port) == ("::1", 8000)
    assert headers_of(request)["host"] == "[::1]:8000"


def test_the_digest_leaves_credentials_out_and_takes_the_rest_in() -> None:
    bare = composed(an_endpoint())
    assert composed(an_endpoint(api_key="${BENCH_KEY}", headers={"X-T": "${TENANT}"})).sha256 == bare.sha256
    assert composed(an_endpoint(), a_prompt(temperature=1)).sha256 != bare.sha256
    assert composed(an_endpoint(base_url="http://127.0.0.1:9/v2")).sha256 != bare.sha256
    assert composed(an_endpoint(base_url="http://127.0.0.1:9/v1?a=1")).sha256 != bare.sha256


def test_requests_of_one_composer_do_not_mix() -> None:
    composer = Composer(an_endpoint(), ENVIRON)
    first, second = composer.compose(a_prompt(seed=1)), composer.compose(a_prompt(seed=2))
    assert json.loads(first.body)["seed"] == 1
    assert json.loads(second.body)["seed"] == 2


def test_no_repr_shows_a_header() -> None:
    composer = Composer(an_endpoint(api_key="${BENCH_KEY}", headers={"X-T": "${TENANT}"}), ENVIRON)
    request = composer.compose(a_prompt())
    for shown in (repr(composer), repr(request), str(request)):
        assert "canary" not in shown


def test_secrets_come_in_every_form_that_a_server_may_echo() -> None:
    secrets = Composer(an_endpoint(api_key="${BENCH_KEY}", headers={"X-T": "${TENANT}"}), ENVIRON).secrets
    for form in (
        CANARY,
        'sk-canary/\\"0123456789',
        'sk-canary\\/\\"0123456789',
        "sk-canary%2F%220123456789",
        "sk-canary/&quot;0123456789",
        base64.b64encode(CANARY.encode()).decode().rstrip("="),
        "tenant-canary",
    ):
        assert form.encode() in secrets


def test_a_placeholder_key_is_no_secret() -> None:
    assert Composer(an_endpoint(api_key="${SHORT}"), ENVIRON).secrets == ()


@pytest.mark.parametrize(
    ("given", "environ", "word"),
    [
        ({"api_key": "${MISSING}"}, {}, "MISSING is not set"),
        ({"api_key": "${K}"}, {"K": ""}, "K is empty"),
        ({"api_key": "${K}"}, {"K": "sk-canary\n"}, "K holds a line break"),
        ({"api_key": "${K}"}, {"K": "sk-\x00canary"}, "K holds a line break"),
        ({"api_key": "${K}"}, {"K": " sk-canary"}, "a blank at an end"),
        ({"api_key": "${K}"}, {"K": "sk-canäry"}, "K holds"),
        ({"headers": {"X-A": "${K}"}}, {}, "e: headers.X-A: environment variable K is not set"),
        ({"headers": {"X-A": "${K-B}"}}, {}, "not of the form"),
        ({"headers": {"X A": "b"}}, {}, "no header name"),
        ({"headers": {"X-A": "b\r\nX-B: c"}}, {}, "no header may hold"),
        ({"headers": {"X-A": "b", "x-a": "c"}}, {}, "given twice"),
        ({"headers": {"Accept-Encoding": "gzip"}}, {}, "set by the harness"),
        ({"headers": {"Authorization": "x"}, "api_key": "${K}"}, {"K": "sk-canary"}, "both give an Authorization"),
        ({"base_url": "http://x/v1?a=1&a=2"}, {}, "repeats a query parameter"),
        ({"base_url": "http://x/v1"}, {"HTTP_PROXY": "socks5://u:canary@p"}, "HTTP_PROXY"),
    ],
)
def test_a_mistake_of_the_user_is_named_without_its_value(
    given: dict[str, Any], environ: dict[str, str], word: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        Composer(an_endpoint(**given), environ)
    assert word in str(refused.value)
    assert "canary" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, "\ud800"])
def test_a_value_that_json_cannot_hold_is_refused_by_prompt(value: Any) -> None:
    composer = Composer(an_endpoint(api_key="${BENCH_KEY}", extra_body={"x": value}), ENVIRON)
    with pytest.raises(ConfigError, match="prompt 'p' cannot be composed") as refused:
        composer.compose(a_prompt())
    assert "canary" not in "".join(traceback.format_exception(refused.value))
