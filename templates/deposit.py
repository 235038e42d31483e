"""The deposit slip on paper, for whoever carries it to the bank. Staff read it: English alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from templates.statement import compiled
from templates.statement_words import day, money

Content = Mapping[str, Any]


def slip_page(content: Content) -> dict[str, Any]:
    """All strings of the sheet. ``content`` is billing/closing_slips.py's, amounts in cents."""
    written = day(content["day"], "en")
    return {
        "lang": "en", "made_on": content["day"], "title": f"Deposit slip, {written}", "kind": "Deposit slip",
        "practice": {"name": content["practice"], "lines": []},
        "facts": [["Day", written], ["Items", str(len(content["lines"]))],
                  ["State", "signed" if content["signed"] else "not signed yet"]],
        "foot": {"left": f"Deposit slip, {written}", "contact": content["practice"], "pages": "Page {page} of {pages}"},
        "cols": ["What", "Number", "Amount"],
        "rows": [[line["what"].capitalize(), line["number"], _money(content, line["amount_minor"])]
                 for line in content["lines"]],
        "total": ["Total", "", _money(content, content["total_minor"])],
        "signatures": ["Prepared by", "Received by the bank"],
    }


def _money(content: Content, minor: int) -> str:
    return money(minor, "en", content["currency"])


def slip_pdf(content: Content) -> bytes:
    """The slip as PDF/UA-1; takes about 50 ms, never inside a transaction."""
    return compiled("deposit.typ", slip_page(content))
