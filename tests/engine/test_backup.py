"""A backup holds everything, opens for nobody without its key, and comes back as a copy that keeps still."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import campaigns, processor_calls, restorations
from billing.ids import new_id
from billing.lives import IllegalMove
from billing.message_life import STATUSES
from billing.store import copying
from billing.store.practices import find_practice, policy_of
from billing.store.tables import Outbox, ProcessorCall
from bot import backup
from bot.backup import BackupRefused, read_backup, restore_backup, write_backup
from bot.write import Store, open_store
from tests.campaigns.world import make_town
from tests.conftest import TEST_KEYS, Clock
from tests.payments import world

KEY = bytes(range(1, 33))
SURNAME = "Rivera"


@pytest.fixture
def full(store: Store, practice: object, clock: Clock) -> Store:
    """A store with an account, a statement's worth of visits, and messages in several states."""
    store.write(lambda session: world.anna(session, clock()))
    store.write(lambda session: _under_way(session, clock()))
    return store


def _under_way(session: Session, now: datetime) -> None:
    """A message in every state, and a call to the processor that was not made yet."""
    for status in STATUSES:
        session.add(Outbox(
            id=new_id("msg"), practice_id=world.PRACTICE, channel="sms", address="+12125550142", address_hash="h",
            guarantor_id=world.ANNA, purpose="reminder", template="t", template_version="1", language="en",
            privacy="open", arguments={}, body="Rivera", segments=1, status=status, due_at=now,
            idempotency_key=status, created_at=now))
    processor_calls.enqueue(session, practice_id=world.PRACTICE, kind="refund", object_id="r", key="k", request={},
                            now=now)


def test_what_comes_back_on_the_other_kind_of_database_is_what_went_in(
        full: Store, sqlite_url: str, postgresql_url: str, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "b.plainbill"
    written = write_backup(full, KEY, file, clock())
    before = full.read(_everything)
    kind = full.engine.dialect.name
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}" if kind == "postgresql" else postgresql_url, TEST_KEYS,
                       upgrade=True)
    try:
        assert restore_backup(other, KEY, file, clock()).rows == written.rows
        after = other.read(_everything)
    finally:
        other.close()
    changed = {"practices", "outbox", "processor_calls", "leases", "inbox"}  # what a restoration itself touches
    assert {name: rows for name, rows in after.items() if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed}
    assert written.rows["transfers"] > 0
    assert sum(written.rows.values()) == written.total


def _everything(session: Session) -> dict[str, list[object]]:
    return {name: [row for part in copying.rows_of(session, name) for row in part]
            for name in copying.table_names()}


def test_what_was_on_its_way_is_of_unknown_outcome_and_nothing_leaves_a_restored_copy(
        full: Store, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "b.plainbill"
    write_backup(full, KEY, file, clock())
    copy = open_store(f"sqlite:///{tmp_path / 'copy.db'}", TEST_KEYS)
    try:
        restore_backup(copy, KEY, file, clock() + timedelta(days=2))
        live = copy.read(lambda s: s.scalars(select(Outbox.status).where(Outbox.status.in_(
            ("queued", "deferred", "claimed", "sending")))).all())
        calls = copy.read(lambda s: s.scalars(select(ProcessorCall.status).where(ProcessorCall.status.in_(
            ("queued", "calling")))).all())
        practice = copy.read(lambda s: find_practice(s, world.PRACTICE))
        standing = copy.read(lambda s: restorations.standing(s, world.PRACTICE))
    finally:
        copy.close()
    assert (list(live), list(calls)) == ([], [])
    assert practice is not None
    assert policy_of(practice).sending == "restored"
    assert standing is not None
    assert len(standing.missing) == 3 + len(restorations.CHANNELS)


def test_a_copy_is_released_only_when_texts_money_channels_and_unknown_outcomes_are_done_with(
        sqlite_store: Store, sqlite_practice: object, tmp_path: Path, clock: Clock) -> None:
    sqlite_store.write(lambda s: restorations.begin(s, backup_at=clock(), now=clock()))
    for what in ("texts", "money"):
        with pytest.raises(restorations.RestorationRefused, match="stays in the shadow"):
            sqlite_store.write(lambda s: restorations.release(s, world.PRACTICE, clock()))
        sqlite_store.write(lambda s, what=what: restorations.note_checked(s, world.PRACTICE, what, clock()))  # type: ignore[misc]
    for channel in restorations.CHANNELS:
        with pytest.raises(restorations.RestorationRefused, match=f"plainbill restored channel {channel}"):
            sqlite_store.write(lambda s: restorations.release(s, world.PRACTICE, clock()))
        sqlite_store.write(partial(restorations.say, practice_id=world.PRACTICE, channels=[channel], left=True,
                                   reason="the log", by="ana", now=clock()))
    sqlite_store.write(lambda s: restorations.release(s, world.PRACTICE, clock()))
    assert sqlite_store.read(lambda s: restorations.standing(s, world.PRACTICE)) is None
    with pytest.raises(restorations.RestorationRefused):
        sqlite_store.write(lambda s: restorations.release(s, world.PRACTICE, clock()))


@pytest.mark.parametrize("harm", ["another key", "cut", "altered", "swapped", "longer", "no backup"])
def test_a_file_that_is_not_whole_and_ours_is_refused_and_changes_nothing(
        full: Store, tmp_path: Path, clock: Clock, harm: str) -> None:
    file = tmp_path / "b.plainbill"
    write_backup(full, KEY, file, clock())
    data, key = bytearray(file.read_bytes()), KEY
    match harm:
        case "another key":
            key = bytes(32)
        case "cut":
            del data[-40:]
        case "altered":
            data[len(data) // 2] ^= 1
        case "swapped":
            data[35:35] = data[35:60]
        case "longer":
            data += b"x"
        case _:
            data[:5] = b"hello"
    file.write_bytes(data)
    empty = open_store(f"sqlite:///{tmp_path / 'empty.db'}", TEST_KEYS)
    try:
        with pytest.raises(BackupRefused):
            restore_backup(empty, key, file, clock())
        empty.read(copying.require_empty)
    finally:
        empty.close()


def test_nothing_of_a_patient_can_be_read_in_the_file_nor_with_the_backups_key_alone(
        full: Store, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "b.plainbill"
    write_backup(full, KEY, file, clock())
    assert SURNAME.encode() not in file.read_bytes()
    opened = "".join(str(frame) for frame in backup._frames(KEY, file))
    assert SURNAME not in opened
    assert read_backup(KEY, file).total > 0
    assert file.stat().st_mode & 0o077 == 0


def test_a_backup_replaces_no_file_and_a_restore_fills_no_full_database(
        full: Store, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "b.plainbill"
    write_backup(full, KEY, file, clock())
    with pytest.raises(BackupRefused, match="never replaces"):
        write_backup(full, KEY, file, clock())
    with pytest.raises(copying.NotEmpty):
        restore_backup(full, KEY, file, clock())


@pytest.mark.parametrize("far", ["approved", "sending", "paused"])
def test_a_released_copy_tells_nobody_what_a_campaign_may_have_told_them_since_the_backup(
        sqlite_store: Store, clock: Clock, far: str) -> None:
    """Approved or under way when the backup was made, it may have told everybody by now, by whatever channel."""
    town = make_town(sqlite_store, clock)
    town.account(1)
    campaign_id = town.campaign()
    town.preview(campaign_id)
    town.approve(campaign_id)
    if far != "approved":
        town.start(campaign_id)
    if far == "paused":
        town.do(lambda s: campaigns.pause(s, campaign_id, by="ana", now=clock()))
    town.do(lambda s: restorations.begin(s, backup_at=clock(), now=clock()))
    for what in ("texts", "money"):
        town.do(lambda s, what=what: restorations.note_checked(s, world.PRACTICE, what, clock()))  # type: ignore[misc]
    town.do(partial(restorations.say, practice_id=world.PRACTICE, channels=restorations.CHANNELS, left=False,
                    reason="the server was off", by="ana", now=clock()))
    town.do(lambda s: restorations.release(s, world.PRACTICE, clock()))
    town.work()
    assert town.channel.taken == []
    assert town.row(campaign_id).status == "stopped"
    with pytest.raises(IllegalMove):
        town.start(campaign_id)
