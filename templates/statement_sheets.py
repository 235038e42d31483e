"""The strings of the two smaller sheets: the itemised bill of one visit, and the receipt of one payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from templates.codes import place_words, procedure_words
from templates.names import written
from templates.statement_page import addressee, frame, visit_heading, visit_rows
from templates.statement_words import day, money, phone_words, words

Content = Mapping[str, Any]


def itemised_page(content: Content, language: str) -> dict[str, Any]:
    said = words(language)
    about = [written(content["provider"]), place_words(content["place_code"], language) or "",
             f"{said['patient']}: {content['patient']}"]
    facts = [[said["visit"], content["external"]], [said["account"], content["account"]],
             [said["date"], day(content["made_on"], language)]]
    return {
        **frame(content["practice"], content["account"], language), "made_on": content["made_on"],
        "kind": said["itemised_title"], "facts": facts,
        "title": f"{said['itemised_title']} {content['external']}", "to": addressee(content, language),
        "lead": said["itemised_lead"], "heading": visit_heading(content, language),
        "about": " · ".join(filter(None, about)), "lines": _lines(content, language),
        "reckoning": {"heading": said["visits_heading"], "cols": [said["item"], said["amount"]],
                      "rows": visit_rows(content, {**content, "due_minor": content["left_minor"]}, language)},
        "ask": said["questions_ask"].format(phone=phone_words(content["practice"]["phone"])),
        "tax": _tax(content, language),
    }


def _tax(content: Content, language: str) -> str:
    practice = content["practice"]
    parts = [words(language)["tax_id"].format(number=practice["tax_id"]) if practice.get("tax_id") else "",
             f"NPI {practice['npi']}" if practice.get("npi") else ""]
    return " · ".join(filter(None, parts))


def _lines(content: Content, language: str) -> dict[str, Any]:
    said = words(language)
    cols = [said[key] for key in ("code", "service", "units", "charge_column", "paid_column", "reduced_column",
                                  "your_part_column")]
    rows = [[_code(line), procedure_words(line["code"], language, line["words"]), line["units"],
             *(_amount(content, line[key], language)
               for key in ("charge_minor", "paid_minor", "reduced_minor", "patient_minor"))]
            for line in content["lines"]]
    total = [said["total"], "", "", money(sum(line["charge_minor"] for line in content["lines"]), language,
                                          content["currency"]), "", "", ""]
    return {"cols": cols, "rows": rows, "total": total, "none": said["itemised_no_lines"]}


def _code(line: Content) -> str:
    return " ".join(filter(None, (line["revenue_code"], line["code"], line["modifiers"])))


def _amount(content: Content, minor: int | None, language: str) -> str:
    return "" if minor is None else money(minor, language, content["currency"])


def receipt_words(payment_id: str) -> str:
    """The payment's id in groups that one can read over the telephone: ``01M8 03BR SXEB C15E BSGC``."""
    plain = payment_id.removeprefix("pay_").upper()
    return " ".join(plain[at:at + 4] for at in range(0, len(plain), 4))


def receipt_page(content: Content, language: str) -> dict[str, Any]:
    said, currency = words(language), content["currency"]
    rows = [[day(part["service_on"], language) or f"{said['visit']} {part['external']}",
             money(part["amount_minor"], language, currency)] for part in content["parts"]]
    if content["credit_minor"]:
        rows.append([said["receipt_credit_rest"], money(content["credit_minor"], language, currency)])
    number = receipt_words(content["receipt_number"])
    facts = [[said["receipt_number"], number],
             [said["receipt_on"], day(content["paid_on"], language)], [said["account"], content["account"]]]
    return {
        **frame(content["practice"], content["account"], language), "made_on": content["paid_on"],
        "kind": said["receipt_title"], "facts": facts,
        "title": f"{said['receipt_title']} {number}", "to": addressee(content, language),
        "hero": {"label": said["receipt_amount"], "amount": money(content["amount_minor"], language, currency),
                 "by": _tender(content, language), "lead": said["receipt_thanks"]},
        "refunds": _refunds(content, language),
        "parts": {"heading": said["receipt_for"], "cols": [said["visit"], said["amount"]], "rows": rows,
                  "total": [said["total"], money(content["amount_minor"], language, currency)]},
        "left": [said["receipt_left"], money(content["due_now_minor"], language, currency)],
    }


def _tender(content: Content, language: str) -> str:
    """``Card …4242``; the digits are there for a card on file."""
    said = words(language)
    named = said["tender"].get(content["tender"], content["tender"])
    return f"{named} …{content['last4']}" if content["last4"] else str(named)


def _refunds(content: Content, language: str) -> dict[str, Any] | None:
    """Each day on which money went back, and what the payment comes to after it."""
    if not content["refunds"]:
        return None
    said, currency = words(language), content["currency"]
    rows = [[day(one["on"], language), money(-one["amount_minor"], language, currency)] for one in content["refunds"]]
    left = content["amount_minor"] - sum(one["amount_minor"] for one in content["refunds"])
    return {"heading": said["receipt_refunds"], "cols": [said["date"], said["amount"]], "rows": rows,
            "total": [said["receipt_net"], money(left, language, currency)]}
