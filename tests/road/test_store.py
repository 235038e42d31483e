"""The store: migrations, the append-only triggers, group commit and who may write."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from billing.store import schema
from billing.store.engine import make_engine
from billing.store.migrations.comparison import compare_type
from billing.store.migrations.remake import initial_revision
from billing.store.tables import APPEND_ONLY, Audit, Base, Lease, Practice
from bot.write import Store, StoreClosed, open_store
from tests.conftest import TEST_KEYS


def test_migrations_from_empty_equal_the_metadata(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": compare_type})
        assert compare_metadata(context, Base.metadata) == []


def test_there_is_a_single_head() -> None:
    assert ScriptDirectory.from_config(schema.config()).get_heads() == [schema.head()]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x"])
def test_a_database_that_cannot_work_is_refused_with_what_to_use_instead(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE"):
        make_engine(url)


def test_a_postgresql_without_the_schema_is_refused_and_says_what_to_run(postgresql_server: object) -> None:
    url = postgresql_server.url("postgres")  # type: ignore[attr-defined]  # pgserver has no types
    with pytest.raises(schema.SchemaMismatch, match="plainbill db upgrade"):
        open_store(url, TEST_KEYS)


def _execute(session: Session, sql: str) -> None:
    session.execute(text(sql))


def _add(session: Session, row: Base) -> None:
    session.add(row)


def _audit(now: datetime) -> Audit:
    return Audit(practice_id="p", at=now, actor="a", action="read", object_kind="account", object_id="1", reason="r")


_CHANGES = {
    "sqlite": ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "INSERT OR REPLACE INTO audit SELECT * FROM audit"),
    "postgresql": ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"),
}


def test_the_database_itself_refuses_to_change_an_append_only_row(store: Store, now: datetime) -> None:
    store.write(lambda session: session.add(_audit(now)))
    for statement in _CHANGES[store.engine.dialect.name]:
        with pytest.raises(DatabaseError, match="audit is append-only"):
            store.write(partial(_execute, sql=statement))
    assert store.read(lambda session: session.query(Audit).one().actor) == "a"


def test_every_append_only_table_has_its_triggers(store: Store) -> None:
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger'" if store.engine.dialect.name == "sqlite" else (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
    found = set(store.read(lambda session: session.execute(text(names)).scalars().all()))
    for table in APPEND_ONLY:
        assert {f"{table}_no_update", f"{table}_no_delete"} <= found or f"{table}_append_only" in found


def test_a_reader_cannot_write(store: Store, now: datetime) -> None:
    def sneak(session: Session) -> None:
        session.add(_audit(now))
        session.flush()

    with pytest.raises(DatabaseError):
        store.read(sneak)


def test_what_was_only_put_into_a_readers_session_is_dropped(store: Store, now: datetime) -> None:
    store.read(lambda session: session.add(_audit(now)))
    assert store.read(lambda session: session.scalar(select(func.count()).select_from(Audit))) == 0


def test_readers_keep_what_the_server_made_of_their_statements(postgresql_store: Store) -> None:
    """The driver has a statement prepared when it comes the sixth time; a transaction rolled back ends all of that."""
    def ask(session: Session) -> int:
        session.execute(text("SELECT count(*) FROM practices"))
        return int(session.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one())

    kept = [postgresql_store.read(ask) for _ in range(8)]
    assert kept[0] == 0 and kept[-1] > 0


def test_a_statement_of_a_readers_cannot_write_either(store: Store, now: datetime) -> None:
    with pytest.raises(DatabaseError):
        store.read(lambda session: session.execute(text("DELETE FROM practices")))


def test_a_connection_that_wrote_reads_only_when_a_reader_has_it(store: Store, now: datetime) -> None:
    for number in range(3):
        store.write(lambda session, number=number: session.add(  # type: ignore[misc]
            Lease(name=f"n{number}", owner="o", until_at=now)))
        with pytest.raises(DatabaseError):
            store.read(partial(_execute, sql="DELETE FROM leases"))
    assert store.read(lambda session: session.query(Lease).count()) == 3


def test_a_connection_that_the_server_ended_is_never_handed_out(postgresql_store: Store, now: datetime) -> None:
    """Nobody waits for an answer that cannot come, though a connection just used is taken again unasked."""
    for number in range(3):
        postgresql_store.write(lambda session, number=number: session.add(  # type: ignore[misc]
            Lease(name=f"n{number}", owner="o", until_at=now)))
        other = make_engine(postgresql_store.engine.url.render_as_string(hide_password=False))
        with other.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"))
        other.dispose()
        assert postgresql_store.read(lambda session: session.query(Lease).count()) == number + 1


def test_one_failing_writer_of_a_group_takes_only_its_own_work_along(store: Store, now: datetime) -> None:
    """Forty writers at once, every fourth fails after writing: thirty rows, ten exceptions, each to its own caller."""
    errors: dict[int, str] = {}
    barrier = threading.Barrier(40)

    def work(number: int) -> None:
        def fn(session: Session) -> None:
            session.add(Lease(name=f"n{number}", owner="o", until_at=now))
            session.flush()
            if number % 4 == 0:
                raise LookupError(f"writer {number}")

        barrier.wait()
        try:
            store.write(fn)
        except LookupError as error:
            errors[number] = str(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = store.read(lambda session: {row.name for row in session.query(Lease)})
    assert kept == {f"n{n}" for n in range(40) if n % 4}
    assert errors == {n: f"writer {n}" for n in range(0, 40, 4)}


def test_a_database_error_in_one_job_leaves_the_others_of_its_group_alone(store: Store, now: datetime) -> None:
    def twice(session: Session) -> None:
        session.add(Lease(name="same", owner="o", until_at=now))
        session.flush()
        session.execute(text("INSERT INTO leases (name, owner, until_at) VALUES ('same', 'x', '2026-01-01')"))

    with pytest.raises(DatabaseError):
        store.write(twice)
    store.write(lambda session: session.add(Lease(name="same", owner="later", until_at=now)))
    assert store.read(lambda session: session.query(Lease).one().owner) == "later"


def test_a_caller_hears_of_success_only_after_the_commit(store: Store, now: datetime) -> None:
    store.write(lambda session: session.add(Lease(name="a", owner="o", until_at=now)))
    other = make_engine(store.engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM leases")).scalar_one() == 1
    other.dispose()


async def test_awrite_and_aread_do_the_same_without_blocking_the_loop(store: Store, now: datetime) -> None:
    await store.awrite(lambda session: session.add(Lease(name="a", owner="o", until_at=now)))
    assert await store.aread(lambda session: session.query(Lease).count()) == 1


def test_a_write_inside_a_write_is_refused_rather_than_hanging(sqlite_store: Store) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        sqlite_store.write(lambda session: sqlite_store.write(lambda inner: None))


async def test_a_write_inside_a_write_of_the_writers_own_thread_is_refused_too(sqlite_store: Store) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        await sqlite_store.awrite(lambda session: sqlite_store.write(lambda inner: None))


def test_whoever_finds_nobody_writing_writes_in_its_own_thread(sqlite_store: Store) -> None:
    assert sqlite_store.write(lambda session: threading.get_ident()) == threading.get_ident()


async def test_what_came_while_somebody_wrote_goes_before_whoever_comes_later(sqlite_store: Store) -> None:
    """A loop of writes, as an import is one, does not keep everybody else waiting until it ends."""
    said: list[str] = []

    def slow(session: Session) -> None:
        begun.set()
        time.sleep(0.1)
        said.append("first")

    begun = threading.Event()
    first = asyncio.create_task(asyncio.to_thread(sqlite_store.write, slow))
    await asyncio.to_thread(begun.wait)
    waiting = asyncio.create_task(sqlite_store.awrite(lambda session: said.append("waited")))
    await asyncio.sleep(0.02)
    await asyncio.to_thread(lambda: [sqlite_store.write(lambda session: said.append("later")) for _ in range(2)])
    await asyncio.gather(first, waiting)
    assert said == ["first", "waited", "later", "later"]


def test_closing_waits_for_whoever_is_writing(sqlite_store: Store, now: datetime) -> None:
    begun = threading.Event()

    def slow(session: Session) -> None:
        begun.set()
        time.sleep(0.1)
        session.add(Lease(name="a", owner="o", until_at=now))

    writing = threading.Thread(target=sqlite_store.write, args=(slow,))
    writing.start()
    begun.wait()
    url = sqlite_store.engine.url.render_as_string(hide_password=False)
    sqlite_store.close()
    again = make_engine(url)
    with again.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM leases")).scalar_one() == 1
    again.dispose()
    writing.join()


def test_a_closed_store_takes_no_work(sqlite_store: Store) -> None:
    sqlite_store.close()
    with pytest.raises(StoreClosed):
        sqlite_store.write(lambda session: None)


def test_a_deadlock_on_postgresql_is_run_again_until_it_succeeds(postgresql_store: Store, now: datetime) -> None:
    for name in ("a", "b"):
        postgresql_store.write(partial(_add, row=Lease(name=name, owner="0", until_at=now)))
    barrier = threading.Barrier(2)
    waited: set[str] = set()

    def cross(first: str, second: str) -> None:
        def fn(session: Session) -> None:
            for name in (first, second):
                session.execute(text("UPDATE leases SET owner = owner || 'x' WHERE name = :n"), {"n": name})
                if name == first and first not in waited:
                    waited.add(first)
                    barrier.wait()

        postgresql_store.write(fn)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert postgresql_store.read(lambda s: [row.owner for row in s.query(Lease)]) == ["0xx", "0xx"]


def test_the_shipped_first_revision_is_what_the_tables_ask_for() -> None:
    """Until the first release the revision is remade by ``python -m billing.store.migrations.remake``."""
    shipped = schema.config().get_main_option("script_location")
    assert shipped is not None
    with open(f"{shipped}/versions/0001_initial.py", encoding="utf-8") as file:
        assert _plain(file.read()) == _plain(initial_revision())


def _plain(source: str) -> list[str]:
    return source.replace("'", '"').replace(",", " ").replace("(", " ( ").replace(")", " ) ").split()


def test_the_practice_fixture_is_a_configured_practice(store: Store, practice: Practice) -> None:
    assert store.read(lambda session: session.get_one(Practice, practice.id).sms_number) == "+12125550100"
