"""Certificates for whatever plays over TLS."""

import pytest

from tests.measure.conftest import LOOPS, Run
from tests.measure.wire.certificates import Certificates

__all__ = ["LOOPS", "Run"]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for this machine's address and for a name."""
    return Certificates(tmp_path_factory.mktemp("certificates"), "127.0.0.1", "llm.test")
