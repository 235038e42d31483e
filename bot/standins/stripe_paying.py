"""What happens on the hosted page: a session is paid or a method given, at once or when the bank has answered."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account
from bot.standins.stripe_charging import Terms, charge, fail_authentication
from bot.standins.stripe_events import emit
from bot.standins.stripe_objects import intent_object
from bot.standins.stripe_session_objects import customer_object
from bot.standins.stripe_setups import answer_setup, keep


def submit_method(account: Account, session: Row, method: Row, base: str) -> Row:
    """One try with one method. Returns the intent of the session: succeeded, processing, requires_action or
    requires_payment_method.

    A session that is not open is left alone and its intent returned: the form sent twice charges once.
    """
    if session["status"] != "open":
        return intent_of(account, session)
    billing = method["billing_details"]
    session = account.change(session, customer_details=_details(billing))
    session = _with_customer(account, session, billing)
    terms = Terms(action_url=f"{base}/c/pay/{session['id']}/authenticate")
    if session["mode"] == "setup":
        setup = account.change(intent_of(account, session), customer=session["customer"])
        return _settle(account, session, keep(account, setup, method, terms))
    intent = _payment_of(account, session)
    session = account.change(session, payment_intent=intent["id"])
    return _settle(account, session, charge(account, intent, method, terms))


def _details(billing: Row) -> Row:
    return {
        "address": billing.get("address"),
        "business_name": None,
        "email": billing.get("email"),
        "individual_name": None,
        "name": billing.get("name"),
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _with_customer(account: Account, session: Row, billing: Row) -> Row:
    """customer_creation=always makes a customer of whoever pays; one is enough however often they try."""
    if session["customer"] or session["customer_creation"] != "always":
        return session
    given = {"email": billing.get("email"), "name": billing.get("name")}
    customer = account.put(customer_object(account.now(), given))
    emit(account, "customer.created", customer)
    return account.change(session, customer=customer["id"])


def authenticate(account: Account, session: Row, passed: bool) -> Row:
    """The end of 3-D Secure. Does nothing when there is nothing to confirm."""
    intent = intent_of(account, session)
    if session["status"] != "open" or intent["status"] != "requires_action":
        return intent
    if session["mode"] == "setup":
        return _settle(account, session, answer_setup(account, intent, passed))
    if not passed:
        return fail_authentication(account, intent)
    method = account.find(intent["payment_method"], "pm")
    return _settle(account, session, charge(account, intent, method, Terms(authenticated=True)))


def intent_of(account: Account, session: Row) -> Row:
    """The SetupIntent of a setup, else the PaymentIntent."""
    if session["mode"] == "setup":
        return account.find(session["setup_intent"], "seti")
    return account.find(session["payment_intent"], "pi")


def _payment_of(account: Account, session: Row) -> Row:
    if session["payment_intent"]:
        return account.change(account.find(session["payment_intent"], "pi"), customer=session["customer"])
    data = account.journal.table("session_extras")[session["id"]]["intent_data"]
    fields = {
        **data,
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
        "allowed_payment_method_types": session["payment_method_types"],
    }
    intent = account.put(intent_object(account.now(), fields))
    emit(account, "payment_intent.created", intent)
    return intent


def _settle(account: Account, session: Row, intent: Row) -> Row:
    """The page is done with once the method was taken; a bank's money comes later."""
    if intent["status"] not in ("succeeded", "processing"):
        return intent
    account.agenda.drop("expire", session["id"])
    status = session["payment_status"] if session["mode"] == "setup" else _paid(intent)
    session = account.change(session, status="complete", payment_status=status, url=None)
    emit(account, "checkout.session.completed", session)
    return intent


def _paid(intent: Row) -> str:
    return "paid" if intent["status"] == "succeeded" else "unpaid"


def after_debit(account: Account, intent: Row) -> None:
    """A bank has answered: tell of the session that was waiting for it, if it was one."""
    for identifier in account.shelf("sessions").among("payment_intent", intent["id"]):
        session = account.change(account.find(identifier, "cs"), payment_status=_paid(intent))
        ending = "succeeded" if intent["status"] == "succeeded" else "failed"
        emit(account, f"checkout.session.async_payment_{ending}", session)
