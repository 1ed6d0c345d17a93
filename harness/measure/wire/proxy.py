"""Which proxy the environment names for an endpoint; its password is a secret like the key."""

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from harness.errors import ConfigError

_DEFAULT_PORT = 80  # of an http:// proxy, as curl and the SDK have it
_SECURE_PORT = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy; credentials are never shown."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)  # value of Proxy-Authorization
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def address(self) -> str:
        """Give host and port for people."""
        return _authority(self.host, self.port)

    def connect_request(self, host: str, port: int) -> bytes:
        """Ask for a tunnel."""
        where = _authority(host, port)
        return f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n{self._credentials()}\r\n".encode()

    def forwarded(self, head: bytes, host: str, port: int) -> bytes:
        """The head of a plain request in absolute form, as a forwarding proxy wants it."""
        method, target, rest = head.split(b" ", 2)
        version, _, headers = rest.partition(b"\r\n")
        where = _authority(host, port)
        line = b"%s http://%s%s %s\r\n" % (method, where.encode(), target, version)
        return line + self._credentials().encode() + headers

    def _credentials(self) -> str:
        return "" if self.authorization is None else f"Proxy-Authorization: {self.authorization}\r\n"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def proxy_of(base_url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy between us and an endpoint; ConfigError for one we cannot use."""
    parts = urlsplit(base_url)
    return proxy_for(parts.scheme, parts.hostname or "", parts.port, environ)


def proxy_for(scheme: str, host: str, port: int | None, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name; ConfigError for one we cannot use."""
    name, url = _named(scheme, environ)
    if not url or _is_exempt(host, port or (_SECURE_PORT if scheme == "https" else _DEFAULT_PORT), environ):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:  # its message quotes the credentials
        raise ConfigError(f"the proxy in {name} is no valid URL", remedy="Write http://host:port") from None
    if parts.scheme != "http":
        raise ConfigError(
            f"the proxy in {name} is of a kind that is not supported ({parts.scheme or 'none'})",
            remedy=f"Name an http:// proxy, or exempt {host} with NO_PROXY",
        )
    try:
        port = parts.port
    except ValueError:
        port = 0
    if not parts.hostname or port == 0:
        raise ConfigError(f"the proxy in {name} has no host or no valid port", remedy="Write http://host:port")
    return _proxy(parts, parts.hostname, port or _DEFAULT_PORT)


def _proxy(parts: SplitResult, host: str, port: int) -> Proxy:
    if parts.username is None:
        return Proxy(host=host, port=port)
    user, password = unquote(parts.username), unquote(parts.password or "")
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    secrets = [coded.encode(), password.encode(), (parts.password or "").encode()]
    return Proxy(
        host=host,
        port=port,
        authorization=f"Basic {coded}",
        secrets=tuple(dict.fromkeys(secret for secret in secrets if secret)),
    )


def _named(scheme: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The first variable that names one: lower case before upper, the scheme's before the general."""
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
        if environ.get(name):
            return name, environ[name].strip()
    return "", ""


def _is_exempt(host: str, port: int, environ: Mapping[str, str]) -> bool:
    """NO_PROXY: names with their subdomains, addresses, networks, name:port, or * for all."""
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    entries = [entry.strip().lower() for entry in listed.split(",") if entry.strip()]
    return any(_matches(entry, host.lower(), port) for entry in entries)


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*" or entry.strip("[]") == host:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit():
        return int(wanted) == port and _matches(name, host, port)
    return host == entry.lstrip(".") or host.endswith(f".{entry.lstrip('.')}")
