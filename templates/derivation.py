"""A visit's derivation for a page on which each number opens its source lines; the same rows as on a statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from billing.views import SourceLine
from templates import languages
from templates.carc import carc
from templates.codes import procedure_words
from templates.names import written
from templates.statement_page import step_words
from templates.statement_words import money, short_day, words

#: A step as statement_content.steps_of has it, and the lines behind it.
Read = tuple[Mapping[str, Any], Sequence[SourceLine]]

_NAMING = ("deductible", "coinsurance", "copay", "other_patient", "waiver_check")
_SINCE = ("patient_paid", "refunded", "moved_to_credit", "assistance", "discount", "written_off", "placed")


def rows(steps: Sequence[Read], part_minor: int, due_minor: int, language: str, currency: str) -> list[dict[str, Any]]:
    """From the charge down to what is left: label, amount, style (plain, part, left) and ``lines`` to open. Where less
    than what is left is due now (``due_minor``), the last row says so.
    """
    said = words(language)
    bill = [one for one in steps if one[0]["kind"] not in (*_NAMING, *_SINCE, "left")]
    since = [one for one in steps if one[0]["kind"] in _SINCE]
    made = [_row(one, language, currency) for one in bill]
    if len(bill) > 1 or since:
        named = [line for one in steps if one[0]["kind"] in _NAMING for line in _named(one, language, currency)]
        made.append({"label": said["your_part"], "amount": money(part_minor, language, currency), "style": "part",
                     "lines": named})
    made += [_row(one, language, currency) for one in since]
    left = next(step["amount_minor"] for step, _ in steps if step["kind"] == "left")
    made.append({"label": said[_left_words(left, due_minor)], "style": "left", "lines": [],
                 "amount": money(left, language, currency)})
    if due_minor < left:
        told = languages.words("account", language)["why_due"]
        made[-1]["note"] = told.format(amount=money(due_minor, language, currency))
    return made


def _left_words(left_minor: int, due_minor: int) -> str:
    """What is held or pending is left, but nobody owes it yet."""
    if due_minor < left_minor:
        return "visit_left_some"
    return "visit_left" if left_minor else "visit_left_zero"


def _row(read: Read, language: str, currency: str) -> dict[str, Any]:
    step, lines = read
    return {"label": step_words(step, language), "amount": money(step["amount_minor"], language, currency),
            "style": "plain", "lines": _lines(lines, language, currency)}


def _named(read: Read, language: str, currency: str) -> Iterable[dict[str, str]]:
    """One of the payer's reasons for the patient's part, then its own lines."""
    step, lines = read
    yield {"text": step_words(step, language), "day": "", "style": "named",
           "amount": money(step["amount_minor"], language, currency)}
    yield from _lines([line for line in lines if line.kind == "remittance_adjustment"] or lines, language, currency)


def _lines(lines: Sequence[SourceLine], language: str, currency: str) -> list[dict[str, str]]:
    return [{"text": line_words(line, language), "day": short_day(line.on, language), "style": "",
             "amount": money(line.amount_minor, language, currency) if line.amount_minor is not None else ""}
            for line in lines]


def line_words(line: SourceLine, language: str) -> str:
    """What a source line is, in a few words."""
    said, tenders = languages.words("account", language), words(language)["tender"]
    payer = written(line.payer_name) or words(language)["your_plan"]
    text = str(said[f"source_{line.kind}"])
    match line.kind:
        case "service_line":
            name = procedure_words(line.code, language, line.words or None)
            return text.format(what=name if line.code in name or not line.code else f"{name} ({line.code})")
        case "remittance_claim":
            number = said["source_claim_number"].format(code=line.code) if line.code else ""
            return ", ".join(filter(None, (text.format(payer=payer), number)))
        case "remittance_adjustment":
            told = text.format(payer=payer, code=line.code.replace("-", "\u2011"))  # a code stays on one line
            return ": ".join(filter(None, (told, carc(line.code, language) or "")))
        case "payment":
            return ", ".join(filter(None, (text, str(tenders.get(line.code, "")))))
    return text.format(code=line.code)
