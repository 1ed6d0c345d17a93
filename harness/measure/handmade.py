"""Makes requests for our own truth server by hand: no application sends them, and the SDK takes a second to import."""

import hashlib
from urllib.parse import urlsplit

import msgspec

from harness.measure.compose import ComposedRequest


def streaming_request(base_url: str, model: str, **fields: object) -> ComposedRequest:
    """Give a small request for a stream, with more fields of its body where wanted."""
    url = urlsplit(base_url)
    messages = [{"role": "user", "content": "Count."}]
    body = msgspec.json.encode({"model": model, "messages": messages, "stream": True, **fields})
    target = f"{url.path}/chat/completions"
    head = f"POST {target} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    return ComposedRequest(
        method="POST",
        scheme=url.scheme,
        host=url.hostname or "",
        port=url.port or 80,
        target=target,
        head=head.encode(),
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )
