"""The schedule of reminders at work: its steps, and where each account that owes something stands."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from billing.console import reminders
from bot.web.console.fields import Id, Maybe
from bot.web.console.table import Asked, Seen, View


class Page(BaseModel):
    """``after``: where the page before ended."""

    model_config = ConfigDict(extra="forbid")

    after: Maybe[Id] = None


def read(session: Session, asked: Asked[Page]) -> reminders.Reminders:
    return reminders.load(session, asked.practice_id, asked.policy, asked.query.after or "", asked.now)


VIEWS = (View("reminders", "/reminders", "read", read, reminders.Reminders, Page,
              lambda found: Seen("practice", "reminders")),)
ACTIONS = ()
