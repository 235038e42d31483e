"""What is asked of an instalment plan, by grammar alone: "50 a month", "in 4 payments", "the 15th", "skip this month".

Nothing here guesses: what is not said stays empty, and the offers say it back before anybody agrees to them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from billing.plan_offers import Ask
from handlers.core import Slots
from handlers.understanding import grammar
from handlers.understanding.folding import fold

_MONTHS = re.compile(r"\b(\d{1,2}) (?:easy |more )?(?:months?|meses|mes|mensualidades)\b")
_YEARS = ((re.compile(r"\b(?:half a year|half year|medio ano)\b"), 6),
          (re.compile(r"\b(?:(?:a|one|1|the|un|1) (?:whole |full )?(?:year|ano))\b"), 12),
          (re.compile(r"\b(?:2|two|dos) (?:years|anos)\b"), 24))
_PAYDAY = re.compile(r"\b(?:each|every|per|my|on|cada|por) (?:pay ?day|pay ?check|cheque|dia de pago|paga)\b|"
                     r"\bwhenever i get paid\b|\bcada (?:vez que )?(?:me pagan|cobro)\b")
_TWO_DAYS = re.compile(
    r"\b(?:the |el |dias? |on )?(\d{1,2})(?:st|nd|rd|th|ro)? (?:and|y|&) (?:on )?(?:the |el |dia )?"
    r"(\d{1,2})(?:st|nd|rd|th)?\b(?! ?(?:payments?|pagos|months?|meses|weeks?|semanas|dollars?|dolar\w*|cents?))")
_LAST_DAY = re.compile(r"\b(?:last day|end of (?:the|each|every) month|fin(?:es)? de (?:cada )?mes|ultimo dia)\b")
_LESS = re.compile(
    r"\b(?:less|lower|smaller|lowest|smallest|cheaper|too (?:much|high|big)|longer|more time|the least|a little less|"
    r"cant (?:do|pay|afford) that(?: much)?|menos|mas (?:bajos?|chicos?|pequenos?|tiempo|largo)|muy (?:alto|caro)|"
    r"demasiado|mucho|lo minimo|el minimo)\b")
_ASKS_WHY = re.compile(r"\b(?:why|how come|por que)\b.*\b(?:charg\w*|took|taking|debit\w*|cobr\w+|descont\w+)\b")
_ADD = re.compile(r"\b(?:add|include|put|join|combine|agreg\w+|anad\w+|sum\w+|incluy\w+|incluir|junt\w+)\b.*"
                  r"\b(?:plan|bill|visit|balance|cuenta|visita|saldo)\b")
_LENDER = re.compile(r"\b(?:financ\w+|loan|lender|credit line|pay over time|prestamo|credito|prestamista)\b")

_CHARGE = (r"(?:charg\w*|debit\w*|withdraw\w*|draft\w*|pull\w*|"
           r"tak(?:e|ing) (?:\w+ ){0,2}(?:money|cash|payments?|it|out)|"
           r"us(?:e|ing) (?:my|the|this) (?:card|bank|account)|(?:touch|run|bill)\w* (?:my|the|this) (?:card|account))")
_AUTO = r"(?:auto ?pay\w*|auto ?payments?|auto(?:matic)? (?:pay\w*|charg\w*|debit\w*|withdraw\w*)|autocharg\w*)"
_COBRO = (r"(?:cobr\w+|carg(?:o|os|ar\w*|u\w*|a|an)\b|debit\w+|descuent\w+|descont\w+|"
          r"retir(?:o|os|ar\w*|en|e)\b)")
_THE_PAYMENT = r"(?: (?:it|this|that|off|on|the payment|this payment|my payment|please))*"
_STOP_CHARGES = tuple(re.compile(pattern) for pattern in (
    (r"\b(?:stop|quit|dont|do not|never|no longer|no more|not|cancel|end|halt|block|without)"
     rf"(?: \w+){{0,3}}? {_CHARGE}"),
    (r"\b(?:stop|quit|cancel|end|remove|disable|turn off|turn it off|switch off|no|no more|dont want|off|out of)"
     rf"(?: \w+){{0,2}}? {_AUTO}\b"),
    rf"\b{_AUTO} off\b",
    r"\b(?:stop|cancel|halt|block|end)(?: \w+){0,2}? (?:payments?|withdrawals?|debits?)\b",
    r"\b(?:stop|cancel|detener|detenga|parar?|pare)(?: \w+){0,2}? (?:pagos?)\b",
    r"\b(?:revoke|withdraw|take back|cancel)(?: \w+){0,2}? (?:authori[sz]ation|permission|approval|consent)\b",
    (r"\b(?:dont|do not|no longer|never)(?: \w+)? (?:authori[sz]ed?|agreed?|approved?|allow) (?:\w+ ){0,3}"
     r"(?:charg\w*|payments?|card|that|this|it|any more|anymore)\b"),
    r"\b(?:take|get|keep) (?:my|the) card off\b|\bleave my (?:card|account|money) alone\b|\bhands off my\b",
    rf"^(?:please |pls |ok )*(?:hold|no charge){_THE_PAYMENT}$",
    rf"\b(?:no|ya no|nunca|deje|dejen|deja|dejar|pare|paren|para|parar|alto)(?: \w+){{0,3}}? {_COBRO}",
    (r"\b(?:quit\w+|cancel\w+|deten\w+|suspend\w+|desactiv\w+|par\w+|apag\w+)(?: \w+){0,2}? "
     r"(?:cobros?|cargos?|debitos?|descuentos?|pagos? automaticos?|domiciliacion)\b"),
    r"\bno (?:usen?|toquen?|uses|toques)(?: \w+){0,2}? (?:tarjeta|cuenta|dinero)\b",
    (r"\b(?:ya )?no (?:les? )?(?:autorizo|permito|doy permiso)\b|"
     r"\b(?:retiro|revoco|quito)(?: \w+){0,2}? (?:permiso|autorizacion|consentimiento)\b")))
#: Said right after a yes: not now, not this. A bare "cancel" is an opt-out before it comes here (T-03).
_TAKES_BACK = re.compile(
    r"\b(?:wait|hold on|never ?mind|forget (?:it|that|about it)|changed? my mind|not yet|not now|undo|take (?:it|that) "
    r"back|by mistake|my mistake|(?:did not|didnt) mean|scratch that|oops|dont do (?:it|that)|stop (?:it|that)|"
    r"cancel (?:it|that|this)|esper[ea]\w*|olvide\w*|cambie de (?:idea|opinion)|mejor no|todavia no|aun no|ahora no|"
    r"por error|me equivoque|sin querer|no quise|deshag\w+|no lo hagan?|cancel(?:ar|e|en)(?:l[oa])? ?(?:eso|esto)?)\b")
#: What is told of the past, or asked, is no order: "why did you charge me", "I was never charged".
_TOLD = re.compile(
    r"\b(?:why|how come|did you|have you|por que|twice|dos veces|didnt|hasnt|havent|wasnt|"
    r"(?:was|were|been|got|get|is|am|are|has|have) (?:\w+ )?(?:charged|debited)|"
    r"you(?:ve)? (?:already )?(?:charged|took|debited)|when (?:did|do|will|are|is)|"
    r"cuando (?:me|van|cobr\w+)|me cobraron|nos cobraron|"
    r"(?:han?|he|sido|fue|estan?) (?:cobrad\w+|cobrando\w*|cargad\w+))\b")
_SENTENCE = re.compile(r"[.?!;,\n]+|\b(?:but|pero)\b", re.IGNORECASE)

_WEEKDAY = "monday|tuesday|wednesday|thursday|friday|lunes|martes|miercoles|jueves|viernes"
_CHANGES: tuple[tuple[str, re.Pattern[str]], ...] = tuple((name, re.compile(pattern)) for name, pattern in (
    ("resume", (
        r"\b(?:resume|unpause|restart|start (?:it |my plan |the plan )?again|reactivat\w+|continue (?:my|the) plan|"
        r"reanud\w+|reactiv\w+|seguir con (?:mi|el) plan|continuar)\b")),
    ("pause", r"\b(?:paus\w+|on hold|take a break|freeze|suspend\w*|suspension|congel\w+|descanso)\b"),
    ("skip", (
        r"\b(?:skip\w*|miss (?:a|one|this|the|my)|jump a|pass on (?:this|a)|"
        r"cant (?:make|pay|do) (?:this|the|my) (?:\w+ )?(?:month|payment|one|week)\w*|saltar\w*|salte\w*|brincar\w*|"
        r"omit\w+|no puedo (?:este mes|hacer (?:este|el) pago|con (?:este|el) pago|pagar est[ea] (?:mes|semana)))\b")),
    ("move_day", (
        r"^(?!.*\b(?:text|message|mensaje|escrib)).*\b(?:move|change|switch|shift|different|another|later|push|mover|"
        r"mueva\w*|cambi\w+|pasar\w*|pase\w*|otro|otra)\b.*\b(?:date|day|due|fecha|dia|"
        rf"(?:the|el|al|dia) \d{{1,2}}\w*|\d{{1,2}}(?:st|nd|rd|th)|{_WEEKDAY})\b")),
    ("use_card", (
        r"\b(?:chang\w*|new|another|other|different|updat\w*|switch\w*|use|using|add|put|replac\w*|expired|lost|"
        r"cambi\w+|nueva|otra|usar|actualiz\w+|poner|agreg\w+|perdi|vencio|set up|turn on)\b.*"
        r"\b(?:card|tarjeta|bank account|cuenta de banco|auto ?pay\w*|pago automatico)\b|"
        r"\b(?:card|tarjeta) (?:\w+ )?(?:expired|was stolen|nueva|vencio|changed)\b")),
    ("pay_off", (
        r"\b(?:pay\w*|liquid\w+|sald\w+|pag\w+|finish\w*)\b.*"
        r"\b(?:off|all|everything|rest|whole|full|todo|toda|resto|completo|total)\b|"
        r"\b(?:pay ?off|payoff|liquid\w+|saldar\w*)\b")),
    ("pay_next", (
        r"\b(?:pay\w*|pag\w+|adelant\w+)\b.*"
        r"\b(?:next|early|now|today|this one|proxim\w+|siguiente|antes|ahora|hoy|adelantad\w+)\b|"
        r"\b(?:pay early|early payment|adelant\w+)\b")),
    ("pay_extra", r"\b(?:extra|additional|adicional|abonar|abono|de mas)\b"),
    ("cancel", (
        r"\b(?:cancel\w*|end|stop|quit|close|drop|get out of|terminar|termin\w+|acabar|salir\w*|dejar|quitar)\b.*"
        r"\b(?:plan|it|lo|cuotas|agreement)\b")),
))


def find_ask(text: str, slots: Slots, language: str, today: date) -> Ask:
    """What is wished for of a new plan; an empty Ask where the words name nothing."""
    digits = fold(grammar.with_digits(text, language))
    months, days = _months(digits), _days(digits, slots)
    count = None if months is not None and slots.count == months else slots.count
    interval = "twice_month" if len(days) == 2 else slots.interval
    if interval is None and _PAYDAY.search(digits):
        interval = "two_weeks"
    first = slots.date if not days and slots.date is not None and slots.date > today else None
    return Ask(slots.amount_minor or None, count, interval, days, first, None if count else months)


def merge(before: Ask, more: Ask) -> Ask:
    """A second wish on top of the first: how much or how many is replaced, how often and when is kept unless said."""
    sized = more.amount_minor or more.count or more.months
    rest = replace(before, amount_minor=None, count=None, months=None) if sized else before
    size = replace(rest, amount_minor=more.amount_minor or rest.amount_minor, count=more.count or rest.count,
                   months=more.months or rest.months)
    timed = more.interval is not None and more.interval != before.interval
    return replace(size, interval=more.interval or before.interval,
                   days=more.days or (() if timed else before.days), first_on=more.first_on or before.first_on)


def find_change(text: str) -> str:
    """What is wanted of a running plan, by name of billing.commands.Change or pay_off, pay_next, pay_extra; or nothing.

    Stopping charges comes before all others: in whatever words it is said, it is done (T-48).
    """
    if stops_charges(text):
        return "pay_by_link"
    folded = fold(text)
    return next((name for name, pattern in _CHANGES if pattern.search(folded)), "")


def stops_charges(text: str) -> bool:
    """Whether somebody takes back the permission to charge: "don't charge my card", "HOLD", "ya no me cobren"."""
    said = [fold(part) for part in _SENTENCE.split(text)]
    return any(not _TOLD.search(part) and any(pattern.search(part) for pattern in _STOP_CHARGES) for part in said)


def takes_back(text: str) -> bool:
    """Whether somebody who said yes a moment ago wants it undone, in words that only mean so at that moment."""
    return _TAKES_BACK.search(fold(text)) is not None


def asks_about_charges(text: str) -> bool:
    return _ASKS_WHY.search(fold(text)) is not None


def wants_less(text: str) -> bool:
    return _LESS.search(fold(text)) is not None


def wants_to_add(text: str) -> bool:
    return _ADD.search(fold(text)) is not None


def asks_for_credit(text: str, lender: str) -> bool:
    """Whether somebody asks for the lender that the practice names, or for borrowing at all."""
    folded = fold(text)
    return _LENDER.search(folded) is not None or (bool(lender) and fold(lender) in folded)


def find_day_of_month(text: str, slots: Slots, language: str) -> int | None:
    """A day that was asked for: "the 20th", or a bare number from 1 to 31."""
    if slots.day_of_month is not None:
        return slots.day_of_month
    digits = fold(grammar.with_digits(text, language))
    if _LAST_DAY.search(digits):
        return 31
    match = re.fullmatch(r"(?:on |to |the |el |al |dia )*(\d{1,2})(?:st|nd|rd|th)?(?: please| por favor)?", digits)
    return int(match[1]) if match and 1 <= int(match[1]) <= 31 else None


def find_two_days(text: str, language: str) -> tuple[int, ...]:
    """``(1, 15)`` from "the 1st and the 15th"; empty where there are not two days of a month."""
    match = _TWO_DAYS.search(fold(grammar.with_digits(text, language)))
    days = tuple(sorted({int(match[1]), int(match[2])})) if match else ()
    return days if len(days) == 2 and all(1 <= day <= 31 for day in days) else ()


def _months(digits: str) -> int | None:
    if match := _MONTHS.search(digits):
        return int(match[1]) or None
    return next((months for pattern, months in _YEARS if pattern.search(digits)), None)


def _days(digits: str, slots: Slots) -> tuple[int, ...]:
    match = _TWO_DAYS.search(digits)
    if match and 1 <= int(match[1]) <= 31 and 1 <= int(match[2]) <= 31 and match[1] != match[2]:
        return tuple(sorted((int(match[1]), int(match[2]))))
    if _LAST_DAY.search(digits):
        return (31,)
    return (slots.day_of_month,) if slots.day_of_month is not None else ()
