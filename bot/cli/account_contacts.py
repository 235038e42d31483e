"""``plainbill accounts contact``: one number or address of an account changed, ended, or kept as the patient wishes.
What is changed is ended and another one opened, so that its history stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.contact_edge import Account, Contact, Facts, On, Their, Why, account_of, one, reason_of, run, say
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_right
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import ContactPoint, Guarantor

app = typer.Typer(no_args_is_help=True, help="Numbers and addresses of an account: show, change, end, what the patient "
                                             "wishes of them.")


@app.command("show")
def show(ref: Account, as_json: AsJson = False) -> None:
    """List an account's numbers and addresses: ids, where each stands, what was agreed and wished."""
    from bot.cli.contact_facts import of_account

    def read(session: Session) -> Facts:
        require_right(session, edge, "read")
        return of_account(session, account_of(session, edge, ref))

    with context() as edge:
        facts = edge.read(read, "account", lambda shown: str(shown["account_id"]), "accounts contact")
    if as_json:
        print_json(facts)
        return
    print(f"Account {facts['account']}. We write first in {facts['language']}.")
    print_table("", ("Id", "Kind", "Where", "State", "Consent", "Besides"), [
        (it["contact"], it["channel"], it["address"], it["status"], it["agreed"], _besides(it))
        for it in facts["contacts"]])
    if facts["own_address"]:
        print(f"Letters: {facts['own_address']} (came with its file; `plainbill accounts contact move` changes it)")


def _besides(contact: Facts) -> str:
    said = (("at work", contact["at_work"]), ("nothing unasked", contact["confidential"]),
            (f"on {contact['others']} more account(s)", contact["others"]))
    return ", ".join(words for words, so in said if so)


@app.command("change")
def change(
    ref: Account,
    contact: Contact,
    address: Annotated[str, typer.Argument(help="The new number or address, of the same kind.")],
    reason: Why,
    wording: Annotated[str, typer.Option("--consent-wording", help="What the patient agreed to there, word for word; "
                                                                   "no consent comes along.")] = "",
    medium: Annotated[str, typer.Option("--medium", help="How: form, phone or staff.")] = "",
    as_json: AsJson = False,
) -> None:
    """End one and open another in its place. Links that were sent to the account close."""
    from billing import contact_changes, contact_reading

    def act(session: Session, edge: Edge, row: ContactPoint) -> Facts:
        agreed = contact_reading.agreement(row.channel, wording, medium, by=edge.actor, now=edge.now())
        made = contact_changes.replace(session, row, contact_reading.read(row.channel, address), by=edge.actor,
                                       reason=reason_of(reason), now=edge.now(), agreed=agreed)
        return {"contact": row.id, "status": row.status, "successor": made.id,
                "consent": "kept" if agreed is not None else "unneeded" if row.channel == "paper" else "none"}

    done = one(ref, contact, "contact.change", act, reason)
    say(done, as_json, f"It is ended; {done['successor']} has taken its place. {_CONSENT[done['consent']]}")


#: What goes to the new one, by what stands for it.
_CONSENT = {"kept": "What the patient agreed to is kept.", "unneeded": "Letters need no consent.",
            "none": "Consents do not come along: texts and e-mail there wait for one."}


@app.command("end")
def end(ref: Account, contact: Contact, reason: Why, as_json: AsJson = False) -> None:
    """Take it off the account without another one. Links that were sent to the account close."""
    from billing import contact_changes

    def act(session: Session, edge: Edge, row: ContactPoint) -> Facts:
        contact_changes.end(session, row, reason=reason_of(reason), by=edge.actor, now=edge.now())
        return {"contact": row.id, "status": row.status}

    done = one(ref, contact, "contact.end", act, reason)
    say(done, as_json, "It is ended, and stays on record: the account is not reached there any more.")


@app.command("wrong")
def wrong(ref: Account, contact: Contact, wording: Their, as_json: AsJson = False) -> None:
    """Somebody else has it: nothing goes there any more, for any account. Where amounts went, a privacy incident
    begins.
    """
    from billing import wrong_numbers

    if not wording.strip():
        raise Stop("Say with --wording what was said.", USAGE)

    def act(session: Session, edge: Edge, row: ContactPoint) -> Facts:
        had = wrong_numbers.mark_contact(session, row, wording=wording.strip(), by=edge.actor, now=edge.now())
        session.refresh(row)
        return {"contact": row.id, "status": row.status, "accounts": len(had)}

    done = one(ref, contact, "contact.wrong", act)
    say(done, as_json, f"It is marked as somebody else's, on {done['accounts']} account(s); a case asks for the right "
                       "one.")


@app.command("at-work")
def at_work(ref: Account, contact: Contact, on: On = True, as_json: AsJson = False) -> None:
    """It is an employer's: nothing about a bill goes there."""
    from billing import contact_changes

    def act(session: Session, edge: Edge, row: ContactPoint) -> Facts:
        new = contact_changes.mark_at_work(session, row, on, by=edge.actor, now=edge.now())
        return {"contact": row.id, "at_work": row.at_work, "changed": new}

    done = one(ref, contact, "contact.at_work", act)
    say(done, as_json, "It is an employer's: nothing about a bill goes there." if on else "It is no employer's.")


@app.command("confidential")
def confidential(ref: Account, contact: Contact, wording: Their, on: On = True, as_json: AsJson = False) -> None:
    """The patient asks that nothing about the account comes there unasked, or has it come again."""
    from billing import contact_changes

    if not wording.strip():
        raise Stop("Say with --wording what the patient said, word for word: it is kept.", USAGE)

    def act(session: Session, edge: Edge, row: ContactPoint) -> Facts:
        new = contact_changes.keep_confidential(session, row, on, wording=wording, by=edge.actor, now=edge.now())
        return {"contact": row.id, "confidential": on, "changed": new}

    done = one(ref, contact, "contact.confidential", act)
    say(done, as_json, "Nothing about the account goes there unasked." if on else "It may be written to again.")


@app.command("move")
def move(
    ref: Account,
    address: Annotated[str, typer.Argument(help="Street, town, state and ZIP: \"5 Oak St, Apt 2, Albany, NY 12207\".")],
    reason: Why,
    as_json: AsJson = False,
) -> None:
    """Put another postal address in the place of the account's own; the file's stays on record."""
    from billing import contact_changes, contact_reading

    def act(session: Session, edge: Edge, account: Guarantor) -> Facts:
        made = contact_changes.replace_home(session, account, contact_reading.read("paper", address), by=edge.actor,
                                            reason=reason_of(reason), now=edge.now())
        return {"contact": made.id, "status": made.status}

    done = run(ref, "account.move", "contact", act, reason)
    say(done, as_json, f"Letters go to {done['contact']} from now on.")


@app.command("language")
def language(
    ref: Account,
    to: Annotated[str, typer.Argument(metavar="LANGUAGE", help="en or es.")],
    as_json: AsJson = False,
) -> None:
    """Set the language in which we write first; a thread keeps the one that its patient chose."""
    from billing import contact_changes

    def act(session: Session, edge: Edge, account: Guarantor) -> Facts:
        new = contact_changes.speak(session, account, to, edge.policy, by=edge.actor, now=edge.now())
        return {"language": to, "changed": new}

    done = run(ref, "account.speak", "account", act)
    say(done, as_json, f"We write first in {to}.")
