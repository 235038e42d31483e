"""The life of an import: begun, posted in keyed batches, finished; refused; or undone as a whole.

Pass one reads the whole file and checks it without writing; only then does pass two post whole claims, batch by
batch, each batch moving the import's cursor in its own transaction. Killed anywhere, the same command goes on there;
so it does where other bytes of the same remittance came first ("waiting": whole remittances of it are posted, or none).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing import charges, estimates, remittances
from billing.book import Book
from billing.ids import new_id
from billing.importers.records import BilledClaim, PaidClaim, RemittanceClosed, RemittanceOpened
from billing.settlement import settle
from billing.store import import_queries as store
from billing.store.tables import ImportRun, Remittance
from billing.turns import ALONE, Turn
from config.practice import PracticePolicy

BUSY = "this import is being posted by another process; wait for it to end, then look again"
TAKEN = ("another file with the same remittance is being posted by another process; import this one again when that "
         "has ended")


class ImportBusy(Exception):
    """Another process is posting this very import."""


class RemittanceTaken(ImportBusy):
    """Other bytes of a remittance came first; nothing of it was posted here."""


@dataclass(frozen=True, slots=True)
class Poster:
    """Who posts what for whom; made once an import."""

    practice_id: str
    policy: PracticePolicy
    import_id: str
    actor: str
    effective_on: date | None = None  # the day of which all that is posted is; empty: each row's own, or today

    def book(self, session: Session, now: datetime) -> Book:
        return Book(session, self.practice_id, self.policy, self.import_id, self.actor, now, self.today(now),
                    effective_on=self.effective_on)

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.policy.zone)).date()


def identity_of(head: RemittanceOpened) -> str:
    """(TRN03, TRN02, BPR16, BPR02): what makes two remittances the same one (DESIGN.md). Of a check on paper: the
    payer by its name, number, date and amount.
    """
    payer = f"paper:{head.payer_name.casefold()}" if head.on_paper else head.payer_identifier
    return "|".join((payer, head.trace, str(head.paid_on or ""), str(head.paid_minor)))


def begin(session: Session, practice_id: str, *, file_name: str, digest: str, kind: str, options: dict[str, object],
          actor: str, now: datetime, total: int) -> str:
    """Return the id of this file's import: the unfinished one of the same bytes, or a new one."""
    running = store.lock_unfinished(session, practice_id, digest)
    if running is not None:
        running.status, running.reason = "posting", None
        return running.id
    run = ImportRun(
        id=new_id("imp"), practice_id=practice_id, file_name=file_name, digest=digest, kind=kind, status="posting",
        outcome=None, reason=None, options=options, cursor=0, total=total, as_of_at=None, started_by=actor,
        started_at=now, finished_at=None, undone_at=None, undone_by=None)
    session.add(run)
    session.flush()
    return run.id


def record_refusal(session: Session, practice_id: str, *, file_name: str, digest: str, kind: str, reason: str,
                   actor: str, now: datetime, outcome: str = "refused") -> str:
    """Keep in the history that a file was given and posted nothing; an import of the same bytes that had posted nothing
    and will not ends so itself.
    """
    idle = store.lock_unfinished(session, practice_id, digest)
    if idle is not None and kind != "opening" and not idle.cursor and not store.has_remittance(session, idle.id):
        idle.status = "refused" if outcome == "refused" else "finished"
        idle.outcome, idle.reason, idle.finished_at = outcome, reason, now
        return idle.id
    run = ImportRun(
        id=new_id("imp"), practice_id=practice_id, file_name=file_name, digest=digest, kind=kind,
        status="refused" if outcome == "refused" else "finished", outcome=outcome, reason=reason, options={}, cursor=0,
        total=0, as_of_at=None, started_by=actor, started_at=now, finished_at=now, undone_at=None, undone_by=None)
    session.add(run)
    session.flush()
    return run.id


def finish(session: Session, import_id: str, outcome: str, reason: str, now: datetime) -> None:
    run = store.lock_run(session, import_id)
    run.status, run.outcome, run.reason, run.finished_at = "finished", outcome, reason or None, now


def put_by(session: Session, import_id: str, reason: str) -> None:
    """It waits for another file's import, and the same command takes it up again; nothing of it is half posted, so that
    nobody else has to wait for it.
    """
    run = store.lock_run(session, import_id)
    if run.status == "posting":
        run.status, run.reason = "waiting", reason


def advance(session: Session, import_id: str, expected: int, by: int) -> None:
    """Move the cursor of an import with the batch that it counts. Raises ImportBusy."""
    if not store.advance(session, import_id, expected, by):
        raise ImportBusy(BUSY)


def open_remittance(session: Session, poster: Poster, head: RemittanceOpened, digest: str, now: datetime) -> str:
    """Return the id of the remittance that this import posts, making its row the first time.

    Raises RemittanceTaken where another file with the same remittance came in since this one was checked.
    """
    before = store.find_remittance(session, poster.practice_id, identity_of(head))
    if before is not None and before.import_id == poster.import_id:
        return before.id
    if before is not None and before.status != "undone":
        raise RemittanceTaken(TAKEN)
    row = Remittance(
        id=new_id("rem"), practice_id=poster.practice_id, import_id=poster.import_id, identity=identity_of(head),
        digest=digest, generation=(before.generation + 1 if before else 1), trace=head.trace,
        payer_identifier=head.payer_identifier, payer_name=head.payer_name, payer_id=head.payer_id,
        paid_minor=head.paid_minor, paid_on=head.paid_on, method=head.method, status="posting", position=head.position,
        created_at=now)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:  # in this very moment
        raise RemittanceTaken(TAKEN) from error
    return row.id


def post_paid_claims(session: Session, poster: Poster, remittance_id: str, head: RemittanceOpened,
                     batch: Sequence[tuple[int, PaidClaim, str]], cursor: int, now: datetime,
                     turn: Turn = ALONE) -> int:
    """Post one batch of (number, claim, fault to skip it for or ""); return how many were posted whole.

    Raises ImportBusy, and what ``turn`` raises.
    """
    book = poster.book(session, now)
    book.in_turn = turn.wait
    book.load([claim.claim_id for _, claim, _ in batch])
    turn.loaded()
    book.effective_on = head.paid_on
    letter = remittances.Letter(remittance_id, head)
    outcomes = [remittances.post_claim(book, letter, claim, number, skip) for number, claim, skip in batch]
    close_book(book)
    turn.wait()
    advance(session, poster.import_id, cursor, len(batch))
    return sum(o.outcome in ("posted", "stored") for o in outcomes)


def close_remittance(session: Session, poster: Poster, remittance_id: str, head: RemittanceOpened,
                     closed: RemittanceClosed, now: datetime) -> None:
    """Post the provider adjustments and mark the remittance posted; again it does nothing."""
    row = session.get_one(Remittance, remittance_id)
    if row.status != "posting":
        return
    book = poster.book(session, now)
    for number, adjustment in enumerate(closed.provider_adjustments, 1):
        remittances.post_provider_adjustment(book, remittances.Letter(remittance_id, head), number, adjustment)
    close_book(book)
    row.status = "posted"


def post_billed_claims(session: Session, poster: Poster, batch: Sequence[tuple[int, BilledClaim, str]], cursor: int,
                       now: datetime) -> int:
    """Post one batch of an 837; return how many were posted."""
    advance(session, poster.import_id, cursor, len(batch))
    book = poster.book(session, now)
    book.load([claim.claim_id for _, claim, _ in batch])
    seen = store.claim_digests(session, poster.practice_id, [book.hash_of(c.claim_id) for _, c, _ in batch])
    posted = 0
    for number, claim, skip in batch:
        digests = seen.setdefault(book.hash_of(claim.claim_id), set())
        outcome = charges.post_claim(book, claim, number, frozenset(digests), skip)
        if outcome.outcome == "posted":
            digests.add(charges.claim_digest(claim))
            posted += 1
    close_book(book)
    return posted


def close_book(book: Book) -> None:
    """Write a batch, settle its visits, and compare self-pay bills with their estimates (T-41)."""
    book.flush()
    bills = [visit for visit in book.all_touched() if not visit.coverages and not visit.void]
    unsettled = book.touched & book.unsettled
    if bills or unsettled:
        book.in_turn()
    for visit in bills:
        estimates.check_estimates(book.session, visit.visit_id, book.now)
    settle(book.session, book.practice_id, unsettled, now=book.now, today=book.today, currency=book.policy.currency,
           import_id=book.import_id)


def refuse_billed(session: Session, poster: Poster, claims: Sequence[BilledClaim], now: datetime) -> list[str]:
    """Return for each claim why the ledger refuses it, or ""; reads only."""
    book = poster.book(session, now)
    book.load([claim.claim_id for claim in claims], lock=False)
    seen = store.claim_digests(session, poster.practice_id, [book.hash_of(c.claim_id) for c in claims])
    return [charges.refusal(book.on_file(c.claim_id), c, frozenset(seen.get(book.hash_of(c.claim_id), ())))
            for c in claims]
