"""A client connection under TLS, over memory buffers, so that a write is still one send of ours."""

import socket
import ssl
import warnings

from harness.simulator.connection import ClientConnection
from harness.simulator.profile import Tls

_READ_BYTES = 1 << 16


def server_context(tls: Tls) -> ssl.SSLContext:
    """Build the server's side; OSError for a file that holds no certificate and key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate)
    if tls.only_old:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # deprecated is what is wanted
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


class SecureConnection(ClientConnection):
    """Reads and writes plaintext; the first read shakes hands."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        """Take over an accepted socket."""
        super().__init__(sock)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_greeted = False

    async def send(self, data: bytes) -> int:
        """Write one record or more; OSError when the client has left."""
        self._tls.write(data)
        return await super().send(self._outgoing.read())

    async def _receive(self) -> bytes:
        """Give plaintext; nothing when the client has left or does not agree on TLS."""
        try:
            while not self._is_greeted:
                self._is_greeted = await self._shake_hands()
            while True:
                try:
                    return self._tls.read(_READ_BYTES)
                except ssl.SSLWantReadError:
                    if not await self._take():
                        return b""
        except OSError:  # ssl.SSLError is one
            return b""

    async def _shake_hands(self) -> bool:
        """Go one step; True when done."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            is_done = False
        except ssl.SSLError:
            await self._answer()  # the alert
            raise
        else:
            is_done = True
        await self._answer()
        if not is_done and not await self._take():
            raise ConnectionResetError("the client left inside the handshake")
        return is_done

    async def _answer(self) -> None:
        if said := self._outgoing.read():
            await super().send(said)

    async def _take(self) -> bool:
        """Read ciphertext; False at the connection's end."""
        data = await super()._receive()
        self._incoming.write(data)
        return bool(data)
