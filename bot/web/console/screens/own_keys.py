"""One's own passkeys and security keys: adding one in two steps, naming it, removing it.

What is refused by an exception is taken back whole (serving.act). A wrong code and a key's wrong answer are told by a
note instead, so that they stay counted, and what was asked stays used up.
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from billing import passkey_proofs, passkeys
from billing.passkey_proofs import Site
from bot.web.console import table
from bot.web.console.fields import Line, Ticked
from bot.web.console.table import Action, Asked, Done

KeyName = Annotated[Line, Field(max_length=40)]
_BACK = "/me"


class Begin(table.Form):
    """``code``: of the authenticator app, a fresh one."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=12)]


class Add(table.Form):
    """``answer``: what the browser said of the key, as JSON (RegistrationResponseJSON)."""

    name: KeyName
    answer: Annotated[str, StringConstraints(min_length=2, max_length=16_000)]


class Rename(table.Form):
    name: KeyName


class Remove(table.Form):
    """Without ``sure`` it is only asked whether it is meant."""

    sure: Ticked = False


def begin(session: Session, asked: Asked[Begin]) -> Done:
    person = asked.person
    options = passkeys.begin(session, person, asked.policy.name, asked.query.code, _site(asked), asked.now)
    if not options:
        return Done("staff", person.staff_id, _BACK, "key_code_wrong", {"proved": False}, tried=True)
    return Done("staff", person.staff_id, _BACK, result={"proved": True, "options": json.loads(options)},
                page="key_add", tried=True)


def add(session: Session, asked: Asked[Add]) -> Done:
    person, form = asked.person, asked.query
    row = passkeys.add(session, person, form.name, form.answer, _site(asked), asked.now)
    if row is None:
        return Done("staff", person.staff_id, _BACK, "key_not_added", {"added": False}, tried=True)
    return Done("passkey", row.id, _BACK, "key_added", {"added": True, "passkey_id": row.id})


def rename(session: Session, asked: Asked[Rename]) -> Done:
    row = passkeys.rename(session, asked.person, asked.path["passkey_id"], asked.query.name, asked.now)
    return Done("passkey", row.id, _BACK)


def remove(session: Session, asked: Asked[Remove]) -> Done:
    row = passkeys.own(session, asked.person, asked.path["passkey_id"])
    passkey_id, name = row.id, row.name
    if not asked.query.sure:
        return Done("passkey", passkey_id, _BACK, result={"passkey_id": passkey_id, "name": name}, page="key_remove",
                    tried=True)
    passkeys.remove(session, asked.person, passkey_id, asked.now)
    return Done("passkey", passkey_id, _BACK, "key_removed")


def _site(asked: Asked[Begin] | Asked[Add]) -> Site | None:
    return passkey_proofs.site_of(asked.wiring.road.public_url)


VIEWS = ()
ACTIONS = (Action("me.key_begin", "/me/keys/begin", "read", Begin, begin),
           Action("me.key_add", "/me/keys", "read", Add, add),
           Action("me.key_name", "/me/keys/{passkey_id}/name", "read", Rename, rename),
           Action("me.key_remove", "/me/keys/{passkey_id}/remove", "read", Remove, remove))
