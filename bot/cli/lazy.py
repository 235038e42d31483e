"""The command line's first level: names and one line each, and nothing imported until a command is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Entry(NamedTuple):
    """A command: its module under ``bot.cli`` with a Typer named ``app``, its line in the help, its heading there."""

    module: str
    line: str
    heading: str


_BILLING, _PATIENT, _STAFF, _HOUSE = "Bills and ledger", "Patients and messages", "Staff", "Running Plainbill"

COMMANDS: Mapping[str, Entry] = {
    "import": Entry("importing", "Read claim, remittance and CSV files into the ledger.", _BILLING),
    "balance": Entry("balance", "Show what an account owes, and to whom it is waiting.", _BILLING),
    "explain": Entry("explain", "Show how a balance came about, line by line.", _BILLING),
    "statement": Entry("statement", "Make a statement: as data, as PDF, as a short text.", _BILLING),
    "send": Entry("sending", "Tell patients that a statement is ready, by the way that reaches them.", _BILLING),
    "pay-link": Entry("pay_link", "Send one account the link on which it pays, after a look at the message.", _BILLING),
    "campaign": Entry("campaign", "Send in bulk: segments, preview, approval, progress, stop, report.", _BILLING),
    "accounts": Entry("accounts", "Show accounts and confirm who answers for them.", _BILLING),
    "payments": Entry("payments", "List, record and give back payments.", _BILLING),
    "plans": Entry("plans", "Offer instalment plans and look after them.", _BILLING),
    "dunning": Entry("dunning", "Reminders by the calendar: where an account stands, and what waits.", _BILLING),
    "assistance": Entry("assistance", "Applications for financial assistance, from asking to refund.", _BILLING),
    "collections": Entry("collections", "What is past due: worklist, offers, write-offs, agencies.", _BILLING),
    "mail": Entry("mail", "Letters for a mail house, mail and e-mail that came back.", _BILLING),
    "postings": Entry("postings", "Hand payments to the ledger of record of another system.", _BILLING),
    "reconcile": Entry("reconcile", "Compare the processor's books and payouts with the ledger.", _BILLING),
    "close": Entry("close", "Close the day: drawers, deposits, the bank's file, sign-off.", _BILLING),
    "report": Entry("report", "Aging, collection rates, costs and more, for the manager: text, CSV, PDF.", _BILLING),
    "ledger": Entry("ledger", "Replay the whole ledger and check it.", _BILLING),
    "chat": Entry("chat", "Talk to Plainbill as a patient, in the terminal.", _PATIENT),
    "understand": Entry("understand", "Show how texts are understood.", _PATIENT),
    "why": Entry("why", "Show which rule decided on a message, and on which facts.", _PATIENT),
    "cases": Entry("cases", "Work what patients handed over to a person.", _STAFF),
    "staff": Entry("staff", "Add and list the people who work here.", _STAFF),
    "practice": Entry("practice", "Set or show the practice's policy.", _STAFF),
    "demo": Entry("demo", "See the whole thing at work on a sample practice.", _HOUSE),
    "serve": Entry("serve", "Run webhooks, pages and workers.", _HOUSE),
    "check": Entry("check", "Check settings, database and what is missing for sending.", _HOUSE),
    "db": Entry("db", "Bring the database to this release's schema.", _HOUSE),
    "backup": Entry("backup", "Write everything to one encrypted file.", _HOUSE),
    "restore": Entry("restore", "Fill a new database from a backup, in the shadow.", _HOUSE),
    "restored": Entry("restored", "Compare a restored copy with the world, and release it.", _HOUSE),
    "purge": Entry("purge", "Empty the words of messages that have outlived their use.", _HOUSE),
    "keys": Entry("keys", "Make keys, and re-seal everything under a new one.", _HOUSE),
}


class LazyGroup(TyperGroup):
    """Lists commands from the table and imports a command's module only when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        return TyperCommand(cmd_name, help=entry.line, rich_help_panel=entry.heading)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load_command(name), rest


def load_command(name: str) -> Any:
    """Import the module of a command and return it ready to run."""
    entry = COMMANDS[name]
    command = typer.main.get_command(import_module(f"bot.cli.{entry.module}").app)
    command.name = name
    return command
