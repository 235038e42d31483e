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

TYPICAL: dict[str, Any] = {
    "practice": "Maple Clinic", "phone": "+12125550199", "url": "https://pay.mapleclinic.example/l/Jk3vQ8sT1xYz2bN5",
    "amount_minor": 4500, "due_now_minor": 16550, "pending_minor": 2500, "held_minor": 0, "on_plan_minor": 0,
    "credit_minor": 0, "minimum_minor": 500, "waiting": False, "visits": VISITS, "steps": STEPS, "visit": VISITS[0],
    "lines": LINES, "first": True, "by_at": "2026-11-04T17:00:00-05:00", "due_on": "2026-12-04",
    "paid_on": "2026-11-03", "hours": [["weekday", "09:00", "17:00"], ["saturday", "09:00", "13:00"]],
    "open_now": True, "note": PracticePolicy.model_fields["assistance_note_en"].default,
    "own": "18:00-24:00 01234", "hour": 6, "code": "7K2M-9QXD", "iso": "xx", "telegram": True,
    "on": "2026-11-03", "others": True,
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
