"""Undoing: an import as a whole, and a payment's money put elsewhere; both looked at before they are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from billing import corrections, figures, reallocation, undo_previews, undoing
from billing.store import correction_queries, import_queries, payment_list_queries, payment_queries, undo_queries
from billing.store.tables import ImportRun, Payment
from bot.web.console.fields import Id, MoneyOrNothing, Reason, Several, Ticked
from bot.web.console.serving import Missing
from bot.web.console.table import Action, Asked, Done, Nothing, Seen, View

SHOWN = 100
#: In the form of a move: what goes on no visit.
CREDIT = "credit"


class Undo(BaseModel):
    """Without ``sure`` it is only looked at: what would be posted, and who was told an amount."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    sure: Ticked = False


class Move(BaseModel):
    """Every visit of the account with its part, in the same order; ``credit`` as a visit is the account's credit."""

    model_config = ConfigDict(extra="forbid")

    visit_ids: Several[Id] = Field(min_length=1)
    amounts: Several[MoneyOrNothing] = Field(min_length=1)
    reason: Reason
    sure: Ticked = False


@dataclass(frozen=True, slots=True)
class Run:
    import_id: str
    file_name: str
    kind: str
    status: str
    outcome: str
    started_by: str
    started_at: datetime
    undone_at: datetime | None
    undone_by: str
    can: bool


@dataclass(frozen=True, slots=True)
class Runs:
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class UndoTried:
    run: Run
    reason: str
    foreseen: undo_previews.Foreseen


@dataclass(frozen=True, slots=True)
class Part:
    """Cents; ``here_minor``: of this payment. ``visit_id`` credit: what is on no visit."""

    visit_id: str
    number: str
    service_on: date | None
    here_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class PaymentParts:
    payment_id: str
    account_id: str
    paid_at: datetime | None
    amount_minor: int
    stands_minor: int
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Wanted:
    visit_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class MoveTried:
    payment_id: str
    account_id: str
    reason: str
    wanted: list[Wanted]
    foreseen: undo_previews.Foreseen


def read(session: Session, asked: Asked[Nothing]) -> Runs:
    return Runs([_run(row) for row in import_queries.list_runs(session, asked.practice_id, SHOWN)])


def show(session: Session, asked: Asked[Nothing]) -> Run | None:
    row = import_queries.find_run(session, asked.practice_id, asked.path["import_id"])
    return _run(row) if row is not None else None


def _run(row: ImportRun) -> Run:
    can = row.status == "finished" and row.outcome not in ("duplicate", "refused")
    return Run(row.id, row.file_name, row.kind, row.status, row.outcome or "", row.started_by, row.started_at,
               row.undone_at, row.undone_by or "", can)


def undo(session: Session, asked: Asked[Undo]) -> Done:
    """Whoever was told an amount that is none any more gets a correction proposed, which another person reviews."""
    run, form, by = show(session, asked), asked.query, asked.person.login  # type: ignore[arg-type]
    if run is None:
        raise Missing
    if not form.sure:
        foreseen = undo_previews.of_import(session, asked.practice_id, asked.policy, run.import_id, by=by,
                                           now=asked.now)
        return Done("import", run.import_id, f"/undo/{run.import_id}", "", UndoTried(run, form.reason, foreseen),
                    "undo_preview")
    owners = correction_queries.owners(session, asked.practice_id,
                                       undo_queries.visits_touched(session, run.import_id))
    before = undo_previews.due_of(session, asked.practice_id, owners, asked.today)
    done = undoing.undo_import(session, asked.practice_id, asked.policy, run.import_id, actor=by, now=asked.now)
    told = _correct(session, asked, owners, before, f"import:{run.import_id}", run.started_at)
    return Done("import", run.import_id, "/corrections" if told else "/undo", "undone",
                {"reversed": done["reversed"], "visits": done["visits"], "corrections": told})


def _correct(session: Session, asked: Asked[Any], owners: list[str], before: dict[str, int], cause: str,
             since: datetime) -> int:
    session.flush()
    after = undo_previews.due_of(session, asked.practice_id, owners, asked.today)
    changed = [one for one in owners if before.get(one, 0) != after.get(one, 0)]
    return len(corrections.propose(session, asked.practice_id, changed, cause, asked.query.reason, since=since,
                                   by=asked.person.login, today=asked.today, now=asked.now))


def parts(session: Session, asked: Asked[Nothing]) -> PaymentParts | None:
    payment = _payment(session, asked)
    if payment is None:
        return None
    here = {net.visit_id: net.amount_minor for net in payment_queries.net_of_payment(session, payment.id)}
    account = figures.account_figures(session, payment.guarantor_id, asked.today)
    rows = [Part(one.visit_id, one.external, one.service_on, here.get(one.visit_id, 0), one.figures.patient_minor)
            for one in account.visits if not one.void or one.visit_id in here]
    return PaymentParts(payment.id, payment.guarantor_id, payment.paid_at, payment.amount_minor, sum(here.values()),
                        [*rows, Part(CREDIT, "", None, here.get(None, 0), 0)])


def move(session: Session, asked: Asked[Move]) -> Done:
    payment, form, by = _payment(session, asked), asked.query, asked.person.login
    if payment is None:
        raise Missing
    if len(form.visit_ids) != len(form.amounts):
        raise reallocation.ReallocationRefused("give an amount, or 0, for each visit")
    wanted = [(None if one == CREDIT else one, minor) for one, minor in zip(form.visit_ids, form.amounts, strict=True)
              if minor]
    if not form.sure:
        foreseen = undo_previews.of_move(session, asked.practice_id, asked.policy, payment, wanted, by=by,
                                         reason=form.reason, now=asked.now)
        tried = MoveTried(payment.id, payment.guarantor_id, form.reason,
                          [Wanted(visit or CREDIT, minor) for visit, minor in wanted], foreseen)
        return Done("payment", payment.id, f"/payments/{payment.id}/move", "", tried, "move_preview")
    owners, since = [payment.guarantor_id], payment.created_at
    before = undo_previews.due_of(session, asked.practice_id, owners, asked.today)
    reallocation.reallocate(session, asked.practice_id, payment.id, wanted, by=by, reason=form.reason, now=asked.now)
    told = _correct(session, asked, owners, before, f"payment:{payment.id}:{asked.now.isoformat()}", since)
    return Done("payment", payment.id, f"/accounts/{payment.guarantor_id}#payments", "moved", {"corrections": told})


def _payment(session: Session, asked: Asked[Nothing] | Asked[Move]) -> Payment | None:
    row = payment_list_queries.find(session, asked.practice_id, asked.path["payment_id"])
    return row if row is not None and row.id == asked.path["payment_id"] else None


VIEWS = (
    View("undo", "/undo", "import", read, Runs, seen=lambda found: Seen("practice", "imports")),
    View("undo_one", "/undo/{import_id}", "import", show, Run, seen=lambda found: Seen("import", found.import_id)),
    View("move", "/payments/{payment_id}/move", "cases", parts, PaymentParts,
         seen=lambda found: Seen("account", found.account_id)),
)
ACTIONS = (
    Action("import.undo", "/undo/{import_id}", "import", Undo, undo),
    Action("payment.move", "/payments/{payment_id}/move", "cases", Move, move),
)
