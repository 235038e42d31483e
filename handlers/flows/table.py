"""Every conversation there is. A new one is a file with its FLOW, and a line here."""

from __future__ import annotations

from handlers.flows import (
    already_paid,
    anger,
    balance,
    cannot_pay,
    consent,
    dispute,
    explain,
    hours,
    insurance,
    insurance_update,
    is_this_real,
    language,
    legal,
    menu,
    papers,
    passcode,
    pay,
    person,
    placed,
    plan,
    plan_running,
    preferences,
    privacy,
    receipt,
    refund_status,
    saved_card,
    statement,
    taking_back,
    verify,
    ways,
)
from handlers.flows.flow import Flow

FLOWS: dict[str, Flow] = {flow.name: flow for flow in (
    verify.FLOW, balance.FLOW, explain.FLOW, insurance.FLOW, statement.FLOW, pay.FLOW, placed.FLOW, receipt.FLOW,
    person.FLOW, language.FLOW, menu.FLOW, consent.FLOW, dispute.FLOW, insurance_update.FLOW, already_paid.FLOW,
    cannot_pay.FLOW, refund_status.FLOW, legal.FLOW, papers.FLOW, preferences.FLOW, hours.FLOW, ways.FLOW,
    privacy.FLOW, passcode.FLOW, is_this_real.FLOW, anger.FLOW, plan.FLOW,
    plan_running.FLOW, saved_card.FLOW, taking_back.FLOW)}

INTENTS: dict[str, Flow] = {intent: flow for flow in FLOWS.values() for intent in flow.intents}

#: Asked in between, they are answered and the question that was open is put again.
SIDE = frozenset({"balance", "due_date", "minimum_payment", "explain", "insurance_status", "statement", "itemised_bill",
                  "receipt", "capabilities", "is_this_real", "are_you_a_robot", "out_of_scope", "medical", "greeting",
                  "language", "thanks", "preferences", "passcode"})
