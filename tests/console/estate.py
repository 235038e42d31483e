"""Two practices in one store, everybody who could ask, and a way to ask the application anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from sqlalchemy.orm import Session
from starlette.applications import Starlette

from billing import api_keys, sign_in, staff
from billing.store import sign_in_queries
from billing.store.tables import Credential, Practice, SendWindow
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.write import Store
from config.settings import Settings
from tests.conftest import Clock, maple_clinic, practice_row
from tests.console.samples import Rows, digest
from tests.payments import world

T = TypeVar("T")

MINE, OTHER = world.PRACTICE, "prac_oak"
HOST = "127.0.0.1:8000"


#: Our own practice's account is a whole one.
_ANNA = {"guarantors": {"id": world.ANNA}, "patients": {"id": "pat_A1"}, "visits": {"id": world.NEW},
         "conversations": {"id": world.TALK}, "imports": {"id": "imp_1"}}


#: For tests that try many things at many addresses: some of them at each in the fast suite, all of them in the slow.
ALL_OR_SOME = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "all"])


def turns(things: Sequence[T], number: int, whole: bool, some: int = 2) -> list[T]:
    """All ``things``, or the ``some`` whose turn it is at the address with this number."""
    count = len(things)
    return list(things) if whole or count <= some else [things[(number * some + one) % count] for one in range(some)]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    error: BaseException | None = None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Persona:
    """Somebody signed in, in a browser and (managers aside) by a program of the same role."""

    login: str
    role: str
    practice_id: str
    cookie: str
    csrf: str
    key: str


@dataclass
class Estate:
    """The application, its store and its people, by (practice, role). ``ids``: every practice's rows by table."""

    store: Store
    clock: Clock
    app: Starlette
    wiring: Wiring
    people: dict[tuple[str, str], Persona]
    ids: dict[str, dict[str, dict[str, Any]]]
    loop: asyncio.AbstractEventLoop
    asked: int = 0
    addresses: list[str] = field(default_factory=lambda: ["203.0.113.7"])

    def ask(self, method: str, path: str, *, by: Persona | None = None, key: Persona | None = None,
            form: Any = None, files: bool = False, json_body: Any = None, body: bytes = b"", word: str | None = None,
            headers: dict[str, str] | None = None) -> Answer:
        """One request. ``by``: in that person's browser; ``key``: by that one's program. ``word``: the CSRF word, that
        of the page unless given. ``files``: the form as a browser sends one with a file.
        """
        sent = {"host": HOST}
        if by is not None:
            sent["cookie"] = f"plainbill-staff={by.cookie}"
        if key is not None:
            sent["authorization"] = f"Bearer {key.key}"
        mine = word if word is not None else by.csrf if by is not None else ""
        if form is not None and files:
            body, sent["content-type"] = _with_files(form, mine), "multipart/form-data; boundary=XX"
        elif form is not None:
            body, sent["content-type"] = _encoded(form, mine), "application/x-www-form-urlencoded"
        if json_body is not None:
            body, sent["content-type"] = json.dumps(json_body).encode(), "application/json"
        if path.startswith("/api/") and by is not None and mine:
            sent["x-csrf-token"] = mine
        self._rest()
        return self.loop.run_until_complete(_call(self.app, method, path, {**sent, **(headers or {})}, body,
                                                  self.addresses[0]))

    def digest(self) -> dict[str, str]:
        return self.store.read(digest)

    def _rest(self) -> None:
        """Thousands of questions in one moment are more than anybody may ask, and not what is tried."""
        self.asked += 1
        if self.asked % 300 == 0:
            self.store.write(lambda session: session.query(SendWindow).delete())

    def person(self, role: str, practice_id: str = MINE) -> Persona:
        return self.people[practice_id, role]


def settle(store: Store, clock: Clock) -> Estate:
    """Both practices with a row of everything, and one person of each role in both."""
    store.write(practice_row(clock()))
    store.write(lambda session: world.anna(session, clock()))
    store.write(lambda session: session.add(_oak(clock)))
    ids, people = {}, {}
    for practice in (MINE, OTHER):
        ids[practice] = store.write(lambda session, one=practice: Rows(  # type: ignore[misc]
            session, one, clock(), {"practices": {"id": one}, **(_ANNA if one == MINE else {})}).every())
        for role in staff.ROLES:
            people[practice, role] = store.write(lambda session, one=practice, at=role: _hire(  # type: ignore[misc]
                session, one, at, clock))
    processor = StripeProcessor(StripeAccount("sk_test_x", "whsec_x", "http://127.0.0.1:9"), clock=clock)
    road = Road(store, clock, "test", f"http://{HOST}", processor=processor)
    wiring = Wiring(Settings(practice=MINE), road, processor)
    return Estate(store, clock, make_app(wiring), wiring, people, ids, asyncio.new_event_loop())


def _oak(clock: Clock) -> Practice:
    policy = maple_clinic(name="Oak Clinic", legal_name="Oak Clinic PLLC", sms_number="+12125550177")
    return Practice(id=OTHER, name=policy.name, legal_name=policy.legal_name, phone=policy.phone, zone=policy.zone,
                    currency=policy.currency, sms_number=policy.sms_number, ledger_of_record=policy.ledger_of_record,
                    configured=True, settings=policy.model_dump(mode="json"), created_at=clock(), updated_at=clock())


def _hire(session: Session, practice_id: str, role: str, clock: Clock) -> Persona:
    login = f"{role}-{practice_id[-3:]}"
    row = staff.add(session, practice_id, login=login, name=f"{role.title()} Tester", role=role, actor="test",
                    now=clock())
    held = Credential(staff_id=row.id, practice_id=practice_id, password_hash="x", totp_secret="x",
                      totp_step=0, failures=0, changed_at=clock())
    session.add(held)
    session.flush()
    cookie = sign_in._begin(session, held, "full", "tests", clock(), clock() + timedelta(hours=12))
    found = sign_in_queries.find(session, sign_in.hash_token(cookie))
    assert found is not None
    key = "" if role == "manager" else api_keys.make(session, practice_id, f"program {role}", role, 30, "test", clock())
    return Persona(login, role, practice_id, cookie, found[0].csrf, key)


def _encoded(form: Any, word: str) -> bytes:
    pairs = [("csrf", word)] if word else []
    for name, value in form.items():
        several = value if isinstance(value, list) else [value]
        pairs += [(name, str(one)) for one in several if one is not None and one is not False]
    return urlencode(pairs, errors="surrogatepass").encode()


def _with_files(form: Any, word: str) -> bytes:
    """``file`` and what is bytes goes as a file."""
    made = b""
    for name, value in {"csrf": word, **form}.items():
        is_file = name.startswith("file") or isinstance(value, bytes)
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        heading = f'form-data; name="{name}"' + ('; filename="x.csv"' if is_file else "")
        made += b"--XX\r\nContent-Disposition: " + heading.encode() + b"\r\n\r\n" + content + b"\r\n"
    return made + b"--XX--\r\n"


def call_alone(app: Starlette, method: str, path: str, form: Any, address: str,
               more: Mapping[str, str] | None = None) -> Answer:
    """One request of an application in a loop of its own."""
    headers = {"host": HOST, "content-type": "application/x-www-form-urlencoded", **(more or {})}
    return asyncio.run(_call(app, method, path, headers, _encoded(form, ""), address))


async def _call(app: Starlette, method: str, path: str, headers: dict[str, str], body: bytes, address: str) -> Answer:
    """As a server would call it; what breaks inside comes back beside the 500."""
    plain, _, query = path.partition("?")
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
             "path": unquote_to_bytes(plain).decode("utf-8", "replace"), "raw_path": plain.encode(), "query_string":
             query.encode(), "root_path": "", "headers": [(name.lower().encode("latin-1"), value.encode("latin-1"))
                                                          for name, value in headers.items()],
             "client": (address, 50000), "server": ("127.0.0.1", 8000)}
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    error = None
    try:
        await app(scope, receive, send)
    except Exception as found:
        error = found
    start = next(one for one in sent if one["type"] == "http.response.start")
    return Answer(start["status"], {name.decode("latin-1").lower(): value.decode("latin-1")
                                    for name, value in start["headers"]},
                  b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body"), error)
