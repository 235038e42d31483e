"""The statement, the itemised bill and the receipt as accessible PDF (PDF/UA-1), and the statement as a short text.

The paper's sources are static files; everything that varies goes in as data, never as source text. The maker enforces
PDF/UA-1: it refuses a page without title or language, or a character that it has no shape for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from templates.plan_sheets import plan_page
from templates.statement_page import statement_page, visit_heading, why_words
from templates.statement_sheets import itemised_page, receipt_page
from templates.statement_words import day, money, phone_words, printable, words
from templates.year_sheets import year_page

_HERE = Path(__file__).parent


def pdf(content: Mapping[str, Any], language: str | None = None) -> bytes:
    """A statement's snapshot as PDF/UA-1. ``language`` defaults to the snapshot's. Takes about 50 ms: never call it
    inside a transaction.
    """
    return compiled("statement.typ", sheet(content, language or content["language"]))


def pictures(content: Mapping[str, Any], language: str | None = None, ppi: int = 110) -> list[bytes]:
    """The same pages as PNG, for a preview."""
    return drawn("statement.typ", sheet(content, language or content["language"]), ppi)


def sheet(content: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Every string of a statement on paper."""
    page = statement_page(content, language)
    return {**page, "languages": {**page["languages"], "lines": printable(page["languages"]["lines"])}}


def itemised_pdf(content: Mapping[str, Any], language: str | None = None) -> bytes:
    """``billing.statements.itemised``'s content as PDF/UA-1."""
    return compiled("itemised.typ", itemised_page(content, language or content["language"]))


def receipt_pdf(content: Mapping[str, Any], language: str | None = None) -> bytes:
    """``billing.receipts.receipt``'s content as PDF/UA-1."""
    return compiled("receipt.typ", receipt_page(content, language or content["language"]))


def agreement_pdf(content: Mapping[str, Any], language: str | None = None) -> bytes:
    """``billing.plan_pages.content`` as PDF/UA-1: the signed copy of a plan, or the offer to read in peace."""
    return compiled("agreement.typ", plan_page(content, language or content["language"]))


def year_pdf(content: Mapping[str, Any], language: str | None = None) -> bytes:
    """``billing.year_summary.year``'s content as PDF/UA-1."""
    return compiled("year.typ", year_page(content, language or content["language"]))


def compiled(source: str, page: Mapping[str, Any]) -> bytes:
    """The stamp comes from the page, so that one snapshot is one file to the byte, whenever it is asked for."""
    import typst

    return typst.compile(str(_HERE / source), root=str(_HERE), format="pdf", pdf_standards=["ua-1"],
                         ignore_system_fonts=True, timestamp=_stamp(page["made_on"]), sys_inputs=_inputs(page))


def _stamp(made_on: str) -> datetime:
    return datetime.combine(date.fromisoformat(made_on), time(12), UTC)


def _inputs(page: Mapping[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(page, ensure_ascii=False)}


def drawn(source: str, page: Mapping[str, Any], ppi: int) -> list[bytes]:
    """The pages as PNG."""
    import typst

    made: bytes | list[bytes] = typst.compile(
        str(_HERE / source), root=str(_HERE), format="png", ppi=ppi, ignore_system_fonts=True, sys_inputs=_inputs(page))
    return [made] if isinstance(made, bytes) else made


def short_text(content: Mapping[str, Any], language: str | None = None) -> str:
    """The statement in a few lines, for terminals: total, each visit's part, what is not due yet, where to ask."""
    code = language or content["language"]
    said, currency, practice = words(code), content["currency"], content["practice"]
    head = said["short_due" if content["total_minor"] > 0 else "short_nothing"].format(
        practice=practice["name"], number=content["number"], day=day(content["statement_on"], code),
        total=money(content["total_minor"], code, currency), due=day(content["due_on"], code))
    lines = [f"  {visit_heading(v, code)}: {money(v['due_minor'], code, currency)}" for v in content["visits"]]
    if content["credit_used_minor"]:
        lines.append(f"  {said['credit_used']}: {money(-content['credit_used_minor'], code, currency)}")
    lines += ["  " + said["short_waiting"].format(visit=visit_heading(w, code), why=why_words(w, code))
              for w in content["waiting"]]
    return "\n".join([head, *lines, said["short_ask"].format(phone=phone_words(practice["phone"]))])
