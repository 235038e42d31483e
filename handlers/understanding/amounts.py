"""Amounts of money in free text, in cents, by grammar alone. What can be read in two ways is not read at all.

Ambiguous, so asked back: "two fifty", "$1 200", "50,25", "1.250", "50.255", "1k", "half of $100", "50 pesos",
"$50 or $60", "50%".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from text_to_num import alpha2digit

from billing.money import parse_minor
from handlers.understanding.folding import unaccent

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d{2}"
_NUMBER = re.compile(rf"(?<![\w.,])(?P<sign>-)?(?P<dollar>us\$|\$) ?(?P<a>{_DIGITS})(?![\dºªᵒ])|"
                     rf"(?<![\w.,$-])(?P<b>{_DIGITS})(?![\dºªᵒ])")
_DOLLARS = re.compile(r" ?(?:\$(?! ?\d)|dollars?|dollar|bucks?|usd|dolares|dolar|dlls?|dlrs)(?!\w)")
_AND_CENTS = re.compile(r" ?(?:and|with|y|con)? ?(?P<cents>\d{1,2}) ?(?:cents?|c)\b")
_CENTS = re.compile(r" ?cents?\b")
_ODD_TAIL = re.compile(r"[.,]\d|k\b| ?[-\u2013] ?\$?\d| ?%|"
                       r" ?(?:pesos?|euros?|percent|por ciento|thousand|mil|grand)\b|/\d")
_GROUPED = re.compile(r"\d,\d{3}\.\d{2}$")
#: "50 a month" is money by its place alone; "2 a month" may be visits.
_REGULARLY = re.compile(r" ?(?:a|per|every|each|/|al|a la|por|cada) ?(?:other |two |2 |dos )?"
                        r"(?:month|mo|week|wk|paycheck|payday|mes|semana|quincena|paga)\w*\b|"
                        r" (?:monthly|weekly|mensual\w*)\b")
_OFFER = re.compile(
    r"\b(?:pay|paying|payments? of|do|afford|give|put|pagar|pagare|pagarles?|pague|pagos? de|puedo|abonar|abonarles?|"
    r"abono de|dar|darles?|doy|daria|mandar|mandarles?|mando)"
    r"(?: (?:you|them|about|around|like|just|only|maybe|at least|up to|the|another|le|les|solo|solamente|como|unos|"
    r"unas|hasta|con|al menos|por lo menos|nada mas|mas o menos|quizas?|tal vez|los|las|otros))* ?$")
_THINGS = re.compile(
    r" ?(?:years?|yrs?|y/?o|days?|weeks?|months?|hours?|hrs?|minutes?|mins?|kids?|children|visits?|times?|people|"
    r"persons?|copies|[ap]\.?m\.?|o ?clock|anos?|dias?|semanas?|meses|mes|horas?|minutos?|hijos?|hijas?|ninos?|"
    r"visitas?|veces|vez|personas?|copias?)\b")
_VAGUE = re.compile(r"\b(?:half|la mitad|mitad|some of it|una parte|part of it|a bit|un poco)\b")
_ALL = re.compile(
    r"^(?:(?:pay|quiero|pagar|i want to pay|ill pay|id like to pay|i will pay|pagare|voy a pagar|yes|si|please|ok) )*"
    r"(?:all|all of it|all of them|everything|the (?:full|whole|total)(?: amount| balance| bill| thing)?|"
    r"full(?: amount)?|it all|(?:it )?in full|full balance|whole thing|todo|toda|todas|todos|el total|total|completo|"
    r"la cuenta completa|todo el saldo|both|ambas|las dos|las \d|los dos)"
    r"(?: please| por favor| now| ahora| today| hoy)*$")
_CENTAVOS = re.compile(r"\b(?:centavos?|centimos?|ctvs?)\b")
LEAST_REGULAR_MINOR = 500
_WORD_TWO = re.compile(r"\b(?:two|dos)(?= (?:payments?|installments?|parts|weeks?|days?|months|dollars?|bucks|pagos|"
                       r"cuotas|partes|semanas|dias|meses|dolares)\b)")
_OTHER_DIGITS = re.compile(r"[^\D0-9]")
_WORD_ONE = re.compile(r"\b(?:a|one|un|uno) (?=(?:dollar|buck|dolar)\b)")


@dataclass(frozen=True, slots=True)
class Amount:
    """At most one of them is set; none when no amount was named."""

    minor: int | None = None
    is_all: bool = False
    ambiguous: bool = False


def to_digits(text: str, language: str) -> str:
    """Lower case without accents, number words as digits: "fifty bucks" -> "50 bucks"."""
    lowered = _WORD_ONE.sub("1 ", unaccent(text).casefold())
    lowered = _WORD_TWO.sub("2", lowered)  # text2num leaves numbers below three alone
    lowered = _CENTAVOS.sub("cents", lowered)  # text2num reads "centavo" as a hundredth part
    lowered = _OTHER_DIGITS.sub("\u00a4", lowered)  # Arabic-Indic and the like: nobody here could check them
    return str(alpha2digit(lowered, "es" if language == "es" else "en"))


def find_amount(digits: str, folded: str, expected: bool, paying: bool = False) -> Amount:
    """The one amount in ``digits`` (from ``to_digits``). A number without a currency is one where it was ``expected``,
    or right after words of paying; ``paying`` says that such words occur at all.
    """
    if _ALL.fullmatch(folded):
        return Amount(is_all=True)
    found = [_read(match, digits) for match in _NUMBER.finditer(digits) if not _THINGS.match(digits, match.end())]
    money = [one for one in found if one.marked]
    plain = [one for one in found if not one.marked and not one.cents and (expected or one.offered)]
    vague = bool(_VAGUE.search(folded)) and (expected or paying or bool(money))
    if vague or (_side_by_side(digits) and (money or expected or paying)):
        return Amount(ambiguous=True)
    chosen = money or plain
    if not chosen:  # digits that are no amount where one was asked for are no "nothing was said"
        return Amount(ambiguous=expected and bool(re.search(r"\d", digits)))
    values = {one.minor for one in chosen}
    if len(values) > 1 or None in values or any(one.odd for one in chosen):
        return Amount(ambiguous=True)
    return Amount(minor=values.pop())


@dataclass(frozen=True, slots=True)
class _Found:
    minor: int | None
    marked: bool
    odd: bool
    cents: bool
    offered: bool = False


def _read(match: re.Match[str], text: str) -> _Found:
    digits, tail = match["a"] or match["b"], text[match.end():]
    odd = bool(_ODD_TAIL.match(tail)) or bool(match["sign"])
    dollars, cents = _DOLLARS.match(tail), _CENTS.match(tail)
    minor = _cents(digits)
    regular = bool(_REGULARLY.match(tail)) and (minor is None or minor >= LEAST_REGULAR_MINOR)
    marked = bool(match["dollar"] or dollars or cents or regular or _GROUPED.search(digits)
                  or re.match(r" ?(?:pesos?|%)", tail))
    if cents and not match["dollar"]:
        before = text[:match.start()].rstrip()
        return _Found(minor // 100 if minor is not None else None, not _is_tail_of_dollars(before), odd, True)
    extra = _AND_CENTS.match(tail, dollars.end() if dollars else 0) if marked else None
    if extra and minor is not None:
        minor += int(extra["cents"])
    return _Found(minor, marked, odd, False, _OFFER.search(text[:match.start()]) is not None)


def _is_tail_of_dollars(before: str) -> bool:
    return bool(re.search(r"(?:dollars?|bucks?|dolar(?:es)?|\$ ?\d+)(?: (?:and|with|y|con))?$", before))


def _cents(digits: str) -> int | None:
    """None unless there are two decimals or none: "1.250" is a thousand to one reader and one to the next."""
    if "." in digits and len(digits.partition(".")[2]) != 2:
        return None
    try:
        return parse_minor(digits.replace(",", ""))
    except ValueError:
        return None


def _side_by_side(text: str) -> bool:
    """``2 50`` from "two fifty": dollars and cents, or two hundred and fifty?"""
    pattern = r"(?<![\d.,/:-])\$?\d{1,4} \d{2,3}(?![\d.,/:]| ?(?:cents?|payments?|pagos?|cuotas?|months?|meses|%))"
    return re.search(pattern, text) is not None
