"""TLS against scripted servers with certificates of our own."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from harness.errors import ConfigError
from harness.measure.wire.exchange import Exchange
from harness.measure.wire.tls import TlsLayer, tls_context
from harness.model.endpoint import Tls
from harness.model.record import FailureKind
from tests.measure.wire.builders import (
    CHUNKED_HEAD,
    LAST_CHUNK,
    PATIENT,
    WHOLE,
    a_player,
    a_request,
    an_endpoint,
    chunk,
    exchanged,
    said,
)
from tests.measure.wire.certificates import Certificates
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import Caller, answering, serving


async def played(
    certificates: Certificates, tls: Tls, *, times: int = 1, host: str = "127.0.0.1", asks_for_client: bool = False
) -> list[Exchange]:
    context = certificates.server(asks_for_client=asks_for_client)
    async with serving(answering(WHOLE), context=context) as server:
        player = a_player(an_endpoint(server.port, scheme="https", host=host, tls=tls))
        request = a_request(server.port, scheme="https", host=host)
        exchanges = [await exchanged(player, request, PATIENT) for _ in range(times)]
        await player.close()
    return exchanges


def test_a_trusted_server_answers_and_its_connection_is_kept(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        first, second = await played(certificates, Tls(ca_file=certificates.ca_file), times=2)
        assert [first.failure, second.failure] == [None, None]
        assert first.wire == second.wire == WHOLE
        assert sum(first.reads.n_bytes) == len(WHOLE)
        assert first.connection is not None
        assert second.connection is not None
        assert first.connection.tls_ns is not None
        assert first.connection.tls_version == second.connection.tls_version == "TLSv1.3"
        assert (second.connection.reused, second.connection.tls_ns) == (True, None)

    run(main())


@pytest.mark.parametrize(
    ("tls", "word"),
    [(Tls(), "certificate of 127.0.0.1 was refused"), (Tls(ca_file="other"), "certificate of 127.0.0.1 was refused")],
)
def test_an_untrusted_server_is_a_tls_failure(
    run: Run, certificates: Certificates, tmp_path: Path, tls: Tls, word: str
) -> None:
    async def main() -> None:
        asked = Tls(ca_file=Certificates(tmp_path, "127.0.0.1").ca_file) if tls.ca_file else tls
        (exchange,) = await played(certificates, asked)
        assert exchange.failure is not None
        assert exchange.failure.kind is FailureKind.TLS
        assert word in exchange.failure.message
        assert exchange.sent_at_ns is None

    run(main())


def test_a_certificate_for_another_host_is_a_tls_failure(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        others = Certificates(tmp_path, "other.test")
        (exchange,) = await played(others, Tls(ca_file=others.ca_file))
        assert exchange.failure is not None
        assert exchange.failure.kind is FailureKind.TLS
        assert "127.0.0.1" in exchange.failure.message

    run(main())


def test_verification_can_be_switched_off(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        (exchange,) = await played(certificates, Tls(verify=False))
        assert exchange.wire == WHOLE

    run(main())


def test_a_client_certificate_is_shown_where_asked(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        tls = Tls(ca_file=certificates.ca_file, client_cert=certificates.client_cert)
        (exchange,) = await played(certificates, tls, asks_for_client=True)
        assert exchange.failure is None
        assert exchange.wire == WHOLE

    run(main())


def test_a_missing_client_certificate_fails_without_an_answer(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        (exchange,) = await played(certificates, Tls(ca_file=certificates.ca_file), asks_for_client=True)
        assert exchange.failure is not None
        assert exchange.failure.kind in {FailureKind.TLS, FailureKind.RESET_BEFORE_RESPONSE}
        assert exchange.wire == b""

    run(main())


def test_a_plain_server_is_a_tls_failure(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await caller.closed_by_peer()

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port, scheme="https"))
            exchange = await exchanged(player, a_request(server.port, scheme="https"), PATIENT)
            await player.close()
            assert exchange.failure is not None
            assert exchange.failure.kind is FailureKind.TLS

    run(main())


def test_a_connection_that_ends_inside_the_answer_is_cut_off(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        answer = answering(CHUNKED_HEAD + chunk(said("half")), hold=False)
        async with serving(answer, context=certificates.server()) as server:
            player = a_player(an_endpoint(server.port, scheme="https", tls=Tls(ca_file=certificates.ca_file)))
            exchange = await exchanged(player, a_request(server.port, scheme="https"), PATIENT)
            await player.close()
            assert exchange.failure is not None
            assert exchange.failure.kind is FailureKind.CUT_OFF
            assert exchange.wire == CHUNKED_HEAD + chunk(said("half"))

    run(main())


def test_a_large_answer_over_many_records_arrives_whole(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        answer = CHUNKED_HEAD + chunk(b"x" * 1_000_000) + LAST_CHUNK
        async with serving(answering(answer), context=certificates.server()) as server:
            player = a_player(an_endpoint(server.port, scheme="https", tls=Tls(ca_file=certificates.ca_file)))
            exchange = await exchanged(player, a_request(server.port, scheme="https"), PATIENT)
            await player.close()
            assert exchange.wire == answer
            assert sum(exchange.reads.n_bytes) == len(answer)

    run(main())


def test_plaintext_belongs_to_the_read_that_completed_its_record(certificates: Certificates) -> None:
    client = TlsLayer(tls_context(Tls(ca_file=certificates.ca_file), "e"), "127.0.0.1")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificates.server().wrap_bio(incoming, outgoing, server_side=True)
    assert not client.shake_hands()
    incoming.write(client.outgoing())
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    client.feed(outgoing.read())
    assert client.shake_hands()
    incoming.write(client.outgoing())
    server.do_handshake()
    server.write(b"one")
    server.write(b"two")
    records = outgoing.read()
    client.feed(records[:-1])
    assert client.plaintext() == b"one"
    client.feed(records[-1:])
    assert client.plaintext() == b"two"
    assert not client.is_closed


@pytest.mark.parametrize("made", [lambda file: Tls(ca_file=file), lambda file: Tls(client_cert=file)])
def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path, made: Callable[[str], Tls]) -> None:
    file = tmp_path / "empty.pem"
    file.write_text("nothing")
    with pytest.raises(ConfigError, match="e: a file under tls: cannot be used"):
        tls_context(made(str(file)), "e")


def test_a_client_key_with_a_passphrase_is_refused_without_asking(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = BestAvailableEncryption(b"secret")
    file = tmp_path / "locked.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(ConfigError, match="passphrase"):
        tls_context(Tls(client_cert=str(file)), "e")
