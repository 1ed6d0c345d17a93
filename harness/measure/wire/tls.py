"""TLS over memory buffers, so that the socket stays ours and every plaintext byte knows its read."""

import ssl

from harness.errors import ConfigError
from harness.model.endpoint import Tls

READ_SIZE = 65_536


def tls_context(tls: Tls, where: str) -> ssl.SSLContext:
    """Build the endpoint's context once; ConfigError for files that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.client_cert is not None:
            context.load_cert_chain(tls.client_cert, tls.client_key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(
            f"a file under tls: cannot be used: {error}",
            where=where,
            remedy="Give PEM files; the key without a passphrase",
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _no_password() -> str:
    """Refuse to ask on the terminal."""
    raise ValueError("the client key needs a passphrase")


class TlsLayer:
    """One connection's TLS state between the socket's bytes and ours."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        """Start nothing yet."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.is_closed = False  # the server said that nothing follows
        self.error: ssl.SSLError | None = None  # what broke it; the plaintext before that was given

    @property
    def version(self) -> str | None:
        """The protocol agreed on; None before."""
        return self._tls.version()

    def shake_hands(self) -> bool:
        """Go as far as the bytes allow; True when done. Raises ssl.SSLError."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, ciphertext: bytes) -> None:
        """Take bytes off the socket; nothing means that the socket ended."""
        if ciphertext:
            self._incoming.write(ciphertext)
        else:
            self._incoming.write_eof()

    def plaintext(self) -> bytes:
        """Everything that the records so far hold; damage ends it and loses nothing that came before."""
        pieces = []
        while not self.is_closed and self.error is None:
            try:
                piece = self._tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                break
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self.is_closed = True
            except ssl.SSLError as error:
                self.error = error
            else:
                self.is_closed = not piece
                pieces.append(piece)
        return b"".join(pieces)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Give the records to send."""
        view = memoryview(plaintext)
        while view:
            view = view[self._tls.write(view) :]
        return self.outgoing()

    def outgoing(self) -> bytes:
        """What TLS itself has to say: handshake, key updates, alerts."""
        return self._outgoing.read()
