"""What the model sees of a text. Training and run time share this file, so that both see the same.

Two views: hashed words and pieces of words (TF-IDF, knows our corpora by heart, forgives typing), and a plain line
for the sentence encoder (knows what sentences mean in both languages).
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter

from handlers.understanding.folding import unaccent

WORD_BUCKETS = 1 << 15
CHAR_BUCKETS = 1 << 16
BUCKETS = WORD_BUCKETS + CHAR_BUCKETS
VOCABULARY_BITS = 1 << 18
_CHAR_SIZES = (2, 3, 4, 5)
_LONGEST = 400
"""Characters of a text that are looked at; what is wanted stands there, and a wall of text stays quick."""

#: How people shorten words on a phone, in both languages, where the short form means one thing only.
_SPELLED_OUT = {
    "u": "you", "ur": "your", "r": "are", "yr": "your", "pls": "please", "plz": "please", "plse": "please",
    "thx": "thanks", "thnx": "thanks", "tks": "thanks", "ty": "thank you", "tysm": "thank you so much",
    "thanku": "thank you", "wat": "what", "wut": "what", "wht": "what", "abt": "about", "bc": "because",
    "cuz": "because", "coz": "because", "b4": "before", "cant": "can't", "dont": "don't", "wont": "won't",
    "didnt": "didn't",
    "isnt": "isn't", "doesnt": "doesn't", "im": "i'm", "ive": "i've", "whats": "what's", "thats": "that's",
    "gonna": "going to", "wanna": "want to", "gotta": "have to", "gimme": "give me", "lemme": "let me",
    "dunno": "don't know", "idk": "i don't know", "rn": "right now", "asap": "as soon as possible", "amt": "amount",
    "acct": "account", "acc": "account", "pmt": "payment", "pymt": "payment", "pymnt": "payment", "stmt": "statement",
    "ins": "insurance", "insur": "insurance", "appt": "appointment", "msg": "message", "msgs": "messages",
    "txt": "text", "bal": "balance", "tmrw": "tomorrow", "tmr": "tomorrow", "mo": "month", "mos": "months",
    "w": "with", "wk": "week", "wks": "weeks", "dr": "doctor", "hosp": "hospital", "info": "information",
    "q": "que", "xq": "porque", "pq": "porque", "xk": "porque", "porq": "porque", "tmb": "tambien", "tb": "tambien",
    "tbn": "tambien", "pa": "para", "x": "por", "porfa": "por favor", "porfis": "por favor", "xfa": "por favor",
    "xfavor": "por favor", "pf": "por favor", "grax": "gracias", "grcs": "gracias", "grx": "gracias", "kiero": "quiero",
    "kuanto": "cuanto", "cto": "cuanto", "bn": "bien", "dnd": "donde", "cdo": "cuando",
    "nose": "no se", "aki": "aqui", "msj": "mensaje", "msjs": "mensajes",
}
_COUNTED = (r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|"
            r"seventy|eighty|ninety|hundred|thousand|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|quince|"
            r"veinte|"
            r"veinticinco|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien|ciento|doscientos|"
            r"trescientos|"
            r"mil)")
_IN_WORDS = re.compile(rf"\b{_COUNTED}(?:[ -](?:and |y )?{_COUNTED})*\b")
#: A birthday or a ZIP code beside a wish says nothing about the wish.
_IDENTITY = re.compile(r"\b\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{5,}(?:-\d{4})?\b(?![.,]\d)")
_MONEY = re.compile(r"(?:us)?\$ ?\d[\d.,]*(?<![.,])|"
                    r"\b\d+(?:[.,]\d+)* ?(?:dollars?|bucks?|usd|d[o\u00f3]lar(?:es)?|pesos?)\b")
_CENTS = re.compile(r"\$50 (?:and |y |con |with )?\d+ ?(?:cents?|centavos?)\b")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|\$50|[?]")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019`\u00b4", "'"))
_REPEATED = re.compile(r"([^\W\d])\1{2,}")


def plain(text: str) -> str:
    """The line that the encoder reads: lower case, short forms spelled out, one number for all numbers."""
    line = unicodedata.normalize("NFKC", text[:_LONGEST]).translate(_APOSTROPHES).lower()
    line = _MONEY.sub("$50", _IN_WORDS.sub("5", _IDENTITY.sub(" ", line)))
    line = _NUMBER.sub("5", _CENTS.sub("$50", line).replace("$50", "\0")).replace("\0", "$50")
    line = _REPEATED.sub(r"\1\1", line)
    return " ".join(_SPELLED_OUT.get(word, word) for word in _TOKEN.findall(line))


def count_buckets(text: str) -> Counter[int]:
    """Bucket -> how often: words and pairs of words below WORD_BUCKETS, pieces of words above."""
    words = [word.replace("'", "") for word in unaccent(plain(text)).split()]
    found: Counter[int] = Counter()
    for word in words:
        found[_hash(word, WORD_BUCKETS)] += 1
        padded = f" {word} "
        for size in _CHAR_SIZES:
            for start in range(len(padded) - size + 1):
                found[WORD_BUCKETS + _hash(padded[start:start + size], CHAR_BUCKETS)] += 1
    for pair in zip(["^", *words], [*words, "$"], strict=True):
        found[_hash(" ".join(pair), WORD_BUCKETS)] += 1
    return found


def vocabulary_places(text: str) -> list[int]:
    """Where each word of ``text`` stands in the table of words that the training has seen."""
    return [_hash(word, VOCABULARY_BITS) for word in unaccent(plain(text)).split() if word.isalpha()]


def _hash(piece: str, buckets: int) -> int:
    """Stable over processes and machines, unlike Python's own ``hash``."""
    return zlib.crc32(piece.encode()) % buckets
