"""What the commands of ``plainbill collections`` share: one change in one transaction, refusals in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from billing.money import dollars
from bot.cli.edge import Edge, context, print_json, print_table, require_configured, require_right
from bot.cli.exits import NOT_FOUND, Stop, refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Guarantor

Account = Annotated[str, typer.Argument(help="The account's number.")]
ItemId = Annotated[str, typer.Argument(help="Its id, as the lists show it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; no names.")]


class Row(Protocol):
    id: str
    status: str


@dataclass(frozen=True, slots=True)
class Done:
    id: str
    status: str
    amount_minor: int


@contextmanager
def refused() -> Iterator[None]:
    """Turn what billing refuses into words and an exit code."""
    from billing.agency_returns import ReturnsRefused
    from billing.assistance import AssistanceRefused
    from billing.lives import IllegalMove
    from billing.placements import PlacementRefused
    from billing.refunds import RefundRefused
    from billing.settlement_offers import OfferRefused
    from billing.staff import StaffRefused
    from billing.write_offs import WriteOffRefused

    try:
        yield
    except (ReturnsRefused, AssistanceRefused, IllegalMove, PlacementRefused, RefundRefused, OfferRefused, StaffRefused,
            WriteOffRefused) as error:
        raise refusal(error) from error


def owner_of(session: Session, edge: Edge, account: str) -> Guarantor:
    from billing.accounts import find_account

    owner = find_account(session, edge.practice_id, account)
    if owner is None:
        raise Stop("There is no such account.", NOT_FOUND)
    return owner


def change(right: str, action: str, kind: str, item: str, work: Callable[[Session, Edge], Row]) -> Done:
    """One step of something's life, with its audit line; ``item`` empty: it is made now."""
    with context() as edge, refused():
        require_configured(edge)

        def both(session: Session) -> Done:
            require_right(session, edge, right)
            row = work(session, edge)
            amount_minor: int = getattr(row, "amount_minor", 0) or getattr(row, "pay_minor", 0)
            return Done(row.id, row.status, amount_minor)

        return edge.write(both, action, kind, item or (lambda done: done.id))


def print_list(seen: str, read: Callable[[Session, str], list[dict[str, Any]]], columns: Mapping[str, str],
               as_json: bool) -> None:
    """List rows of the practice, whose reading is noted as ``seen``. ``columns``: each heading and the field below it;
    cents are written as dollars.
    """
    with context() as edge:
        rows: list[dict[str, Any]] = edge.read(lambda session: read(session, edge.practice_id), "practice",
                                               edge.practice_id, seen)
    if as_json:
        print_json(rows)
        return
    print_table("", tuple(columns), [
        tuple(dollars(row[name]) if name.endswith("_minor") else row[name] for name in columns.values())
        for row in rows])


def print_done(done: Done, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        print(f"{done.id}: {done.status}, {dollars(done.amount_minor)}")
