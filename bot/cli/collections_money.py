"""The part of ``plainbill collections`` that lets money go: write-offs, offers, and the second person's approval."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.collections_edge import Account, ItemId, Reason, change, owner_of, print_done, print_list
from bot.cli.edge import AsJson, Edge
from bot.cli.exits import NOT_FOUND, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Offer, Placement, WriteOff


def add_to(app: typer.Typer) -> None:
    """Add these commands to ``plainbill collections``."""
    for name, command in (("writeoff", write_off), ("writeoffs", write_offs_list), ("settle", settle),
                          ("offers", offers_list), ("withdraw", withdraw), ("approve", approve), ("refuse", refuse),
                          ("takeback", take_back)):
        app.command(name)(command)


def write_off(
    account: Account,
    kind: Annotated[str, typer.Option("--kind", help="small_balance, bad_debt, charity or administrative.")],
    reason: Reason,
    visit: Annotated[list[str] | None, typer.Option("--visit", help="VISIT=12.34; all that is due without.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for something to be written off; another person approves it."""
    from billing import write_offs
    from billing.store.payment_list_queries import visits_named
    from bot.cli.amounts import shares_of

    def work(session: Session, edge: Edge) -> WriteOff:
        owner = owner_of(session, edge, account)
        parts = [(str(one), minor) for one, minor in shares_of(visit or [], visits_named(session, owner.id), "--visit")]
        return write_offs.ask(session, practice_id=edge.practice_id, guarantor_id=owner.id, kind=kind, reason=reason,
                              by=edge.actor, now=edge.now(), visits=parts)

    print_done(change("cases", "write_off.ask", "write_off", "", work), as_json)


def write_offs_list(as_json: AsJson = False) -> None:
    """List write-offs: asked for, approved, refused, taken back."""
    from billing.store import collection_queries as store

    print_list("write-offs", lambda s, practice_id: [{
        "write_off": w.id, "account_id": w.guarantor_id, "kind": w.kind, "status": w.status,
        "amount_minor": w.amount_minor, "reason": w.reason, "asked_by": w.asked_by, "decided_by": w.decided_by}
        for w in store.write_offs(s, practice_id)], {
            "Write-off": "write_off", "Kind": "kind", "State": "status", "Amount $": "amount_minor",
            "Asked by": "asked_by", "Decided by": "decided_by"}, as_json)


def settle(
    account: Account,
    kind: Annotated[str, typer.Option("--kind", help="prompt_pay or past_due, as the written policy has them.")],
    as_json: AsJson = False,
) -> None:
    """Offer to take less for paying in time, inside the written policy; never to patients of federal payers."""
    from billing import settlement_offers

    def work(session: Session, edge: Edge) -> Offer:
        owner = owner_of(session, edge, account)
        return settlement_offers.make(session, practice_id=edge.practice_id, guarantor_id=owner.id, kind=kind,
                                      by=edge.actor, now=edge.now())

    print_done(change("cases", "offer.make", "settlement_offer", "", work), as_json)


def offers_list(as_json: AsJson = False) -> None:
    """List offers: standing, paid, lapsed, withdrawn."""
    from billing.store import collection_queries as store

    print_list("offers", lambda s, practice_id: [{
        "offer": o.id, "account_id": o.guarantor_id, "kind": o.kind, "status": o.status, "owed_minor": o.owed_minor,
        "pay_minor": o.pay_minor, "until_on": o.until_on, "made_by": o.made_by}
        for o in store.offers(s, practice_id)], {
            "Offer": "offer", "Kind": "kind", "State": "status", "Owed $": "owed_minor", "To pay $": "pay_minor",
            "Until": "until_on"}, as_json)


def withdraw(item: ItemId, reason: Reason, as_json: AsJson = False) -> None:
    """Take an offer back before it is paid."""
    from billing import settlement_offers

    print_done(change("cases", "offer.withdraw", "settlement_offer", item, lambda s, edge: settlement_offers.withdraw(
        s, edge.practice_id, item, by=edge.actor, reason=reason, now=edge.now())), as_json)


def approve(item: ItemId, as_json: AsJson = False) -> None:
    """Approve a placement or a write-off that somebody else asked for."""
    from billing import placements, write_offs

    def work(session: Session, edge: Edge) -> Placement | WriteOff:
        acts: dict[str, Callable[..., Placement | WriteOff]] = {
            "plac": placements.approve, "wo": write_offs.approve}
        act = acts.get(item.split("_", 1)[0])
        if act is None:
            raise Stop("Give the id of a placement or of a write-off.", NOT_FOUND)
        return act(session, edge.practice_id, item, by=edge.actor, now=edge.now())

    print_done(change("approve", "collections.approve", "collections", item, work), as_json)


def refuse(item: ItemId, reason: Reason, as_json: AsJson = False) -> None:
    """Say no to a placement or a write-off."""
    from billing import placements, write_offs

    def work(session: Session, edge: Edge) -> Placement | WriteOff:
        if item.startswith("wo_"):
            return write_offs.refuse(session, edge.practice_id, item, by=edge.actor, reason=reason, now=edge.now())
        return placements.refuse(session, edge.practice_id, item, by=edge.actor, reason=reason, now=edge.now())

    print_done(change("approve", "collections.refuse", "collections", item, work), as_json)


def take_back(item: ItemId, reason: Reason, as_json: AsJson = False) -> None:
    """Undo a write-off: the visits owe it again."""
    from billing import write_offs

    print_done(change("approve", "write_off.takeback", "write_off", item, lambda s, edge: write_offs.take_back(
        s, edge.practice_id, item, by=edge.actor, reason=reason, now=edge.now())), as_json)
