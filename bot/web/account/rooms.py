"""Who stands behind the door, and what every page of the account needs: the account's view, a turn, a page.

A link that shows what is owed opens all of them; one that was made for a picture, a card or a passcode opens its own
page alone. GET changes nothing, and every press is read again in the transaction in which it is written down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import accounts, cards, talks
from billing.command_context import Context
from billing.figures import AccountFigures
from billing.link_pages import Visitor
from billing.store import page_queries
from billing.store.tables import ContactPoint
from billing.views import AccountView
from bot.web import doors, screens
from bot.web.routes import Handler
from bot.web.wiring import Wiring
from templates import web
from templates.statement_words import phone_words

ACCOUNT, ASSISTANCE = "account", "assistance"
#: Links whose own page tells what is owed anyway.
PURPOSES = frozenset({ACCOUNT, ASSISTANCE, "statement", "pay", "receipt", "itemised", "year", "plan", "agreement"})


@dataclass(frozen=True, slots=True)
class Room:
    """An opened door of the account's pages. ``form`` is what was pressed, empty while only looking."""

    wiring: Wiring
    request: Request
    visitor: Visitor
    token: str
    language: str
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        return f"/l/{self.token}"

    @property
    def account_id(self) -> str:
        return self.visitor.link.guarantor_id

    @property
    def practice_id(self) -> str:
        return self.visitor.link.practice_id

    @property
    def words(self) -> Mapping[str, Any]:
        return web.account_words(self.language)

    @property
    def today(self) -> date:
        return self.visitor.policy.local_day(self.wiring.now())

    @property
    def phone(self) -> str:
        return phone_words(self.visitor.policy.phone)

    def href(self, path: str, **query: str) -> str:
        """An address below the link, in the page's language."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{self.home}/{path}?lang={self.language}{more}"


def looking(show: Callable[[Room], Awaitable[Response]]) -> Handler:
    """GET: ``show`` in its room; everybody else is led to the link's own page, which asks who they are."""
    async def handle(wiring: Wiring, request: Request) -> Response:
        visitor, token = await doors.enter(wiring, request), request.path_params["token"]
        if visitor is None or visitor.link.purpose not in PURPOSES:
            return RedirectResponse(f"/l/{token}", 303)
        return await show(Room(wiring, request, visitor, token, doors.language_of(request, visitor)))

    return handle


def pressing(act: Callable[[Room], Awaitable[Response]]) -> Handler:
    """POST: ``act`` in its room, with what was pressed."""
    async def filled(room: Room) -> Response:
        form = await doors.form_of(room.request)
        return form if isinstance(form, Response) else await act(replace(room, form=form))

    return looking(filled)


def page(room: Room, name: str, status: int = 200, **arguments: Any) -> Response:
    """A page of the account, with the way back to the others."""
    made = web.page(f"account/{name}", room.language, {
        "practice": screens.letterhead(room.visitor.policy), "phone": room.phone, "home": room.home,
        "a": room.words, "problems": {}, "done": "", "values": {}, **arguments})
    return doors.renew(room.wiring, room.request, HTMLResponse(made, status))


def go(room: Room, path: str, **query: str) -> Response:
    """After a press: the page that shows what came of it."""
    return doors.renew(room.wiring, room.request, RedirectResponse(room.href(path, **query), 303))


def speaking(room: Room, language: str) -> Room:
    """The same room in another language."""
    return replace(room, language=web.choose(language, room.language))


def own_words(room: Room, name: str, most: int = 1000) -> str:
    """What was written in a field. A card number that was typed in although nobody asks for one is not kept."""
    return cards.redact(room.form.get(name, "").strip()[:most]).text


def note(room: Room, name: str, status: int = 409) -> Response:
    """A short answer of the account's words, with the way back."""
    said = room.words
    link = {"href": room.href("account"), "text": said["back"], "quiet": "quiet"}
    made = screens.note_page(room.language, room.visitor.policy, said[f"{name}_title"],
                             said[f"{name}_text"].format(phone=room.phone), [link])
    return doors.renew(room.wiring, room.request, HTMLResponse(made, status))


def done(room: Room, known: Sequence[str]) -> str:
    """What the page says was just done: one of ``known``, or nothing."""
    told = room.request.query_params.get("done", "")
    return told if told in known else ""


def view(session: Session, room: Room, *, explained: bool = True, known: AccountFigures | None = None) -> AccountView:
    """The account as a conversation knows it once it is verified. Raises LookupError for one that is gone.

    ``explained`` is the dearest part of it: a page that shows no derivation does without. ``known``: its figures, where
    the page has them.
    """
    account = page_queries.account(session, room.practice_id, room.account_id)
    if account is None:
        raise LookupError("no such account")
    number = page_queries.first_hash(session, room.practice_id, room.account_id, "sms")
    return accounts.view_of(session, account, "sms", number, room.today, room.wiring.now(), room.visitor.policy,
                            full=True, explained=explained, known=known)


def turn(session: Session, room: Room, place: ContactPoint | None = None) -> Context:
    """As a turn of the account's conversation, at its own number or at ``place``; without a number, without one."""
    now = room.wiring.now()
    talk = talks.latest_talk(session, room.practice_id, room.account_id, now)
    return Context(room.practice_id, talk or "", place.address if place else "",
                   place.address_hash if place else "", place.channel if place else "sms", None, room.language, now,
                   medium="form")
