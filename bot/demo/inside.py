"""What the demo's page shows of the inside, in words: figures, derivation, verdicts, transfers, inbox, cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import accounts, explain, figures
from billing.phones import address_hash
from billing.store import demo_queries
from billing.store.ledger_queries import AccountRow, TransferRow
from billing.store.tables import Guarantor
from bot.cli.edge import dollars
from bot.demo.people import Person
from config.practice import PracticePolicy
from templates.sentences import sentence

_STOPPED = frozenset({"withheld", "deferred", "failed", "undelivered", "cancelled", "unknown"})
_ACCOUNT_WORDS = {"patient": "patient", "payer": "insurer", "credit": "patient's credit"}


def inside_of(session: Session, practice_id: str, policy: PracticePolicy, person: Person,
              now: datetime) -> dict[str, Any]:
    """Return everything about one sample patient, ready to show."""
    local = now.astimezone(ZoneInfo(policy.zone))
    guarantor = accounts.find_account(session, practice_id, person.account)
    clock = f"{local:%A %-d %B %Y, %H:%M} on the demo's clock"
    if guarantor is None:
        return {"clock": clock, "figures": {}, "explanation": [], "messages": [], "ledger": [], "inbox": [],
                "cases": []}
    hashed = address_hash(practice_id, "sms", person.phone)
    return {
        "clock": clock, "figures": _figures(session, guarantor, local),
        "explanation": _explanation(session, guarantor, person.language),
        "messages": _messages(session, practice_id, hashed, policy),
        "ledger": _ledger(session, guarantor), "cases": _cases(session, guarantor),
        "inbox": [f"{row.kind}, {row.status}" for row in demo_queries.inbox_of(session, practice_id, hashed)]}


def _figures(session: Session, guarantor: Guarantor, local: datetime) -> dict[str, str]:
    total = figures.account_figures(session, guarantor.id, local.date()).total
    names = {"Due now": total.due_now_minor, "With insurers": total.payer_minor, "Pending": total.pending_minor,
             "Held": total.held_minor, "Credit": total.credit_minor, "Open": total.open_minor}
    return {name: f"${dollars(amount)}" for name, amount in names.items()}


def _explanation(session: Session, guarantor: Guarantor, language: str) -> list[str]:
    lines: list[str] = []
    for one in explain.explain_account(session, guarantor.id):
        if not one.foots:
            lines.append(f"{one.external}: does not add up, a person looks at it ({one.reason})")
        else:
            lines.extend(sentence(step, language, "USD") for step in one.steps)
    return lines


def _messages(session: Session, practice_id: str, hashed: str, policy: PracticePolicy) -> list[dict[str, Any]]:
    zone = ZoneInfo(policy.zone)
    return [{
        "template": f"{row.template} ({row.language}, {row.segments} segment(s))", "status": row.status,
        "stopped": row.status in _STOPPED,
        "verdicts": [f"{v.stage}: {v.outcome} by {v.rule}, {v.reason}"
                     + (f" (until {v.until_at.astimezone(zone):%a %H:%M})" if v.until_at else "") for v in verdicts],
    } for row, verdicts in demo_queries.messages_to(session, practice_id, hashed)]


def _ledger(session: Session, guarantor: Guarantor) -> list[dict[str, str]]:
    rows = demo_queries.transfers_of(session, guarantor.id)
    return [{"debit": _words(t.debit), "credit": _words(t.credit), "amount": dollars(t.amount_minor),
             "why": _why(t)} for t in reversed(rows)]


def _words(account: AccountRow) -> str:
    kind = account.key.split(":")[0]
    return _ACCOUNT_WORDS.get(kind, account.key.replace("_", " "))


def _why(t: TransferRow) -> str:
    return f"{t.code.replace('_', ' ')} {t.reason}".strip()


def _cases(session: Session, guarantor: Guarantor) -> list[str]:
    holds = [f"hold {h.kind}: {h.reason}" for h in demo_queries.open_holds(session, guarantor.id)]
    return holds + [f"case {c.number}, {c.kind}: {c.title} ({c.status})"
                    for c in demo_queries.cases_of(session, guarantor.id)]


