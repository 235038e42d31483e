"""The languages of patients' pages, from what is there: English and Spanish in files of their own, any other as one
folder ``templates/languages/CODE`` (docs/languages.md says what stands in it).

A language that is not whole is refused when the program starts: no page ever shows half of one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE / "languages"

#: What every language has, and where English has it.
FILES = {"page": "web/words", "account": "web/account", "plan": "plan", "statement": "statement"}
#: What a language may have besides; English stands in for what it has not.
MORE = {"carc": "carc", "hcpcs": "hcpcs"}

_CODE = re.compile(r"[a-z]{2}")
_MARK = re.compile(r"\{(\w*)\}")


class LanguageRefused(Exception):
    """A language's folder that is not whole; the text names the file and what is missing."""


@dataclass(frozen=True, slots=True)
class Language:
    """``name`` in the language itself; ``paper``: the language that its PDFs are written in, where the fonts of the
    paper have no letters for it; ``folder`` is None for the two that have files of their own.
    """

    code: str
    name: str
    locale: str
    rtl: bool = False
    paper: str = ""
    folder: Path | None = None


_KNOWN = {"en": Language("en", "English", "en_US", paper="en"), "es": Language("es", "Español", "es_US", paper="es")}

#: How Babel names them, for money and days.
LOCALES: dict[str, str] = {code: known.locale for code, known in _KNOWN.items()}


def codes() -> tuple[str, ...]:
    return tuple(_KNOWN)


def find(code: str) -> Language:
    """The language of a code; English where there is none."""
    return _KNOWN.get(code, _KNOWN["en"])


def others(code: str) -> list[Language]:
    return [one for one in _KNOWN.values() if one.code != code]


def path_of(kind: str, code: str) -> Path:
    """Where the words of a kind (page, account, plan, statement, carc, hcpcs) stand; English's where it has none."""
    known, stem = find(code), (FILES | MORE)[kind]
    own = known.folder / f"{kind}.toml" if known.folder else HERE / f"{stem}.{known.code}.toml"
    return own if own.is_file() else HERE / f"{stem}.en.toml"


@cache
def words(kind: str, code: str) -> dict[str, Any]:
    return tomllib.loads(path_of(kind, code).read_text(encoding="utf-8"))


def add(folder: Path) -> Language:
    """Take a language's folder in. Raises LanguageRefused."""
    made = _read(folder)
    for kind, stem in FILES.items():
        compare(folder / f"{kind}.toml", HERE / f"{stem}.en.toml")
    _KNOWN[made.code] = made
    LOCALES[made.code] = made.locale
    words.cache_clear()
    return made


def remove(code: str) -> None:
    """Forget a language that was added."""
    if _KNOWN[code].folder is None:
        raise LanguageRefused(f"{code} is one of the program's own languages")
    del _KNOWN[code], LOCALES[code]
    words.cache_clear()


def _read(folder: Path) -> Language:
    about, file = _toml(folder / "language.toml"), f"{folder.name}/language.toml"
    unknown = set(about) - {"name", "locale", "direction", "paper"}
    if unknown or not {"name", "locale"} <= set(about) or about.get("direction", "ltr") not in ("ltr", "rtl"):
        raise LanguageRefused(f"{file}: give name and locale, and direction (ltr or rtl) and paper where they matter; "
                              f"not known: {', '.join(sorted(unknown)) or 'none'}")
    if not _CODE.fullmatch(folder.name) or (folder.name in _KNOWN and _KNOWN[folder.name].folder is None):
        raise LanguageRefused(f"{folder.name}: a language's folder has its code's two letters, and is not en or es")
    paper = str(about.get("paper", folder.name))
    if paper not in (folder.name, *_KNOWN):
        raise LanguageRefused(f"{file}: paper names no language that is there: {paper}")
    return Language(folder.name, str(about["name"]), str(about["locale"]), about.get("direction") == "rtl", paper,
                    folder)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise LanguageRefused(f"{path.parent.name}/{path.name}: {type(error).__name__}; write it anew") from None


def compare(path: Path, english: Path) -> None:
    """Raises LanguageRefused unless ``path`` has the same words with the same marks as ``english``."""
    own, theirs = dict(_flat(_toml(path))), dict(_flat(_toml(english)))
    missing, extra = sorted(set(theirs) - set(own)), sorted(set(own) - set(theirs))
    wrong = [key for key in own if key in theirs and _marks(own[key]) != _marks(theirs[key])]
    if missing or extra or wrong:
        raise LanguageRefused(f"{path.parent.name}/{path.name}: missing {missing[:5]}, not in English {extra[:5]}, "
                              f"with other {{marks}} than English {wrong[:5]}")


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", str(value)


def _marks(text: str) -> list[str]:
    return sorted(_MARK.findall(text))


for _folder in sorted(FOLDER.glob("*/language.toml")):
    add(_folder.parent)
