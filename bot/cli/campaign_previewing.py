"""``plainbill campaign preview``: everything before the button."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import dollars
from bot.cli.campaign_edge import Ref, find, open_road, refusals
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_configured, require_right
from bot.cli.exits import NOT_FOUND, Stop

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from billing.planning import Order, Preview, Spread
    from billing.store.tables import Campaign

_WORDS = {"send": "told now", "defer": "told later", "withhold": "left out", "none": "left out"}


def preview(
    ref: Ref,
    who: Annotated[str, typer.Option("--who", metavar="RULE", help="List the accounts of one rule, such as T-04.")
                   ] = "",
    lists: Annotated[Path | None, typer.Option("--lists", metavar="FOLDER", help="Write a CSV file of accounts for "
                                                                                 "each rule.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, max=20, help="Rendered samples for each language.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Show what would come out: how many, how many dollars, who is left out by which rule, samples, cost, and when it
    would be done. It is kept; an approval is of exactly this.
    """
    with context() as edge:
        require_configured(edge)
        with refusals():
            campaign, facts = _look(edge, ref, who, lists, samples, quiet=as_json)
    if as_json:
        print_json(facts)
    elif who:
        print("\n".join(facts["who"]) or "Nobody.")
    else:
        _print(facts, campaign, edge.policy.zone)


def _look(edge: Edge, ref: str, who: str, lists: Path | None, samples: int, *, quiet: bool,
          ) -> tuple[Campaign, dict[str, Any]]:
    """Judge everybody in one reading, then keep the counts."""
    from bot import campaign_previews, campaign_words

    def read(session: Session) -> tuple[Campaign, dict[str, str], dict[str, Any], dict[str, Any]]:
        require_right(session, edge, "send")
        row = find(session, edge, ref)
        with _progress(quiet) as told:
            shown = campaign_previews.preview(session, open_road(edge), edge.policy, row, edge.now(), progress=told,
                                              samples=samples, spread=_others(edge, samples))
        if lists is not None:
            _write(session, shown, lists)
        words = campaign_words.versions_of(session, row, edge.policy)
        return row, words, shown.to_json(), _further(session, shown, who)

    row, words, counts, further = edge.read(read, "campaign", lambda found: found[0].id, "campaign preview")
    kept = edge.write(lambda session: _keep(session, edge, row, counts, words), "campaign.preview", "campaign", row.id)
    return kept, {"campaign": kept.id, "number": kept.number, "name": kept.name, "digest": kept.preview_digest,
                  "needs_second": _needs_second(edge, kept), **counts, **further}


def _others(edge: Edge, samples: int) -> Callable[[Order], Spread] | None:
    """Two more processes for a large campaign, on the database whose readers do not wait for each other."""
    from bot.cli.edge import keyring
    from bot.planning_processes import spread

    if not edge.settings.database_url.startswith("postgresql"):
        return None
    return lambda order: spread(edge.settings.database_url, keyring(edge.settings), order, edge.now(), samples=samples)


def _needs_second(edge: Edge, row: Campaign) -> bool:
    from billing import campaigns

    return campaigns.needs_second(row, edge.policy)


def _keep(session: Session, edge: Edge, row: Campaign, counts: dict[str, Any], words: dict[str, str]) -> Campaign:
    from bot import campaign_previews

    return campaign_previews.keep(session, edge.policy, row, counts, words, edge.actor, edge.now())


def _further(session: Session, shown: Preview, who: str) -> dict[str, Any]:
    """What is shown and not kept: samples, and the accounts of one rule."""
    from billing.store import campaign_queries

    numbers = dict(zip([one.guarantor_id for one in shown.samples], campaign_queries.account_numbers(
        session, [one.guarantor_id for one in shown.samples]), strict=True))
    found: dict[str, Any] = {"samples": [
        {"account": numbers[one.guarantor_id], "way": one.way, "language": one.language, "text": one.text}
        for one in shown.samples]}
    if who:
        lines = [line for line in shown.groups if who in (line.rule, line.outcome)]
        if not lines:
            raise Stop(f"No account falls under {who}; the preview names the rules.", NOT_FOUND)
        found["who"] = [number for line in lines for number in campaign_queries.account_numbers(
            session, list(shown.ids(line.outcome, line.rule)))]
    return found


def _write(session: Session, shown: Preview, folder: Path) -> None:
    """One file for each line of the preview, with the accounts' own numbers."""
    from billing import csv_cells
    from billing.store import campaign_queries

    folder.mkdir(parents=True, exist_ok=True)
    for line in shown.groups:
        with (folder / f"{line.outcome}-{line.rule}.csv").open("w", encoding="utf-8", newline="") as file:
            numbers = campaign_queries.account_numbers(session, list(shown.ids(line.outcome, line.rule)))
            csv_cells.write(file, [("account", "outcome", "rule"),
                                   *((number, line.outcome, line.rule) for number in numbers)])


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A counter on standard error while people wait."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("Asking the gate about every account ...") as status:
        yield lambda done: status.update(f"Asked the gate about {done:,} accounts ...")


def _print(facts: dict[str, Any], campaign: Campaign, zone: str) -> None:
    print(f"Campaign {campaign.number} ({campaign.name}): {campaign.purpose}, {campaign.template}, "
          f"by {', '.join(campaign.ways)}")
    print(f"{facts['accounts']:,} accounts in the segment, {dollars(facts['total_minor'])}; "
          f"{facts['messages']:,} would be told, {dollars(facts['messages_minor'])}.")
    from billing.policy.register import rule_by_id

    def title(rule: str) -> str:
        found = rule_by_id(rule)
        return found.title if found else OWN.get(rule, "")

    print_table("\nWho", ("Fate", "Rule", "What it says", "Accounts", "Total $"), [
        (_WORDS.get(g["outcome"], g["outcome"]), g["rule"], title(g["rule"]), f"{g['accounts']:,}",
         dollars(g["minor"])) for g in facts["groups"]])
    print_table("\nWhen", ("Time zone", "Texts", "Segments", "Begins", "Done"), [
        (z["zone"], f"{z['texts']:,}", f"{z['segments']:,}", _at(z["starts_at"], z["zone"]),
         _at(z["finishes_at"], z["zone"])) for z in facts["zones"]])
    print_table("\nLanguages", ("Language", "Messages", "Segments"), [
        (one["language"], f"{one['messages']:,}", f"{one['segments']:,}") for one in facts["languages"]])
    print("\nWays: " + (", ".join(f"{way} {count:,}" for way, count in facts["ways"].items()) or "none")
          + f". {facts['segments']:,} segments; about {dollars(-(-facts['cost_micros'] // 10_000))}."
          + (f" All done by {_at(facts['finishes_at'], zone)} ({zone})." if facts["finishes_at"] else ""))
    for one in facts["samples"]:
        print(f"\nSample, account {one['account']}, {one['way']}, {one['language']}:\n  "
              + one["text"].replace("\n", "\n  "))
    _next(facts, campaign)


#: Reasons that come before there is a message to ask the gate about.
OWN = {"statement-first": "A statement that arrived comes before any reminder", "no-way": "No way leads to them",
       "nothing-due": "Nothing is due now", "guarantor-unconfirmed": "Who answers for it is not confirmed"}


def _next(facts: dict[str, Any], campaign: Campaign) -> None:
    digest = facts["digest"][:12]
    if facts["needs_second"]:
        print(f"\nIts size needs another person: plainbill campaign approve {campaign.number} {digest}")
    else:
        print(f"\nTo begin: plainbill campaign send {campaign.number}")


def _at(value: str | datetime | None, zone: str) -> str:
    from datetime import datetime as instant
    from zoneinfo import ZoneInfo

    if not value:
        return "never"
    at = instant.fromisoformat(value) if isinstance(value, str) else value
    # A recipient who may be in either of two zones: the clock of the first of them.
    return f"{at.astimezone(ZoneInfo(zone.partition(' + ')[0])):%a %Y-%m-%d %H:%M}"


