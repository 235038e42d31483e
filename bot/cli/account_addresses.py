"""``plainbill accounts email`` and ``accounts address``: where else an account is reached, what was agreed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, Edge, context, found, print_json, require_right
from bot.cli.exits import USAGE, Stop, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Ref = Annotated[str, typer.Argument(help="Our id, the account's number, a claim number or a patient's number on it.")]


def email(
    ref: Ref,
    address: Annotated[str, typer.Argument(help="The address, as name@example.org.")],
    wording: Annotated[str, typer.Option("--consent-wording", help="What the patient agreed to, word for word.")] = "",
    medium: Annotated[str, typer.Option("--medium", help="How: form, phone, staff, text or import.")] = "",
    amounts: Annotated[str, typer.Option("--amounts-wording", help="The warning that e-mail is not private, word for "
                                         "word, after which the patient asked for amounts in it all the same.")] = "",
    at_work: Annotated[bool | None, typer.Option("--at-work/--at-home", help="An employer's address: nothing about a "
                                                 "bill goes there.")] = None,
    stop: Annotated[str, typer.Option("--stop", help="The patient wants no more e-mail: their words.")] = "",
    resume: Annotated[str, typer.Option("--again", help="The patient wants e-mail again after all: their words, and "
                                        "--medium for how they said it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put an e-mail address on an account, with what was agreed about it; or stop e-mail to it, or start it again."""
    from billing.consents import ConsentRefused

    if bool(wording or resume) != bool(medium):
        raise Stop("A consent needs both: --consent-wording or --again, and --medium.", USAGE)
    if stop and (wording or amounts or resume):
        raise Stop("Either --stop, or what was agreed to.", USAGE)
    agreed = {"wording": wording, "medium": medium, "amounts": amounts, "stop": stop, "again": resume}
    with context() as edge:
        try:
            done = edge.write(lambda s: _put(s, edge, ref, address, at_work, agreed), "email", "account",
                              lambda told: str(told["account_id"]), ", ".join(k for k, said in agreed.items() if said))
        except ConsentRefused as refused:
            raise Stop(sentence(refused), USAGE) from refused
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']}: {'address added' if done['added'] else 'the address was there'}"
              f"{', e-mail to it is stopped' if done['stopped'] else ''}.")


def _put(session: Session, edge: Edge, ref: str, address: str, at_work: bool | None,
         agreed: dict[str, str]) -> dict[str, Any]:
    from billing import accounts, consents, contacts
    from billing.mail_addresses import email_address
    from billing.phones import address_hash

    account = found(accounts.find_account(session, edge.practice_id, ref), "such account")
    place, now = email_address(address), edge.now()
    added = contacts.add_email(session, edge.practice_id, account.id, place, source="staff", now=now, at_work=at_work)
    hashed = address_hash(edge.practice_id, "email", place)
    if agreed["wording"]:
        given = contacts.Given(now, agreed["wording"], agreed["medium"], edge.actor)
        contacts.add_consent(session, edge.practice_id, account.id, place, given, "email")
    if agreed["amounts"]:
        consents.record_detail(session, edge.practice_id, "email", hashed, guarantor_id=account.id, allowed=True,
                               wording=agreed["amounts"], recorded_by=edge.actor, now=now)
    if agreed["stop"]:
        consents.record_revoked(session, edge.practice_id, "email", hashed, wording=agreed["stop"], medium="staff",
                                recorded_by=edge.actor, now=now)
    if agreed["again"]:
        require_right(session, edge, "cases")
        consents.record_wanted_again(session, edge.practice_id, "email", hashed, wording=agreed["again"],
                                     medium=agreed["medium"], recorded_by=edge.actor, now=now)
    stands = consents.standing(session, edge.practice_id, "email", hashed, account.id)
    return {"account": account.external, "account_id": account.id, "added": added, "stopped": stands.opted_out,
            "consent": stands.consent_event_id is not None, "amounts": stands.detail_event_id is not None}


def address(
    ref: Ref,
    lines: Annotated[str, typer.Argument(help="Street, town, state and ZIP: \"5 Oak St, Apt 2, Albany, NY 12207\".")],
    as_json: AsJson = False,
) -> None:
    """Put another postal address on an account: one found after mail came back, or asked for by the patient."""
    from billing import accounts, contact_reading, contacts
    from billing.contact_changes import Unreadable

    try:
        place = contact_reading.read("paper", lines)
    except Unreadable as error:
        raise Stop(sentence(error), USAGE) from error

    def put(session: Session) -> dict[str, Any]:
        account = found(accounts.find_account(session, edge.practice_id, ref), "such account")
        added = contacts.add_postal(session, edge.practice_id, account.id, place, source="staff", now=edge.now())
        return {"account": account.external, "account_id": account.id, "added": added}

    with context() as edge:
        done = edge.write(put, "address", "account", lambda told: str(told["account_id"]))
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']}: {'address added' if done['added'] else 'the address was there'}.")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("email")(email)
    app.command("address")(address)
