"""Two hundred accounts are told of their bills: preview, approval, three days within the caps, replies, a report.

It ends well only if everybody was told at most once, in their own waking hours and within the carrier's day; nobody was
told who had paid, said STOP or disputed before their turn; and the books agree to the cent, ours and the processor's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import campaign_reports, campaigns, consents, figures, payments, segments, staff
from billing.campaign_reports import Summary
from billing.money import dollars
from billing.phones import address_hash
from billing.store import demo_queries
from billing.store.tables import Campaign
from billing.verify import verify
from bot import campaign_previews, campaign_words, campaigning
from bot.demo import acts, bulk, crowd
from bot.demo.acts import Say
from bot.demo.bulk import APPROVER, MAKER
from bot.demo.people import Person
from bot.demo.stage import Stage, StageError
from bot.reconcile import reconcile

PER_DAY = 66
"""What the carrier takes of this practice in a day; a tenth of it is kept for answers."""

OPENS, CLOSES = 9, 20  # o'clock, everywhere: a practice's own hours, within the law's


@dataclass(slots=True)
class Story:
    """What happened, for the check at the end. Amounts in cents, by account."""

    campaign_id: str
    began: datetime
    settled: dict[str, int] = field(default_factory=dict)  # paid in full before their turn
    silent: set[str] = field(default_factory=set)  # not to be told: STOP or a dispute before their turn
    desk_minor: int = 0
    card_minor: int = 0


async def play(stage: Stage, say: Say) -> None:
    """Raises StageError where something does not come as it should."""
    stage.clock.hold()
    say(f"It is {acts.clock_of(stage)} at {stage.policy.legal_name}.\n")
    stage = await bulk.open_office(stage, say, per_day=PER_DAY)
    story = Story(await _draft(stage), stage.clock.now())
    digest = await _preview(stage, story, say)
    await _approve(stage, story, digest, say)
    await _send(stage, story, say)
    first = acts.local_now(stage).date()
    await bulk.pass_until(stage, bulk.at(stage, first, 13))
    await _replies(stage, story, say)
    await bulk.pass_until(stage, bulk.at(stage, first, 21))
    await bulk.say_day(stage, story.campaign_id, first, say)
    await _meanwhile(stage, story, say, every=4, also=True)
    for later in (1, 2):
        day = first + timedelta(days=later)
        await bulk.pass_until(stage, bulk.at(stage, day, 21))
        await bulk.say_day(stage, story.campaign_id, day, say)
        if later == 1:
            await _meanwhile(stage, story, say, every=3, also=False)
    await bulk.pass_until(stage, bulk.at(stage, first + timedelta(days=3), 9))
    await _report(stage, story, say)
    await _check(stage, story, say)


async def _draft(stage: Stage) -> str:
    def make(session: Session) -> str:
        everybody = segments.keep(session, stage.practice_id, "everybody", segments.parse({}), by=MAKER,
                                  now=stage.clock.now())
        return campaigns.create(session, practice_id=stage.practice_id, name="november statements", segment=everybody,
                                purpose="statement", template="statement_ready", ways=("sms", "paper"), by=MAKER,
                                now=stage.clock.now()).id

    return await stage.store.awrite(make)


async def _preview(stage: Stage, story: Story, say: Say) -> str:
    """Look at everybody, keep the counts; return the digest that an approval names."""
    say("\nThe preview; nothing has left:\n")
    shown = await stage.store.aread(lambda s: campaign_previews.preview(
        s, stage.app.road, stage.policy, s.get_one(Campaign, story.campaign_id), stage.clock.now()))
    bulk.say_preview(shown, stage, say)

    def keep(session: Session) -> str:
        row = session.get_one(Campaign, story.campaign_id)
        words = campaign_words.versions(row.template, row.ways, stage.policy.languages)
        return campaigns.keep_preview(session, row.id, shown.to_json(), policy=stage.policy, words=words, by=MAKER,
                                      now=stage.clock.now()).preview_digest

    return await stage.store.awrite(keep)


async def _approve(stage: Stage, story: Story, digest: str, say: Say) -> None:
    """Nobody approves their own; a second person does."""
    def approve(session: Session, by: str) -> None:
        row = session.get_one(Campaign, story.campaign_id)
        words = campaign_words.versions(row.template, row.ways, stage.policy.languages)
        campaigns.approve(session, row.id, by=by, digest=digest, policy=stage.policy, words=words,
                          now=stage.clock.now())

    try:
        await stage.store.awrite(partial(approve, by=MAKER))
    except staff.StaffRefused as refused:
        say(f"\n{MAKER} made it and approves it: refused, {refused}.")
    else:
        raise StageError("somebody approved their own campaign")
    await stage.store.awrite(partial(approve, by=APPROVER))
    say(f"{APPROVER} read the preview and approves exactly that.")


async def _send(stage: Stage, story: Story, say: Say) -> None:
    """It begins; it is paused, and nothing leaves; it goes on."""
    await stage.store.awrite(partial(campaigning.begin, campaign_id=story.campaign_id, by=MAKER, policy=stage.policy,
                                     now=stage.clock.now()))
    await bulk.quiet(stage)
    await stage.store.awrite(lambda s: campaigns.pause(s, story.campaign_id, by=MAKER, now=stage.clock.now()))
    before = len(await bulk.posts(stage, story.campaign_id))
    await bulk.pass_until(stage, stage.clock.now() + timedelta(minutes=10))
    after = len(await bulk.posts(stage, story.campaign_id))
    say(f"\n{MAKER} sends it. Paused after {before} texts; ten minutes on it is still {after}. Resumed.")
    if not before or before != after:
        raise StageError("a pause did not hold everything back")
    await stage.store.awrite(lambda s: campaigns.resume(s, story.campaign_id, by=MAKER, now=stage.clock.now()))


async def _replies(stage: Stage, story: Story, say: Say) -> None:
    """Of those who were told: one asks, one stops it, one disputes, one says it is paid, one pays by the link."""
    told = {row.account for row, _ in await bulk.posts(stage, story.campaign_id)}
    asks, stops, disputes, says_paid, pays = [
        one.person() for one in crowd.residents() if one.account in told and one.language == "en"][:5]
    await _text(stage, say, asks, "why do I owe this?", _proof(asks), "yes")
    await _text(stage, say, stops, "please stop texting me")
    await _text(stage, say, disputes, "this is wrong, i never had this visit", _proof(disputes), "yes")
    await _text(stage, say, says_paid, "i already paid this", "2")
    await _pay(stage, story, say, pays)
    for person, kind in ((disputes, "dispute"), (says_paid, "paid_already")):
        if kind not in await _holds(stage, person):
            raise StageError(f"what {person.account} said did not stop what asks for money")


async def _pay(stage: Stage, story: Story, say: Say, person: Person) -> None:
    owed = await _due(stage, person.account)
    await _text(stage, say, person, "pay", _proof(person), "yes", "all", "yes")
    link = await acts.last_link(stage, person)
    before = len(await acts.thread_of(stage, person))
    async with acts.new_browser() as browser:
        await acts.open_page(browser, link, person)
        await acts.pay_by_card(browser, link, person, say)

    async def heard() -> bool:
        return len(await acts.thread_of(stage, person)) > before

    await stage.wait_for(heard, "the receipt")
    await bulk.quiet(stage)
    await acts.say_new(stage, person, "sms", before, say)
    story.card_minor += owed


async def _meanwhile(stage: Stage, story: Story, say: Say, *, every: int, also: bool) -> None:
    """In the evening some of those who wait pay at the desk; one of them pays a part, one texts STOP, one disputes."""
    rows = await stage.store.aread(lambda s: demo_queries.bulk_rows(s, story.campaign_id))
    waiting = [account for account, _, outcome, _ in rows if outcome == "waiting"]
    owing = [account for account in waiting if await _due(stage, account) > 0]
    payers = owing[::every]
    for account in payers:
        story.settled[account] = await _pay_at_desk(stage, story, account)
    say(f"\nIn the evening {len(payers)} of those who wait pay at the desk, "
        f"{dollars(sum(story.settled[one] for one in payers))}.")
    if not also:
        return
    others = [one.person() for one in crowd.residents()
              if one.account in owing and one.account not in payers and one.language == "en" and one.consented]
    part, stops, disputes = others[:3]
    half = await _pay_at_desk(stage, story, part.account, part=2)
    say(f"{part.account} pays {dollars(half)} of it, and will be told of the rest.")
    await _stop(stage, say, stops)
    await _text(stage, say, disputes, "this bill is wrong, i never had this visit", _proof(disputes), "yes")
    story.silent |= {stops.account, disputes.account}


async def _stop(stage: Stage, say: Say, person: Person) -> None:
    """The one word goes onto the carrier's own list as well, and it is the carrier who answers it."""
    say(f"{acts.heading(stage, person)}\n  > STOP")
    await stage.text(person.phone, "STOP")
    await bulk.quiet(stage)
    hashed = address_hash(stage.practice_id, "sms", person.phone)
    if not await stage.store.aread(lambda s: consents.standing(s, stage.practice_id, "sms", hashed).opted_out):
        raise StageError("a STOP was not heard")


async def _pay_at_desk(stage: Stage, story: Story, account: str, part: int = 1) -> int:
    minor = await _due(stage, account) // part
    await stage.store.awrite(lambda s: payments.record_desk_payment(
        s, stage.practice_id, acts.account_id(s, stage, _who(account)), amount_minor=minor, currency="USD",
        tender="cash", reference=f"receipt {account} {part}", recorded_by=MAKER, now=stage.clock.now()))
    story.desk_minor += minor
    return minor


async def _due(stage: Stage, account: str) -> int:
    today = acts.local_now(stage).date()
    found = await stage.store.aread(lambda s: figures.account_figures(
        s, acts.account_id(s, stage, _who(account)), today))
    return found.total.due_now_minor


async def _holds(stage: Stage, person: Person) -> list[str]:
    return await stage.store.aread(lambda s: [
        hold.kind for hold in demo_queries.open_holds(s, acts.account_id(s, stage, person))])


def _who(account: str) -> Person:
    return Person(account, "", "", "", "", "")


def _proof(person: Person) -> str:
    return f"{person.born_on} {person.postal_code}"


async def _text(stage: Stage, say: Say, person: Person, *bodies: str) -> None:
    say(acts.heading(stage, person))
    await acts.converse(stage, person, "sms", say, *bodies)


async def _report(stage: Stage, story: Story, say: Say) -> None:
    total, status = await _summary(stage, story)
    say(f"\nThe report, {acts.clock_of(stage)}: the campaign is {status}.")
    say(f"  {total.accounts} accounts: {total.left} texts left, {total.delivered} were delivered; "
        f"{total.paid_between} had paid something before their turn.\n"
        f"  Wrote back {total.replied}, opted out {total.opted_out}, paid after it {total.paid}: "
        f"{dollars(total.paid_minor)}.\n"
        f"  {total.segments} segments, about {dollars(-(-total.cost_micros // 10_000))}.")
    say("  What became of them: " + _counted(total.fates) + "; what is queued are letters for the print run.\n"
        "  Left out, by rule: " + _counted(total.rules) + ".")


async def _summary(stage: Stage, story: Story) -> tuple[Summary, str]:
    def read(session: Session) -> tuple[Summary, str]:
        row = session.get_one(Campaign, story.campaign_id)
        return campaign_reports.summarize(session, row, stage.policy.carrier), row.status

    return await stage.store.aread(read)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


async def _check(stage: Stage, story: Story, say: Say) -> None:
    """Raises StageError unless all that was shown has happened, by the carrier's journal and both books."""
    total, status = await _summary(stage, story)
    found = await bulk.posts(stage, story.campaign_id)
    told = Counter(row.account for row, _ in found)
    early = [row.account for row, post in found
             if not OPENS <= post.at.astimezone(ZoneInfo(bulk.ZONES[row.region or "NY"])).hour < CLOSES]
    days: Counter[date] = bulk.per_day(found)
    wrong = sorted(told.keys() & (story.settled.keys() | story.silent))
    replay = await stage.store.aread(verify)
    books = await reconcile(stage.app.road, stage.app.processor, stage.practice_id, by="demo",
                            since=story.began - timedelta(days=1), until=stage.clock.now())
    say(f"\nBy the carrier's journal: {len(found)} texts to {len(told)} accounts, {max(told.values())} to each, "
        f"{len(early)} outside {OPENS}:00 to {CLOSES}:00, at most {max(days.values())} in a day, {len(wrong)} to who "
        f"had paid, stopped or disputed before.\nPaid meanwhile: {dollars(story.desk_minor)} at the desk, "
        f"{dollars(story.card_minor)} by card. {len(replay.problems)} findings of the independent replay; processor's "
        f"books {dollars(books.processor_minor or 0)}, our ledger {dollars(books.ledger_minor or 0)}, "
        f"{len(books.open)} differences.")
    kept = stage.policy.carrier.kept_for_replies
    if (status != campaigns.DONE or max(told.values()) != 1 or len(found) != total.ways["sms"] or early or wrong
            or len(days) != 3 or max(days.values()) > PER_DAY * (100 - kept) // 100 or replay.problems or books.open
            or books.processor_minor != books.ledger_minor or not story.settled or not story.card_minor):
        raise StageError("the campaign does not end as it should")
