"""Words that code alone decides on, before any scoring or model (T-03, T-09, T-12, T-13).

Order as in DESIGN.md, "Conversation": opt-out, HELP, START, a person, emergency; a wrong number last. Nothing here is
matched fuzzily: a typo of STOP on its own is asked back, never guessed. Each answer is a name of core.Reading.fixed.
"""

from __future__ import annotations

import re

from handlers.understanding.folding import fold, words

#: 47 CFR 64.1200(a)(10) and the carriers' lists, with what Spanish speakers write. Bare, they always mean opt-out.
OPT_OUT = words(
    "stop stopall quit end revoke optout cancel unsubscribe alto parar pare paren basta baja detener detente "
    "terminar salir fin nomas stoptext stoptexts stopmessages nomasmensajes nomastextos")
#: "Cancelar" is also how much of Latin America says "to pay": bare, it is asked back, and silence means stop (T-05).
UNCLEAR = frozenset({"cancelar", "cancele", "cancelen"})
HELP = frozenset({"help", "info", "ayuda", "information", "informacion"})
OPT_IN = frozenset({"start", "unstop"})  # never "yes" (T-12)
HUMAN = words(
    "human agent person representative rep operator humano persona agente representante operador operadora asesor "
    "asesora")
_POLITE = words(
    "please pls plz now por favor porfavor porfa ya thanks thank you gracias ok okay hi hello hey hola all me a "
    "an un una the right immediately asap")

_SEND = r"(?:text\w*|txt\w*|messag\w*|msgs?|msging|sms|contact\w*|bother\w*|harass\w*|spam\w*|writing)"
_THING = r"(?:texts?|messages?|msgs?|txts?|sms|stuff|this|these)"
_ENVIAR = (r"(?:mand[ea]n?|mandes|envien?|envies|escriban?|escribas|texte[ae]n?|contacten?|molesten?|molestes|"
           r"vuelvan? a (?:mandar|enviar|escribir|contactar)\w*)")

_OPT_OUT_PATTERNS = (
    rf"\b(?:stop|quit|cease)(?: it)?(?: with)?(?: (?:all|the|these|those|any|your|my))* {_SEND}\b",
    rf"\b(?:stop|quit|cease) sending(?: me| us)?(?: \w+){{0,3}} {_THING}\b",
    (r"\b(?:dont|do not|never)(?: you)?(?: ever)? (?:text|txt|message|msg|contact|write|sms)"
     r" (?:to )?(?:me|us|this|my|here|again|anymore)\b"),
    r"\bno more (?:of )?(?:these |your |the )?(?:texts?|messages?|msgs?|txts?|texting|sms|contact)\b",
    r"\b(?:remove|delete|drop) (?:me|us|my number|this number|my phone)\b",
    r"\btake (?:me|us|my number|this number) (?:off|out)\b",
    r"\b(?:unsubscribe|unsub)\b", r"\bopt(?:ing)?(?: me| us)? out\b(?! of (?:the |my )?(?:plan|autopay|paper))",
    r"\bleave (?:me|us) alone\b", r"\blose (?:my|this) number\b", r"\b(?:revoke|withdraw)(?: my)? consent\b",
    r"^(?:(?:please|pls|ok|hey|just) )*stop(?: it| this| that| now| please| pls| already| right now| today)*$",
    rf"\bno (?:me|nos|le) {_ENVIAR}\b", rf"\bya no (?:me |nos )?{_ENVIAR}\b",
    r"\b(?:deje|dejen|deja|dejar|pare|paren|para|parar) de (?:mandar|enviar|escribir|textear|molestar|contactar)\w*",
    r"\bno (?:quiero|deseo)(?: recibir)?(?: \w+){0,2} (?:mensajes?|textos?|sms)\b",
    r"\bno (?:mas|mande mas|manden mas|envien mas) (?:mensajes?|textos?|sms)\b", r"^(?:por favor )?no mas$",
    r"\b(?:quite|quiten|borre|borren|elimine|eliminen|saque|saquen)(?:me| me| mi numero| este numero)\b",
    r"\b(?:dar|darme|denme|deme|darse|doy|quiero) (?:me )?(?:de )?(?:la )?baja\b",
    r"\bdej(?:e|a|en)(?:me|nos) en paz\b", r"\bparen? (?:con )?(?:los|estos|sus) (?:mensajes|textos)\b",
    r"\b(?:cancelar?|cancelen) (?:los |estos |mis )?(?:mensajes|textos|suscripcion)\b",
    r"\bcancel (?:my |the |these |all )*(?:texts?|messages?|subscription)\b", r"\bdesuscrib\w+")
_OPT_OUT_PHRASES = tuple(re.compile(pattern) for pattern in _OPT_OUT_PATTERNS)
_NOT_ASKING = re.compile(
    r"\b(?:dont|do not|didnt|did not|never|not|cant|wont|why did (?:you|it|they)|when (?:will|did) \w+|did you|"
    r"have you|did i|if (?:you|i)|no) (?:to )?$")
#: What a text that only says when may hold beside its "don't text me".
_WHEN = words(
    "# night nights morning mornings afternoon afternoons evening evenings noon midnight weekend weekends weekday "
    "weekdays monday mondays tuesday tuesdays wednesday wednesdays thursday thursdays friday fridays saturday "
    "saturdays sunday sundays noche noches manana mananas tarde tardes mediodia medianoche semana lunes martes "
    "miercoles jueves viernes sabado sabados domingo domingos early late temprano")
_AROUND = words(
    "on in at the before after between until till from to and or past during so too very this anymore me texts text "
    "messages los las el la en por entre antes despues hasta desde y o a de del fin fines mensajes textos tan muy "
    "any mas im i am work working sleep sleeping trabajo duermo estoy trabajando durmiendo because porque")
_ABOUT_WHOM = re.compile(r"^(?:please )?\s*;\s*(?:number |phone |cell )?about (?:me|my \w+)$|"
                         r"^(?:por favor )?\s*;\s*(?:a )?(?:este )?(?:numero |telefono )?sobre (?:mi|mis? \w+)$")
_CANCEL_WHAT = re.compile(
    r"(?<!the )\b(?:cancel|end|stop|quit|cancelar|cancele|parar|pare|detener|detenga|terminar)\b (?:\w+ ){0,3}?"
    r"(?:plan|payments?|autopay|auto pay|charg\w+|debits?|pagos?|cobr\w+|tarjeta|cuenta|deuda|factura|my card|it)\b")

_SOMEONE = (r"(?:human|person|someone|somebody|agent|representative|rep|operator|supervisor|manager|biller|"
            r"real person|live person|staff|people)")
_ALGUIEN = r"(?:persona|humano|alguien|agente|representante|operador\w*|encargad[oa]|gerente|supervisor\w*|asesor\w*)"
_HUMAN_PHRASES = tuple(re.compile(pattern) for pattern in (
    rf"\b(?:talk|speak|chat)(?:ing)?(?: to| with)(?: \w+){{0,2}} {_SOMEONE}\b",
    (rf"\b(?:want|need|get|give me|connect me(?: to| with)?|transfer me(?: to)?|reach|like)"
     rf"(?: a| an| some| to)?(?: real| live| actual)? {_SOMEONE}\b(?! to pay)"),
    r"\b(?:can|could|will|have|please)(?: you| someone| somebody)? call me\b", r"^(?:please )?call me\b",
    rf"\b(?:hablar|comunic\w+|platicar|contactar)(?: con| a)?(?: \w+){{0,2}} {_ALGUIEN}\b",
    rf"\b(?:quiero|necesito|paseme(?: con)?|pasame(?: con)?|comuniqueme con)(?: a)?(?: un| una)? {_ALGUIEN}\b",
    r"\b(?:llamenme|llameme|llamame|que me llamen|me (?:puede|pueden|podria|podrian) llamar)\b"))
_ABOUT_ME = re.compile(r"\b(?:are you|is this|am i|r u|eres|es usted|estoy hablando|esto es)\b")

_SELF_HARM = re.compile(
    r"\b(?:suicid\w*|kill (?:my ?self|me)|end (?:my life|it all)|take my (?:own )?life|want to die|wanna die|"
    r"better off dead|hurt(?:ing)? myself|harm(?:ing)? myself|dont want to (?:live|be alive)|no reason to live|"
    r"matarme|me (?:quiero|voy a) matar|quitarme la vida|quiero morir(?:me)?|no quiero vivir|hacerme dano|"
    r"acabar con mi vida)\b")
_URGENT = re.compile(
    r"\b(?:chest pain|cant breathe|cannot breathe|can not breathe|heart attack|having a stroke|overdos\w*|"
    r"bleeding (?:a lot|badly|out)|passed out|unconscious|not breathing|call 911|calling 911|"
    r"dolor (?:de|en el) pecho|no (?:puedo|puede) respirar|infarto|derrame cerebral|sobredosis|desangr\w+|"
    r"inconsciente|me estoy muriendo|im dying|i am dying)\b")
_EMERGENCY_WORD = re.compile(
    r"^(?:help )?(?:emergency|emergencia|911|es una emergencia|tengo una emergencia)$|"
    r"\b(?:this is an|its an|it is an|i have an|having an|medical) emergency\b(?! (?:room|visit|bill|charge|dep|serv))|"
    r"\b(?:es una|tengo una) emergencia\b")
_ABOUT_A_BILL = re.compile(r"\b(?:bill\w*|charg\w*|owe\w*|pay\w*|insurance|visit|balance|statement|cuenta|factura|"
                           r"debo|cobr\w*|pag\w*|seguro|visita|saldo)\b")

#: Somebody has died: said beside "call me", it is what the text is about.
_DEATH = re.compile(
    r"\b(?:passed away|(?:has |is |just |recently )?(?:deceased|died)|is dead|fallecio|ha fallecido|murio|"
    r"se murio|esta muert[oa])\b(?! (?:phone|battery|telefono))")

_WRONG_NUMBER = re.compile(
    r"\bwrong (?:number|person|phone|party|cell)\b(?! (?:on|in|for) (?:my|the))|"
    r"\b(?:not|isnt|no longer) (?:his|her|their|that persons|\w+s) (?:number|phone|cell)\b|"
    r"\bno (?:one|body) (?:here )?(?:by|with) that name\b|\bdont know (?:that|this) person\b|"
    r"\b(?:numero|telefono) (?:equivocado|incorrecto)\b|\bequivoc\w+ de (?:numero|persona|telefono)\b|"
    r"\bno conozco a est?a persona\b|\best[ea] no es (?:el|su|mi) (?:numero|telefono) de\b")


def find_fixed(text: str) -> str:
    """The name of the fixed reading of ``text``, or an empty string."""
    folded = fold(text)
    if is_opt_out(folded) and not is_limited(folded):
        return "opt_out"
    bare = _bare(folded)
    if bare and all(word in HELP for word in bare):
        return "help"
    if folded in OPT_IN:  # and nothing else: consent is restored by the very word (T-12)
        return "opt_in"
    if asks_for_person(folded) or (bare and all(word in HUMAN for word in bare)):
        return "human"
    if is_emergency(folded):
        return "emergency"
    return "wrong_number" if is_wrong_number(folded) else ""


def is_opt_out(folded: str) -> bool:
    """True for a bare opt-out word, whatever the case, punctuation or spacing, and for any reasonable wording."""
    bare = _bare(folded)
    if folded.replace(" ", "") in OPT_OUT or (bare and ("".join(bare) in OPT_OUT or all(w in OPT_OUT for w in bare))):
        return True
    return any(_asks(match.start(), folded) for match in _matches(folded))


def is_limited(folded: str) -> bool:
    """"Don't text me on Sundays" says when, it revokes nothing: beside the phrase there are only hours and days, or
    only whom the texts shall not be about. Any other word, and it is an opt-out (T-03).
    """
    match = next(iter(_matches(folded)), None)
    if match is None:
        return False
    rest = f"{folded[:match.start()]} ; {folded[match.end():]}"
    if _ABOUT_WHOM.search(rest):
        return True
    said = [word for word in re.sub(r"\d+ ?(?:[ap] ?m\b)?", " # ", rest).split() if word not in _POLITE | {";"}]
    return all(word in _WHEN or word in _AROUND for word in said) and any(word in _WHEN for word in said)


def is_unclear_stop(folded: str) -> str:
    """``bare`` for CANCELAR alone, ``about`` for stopping something that may be no text (T-09), else empty."""
    bare = _bare(folded)
    if bare and all(word in UNCLEAR for word in bare):
        return "bare"
    match = _CANCEL_WHAT.search(folded)
    return "about" if match and _asks(match.start(), folded) and "appointment" not in folded else ""


def asks_for_person(folded: str) -> bool:
    return not _ABOUT_ME.search(folded) and any(pattern.search(folded) for pattern in _HUMAN_PHRASES)


def is_emergency(folded: str) -> bool:
    """Self-harm always; symptoms only where the text is not about a bill for them."""
    if _SELF_HARM.search(folded):
        return True
    if _EMERGENCY_WORD.search(folded) and not _ABOUT_A_BILL.search(folded):
        return True
    return bool(_URGENT.search(folded)) and not _ABOUT_A_BILL.search(folded)


def is_death(folded: str) -> bool:
    return bool(_DEATH.search(folded))


def is_wrong_number(folded: str) -> bool:
    return len(folded.split()) <= 20 and bool(_WRONG_NUMBER.search(folded))


def _bare(folded: str) -> list[str]:
    return [word for word in folded.split() if word not in _POLITE]


def _matches(folded: str) -> list[re.Match[str]]:
    return [match for pattern in _OPT_OUT_PHRASES if (match := pattern.search(folded))]


def _asks(start: int, folded: str) -> bool:
    """False for "don't stop texting me" and "why did you stop texting me"."""
    return _NOT_ASKING.search(folded[:start]) is None
