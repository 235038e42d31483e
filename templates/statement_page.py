"""A statement's content (billing/statements.py) turned into the strings of a page, in reading order.

Everything a reader sees is decided here; statement.typ only lays it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from templates.codes import place_words, procedure_words
from templates.format import LOCALES
from templates.names import written
from templates.statement_words import (
    day,
    language_lines,
    money,
    phone_words,
    short_day,
    words,
)

Content = Mapping[str, Any]

_NAMING = ("deductible", "coinsurance", "copay", "other_patient", "waiver_check")
_SINCE = ("patient_paid", "refunded", "moved_to_credit", "assistance", "discount", "written_off", "placed")


def statement_page(content: Content, language: str) -> dict[str, Any]:
    """All strings of the PDF. ``content`` is a statement's snapshot, amounts in cents."""
    said = words(language)
    left, right = _notices(content, language)
    return {
        **_frame(content, language), "made_on": content["statement_on"],
        "title": said["title"].format(number=content["number"]),
        "kind": said["statement"], "facts": _facts(content, language), "to": addressee(content, language),
        "hero": _hero(content, language), "overview": _overview(content, language),
        "visits_heading": said["visits_heading"],
        "visits": [_visit(content, visit, language) for visit in content["visits"]],
        "waiting": _waiting(content, language), "summary": _summary(content, language),
        "aging": _aging(content, language), "left": left, "right": right,
        "languages": {"heading": said["language_heading"].format(phone=phone_words(content["practice"]["phone"])),
                      "lines": language_lines()},
    }


def _frame(content: Content, language: str) -> dict[str, Any]:
    return frame(content["practice"], content["account"], language)


def frame(practice: Mapping[str, Any], account: str, language: str) -> dict[str, Any]:
    """Letterhead and running lines, the same on every kind of sheet."""
    said = words(language)
    phone = phone_words(practice["phone"])
    lines = [*_address_lines(practice["address"]), " · ".join(filter(None, (phone, practice.get("website"))))]
    return {
        "lang": language if language in LOCALES else "en",
        "practice": {"name": practice["legal_name"], "lines": lines},
        "foot": {"left": said["continued"].format(practice=practice["legal_name"], account=account),
                 "contact": f"{practice['name']} · {phone}", "pages": said["page_of"]},
    }


def addressee(content: Content, language: str) -> dict[str, Any]:
    person = content["guarantor"]
    return {"label": words(language)["for_person"], "name": person["name"],
            "lines": _address_lines(person.get("address") or "")}


def _address_lines(address: str) -> list[str]:
    """Street, then town and state: a one-line address is split at its first comma."""
    parts = [part.strip() for part in address.splitlines() if part.strip()]
    if len(parts) == 1 and "," in parts[0]:
        street, rest = parts[0].split(",", 1)
        return [street.strip(), rest.strip()]
    return parts


def _facts(content: Content, language: str) -> list[list[str]]:
    said = words(language)
    return [[said["statement_number"], str(content["number"])],
            [said["statement_date"], day(content["statement_on"], language)], [said["account"], content["account"]]]


def _hero(content: Content, language: str) -> dict[str, str]:
    said, total = words(language), content["total_minor"]
    if total > 0:
        return {"label": said["due_label"], "amount": _money(content, total, language),
                "by": said["pay_by"].format(day=day(content["due_on"], language)), "lead": ""}
    return {"label": said["nothing_due_label"], "amount": _money(content, 0, language), "by": "",
            "lead": said["lead_nothing"]}


def _money(content: Content, minor: int, language: str) -> str:
    return money(minor, language, content["currency"])


def _overview(content: Content, language: str) -> dict[str, Any] | None:
    """With several visits: one line each and their sum, so that the total can be checked before any detail."""
    if len(content["visits"]) < 2:
        return None
    said = words(language)
    rows = [[short_day(v["service_on"], language), _who(content, v), _money(content, v["due_minor"], language)]
            for v in content["visits"]]
    if content["credit_used_minor"]:
        rows.append(["", said["credit_used"], _money(content, -content["credit_used_minor"], language)])
    return {"heading": said["overview_heading"], "cols": [said["visit"], said["provider"], said["due_label"]],
            "rows": rows, "total": [said["total"], "", _money(content, content["total_minor"], language)]}


def _who(content: Content, visit: Content) -> str:
    """The provider, and the patient where that is somebody else than the one who gets the bill."""
    patient = "" if visit["patient"] == content["guarantor"]["name"] else visit["patient"]
    return " · ".join(filter(None, (written(visit["provider"]), patient)))


def visit_heading(visit: Content, language: str) -> str:
    said = words(language)
    return day(visit["service_on"], language) or f"{said['visit']} {visit['external']}"


def _visit(content: Content, visit: Content, language: str) -> dict[str, Any]:
    said = words(language)
    about = [said["with_provider"].format(provider=written(visit["provider"])) if visit["provider"] else "",
             place_words(visit["place_code"], language) or "", f"{said['patient']}: {visit['patient']}"]
    services = _services(content, visit, language)
    return {"heading": visit_heading(visit, language), "about": " · ".join(filter(None, about)),
            "services": " · ".join(services), "service_list": services, "cols": [said["item"], said["amount"]],
            "rows": visit_rows(content, visit, language)}


def _services(content: Content, visit: Content, language: str) -> list[str]:
    shown = []
    for line in visit["lines"]:
        name = procedure_words(line["code"], language, line["words"])
        code = f" ({line['code']})" if content["itemised_by_law"] and line["code"] and line["code"] not in name else ""
        shown.append(f"{name}{code}: {_money(content, line['charge_minor'], language)}")
    return shown


def visit_rows(content: Content, visit: Content, language: str) -> list[dict[str, str]]:
    """The derivation as one running column: the bill, = your part (and why), what happened since, = what is left."""
    said = words(language)
    bill = [s for s in visit["steps"] if s["kind"] not in (*_NAMING, *_SINCE, "left")]
    since = [s for s in visit["steps"] if s["kind"] in _SINCE]
    rows = [_row(step_words(s, language), _money(content, s["amount_minor"], language)) for s in bill]
    if len(bill) > 1 or since:
        rows.append(_row(said["your_part"], _money(content, visit["patient_part_minor"], language), "part",
                         _reasons(content, visit, language)))
    rows += [_row(_dated(s, language), _money(content, s["amount_minor"], language)) for s in since]
    label = said["visit_left" if visit["left_minor"] else "visit_left_zero"]
    if visit["due_minor"] < visit["left_minor"]:  # what is held or pending is left, but nobody owes it yet
        label = said["visit_left_some"]
    rows.append(_row(label, _money(content, visit["left_minor"], language), "left", _asked(content, visit, language)))
    return rows


def _row(label: str, amount: str, style: str = "plain", note: str = "") -> dict[str, str]:
    return {"label": label, "amount": amount, "style": style, "note": note}


def _dated(step: Content, language: str) -> str:
    text = step_words(step, language)
    return f"{text}, {short_day(step['on'], language)}" if step["on"] else text


def step_words(step: Content, language: str) -> str:
    """A short label of a step; the whole sentences of a conversation live in templates/sentences.py."""
    said = words(language)["steps"]
    kind = "from_credit" if step["kind"] == "moved_to_credit" and step["amount_minor"] < 0 else step["kind"]
    kind = "placed_back" if kind == "placed" and step["amount_minor"] > 0 else kind
    payer = written(step["payer"]) or words(language)["your_plan"]
    return str(said[kind].format(payer=payer))


def _reasons(content: Content, visit: Content, language: str) -> str:
    named = [s for s in visit["steps"] if s["kind"] in _NAMING]
    return " + ".join(f"{step_words(s, language)} {_money(content, s['amount_minor'], language)}" for s in named)


def _asked(content: Content, visit: Content, language: str) -> str:
    if visit["due_minor"] == visit["left_minor"]:
        return ""
    return f"{words(language)['of_this_due']}: {_money(content, visit['due_minor'], language)}"


def _waiting(content: Content, language: str) -> dict[str, Any] | None:
    if not content["waiting"]:
        return None
    said = words(language)
    rows = [[short_day(w["service_on"], language) or w["external"], why_words(w, language),
             _money(content, w["amount_minor"], language)] for w in content["waiting"]]
    return {"heading": said["waiting_heading"], "rows": rows,
            "cols": [said["waiting_visit"], said["waiting_why"], said["waiting_amount"]]}


def why_words(waiting: Content, language: str) -> str:
    """Why nothing is asked for yet, in a sentence; an unknown hold says that somebody is looking into it."""
    said = words(language)["why"]
    if waiting["why"] == "pending":
        payers = [written(payer) for payer in waiting["payers"]]
        return str(said["pending"].format(payer=", ".join(payers)) if payers else said["pending_nobody"])
    return str(said.get(waiting["why"], said["hold"]))


def _summary(content: Content, language: str) -> dict[str, Any]:
    said, figures = words(language), content["summary"]
    first = content["previous"] is None
    rows = [] if first else [_row(said["previous_balance"], _money(content, figures["previous_minor"], language))]
    for key in ("new_activity", "payments_received", "taken_off", "refunds_and_credit", "credit_used"):
        amount = figures.get(f"{key}_minor", 0)
        if amount or key in ("new_activity", "payments_received"):
            rows.append(_row(said[key], _money(content, amount, language)))
    rows.append(_row(said["total_due"], _money(content, content["total_minor"], language), "left"))
    if content["credit_minor"] > content["credit_used_minor"]:
        left_over = content["credit_minor"] - content["credit_used_minor"]
        rows.append(_row(said["credit_label"], _money(content, left_over, language)))
    return {"heading": said["summary_heading_first" if first else "summary_heading"], "rows": rows,
            "cols": [said["item"], said["amount"]]}


def _aging(content: Content, language: str) -> dict[str, Any] | None:
    if content["total_minor"] <= 0:
        return None
    said = words(language)
    shown = [(said["aging"][b["bucket"]], _money(content, b["amount_minor"], language)) for b in content["aging"]]
    return {"heading": said["aging_heading"], "cols": [name for name, _ in shown], "row": [cell for _, cell in shown],
            "owed": [pair for pair, b in zip(shown, content["aging"], strict=True) if b["amount_minor"]]}


def _notices(content: Content, language: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Paying and help on the left, questions on the right; the rest goes where the column is shorter."""
    said = words(language)
    left = _sections((said["pay_heading"], _ways(content, language)),
                     (said["plan_heading"], [_plan(content, language)]),
                     (said["assistance_heading"], _assistance(content, language)))
    right = _sections((said["questions_heading"], _questions(content, language)))
    rest = _sections((said["words_heading"], _meanings(content, language)),
                     (said["stop_heading"], [said["stop_texts"]]),
                     (said["estimate_heading"], _estimates(content, language)))
    for section in rest:
        min(left, right, key=_height).append(section)
    return left, right


def _height(sections: Sequence[Mapping[str, Any]]) -> int:
    """Lines that sections will take in a column, roughly: for balance, nothing depends on it."""
    return sum(2 + sum(1 + len(text) // 58 for text in section["paragraphs"]) for section in sections)


def _sections(*made: tuple[str, list[str]]) -> list[dict[str, Any]]:
    return [{"heading": heading, "paragraphs": lines} for heading, lines in made if lines]


def _ways(content: Content, language: str) -> list[str]:
    said, practice = words(language), content["practice"]
    if content["total_minor"] <= 0:
        return []
    filled = {"pay_text": {}, "pay_phone": {"phone": phone_words(practice["phone"])},
              "pay_mail": {"account": content["account"], "address": ", ".join(_address_lines(practice["address"]))},
              "pay_web": {"website": practice.get("website") or ""}}
    return [said[way].format(**filled[way]) for way in content["ways_to_pay"]]


def _plan(content: Content, language: str) -> str:
    said, on_plan = words(language), content["plan"]["on_plan_minor"]
    return str(said["plan_on"].format(amount=_money(content, on_plan, language)) if on_plan else said["plan_none"])


def _questions(content: Content, language: str) -> list[str]:
    said, phone = words(language), phone_words(content["practice"]["phone"])
    lines = [said["questions_ask"].format(phone=phone), said["questions_insurance"], said["questions_itemised"]]
    if content.get("check_code"):
        lines.append(said["check_code"].format(code=content["check_code"]))
    return [*lines, *([said["texas_note"]] if content["itemised_by_law"] else [])]


def _assistance(content: Content, language: str) -> list[str]:
    said, help_ = words(language), content["assistance"]
    contact = said["assistance_contact"].format(phone=phone_words(help_["phone"]))
    web = said["assistance_web"].format(url=help_["url"]) if help_["url"] else ""
    return [" ".join(filter(None, (help_["note"], contact, web)))]


def _estimates(content: Content, language: str) -> list[str]:
    if not content["self_pay"]:
        return []
    said = words(language)
    over = [said["estimate_over"].format(
        provider=written(e["provider"]), estimate=_money(content, e["estimate_minor"], language),
        billed=_money(content, e["billed_minor"], language),
        difference=_money(content, e["over_minor"], language)) for e in content["estimates_exceeded"]]
    return [said["estimate_rights"], said["estimate_dispute"], *over]


def _meanings(content: Content, language: str) -> list[str]:
    kinds = {step["kind"] for visit in content["visits"] for step in visit["steps"]}
    return [text for kind, text in words(language)["meaning"].items() if kind in kinds]
