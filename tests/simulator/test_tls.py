"""A profile's certificate: served, or named before anything is served."""

import ssl
from pathlib import Path

import pytest
import trustme

from harness.errors import ConfigError
from harness.simulator.process import running_simulator
from tests.simulator.client import chat, connect, http


def test_a_simulator_speaks_tls_with_the_certificate_of_its_profile(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "chain.pem"))
    profile = tmp_path / "secure.yml"
    profile.write_text(f"name: secure\ntls: {{certificate: {tmp_path / 'chain.pem'}}}\n")
    context = ssl.create_default_context()
    ca.configure_trust(context)
    with running_simulator(profile) as running:
        assert running.base_url == f"https://127.0.0.1:{running.port}/v1"
        with connect(running.port) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as secure:
            secure.sendall(http("POST", "/v1/chat/completions", chat("Hello", stream=False), Connection="close"))
            assert secure.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_certificate_that_cannot_be_used_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "chain.pem"
    if content is not None:
        file.write_bytes(content)
    profile = tmp_path / "secure.yml"
    profile.write_text(f"name: secure\ntls: {{certificate: {file}}}\n")
    with pytest.raises(ConfigError, match=r"chain\.pem cannot be used") as caught, running_simulator(profile):
        pass
    assert caught.value.where == f"{profile} (tls.certificate)"
