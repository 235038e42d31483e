"""The commands of ``plainbill payments`` by which money goes back to somebody, or elsewhere in the ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import dollars, minor_of, shares_of
from bot.cli.edge import AsJson, Edge, context, found, print_fields, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop, refusal, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Payment, Refund

Ref = Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's id, or the number on its receipt.")]
Amount = Annotated[str, typer.Argument(help="Dollars, such as 12.34.")]
RefundId = Annotated[str, typer.Argument(metavar="REFUND", help="As `plainbill payments refunds` shows it.")]


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def print_story(story: dict[str, Any]) -> None:
    """Single facts first, then every list as a table."""
    print_fields({name: _readable(name, value) for name, value in story.items()
                  if not isinstance(value, list | dict) and value not in (None, "")})
    for name, rows in story.items():
        if isinstance(rows, dict) and rows:
            print(f"\n{name.replace('_', ' ').capitalize()}")
            print_fields(rows)
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            headings = [key for key in dict.fromkeys(key for row in rows for key in row)
                        if any(row.get(key) not in (None, "") for row in rows)]
            print_table(f"\n{name.replace('_', ' ').capitalize()}", [_heading(one) for one in headings], [
                [_readable(one, row.get(one)) for one in headings] for row in rows])


def _readable(name: str, value: Any) -> Any:
    """Cents as dollars, instants to the minute (UTC)."""
    if name.endswith("_minor") and isinstance(value, int):
        return dollars(value)
    if isinstance(value, str) and _INSTANT.match(value):
        return f"{value[:10]} {value[11:16]}"
    return value


def _heading(name: str) -> str:
    plain = name.removesuffix("_minor").replace("_", " ").capitalize()
    return f"{plain} $" if name.endswith("_minor") else plain


def find_payment(session: Session, edge: Edge, ref: str) -> Payment:
    from billing.store import payment_list_queries as store

    return found(store.find(session, edge.practice_id, ref), "such payment; `plainbill payments list` shows them")


def refund(
    ref: Ref,
    amount: Amount,
    reason: Annotated[str, typer.Option("--reason", help="overpaid, billing_error, duplicate, insurer_paid, "
                                                         "assistance, dispute_upheld or other.")],
    tender: Annotated[str, typer.Option("--tender", help="original (the way it came), check or cash.")] = "original",
    note: Annotated[str, typer.Option("--note", help="Staff's own words; kept sealed.")] = "",
    again: Annotated[int, typer.Option("--again", min=1, help="The second (2) equal refund of one day.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Give money of a payment back. Above the practice's limit another person approves it first."""
    minor = minor_of(amount, "AMOUNT")

    def run(session: Session) -> dict[str, Any]:
        from billing import refunds

        require_right(session, edge, "cases")
        payment = find_payment(session, edge, ref)
        try:
            row = refunds.ask(
                session, practice_id=edge.practice_id, payment_id=payment.id, amount_minor=minor, tender=tender,
                reason=reason, note=note, by=edge.actor, policy=edge.policy, now=edge.now(),
                dedupe=f"desk:{payment.id}:{tender}:{minor}:{edge.today().isoformat()}:{again}")
        except refunds.RefundRefused as refused:
            raise Stop(sentence(refused), REFUSED) from refused
        return refund_facts(row)

    with context() as edge:
        done = edge.write(run, "refund.ask", "payment", lambda made: str(made["payment"]), reason)
        approver, limit = edge.policy.payments.refund_approver, edge.policy.payments.refund_approval_above_minor
    if as_json:
        print_json(done)
    elif done["status"] == "waiting":
        print(f"Refund {done['refund']} of {dollars(minor)} waits: above {dollars(limit)} another person approves it, "
              f"{_who(approver)}: plainbill payments approve {done['refund']}")
    else:
        print(f"Refund {done['refund']} of {dollars(minor)} is {done['status']}.")


def _who(approver: str) -> str:
    return "a manager" if approver == "manager" else "a supervisor or manager"


def refund_facts(row: Refund) -> dict[str, Any]:
    return {"refund": row.id, "payment": row.payment_id, "account_id": row.guarantor_id,
            "amount_minor": row.amount_minor, "currency": row.currency, "tender": row.tender, "reason": row.reason,
            "status": row.status, "requested_by": row.requested_by, "requested_at": row.requested_at,
            "approved_by": row.approved_by, "failure": row.failure, "settled_at": row.settled_at}


def refunds_list(
    status: Annotated[str, typer.Option("--status", help="waiting, approved, sent, succeeded, failed, declined.")] = "",
    as_json: AsJson = False,
) -> None:
    """List refunds, the oldest first."""
    from billing import refunds

    with context() as edge:
        rows = edge.read(lambda session: [refund_facts(row) for row in refunds.listing(
            session, edge.practice_id, status or None)], "practice", edge.practice_id, "refunds list")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Refund", "Payment", "Amount $", "How", "Why", "Status", "Asked by", "Approved by"), [
        (r["refund"], r["payment"], dollars(r["amount_minor"]), r["tender"], r["reason"], r["status"],
         r["requested_by"], r["approved_by"]) for r in rows])


def approve(refund_id: RefundId, as_json: AsJson = False) -> None:
    """Let a refund go that another person asked for."""
    _decide(refund_id, "approve", "", as_json)


def decline(
    refund_id: RefundId,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept. No names.")],
    as_json: AsJson = False,
) -> None:
    """End a refund that waits for approval."""
    _decide(refund_id, "decline", reason, as_json)


def _decide(refund_id: str, what: str, reason: str, as_json: bool) -> None:
    def run(session: Session) -> dict[str, Any]:
        from billing import refunds

        require_right(session, edge, "approve")
        try:
            row = (refunds.approve(session, edge.practice_id, refund_id, by=edge.actor, now=edge.now())
                   if what == "approve" else refunds.decline(
                       session, edge.practice_id, refund_id, by=edge.actor, reason=reason, now=edge.now()))
        except refunds.RefundRefused as refused:
            raise refusal(refused) from refused
        return refund_facts(row)

    with context() as edge:
        done = edge.write(run, f"refund.{what}", "payment", lambda made: str(made["payment"]), reason)
    if as_json:
        print_json(done)
    else:
        print(f"Refund {refund_id} of {dollars(done['amount_minor'])} is {done['status']}.")


def credits_list(
    use: Annotated[str, typer.Option("--use", metavar="ACCOUNT", help="Pay what this account owes from its "
                                                                      "credit.")] = "",
    as_json: AsJson = False,
) -> None:
    """List money that nobody needs: to be given back or used. Federal payers' money has a date to report it by."""
    if use:
        _use_credit(use, as_json)
        return
    from billing import credit_lines

    with context() as edge:
        rows = edge.read(lambda session: credit_lines.credits(session, edge.practice_id), "practice",
                         edge.practice_id, "credits list")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Account", "Credit $", "Since", "Federal", "Report by"), [
        (r.external, dollars(r.amount_minor), r.since_on, "yes" if r.federal else "no", r.report_by_on) for r in rows])


def _use_credit(ref: str, as_json: bool) -> None:
    def run(session: Session) -> dict[str, Any]:
        from billing import overpayments
        from billing.accounts import find_account

        require_right(session, edge, "cases")
        account = found(find_account(session, edge.practice_id, ref), "such account")
        used = overpayments.apply_credit(session, edge.practice_id, account.id, edge.actor, edge.now())
        return {"account": account.external, "account_id": account.id, "used_minor": used}

    with context() as edge:
        done = edge.write(run, "credit.use", "account", lambda made: str(made["account_id"]))
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']}: {dollars(done['used_minor'])} of its credit was used.")


def reallocate(
    ref: Ref,
    to: Annotated[list[str], typer.Option("--to", help="VISIT=12.34 or credit=12.34; all of it, so give each part.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept. No names.")],
    as_json: AsJson = False,
) -> None:
    """Put a payment's money on other visits: by reversing entries, nothing is overwritten."""
    def run(session: Session) -> dict[str, Any]:
        from billing.reallocation import ReallocationRefused
        from billing.reallocation import reallocate as put
        from billing.store import payment_list_queries as store

        require_right(session, edge, "cases")
        payment = find_payment(session, edge, ref)
        parts = shares_of(to, store.visits_named(session, payment.guarantor_id), "--to", free="credit")
        try:
            put(session, edge.practice_id, payment.id, parts, by=edge.actor, reason=reason, now=edge.now())
        except ReallocationRefused as refused:
            raise Stop(sentence(refused), REFUSED) from refused
        return {"payment": payment.id, "parts": [{"visit_id": visit, "amount_minor": minor} for visit, minor in parts]}

    with context() as edge:
        done = edge.write(run, "payment.reallocate", "payment", lambda made: str(made["payment"]), reason)
    if as_json:
        print_json(done)
    else:
        print(f"Payment {done['payment']} was put on {len(done['parts'])} part(s).")


def evidence(
    dispute: Annotated[str, typer.Argument(help="The dispute, as --list shows it.")] = "",
    listing: Annotated[bool, typer.Option("--list", help="List disputes.")] = False,
    sent: Annotated[bool, typer.Option("--sent", help="The pack was handed in at the bank.")] = False,
    accept: Annotated[str, typer.Option("--accept", metavar="REASON", help="It is not contested: why.")] = "",
    as_json: AsJson = False,
) -> None:
    """What answers a dispute at the bank: the yes, the words, the statement, the thread. Nothing is sent from here."""
    if listing == bool(dispute) or (sent and accept):
        raise Stop("Name one dispute, or say --list; and --sent or --accept, not both.", USAGE)
    if listing:
        _disputes(as_json)
        return
    from billing import payment_disputes

    with context() as edge:
        if sent or accept:
            done = edge.write(lambda session: _settle(session, edge, dispute, accept),
                              "dispute.accept" if accept else "dispute.sent", "dispute", dispute)
            print_json(done) if as_json else print(f"Dispute {dispute} is {done['status']}.")
            return
        try:
            pack = edge.read(lambda session: payment_disputes.evidence(session, edge.practice_id, dispute),
                             "dispute", dispute, "evidence pack")
        except LookupError as error:
            raise Stop(f"There is no dispute {dispute}; --list shows them.", NOT_FOUND) from error
    print_json(pack) if as_json else print_story(pack)


def _settle(session: Session, edge: Edge, dispute: str, reason: str) -> dict[str, Any]:
    """``reason``: why it is not contested; empty: the evidence was handed in."""
    from billing import dispute_work, payment_disputes

    require_right(session, edge, "approve" if reason else "cases")
    try:
        row = (dispute_work.accept(session, edge.practice_id, dispute, by=edge.actor, reason=reason, now=edge.now())
               if reason else
               payment_disputes.mark_evidence_sent(session, edge.practice_id, dispute, by=edge.actor, now=edge.now()))
    except payment_disputes.DisputeRefused as refused:
        raise refusal(refused) from refused
    return {"dispute": row.id, "payment": row.payment_id, "status": row.status}


def _disputes(as_json: bool) -> None:
    from billing import payment_disputes

    with context() as edge:
        rows: list[dict[str, Any]] = edge.read(lambda session: [
            {"dispute": row.id, "payment": row.payment_id, "amount_minor": row.amount_minor, "reason": row.reason,
             "status": row.status, "evidence_due_at": row.evidence_due_at, "opened_at": row.opened_at}
            for row in payment_disputes.listing(session, edge.practice_id)], "practice", edge.practice_id, "disputes")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Dispute", "Payment", "Amount $", "Why", "Status", "Answer by (UTC)"), [
        (r["dispute"], r["payment"], dollars(r["amount_minor"]), r["reason"], r["status"],
         f"{r['evidence_due_at']:%Y-%m-%d %H:%M}" if r["evidence_due_at"] else "") for r in rows])


COMMANDS: Mapping[str, Callable[..., None]] = {
    "refund": refund, "refunds": refunds_list, "approve": approve, "decline": decline, "credits": credits_list,
    "reallocate": reallocate, "evidence": evidence,
}
