"""The environment's proxy is the way to the endpoint in every process that measures; its password is a key."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from tests.cli.files import endpoint_file, exact_repeats, golden_file
from tests.cli.test_secrets import Echo

PASSWORD = "canary-word-0123456789"  # a made-up one
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()


@pytest.fixture
def proxy() -> Iterator[Echo]:
    server = Echo()  # repeats the request, credentials and all
    yield server
    server.close()


@pytest.mark.parametrize("more_words", [(), ("--workers", "2")])
def test_requests_go_through_the_proxy_and_its_password_stays_in_no_file(
    more_words: tuple[str, ...], proxy: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.base_url.replace("://", f"://me:{PASSWORD}@").removesuffix("/v1"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    file = endpoint_file(tmp_path, "behind", "http://llm.test/v1")  # a name that nobody could look up
    words = ["run", str(file), "--golden", str(golden_file(tmp_path)), "--settings", str(exact_repeats(tmp_path))]
    words += ["--repeats", "4", "--out", str(tmp_path / "results"), "--reports", str(tmp_path / "reports")]
    shown = CliRunner().invoke(main, [*words, *more_words])
    assert shown.exit_code in {0, 3}, shown.output
    assert len(proxy.heard) == 4 + 2
    for head in proxy.heard:
        assert head.startswith("POST http://llm.test:80/v1/chat/completions HTTP/1.1\r\n")
        assert f"\r\nProxy-Authorization: Basic {BASIC}\r\n" in head
        assert "\r\nHost: llm.test\r\n" in head
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    for secret in (PASSWORD, BASIC):
        assert secret not in shown.output
        assert not any(secret.encode() in content for content in written)
