"""A copy out of a backup and the channels that nobody can ask: held before a person, never sent again on a guess."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from billing import addresses, dunning_standing, mailing, restorations
from billing.restorations import CHANNELS, RestorationRefused
from billing.store.tables import Case, ContactPoint, Outbox
from billing.unknown_outcomes import MOST_LOOKUPS
from bot import deliver
from tests.dunning.house import House
from tests.mail.post import Post, manifest
from tests.mail.test_interrupted import gather
from tests.payments.world import PRACTICE


def restore(house: House, days: int = 2) -> None:
    """What is here is a copy of now, restored so many days later."""
    backup_at = house.clock()
    house.clock.at += timedelta(days=days)
    house.do(lambda session: restorations.begin(session, backup_at=backup_at, now=house.clock()))


def say(house: House, *channels: str, left: bool, last_run: int = 0) -> None:
    house.do(partial(restorations.say, practice_id=PRACTICE, channels=channels, left=left, reason="the provider's log",
                     by="ana", now=house.clock(), last_run=last_run))


def release(house: House) -> None:
    for what in ("texts", "money"):
        house.do(partial(restorations.note_checked, practice_id=PRACTICE, what=what, now=house.clock()))
    house.do(lambda session: restorations.release(session, PRACTICE, house.clock()))


def held(house: House) -> dict[str, int]:
    found = house.do(lambda session: restorations.standing(session, PRACTICE))
    assert found is not None
    return {one.channel: one.held for one in found.channels}


def test_the_channels_before_a_person_are_those_that_cannot_be_asked() -> None:
    assert set(CHANNELS) == {"sms", "telegram", "email", "paper", "console"} - deliver.CAN_BE_ASKED


async def test_what_was_due_by_email_and_letter_is_held_with_counts_and_one_case_for_each_channel(mailed: Post) -> None:
    lines = [mailed.demand(mailed.account(n, email=f"ana{n}@patient.example"), "email") for n in (1, 2)]
    lines.append(mailed.demand(mailed.account(3), "paper"))
    restore(mailed.house)
    assert held(mailed.house) == {"telegram": 0, "email": 2, "paper": 1}
    for _ in range(MOST_LOOKUPS + 1):
        await deliver.settle_unknown(mailed.road)
        mailed.wait(hours=1)
    assert await mailed.deliver() == 0 and mailed.arrived() == []
    assert {mailed.message(line).status for line in lines} == {"unknown"}
    assert mailed.house.cases() == ["restored", "restored"]
    with pytest.raises(RestorationRefused, match="no file leaves it before it is released"):
        mailed.export()
    with pytest.raises(RestorationRefused, match="2 held here"):
        release(mailed.house)


async def test_what_a_person_takes_as_left_never_leaves_again_and_the_rest_meets_the_gate(mailed: Post) -> None:
    """Per channel; the case of the channel is closed with who said so and why."""
    told = mailed.demand(mailed.account(1, email="ana1@patient.example"), "email")
    kept, paid = (mailed.demand(mailed.account(n), "paper") for n in (2, 3))
    restore(mailed.house)
    say(mailed.house, "email", "telegram", left=True)
    with pytest.raises(RestorationRefused, match="letters"):
        release(mailed.house)
    say(mailed.house, "paper", left=False, last_run=16)
    release(mailed.house)
    mailed.house.pay(10_000, mailed.message(paid).guarantor_id or "")
    assert await mailed.deliver() == 0 and mailed.arrived() == []
    (run,) = mailed.export().runs
    assert [row["letter"] for row in manifest(run.path)] == ["17-1"]  # 16 is outside, on somebody else's letters
    assert [mailed.message(line).status for line in (told, kept, paid)] == ["sent", "sent", "cancelled"]
    closed = mailed.house.do(lambda session: session.scalars(select(Case).order_by(Case.number)).all())
    assert [(one.status, one.closed_by, one.resolution) for one in closed] == [
        ("closed", "ana", "left: the provider's log"), ("closed", "ana", "nothing: the provider's log")]


async def test_what_was_not_due_before_the_restoration_cannot_have_left_whatever_is_said(mailed: Post) -> None:
    line = mailed.demand(mailed.account(1, email="ana1@patient.example"), "email")
    later = mailed.house.clock() + timedelta(days=9)
    mailed.house.do(lambda session: session.execute(update(Outbox).values(due_at=later)))
    restore(mailed.house)
    assert held(mailed.house)["email"] == 0
    say(mailed.house, *CHANNELS, left=True)
    release(mailed.house)
    assert (mailed.message(line).status, mailed.message(line).due_at) == ("queued", later)
    mailed.wait(days=9)
    await mailed.deliver()
    assert mailed.message(line).status == "sent" and len(mailed.arrived()) == 1


def test_a_word_may_be_changed_until_the_release_and_needs_a_reason(post: Post) -> None:
    line = post.demand(post.account(1), "paper")
    restore(post.house)
    word = partial(restorations.say, practice_id=PRACTICE, left=True, by="ana", now=post.house.clock())
    for wrong in ({"channels": ["sms"], "reason": "x"}, {"channels": ["paper"], "reason": " "}):
        with pytest.raises(RestorationRefused):
            post.house.do(partial(word, **wrong))
    say(post.house, *CHANNELS, left=False)
    say(post.house, "paper", left=True)
    release(post.house)
    assert post.message(line).status == "sent" and post.export().runs == ()
    with pytest.raises(RestorationRefused):
        say(post.house, "paper", left=False)


@pytest.mark.parametrize("left", [True, False])
def test_letters_of_a_run_that_was_being_made_are_held_and_printed_by_nobody(post: Post, left: bool) -> None:
    """Taken as left they keep their numbers, by which one that comes back is found; otherwise they join a new run."""
    line = post.demand(post.account(1), "paper")
    gather(post, close=True)
    restore(post.house)
    assert held(post.house)["paper"] == 1
    say(post.house, *CHANNELS, left=left, last_run=4)
    release(post.house)
    runs = post.export().runs
    assert post.message(line).status == "sent"
    if left:
        assert runs == ()
        post.house.do(lambda session: addresses.note_returned(
            session, PRACTICE, mailing.find_letter(session, PRACTICE, "1-1"), by="ana",
            on=post.house.policy.local_day(post.house.clock()), now=post.house.clock()))
        assert post.house.do(lambda session: session.scalars(select(ContactPoint.status)).all()) == ["returned"]
    else:
        assert [row["letter"] for row in manifest(runs[0].path)] == ["5-1"]
        assert [one.number for one in post.house.do(lambda s: mailing.list_batches(s, PRACTICE))] == [5]


@pytest.mark.parametrize(("left", "verdict"), [(True, "wait"), (False, "due")])
def test_the_calendar_counts_as_if_everybody_had_been_told_where_messages_are_taken_as_left(
        post: Post, left: bool, verdict: str) -> None:
    """What left after the backup and was never in it: no row tells of it, and yet nobody is told twice in a week."""
    account_id = post.account(1)
    restore(post.house)
    say(post.house, *CHANNELS, left=left)
    release(post.house)
    found = post.house.do(lambda session: dunning_standing.standing(
        session, post.house.policy, account_id, post.house.clock()))
    assert (found.verdict, found.next) == (verdict, "statement")
    post.wait(days=post.house.policy.dunning.minimum_gap_days if post.house.policy.dunning else 0)
    assert post.house.do(lambda session: dunning_standing.standing(
        session, post.house.policy, account_id, post.house.clock())).verdict == "due"


@pytest.mark.parametrize(("left", "outcome", "rule"), [
    ((), "queued", "allowed"), (("telegram",), "queued", "allowed"), (("email",), "deferred", "between-demands"),
    (("email", "paper"), "deferred", "household-frequency")])
def test_whom_messages_that_are_taken_as_left_may_have_told_waits_by_every_way(
        post: Post, left: tuple[str, ...], outcome: str, rule: str) -> None:
    """No row tells of what left after the backup: who has an address there counts as told once by each such channel."""
    post.house.settle(frequency={"per_7_days": 2})
    account_id = post.account(1, email="ana1@patient.example")
    restore(post.house)
    say(post.house, *CHANNELS, left=False)
    if left:
        say(post.house, *left, left=True)
    release(post.house)
    line = post.demand(account_id, "paper")
    assert (line.outcome, line.rule) == (outcome, rule)
    post.wait(days=8)
    assert post.demand(account_id, "paper", key="a week later").outcome == "queued"
