"""Statement content without a database, for tests of the paper alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PAYER = "Blue Harbor Health"


def visit(number: int, provider: str = "Dr. Priya Raman") -> dict[str, Any]:
    """250.00 charged, 120.00 paid by the plan, 80.00 off, 50.00 the patient's, 10.00 paid: 40.00 left."""
    on = f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}"
    steps = [("charge", 25000, "", ""), ("plan_paid", -12000, PAYER, ""), ("contractual", -8000, PAYER, "CO-45"),
             ("deductible", 3000, PAYER, "PR-1"), ("coinsurance", 2000, PAYER, "PR-2"), ("patient_paid", -1000, "", ""),
             ("left", 4000, "", "")]
    return {
        "visit_id": f"vis_{number}", "external": f"C{number}", "patient": "Íñigo Núñez", "provider": provider,
        "place_code": "11", "service_on": on, "self_pay": False, "charge_minor": 25000, "due_minor": 4000,
        "lines": [{"code": "99213", "words": "Office visit", "units": "1", "charge_minor": 21000},
                  {"code": "J3420", "words": "", "units": "1", "charge_minor": 4000}],
        "steps": [{"kind": k, "amount_minor": a, "payer": p, "code": c, "on": on} for k, a, p, c in steps],
        "patient_part_minor": 5000, "paid_minor": -1000, "moved_minor": 0, "left_minor": 4000, "not_due_minor": 0,
        "first_statement_on": "2026-11-03",
    }


def statement(visits: Sequence[dict[str, Any]], language: str = "en",
              waiting: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    total = sum(v["due_minor"] for v in visits)
    note = {"en": "You may qualify for help with this bill. Call us and ask about financial assistance.",
            "es": "Puede que tenga derecho a ayuda con esta cuenta. Llame y pregunte por ayuda financiera."}
    return {
        "language": language, "currency": "USD", "made_on": "2026-11-03", "kind": "statement", "version": 1,
        "number": 1042, "statement_on": "2026-11-03", "due_on": "2026-12-03", "account": "A-20417",
        "practice": {"name": "Maple Clinic", "legal_name": "Maple Clinic PLLC", "phone": "+12125550199",
                     "address": "12 Maple St, New York, NY 10001", "website": "maple.example", "email": None,
                     "tax_id": "12-3456789", "npi": "1234567893"},
        "guarantor": {"name": "Ana María Núñez", "address": "450 Riverside Drive, Apt 9C\nNew York, NY 10027"},
        "ways_to_pay": ["pay_text", "pay_phone", "pay_mail", "pay_web"], "itemised_by_law": False,
        "assistance": {"note": note[language], "phone": "+12125550199", "url": None}, "visits": list(visits),
        "waiting": list(waiting), "total_minor": total, "credit_minor": 0, "credit_used_minor": 0, "previous": None,
        "summary": {"previous_minor": 0, "new_activity_minor": 5000 * len(visits),
                    "payments_received_minor": -1000 * len(visits), "refunds_and_credit_minor": 0,
                    "credit_used_minor": 0},
        "aging": [{"bucket": name, "amount_minor": total if name == "0-30" else 0}
                  for name in ("0-30", "31-60", "61-90", "91-120", "121+")],
        "plan": {"on_plan_minor": 0}, "estimates_exceeded": [], "self_pay": False,
    }
