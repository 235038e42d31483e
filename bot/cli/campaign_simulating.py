"""``plainbill campaign simulate``: what if it were another day, another state, another policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import day_of
from bot.cli.campaign_edge import Ref, find, open_road, refusals
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_configured
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from billing.campaign_simulation import Change, Simulation


def simulate(
    ref: Ref,
    at: Annotated[str, typer.Option("--at", metavar="INSTANT", help="As if it were sent then: 2027-01-15T10:00-05:00, "
                                                                    "or a day (noon at the practice).")] = "",
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="By the rules in force on that day.")] = "",
    region: Annotated[str, typer.Option("--region", help="As if everybody lived in this state, such as TX.")] = "",
    policy: Annotated[Path | None, typer.Option("--policy", metavar="FILE.toml", help="Under this policy file instead "
                                                                                      "of the practice's.")] = None,
    without: Annotated[list[str] | None, typer.Option("--without", metavar="RULE", help="As if this rule were gone; "
                                                                                        "may be given again.")] = None,
    who: Annotated[bool, typer.Option("--who", help="List the accounts of what changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which messages would become unlawful, late or lawful. Nothing is sent and nothing is kept."""
    def read(session: Session) -> tuple[str, dict[str, Any]]:
        from bot.campaign_simulating import simulate as run

        row = find(session, edge, ref)
        found = run(session, open_road(edge), edge.policy, row, change, edge.now())
        return row.id, {"campaign": row.id, "number": row.number, **found.to_json(), **(_who(session, found) if who
                                                                                     else {})}

    with context() as edge:
        require_configured(edge)
        change = _change(edge, at, as_of, region, policy, tuple(without or ()))
        with refusals():
            _, facts = edge.read(read, "campaign", lambda found: found[0], "campaign simulate")
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _change(edge: Edge, at: str, as_of: str, region: str, policy: Path | None, without: tuple[str, ...]) -> Change:
    from billing.campaign_simulation import Change
    from billing.policy.register import rule_by_id
    from config.policy_file import read_policy

    if unknown := [one for one in without if rule_by_id(one) is None]:
        raise Stop(f"--without: there is no rule {', '.join(unknown)}; docs/rules.md lists them.", USAGE)
    if region and not (len(region) == 2 and region.isalpha()):
        raise Stop(f"--region is {region!r}: give a state as two letters, such as TX.", USAGE)
    change = Change(_instant(edge, at) if at else None, day_of(as_of, "--as-of") if as_of else None,
                    region.upper() or None, read_policy(policy) if policy else None, without)
    if not change:
        raise Stop("Say what is different: --at, --as-of, --region, --policy or --without.", USAGE)
    return change


def _instant(edge: Edge, text: str) -> datetime:
    from datetime import UTC, date, datetime, time
    from zoneinfo import ZoneInfo

    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(12), ZoneInfo(edge.policy.zone)).astimezone(UTC)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"--at is {text!r}: write a day such as 2027-01-15, or an instant with its offset.", USAGE
                   ) from error
    if at.tzinfo is None:
        raise Stop(f"--at is {text!r}: add the offset from UTC, such as -05:00.", USAGE)
    return at.astimezone(UTC)


def _who(session: Session, found: Simulation) -> dict[str, Any]:
    from billing.store import campaign_queries

    return {"who": [{"before": s.before, "after": s.after, "rule": s.rule,
                     "accounts": campaign_queries.account_numbers(session, found.accounts[s])}
                    for s in found.shifts() if s.before != s.after]}


def _print(facts: dict[str, Any]) -> None:
    print(f"{facts['accounts']:,} accounts: {facts['become_unlawful']:,} would become unlawful, "
          f"{facts['become_late']:,} late, {facts['become_lawful']:,} lawful; {facts['unchanged']:,} stay as they are, "
          f"{facts['unreached']:,} cannot be reached at all.")
    print_table("", ("Today", "Then", "Rule", "Accounts"), [
        (s["before"], s["after"], s["rule"], f"{s['accounts']:,}") for s in facts["shifts"]])
    for one in facts.get("who", ()):
        print(f"\n{one['before']} -> {one['after']} by {one['rule']}:\n  " + "\n  ".join(one["accounts"]))
