"""Which proxy counts, and requests through one."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator

import pytest

from harness.errors import ConfigError
from harness.measure.wire.exchange import Exchange
from harness.measure.wire.proxy import proxy_for
from harness.model.endpoint import Tls
from harness.model.record import FailureKind
from tests.measure.wire.builders import CHUNKED_HEAD, PATIENT, WHOLE, a_player, a_request, an_endpoint, chunk, exchanged
from tests.measure.wire.certificates import Certificates
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import Caller, Server, answering, serving
from tests.measure.wire.test_address import a_closed_port

PASSWORD = "canary-pässword/1"
QUOTED = "user:canary-p%C3%A4ssword%2F1@"
BASIC = base64.b64encode(f"user:{PASSWORD}".encode())
UNPARSED = ("http://user:canary@[zz]:1", "http://user:canary@ho\u2100st:1", "http://us\u2100er:canary@host:1")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, ("proxy", 3128)),
        ({"https_proxy": "http://lower", "HTTPS_PROXY": "http://upper"}, ("lower", 80)),
        ({"HTTP_PROXY": "http://other:1"}, None),
        ({"ALL_PROXY": "proxy:8080"}, ("proxy", 8080)),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, ("::1", 3128)),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".example.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "ample.com"}, ("proxy", 3128)),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "a, *"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "api.example.com:443"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "api.example.com:80"}, ("proxy", 3128)),
        ({"HTTPS_PROXY": "socks5://proxy:1", "NO_PROXY": "example.com"}, None),
    ],
)
def test_the_environment_names_the_proxy(environ: dict[str, str], expected: tuple[str, int] | None) -> None:
    proxy = proxy_for("https", "api.example.com", None, environ)
    assert (None if proxy is None else (proxy.host, proxy.port)) == expected


@pytest.mark.parametrize("host", ["10.1.2.3", "::1"])
def test_networks_may_be_exempt(host: str) -> None:
    assert proxy_for("http", host, 80, {"HTTP_PROXY": "http://proxy", "NO_PROXY": "10.0.0.0/8,::1/128"}) is None


@pytest.mark.parametrize(
    "url", ["socks5://user:canary@proxy:1080", "https://proxy", "http://", "http://proxy:x", *UNPARSED]
)
def test_a_proxy_that_cannot_be_used_is_refused_by_the_name_of_its_variable(url: str) -> None:
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as refused:
        proxy_for("https", "api.example.com", None, {"HTTPS_PROXY": url})
    assert "canary" not in str(refused.value)


def test_credentials_are_secrets_and_never_shown() -> None:
    proxy = proxy_for("http", "x", 80, {"http_proxy": f"http://{QUOTED}proxy"})
    assert proxy is not None
    assert proxy.authorization == f"Basic {BASIC.decode()}"
    assert BASIC in proxy.secrets
    assert PASSWORD.encode() in proxy.secrets
    assert "canary" not in repr(proxy)
    assert BASIC.decode() not in repr(proxy)


def test_a_plain_request_goes_to_the_proxy_in_absolute_form(run: Run) -> None:
    async def main() -> None:
        got = []

        async def script(caller: Caller) -> None:
            while request := await caller.request():
                got.append(request)
                await caller.send(CHUNKED_HEAD, chunk(b"data: seen " + BASIC + b"\n\n") + b"0\r\n\r\n")

        async with serving(script) as server:
            environ = {"HTTP_PROXY": f"http://{QUOTED}127.0.0.1:{server.port}"}
            player = a_player(an_endpoint(81, host="llm.test"), environ=environ)
            exchanges = [await exchanged(player, a_request(81, host="llm.test"), PATIENT) for _ in range(2)]
            await player.close()
            assert [exchange.failure for exchange in exchanges] == [None, None]
            assert got[0].startswith(
                b"POST http://llm.test:81/v1/chat/completions HTTP/1.1\r\nProxy-Authorization: Basic "
            )
            assert got[0].count(b"Host: llm.test:81\r\n") == 1
            assert server.n_connections == 1
            assert BASIC not in exchanges[0].wire

    run(main())


@contextlib.asynccontextmanager
async def tunnelling(port: int, status: bytes) -> AsyncIterator[tuple[Server, list[bytes]]]:
    """Serve as a CONNECT proxy to a port of this machine, whatever is asked for."""
    asked = []

    async def script(caller: Caller) -> None:
        asked.append(await caller.request())
        await caller.send(b"HTTP/1.1 %s\r\n\r\n" % status)
        if not status.startswith(b"200"):
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(pump(caller.reader, writer), pump(reader, caller.writer))
        finally:
            writer.close()

    async with serving(script) as server:
        yield server, asked


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


async def through_tunnel(certificates: Certificates, status: bytes) -> Exchange:
    async with (
        serving(answering(WHOLE), context=certificates.server()) as origin,
        tunnelling(origin.port, status) as (proxy, asked),
    ):
        endpoint = an_endpoint(443, scheme="https", host="llm.test", tls=Tls(ca_file=certificates.ca_file))
        player = a_player(endpoint, environ={"HTTPS_PROXY": f"http://{QUOTED}127.0.0.1:{proxy.port}"})
        exchange = await exchanged(player, a_request(443, scheme="https", host="llm.test"), PATIENT)
        await player.close()
        assert asked[0].startswith(b"CONNECT llm.test:443 HTTP/1.1\r\nHost: llm.test:443\r\n")
        assert b"Proxy-Authorization: Basic " + BASIC in asked[0]
        return exchange


def test_a_secure_request_goes_through_a_tunnel(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        exchange = await through_tunnel(certificates, b"200 Connection established")
        assert exchange.failure is None
        assert exchange.wire == WHOLE
        assert exchange.connection is not None
        assert exchange.connection.tls_version is not None

    run(main())


def test_a_proxy_that_refuses_the_tunnel_is_a_connect_failure(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        exchange = await through_tunnel(certificates, b"407 Proxy Authentication Required")
        assert exchange.failure is not None
        assert exchange.failure.kind is FailureKind.CONNECT
        assert "answered 407 to CONNECT" in exchange.failure.message
        assert exchange.wire == b""

    run(main())


def test_a_proxy_that_cannot_be_reached_is_what_failed(run: Run) -> None:
    async def main() -> None:
        environ = {"HTTP_PROXY": f"http://127.0.0.1:{await a_closed_port()}"}
        player = a_player(an_endpoint(81, host="llm.test"), environ=environ)
        exchange = await exchanged(player, a_request(81, host="llm.test"), PATIENT)
        await player.close()
        assert exchange.failure is not None
        assert exchange.failure.message.startswith("no connection to the proxy (127.0.0.1:")

    run(main())


def test_the_machines_own_environment_is_not_looked_at(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{await a_closed_port()}")
        async with serving(answering(WHOLE)) as server:
            player = a_player(an_endpoint(server.port), environ={})
            exchange = await exchanged(player, a_request(server.port), PATIENT)
            await player.close()
            assert exchange.wire == WHOLE

    run(main())
