"""Undoing: an import as a whole, and a payment's money put elsewhere; both looked at before they are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from pydantic import Field
from sqlalchemy.orm import Session

from billing import corrections, figures, reallocation, undo_previews
from billing.rehearsals import rehearse
from billing.store import import_queries, payment_list_queries, payment_queries
from billing.store.tables import ImportRun, Payment
from bot.web.console import looked
from bot.web.console.fields import Id, Maybe, MoneyOrNothing, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, Missing, Nothing, Seen, View, of_practice, there

PAGE = 50
#: In the form of a move: what goes on no visit.
CREDIT = "credit"


class RunsQuery(Form):
    """``before``: only imports that began before this one."""

    before: Maybe[Id] = None


class Undo(looked.Form):
    """The look shows what would be posted, and who was told an amount."""

    reason: Reason


class Move(looked.Form):
    """Every visit of the account with its part, in the same order; ``credit`` as a visit is the account's credit."""

    visit_ids: Several[Id] = Field(min_length=1)
    amounts: Several[MoneyOrNothing] = Field(min_length=1)
    reason: Reason


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
    """``next_before``: the last one here, where there are more; empty at the end."""

    runs: list[Run]
    next_before: str


@dataclass(frozen=True, slots=True)
class UndoTried:
    run: Run
    reason: str
    foreseen: undo_previews.Foreseen
    digest: str


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
    digest: str


def read(session: Session, asked: Asked[RunsQuery]) -> Runs:
    rows = import_queries.list_runs(session, asked.practice_id, PAGE + 1, asked.query.before or "")
    return Runs([_run(row) for row in rows[:PAGE]], rows[PAGE - 1].id if len(rows) > PAGE else "")


def show(session: Session, asked: Asked[Nothing]) -> Run | None:
    row = import_queries.find_run(session, asked.practice_id, asked.path["import_id"])
    return _run(row) if row is not None else None


def _run(row: ImportRun) -> Run:
    can = row.status == "finished" and row.outcome not in ("duplicate", "refused")
    return Run(row.id, row.file_name, row.kind, row.status, row.outcome or "", row.started_by, row.started_at,
               row.undone_at, row.undone_by or "", can)


def undo(session: Session, asked: Asked[Undo]) -> Done:
    """Whoever was told an amount that is none any more gets a correction proposed, which another person reviews."""
    row, form = there(import_queries.find_run(session, asked.practice_id, asked.path["import_id"])), asked.query
    run = _run(row)
    act = partial(undo_previews.undo_import, session, asked.practice_id, asked.policy, run.import_id,
                  by=asked.person.login, now=asked.now)
    if not form.sure:
        foreseen = rehearse(session, act).foreseen
        return Done("import", run.import_id, f"/undo/{run.import_id}", "",
                    UndoTried(run, form.reason, foreseen, looked.digest_of(foreseen)), "undo_preview", tried=True)
    done = act()
    looked.require_same(form, done.foreseen)
    told = _correct(session, asked, done, f"import:{run.import_id}")
    return Done("import", run.import_id, "/corrections" if told else "/undo", "undone",
                {"posted": sum(one.count for one in done.foreseen.postings), "corrections": told})


def _correct(session: Session, asked: Asked[Undo] | Asked[Move], done: undo_previews.Undone, cause: str) -> int:
    return len(corrections.propose(session, asked.practice_id, done.changed, cause, asked.query.reason,
                                   since=done.since, by=asked.person.login, today=asked.today, now=asked.now))


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
    payment, form = there(_payment(session, asked)), asked.query
    payment_id, account_id = payment.id, payment.guarantor_id
    wanted = _wanted(session, account_id, form)
    act = partial(undo_previews.move_payment, session, asked.practice_id, asked.policy, payment, wanted,
                  by=asked.person.login, reason=form.reason, now=asked.now)
    if not form.sure:
        foreseen = rehearse(session, act).foreseen
        tried = MoveTried(payment_id, account_id, form.reason, [Wanted(visit or CREDIT, minor)
                                                                for visit, minor in wanted],
                          foreseen, looked.digest_of(foreseen))
        return Done("payment", payment_id, f"/payments/{payment_id}/move", "", tried, "move_preview", tried=True)
    done = act()
    looked.require_same(form, done.foreseen)
    told = _correct(session, asked, done, f"payment:{payment_id}:{asked.now.isoformat()}")
    return Done("payment", payment_id, f"/accounts/{account_id}#payments", "moved", {"corrections": told})


def _wanted(session: Session, account_id: str, form: Move) -> list[tuple[str | None, int]]:
    """(visit or None for the account's credit, cents) of what is to be anywhere."""
    if len(form.visit_ids) != len(form.amounts):
        raise reallocation.ReallocationRefused("give an amount, or 0, for each visit")
    named = {one for one in form.visit_ids if one != CREDIT}
    if len(payment_queries.owned_visits(session, account_id, sorted(named))) != len(named):
        raise Missing
    return [(None if one == CREDIT else one, minor) for one, minor in zip(form.visit_ids, form.amounts, strict=True)
            if minor]


def _payment(session: Session, asked: Asked[Nothing] | Asked[Move]) -> Payment | None:
    row = payment_list_queries.find(session, asked.practice_id, asked.path["payment_id"])
    return row if row is not None and row.id == asked.path["payment_id"] else None


VIEWS = (
    View("undo", "/undo", "import", read, Runs, RunsQuery, of_practice("imports")),
    View("undo_one", "/undo/{import_id}", "import", show, Run, seen=lambda found: Seen("import", found.import_id)),
    View("move", "/payments/{payment_id}/move", "cases", parts, PaymentParts,
         seen=lambda found: Seen("account", found.account_id)),
)
ACTIONS = (
    Action("import.undo", "/undo/{import_id}", "import", Undo, undo, looks_apart=True),
    Action("payment.move", "/payments/{payment_id}/move", "cases", Move, move),
)
