"""The error responses that a healthy endpoint gives."""

from collections.abc import Mapping

from harness.simulator.apierror import ApiError, RefusedRequest

_BAD_REQUEST = "invalid_request_error"

WRONG_KEY = ApiError(status=401, message="Incorrect API key provided", kind=_BAD_REQUEST, code="invalid_api_key")
LOADING = ApiError(
    status=503, message="Loading model", kind="unavailable_error", code="loading", headers={"Retry-After": "1"}
)
WAKE_TIMEOUT = ApiError(status=504, message="The model did not wake in time", kind="wake_timeout", code="wake_timeout")
OVERLOADED = ApiError(
    status=503,
    message="Too many requests wait already",
    kind="overloaded_error",
    code="overloaded",
    headers={"Retry-After": "1"},
)
NOT_HTTP = ApiError(status=400, message="This is no HTTP request", kind=_BAD_REQUEST, headers={"Connection": "close"})
TOO_LARGE = ApiError(status=413, message="The body is too large", kind=_BAD_REQUEST, headers={"Connection": "close"})


def no_such_model(model: str) -> ApiError:
    """Give the 404 of a model that is not served."""
    message = f"The model `{model}` does not exist"
    return ApiError(status=404, message=message, kind=_BAD_REQUEST, code="model_not_found", param="model")


def no_such_path(path: str) -> ApiError:
    """Give the 404 of a path that does not exist."""
    return ApiError(status=404, message=f"Unknown path {path}", kind=_BAD_REQUEST, code="not_found")


def over_the_quota(limit: int, headers: Mapping[str, str]) -> ApiError:
    """Give the 429 of a request above the rate limit."""
    message = f"Rate limit reached: {limit} requests per minute"
    return ApiError(status=429, message=message, kind="requests", code="rate_limit_exceeded", headers=headers)


def check_method(method: str, path: str, allowed: str) -> None:
    """Refuse another method with 405."""
    if method != allowed:
        message = f"{path} takes {allowed}"
        error = ApiError(
            status=405, message=message, kind=_BAD_REQUEST, code="method_not_allowed", headers={"Allow": allowed}
        )
        raise RefusedRequest(error)
