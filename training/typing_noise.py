"""Texts as thumbs type them: letters swapped, lost, doubled or hit beside, short forms, no accents, shouting."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from training.corpora import Utterance

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {letter: row[max(0, at - 1):at] + row[at + 1:at + 2] for row in _ROWS for at, letter in enumerate(row)}
_SHORT = {
    "en": {"you": "u", "your": "ur", "are": "r", "please": "pls", "thanks": "thx", "because": "cuz", "to": "2",
           "for": "4", "before": "b4", "about": "abt", "payment": "pymt", "account": "acct", "with": "w",
           "don't": "dont", "can't": "cant", "i'm": "im", "what's": "whats", "going to": "gonna", "want to": "wanna",
           "insurance": "ins", "balance": "bal", "statement": "stmt", "tomorrow": "tmrw", "and": "n", "okay": "k",
           "the": "da", "know": "kno", "through": "thru", "appointment": "appt"},
    "es": {"que": "q", "qué": "q", "por qué": "xq", "porque": "xq", "también": "tmb", "por favor": "porfa",
           "gracias": "grax", "para": "pa", "quiero": "kiero", "cuánto": "kuanto", "estoy": "toy", "bien": "bn",
           "por": "x", "usted": "ud", "ustedes": "uds", "más": "mas", "hacer": "acer", "hay": "ai", "voy": "boy",
           "haber": "aver", "hola": "ola", "ayuda": "alluda", "factura": "fatura", "donde": "dnd", "de": "d"},
}
_MIXED = {
    "en": {"bill": "cuenta", "please": "por favor", "payment": "pago", "insurance": "seguro", "hello": "hola",
           "thanks": "gracias", "money": "dinero", "doctor": "doctora"},
    "es": {"cuenta": "bill", "factura": "bill", "saldo": "balance", "pago": "payment", "seguro": "insurance",
           "por favor": "please", "plan de pagos": "payment plan", "recibo": "receipt", "tarjeta": "card",
           "cita": "appointment", "hola": "hi", "gracias": "thanks"},
}
_LEAD = {
    "en": ("hi ", "hello ", "hey ", "um ", "ok so ", "please ", "hi there, ", "good morning ", "yeah ", "so ",
           "excuse me ", "hi i got your text, ", "i just opened a letter from you, ", "sorry to bother you but ",
           "quick question, ", "hello i was wondering, ", "hey um i just wanted to ask, ", "i have a question. ",
           "hi this is about my account. ", "i was looking at my account and ", "good afternoon, ", "ok then ",
           "hey its me again, ", "so my husband told me to text you. ", "i saw your message. ", "good evening ",
           "can you tell me, ", "i need to know, ", "could you please tell me ", "let me ask you something, ",
           "i tried calling but nobody picked up. ", "not sure if this is the right place but ", "actually ", "also "),
    "es": ("hola ", "buenas ", "buenos días ", "disculpe ", "oiga ", "este ", "por favor ", "buenas tardes, ", "mire ",
           "pues ", "hola, me llegó su mensaje, ", "me llegó una carta de ustedes, ", "perdone la molestia pero ",
           "una pregunta, ", "hola quería preguntar, ", "oiga una cosita, ", "tengo una pregunta. ",
           "es sobre mi cuenta. ", "estaba viendo mi cuenta y ", "buenas noches ", "bueno entonces ",
           "soy yo otra vez, ",
           "mi esposa me dijo que les escribiera. ", "vi su mensaje. ", "me puede decir, ", "necesito saber, ",
           "fíjese que ", "quisiera saber, ", "llamé pero nadie contestó. ", "no sé si es aquí pero ", "también ",
           "señorita "),
}
_TRAIL = {"en": (" please", " thanks", " pls", " thank you", " ok", " lol", " asap", " when you get a chance",
                 " thanks in advance", " i'm at work so text me", " god bless", " let me know",
                 ", its been a long week", " and thank you for your help",
                 "!!", "??", " sorry for my spelling", " right now", " today"),
          "es": (" por favor", " gracias", " porfa", " porfavor", " ok", " lo antes posible", " cuando pueda",
                 " gracias de antemano", " estoy en el trabajo", " dios lo bendiga", " me avisa",
                 " y gracias por su ayuda",
                 "!!", "??", " perdón por la ortografía", " ahorita", " hoy")}
#: Where a greeting or a please beside it would change what the text is.
_ALONE = frozenset({"greeting", "thanks", "goodbye", "yes", "no", "help"})


def mangle(utterance: Utterance, chance: random.Random) -> Utterance:
    """A copy that is typed worse. One or two things happen to it."""
    text = utterance.text
    for _ in range(chance.choice((1, 1, 2))):
        text = chance.choices(_WAYS, _OFTEN)[0](text, utterance, chance)
    return replace(utterance, text=text, origin="typed")


def _typo(text: str, utterance: Utterance, chance: random.Random) -> str:
    places = [at for at, letter in enumerate(text) if letter.isalpha()]
    if len(places) < 5:
        return text
    at = chance.choice(places[1:])
    kind, letter = chance.randrange(4), text[at]
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + letter + text[at:]
    if kind == 2:
        return text[:at - 1] + text[at] + text[at - 1] + text[at + 1:]
    return text[:at] + chance.choice(_BESIDE.get(letter.lower()) or letter) + text[at + 1:]


def _shorten(text: str, utterance: Utterance, chance: random.Random) -> str:
    return _swap_words(text.lower(), _SHORT[utterance.language], 0.7, chance)


def _mix(text: str, utterance: Utterance, chance: random.Random) -> str:
    return _swap_words(text.lower(), _MIXED[utterance.language], 0.6, chance)


def _swap_words(text: str, table: dict[str, str], odds: float, chance: random.Random) -> str:
    padded = f" {text} "
    for long, short in table.items():
        if f" {long} " in padded and chance.random() < odds:
            padded = padded.replace(f" {long} ", f" {short} ")
    return padded.strip()


def _unaccent(text: str, utterance: Utterance, chance: random.Random) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _shout(text: str, utterance: Utterance, chance: random.Random) -> str:
    return text.upper() if chance.random() < 0.5 else text.lower()


def _unpunctuate(text: str, utterance: Utterance, chance: random.Random) -> str:
    return "".join(c for c in text if c.isalnum() or c in " $")


def _surround(text: str, utterance: Utterance, chance: random.Random) -> str:
    if utterance.label in _ALONE:
        return text
    if chance.random() < 0.6:
        return chance.choice(_LEAD[utterance.language]) + text
    return text + chance.choice(_TRAIL[utterance.language])


_WAYS: tuple[Callable[[str, Utterance, random.Random], str], ...] = (
    _typo, _shorten, _mix, _unaccent, _shout, _unpunctuate, _surround)
_OFTEN = (4, 2, 1, 2, 1, 2, 4)
