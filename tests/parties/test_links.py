"""Doors to one account: random, expiring, revocable, and no preview robot uses one up; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import links
from billing.store.tables import Link, Practice
from bot.write import Store
from tests.parties.scene import Scene, set_up


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def make(store: Store, scene: Scene, object_id: str = "stmt_1", days: int = 30) -> str:
    return store.write(lambda session: links.make(
        session, scene.practice_id, scene.guarantor_id, "statement", object_id, days, scene.now))


def opens(store: Store, token: str, now: datetime) -> bool:
    return store.read(lambda session: links.open(session, token, now)) is not None


def test_a_link_opens_its_object_as_often_as_it_is_asked(store: Store, scene: Scene) -> None:
    """The read is on a connection that cannot write: a preview robot consumes nothing."""
    token = make(store, scene)
    for _ in range(3):
        found = store.read(lambda session: links.open(session, token, scene.now))
        assert found is not None
        assert (found.guarantor_id, found.purpose, found.object_id) == (scene.guarantor_id, "statement", "stmt_1")


def test_it_opens_until_its_day_and_not_after(store: Store, scene: Scene) -> None:
    token = make(store, scene, days=2)
    assert opens(store, token, scene.now + timedelta(days=2, seconds=-1))
    assert not opens(store, token, scene.now + timedelta(days=2))


def test_a_guessed_or_altered_token_opens_nothing(store: Store, scene: Scene) -> None:
    token = make(store, scene)
    assert not opens(store, token[:-1], scene.now) and not opens(store, "", scene.now)


def test_the_token_itself_is_not_kept(store: Store, scene: Scene) -> None:
    token = make(store, scene)
    rows = store.read(lambda session: [row.token_hash for row in session.scalars(select(Link))])
    assert len(rows) == 1 and token not in rows[0]


def test_tokens_do_not_repeat_and_name_nothing(store: Store, scene: Scene) -> None:
    tokens = {make(store, scene) for _ in range(20)}
    assert len(tokens) == 20 and all(len(token) >= 22 and scene.guarantor_id not in token for token in tokens)


def test_one_link_or_all_of_an_account_or_of_an_object_can_be_revoked(store: Store, scene: Scene) -> None:
    first, second, third = make(store, scene, "a"), make(store, scene, "b"), make(store, scene, "c")
    assert store.write(lambda session: links.revoke(session, first, scene.now))
    assert not store.write(lambda session: links.revoke(session, first, scene.now))
    assert [opens(store, token, scene.now) for token in (first, second, third)] == [False, True, True]
    assert store.write(lambda session: links.revoke_object(session, "b", scene.now)) == 1
    assert [opens(store, token, scene.now) for token in (second, third)] == [False, True]
    assert store.write(lambda session: links.revoke_account(session, scene.guarantor_id, scene.now)) == 1
    assert not opens(store, third, scene.now)


def test_the_fifth_wrong_answer_behind_a_link_closes_it(store: Store, scene: Scene) -> None:
    token = make(store, scene)
    left = [store.write(lambda session: links.count_wrong_answer(session, token)) for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert not opens(store, token, scene.now)


def test_a_link_for_no_time_at_all_is_refused(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        links.make(session, scene.practice_id, scene.guarantor_id, "statement", "s", 0, scene.now)

    with pytest.raises(ValueError, match="one day"):
        store.write(work)
