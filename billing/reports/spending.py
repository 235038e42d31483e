"""What collecting costs, what a message brings, what had to be given back, and what was given up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from billing.reports.shape import Cell, Column, Figure, Report, Scope, Table, divided, share
from billing.store import report_queries as money
from billing.store import report_talk_queries as store
from billing.store.report_queries import Flows
from billing.store.report_talk_queries import Messages, Returned
from config.dunning_policy import CarrierPolicy

NO_LIFT = ("Money that came after a message did not all come because of it. A lift can be claimed only against a "
           "hold-out group, chosen by chance, that got no message over the same days; these figures claim none.")

DEMANDING = ("statement", "reminder", "notice")
ANSWER_DAYS = 30
"""A payment so soon after a demand answers it."""

#: Reasons of a refund that say that the money should not have been asked for.
OURS = {"billing_error": "Billing error", "insurer_paid": "The insurer paid", "duplicate": "Paid twice",
        "overpaid": "Paid too much", "dispute_upheld": "Dispute upheld"}


def cost(session: Session, scope: Scope) -> Report:
    return spend(scope, store.messages(session, scope.practice_id, scope.starts_at, scope.ends_at),
                 money.flows(session, scope.practice_id, scope.from_on, scope.to_on))


def spend(scope: Scope, messages: Sequence[Messages], flows: Flows) -> Report:
    """The arithmetic: costs in millionths of a dollar, money in cents."""
    cash = money.patient_cash(flows)
    fees = money.net(flows, "fees", "cash") + money.net(flows, "fees", "bank")
    ways = {way: sum(message_cost(one, scope.carrier) for one in messages if one.channel == way)
            for way in ("sms", "email", "paper")}
    whole = sum(ways.values()) + fees * 10_000
    demands = sum(one.count for one in messages if one.purpose in DEMANDING)
    left = {way: sum(one.count for one in messages if one.channel == way) for way in ways}
    rows: tuple[tuple[Cell, ...], ...] = (
        *((words, left[way], ways[way]) for way, words in (("sms", "Texts"), ("email", "E-mails"),
                                                           ("paper", "Letters"))),
        ("Processor and agency fees", None, fees * 10_000), ("Sum", sum(left.values()), whole))
    return Report(
        "cost", "Cost per dollar collected",
        "Cost: messages of all purposes at the policy's prices, and processor and agency fees by the ledger. Per "
        "dollar: cost ÷ patients' money less what went back. Dollars per message: the same money ÷ statements, "
        "reminders and notices that left.",
        f"Messages that left, fees and money that took effect from {scope.from_on} to {scope.to_on}.",
        (Figure("per_dollar_share", "Cost of a dollar collected", "share", divided(whole, cash),
                "cost ÷ patients' money; 1.00 % is a cent of a dollar"),
         Figure("per_message_minor", "Dollars per message", "money", divided(cash, demands),
                "patients' money ÷ messages that ask or announce"),
         Figure("cost_micros", "Cost", "micros", whole, "messages and fees"),
         Figure("cash_minor", "Patients' money", "money", cash, "less what went back"),
         Figure("demands", "Statements, reminders and notices", "count", demands, "that left, by any way")),
        (Table("costs", "Costs", (Column("what", "What", "text"), Column("messages", "Messages", "count"),
                                  Column("cost", "Cost", "micros")), rows, totals=True),),
        notes=("Wages, texts that patients write, and fees billed outside the ledger are not in it.",
               NO_LIFT))


def message_cost(message: Messages, carrier: CarrierPolicy) -> int:
    """Millionths of a dollar, by the policy's prices."""
    match message.channel:
        case "sms":
            return message.segments * carrier.segment_cost_micros
        case "email":
            return message.count * carrier.email_cost_micros
        case "paper":
            return message.count * carrier.letter_cost_micros
        case _:
            return 0


def dunning_refunds(session: Session, scope: Scope) -> Report:
    return give_back(scope, store.refunds(session, scope.practice_id, scope.starts_at, scope.ends_at),
                     money.patient_cash(money.flows(session, scope.practice_id, scope.from_on, scope.to_on)))


def give_back(scope: Scope, refunds: Iterable[Returned], cash_minor: int) -> Report:
    """The arithmetic; refunds are read once."""
    counts, sums, everything = dict.fromkeys(OURS, 0), dict.fromkeys(OURS, 0), [0, 0]
    for one in refunds:
        everything[0] += 1
        everything[1] += one.minor
        if one.reason in OURS and one.asked_at and one.paid_at <= one.asked_at + timedelta(days=ANSWER_DAYS):
            counts[one.reason] += 1
            sums[one.reason] += one.minor
    caused = sum(sums.values())
    rows: list[tuple[Cell, ...]] = [(words, counts[reason], sums[reason]) for reason, words in OURS.items()]
    return Report(
        "dunning-refunds", "Refunds caused by dunning",
        "Refunds whose reason says that the money should not have been asked for, of payments made within "
        f"{ANSWER_DAYS} days after a statement or reminder left for the account.",
        f"Refunds that went through from {scope.from_on} to {scope.to_on}, whenever the payment was made.",
        (Figure("caused_minor", "Given back because we asked wrongly", "money", caused, "by the reasons below"),
         Figure("caused", "Such refunds", "count", sum(counts.values()), "that went through"),
         Figure("share", "Of patients' money", "share", share(caused, cash_minor),
                "such refunds ÷ patients' money of the period, less what went back"),
         Figure("all_minor", "All refunds", "money", everything[1], "whatever their reason"),
         Figure("all", "Refunds", "count", everything[0], "whatever their reason")),
        (Table("reasons", "By reason", (Column("reason", "Reason", "text"), Column("refunds", "Refunds", "count"),
                                        Column("amount", "Amount", "money")),
               (*rows, ("Sum", sum(counts.values()), caused)), totals=True),),
        notes=("Refunds by assistance or by courtesy are in all refunds alone.",))


def write_offs(session: Session, scope: Scope) -> Report:
    return give_up(scope, money.flows(session, scope.practice_id, scope.from_on, scope.to_on),
                   money.by_kind(session, scope.practice_id, scope.to_on))


_ACCOUNTS = {"charity": "Charity (assistance)", "bad_debt": "Bad debt", "small_balances": "Small balances",
             "discounts": "Discounts and settlements"}


def give_up(scope: Scope, flows: Flows, totals: dict[str, int]) -> Report:
    """The arithmetic. ``totals``: debits less credits of each kind of account since the beginning, in cents."""
    def sides(account: str) -> tuple[int, int]:
        out = sum(minor for (debit, _), minor in flows.items() if debit == account)
        back = sum(minor for (_, credit), minor in flows.items() if credit == account)
        return out, back

    found = {account: sides(account) for account in (*_ACCOUNTS, "agency")}
    rows: list[tuple[Cell, ...]] = [
        (words, found[account][0], -found[account][1], found[account][0] - found[account][1], totals.get(account, 0))
        for account, words in {**_ACCOUNTS, "agency": "Placed with agencies"}.items()]
    given_up = found["bad_debt"][0] - found["bad_debt"][1]
    charity = found["charity"][0] - found["charity"][1]
    charges = money.net(flows, "payer", "revenue") + money.net(flows, "patient", "revenue")
    return Report(
        "write-offs", "Bad debt and charity",
        "Charity is help that was decided on: it was never a debt, and is never placed. Bad debt is what a patient who "
        "was asked did not pay. They are kept apart, and neither is a contractual adjustment.",
        f"Amounts that took effect from {scope.from_on} to {scope.to_on}, less what was taken back then; the last "
        f"column is everything up to {scope.to_on}.",
        (Figure("bad_debt_minor", "Bad debt", "money", given_up, "less what was taken back"),
         Figure("charity_minor", "Charity", "money", charity, "less what was taken back"),
         Figure("bad_debt_share", "Bad debt of charges", "share", share(given_up, charges),
                "bad debt ÷ charges of the period"),
         Figure("charity_share", "Charity of charges", "share", share(charity, charges),
                "charity ÷ charges of the period"),
         Figure("agency_minor", "At agencies now", "money", totals.get("agency", 0),
                "placed, not yet paid or recalled")),
        (Table("accounts", "By account", (
            Column("account", "Account", "text"), Column("out", "Written off", "money"),
            Column("back", "Taken back", "money"), Column("net", "Net", "money"), Column("ever", "Balance", "money")),
            tuple(rows)),),
        notes=("What is placed with an agency is not written off: it comes back when it is paid or recalled.",))
