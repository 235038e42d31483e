"""The schedule of reminders at work: its steps, and where each account that owes something stands."""

from __future__ import annotations

from sqlalchemy.orm import Session

from billing.console import reminders
from bot.web.console.fields import Id, Maybe
from bot.web.console.table import Asked, Form, View, of_practice


class Page(Form):
    """``after``: where the page before ended."""

    after: Maybe[Id] = None


def read(session: Session, asked: Asked[Page]) -> reminders.Reminders:
    return reminders.load(session, asked.practice_id, asked.policy, asked.query.after or "", asked.now)


VIEWS = (View("reminders", "/reminders", "read", read, reminders.Reminders, Page,
              of_practice("reminders")),)
ACTIONS = ()
