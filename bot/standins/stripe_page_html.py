"""The hosted page as HTML: plain forms, no script."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from bot.standins.journal import Row
from bot.standins.stripe_page_words import STYLE, WORDS

_TRY = (("4242 4242 4242 4242", "good"), ("4000 0000 0000 0002", "declined"), ("4000 0025 0000 3155", "asks"))
_TRY_BANKS = (("000123456789", "good"), ("000222222227", "comes_back"))
_CARD = (
    ("email", "email", False, "email"), ("number", "cc-number", True, "numeric"), ("exp", "cc-exp", True, "numeric"),
    ("cvc", "cc-csc", True, "numeric"), ("name", "cc-name", False, "text"), ("zip", "postal-code", False, "numeric"),
)  # fmt: skip
_BANK = (
    ("email", "email", False, "email"), ("holder", "name", True, "text"), ("routing", "off", True, "numeric"),
    ("account", "off", True, "numeric"),
)  # fmt: skip


def words_of(session: Row) -> dict[str, str]:
    return WORDS["es" if str(session["locale"] or "").startswith("es") else "en"]


def amount_of(session: Row) -> str:
    units, cents = divmod(session["amount_total"], 100)
    return f"${units:,}.{cents:02d}"


def _title(session: Row) -> tuple[str, str]:
    words = words_of(session)
    return (words["setup"], "") if session["mode"] == "setup" else (words["pay"], amount_of(session))


def _button(session: Row) -> str:
    words = words_of(session)
    text = words["save"] if session["mode"] == "setup" else f"{words['pay']} {amount_of(session)}"
    return f"<button>{text}</button>"


def _inputs(session: Row, fields: tuple[tuple[str, str, bool, str], ...]) -> dict[str, str]:
    words = words_of(session)
    return {name: f'<label>{words[name]}<input name="{name}" autocomplete="{hint}" inputmode="{keys}"'
                  f'{" required" if needed else ""}></label>' for name, hint, needed, keys in fields}  # fmt: skip


def forms(session: Row, error: str | None) -> str:
    """The card's form, and the bank account's under it where the session takes both."""
    alert = f'<p role="alert">{escape(error)}</p>' if error else ""
    kinds = session["payment_method_types"]
    shown = [form(session, len(kinds) > 1) for kind, form in (("card", _card), ("us_bank_account", _bank))
             if kind in kinds]  # fmt: skip
    return alert + "".join(shown)


def _card(session: Row, headed: bool) -> str:
    fields = _inputs(session, _CARD)
    pair = f'<div class="two">{fields.pop("exp")}{fields.pop("cvc")}</div>'
    email, number, *rest = fields.values()
    heading = f"<h2>{words_of(session)['card']}</h2>" if headed else ""
    action = f"/c/pay/{quote(session['id'])}"
    inner = f"{email}{number}{pair}{''.join(rest)}{_button(session)}"
    return f'{heading}<form method="post" action="{action}">{inner}</form>'


def _bank(session: Row, headed: bool) -> str:
    words = words_of(session)
    heading = f"<h2>{words['bank']}</h2>" if headed else ""
    chosen = '<input type="hidden" name="method" value="us_bank_account">'
    inner = f"{chosen}{''.join(_inputs(session, _BANK).values())}<p>{words['agree']}</p>{_button(session)}"
    return f'{heading}<form method="post" action="/c/pay/{quote(session["id"])}">{inner}</form>'


def _hint(session: Row) -> str:
    words = words_of(session)
    cards = "".join(f"<li>{number} {words[what]}</li>" for number, what in _TRY)
    banks = ""
    if "us_bank_account" in session["payment_method_types"]:
        rows = "".join(f"<li>{number} {words[what]}</li>" for number, what in _TRY_BANKS)
        banks = f"<p>{words['bank']}: 110000000</p><ul>{rows}</ul>"
    inner = f"<p>{words['secure']} {words['try']}</p><ul>{cards}</ul><p>12/34, 123</p>{banks}"
    return f'<div class="test">{inner}</div>'


def reason(session: Row, error: Row) -> str | None:
    """Why the card was refused, in the page's language."""
    words = words_of(session)
    return words.get(error.get("decline_code") or "") or words.get(error.get("code") or "") or error.get("message")


def question(words: dict[str, str], action: str, setup: bool) -> str:
    """The bank's question: two buttons."""
    ask, yes = (words["confirm_setup"], words["yes_setup"]) if setup else (words["confirm"], words["yes"])
    return (
        f'<p>{ask}</p><form method="post" action="{quote(action)}">'
        f'<button name="outcome" value="complete">{yes}</button>'
        f'<button name="outcome" value="fail">{words["no"]}</button></form>'
    )


def page(session: Row, inner: str) -> str:
    """The whole document; a session that is not open shows only what became of it."""
    words, status = words_of(session), session["status"]
    if status != "open":
        done = "saved" if session["mode"] == "setup" else "done"
        inner = f"<p>{words[done if status == 'complete' else 'over']}</p>"
    lead, amount = _title(session)
    back = f'<p><a href="{escape(session["cancel_url"])}">{words["back"]}</a></p>' if session["cancel_url"] else ""
    hint = _hint(session) if status == "open" else ""
    heading = f"<h1><span>{lead}</span>{amount}</h1>" if amount else f"<h1>{lead}</h1>"
    return document(words, f"{lead} {amount}".strip(), f"{heading}{inner}{back}{hint}")


def document(words: dict[str, str], title: str, inner: str) -> str:
    language = "es" if words is WORDS["es"] else "en"
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style><main>{inner}</main></html>"
    )
