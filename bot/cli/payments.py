"""``plainbill payments``: what patients paid, what is on its way, what is given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import giving_back
from bot.cli.amounts import day_of, dollars, minor_of, shares_of
from bot.cli.edge import AsJson, Edge, context, found, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop
from bot.cli.giving_back import Amount, Ref, find_payment, print_story

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Payment

app = typer.Typer(no_args_is_help=True, help="Payments: list, record, give back, put elsewhere.")

#: What staff have to ask about before they take money as well.
_BOTH_KEPT = {"charge_on_its_way": "a charge of a card on file is on its way",
              "bank_at_work": "a bank debit is being settled"}

Account = Annotated[str, typer.Argument(help="The account: our id, its number, or a claim number on it.")]

#: Money that goes back or elsewhere: bot/cli/giving_back.py.
for _name, _run in giving_back.COMMANDS.items():
    app.command(_name)(_run)


@app.command("list")
def list_all(
    account: Annotated[str, typer.Option("--account", help="Of this account alone.")] = "",
    status: Annotated[str, typer.Option("--status", help="Such as succeeded, pending, failed, disputed.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="DAY", help="First day, such as 2026-11-03.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 200,
    as_json: AsJson = False,
) -> None:
    """List payments, the newest first."""
    from billing.payment_status import MOVES

    if status and status not in MOVES:
        raise Stop(f"--status is {status!r}: one of {', '.join(MOVES)}.", USAGE)
    with context() as edge:
        rows = edge.read(lambda session: _listed(session, edge, account, status, since, limit), "practice",
                         edge.practice_id, "payments list")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Payment", "Account", "Amount $", "Back $", "How", "Way", "Status", "At (UTC)"), [
        (r["payment"], r["account"], dollars(r["amount_minor"]), dollars(r["refunded_minor"]), r["tender"], r["way"],
         r["status"], f"{r['paid_at'] or r['created_at']:%Y-%m-%d %H:%M}") for r in rows])


def _listed(session: Session, edge: Edge, account: str, status: str, since: str, limit: int) -> list[dict[str, Any]]:
    from datetime import UTC, datetime, time
    from zoneinfo import ZoneInfo

    from billing.accounts import find_account
    from billing.store import payment_list_queries as store

    own = found(find_account(session, edge.practice_id, account), "such account").id if account else None
    start = (datetime.combine(day_of(since, "--since"), time(), ZoneInfo(edge.policy.zone)).astimezone(UTC)
             if since else None)
    return [_facts(payment, external) for payment, external in store.listed(
        session, edge.practice_id, guarantor_id=own, status=status or None, since=start, limit=limit)]


def _facts(payment: Payment, external: str) -> dict[str, Any]:
    return {"payment": payment.id, "account": external, "account_id": payment.guarantor_id,
            "amount_minor": payment.amount_minor, "refunded_minor": payment.refunded_minor,
            "currency": payment.currency, "tender": payment.tender, "way": payment.way, "status": payment.status,
            "failure": payment.failure, "plan": payment.plan_id, "instalment": payment.instalment,
            "recorded_by": payment.recorded_by, "created_at": payment.created_at, "paid_at": payment.paid_at}


@app.command("show")
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Show a payment's whole story, from the patient's yes to the bank."""
    from billing.payment_story import life_of

    with context() as edge:
        story = edge.read(lambda session: life_of(session, edge.practice_id, find_payment(session, edge, ref).id),
                          "payment", lambda told: str(told.get("payment", ref)), "payments show")
    if as_json:
        print_json(story)
        return
    print_story(story)


@app.command("record")
def record(
    account: Account,
    amount: Amount,
    tender: Annotated[str, typer.Option("--tender", help="cash, check or terminal.")],
    reference: Annotated[str, typer.Option("--reference", help="Receipt, check or slip number: makes it once.")],
    visit: Annotated[list[str] | None, typer.Option("--visit", help="VISIT=12.34: the payer's own wish; "
                                                                    "may be given again.")] = None,
    plan: Annotated[str, typer.Option("--plan", help="Number of the plan that it is for.")] = "",
    instalment: Annotated[int, typer.Option("--instalment", help="With --plan: which one; 0 the deposit.")] = -1,
    statement: Annotated[str, typer.Option("--statement", help="Number of the statement that it answers.")] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Although a card or bank account is being charged.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record cash, a check or the terminal's slip. The payer's wish counts, then the plan, then the oldest visit."""
    minor = minor_of(amount, "AMOUNT")
    if tender not in ("cash", "check", "terminal"):
        raise Stop(f"--tender is {tender!r}: cash, check or terminal.", USAGE)
    if not reference.strip():
        raise Stop("--reference is empty: write the number of the receipt, check or slip.", USAGE)
    if instalment >= 0 and not plan:
        raise Stop("--instalment needs --plan.", USAGE)
    with context() as edge:
        done = edge.write(lambda session: _record(
            session, edge, account, minor, tender, reference.strip(), visit or [], plan, instalment, statement, anyway),
            "payment.record", "payment", lambda made: str(made["payment"]), tender)
    if as_json:
        print_json(done)
        return
    again = " It was recorded before; nothing was added." if done["again"] else ""
    print(f"Payment {done['payment']}: {dollars(minor)} in {tender} is {done['status']}.{again}")
    if done["warning"] == "page_open":
        print("The patient had a payment page open. What this payment has paid cannot be paid there any more.")
    for one in done["parts"]:
        print(f"  {dollars(one['amount_minor'])} for {one['visit'] or 'credit on the account'}")


def _record(session: Session, edge: Edge, account: str, minor: int, tender: str, reference: str, visits: list[str],
            plan: str, instalment: int, statement: str, anyway: bool) -> dict[str, Any]:
    from billing import payments
    from billing.accounts import find_account
    from billing.store import payment_list_queries as store
    from billing.store.payment_queries import by_key
    from billing.store.receipt_queries import parts_of

    require_right(session, edge, "cases")
    owner = found(find_account(session, edge.practice_id, account), "such account")
    split = [(str(one), part) for one, part in shares_of(visits, store.visits_named(session, owner.id), "--visit")]
    if sum(part for _, part in split) > minor:
        raise Stop("The shares of --visit come to more than AMOUNT.", USAGE)
    known = by_key(session, edge.practice_id, f"desk:{tender}:{reference}")
    if known is not None and (known.amount_minor != minor or known.guarantor_id != owner.id):
        raise Stop(f"--reference {reference!r} was used for another {tender} payment ({known.id}).", REFUSED)
    warning = "" if known is not None else _warning(session, edge, owner.id, anyway)
    made = payments.record_desk_payment(
        session, edge.practice_id, owner.id, amount_minor=minor, currency=edge.policy.currency, tender=tender,
        reference=reference, recorded_by=edge.actor, now=edge.now(), split=tuple(split),
        plan_id=_plan_id(session, edge, plan, owner.id), instalment=instalment if instalment >= 0 else None,
        statement_id=_statement_id(session, owner.id, statement))
    parts = [{"visit": part.external, "amount_minor": part.amount_minor} for part in parts_of(session, made.id)]
    return _facts(made, owner.external or "") | {
        "again": known is not None, "parts": parts, "warning": warning}


def _warning(session: Session, edge: Edge, guarantor_id: str, anyway: bool) -> str:
    """Two people paying the same balance at once: the second is told. Raises Stop where both would be kept."""
    from billing.payment_limits import desk_warning

    code = desk_warning(session, guarantor_id, edge.now())
    if code in _BOTH_KEPT and not anyway:
        raise Stop(f"For this account {_BOTH_KEPT[code]}. If both are paid, the rest becomes credit. Ask the patient, "
                   "then record it with --anyway.", REFUSED)
    return code


def _plan_id(session: Session, edge: Edge, ref: str, guarantor_id: str) -> str | None:
    from billing.store import plan_queries

    if not ref:
        return None
    row = plan_queries.find(session, edge.practice_id, ref)
    if row is None or row.guarantor_id != guarantor_id:
        raise Stop(f"--plan {ref!r}: this account has no such plan; `plainbill plans list` shows them.", NOT_FOUND)
    return row.id


def _statement_id(session: Session, guarantor_id: str, number: str) -> str | None:
    from billing.store.payment_list_queries import statement_numbered

    if not number:
        return None
    made = statement_numbered(session, guarantor_id, int(number)) if number.isascii() and number.isdecimal() else None
    if made is None:
        raise Stop(f"--statement {number!r}: this account has no statement with that number.", NOT_FOUND)
    return made


@app.command("lender")
def lender(
    account: Account,
    status: Annotated[str, typer.Argument(help="What the lender says: applied, paid or declined.")],
    as_json: AsJson = False,
) -> None:
    """Note what became of paying over time with the practice's lender. The money is recorded like any check."""
    from billing import lender as lending
    from billing.accounts import find_account

    def change(session: Session) -> dict[str, Any]:
        require_right(session, edge, "holds")
        own = found(find_account(session, edge.practice_id, account), "such account")
        try:
            changed = lending.note(session, edge.practice_id, own.id, status, by=edge.actor, now=edge.now())
        except lending.LenderRefused as error:
            raise Stop(str(error), REFUSED) from error
        return {"account": own.external, "account_id": own.id, "lender": status, "changed": changed}

    with context() as edge:
        done = edge.write(change, f"lender.{status}", "account", lambda told: told["account_id"])
    print_json(done) if as_json else typer.echo(
        f"Account {done['account']}: {status}" + ("." if done["changed"] else ", as it was."))
