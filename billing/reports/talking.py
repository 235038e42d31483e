"""What patients did with our messages: talks settled without staff, opt-outs, disputes, plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from billing.reports.shape import Cell, Column, Figure, Report, Scope, Table, share
from billing.store import report_talk_queries as store
from billing.store.report_talk_queries import CampaignCount, Moment, OptOuts, PlanCount

SILENCE = timedelta(hours=24)
"""A patient who writes again after so much silence has begun another talk."""
STAYS = timedelta(days=7)
OPT_OUT_DAYS = 30
PLAN_DAYS = 365

#: Cases in which a patient says that we are wrong.
DISPUTES = {"dispute": "The bill is disputed", "paid_already": "Says it is paid already",
            "explain_mismatch": "A bill that does not add up", "wrong_number": "Not the right person",
            "identity": "Could not be identified"}


@dataclass(frozen=True, slots=True)
class Talk:
    """``handed_over``: a person came in. ``stayed``: nobody did within seven days, and the patient did not write again;
    None: the seven days are not over.
    """

    began_at: datetime
    ended_at: datetime
    handed_over: bool
    stayed: bool | None


def talks(moments: Iterable[Moment], until: datetime) -> Iterator[Talk]:
    """Talks from the moments of conversations, each conversation's in order. Only what was said begins one."""
    for _, own in groupby(moments, key=lambda one: one.conversation_id):
        yield from _of_one(list(own), until)


def _of_one(moments: Sequence[Moment], until: datetime) -> Iterator[Talk]:
    spans: list[list[datetime]] = []
    for at in (one.at for one in moments if one.what == "said"):
        if spans and at - spans[-1][1] < SILENCE:
            spans[-1][1] = at
        else:
            spans.append([at, at])
    people = [one.at for one in moments if one.what != "said"]
    for number, (began, ended) in enumerate(spans):
        again = number + 1 < len(spans) and spans[number + 1][0] <= ended + STAYS
        person = any(began <= at < ended + SILENCE for at in people)
        later = any(began <= at <= ended + STAYS for at in people)
        yield Talk(began, ended, person, None if ended + STAYS > until else not (later or again))


def self_service(session: Session, scope: Scope) -> Report:
    """Talks that began in the period."""
    return settle(scope, talks(store.moments(session, scope.practice_id, scope.starts_at, scope.ends_at),
                               scope.ends_at),
                  store.failed_messages(session, scope.practice_id, scope.starts_at, scope.ends_at))


def settle(scope: Scope, found: Iterable[Talk], messages: tuple[int, int]) -> Report:
    """The arithmetic; talks are read once. ``messages``: arrived, and of them not worked."""
    count: Counter[str] = Counter()
    for talk in found:
        count["all"] += 1
        count["alone"] += not talk.handed_over
        count["ripe"] += talk.stayed is not None
        count["stayed"] += talk.stayed is True
    return Report(
        "self-service", "Settled without staff",
        "Talks in which no case was opened and no colleague wrote ÷ all talks. Stays settled: of the talks whose seven "
        "days are over, those with no person and no further message of the patient within them. A talk is all that a "
        "patient writes from one number until 24 hours of silence.",
        f"Talks that began from {scope.from_on} to {scope.to_on}; a case or a colleague's message counts from the "
        "talk's first message until 24 hours after its last, the seven days from its last message.",
        (Figure("alone_share", "Settled without staff", "share", share(count["alone"], count["all"]),
                "talks without a person ÷ all talks"),
         Figure("stays_share", "And stays settled for 7 days", "share", share(count["stayed"], count["ripe"]),
                "talks that stayed settled ÷ talks whose seven days are over"),
         Figure("talks", "Talks", "count", count["all"], "that began in the period"),
         Figure("handed_over", "Handed over to staff", "count", count["all"] - count["alone"],
                "a case, or a colleague's message, by 24 hours after it"),
         Figure("failed_share", "Messages that could not be worked", "share", share(messages[1], messages[0]),
                "patients' messages that ended in a fault ÷ all that arrived")),
        notes=("A patient who gives up silently looks settled here; the seven days catch those who come back.",))


def opt_outs(session: Session, scope: Scope) -> Report:
    """Of the period, and of each campaign that began in it."""
    practice, since, until = scope.practice_id, scope.starts_at, scope.ends_at
    stopped: Counter[str] = Counter()
    for campaign_id, left_at, stopped_at in store.campaign_opt_outs(session, practice, since, until):
        stopped[campaign_id] += stopped_at <= left_at + timedelta(days=OPT_OUT_DAYS)
    return leave(scope, store.opt_outs(session, practice, since, until),
                 store.campaigns(session, practice, since, until), stopped)


def leave(scope: Scope, found: OptOuts, campaigns: Sequence[CampaignCount], stopped: Mapping[str, int]) -> Report:
    """The arithmetic. ``stopped``: texts of each campaign that an opt-out followed."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (f"{one.number} {one.name}", one.left, one.texted, stopped.get(one.campaign_id, 0),
         share(stopped.get(one.campaign_id, 0), one.texted)) for one in campaigns)
    return Report(
        "opt-outs", "Opt-outs from texts",
        "In all: numbers that opted out, by whatever way, ÷ numbers that were texted. By campaign: texts that an "
        f"opt-out of their number followed within {OPT_OUT_DAYS} days ÷ texts of the campaign that left.",
        f"Opt-outs and texts from {scope.from_on} to {scope.to_on}; campaigns that began then, with what followed by "
        f"{scope.to_on}.",
        (Figure("share", "Opt-out rate", "share", share(found.opted_out, found.texted),
                "numbers that opted out ÷ numbers texted"),
         Figure("opted_out", "Numbers that opted out", "count", found.opted_out, "by text, telephone, or at the desk"),
         Figure("texted", "Numbers texted", "count", found.texted, "a text left, for whatever purpose")),
        (Table("campaigns", "By campaign", (
            Column("campaign", "Campaign", "text"), Column("left", "Messages that left", "count"),
            Column("texts", "Texts", "count"), Column("opted_out", "Opt-outs", "count"),
            Column("share", "Rate", "share")), rows),),
        notes=("An opt-out within the days of two campaigns counts for both.",))


def disputes(session: Session, scope: Scope) -> Report:
    practice, since, until = scope.practice_id, scope.starts_at, scope.ends_at
    return contend(scope, store.cases(session, practice, since, until),
                   store.accounts_asked(session, practice, since, until),
                   store.bank_disputes(session, practice, since, until))


def contend(scope: Scope, cases: Mapping[str, int], asked: int, bank: tuple[int, int]) -> Report:
    """The arithmetic. ``asked``: accounts that a demand left for; ``bank``: disputes opened, payments that arrived."""
    rows: list[tuple[Cell, ...]] = [(words, cases.get(kind, 0), share(cases.get(kind, 0), asked))
                                    for kind, words in DISPUTES.items()]
    complaints = sum(cases.get(kind, 0) for kind in DISPUTES)
    return Report(
        "disputes", "Complaints and disputes",
        "Disputes: cases in which a patient disputes a bill ÷ accounts that a statement or reminder left for. "
        "Complaints: all cases in which a patient says that we are wrong, by kind below. At the bank: chargebacks and "
        "returned debits ÷ payments.",
        f"Cases and bank disputes opened, demands that left and payments that arrived from {scope.from_on} to "
        f"{scope.to_on}.",
        (Figure("dispute_share", "Dispute rate", "share", share(cases.get("dispute", 0), asked),
                "disputes ÷ accounts asked for money"),
         Figure("complaint_share", "Complaint rate", "share", share(complaints, asked),
                "complaints of all kinds ÷ accounts asked for money"),
         Figure("bank_share", "Disputed at the bank", "share", share(*bank), "disputes at the bank ÷ payments"),
         Figure("asked", "Accounts asked for money", "count", asked, "a statement or reminder left"),
         Figure("bank", "Disputes at the bank", "count", bank[0], "chargebacks and returned debits")),
        (Table("kinds", "Complaints by kind", (
            Column("kind", "Kind", "text"), Column("cases", "Cases", "count"), Column("share", "Rate", "share")),
            (*rows, ("Sum", complaints, share(complaints, asked))), totals=True),),
        notes=("Complaints made to somebody else, by telephone or by letter, are here only when staff opened a case.",))


def plans(session: Session, scope: Scope) -> Report:
    """Plans agreed in the year up to the last day."""
    since = scope.since(scope.to_on - timedelta(days=PLAN_DAYS - 1))
    return default(scope, store.plans(session, scope.practice_id, since, scope.ends_at))


def default(scope: Scope, found: Sequence[PlanCount]) -> Report:
    """The arithmetic."""
    by = {one.status: one for one in found}
    agreed = sum(one.plans for one in found)

    def many(*statuses: str) -> int:
        return sum(by[status].plans for status in statuses if status in by)

    over = many("defaulted", "completed")
    rows: list[tuple[Cell, ...]] = [(_PLANS.get(one.status, one.status), one.plans, one.minor) for one in found]
    return Report(
        "plans", "Instalment plans",
        "Default rate: plans in default ÷ plans agreed. Beside it: plans in default ÷ plans that have ended in default "
        "or by payment, as a young plan cannot have failed yet.",
        f"Plans agreed in the {PLAN_DAYS} days up to {scope.to_on}, in the state of the end of that day.",
        (Figure("default_share", "Default rate", "share", share(many("defaulted"), agreed),
                "plans in default ÷ plans agreed"),
         Figure("ended_default_share", "Default rate of those that ended", "share", share(many("defaulted"), over),
                "in default ÷ (in default + completed)"),
         Figure("behind_share", "Behind now", "share", share(many("behind"), many("active", "behind", "cured",
                                                                                  "paused")),
                "behind ÷ running"),
         Figure("agreed", "Plans agreed", "count", agreed, "by the patient, in the year")),
        (Table("states", "By state", (
            Column("state", "State", "text"), Column("plans", "Plans", "count"), Column("agreed", "Agreed", "money")),
            (*rows, ("Sum", agreed, sum(one.minor for one in found))), totals=True),),
        notes=("The state of a plan that was still running on that day is told as it is today.",)
        if scope.to_on < scope.today else ())


_PLANS = {"active": "Kept so far", "behind": "Behind", "cured": "Caught up", "paused": "Paused",
          "defaulted": "In default", "completed": "Completed", "cancelled": "Cancelled", "superseded": "Replaced"}
