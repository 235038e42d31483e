"""The gate at its work on many queued messages at once: facts fetched in sets, one ruling and one receipt for each.

Only what nobody asked for is judged so, at its first sending: statements, reminders, notices. Each is ruled on as if
the ones before it in the set had been marked already: what could change a later one's facts, another message to the
same household, leaves the set and is judged alone afterwards; the carriers' caps are counted by all workers together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial

from sqlalchemy.orm import Session

from billing import carrier_caps, gate, gate_facts, gate_set_facts, gate_set_sheet
from billing.gate import Judged
from billing.gate_set_sheet import Sheet
from billing.gate_set_words import carrier_at
from billing.policy.core import DEMANDS, Facts, PracticeFacts
from billing.store import gate_set_queries, household_queries, window_queries
from billing.store.practices import rules_in
from billing.store.tables import Outbox

_UNASKED = DEMANDS | {"notice"}


def fits(row: Outbox) -> bool:
    """Whether a message may be judged in a set: about an account, in no conversation, never yet on its way."""
    return (row.purpose in _UNASKED and row.guarantor_id is not None and row.conversation_id is None
            and row.reply_to is None and row.sending_at is None)


def judge_all(session: Session, practice_id: str, rows: Sequence[Outbox], now: datetime,
              ) -> tuple[list[Judged], list[Outbox]]:
    """Rule on messages of one practice that are about to leave, and keep the verdicts; return the rulings, and those
    that another one of the set concerns, which are to be judged alone after it. The caller obeys.
    """
    policy, configured = rules_in(session, practice_id)
    gate_facts.lock_households(session, rows)
    sheet = gate_set_sheet.read(session, practice_id, policy, {row.guarantor_id or "" for row in rows}, now)
    gate_set_sheet.cover(session, sheet, {(row.channel, row.address_hash) for row in rows})
    apart, together = _apart(sheet, rows)
    judged = [gate.rule_on(row, facts, carrier_at(sheet, row.address_hash))
              for row, facts in zip(apart, _facts(session, sheet, configured, apart), strict=True)]
    return gate.conclude(session, judged, now), together


def _apart(sheet: Sheet, rows: Sequence[Outbox]) -> tuple[list[Outbox], list[Outbox]]:
    """The first of each household, and the rest."""
    seen: set[str] = set()
    apart: list[Outbox] = []
    together: list[Outbox] = []
    for row in rows:
        house = {row.guarantor_id or "", *gate_set_facts.household(sheet, row.guarantor_id or "", row.address_hash)}
        (together if house & seen else apart).append(row)
        seen |= house
    return apart, together


def _facts(session: Session, sheet: Sheet, configured: bool, rows: Sequence[Outbox]) -> list[Facts]:
    """As gate.gather for each, at sending."""
    externals = gate_set_queries.externals(session, [row.guarantor_id or "" for row in rows])
    status = {one: household_queries.campaign_status(session, one) for one in {row.campaign_id for row in rows}}
    used = cache(partial(window_queries.used, session))
    found = []
    for row in rows:
        guarantor_id = row.guarantor_id or ""
        practice = PracticeFacts(sheet.policy, configured, row.channel not in gate.ONE_WAY,
                                 gate.VENDORS.get(row.channel, ""))
        account = gate_set_facts.account(sheet, guarantor_id, row.language)
        room_at = carrier_caps.room_at(session, row, sheet.policy, sheet.now, carrier_at(sheet, row.address_hash),
                                       used)
        message = gate.message_facts(row, sheet.policy, account, externals.get(guarantor_id, ""),
                                     campaign=status[row.campaign_id], room_at=room_at)
        recipient = gate_set_facts.recipient(
            sheet, guarantor_id, row.channel, row.address, row.address_hash,
            capped=gate_facts.is_capped(row))
        found.append(Facts(sheet.now, "sending", practice, message, recipient, account))
    return found

