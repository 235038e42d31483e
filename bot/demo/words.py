"""Plain words for what the demo's page shows of the inside: transfers, verdicts with their facts, holds, arrivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from billing.policy.register import RULES, rule_by_id
from billing.store.ledger_queries import AccountRow, TransferRow
from billing.store.tables import Inbox, Verdict
from billing.ways import RULE, WHY, Why
from handlers.core import State
from templates.format import money
from templates.names import written

_CODES = {
    "charge": "Charge for the visit", "payer_payment": "Plan's payment", "contractual": "Contract discount",
    "patient_share": "Patient's share", "next_payer": "On to the next plan", "prior_payer": "First plan's part",
    "takeback": "Taken back by the plan", "patient_payment": "Patient's payment", "refund": "Refund",
    "to_credit": "Kept as credit", "from_credit": "Paid from credit", "reversal": "Reversal of an earlier row"}
_WHY = {"PR-1": "Deductible", "PR-2": "Coinsurance", "PR-3": "Copay"}
_ACCOUNTS = {
    "revenue": "Revenue", "contractual": "Discounts", "payer_clearing": "From plans",
    "opening": "Opening", "suspense": "To be looked into", "patient": "Patient", "credit": "Patient's credit"}
VIA = {"sms": "Text", "telegram": "Telegram", "email": "E-mail", "paper": "Letter"}
_LANGUAGES = {"en": "English", "es": "Spanish"}
_ARRIVALS = {"message": "Text from this phone", "receipt": "Delivery report of a text", "link": "Page opened",
             "processor": "Signed event of the card processor", "event": "News inside the practice"}
_STAGES = {"queueing": "When written", "sending": "When sent"}
_BOTH = "When written, and again when sent"
_ASKED = sum(rule.judge is not None for rule in RULES)
_OUTCOMES = {"send": "let through", "defer": "has to wait", "withhold": "withheld"}


def dollars(minor: int) -> str:
    """Cents as a reader of the page sees them: ``-$12.50``."""
    return money(minor, "USD", "en")


def transfer(row: TransferRow, payers: Mapping[str, str]) -> dict[str, str]:
    """One posted row: what happened, from which account to which."""
    why = _WHY.get(row.reason, "") if row.code == "patient_share" else ""
    what = _CODES.get(row.code, row.code.replace("_", " ").capitalize())
    return {"what": why or what, "code": row.reason, "on": f"{row.effective_on:%b %-d}",
            "amount": dollars(row.amount_minor), "debit": account(row.debit, payers),
            "credit": account(row.credit, payers)}


def account(row: AccountRow, payers: Mapping[str, str]) -> str:
    """An account of the ledger by a name that says whose it is."""
    kind = row.key.split(":", 1)[0]
    if kind == "payer":
        return written(payers.get(row.coverage_id or "", "")) or "Plan"
    if kind == "cash":
        _, processor, tender = (*row.key.split(":"), "", "")[:3]
        return f"{processor.capitalize()}, {tender}"
    return _ACCOUNTS.get(kind, kind.replace("_", " ").capitalize())


def verdicts(rows: Sequence[Verdict], zone: tzinfo) -> list[dict[str, Any]]:
    """Both answers of the gate about a message; as one where the second says what the first did."""
    said = [verdict(row, zone) for row in rows]
    if len(said) == 2 and all(said[0][part] == said[1][part] for part in ("outcome", "rule", "reason")):
        return [{**said[1], "stage": _BOTH}]
    return said


def verdict(row: Verdict, zone: tzinfo) -> dict[str, Any]:
    """One answer of the gate: which rule decided, why, and on which facts."""
    rule = rule_by_id(row.rule)
    waits = f" until {row.until_at.astimezone(zone):%A %H:%M}" if row.until_at else ""
    return {
        "stage": _STAGES.get(row.stage, row.stage), "outcome": _OUTCOMES.get(row.outcome, row.outcome) + waits,
        "stopped": row.outcome != "send", "rule": rule.id if rule else "", "title": rule.title if rule else "",
        "citation": rule.citation if rule else "", "facts": facts(row.facts),
        "reason": row.reason if rule else f"{_ASKED} rules asked, none objects"}


def passed_over(way: str, why: Why) -> dict[str, str]:
    """A way that a message did not take, why, and the rule by which nothing may go there, where it is one."""
    rule = rule_by_id(RULE.get(why, ""))
    return {"via": VIA.get(way, way), "reason": WHY[why], "rule": rule.id if rule else "",
            "title": rule.title if rule else "", "citation": rule.citation if rule else ""}


def facts(known: Mapping[str, Any]) -> list[list[str]]:
    """The facts that a visitor would ask about first; ``plainbill why`` prints them all."""
    message, person, owed = (known.get(part) or {} for part in ("message", "recipient", "account"))
    said = [["Their time", _time(person)], ["Consent", _consent(person)], ["Identity", _identity(person)],
            ["Words", f"{message.get('template', '')}, version {message.get('template_version', '')}"]]
    if message.get("amount_minor") is not None:
        asked, due = dollars(message["amount_minor"]), dollars(owed.get("due_now_minor", 0))
        said.append(["Asks for", f"{asked}, due now {due} (balance version {owed.get('balance_version')})"])
    return [*said, ["Holds", ", ".join(_holds(owed)) or "none"]]


def _time(person: Mapping[str, Any]) -> str:
    places = [f"{datetime.fromisoformat(one['local']):%A %H:%M} in {one['zone']}, known by {one['known_by']}"
              for one in person.get("local_time") or ()]
    return "; ".join(places).replace("_", " ") or "not known"


def _consent(person: Mapping[str, Any]) -> str:
    if person.get("opted_out"):
        return f"opted out (event {person.get('opt_out_event_id')})"
    event = person.get("consent_event_id")
    return f"given (event {event})" if event else "none on file"


def _identity(person: Mapping[str, Any]) -> str:
    return "date of birth and ZIP were right" if person.get("verified") else "not checked yet, so nothing private"


def _holds(owed: Mapping[str, Any]) -> list[str]:
    return [str(one.get("kind", one) if isinstance(one, Mapping) else one) for one in owed.get("holds") or ()]


def standing(language: str, state: State, verified: bool, joined: bool) -> str:
    """Where a conversation stands: in which language, with whom, and what it waits for."""
    who = "identity proved" if verified else "nobody has proved who they are"
    waits = f"waits for an answer to {state.flow}, {state.step}" if state.flow else "no question is open"
    return f"In {_LANGUAGES.get(language, language)}; {who}; {waits}" + ("." if joined else "; joined to no account.")


def arrival(row: Inbox, zone: ZoneInfo) -> dict[str, str]:
    return {"what": _arrived(row), "status": row.status,
            "at": f"{row.received_at.astimezone(zone):%H:%M:%S}"}


def _arrived(row: Inbox) -> str:
    if row.kind != "message" or row.source != "telegram":
        return _ARRIVALS.get(row.kind, row.kind)
    if row.payload.get("start"):
        return "One-time link opened in Telegram"
    return "Button pressed in Telegram" if row.payload.get("button") else "Telegram message from this phone"
