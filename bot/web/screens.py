"""Pages as strings: data of billing/ and templates/ in, HTML out. Nothing here reads or writes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from billing.link_pages import DueNow, PaymentPage, Visitor
from billing.policy.plans import lender_link
from config.practice import PracticePolicy
from templates import web
from templates.statement_words import day, money, phone_words


def ask(language: str, *, wrong: bool = False) -> str:
    """The page that anybody sees first, whatever the token: it says nothing about anybody (T-39)."""
    return web.page("ask", language, {"wrong": wrong})


def wait(language: str) -> str:
    """After too many wrong answers from one address, whatever the token."""
    said = web.words(language)
    return note_page(language, None, said["check_often_title"], said["ask_often_text"])


def gone(language: str) -> str:
    said = web.words(language)
    return note_page(language, None, said["gone_title"], said["gone_text"])


def note(visitor: Visitor, name: str, language: str, links: Sequence[tuple[str, str]] = (), **filled: str) -> str:
    """A short answer: ``name`` picks ``NAME_title`` and ``NAME_text``; ``links`` are (address, key of its words)."""
    said = web.words(language)
    filled = {"phone": phone_words(visitor.policy.phone), "practice": visitor.policy.name, **filled}
    shown = [{"href": f"{href}?lang={language}", "text": said[key], "quiet": ""} for href, key in links]
    return note_page(language, visitor.policy, said[f"{name}_title"], said[f"{name}_text"].format(**filled), shown)


def note_page(language: str, policy: PracticePolicy | None, title: str, text: str,
              links: Sequence[Mapping[str, str]] = (), hero: Mapping[str, str] | None = None) -> str:
    """``policy`` is None where nobody has proved who they are: then the page names no practice."""
    return web.page("note", language, {"practice": letterhead(policy) if policy else None, "title": title,
                                       "text": text, "links": links, "hero": hero})


def letterhead(policy: PracticePolicy) -> dict[str, Any]:
    """The practice's own name, and where to ask."""
    return {"name": policy.legal_name, "lines": [phone_words(policy.phone)]}


def card_warning(policy: PracticePolicy, language: str) -> str:
    """Said before a card is asked for where its use forgoes protections (T-54: NY GBL 519-a); empty elsewhere."""
    due = policy.region == "NY" and policy.payments.ny_card_warning
    return str(web.words(language)["ny_card"]) if due else ""


def lender(policy: PracticePolicy, today: date, language: str) -> dict[str, str] | None:
    """The lender beside the practice: its name and its own page as configured, nothing added (T-54: NY GBL 349-g)."""
    found = policy.payments.pay_over_time
    if found is None or found.since > today:
        return None
    said = web.words(language)
    return {"text": said["lender_offer"].format(lender=found.name), "href": lender_link(found),
            "button": said["lender_button"].format(lender=found.name)}


def pay(visitor: Visitor, payment: PaymentPage, action: str, today: date, language: str) -> str:
    said = web.words(language)
    amount = money(payment.amount_minor, language, payment.currency)
    rows = [[said["pay_visit_on"].format(day=day(on, language)) if on else f"{said['pay_visit']} {external}",
             money(minor, language, payment.currency)] for on, external, minor in payment.rows]
    return web.page("pay", language, {
        "practice": letterhead(visitor.policy), "phone": phone_words(visitor.policy.phone), "amount": amount,
        "rows": rows, "total": None, "action": action, "fields": [], "keep": payment.may_keep,
        "account": _account(action, language),
        "warning": card_warning(visitor.policy, language), "lender": lender(visitor.policy, today, language)})


def _account(action: str, language: str) -> str:
    """The account's first page, from the address of a button behind the same link."""
    return f"{action.rpartition('/')[0]}/account?lang={language}"


def bank(visitor: Visitor, payment: PaymentPage, language: str) -> str:
    """The patient's bank wants to ask them about a card on file; the link leads to its own page."""
    said = web.words(language)
    hero = {"label": said["pay_amount"], "amount": money(payment.amount_minor, language, payment.currency), "by": "",
            "lead": ""}
    link = {"href": payment.bank_url, "text": said["bank_button"], "quiet": ""}
    return note_page(language, visitor.policy, said["bank_title"], said["bank_text"].format(
        phone=phone_words(visitor.policy.phone)), [link], hero)


def paid(visitor: Visitor, payment: PaymentPage, language: str) -> str:
    assert payment.paid_at is not None
    said, on = web.words(language), payment.paid_at.astimezone(ZoneInfo(visitor.policy.zone)).date()
    hero = {"label": said["paid_amount"], "amount": money(payment.amount_minor, language, payment.currency),
            "by": day(on, language), "lead": ""}
    text = said["paid_text" if payment.has_thread else "paid_ask"]  # no promise of a text that nobody will send
    return note_page(language, visitor.policy, said["paid_title"], text, hero=hero)


def sheet(name: str, page: Mapping[str, Any], home: str, query: str, language: str, due: DueNow | None = None,
          warning: str = "", account: str = "") -> str:
    """A statement, itemised bill or receipt, from the same strings as its PDF; with a button if something is due.

    ``home`` is the link's path; ``query`` what picked the sheet, if anything did ("visit=2&"); ``account`` the page to
    go back to, the account's own without one.
    """
    button = None
    if due is not None and due.amount_minor > 0:
        button = {"amount": money(due.amount_minor, language, due.currency), "action": f"{home}/pay",
                  "fields": [("amount", str(due.amount_minor)), ("version", str(due.balance_version))]}
    return web.page(name, language, {
        "page": page, "pdf": f"{home}/pdf?{query}", "query": query, "pay": button, "warning": warning,
        "account": account or f"{home}/account?lang={language}",
        "now_due": money(due.amount_minor, language, due.currency) if due is not None else ""})


def pay_now(visitor: Visitor, due: DueNow, action: str, language: str) -> str:
    """The account without a statement: what is due now, and the button."""
    said = web.words(language)
    amount = money(due.amount_minor, language, due.currency)
    return web.page("pay", language, {
        "practice": letterhead(visitor.policy), "phone": phone_words(visitor.policy.phone), "amount": amount,
        "rows": [[said["pay_now_heading"], amount]], "total": None, "action": action, "keep": False, "lender": None,
        "account": _account(action, language),
        "warning": card_warning(visitor.policy, language),
        "fields": [("amount", str(due.amount_minor)), ("version", str(due.balance_version))]})


def choice(visitor: Visitor, visits: Sequence[str], action: str, language: str) -> str:
    """Which visit's itemised bill: by its day, and by its place in the list in the address (no PHI there, T-39)."""
    said = web.words(language)
    links = [{"href": f"{action}?visit={number}&lang={language}", "text": said["pay_visit_on"].format(day=on),
              "quiet": "quiet"} for number, on in enumerate(visits, 1)]
    return note_page(language, visitor.policy, said["choose_title"], said["choose_text"], links)


def upload(visitor: Visitor, have: int, action: str, language: str, refused: str = "") -> str:
    """Where pictures and papers are sent. ``have``: how many are here; ``refused``: why the last was not taken."""
    said, purpose = web.words(language), visitor.link.purpose
    kept = said["files_one" if have == 1 else "files_some"].format(number=have) if have else ""
    return web.page("upload", language, {
        "practice": letterhead(visitor.policy), "title": said[f"files_{purpose}_title"],
        "text": said[f"files_{purpose}_text"], "kept": kept, "action": action,
        "alert": said[f"files_no_{refused}"].format(phone=phone_words(visitor.policy.phone)) if refused else "",
        "first": said[f"files_{purpose}_first"], "second": said[f"files_{purpose}_second"]})


def check(policy: PracticePolicy | None, language: str, result: str = "", on: str = "") -> str:
    """The practice's page for check codes. ``result``: yes, no, often, or empty before anything was asked."""
    said = web.words(language)
    filled = {"phone": phone_words(policy.phone) if policy else "", "day": day(on, language) if on else ""}
    shown = {"title": said[f"check_{result}_title"], "text": said[f"check_{result}_text"].format(**filled)
             } if result else None
    return web.page("check", language, {"practice": letterhead(policy) if policy else None, "result": shown})


def passcode(visitor: Visitor, action: str, language: str, *, known: bool, refused: str = "") -> str:
    """Where a passcode is set. ``known``: there is one; ``refused``: why the new one was not taken."""
    said = web.words(language)
    return web.page("passcode", language, {
        "practice": letterhead(visitor.policy), "action": action, "known": known,
        "alert": said[f"passcode_no_{refused}"] if refused else ""})


def stop(language: str, action: str) -> str:
    """The press that stops e-mails; the same page for every link."""
    return web.page("stop", language, {"action": action})


def stopped(language: str, policy: PracticePolicy) -> str:
    said = web.words(language)
    return note_page(language, policy, said["stopped_title"],
                     said["stopped_text"].format(phone=phone_words(policy.phone)))
