"""Typical arguments by placeholder, so that every template can be rendered and measured."""

from __future__ import annotations

from typing import Any

from billing.views import Step
from config.practice import PracticePolicy
from templates.sentences import KINDS, sentence
from templates.source import load

VISITS = [{"number": 1, "on": "2026-03-04", "amount_minor": 4500},
          {"number": 2, "on": "2026-04-11", "amount_minor": 12050}]
STEPS = [{"kind": kind, "amount_minor": amount, "payer_name": payer, "code": ""} for kind, amount, payer in (
    ("charge", 20000, ""), ("contractual", -4500, "Blue Shield"), ("plan_paid", -11000, "Blue Shield"),
    ("deductible", 3000, ""), ("copay", 1500, ""), ("left", 4500, ""))]
LINES = [{"on": "2026-03-04", "payer_name": "Blue Shield", "status": status} for status in ("pending", "answered")]

OFFER = {"count": 12, "amount_minor": 5000, "last_minor": 3750, "deposit_minor": 0, "every": "month",
         "first_on": "2026-12-15", "last_on": "2027-11-15", "total_minor": 58750}
CARD = {"kind": "card", "brand": "visa", "last4": "4242"}

TYPICAL: dict[str, Any] = {
    "name": "Ana Lopez", "help_url": "https://mapleclinic.example/help",
    "practice": "Maple Clinic", "phone": "+12125550199", "url": "https://pay.mapleclinic.example/l/Jk3vQ8sT1xYz2bN5",
    "pay_url": "https://pay.mapleclinic.example/l/Jk3vQ8sT1xYz2bN5",
    "plan_url": "https://pay.mapleclinic.example/l/Jk3vQ8sT1xYz2bN5",
    "amount_minor": 4500, "due_now_minor": 16550, "pending_minor": 2500, "held_minor": 0, "on_plan_minor": 0,
    "credit_minor": 0, "placed_minor": 0, "minimum_minor": 500, "waiting": False, "visits": VISITS, "steps": STEPS,
    "visit": VISITS[0],
    "lines": LINES, "first": True, "by_at": "2026-11-04T17:00:00-05:00", "due_on": "2026-12-04",
    "paid_on": "2026-11-03", "hours": [["weekday", "09:00", "17:00"], ["saturday", "09:00", "13:00"]],
    "open_now": True, "note": PracticePolicy.model_fields["assistance_note_en"].default,
    "own": "18:00-24:00 01234", "hour": 6, "code": "7K2M-9QXD", "iso": "xx", "telegram": True,
    "on": "2026-11-03", "others": True,
    "total_minor": 60000, "left_minor": 45000, "next_minor": 5000, "most_minor": 5000, "assistance": True,
    "offers": [{"number": number, **OFFER, "count": count, "amount_minor": 60000 // count, "last_minor": 60000 // count}
               for number, count in ((1, 3), (2, 6), (3, 12))],
    "offer": OFFER, "parts": [{"on": f"2026-{month}-15", "amount_minor": 5000} for month in ("09", "10", "11", "12")],
    "card": CARD, "cards": [CARD], "ny": True, "new_card": True, "notice_days": 3, "why": "first_too_late",
    "months": 12, "latest_on": "2026-12-08", "last_on": "2027-11-15", "until_on": "2027-01-02",
    "retry_on": "2026-12-18",
    "next_on": "2026-12-15", "every": "two_weeks", "autopay": True, "paused": False, "behind": True, "under_way": True,
    "weekly": False, "ends": True,
    "ends_on": "2026-12-20", "replaces": False, "twice": True, "sooner": True, "year": 2026, "lender": "Sunbit",
    "percent": 50, "forgiven_minor": 12050, "all_of_it": False, "pay_minor": 9000, "appeal_by_on": "2026-12-18",
    "reason": "The income of your household is above our limit.", "address": "12 Maple St, New York, NY 10001",
    "missing": ["form", "signature", "household", "papers"], "by_on": "2026-12-04",
    "words": "We found your payment. All is well.", "number": 17, "title": "Patient asks for a person",
}


def arguments(name: str, language: str) -> dict[str, Any]:
    spanish = {"note": PracticePolicy.model_fields["assistance_note_es"].default,
               "words": "Encontramos su pago. Todo está bien."} if language == "es" else {}
    return {key: spanish.get(key, TYPICAL[key]) for key in load(name, language).types}


def sentences(language: str, short: bool) -> list[str]:
    """Every sentence of an explanation, both ways round where the sign matters."""
    return [sentence(Step(kind, amount, "Blue Shield", "PR-96"), language, "USD", short)
            for kind in KINDS for amount in (4500, -4500)]
