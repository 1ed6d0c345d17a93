"""Errors as an OpenAI-compatible endpoint words them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiError:
    """An error response in the contract's envelope."""

    status: int
    message: str
    kind: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> dict[str, Any]:
        """Give the envelope."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    @property
    def body(self) -> bytes:
        """Give the envelope's JSON."""
        return msgspec.json.encode(self.payload)


class RefusedRequest(Exception):  # noqa: N818  # not an error of ours: the answer to a bad request
    """Carries the error response of a request that is not served."""

    def __init__(self, error: ApiError) -> None:
        """Keep the response."""
        super().__init__(error.message)
        self.error = error


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> RefusedRequest:
    """Give the refusal of a request that is wrong in itself."""
    return RefusedRequest(ApiError(status=400, message=message, kind="invalid_request_error", param=param, code=code))
