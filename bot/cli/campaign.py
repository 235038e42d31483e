"""``plainbill campaign``: bulk sending from the draft to the report."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import dollars
from bot.cli.campaign_edge import Ref, find, for_people, refusals, show_facts
from bot.cli.campaign_previewing import preview
from bot.cli.campaign_reporting import report
from bot.cli.campaign_segments import app as segments
from bot.cli.campaign_simulating import simulate
from bot.cli.campaign_watching import watch
from bot.cli.edge import AsJson, Edge, context, found, print_json, print_table, require_configured, require_right
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from sqlalchemy.orm import Session

    from billing.store.tables import Campaign

app = typer.Typer(no_args_is_help=True, help="Bulk sending: draft, preview, approve, send, watch, stop, report.")
app.add_typer(segments, name="segments")
app.command("preview")(preview)
app.command("watch")(watch)
app.command("report")(report)
app.command("simulate")(simulate)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="The campaign's name; no patient's name belongs in it.")],
    segment: Annotated[str, typer.Option("--segment", help="Whom it is for: a segment's name.")],
    template: Annotated[str, typer.Option("--template", help="Its words; `plainbill campaign templates` lists them.")],
    purpose: Annotated[str, typer.Option("--purpose", help="statement, reminder or notice.")] = "statement",
    ways: Annotated[str, typer.Option("--ways", help="In the order in which they are tried, such as sms,email,paper; "
                                                     "empty: every way that has the words.")] = "",
    not_before: Annotated[str, typer.Option("--not-before", metavar="INSTANT", help="Such as 2026-11-09T09:00-05:00.")
                          ] = "",
    as_json: AsJson = False,
) -> None:
    """Draft a campaign. Nothing is sent before a preview and an approval."""
    begins = instant_of(not_before, "--not-before") if not_before else None

    def make(session: Session) -> Campaign:
        from billing import segments as kept
        from bot import campaign_drafts

        require_right(session, edge, "send")
        with refusals():
            return campaign_drafts.draft(
                session, edge.practice_id, edge.policy, name=name, purpose=purpose, template=template,
                ways=[one.strip() for one in ways.split(",") if one.strip()],
                segment=found(kept.find(session, edge.practice_id, segment), f"segment {segment}"), by=edge.actor,
                now=edge.now(), not_before_at=begins)

    with context() as edge:
        require_configured(edge)
        made = edge.write(make, "campaign.new", "campaign", lambda row: row.id)
        facts = edge.store.read(lambda session: for_people(session, made))
    show_facts(facts, as_json)


def instant_of(text: str, field: str) -> datetime:
    """An instant with its offset. Raises Stop."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{field} is {text!r}: write an instant such as 2026-11-09T09:00-05:00.", USAGE) from error
    if at.tzinfo is None:
        raise Stop(f"{field} is {text!r}: add the offset from UTC, such as -05:00.", USAGE)
    return at


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List campaigns, the newest first."""
    from billing import campaigns

    def read(session: Session) -> list[dict[str, Any]]:
        return [for_people(session, row) for row in campaigns.listing(session, edge.practice_id)]

    with context() as edge:
        rows = edge.read(read, "practice", edge.practice_id, "campaign list")
    if as_json:
        print_json(rows)
        return
    print_table("", ("No", "Name", "Purpose", "Segment", "Status", "Accounts", "Total $", "Made by"), [
        (r["number"], r["name"], r["purpose"], r["segment"], r["status"], (r["preview"] or {}).get("accounts", ""),
         dollars(r["preview"]["total_minor"]) if r["preview"] else "", r["created_by"]) for r in rows])


@app.command("templates")
def templates(as_json: AsJson = False) -> None:
    """List the words that a campaign may use, and by which ways they can go."""
    from bot import campaign_words

    with context() as edge:
        rows = [{"template": name, "purpose": purpose, "ways": list(ways)}
                for name, purpose, ways in campaign_words.choices(edge.policy)]
    if as_json:
        print_json(rows)
        return
    print_table("", ("Template", "Purpose", "Ways"), [(r["template"], r["purpose"], ", ".join(r["ways"]))
                                                      for r in rows])


@app.command("show")
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Show a campaign: what it is, what was previewed and approved, how far it has come."""
    def read(session: Session) -> dict[str, Any]:
        return for_people(session, find(session, edge, ref))

    with context() as edge:
        facts = edge.read(read, "campaign", lambda made: str(made["campaign"]), "campaign show")
    show_facts(facts, as_json)


@app.command("approve")
def approve(
    ref: Ref,
    digest: Annotated[str, typer.Argument(help="Of the preview that you have read: `plainbill campaign show` has it.")],
    as_json: AsJson = False,
) -> None:
    """Approve the preview that stands; above the practice's size another person does than who made it."""
    def act(session: Session, edge: Edge, row: Campaign) -> Campaign:
        from billing import campaigns
        from bot import campaign_words

        return campaigns.approve(
            session, row.id, by=edge.actor, digest=digest, policy=edge.policy, now=edge.now(),
            words=campaign_words.versions_of(session, row, edge.policy))

    _carry_out(ref, "approve", act, as_json)


@app.command("send")
def send(ref: Ref, as_json: AsJson = False) -> None:
    """Begin. A running `plainbill serve` sends, within everybody's hours and the carriers' caps. Small campaigns need
    no second person: for them this is the approval as well.
    """
    def act(session: Session, edge: Edge, row: Campaign) -> Campaign:
        from bot.campaigning import begin

        return begin(session, row.id, edge.actor, edge.policy, edge.now())

    _carry_out(ref, "send", act, as_json)


@app.command("pause")
def pause(ref: Ref, as_json: AsJson = False) -> None:
    """Hold everything back, at once and on every worker, until it is resumed."""
    _carry_out(ref, "pause", lambda session, edge, row: _lives().pause(
        session, row.id, by=edge.actor, now=edge.now()), as_json)


@app.command("resume")
def resume(ref: Ref, as_json: AsJson = False) -> None:
    """Go on with a paused campaign; every message passes the gate again."""
    _carry_out(ref, "resume", lambda session, edge, row: _lives().resume(
        session, row.id, by=edge.actor, now=edge.now()), as_json)


@app.command("stop")
def stop(
    ref: Ref,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept. No names.")],
    as_json: AsJson = False,
) -> None:
    """End it for good, at once and on every worker; what has not begun to leave is cancelled."""
    _carry_out(ref, "stop", lambda session, edge, row: _lives().stop(
        session, row.id, by=edge.actor, reason=reason, now=edge.now()), as_json)


def _lives() -> ModuleType:
    from billing import campaigns

    return campaigns


def _carry_out(ref: str, what: str, act: Callable[[Session, Edge, Campaign], Campaign], as_json: bool) -> None:
    def run(session: Session) -> Campaign:
        with refusals():
            require_right(session, edge, "send")
            return act(session, edge, find(session, edge, ref))

    with context() as edge:
        require_configured(edge)
        row = edge.write(run, f"campaign.{what}", "campaign", lambda made: made.id)
        facts = edge.store.read(lambda session: for_people(session, row))
    if as_json:
        print_json(facts)
    else:
        print(f"Campaign {facts['number']} ({facts['name']}) is {facts['status']}.")



