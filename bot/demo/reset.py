"""A fresh database for the demo, without ever throwing away anything that is not the demo's own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from billing.store import demo_queries
from billing.store.seal import Keyring
from bot.write import open_store


class NotEmpty(Exception):
    """The database holds something that is not the sample practice; the demo leaves it alone."""


def prepare(url: str, keyring: Keyring, legal_name: str) -> None:
    """Leave a database without any practice at ``url``. Raises NotEmpty.

    An earlier demo's SQLite file is removed; anything else that is not empty is refused.
    """
    store = open_store(url, keyring, upgrade=True)
    try:
        held = store.read(lambda s: _held(s, legal_name))
    finally:
        store.close()
    if held == "nothing":
        return
    path = _sqlite_file(url)
    if held == "other" or path is None:
        raise NotEmpty("PLAINBILL_DATABASE_URL names a database that is in use; name an empty one, or leave it out")
    for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        part.unlink(missing_ok=True)


def _held(session: Session, legal_name: str) -> str:
    names = demo_queries.practices(session)
    if set(names) == {legal_name}:
        return "sample"
    return "other" if demo_queries.has_imports(session) or any(names.values()) else "nothing"


def _sqlite_file(url: str) -> Path | None:
    scheme, _, path = url.partition(":///")
    return Path(path.partition("?")[0]) if scheme.startswith("sqlite") else None
