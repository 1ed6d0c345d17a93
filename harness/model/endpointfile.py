"""Loads an endpoint file and checks what its types alone cannot say."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.keyforms import WEB_TOKEN_FORM, key_form
from harness.model.yamlfile import YamlDocument, convert_document, read_yaml, value_at

_LOOKS_LIKE_KEY = re.compile(r"^(sk-|Bearer\s+(?!\$\{))", re.IGNORECASE)
_IS_KEY = re.compile(rf"^(?:{key_form(20)}$|{WEB_TOKEN_FORM}|Bearer\s+(?!\$\{{))", re.IGNORECASE)
_PARAMETERS_OF_OURS = ("model", "messages", "stream", "stream_options")
_CREDENTIAL_WORDS = frozenset(
    {"accesstoken", "apikey", "auth", "authorization", "cookie", "credential", "key", "password", "secret", "sig"}
    | {"signature", "token"}
)
_NO_CREDENTIALS = frozenset({"idempotency-key"})


def load_endpoint(file: Path) -> Endpoint:
    """Read `a.yml`; ConfigError names file, line, value and remedy."""
    document = read_yaml(file)
    endpoint = convert_document(document, Endpoint)
    _check_base_url(document, endpoint)
    _check_texts(document)
    _check_headers(document, endpoint)
    _check_parameters(document, endpoint)
    _check_files(document, endpoint)
    return endpoint


def endpoint_schema() -> dict[str, Any]:
    """JSON Schema of the endpoint file, for editors."""
    schema = msgspec.json.schema(Endpoint)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench endpoint file", **schema}


def _check_base_url(document: YamlDocument, endpoint: Endpoint) -> None:
    where = document.where("$.base_url")
    if "@" in endpoint.base_url.partition("://")[2].partition("/")[0]:
        raise ConfigError(
            "base_url holds credentials", where=where, remedy="Use api_key: ${VARIABLE} or headers instead"
        )
    query = endpoint.base_url.partition("?")[2].partition("#")[0]
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if _names_credential(name):
            raise ConfigError(
                f"base_url holds a key in its query ({name})",
                where=where,
                remedy="It would be written into every run: send it as api_key: ${VARIABLE} or under headers",
            )
    if (problem := _address_problem(endpoint.base_url)) is not None:
        raise ConfigError(
            f"base_url {problem} (found {endpoint.base_url!r})", where=where, remedy="Write https://host/v1"
        )
    if urlsplit(endpoint.base_url).path.rstrip("/").endswith("/chat/completions"):
        raise ConfigError(
            "base_url ends in /chat/completions", where=where, remedy="Give the part before it, usually ending in /v1"
        )


def _address_problem(url: str) -> str | None:
    """What keeps a URL from naming a host and port; None when nothing does."""
    if not url.isprintable() or " " in url:
        return "holds white space or control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"has no valid host or port: {error}"
    return None if parts.hostname else "has no host"


def _names_credential(name: str) -> bool:
    """Whether a header or query parameter is called after a secret, such as X-Auth-Token or api_key."""
    words = re.split(r"[-_.]", name.lower())
    return name.lower() not in _NO_CREDENTIALS and not _CREDENTIAL_WORDS.isdisjoint(words)


def _check_headers(document: YamlDocument, endpoint: Endpoint) -> None:
    for name, value in endpoint.headers.items():
        is_literal_credential = _names_credential(name) and "${" not in value
        if _LOOKS_LIKE_KEY.match(value) or is_literal_credential:
            raise ConfigError(
                f"header {name!r} holds a key",
                where=document.where(f"$.headers.{name}"),
                remedy="Refer to an environment variable: ${NAME}",
            )


def _check_texts(document: YamlDocument) -> None:
    """A key itself may stand nowhere: the file goes into the run's header as it is. Headers have their own check."""
    for path in document.lines:
        value = value_at(document.value, path)
        if isinstance(value, str) and _IS_KEY.match(value) and not path.startswith("$.headers"):
            raise ConfigError(
                "this value looks like a key; a key itself never stands in a file",
                where=document.where(path),
                remedy="Refer to an environment variable, ${NAME}, in api_key or headers",
            )


def _check_parameters(document: YamlDocument, endpoint: Endpoint) -> None:
    for section, given in (
        ("sampling", endpoint.sampling),
        ("params.add", endpoint.params.add),
        ("params.rename", endpoint.params.rename),
        ("extra_body", endpoint.extra_body),
    ):
        for name in _PARAMETERS_OF_OURS:
            if name in given:
                raise ConfigError(
                    f"{section} may not set {name!r}",
                    where=document.where(f"$.{section}.{name}"),
                    remedy="model is a key of its own; the others belong to the golden set and the harness",
                )


def _check_files(document: YamlDocument, endpoint: Endpoint) -> None:
    for key in ("ca_file", "client_cert", "client_key"):
        name = getattr(endpoint.tls, key)
        if name is not None and not Path(name).is_file():
            raise ConfigError(
                f"no such file: {name}",
                where=document.where(f"$.tls.{key}"),
                remedy="Check the path and its permissions",
            )
    if (endpoint.tls.client_key is not None) and endpoint.tls.client_cert is None:
        raise ConfigError(
            "client_key without client_cert",
            where=document.where("$.tls.client_key"),
            remedy="Give both, or neither",
        )
