"""``plainbill import --opening --release``: what was taken over may be asked for, once a second person says so."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.cli.edge import Edge, found, print_json
from bot.cli.exits import refusal

if TYPE_CHECKING:
    from billing.opening_release import Released


def release_import(edge: Edge, import_id: str, account: str, as_json: bool) -> None:
    """Release all accounts of an import, or one; each in its own transaction, so that repeating it goes on."""
    from billing import opening_release
    from billing.accounts import find_account
    from billing.staff import StaffRefused

    try:
        waiting = edge.store.read(partial(opening_release.accounts, practice_id=edge.practice_id, import_id=import_id))
        edge.store.read(partial(opening_release.require, practice_id=edge.practice_id, policy=edge.policy,
                                import_id=import_id, by=edge.actor, now=edge.now()))
        if account:
            wanted = found(edge.store.read(partial(find_account, practice_id=edge.practice_id, ref=account)),
                           "such account").id
            waiting = [one for one in waiting if one == wanted]
        done = [_release(edge, import_id, guarantor_id) for guarantor_id in waiting]
    except (opening_release.ReleaseRefused, StaffRefused) as refused:
        raise refusal(refused) from refused
    _show(import_id, done, as_json)


def _release(edge: Edge, import_id: str, guarantor_id: str) -> Released:
    from billing import opening_release

    return edge.write(lambda session: opening_release.release(
        session, edge.practice_id, edge.policy, import_id, guarantor_id, by=edge.actor, now=edge.now()),
        "opening.release", "guarantor", guarantor_id, f"import {import_id}")


def _show(import_id: str, done: list[Released], as_json: bool) -> None:
    visits, ended = sum(one.visits for one in done), sum(one.holds for one in done)
    if as_json:
        print_json({"import": import_id, "accounts": len(done), "visits": visits, "holds": ended})
    elif not done:
        print(f"Nothing of import {import_id} waits for its release here.")
    else:
        print(f"Import {import_id}: {visits} visits of {len(done)} accounts are released. What stands with an agency, "
              "a court or an attorney stays held; plans stay paused until the patient agrees to one here.")
