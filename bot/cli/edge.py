"""What every command needs: settings, clock, store, practice, who is acting, and how answers are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli.exits import NOT_FOUND, UNAVAILABLE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.seal import Keyring
    from bot.write import Store
    from config.clock import Clock
    from config.practice import PracticePolicy
    from config.settings import Settings

T = TypeVar("T")

#: The option of every command whose answer a program might read.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


@dataclass(frozen=True, slots=True)
class Edge:
    """One run of a command. ``actor`` is the login in PLAINBILL_STAFF; it stands in the audit trail."""

    settings: Settings
    clock: Clock
    store: Store
    practice_id: str
    policy: PracticePolicy
    configured: bool
    actor: str

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        return self.clock.now()

    def today(self) -> date:
        """The practice's own calendar day."""
        return self.policy.local_day(self.now())

    def read(self, fn: Callable[[Session], T], object_kind: str, object_id: str | Callable[[T], str],
             reason: str = "") -> T:
        """Read about somebody and leave a line in the audit trail (T-36), written before anything is shown.

        The trail holds our ids, never a source's number: where the id is known only after reading, ``object_id`` is
        a function of what was read.
        """
        from billing.store.trail import note

        result = self.store.read(fn)
        seen = object_id if isinstance(object_id, str) else object_id(result)
        self.store.write(lambda session: note(session, self.practice_id, self.actor, "read", object_kind, seen,
                                              self.now(), reason))
        return result

    def write(self, fn: Callable[[Session], T], action: str, object_kind: str, object_id: str | Callable[[T], str],
              reason: str = "") -> T:
        """Change something, with its line in the audit trail in the same transaction; ``object_id`` as in ``read``."""
        from billing.store.trail import note

        def both(session: Session) -> T:
            result = fn(session)
            changed = object_id if isinstance(object_id, str) else object_id(result)
            note(session, self.practice_id, self.actor, action, object_kind, changed, self.now(), reason)
            return result

        return self.store.write(both)


@contextmanager
def context() -> Iterator[Edge]:
    """Open everything for a command, and close it.

    Raises SettingsError, SchemaMismatch (production only: elsewhere the schema is brought up to date) and whatever
    the database says when it cannot be reached. The practice is made, unconfigured, when it is not there yet.
    """
    from bot.logs import configure_logs
    from bot.write import open_store
    from config.clock import make_clock
    from config.settings import load

    settings = load()
    configure_logs(settings.log_level, as_json=settings.in_production)
    clock = make_clock(settings.clock)
    make_folder(settings.database_url)
    store = open_store(settings.database_url, keyring(settings), upgrade=may_upgrade(settings))
    try:
        policy, configured = _practice(store, settings.practice, clock.now())
        yield Edge(settings, clock, store, settings.practice, policy, configured, settings.staff)
    finally:
        store.close()


def keyring(settings: Settings) -> Keyring:
    """Return the keys of the settings as the store wants them."""
    from billing.store.seal import Keyring

    return Keyring(settings.sealing_keys, settings.current_key, settings.index_key_bytes)


def make_folder(database_url: str) -> None:
    """Make the folder of an SQLite file."""
    scheme, _, path = database_url.partition(":///")
    if scheme.startswith("sqlite") and path:
        Path(path.partition("?")[0]).parent.mkdir(parents=True, exist_ok=True)


def may_upgrade(settings: Settings) -> bool:
    """Tell whether a command may bring the schema up to date by itself: in development, or on a new database."""
    from billing.store.engine import make_engine
    from billing.store.schema import current

    if not settings.in_production:
        return True
    engine = make_engine(settings.database_url)
    try:
        return current(engine) is None
    finally:
        engine.dispose()


def _practice(store: Store, practice_id: str, now: datetime) -> tuple[PracticePolicy, bool]:
    from billing.store.practices import find_practice, policy_of, save_policy
    from config.policy_file import UNCONFIGURED

    def find(session: Session) -> tuple[PracticePolicy, bool] | None:
        row = find_practice(session, practice_id)
        return None if row is None else (policy_of(row), row.configured)

    def make(session: Session) -> tuple[PracticePolicy, bool]:
        return find(session) or (policy_of(save_policy(session, practice_id, UNCONFIGURED, False, now)), False)

    return store.read(find) or store.write(make)


def found(value: T | None, what: str) -> T:
    """Return the value. Raises Stop (exit code 5) when there is none; ``what`` must hold no PHI."""
    if value is None:
        raise Stop(f"There is no {what}.", NOT_FOUND)
    return value


def require_right(session: Session, edge: Edge, right: str) -> None:
    """Raise StaffRefused unless who acts may do this.

    The default login is whoever sits at the machine and may do everything; any other has to be somebody on the list.
    """
    from billing.staff import require
    from config.settings import Settings

    if edge.actor != Settings.model_fields["staff"].default:
        require(session, edge.practice_id, edge.actor, right)


def require_configured(edge: Edge) -> None:
    """Raise Stop unless the practice has its policy."""
    if not edge.configured:
        raise Stop(f"Practice {edge.practice_id!r} has no policy yet; run `plainbill practice set FILE.toml` first.",
                   UNAVAILABLE)


def print_json(value: Any) -> None:
    """Print one JSON document on one line: what a program reads from standard output."""
    print(json.dumps(value, default=_plain, ensure_ascii=False))


def print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading.endswith("$") else "left", overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) if cell is not None else "" for cell in row))
    Console(highlight=False).print(table)


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        print(f"{name:<{width}}  {value if value is not None else ''}")


def show(value: Any, as_json: bool) -> None:
    """Print a result that needs no words of its own: mappings as a table, one mapping or dataclass as fields."""
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    if as_json:
        print_json(plain)
    elif isinstance(plain, Mapping):
        print_fields(plain)
    elif isinstance(plain, Sequence) and plain and isinstance(plain[0], Mapping):
        headings = list(plain[0])
        print_table("", [name.replace("_", " ").capitalize() for name in headings],
                    [[row.get(name) for name in headings] for row in plain])
    else:
        print(plain if plain else "Nothing.")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
