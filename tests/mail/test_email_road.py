"""An e-mail's way: neutral outside, by link only, never sent twice; and what follows when it is stopped or bounces."""

from __future__ import annotations

from email import message_from_string
from email.policy import default as reading
from functools import partial

import aiohttp
import pytest
from sqlalchemy import select, update

from billing import consents, outbox, unsubscribing
from billing.outbox import Draft
from billing.phones import address_hash
from billing.store import account_queries
from billing.store.tables import ContactPoint, Link
from bot import deliver, email_reports
from bot.channels.email_bounces import Bounce
from bot.dunning_days import work_dunning
from tests.mail.post import MAIL, SITE, Post
from tests.payments.world import PRACTICE

ANA = "ana@patient.example"


def stop_path(post: Post) -> str:
    """The path of the stop page in the newest e-mail that arrived."""
    mail = message_from_string(post.arrived()[-1]["raw"], policy=reading)
    return str(mail["List-Unsubscribe"]).partition(">")[0].removeprefix(f"<{SITE}")


def words(raw: str, form: str = "plain") -> str:
    body = message_from_string(raw, policy=reading).get_body((form,))
    assert body is not None
    return str(body.get_content())


async def test_a_bill_by_email_is_a_neutral_subject_and_a_link_and_no_amount(mailed: Post) -> None:
    line = mailed.demand(mailed.account(1, email=ANA))
    assert (line.way, line.outcome) == ("email", "queued")
    await mailed.deliver()
    (taken,) = mailed.arrived()
    mail = message_from_string(taken["raw"], policy=reading)
    said = words(taken["raw"])
    assert mail["Subject"] == "A message from your doctor's billing office" and mail["To"] == ANA
    assert f"{SITE}/l/" in said and "$" not in said
    assert "Rivera" not in taken["raw"] and "K1" not in taken["raw"] and "acct_1" not in taken["raw"]
    assert mailed.message(line).provider_id == f"<{line.message_id}@maple.example>"


async def test_each_language_has_its_own_subject_and_words(mailed: Post) -> None:
    mailed.demand(mailed.account(1, email=ANA, language="es"))
    await mailed.deliver()
    mail = message_from_string(mailed.arrived()[0]["raw"], policy=reading)
    assert mail["Subject"] == "Un mensaje de la oficina de cobros de su doctor"
    assert "Tenemos una cuenta nueva para usted." in words(mailed.arrived()[0]["raw"], "html")


async def test_after_the_patient_wants_email_again_the_next_bill_comes_so_and_what_was_withheld_stays(
        mailed: Post) -> None:
    account_id, house = mailed.account(1, email=ANA), mailed.house
    held = mailed.demand(account_id)
    hashed = address_hash(PRACTICE, "email", ANA)
    house.do(lambda session: consents.record_revoked(session, PRACTICE, "email", hashed, wording="stop it",
                                                     medium="staff", recorded_by="bill", now=house.clock()))
    await mailed.deliver()
    again = partial(consents.record_wanted_again, practice_id=PRACTICE, address_hash=hashed, wording="start again",
                    medium="phone", recorded_by="bill", now=house.clock())
    for wrong in ({"channel": "sms"}, {"channel": "email", "wording": " "}, {"channel": "email", "medium": "import"}):
        with pytest.raises(consents.ConsentRefused):
            house.do(partial(again, **wrong))
    assert stopped(mailed)
    house.do(partial(again, channel="email"))
    assert not stopped(mailed)
    mailed.wait(days=9)
    line = mailed.demand(account_id, key="again")
    await mailed.deliver()
    assert (line.way, mailed.message(line).status, mailed.message(held).status) == ("email", "sent", "withheld")
    with pytest.raises(consents.ConsentRefused, match="not stopped"):
        house.do(partial(again, channel="email"))


def draft(post: Post, account_id: str, privacy: str) -> Draft:
    return Draft(PRACTICE, "email", ANA, address_hash(PRACTICE, "email", ANA), "notice", "balance", "1", "en", privacy,
                 "You owe $100.00. To stop these e-mails, call us.", 1, f"amounts:{post.house.clock()}",
                 guarantor_id=account_id, subject="A message")


def test_amounts_need_a_wish_on_record_after_the_warning_and_an_agreement_with_the_server(post: Post) -> None:
    account_id, house = post.account(1, email=ANA), post.house
    rulings = [ruling(post, account_id)]
    house.do(lambda session: consents.record_detail(
        session, PRACTICE, "email", address_hash(PRACTICE, "email", ANA), guarantor_id=account_id, allowed=True,
        wording="E-mail is not private. Do you want amounts in it?", recorded_by="bill", now=house.clock()))
    rulings.append(ruling(post, account_id))
    house.settle(**MAIL, baa_signed=("twilio", "email"))
    rulings.append(ruling(post, account_id))
    assert rulings == ["T-33", "T-37", "allowed"]


def ruling(post: Post, account_id: str) -> str:
    """By which rule an e-mail with an amount in it is withheld now, or allowed."""
    post.wait(minutes=1)
    row = post.house.do(lambda session: outbox.put(session, draft(post, account_id, "amounts"), post.house.clock()))
    verdict = post.house.do(lambda session: account_queries.last_verdict(session, row.id))
    return verdict.rule if verdict else ""


async def test_looking_at_the_stop_page_changes_nothing_and_says_nothing(
        mailed: Post, browser: aiohttp.ClientSession) -> None:
    mailed.demand(mailed.account(1, email=ANA))
    await mailed.deliver()
    shown = [await (await browser.get(path)).text() for path in (stop_path(mailed), "/u/nothing")]
    assert shown[0].replace(stop_path(mailed), "/u/nothing") == shown[1] and "Maple" not in shown[0]
    assert not stopped(mailed)


@pytest.mark.parametrize("body", [b"List-Unsubscribe=One-Click", b""])
async def test_one_click_binds_at_once_and_the_next_bill_goes_on_paper_with_the_reason(
        mailed: Post, browser: aiohttp.ClientSession, body: bytes) -> None:
    account_id = mailed.account(1, email=ANA)
    mailed.demand(account_id)
    await mailed.deliver()
    for _ in range(2):
        answer = await browser.post(stop_path(mailed), data=body)
        assert answer.status == 200 and "Maple Clinic" in await answer.text()
    assert (await browser.post("/u/nothing", data=body)).status == 404
    assert stopped(mailed)
    again = mailed.demand(account_id, key="again")
    assert (again.way, again.passed) == ("paper", (("email", "opted_out"),))


async def test_what_waits_already_does_not_leave_after_the_stop(mailed: Post) -> None:
    account_id = mailed.account(1, email=ANA)
    mailed.demand(account_id)
    await mailed.deliver()
    mailed.wait(days=9)  # the eighth is a holiday
    waits = mailed.demand(account_id, key="again")
    token = stop_path(mailed).removeprefix("/u/")
    mailed.house.do(lambda session: unsubscribing.stop(session, token, mailed.house.clock()))
    await mailed.deliver()
    assert (mailed.message(waits).status, mailed.last_rule(waits)) == ("withheld", "T-03")
    assert len(mailed.arrived()) == 1


async def test_an_old_or_closed_link_still_stops(mailed: Post) -> None:
    mailed.demand(mailed.account(1, email=ANA))
    await mailed.deliver()
    mailed.wait(days=900)
    mailed.house.do(lambda session: session.execute(
        update(Link).values(revoked_at=mailed.house.clock())))
    token = stop_path(mailed).removeprefix("/u/")
    assert mailed.house.do(lambda session: unsubscribing.stop(session, token, mailed.house.clock())) is not None
    assert stopped(mailed)


async def test_a_link_to_a_bill_stops_nothing(mailed: Post) -> None:
    """Only the page's own tokens do: whoever forwards a bill's link hands nobody a switch."""
    mailed.demand(mailed.account(1, email=ANA))
    await mailed.deliver()
    token = words(mailed.arrived()[0]["raw"]).partition(f"{SITE}/l/")[2].split()[0]
    assert mailed.house.do(lambda session: unsubscribing.stop(session, token, mailed.house.clock())) is None


async def test_an_email_of_unknown_outcome_is_before_staff_and_never_sent_again(mailed: Post) -> None:
    line = mailed.demand(mailed.account(1, email="ana0022@patient.example"))
    await mailed.deliver()
    assert mailed.message(line).status == "unknown" and len(mailed.arrived()) == 1
    mailed.wait(hours=1)
    await deliver.settle_unknown(mailed.road)
    mailed.wait(days=2)
    assert (await mailed.deliver(), len(mailed.arrived()), mailed.message(line).status) == (0, 1, "unknown")
    assert "unknown_outcome" in mailed.house.cases()


async def test_a_greylisted_email_is_tried_again_by_itself(mailed: Post) -> None:
    line = mailed.demand(mailed.account(1, email=ANA))
    assert mailed.server is not None
    mailed.server.post.faults.set("send:*", {"mode": "429"})
    await mailed.deliver()
    assert mailed.message(line).status == "queued"
    mailed.wait(minutes=2)
    await mailed.deliver()
    assert (mailed.message(line).status, len(mailed.arrived())) == ("sent", 1)


async def test_an_email_that_is_refused_is_over_and_before_a_person_and_the_others_leave(mailed: Post) -> None:
    """However often its server is asked, it would say the same; it is not first in line for ever, nor does it pause."""
    refused = mailed.demand(mailed.account(1, email="ana0030@patient.example"))
    good = [mailed.demand(mailed.account(n, email=f"ana{n}@patient.example")) for n in (2, 3)]
    await mailed.deliver()
    assert mailed.message(refused).status == "failed"
    assert [mailed.message(line).status for line in good] == ["sent", "sent"]
    mailed.wait(minutes=5)
    after = mailed.demand(mailed.account(4, email="ana4@patient.example"))
    await mailed.deliver()
    assert mailed.message(after).status == "sent" and len(mailed.arrived()) == 3
    assert mailed.house.cases() == ["undelivered"]


async def test_three_different_emails_in_a_row_refused_alike_pause_the_channel(mailed: Post) -> None:
    """Then it is not about them: relaying denied, or a server that takes all our words for spam."""
    for number, fate in enumerate(("0030", "", "0030", "0005", "0030", "0030")):
        mailed.demand(mailed.account(number, email=f"ana{number}{fate}@patient.example"))
        await mailed.deliver()
        mailed.wait(minutes=1)
        assert "channel_paused" not in mailed.house.cases()  # never three alike yet
    last = mailed.demand(mailed.account(8, email="ana80030@patient.example"))
    await mailed.deliver()
    assert mailed.message(last).status == "failed" and "channel_paused" in mailed.house.cases()
    waits = mailed.demand(mailed.account(9, email="ana9@patient.example"))
    mailed.wait(minutes=30)
    await mailed.deliver()
    assert mailed.message(waits).status == "queued"
    mailed.wait(minutes=31)
    await mailed.deliver()
    assert mailed.message(waits).status == "sent"


async def test_three_that_answer_alike_are_about_us_and_nobody_s_address_is_given_up(mailed: Post) -> None:
    """Each was marked when it refused; when the third says the same, all of them are good again."""
    accounts = [mailed.account(n, email=f"ana{n}0030@patient.example") for n in (1, 2, 3)]
    gone = mailed.account(4, email="ana40001@patient.example")
    mailed.demand(gone)
    for number, account_id in enumerate(accounts):
        assert statuses(mailed, accounts) == ["unreachable"] * number + ["ok"] * (3 - number)
        mailed.demand(account_id)
        await mailed.deliver()
        mailed.wait(minutes=1)
    assert "channel_paused" in mailed.house.cases()
    assert statuses(mailed, [*accounts, gone]) == ["ok", "ok", "ok", "unreachable"]


def statuses(mailed: Post, accounts: list[str]) -> list[str]:
    """Of their e-mail addresses."""
    return [mailed.house.do(lambda session, one=one: session.scalars(  # type: ignore[misc]
        select(ContactPoint.status).where(ContactPoint.guarantor_id == one, ContactPoint.channel == "email")).one())
        for one in accounts]


@pytest.mark.parametrize("fate", ["0005", "0008", "0009", "0030"])
async def test_an_address_that_refuses_us_for_good_is_marked_and_paper_follows_with_the_reason(
        mailed: Post, fate: str) -> None:
    account_id = mailed.account(1, email=f"ana{fate}@patient.example")
    mailed.demand(account_id)
    await mailed.deliver()
    assert statuses(mailed, [account_id]) == ["unreachable"]
    for number in range(3):
        mailed.wait(days=7)
        again = mailed.demand(account_id, key=f"try {number}")
        assert (again.way, again.passed) == ("paper", (("email", "unreachable"),))
    assert set(mailed.house.cases()) == {"undelivered"}, "somebody looks for a better address; nothing is paused"


@pytest.mark.parametrize("fate", ["0006", "0031"])
async def test_an_address_that_does_not_take_one_message_is_good_for_the_next(mailed: Post, fate: str) -> None:
    account_id = mailed.account(1, email=f"ana{fate}@patient.example")
    mailed.demand(account_id)
    await mailed.deliver()
    assert statuses(mailed, [account_id]) == ["ok"]
    mailed.wait(days=7)
    assert mailed.demand(account_id, key="again").way == "email"


async def test_a_day_of_reminders_after_a_refusal_looks_for_an_address_and_goes_on_by_letter(mailed: Post) -> None:
    account_id = mailed.account(1, email="ana0005@patient.example")
    mailed.house.at(mailed.house.policy.local_day(mailed.house.clock()), 12)
    await work_dunning(mailed.road)
    await mailed.deliver()
    for _ in range(14):
        mailed.wait(days=1)
        await work_dunning(mailed.road)
    first, second = mailed.house.messages(account_id)[:2]
    assert (first.channel, first.status, second.channel) == ("email", "failed", "paper")
    assert (second.passed or [])[-1] == ["email", "unreachable"]
    assert "address_finding" in mailed.house.cases()


async def test_a_mailbox_that_is_not_there_is_never_tried_again_and_paper_follows(mailed: Post) -> None:
    account_id = mailed.account(1, email="ana0001@patient.example")
    line = mailed.demand(account_id)
    await mailed.deliver()
    assert mailed.message(line).status == "failed"
    again = mailed.demand(account_id, key="again")
    assert (again.way, again.passed) == ("paper", (("email", "unreachable"),))


async def test_a_bounce_is_taken_once_and_marks_the_address(mailed: Post) -> None:
    account_id = mailed.account(1, email="ana0004@patient.example")
    line = mailed.demand(account_id)
    await mailed.deliver()
    found = [Bounce(line.message_id or "", "5.1.1", True), Bounce(line.message_id or "", "4.4.1", False),
             Bounce("msg_nobodys", "5.1.1", True), None]
    told = [mailed.house.do(lambda session: email_reports.apply(session, PRACTICE, found, mailed.house.clock()))
            for _ in range(2)]
    assert [(one.undelivered, one.known, one.waiting, one.strange) for one in told] == [(1, 0, 1, 2), (0, 1, 1, 2)]
    row = mailed.message(line)
    assert (row.status, row.error_code) == ("undelivered", "5.1.1")
    assert mailed.house.do(lambda session: session.scalars(select(ContactPoint.status).where(
        ContactPoint.guarantor_id == account_id, ContactPoint.channel == "email")).one()) == "unreachable"
    assert mailed.demand(account_id, key="again").way == "paper"


async def test_nothing_about_a_bill_goes_to_an_employers_address(mailed: Post) -> None:
    account_id = mailed.account(1, email=ANA)
    mailed.house.do(lambda session: session.execute(update(ContactPoint).values(at_work=True)))
    line = mailed.demand(account_id)
    assert (line.way, line.passed) == ("paper", (("email", "at_work"),))


def test_without_a_mail_part_in_the_policy_nothing_goes_by_email(post: Post) -> None:
    account_id = post.account(1, email=ANA)
    post.house.settle()
    assert post.demand(account_id).passed == (("email", "not_set_up"),)


def stopped(post: Post) -> bool:
    hashed = address_hash(PRACTICE, "email", ANA)
    return post.house.do(lambda session: consents.standing(session, PRACTICE, "email", hashed)).opted_out

