"""What came with a request, checked against what was asked for; a complaint names the field and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from bot.channels.twilio_signature import read_form
from bot.web import multipart
from bot.web.console.table import VIAS, Action
from bot.web.guard import TooLarge, read_body
from templates.web import console

MOST_UPLOAD = 64 * 1024 * 1024
VIA = "via"
_MOST = 2 ** 62  # what a column of whole numbers holds, and more than anybody means
#: Of every page: the language, what the last action said, and out of which work it was opened.
_OWN = frozenset({"lang", "note", VIA})


class FormRefused(ValueError):
    """A form that cannot be taken; ``status`` as HTTP has it."""

    def __init__(self, text: str, status: int = 422) -> None:
        super().__init__(text)
        self.status = status


async def of_request(request: Request, action: Action) -> dict[str, Any]:
    """The fields as they came, a repeated one as a list. Raises FormRefused."""
    try:
        if action.upload:
            return _with_file(await read_body(request, MOST_UPLOAD), request.headers.get("content-type", ""),
                              named="called" in action.form.model_fields)
        return as_mapping(read_form(await read_body(request)))
    except TooLarge:
        raise FormRefused("That is more than one form may hold. Send less at a time.", 413) from None
    except ValueError:
        raise FormRefused("The form did not arrive whole. Go back and send it again.", 422) from None


def as_mapping(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found


def without_own(given: Mapping[str, str]) -> dict[str, Any]:
    """The query without what every page has; a field left empty in a search form was not asked for."""
    return {name: value for name, value in given.items() if name not in _OWN and value != ""}


def via_of(given: Mapping[str, str]) -> str:
    """Out of which work this was opened; nothing but the codes that there are, so that no address says more."""
    found = given.get(VIA, "")
    return found if found in VIAS else ""


def read(model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    """The checked form. Raises FormRefused naming each field."""
    if not _is_plain(list(given.items())):
        raise FormRefused("This holds characters that cannot be kept. Type it anew.")
    try:
        found = model.model_validate({name: value for name, value in given.items() if name in model.model_fields
                                     or model.model_config.get("extra") == "forbid"})
    except ValidationError as error:
        raise FormRefused(complaint(error)) from None
    for name, value in found:
        if isinstance(value, int) and abs(value) > _MOST:
            raise FormRefused(f"{name.replace('_', ' ')}: no number here is as large.")
    return found


def _is_plain(value: Any) -> bool:
    """No NUL, which a database refuses, and no half of a character, which nothing can write down."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= one <= "\udfff" for one in value)
    if isinstance(value, Mapping):
        return all(_is_plain(one) for pair in value.items() for one in pair)
    return all(_is_plain(one) for one in value) if isinstance(value, list | tuple) else True


#: A part of an address: an id of ours, a number, a code, a day.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+~=-]{0,79}")


def are_parts(path: Mapping[str, str]) -> bool:
    """Whether an address's own parts can be names of anything; what cannot be is not asked for."""
    return all(_PART.fullmatch(one) for one in path.values())


def complaint(error: ValidationError) -> str:
    """What is wrong with which field; never what was written in it."""
    told = []
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        if one["type"] == "extra_forbidden":  # its name is the asker's own words
            told.append("there is a field that this does not take")
            continue
        name = " ".join(part for part in one["loc"] if isinstance(part, str)).replace("_", " ") or "the form"
        told.append(f"{name}: {one['msg'].removeprefix('Value error, ')}")
    return ". ".join(told) + "."


def language_of(request: Request) -> str:
    """Chosen on the page, else kept from before, else the browser's."""
    return console.choose(request.query_params.get("lang"), request.cookies.get("plainbill-lang"),
                          request.headers.get("accept-language"))


def _with_file(body: bytes, content_type: str, *, named: bool) -> dict[str, Any]:
    """``named``: the form wants to know, as ``called``, what the file is called where it came from."""
    boundary = multipart.boundary_of(content_type)
    if boundary is None:
        raise ValueError("no form with files")
    parts = multipart.read_parts(body, boundary)
    found = {one.name: one.content if one.is_file else one.content.decode("utf-8", "replace") for one in parts}
    if named:
        found.setdefault("called", next((one.file_name[:200] for one in parts if one.is_file), ""))
    return found
