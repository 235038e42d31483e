"""Addresses as they stand in the environment: of the database and of other servers."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_PASSWORD = re.compile(r"(://[^:/@]*):[^@]*@")


class AddressFault(ValueError):
    """An address does not have its form. The text says what to do and does not repeat the address."""


def database_address(text: str) -> str:
    """Return a database's address with its driver named. Raises AddressFault for anything but SQLite and PostgreSQL."""
    scheme, mark, rest = text.strip().partition("://")
    scheme = _DRIVERS.get(scheme, scheme)
    if not mark or scheme not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise AddressFault("write sqlite:///path/to/plainbill.db or postgresql://user:password@host/database")
    if scheme.startswith("sqlite"):
        if not rest.startswith("/") or len(rest) < 2:
            raise AddressFault("an SQLite address names a file: sqlite:///path/to/plainbill.db")
    elif not rest.strip("/"):
        raise AddressFault("a PostgreSQL address names a server: postgresql://user:password@host/database")
    return f"{scheme}://{rest}"


def without_password(address: str) -> str:
    """Return a database's address as it may be shown."""
    return _PASSWORD.sub(r"\1:***@", address.partition("?")[0])


def web_address(text: str) -> str:
    """Return an http(s) address without its closing slash. Raises AddressFault."""
    parts = _split(text.strip())
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressFault("write a whole address such as https://bills.example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AddressFault("write the address without a password, question mark or #")
    return text.strip().rstrip("/")


def proxies(text: str) -> str:
    """Return addresses and networks with commas between. Raises AddressFault for anything else, and for everybody."""
    found = [one for one in map(str.strip, text.split(",")) if one]
    try:
        whole = any(ipaddress.ip_network(one, strict=False).prefixlen == 0 for one in found)
    except ValueError:
        raise AddressFault("write the proxies' addresses or networks, such as 127.0.0.1,10.0.0.0/8") from None
    if whole:
        raise AddressFault("write the proxies' own addresses: this network is everybody")
    return ",".join(found)


def is_loopback(address: str) -> bool:
    """Tell whether a web address stays on this machine."""
    parts = _split(address)
    host = (parts.hostname if parts else None) or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, repr=False)
class MailServer:
    """An SMTP server. ``tls`` from the first byte on (smtps), else by STARTTLS, which only this machine may lack."""

    host: str
    port: int
    user: str
    password: str
    tls: bool

    @property
    def local(self) -> bool:
        return is_loopback(f"smtp://[{self.host}]" if ":" in self.host else f"smtp://{self.host}")


def mail_server(text: str) -> MailServer:
    """Read ``smtp://user:password@host:587`` or ``smtps://user:password@host:465``. Raises AddressFault."""
    parts = _split(text.strip())
    if parts is None or parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise AddressFault("write smtp://user:password@host:587 (with STARTTLS) or smtps://user:password@host:465")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise AddressFault("write the mail server's address without anything behind the port; in user and password "
                           "write /, ?, # and @ as %2F, %3F, %23 and %40")
    if bool(parts.username) != bool(parts.password):
        raise AddressFault("write both a user and a password of the mail server, or neither")
    tls = parts.scheme == "smtps"
    return MailServer(parts.hostname, parts.port or (465 if tls else 587), unquote(parts.username or ""),
                      unquote(parts.password or ""), tls)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return None
    return parts
