"""A practice that writes e-mails and letters: its accounts, its road with a mail server behind it, its print runs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import contacts
from billing.store.tables import Guarantor, Outbox, Verdict
from bot import deliver, mailing
from bot.channels.email import EmailChannel, MailAccount
from bot.demanding import Demand, Line, queue_demand
from bot.mailing import Exported
from bot.road import Road
from bot.standins.smtp import SmtpRunning
from config.addresses import mail_server
from config.dunning_policy import Way
from tests.dunning.house import House
from tests.payments.world import PRACTICE

SITE = "https://pay.maple.example"
MAIL = {"mail": {"sender": "billing@maple.example", "reply_to": "desk@maple.example"}}


@dataclass
class Post:
    house: House
    folder: Path
    server: SmtpRunning | None = None

    @property
    def road(self) -> Road:
        channels: dict[str, Any] = {"sms": self.house.channel}
        if self.server is not None:
            account = MailAccount(mail_server(self.server.smtp_url), self.house.clock)
            channels["email"] = EmailChannel(account)
        return Road(self.house.store, self.house.clock, "worker-1", SITE, channels)

    def account(self, number: int, *, email: str = "", address: str = "", language: str = "en") -> str:
        account_id = self.house.account(f"acct_{number}", f"K{number}", phone="", language=language)

        place = address or f"{number} Elm Street, Apt 9, Albany, NY 12207"

        def furnish(session: Session) -> None:
            session.get_one(Guarantor, account_id).address = place
            if email:
                contacts.add_email(session, PRACTICE, account_id, email, source="desk", now=self.house.clock())

        self.house.do(furnish)
        return account_id

    def demand(self, account_id: str, *ways: Way, key: str = "", template: str = "statement_ready") -> Line:
        demand = Demand("statement", template, key or f"{template}:{account_id}", ways or ("email", "paper"))
        return self.house.do(lambda session: queue_demand(session, self.road, self.house.policy, account_id, demand,
                                                          self.house.clock()))

    def export(self) -> Exported:
        return mailing.export(self.house.store, PRACTICE, self.folder, by="bill", now=self.house.clock)

    async def deliver(self) -> int:
        return await deliver.deliver_due(self.road)

    def message(self, line: Line) -> Outbox:
        return self.house.do(lambda session: session.get_one(Outbox, line.message_id or ""))

    def last_rule(self, line: Line) -> str:
        return self.house.do(lambda session: session.scalars(select(Verdict.rule).where(
            Verdict.outbox_id == line.message_id).order_by(Verdict.id.desc())).first() or "")

    def arrived(self) -> list[dict[str, Any]]:
        assert self.server is not None
        return list(self.server.post.journal.table("messages").values())

    def wait(self, **amount: float) -> None:
        self.house.clock.at += timedelta(**amount)


def manifest(path: Path) -> list[dict[str, str]]:
    with (path / mailing.MANIFEST).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path; half-made folders too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file()}
