"""An outbox to work with: a practice, a patient who has just written, and short names for what is done there."""

from __future__ import annotations

from functools import partial
from typing import Any

from billing import inbox, outbox
from billing.phones import address_hash
from billing.store.tables import Case, Outbox, Practice, Verdict
from bot.write import Store
from tests.conftest import Clock

PATIENT = "+12125550111"


class Desk:
    """The outbox of one practice with a patient who has just written."""

    def __init__(self, store: Store, practice: Practice, clock: Clock) -> None:
        self.store, self.practice, self.clock = store, practice, clock
        self.hash = address_hash(practice.id, "console", PATIENT)
        self.asked = 0
        self.text()

    def text(self) -> int:
        """The patient writes; what is put after this answers it."""
        self.asked += 1
        payload = {"sender": PATIENT, "to": "", "body": "hello", "carrier_keyword": ""}
        self.store.write(lambda session: inbox.accept(session, self.practice.id, "console", f"C{self.asked}",
                                                      "message", "t", payload, self.clock()))
        return self.asked

    def draft(self, key: str, sequence: int = 0, reply_to: int | None = None, **changes: Any) -> outbox.Draft:
        return outbox.Draft(**{
            "practice_id": self.practice.id, "channel": "console", "address": PATIENT, "address_hash": self.hash,
            "purpose": "reply", "template": "thanks", "template_version": "1", "language": "en", "privacy": "open",
            "body": f"Maple Clinic: thanks ({key})", "segments": 1, "idempotency_key": key, "conversation_id": "conv_1",
            "reply_to": reply_to or self.asked, "sequence": sequence, **changes})

    def put(self, key: str, sequence: int = 0, reply_to: int | None = None, **changes: Any) -> str:
        made = self.draft(key, sequence, reply_to, **changes)
        return self.store.write(lambda session: outbox.put(session, made, self.clock()).id)

    def claim(self, worker: str = "w1", limit: int = 20) -> list[str]:
        return self.store.write(lambda session: outbox.claim(session, worker, self.clock(), limit))

    def begin(self, outbox_id: str, worker: str = "w1") -> outbox.Order | None:
        return self.store.write(lambda session: outbox.begin_sending(session, outbox_id, worker, self.clock()))

    def sending(self, key: str = "k1") -> str:
        outbox_id = self.put(key)
        assert self.claim() == [outbox_id]
        assert self.begin(outbox_id) is not None
        return outbox_id

    def error(self, outbox_id: str, kind: str, code: str = "1") -> None:
        self.store.write(partial(outbox.record_error, outbox_id=outbox_id, kind=kind, code=code, now=self.clock()))

    def report(self, status: str, outbox_id: str = "", provider_id: str = "P1", **more: str) -> bool:
        report = outbox.DeliveryReport("console", provider_id, status, outbox_id=outbox_id, **more)
        return self.store.write(lambda session: outbox.apply_receipt(session, report, self.clock()))

    def status(self, outbox_id: str) -> str:
        return self.row(outbox_id).status

    def row(self, outbox_id: str) -> Outbox:
        return self.store.read(lambda session: session.get_one(Outbox, outbox_id))

    def verdicts(self, outbox_id: str) -> list[tuple[str, str]]:
        return self.store.read(lambda session: [
            (v.stage, v.outcome) for v in session.query(Verdict).filter_by(outbox_id=outbox_id).order_by(Verdict.id)])

    def cases(self) -> list[str]:
        return self.store.read(lambda session: [case.kind for case in session.query(Case)])
