"""Pages of instalment plans and of cards on file as strings. Nothing here reads or writes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from billing.card_pages import CardPage
from billing.link_pages import Visitor
from bot.web.screens import letterhead, note_page
from templates import plan_sheets, web
from templates.plan_words import card_words, words
from templates.statement_words import day, money, phone_words, short_day

Content = Mapping[str, Any]

#: Of a plan that is over, by its status; any other is "over".
_OVER = {"completed": "completed"}


def note(visitor: Visitor, name: str, language: str, links: Sequence[tuple[str, str]] = (), **filled: str) -> str:
    """A short answer in the words of plans: ``NAME_title`` and ``NAME_text``; links are (address, key)."""
    said = words(language)
    filled = {"phone": phone_words(visitor.policy.phone), **filled}
    shown = [{"href": f"{href}?lang={language}", "text": said[key], "quiet": "quiet"} for href, key in links]
    return note_page(language, visitor.policy, said[f"{name}_title"], said[f"{name}_text"].format(**filled), shown)


def obstacle(visitor: Visitor, name: str, home: str, language: str) -> str:
    """Why an offer cannot be agreed to now."""
    return note(visitor, name, language)


def offer(visitor: Visitor, content: Content, home: str, way: str, language: str, need: str = "") -> str:
    """The offer to read and agree to. ``need``: the box that was not ticked (esign, words)."""
    said, phone = words(language), phone_words(visitor.policy.phone)
    auto = content["collects"] == "autopay"
    return web.page("plan", language, {
        "practice": letterhead(visitor.policy), "p": said, "page": plan_sheets.plan_page(content, language),
        "query": f"way={way}&" if way else "", "way": "auto" if auto else "link", "auto": auto,
        "choices": _choices(content, home, language) if content["autopay"] else [], "action": f"{home}/plan",
        "shown": plan_sheets.fingerprint(content, language), "pdf": f"{home}/pdf?{f'way={way}&' if way else ''}",
        "need": said[f"need_{need}"].format(phone=phone) if need else "",
        "warning": said["ny_warning"] if auto and content["ny_warning"] else "",
        "questions": said["questions"].format(phone=phone, day=day(content["offer_ends_on"], language))})


def _choices(content: Content, home: str, language: str) -> list[dict[str, str]]:
    """The other ways to pay the same plan."""
    said, auto, card = words(language), content["collects"] == "autopay", content["card"]
    offered = [("link", "choose_link")] if auto else [("auto", "choose_auto")] if card else []
    offered.append(("card", "choose_other_card" if card else "choose_card"))
    return [{"href": f"{home}?way={way}&lang={language}",
             "text": said[key].format(card=card_words(card, language) if card else "")} for way, key in offered]


def give_card(visitor: Visitor, content: Content, home: str, language: str) -> str:
    """What is said before a card for a plan is asked for (T-54), and the button."""
    said = words(language)
    return web.page("card", language, {
        "practice": letterhead(visitor.policy), "p": said, "title": said["choose_card"], "text": said["card_lead"],
        "query": "way=card&", "warning": said["ny_warning"] if content["ny_warning"] else "", "terms": "",
        "action": f"{home}/plan",
        "back": {"href": f"{home}?way=link&lang={language}", "text": said["choose_link"]}})


def change_card(visitor: Visitor, content: Content, home: str, language: str) -> str:
    """Another card for a running plan: what was agreed to goes on with it, and that is said before."""
    said, now = words(language), content["card"]
    return web.page("card", language, {
        "practice": letterhead(visitor.policy), "p": said, "title": said["change_card"],
        "text": said["change_text"].format(card=card_words(now, language)) if now else said["card_lead"],
        "query": "way=card&", "warning": said["ny_warning"] if content["ny_warning"] else "",
        "terms": said["change_terms"].format(most=_money(content, content["most_minor"], language)),
        "action": f"{home}/plan", "back": {"href": f"{home}?lang={language}", "text": said["change_back"]}})


def card(visitor: Visitor, page: CardPage, action: str, language: str) -> str:
    said = words(language)
    most = money(page.plan_most_minor, language) if page.plan_most_minor is not None else ""
    text = said["card_text_one"].format(card=card_words(page.card, language)) if page.card else said["card_text_none"]
    return web.page("card", language, {
        "practice": letterhead(visitor.policy), "p": said, "title": said["card_title"], "text": text,
        "warning": said["ny_warning"] if page.ny_warning else "", "action": action,
        "terms": said["change_terms"].format(most=most) if most else said["card_terms"],
        "back": None})


def card_done(visitor: Visitor, page: CardPage, language: str) -> str:
    return note(visitor, "card_done", language, card=card_words(page.card, language) if page.card else "")


def running(visitor: Visitor, content: Content, home: str, language: str) -> str:
    """A plan that was agreed to: what comes next, what is paid, and every way to change it that a page can have."""
    said, over = words(language), not _runs(content)
    done = _OVER.get(content["status"], "over") if over else ""
    coming = next((part for part in content["parts"] if part["amount_minor"] > part["paid_minor"]), None)
    return web.page("plan_running", language, {
        "practice": letterhead(visitor.policy), "p": said, "title": said[f"{done}_title"] if over else said["title"],
        "text": said[f"{done}_text"].format(phone=phone_words(visitor.policy.phone)) if over else "",
        "hero": None if over or coming is None else _coming(content, coming, language),
        "state": "" if over else _state(content, language), "alert": content["status"] == "behind",
        "paid": said["running_paid"].format(paid=_money(content, content["paid_minor"], language),
                                            total=_money(content, content["total_minor"], language)),
        "rows": [_row(content, part, language) for part in content["parts"]],
        "visits": plan_sheets.plan_page(content, language)["visits"], "action": f"{home}/plan",
        "buttons": [] if over or coming is None else _buttons(content, coming, language),
        "auto": not over and content["collects"] == "autopay", "change": f"{home}?way=card&lang={language}",
        "account": f"{home}/account?lang={language}",
        "pdf": f"{home}/pdf?" if content["agreed"] else ""})


def _runs(content: Content) -> bool:
    return content["status"] in ("active", "cured", "behind", "paused")


def _money(content: Content, minor: int, language: str) -> str:
    return money(minor, language, content["currency"])


def _coming(content: Content, part: Content, language: str) -> dict[str, str]:
    said = words(language)
    return {"label": said["running_next"], "by": day(part["due_on"], language), "lead": "",
            "amount": _money(content, part["amount_minor"] - part["paid_minor"], language)}


def _state(content: Content, language: str) -> str:
    said = words(language)
    if content["status"] == "behind":
        return str(said["running_behind"])
    if content["status"] == "paused" and content["paused_until"]:
        return str(said["running_paused_until"].format(day=day(content["paused_until"], language)))
    if content["status"] == "paused":
        return str(said["running_paused"])
    if content["collects"] == "autopay" and content["card"]:
        return str(said["running_auto"].format(card=card_words(content["card"], language)))
    return str(said["running_link"])


def _row(content: Content, part: Content, language: str) -> dict[str, str]:
    """A payment of the schedule. A skipped one shows what was signed; what is paid already stands as its state."""
    said, state = words(language), part["status"]
    shown = part["agreed_minor"] if state == "skipped" else part["amount_minor"]
    if state not in ("paid", "skipped") and 0 < part["paid_minor"] < part["amount_minor"]:
        told = f"{said['state']['paid']}: {_money(content, part['paid_minor'], language)}"
    else:
        told = said["state"][state]
    return {"day": short_day(part["due_on"], language), "state": told, "amount": _money(content, shown, language),
            "note": "" if part["number"] else said["deposit"]}


def _buttons(content: Content, part: Content, language: str) -> list[dict[str, str]]:
    said, open_minor = words(language), part["amount_minor"] - part["paid_minor"]
    made = [("pay", said["pay_next"].format(amount=_money(content, open_minor, language)))]
    if content["left_minor"] > open_minor:
        made.append(("payoff", said["pay_off"].format(amount=_money(content, content["left_minor"], language))))
    return [{"do": do, "text": text, "quiet": "quiet" if number else ""} for number, (do, text) in enumerate(made)]
