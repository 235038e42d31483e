"""The strings of a year's summary of what somebody paid for medical care, on its page and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from templates.names import written
from templates.plan_words import words
from templates.statement_page import addressee, frame
from templates.statement_words import day, money, phone_words, short_day
from templates.statement_words import words as sheet_words

Content = Mapping[str, Any]


def year_page(content: Content, language: str) -> dict[str, Any]:
    """All strings. ``content`` is billing/year_summary.py's, amounts in cents."""
    said, number = words(language)["year"], str(content["year"])
    facts = [[said["year"], number], [said["made_on"], day(content["made_on"], language)],
             [sheet_words(language)["account"], content["account"]]]
    notes = [said["lead"].format(year=number), said["note"]]
    if content["private"]:
        notes.append(said["private"].format(phone=phone_words(content["practice"]["phone"])))
    return {
        **frame(content["practice"], content["account"], language), "made_on": content["made_on"],
        "kind": said["kind"].format(year=number), "title": said["title"].format(year=number), "facts": facts,
        "to": addressee(content, language),
        "hero": {"label": said["hero"].format(year=number), "by": "", "lead": "" if content["patients"] else
                 said["none"].format(year=number),
                 "amount": _money(content, content["net_minor"], language)},
        "patients": [_patient(content, one, language) for one in content["patients"]],
        "sums": _sums(content, language), "notes": notes,
    }


def _money(content: Content, minor: int, language: str) -> str:
    return money(minor, language, content["currency"])


def _patient(content: Content, one: Content, language: str) -> dict[str, Any]:
    said = words(language)["year"]
    return {"heading": said["patient"].format(name=written(one["name"])) if one["name"] else said["credit"],
            "cols": [said["paid_on"], said["visit"], said["how"], said["amount"]],
            "rows": [_row(content, row, language) for row in one["rows"]],
            "total": [said["total"], "", "", _money(content, one["net_minor"], language)]}


def _row(content: Content, row: Content, language: str) -> list[str]:
    """A day of paying or of giving back, the visit with its provider, how, and the amount."""
    said, sheet = words(language)["year"], sheet_words(language)
    visit = (f"{sheet['visit']} {short_day(row['service_on'], language) or row['external']}"
             if row["external"] else said["credit"])
    who = ", ".join(filter(None, (visit, written(row["provider"]))))
    how = said["refund"] if row["amount_minor"] < 0 else sheet["tender"].get(row["tender"], row["tender"])
    last4 = f" …{row['last4']}" if row.get("last4") and row["amount_minor"] > 0 else ""
    return [short_day(row["on"], language), who, f"{how}{last4}", _money(content, row["amount_minor"], language)]


def _sums(content: Content, language: str) -> dict[str, Any]:
    """Only where something was given back: paid, given back, and what is left."""
    said = words(language)["year"]
    rows = [(said["paid"], content["paid_minor"], "plain"), (said["refunded"], -content["refunded_minor"], "plain"),
            (said["net"], content["net_minor"], "left")] if content["refunded_minor"] else []
    return {"cols": [said["total"], said["amount"]],
            "rows": [{"label": label, "amount": _money(content, minor, language), "style": style, "note": ""}
                     for label, minor, style in rows]}
