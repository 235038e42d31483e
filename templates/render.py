"""Words from a template's name and typed arguments. The one place that turns a reply into a text.

Arguments must be exactly the ones that the template declares, each of its declared type: a missing, an unknown or a
mistyped one raises TemplateError, so that no text ever goes out with a hole in it. The one argument that need not be
declared is ``currency`` (ISO code; USD without it), which the ``money`` filter reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from templates import foreign, segments
from templates import format as form
from templates.names import written
from templates.source import Source, TemplateError, load

__all__ = ["Rendered", "TemplateError", "environment", "render"]

#: Channels that carriers bill by the segment: there á, í, ó, ú are given up where that saves one.
_BILLED_BY_SEGMENT = ("sms", "console")


@dataclass(frozen=True, slots=True)
class Rendered:
    """``privacy``: open (T-32's allow-list) or amounts (verified, T-33 warning recorded); ``version`` of the file."""

    body: str
    version: str
    privacy: str
    segments: int
    encoding: str
    purpose: str = "reply"
    buttons: tuple[tuple[str, str], ...] = ()  # (label, text that pressing it stands for)


def render(name: str, language: str, arguments: Mapping[str, Any], channel: str = "sms") -> Rendered:
    """The text of template ``name``. Raises TemplateError (never with a value in it)."""
    source = load(name, language)
    _check(source, arguments)
    try:
        body = _compiled(name, language).render({"currency": "USD", **arguments})
    except (UndefinedError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise TemplateError(f"templates/{language}/{name}.txt: {type(error).__name__} while rendering") from None
    body = _tidy(body)
    body = segments.save(body) if channel in _BILLED_BY_SEGMENT else body
    found = segments.count(body)
    return Rendered(body, source.version, source.privacy, found.count, found.encoding, source.purpose,
                    _buttons(source, arguments, body))


def _buttons(source: Source, arguments: Mapping[str, Any], body: str) -> tuple[tuple[str, str], ...]:
    """The declared buttons that these words offer: a sentence left out by a condition takes its buttons along."""
    found: list[tuple[str, str]] = []
    for label, text in source.buttons:
        if label == "#":
            found += [(str(item["number"]), str(item["number"])) for item in arguments[text]]
        else:
            found.append((label, text))
    return tuple((label, text) for label, text in found if offers(body, text))


def offers(body: str, text: str) -> bool:
    """Tell whether the words name ``text`` as an answer: a word of its own, or a number that is no amount or day."""
    return re.search(rf"(?<![\w$.,/:-]){re.escape(text)}(?!\w|[.,/:-]\d)", body) is not None


@lru_cache(maxsize=8)
def environment(language: str) -> SandboxedEnvironment:
    """Sandboxed, strict about names, with the typed filters of one language."""
    if language not in form.LOCALES:
        raise TemplateError(f"no language {language!r}: choose one of {', '.join(form.LANGUAGES)}")
    made = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    for filter_name in ("day", "month", "moment", "hours", "phone", "listing", "of_visits", "visit_month", "short_day",
                        "card", "often"):
        made.filters[filter_name] = _bound(getattr(form, filter_name), language)
    made.filters["money"] = _money(language)
    made.filters["own_hours"] = _bound(form.own_hours, language)
    made.filters["foreign_line"] = foreign.line
    made.filters["written"] = written
    made.filters["sentence"] = _sentence(language)
    return made


def _bound(function: Callable[..., str], language: str) -> Callable[[Any], str]:
    return lambda value: function(value, language)


def _money(language: str) -> Callable[[Context, int], str]:
    @pass_context
    def filter_money(context: Context, amount_minor: int) -> str:
        return form.money(amount_minor, str(context["currency"]), language)

    return filter_money


def _sentence(language: str) -> Callable[[Context, Mapping[str, Any]], str]:
    @pass_context
    def filter_sentence(context: Context, step: Mapping[str, Any]) -> str:
        return say_step(step, language, str(context["currency"]), short=True)

    return filter_sentence


def say_step(step: Mapping[str, Any], language: str, currency: str, short: bool) -> str:
    """One step of an explanation in words; ``step`` has kind, amount_minor, payer_name and code, and for what is left
    ``due_minor``, how much of it may be asked for now (None: all of it).
    """
    kind = str(step["kind"])
    amount: int = step["amount_minor"]
    body = _compiled(f"explain/{kind}", language).render({
        "amount_minor": abs(amount), "negative": amount < 0, "zero": amount == 0, "short": short,
        "payer_name": written(step.get("payer_name", "")), "code": step.get("code", ""), "currency": currency,
        "due_minor": amount if step.get("due_minor") is None else step["due_minor"]})
    return " ".join(body.split())


def _compiled(name: str, language: str) -> Template:
    return _compile(name, language, load(name, language).text)


@lru_cache(maxsize=1024)
def _compile(name: str, language: str, text: str) -> Template:
    try:
        return environment(language).from_string(text)
    except TemplateSyntaxError as error:
        raise TemplateError(f"templates/{language}/{name}.txt: line {error.lineno}: {error.message}") from None


def _tidy(body: str) -> str:
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in body.splitlines())
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()


def _check(source: Source, arguments: Mapping[str, Any]) -> None:
    where = f"templates/{source.language}/{source.name}.txt"
    declared = source.types
    if missing := sorted(declared.keys() - arguments.keys()):
        raise TemplateError(f"{where}: missing {', '.join(missing)}")
    if unknown := sorted(arguments.keys() - declared.keys() - {"currency"}):
        raise TemplateError(f"{where}: does not declare {', '.join(unknown)}")
    for key, kind in declared.items():
        if not _fits(arguments[key], kind):
            raise TemplateError(f"{where}: {key} is no {kind}")


def _fits(value: Any, kind: str) -> bool:
    if value is None:
        return kind.endswith("?")
    return _FITS[kind.removesuffix("?")](value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_day(value: Any) -> bool:
    return isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None)


def _is_moment(value: Any) -> bool:
    return isinstance(value, datetime) or (isinstance(value, str) and "T" in value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


_FITS: dict[str, Callable[[Any], bool]] = {
    "money": _is_whole, "count": _is_whole, "date": _is_day, "moment": _is_moment, "list": _is_list,
    "hours": _is_list, "map": lambda value: isinstance(value, Mapping), "flag": lambda value: isinstance(value, bool),
    "text": lambda value: isinstance(value, str), "phone": lambda value: isinstance(value, str),
    "link": lambda value: isinstance(value, str) and value.startswith(("https://", "http://")),
}
