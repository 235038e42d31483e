"""``plainbill accounts``: who answers for the bills, and on which numbers they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli import account_addresses, account_contacts
from bot.cli.edge import AsJson, Edge, context, found, print_fields, print_json, print_table
from bot.cli.exits import USAGE, Stop, refusal, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Guarantor

app = typer.Typer(no_args_is_help=True, help="Show accounts and confirm who answers for them.")

Ref = Annotated[str, typer.Argument(help="Our id, the account's number, a claim number or a patient's number on it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the audit trail.")]
Unconfirmed = Annotated[bool, typer.Option("--unconfirmed", help="Only those that nobody has confirmed yet.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]


@app.command("list")
def list_all(only_unconfirmed: Unconfirmed = False, limit: Limit = 200, as_json: AsJson = False) -> None:
    """List accounts, oldest first."""
    from billing import accounts
    from billing.store.account_queries import all_accounts
    from billing.store.tables import Guarantor

    def rows(session: Session) -> list[dict[str, Any]]:
        some = (accounts.unconfirmed(session, edge.practice_id, limit) if only_unconfirmed else
                [session.get_one(Guarantor, i) for i in all_accounts(session, edge.practice_id)[:limit]])
        return [_facts(session, edge, one) for one in some]

    with context() as edge:
        shown = edge.read(rows, "practice", edge.practice_id, "account list")
    if as_json:
        print_json(shown)
        return
    print_table("", ("Account", "Name", "Born", "Language", "Open $", "Confirmed"), [
        (r["account"], r["name"], r["born_on"], r["language"], dollars(r["open_minor"]), r["confirmed_by"] or "no")
        for r in shown])


def _facts(session: Session, edge: Edge, account: Guarantor) -> dict[str, Any]:
    from billing.figures import account_figures
    from billing.imports import Poster

    today = Poster(edge.practice_id, edge.policy, "", edge.actor).today(edge.now())
    total = account_figures(session, account.id, today).total
    return {"account": account.external, "account_id": account.id, "name": account.name, "born_on": account.born_on,
            "language": account.language, "origin": account.origin, "confirmed": account.confirmed_at is not None,
            "confirmed_at": account.confirmed_at, "confirmed_by": account.confirmed_by, "open_minor": total.open_minor,
            "due_now_minor": total.due_now_minor}


@app.command("show")
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Show an account: who answers, patients, numbers with their consents, what is open."""
    from billing.accounts import find_account

    def facts(session: Session) -> dict[str, Any] | None:
        account = find_account(session, edge.practice_id, ref)
        return None if account is None else _facts(session, edge, account) | _surroundings(session, edge, account)

    with context() as edge:
        shown = found(edge.read(facts, "account", "by reference"), "such account")
    if as_json:
        print_json(shown)
        return
    print_fields({name: value for name, value in shown.items() if not isinstance(value, list)})
    print_table("\nPatients", ("Patient", "Name", "Born"), [(p["patient"], p["name"], p["born_on"])
                                                            for p in shown["patients"]])
    print_table("\nNumbers", ("Channel", "Number", "State", "Consent", "Opted out"), [
        (p["channel"], p["address"], p["status"], "yes" if p["consent"] else "no", "yes" if p["opted_out"] else "no")
        for p in shown["phones"]])


def _surroundings(session: Session, edge: Edge, account: Guarantor) -> dict[str, Any]:
    from billing import consents
    from billing.store import csv_queries

    phones = []
    for contact in csv_queries.contacts_of(session, account.id):
        stands = consents.standing(session, edge.practice_id, contact.channel, contact.address_hash, account.id)
        phones.append({"channel": contact.channel, "address": contact.address, "status": contact.status,
                       "consent": stands.complete, "opted_out": stands.opted_out})
    return {"address": account.address, "postal_code": account.postal_code, "region": account.region,
            "patients": [{"patient": p.external, "patient_id": p.id, "name": p.name, "born_on": p.born_on}
                         for p in csv_queries.patients_of(session, account.id)], "phones": phones}


@app.command("confirm")
def confirm(
    ref: Ref,
    reason: Reason = "",
    into: Annotated[str, typer.Option("--into", help="Join this account's visits to that confirmed account.")] = "",
    language: Annotated[str, typer.Option("--language", help="en or es.")] = "",
    as_json: AsJson = False,
) -> None:
    """Confirm who answers for an account and that its insurers are right; before that nobody is texted or charged."""
    from billing import accounts

    if not reason:
        raise Stop("Say why with --reason: it stands in the audit trail.", USAGE)
    with context() as edge:
        if language and language not in edge.policy.languages:
            raise Stop(f"The language is one of {', '.join(edge.policy.languages)}.", USAGE)
        try:
            account = edge.write(lambda s: _facts(s, edge, accounts.confirm(
                s, edge.practice_id, ref, by=edge.actor, now=edge.now(), language=language or None, into=into or None)),
                "confirm", "account", "by reference", reason)
        except accounts.NotConfirmable as refused:
            raise refusal(refused) from refused
    if as_json:
        print_json(account)
    else:
        print(f"Account {account['account']} is confirmed.")


@app.command("phone")
def phone(
    ref: Ref,
    number: Annotated[str, typer.Argument(help="The number, as +12125550199 or (212) 555-0199.")],
    wording: Annotated[str, typer.Option("--consent-wording", help="What the patient agreed to, word for word.")] = "",
    medium: Annotated[str, typer.Option("--medium", help="How: form, phone, staff, text or import.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put a number on an account, with the consent to texts if one was given."""
    from billing import accounts
    from billing.consents import ConsentRefused
    from billing.contacts import Given, add_consent, add_phone
    from billing.telephones import NotAPhone, e164

    if bool(wording) != bool(medium):
        raise Stop("A consent needs both: --consent-wording and --medium.", USAGE)

    def put(session: Session) -> dict[str, Any]:
        account = found(accounts.find_account(session, edge.practice_id, ref), "such account")
        line = e164(number)
        new = add_phone(session, edge.practice_id, account.id, line, source="staff", now=edge.now())
        agreed = bool(wording) and add_consent(session, edge.practice_id, account.id, line, Given(
            edge.now(), wording, medium, edge.actor))
        return {"account": account.external, "account_id": account.id, "added": new, "consent_recorded": agreed}

    with context() as edge:
        try:
            done = edge.write(put, "phone", "account", "by reference", "consent" if wording else "")
        except (NotAPhone, ConsentRefused) as refused:
            raise Stop(sentence(refused), USAGE) from refused
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']}: {'number added' if done['added'] else 'the number was there'}"
              f"{', consent recorded' if done['consent_recorded'] else ''}.")


@app.command("passcode")
def passcode(
    ref: Ref,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: the date of birth proves again.")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Tell whether a patient has set a passcode, or remove one that was forgotten. It is shown to nobody."""
    from billing import accounts, passcodes

    if remove and not reason:
        raise Stop("Say why with --reason: it stands in the audit trail.", USAGE)

    def run(session: Session) -> dict[str, Any]:
        account = found(accounts.find_account(session, edge.practice_id, ref), "such account")
        had = passcodes.view(session, account.id) is not None
        removed = remove and passcodes.remove(session, edge.practice_id, account.id, actor=edge.actor, reason=reason,
                                              now=edge.now())
        return {"account": account.external, "account_id": account.id, "passcode": had and not removed,
                "removed": removed}

    with context() as edge:
        if remove:
            done = edge.write(run, "passcode", "account", lambda shown: str(shown["account_id"]), reason)
        else:
            done = edge.read(run, "account", lambda shown: str(shown["account_id"]), "accounts passcode")
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']} has {'a' if done['passcode'] else 'no'} passcode"
              f"{' any more' if done['removed'] else ''}.")


@app.command("reach-again")
def reach_again(ref: Ref, reason: Reason = "", as_json: AsJson = False) -> None:
    """Lift "nothing to this number" once a person has agreed with the patient that it is right again."""
    from billing import accounts, preferences

    if not reason:
        raise Stop("Say why with --reason: it stands in the audit trail.", USAGE)

    def run(session: Session) -> dict[str, Any]:
        account = found(accounts.find_account(session, edge.practice_id, ref), "such account")
        lifted = preferences.lift_confidential(session, edge.practice_id, account.id, by=edge.actor, reason=reason,
                                               now=edge.now())
        return {"account": account.external, "account_id": account.id, "numbers": lifted}

    with context() as edge:
        done = edge.write(run, "reach_again", "account", lambda shown: str(shown["account_id"]), reason)
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']}: {done['numbers']} number(s) may be written to again.")


account_addresses.add_to(app)
app.add_typer(account_contacts.app, name="contact")
