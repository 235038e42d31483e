"""Every page of the console that can be opened, with ids of what stands on the demo's books."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, select

from billing.store.tables import (
    Campaign,
    Case,
    ContactPoint,
    Conversation,
    Guarantor,
    ImportFile,
    ImportRun,
    Outbox,
    Payment,
    PaymentDispute,
    PolicyChange,
    PrivacyIncident,
    Segment,
    Staff,
)
from bot.web.console import catalog
from bot.web.console.table import Right, View
from tests.browser.console_desk import Office
from tests.browser.console_people import GEORGE, HENRY, MARTA, account_id

#: Who sees a page: whoever has the right, with the buttons that go with it.
_WHO: dict[Right, str] = {"staff": "ana", "policy": "ana", "audit": "ana"}

#: Of what there is much, the telling one.
_ROWS: dict[str, Select[Any]] = {
    "conversation_id": select(Conversation.id).where(Conversation.guarantor_id == account_id(MARTA)),
    "account_id": select(Guarantor.id).where(Guarantor.id.not_like("acct_%")).order_by(Guarantor.created_at),
    "message_id": select(Outbox.id).where(Outbox.guarantor_id == account_id(HENRY)).order_by(Outbox.created_at),
    "case_id": select(Case.id).where(Case.kind == "dispute", Case.guarantor_id == account_id(MARTA)),
    "payment_id": select(Payment.id).where(Payment.guarantor_id == account_id(GEORGE)).order_by(Payment.created_at),
    "import_id": select(ImportRun.id).where(ImportRun.file_name.like("remittances-2026-11-13%")),
    "incident_id": select(PrivacyIncident.id),
    "staff_id": select(Staff.id).where(Staff.login == "ben"),
    "campaign_id": select(Campaign.id).where(Campaign.preview_digest != ""),
    "segment_id": select(Segment.id),
    "change_id": select(PolicyChange.id),
    "upload_id": select(ImportFile.id),
    "contact_id": select(ContactPoint.id).where(ContactPoint.guarantor_id == account_id(MARTA)),
    "dispute_id": select(PaymentDispute.id),
}

#: What is asked of a page, by its name, beside how it opens.
_ASKED: dict[str, tuple[str, ...]] = {
    "words_one": ("?template=statement_ready",), "words": ("", "?group=letter&q=help"),
    "campaign_members": ("?outcome=send&rule=allowed",), "plans": ("?state=running",),
    "inbox": ("?show=all",), "claims": ("?show=denied",),
    "policy_edit": ("?section=frequency", "?section=schedule"),
    "report": ("?name=aging",),
}


def tour(office: Office) -> Iterator[tuple[str, str, str]]:
    """(login, name, path below /console) of every view that is a page of its own."""
    for view in catalog.VIEWS:
        if isinstance(view, View) and not view.quiet:
            for number, asked in enumerate(_ASKED.get(view.name, ("",))):
                yield _WHO.get(view.right, "sue"), f"{view.name}{number or ''}", address(office, view.path) + asked
    yield "ben", "account-desk", f"/accounts/{account_id(GEORGE)}"


def address(office: Office, path: str) -> str:
    """The path with the ids of rows that there are."""
    return re.sub(r"\{(\w+)\}", lambda found: row(office, found[1]), path)


def row(office: Office, part: str) -> str:
    found = office.demo.stage.store.read(lambda session: session.scalars(_ROWS[part].limit(1)).one())
    return str(found)
