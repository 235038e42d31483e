"""Texts in a language that we do not speak: told by their script, or by small words that neither of ours has.

Careful on purpose: a misspelt English or Spanish text must never end up here. Latin script takes three words and two
small words of the other language that outnumber those of ours.
"""

from __future__ import annotations

import re
import unicodedata

from handlers.understanding.folding import fold, words
from handlers.understanding.languages import count_ours

#: First letters of a character's Unicode name -> ISO 639-1. Han alone is Chinese; kana make it Japanese.
_SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "ARABIC": "ar", "CYRILLIC": "ru",
    "DEVANAGARI": "hi", "BENGALI": "bn", "HEBREW": "he", "GREEK": "el", "THAI": "th", "GUJARATI": "gu",
    "GURMUKHI": "pa", "TAMIL": "ta",
    "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "KHMER": "km", "LAO": "lo", "MYANMAR": "my", "ETHIOPIC": "am",
    "ARMENIAN": "hy", "GEORGIAN": "ka"}
#: Letters that only one of the languages of a script has.
_TELLING = (("ja", re.compile(r"[\u3040-\u30ff]")), ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
            ("ur", re.compile("[\u0679\u0688\u0691\u06ba\u06be\u06d2]")),
            ("fa", re.compile("[\u067e\u0686\u0698\u06af\u06cc]")),
            ("uk", re.compile("[\u0456\u0457\u0454\u0491]")))
_VIETNAMESE = re.compile("[\u0103\u0111\u01a1\u01b0\u1ea0-\u1ef9]")
_POLISH = re.compile("[\u0105\u0119\u0142\u015b\u017a\u017c]")

_SMALL_WORDS = {
    "fr": words("je vous nous est pas mon votre combien dois facture bonjour bonsoir merci pourquoi peux puis payer "
                "avec pour une cette suis ne quel quelle veux plait dans sur ce des du jai cest et aussi mais tres "
                "comment "
                "argent quand ou parle francais mes ma les il elle ils sont"),
    "pt": words("eu nao voce voces minha meu quanto obrigado obrigada fatura uma um com isso estou tenho preciso "
                "muito boa fazer pagamento quero posso mais agora ja foi sao em na da ate tambem portugues falo "
                "dinheiro bom"),
    "ht": words("mwen konbyen poukisa bonjou mesi pou nan ki sa gen dwe peye fakti tanpri kijan ap li kreyol bodwo vle "
                "kapab ka asirans lajan pale paske epi yon nou"),
    "vi": words("toi khong bao nhieu tien xin chao hoa cua duoc tieng viet muon phai thanh toan vui long bao hiem"),
    "tl": words("ako ang ng mga ko po hindi salamat magkano bayad magbayad bakit kailan paano nasaan sa ito naman kayo "
                "kung wala akong kong utang ba tagalog pwede lang"),
    "pl": words("nie jest dlaczego ile dziekuje prosze rachunek mam moj moja czy jak zaplacic dzien dobry za ze na "
                "jestem chce moge sie po polsku"),
    "it": words("quanto devo perche grazie ciao buongiorno il della che sono ho vorrei pagare fattura questo questa "
                "posso bolletta conto gli di e non parlo italiano quando anche mia"),
    "de": words("ich nicht wie viel warum rechnung bitte danke und das ist der die ein eine mein meine kann bezahlen "
                "zahlen guten tag hallo muss schulde habe fur mit sie deutsch wann"),
}


def find_foreign(text: str) -> str:
    """ISO 639-1 code of a language that is neither English nor Spanish, or an empty string."""
    return _by_script(text) or _by_words(text)


def _by_script(text: str) -> str:
    letters = [character for character in text if character.isalpha()]
    scripts = [_SCRIPTS.get(unicodedata.name(letter, "?").split()[0].split("-")[0], "") for letter in letters]
    foreign = [code for code in scripts if code]
    if len(foreign) < 2 or 2 * len(foreign) < len(letters):
        return ""
    code = max(sorted(set(foreign)), key=foreign.count)
    family = {"zh": ("ja",), "ja": ("ja",), "ar": ("ur", "fa"), "ru": ("uk",)}.get(code, ())
    return next((name for name, letters_of in _TELLING if name in family and letters_of.search(text.lower())), code)


def _by_words(text: str) -> str:
    said = fold(text).split()
    if len(said) < 3:
        return ""
    lowered = unicodedata.normalize("NFC", text).lower()
    for code, letters in (("vi", _VIETNAMESE), ("pl", _POLISH)):
        if len(letters.findall(lowered)) >= 2:
            return code
    hits = {code: sum(word in small for word in said) for code, small in _SMALL_WORDS.items()}
    best = max(hits, key=lambda code: hits[code])
    ours = count_ours(said)
    return best if hits[best] >= 2 and hits[best] > ours and 3 * hits[best] >= len(said) else ""
