"""Forms that more than one screen has."""

from __future__ import annotations

from bot.web.console.fields import Reason, Words
from bot.web.console.table import Form


class Why(Form):
    """A step that needs nothing but its reason."""

    reason: Reason


class Note(Form):
    """Words for colleagues."""

    body: Words
