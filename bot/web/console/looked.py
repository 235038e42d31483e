"""A step that is looked at before it is taken: what is done then is what the look showed, or nothing."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field, StringConstraints

from bot.web.console import table
from bot.web.console.fields import Maybe, Ticked

#: Of what a look showed.
Digest = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9a-f]{32}$"),
                   Field(examples=["0123456789abcdef0123456789abcdef"])]


class Moved(ValueError):
    """Something is not as the look showed it."""


class Form(table.Form):
    """Without ``sure`` it is only looked at. ``digest``: of that look; with it nothing else is done than it showed."""

    sure: Ticked = False
    digest: Maybe[Digest] = None


def digest_of(*told: object) -> str:
    """``told``: what a look shows, as plain values."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def require_same(form: Form, *told: object) -> None:
    """``told``: what was done, as the look would have shown it. Raises Moved, which takes all of it back, where the
    look showed something else.
    """
    if form.digest is not None and form.digest != digest_of(*told):
        raise Moved("something has changed since you looked, so nothing was done; look at it again")
