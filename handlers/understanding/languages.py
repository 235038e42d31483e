"""Which of our languages a text is in, by its small words. Silent when it does not tell: a stored preference wins."""

from __future__ import annotations

from handlers.understanding.folding import fold, words

_EN = words(
    "the is are was my i im you your do does did dont what why how much many owe pay paid bill bills please to "
    "for want can have has had this that these of and it its with not when where who which would will help need "
    "payment insurance statement receipt already they them from about get got send me hello hi hey thanks thank "
    "yes speak dollars bucks talk be person link charge charged wrong number today tomorrow money more time still "
    "there be been should could visit english")
_ES = words(
    "el la los las mi mis que por cuanto cuanta cuantos debo debe pagar pague pago pagos quiero puedo puede tengo "
    "tiene es esta estoy de del en una un para cuenta factura hola gracias si usted ustedes como cual cuando "
    "donde con mas muy ya todavia seguro saldo recibo ayuda hablar persona alguien porque necesito enviar mande "
    "manden numero equivocado buenos buenas dias tardes noches favor se le les lo al soy son fue hay espanol "
    "adios todo toda tarjeta dolares visita anterior nueva nuevo yo tu su sus este esto eso mensajes dinero ahora "
    "hoy manana volver cobran cobrando")

SURE = 0.9
SHORTEST = 6
"""Letters and spaces that the model needs before it may tell the language."""


def find_language(text: str) -> str | None:
    """``en``, ``es``, or None when nothing or both speak alike."""
    words = fold(text).split()
    english = sum(word in _EN for word in words)
    spanish = sum(word in _ES for word in words) + (1 if any(c in text for c in "ñ¿¡Ñ") else 0)
    if english == spanish:
        return None
    return "en" if english > spanish else "es"


def count_ours(said: list[str]) -> int:
    """How many of these folded words are small words of English or of Spanish, whichever has more."""
    return max(sum(word in _EN for word in said), sum(word in _ES for word in said))


def weigh_language(text: str, found: str | None, spanish: float) -> str | None:
    """The language by small words (``found``), or where those do not tell, by the model's likelihood of Spanish;
    a text too short to tell stays untold.
    """
    if found is None and (spanish >= SURE or spanish <= 1 - SURE) and len(fold(text)) >= SHORTEST:
        return "es" if spanish >= SURE else "en"
    return found
