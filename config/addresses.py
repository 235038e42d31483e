"""Addresses as they stand in the environment: of the database and of other servers."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

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


def is_loopback(address: str) -> bool:
    """Tell whether a web address stays on this machine."""
    parts = _split(address)
    host = (parts.hostname if parts else None) or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return None
    return parts
