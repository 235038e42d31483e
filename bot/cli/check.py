"""``plainbill check``: is everything there, and what is missing before anything can be sent?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, context, print_fields, print_json
from bot.cli.exits import FOUND_PROBLEMS

if TYPE_CHECKING:
    from bot.cli.edge import Edge
    from config.practice import PracticePolicy
    from config.settings import Settings

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Report:
    """What ``check`` found. ``missing_for_sending`` says what to do, in the order of doing it."""

    settings: dict[str, str]
    database: dict[str, Any]
    practice: dict[str, Any]
    missing_for_sending: tuple[str, ...]
    warnings: tuple[str, ...]
    people: tuple[str, ...] = ()  # what no program can do (docs/rules.md, organisational)


GoLive = Annotated[bool, typer.Option("--golive", help="What is missing before the first message, item by item.")]


@app.command()
def check(golive: GoLive = False, as_json: AsJson = False) -> None:
    """Check settings, database and practice. Exit code 0 when Plainbill could send, 1 when something is missing."""
    if golive:
        _check_going_live(as_json)
        return
    with context() as edge:
        report = examine(edge)
    if as_json:
        print_json(report)
    else:
        _print(report)
    if report.missing_for_sending:
        raise typer.Exit(FOUND_PROBLEMS)


def _check_going_live(as_json: bool) -> None:
    from bot.cli import going_live

    with context() as edge:
        counts = edge.store.read(lambda session: going_live.count(session, edge.practice_id))
        found = going_live.missing(edge.settings, edge.policy, counts)
        sending = edge.policy.sending
    if as_json:
        print_json({"sending": sending, "ready": not found, "missing": found})
    else:
        for one in found:
            typer.echo(f"[{one.area}] {one.what}\n    {one.todo}")
        typer.echo(f"{len(found)} missing; sending is {sending}." if found else
                   f"Nothing is missing; sending is {sending}. Begin with a pilot: sending = \"pilot\" and "
                   "pilot_accounts in the policy.")
    if found:
        raise typer.Exit(FOUND_PROBLEMS)


def examine(edge: Edge) -> Report:
    """Look at everything that ``check`` reports on."""
    from billing.policy.book import DUTIES
    from billing.store import schema
    from billing.store.tally import count_collectors, count_rows
    from bot.cli.going_live import without_validation
    from config.settings import unknown_variables

    engine = edge.store.engine
    rows = edge.store.read(lambda session: count_rows(session, edge.practice_id))
    database = {"reachable": True, "kind": engine.dialect.name, "schema": schema.current(engine), "rows": rows}
    practice = {"id": edge.practice_id, "configured": edge.configured, "name": edge.policy.name,
                "sending": edge.policy.sending, "ledger_of_record": edge.policy.ledger_of_record}
    warnings = [f"{name} is read by nothing" for name in unknown_variables()]
    if edge.settings.clock is not None:
        warnings.append(f"the clock was set by PLAINBILL_CLOCK; it now says {edge.now():%Y-%m-%d %H:%M} UTC")
    collectors = edge.store.read(lambda session: count_collectors(session, edge.practice_id))
    warnings += [f"{one.what}: {one.todo}" for one in without_validation(edge.policy, collectors)]
    return Report(edge.settings.redacted(), database, practice,
                  tuple(_missing(edge.settings, edge.policy, edge.configured, rows["staff"])),
                  tuple(warnings), tuple(f"{duty} ({rule})" for rule, duty in DUTIES))


def _missing(settings: Settings, policy: PracticePolicy, configured: bool, staff: int) -> list[str]:
    """Say what keeps texts from leaving; a practice that is not configured lacks the first thing already."""
    from bot.cli.going_live import notice_of_help

    found = [] if configured else ["the practice's policy: plainbill practice set FILE.toml"]
    if configured and policy.sms_number is None:
        found.append("sms_number in the practice's policy: the Twilio number that sends")
    if configured and policy.sending != "on":
        found.append(f"sending = \"on\" in the practice's policy (it is {policy.sending!r})")
    if configured and "twilio" not in policy.baa_signed and settings.in_production:
        found.append("a business associate agreement with Twilio: baa_signed in the practice's policy (T-37)")
    found += _missing_for_telegram(settings, policy, configured)
    if policy.mail is not None and settings.smtp_url is None:
        found.append("PLAINBILL_SMTP_URL: the practice's policy has [mail], so e-mail needs a server to leave by")
    found += [f"{one.what}: {one.todo}" for one in notice_of_help(policy) if configured]
    found += [f"{name}: a real value instead of the stand-in"
              for name in _variables(settings) if settings.in_production]
    if not staff:
        found.append("somebody to hand over to: plainbill staff add LOGIN --name NAME")
    return found


def _missing_for_telegram(settings: Settings, policy: PracticePolicy, configured: bool) -> list[str]:
    """Nothing while it is off; switched on, all that it still needs."""
    from config.settings import variable

    if not settings.telegram_on:
        return []
    found = [] if policy.telegram is not None or not configured else [
        "telegram in the practice's policy: the risk accepted in writing, with who and when (docs/telegram.md, T-19)"]
    found += [f"{variable(name)}: Telegram is switched on" for name in ("telegram_token", "telegram_bot_name")
              if getattr(settings, name) is None]
    if settings.telegram_mode == "webhook":
        if settings.telegram_webhook_secret is None:
            found.append(f"{variable('telegram_webhook_secret')}: Telegram sends it back with every webhook")
        if not settings.public_url.startswith("https://") and "telegram_token" not in settings.stand_ins():
            found.append(f"{variable('public_url')}: Telegram calls webhooks at https addresses only")
    return found


def _variables(settings: Settings) -> list[str]:
    from config.settings import variable

    return [variable(name) for name in settings.stand_ins()]


def _print(report: Report) -> None:
    print("Settings")
    print_fields({f"  {name}": value for name, value in report.settings.items()})
    print("\nDatabase")
    print_fields({f"  {name}": value for name, value in report.database.items() if name != "rows"}
                 | {f"  {name}": count for name, count in report.database["rows"].items()})
    print("\nPractice")
    print_fields({f"  {name}": value for name, value in report.practice.items()})
    for heading, lines in (("For people to see to (docs/rules.md)", report.people), ("Warnings", report.warnings),
                           ("Missing for sending", report.missing_for_sending)):
        if lines:
            print(f"\n{heading}")
            print("\n".join(f"  - {line}" for line in lines))
    if not report.missing_for_sending:
        print("\nReady to send.")
