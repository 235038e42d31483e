"""What the rules have to know of a body, read once, so that the facts on record need not hold the body."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from billing.cards import find_cards

#: Public shorteners that carriers filter (T-17).
SHORTENERS = frozenset({
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "tiny.cc",
    "shorturl.at", "rb.gy", "bl.ink", "t.ly", "lnkd.in", "s.id", "v.gd", "x.co", "youtu.be",
})

_LINK = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,}|localhost|127\.0\.0\.1)(?::\d+)?(/\S*)?", re.IGNORECASE)
_HELP = re.compile(r"\b(?:HELP|AYUDA|INFO)\b")
_STOP = re.compile(r"\b(?:STOP|ALTO)\b")

# All below are read without accents and case.
_OFTEN = re.compile(r"frequen|frecuen|\b(?:msgs?|messages?|texts?|mensajes?|mjes?)\b[^.]{0,20}"
                    r"(?:/|per|a|each|by|por|al|cada)\s*(?:mo\b|month|bill|mes|cuenta|statement|estado)|"
                    r"one-time|una sola vez|var(?:y|ies|ia)")
_RATES = re.compile(r"rates?\b|tarifas?|cargos?")
_UNATTENDED = re.compile(r"do not reply|don'?t reply|no replies|replies are not|no responda|no se leen")

#: Ways to be left alone, as an e-mail says them; a text says STOP (T-22).
_WAY_OUT = re.compile(r"unsubscribe|opt[ -]out|stop (?:these|getting|receiving)|"
                      r"no (?:more|longer) (?:e-?mail|send|get)|"
                      r"darse de baja|dejar de recibir|no recibir mas|cancelar (?:su|la) suscripcion|dese de baja")
_COLLECTOR = re.compile(r"debt collector|cobrador(?:a|es)? de deudas")
_ATTEMPT = re.compile(r"attempt(?:ing)? to collect a debt|(?:intento de|intentando|intentamos|trata(?:ndo)? de) cobrar "
                      r"una deuda")
_USED_FOR = re.compile(r"information[^.]*\bused for that purpose|informacion[^.]*\b(?:para ese (?:fin|proposito))")

#: Words that nobody may use about money, by kind: T-15, T-30, T-46. Each pattern stands behind a part of a word that
#: whatever it finds must hold, and which is looked for first: nearly no message has any.
_BAD_WORDS = {
    "lawsuit": (
        ("lawsuit", r"\blawsuit"), (" you", r"\bsu(?:e|ing) you\b"), ("legal", r"\blegal action|\baccion(?:es)? legal"),
        ("court", "take you to court"), ("garnish", r"\bgarnish"), ("lien", r"\bliens?\b"), ("arrest", r"\barrest"),
        ("demanda", r"demanda judicial|\bdemandarl[eo]"), ("embarg", r"\bembarg"), ("gravamen", r"\bgravamen")),
    "credit report": (
        ("credit", r"\bcredit (?:report|bureau|score|rating|history|file|agenc)"),
        ("credit", r"(?:buro|historial|reporte|informe|puntaje|agencias?) (?:de credito|crediticio)"),
        ("credit", r"\bburos? de credito")),
    "debt relief": (
        ("debt", r"\bdebt (?:relief|reduction|forgiveness|settlement|consolidation)"),
        ("debt", r"\b(?:forgive|reduce|settle) (?:your|the) debt"),
        ("deuda", r"(?:alivio|reduccion|perdon|condonacion|consolidacion) de (?:la |su )?deuda"),
        ("deuda", r"(?:perdonar|reducir) (?:la|su) deuda")),
}
_BAD_PATTERNS = {kind: tuple((part, re.compile(words)) for part, words in pairs) for kind, pairs in _BAD_WORDS.items()}

_LONG_ENOUGH = 5
"""A short account number is also a price, a year or a house number: in words only longer ones are looked for."""


def introduces(body: str, practice_name: str) -> bool:
    """Tell whether the five things that a first text must carry are all there (T-14)."""
    plain = _plain(body)
    return bool(_plain(practice_name) in plain and _HELP.search(body) and _STOP.search(body)
                and _OFTEN.search(plain) and _RATES.search(plain))


def says_opt_out(body: str) -> bool:
    """Tell whether ``body`` says how to stop messages like it (T-22)."""
    return bool(_STOP.search(body) or _WAY_OUT.search(_plain(body)))


def says_collector(body: str) -> bool:
    """Tell whether ``body`` says that it comes from a debt collector (T-26)."""
    return bool(_COLLECTOR.search(_plain(body)))


def says_attempt(body: str) -> bool:
    """Tell whether ``body`` says that it attempts to collect a debt, and what information is used for (T-26)."""
    plain = _plain(body)
    return bool(_ATTEMPT.search(plain) and _USED_FOR.search(plain))


def bad_words(body: str) -> tuple[str, ...]:
    """Return which kinds of words that nobody may use about money occur: lawsuit, credit report, debt relief."""
    plain = _plain(body)
    return tuple(sorted([kind for kind, pairs in _BAD_PATTERNS.items()
                         if any(part in plain and words.search(plain) for part, words in pairs)]))


def says_no_replies(body: str, phone: str) -> bool:
    """Tell whether ``body`` says that replies are not read and gives ``phone`` in some form (T-07)."""
    return bool(_UNATTENDED.search(_plain(body))) and _digits(phone)[-10:] in _digits(body)


def links(body: str) -> int:
    """Count addresses with a path or a scheme."""
    return sum(1 for match in _addresses(body) if match[2] or match[0].lower().startswith("http"))


def shorteners(body: str) -> tuple[str, ...]:
    hosts = {match[1].lower().removeprefix("www.") for match in _addresses(body) if match[2]}
    return tuple(sorted(hosts & SHORTENERS))


def identifiers(body: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return which kinds of ``known`` ids occur in ``body``: whole words, or anywhere inside a link (T-39)."""
    paths = " ".join([match[0] for match in _addresses(body) if match[2]])
    return tuple(sorted(kind for kind, ids in known.items() if any(_occurs(i, body, paths) for i in ids if i)))


def _occurs(identifier: str, body: str, paths: str) -> bool:
    if body.isascii() and identifier.isascii() and identifier.lower() not in body.lower():
        return False  # as nearly always: no pattern need be made
    word = re.compile(rf"(?<![\w$.,]){re.escape(identifier)}(?![\w]|[.,]\d)", re.IGNORECASE)
    return bool(word.search(paths) or (len(identifier) >= _LONG_ENOUGH and word.search(body)))


def has_card_number(body: str) -> bool:
    return bool(find_cards(body))


@lru_cache(maxsize=16)
def _addresses(body: str) -> tuple[re.Match[str], ...]:
    return tuple(_LINK.finditer(body))


@lru_cache(maxsize=16)
def _plain(text: str) -> str:
    """Without accents and case: a text gives up accents where that saves a segment."""
    if text.isascii():
        return text.casefold()
    return _MAYBE_ACCENT.sub(_no_accent, unicodedata.normalize("NFKD", text)).casefold()


_MAYBE_ACCENT = re.compile("[^\u0000-\u02ff]")  # no character below is one that is put on another


def _no_accent(found: re.Match[str]) -> str:
    return "" if unicodedata.combining(found[0]) else found[0]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
