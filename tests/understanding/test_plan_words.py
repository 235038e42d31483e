"""What is asked of a plan is read by grammar; taking back the permission to charge is heard in any words (T-48)."""

from __future__ import annotations

from datetime import date

import pytest

from billing.plan_offers import Ask
from handlers.understanding import plans, read

TODAY = date(2026, 11, 3)  # a Tuesday


def ask(text: str, language: str = "en") -> Ask:
    return plans.find_ask(text, read(text, language, TODAY).slots, language, TODAY)


@pytest.mark.parametrize(("text", "wanted"), [
    ("can I pay 50 a month?", Ask(amount_minor=5000, interval="month")), ("in 4 payments", Ask(count=4)),
    ("the 15th, when I get paid", Ask(days=(15,))), ("what would 6 months be?", Ask(months=6)),
    ("what would six months be?", Ask(months=6)), ("every two weeks", Ask(interval="two_weeks")),
    ("20 a week", Ask(amount_minor=2000, interval="week")), ("biweekly please", Ask(interval="two_weeks")),
    ("$50 every payday", Ask(amount_minor=5000, interval="two_weeks")), ("pay it off in a year", Ask(months=12)),
    ("over half a year", Ask(months=6)), ("10 payments every two weeks", Ask(count=10, interval="two_weeks")),
    ("the 1st and the 15th", Ask(interval="twice_month", days=(1, 15))),
    ("on the last day of the month", Ask(days=(31,))),
    ("fridays, 30 a week", Ask(amount_minor=3000, interval="week")), ("a payment plan", Ask()), ("hello", Ask())])
def test_an_english_wish_is_read(text: str, wanted: Ask) -> None:
    assert ask(text) == wanted


@pytest.mark.parametrize(("text", "wanted"), [
    ("¿puedo pagar 50 al mes?", Ask(amount_minor=5000, interval="month")), ("en 4 pagos", Ask(count=4)),
    ("cada quincena", Ask(interval="two_weeks")), ("el 15", Ask(days=(15,))), ("en seis meses", Ask(months=6)),
    ("a 12 meses", Ask(months=12)), ("el 15 y el 30", Ask(interval="twice_month", days=(15, 30))),
    ("a fin de mes", Ask(days=(31,))), ("a plazos", Ask()), ("en 6 cuotas el 20", Ask(count=6, days=(20,))),
    ("20 por semana", Ask(amount_minor=2000, interval="week")), ("medio año", Ask(months=6))])
def test_a_spanish_wish_is_read(text: str, wanted: Ask) -> None:
    assert ask(text, "es") == wanted


def test_a_second_wish_keeps_what_it_does_not_speak_of() -> None:
    before = Ask(amount_minor=5000, interval="month", days=(15,))
    assert plans.merge(before, Ask(count=6)) == Ask(count=6, interval="month", days=(15,))
    assert plans.merge(before, Ask(days=(20,))) == Ask(amount_minor=5000, interval="month", days=(20,))
    assert plans.merge(before, Ask(interval="week")) == Ask(amount_minor=5000, interval="week")


STOPS = (
    "stop charging my card", "don't charge me", "do not charge my card this friday",
    "please dont take money out of my account",
    "do not take any payments from my card", "HOLD", "hold it please", "no charge", "hold the payment",
    "turn off autopay", "autopay off",
    "i want out of autopay", "cancel the automatic payments", "stop my payments", "stop the withdrawals",
    "i revoke my authorization", "i no longer authorize this", "I don't agree to be charged. never agreed to that",
    "my card was stolen stop charging it", "leave my card alone", "no more charges please", "quit debiting me",
    "You took too much. Don't charge me again!", "dont use my card anymore",
    "no me cobren", "no cobren mi tarjeta", "NO COBRAR", "deje de cobrarme", "ya no me cobren por favor",
    "quiten el pago automático", "detengan los cobros", "pare los cargos", "no usen mi tarjeta",
    "no autorizo más cobros",
    "ya no les autorizo", "retiro mi permiso", "suspendan el cobro de este mes", "cancelen los cargos automáticos",
    "no toquen mi cuenta", "no quiero que me cobren")
NO_STOPS = (
    "why did you charge my card?", "when will you charge me", "i was charged twice", "you already charged me",
    "did you charge my card", "my card hasn't been charged", "pay with my card", "charge my card", "use my card",
    "don't text me on sundays", "skip this month", "move it to the 20th", "cancel my plan", "i can't pay", "no",
    "not now", "¿por qué me cobraron?", "¿cuándo me van a cobrar?", "todavía no me han cobrado", "cobren mi tarjeta",
    "me cobraron dos veces", "cancelar", "cancelar mi plan", "quiero pagar", "no puedo pagar", "no gracias")


@pytest.mark.parametrize("text", STOPS)
def test_a_permission_that_is_taken_back_is_heard(text: str) -> None:
    assert plans.stops_charges(text) and plans.find_change(text) == "pay_by_link"


@pytest.mark.parametrize("text", NO_STOPS)
def test_a_question_about_a_charge_and_other_wishes_stop_nothing(text: str) -> None:
    assert not plans.stops_charges(text)


@pytest.mark.parametrize(("text", "change"), [
    ("skip this month", "skip"), ("can i skip a payment", "skip"), ("i can't make this month's payment", "skip"),
    ("saltar este mes", "skip"), ("no puedo pagar este mes", "skip"), ("move it to the 20th", "move_day"),
    ("can we do another day", "move_day"), ("cambiar la fecha al 20", "move_day"), ("change my card", "use_card"),
    ("tengo una tarjeta nueva", "use_card"), ("my card expired", "use_card"), ("pause my plan", "pause"),
    ("pausar el plan", "pause"), ("start it again", "resume"), ("reanudar mi plan", "resume"),
    ("cancel the plan", "cancel"), ("quiero terminar el plan", "cancel"), ("pay it all off", "pay_off"),
    ("liquidar mi plan", "pay_off"), ("pay the next one now", "pay_next"), ("pay $20 extra", "pay_extra"),
    ("how is my plan", ""), ("hola", "")])
def test_what_is_wanted_of_a_running_plan_is_read(text: str, change: str) -> None:
    assert plans.find_change(text) == change
