"""Certificates of a test authority."""

import ssl
from pathlib import Path

import trustme


class Certificates:
    """An authority, the server's contexts and the files that an endpoint names."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._ca = trustme.CA()
        self._server = self._ca.issue_cert(*names)
        self.ca_file = str(folder / "ca.pem")
        self.client_cert = str(folder / "client.pem")
        self._ca.cert_pem.write_to_path(self.ca_file)
        self._ca.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(self.client_cert)

    def server(self, *, asks_for_client: bool = False) -> ssl.SSLContext:
        """Give a server's context."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server.configure_cert(context)
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self._ca.configure_trust(context)
        return context
