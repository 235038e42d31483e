"""The policy as fields that a person can fill in: by section, each with its name, its kind and its limits, read from
the model itself; and back from what was written to values that the model then judges.

Names are those of the policy file: ``dunning.steps.0.day``. Amounts (``_minor``) are written in dollars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from billing.money import parse_minor, plain
from config.practice import PracticePolicy

#: Sections in the order of the page, each with the policy's own fields.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "schedule": ("dunning", "statement_due_days", "link_days"),
    "plans": ("plans",),
    "window": ("text_window", "office_hours", "answer_within_hours"),
    "frequency": ("frequency", "carrier", "bulk"),
    "payments": ("payments", "minimum_payment_minor"),
    "assistance": ("assistance", "assistance_note_en", "assistance_note_es", "assistance_url"),
    "collections": ("collections", "settlement", "collector", "contractual"),
    "sending": ("sending", "pilot_accounts", "sms_number", "baa_signed", "interpreter_lines", "on_call_phone",
                "telegram", "mail"),
    "practice": ("name", "legal_name", "phone", "email", "address", "website", "zone", "region", "currency",
                 "languages", "tax_id", "npi", "ledger_of_record", "stale_after_business_days"),
    "console": ("console", "retention", "readiness"),
}


class FieldRefused(ValueError):
    """What was written for a field is none of its kind. The text names the field and what to write."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. ``kind``: text, number, money, day, yes_no, choice, list, numbers, table. ``value`` as a
    person writes it; ``usual`` is what it is where nothing is said. ``lowest`` and ``highest`` are the model's own
    limits (cents for money). ``row``: the entry of a list, or the part that a practice may do without, that it belongs
    to, such as ``dunning.steps.2`` or ``plans``; ``fresh``: that is not there yet.
    """

    name: str
    kind: str
    value: str
    usual: str
    choices: list[str] = field(default_factory=list)
    lowest: int | None = None
    highest: int | None = None
    optional: bool = False
    row: str = ""
    fresh: bool = False


@cache
def _schema() -> dict[str, Any]:
    return PracticePolicy.model_json_schema(mode="validation")


def _inner(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The schema without references, and whether there may be nothing."""
    if "anyOf" in schema:
        found = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return _inner(found[0])[0], len(found) < len(schema["anyOf"])
    if "$ref" in schema:
        return _schema()["$defs"][schema["$ref"].rpartition("/")[2]], False
    return schema, False


def section(name: str, values: Mapping[str, Any]) -> list[Field]:
    """Every field of a section with what it is now; each list ends with an entry to be filled in. ``values``: the
    policy as JSON (model_dump).
    """
    properties = _schema()["properties"]
    return [one for top in SECTIONS[name] for one in _walk(top, properties[top], values.get(top), "", False)]


def _walk(name: str, schema: Mapping[str, Any], value: Any, row: str, fresh: bool) -> Iterator[Field]:
    inner, optional = _inner(schema)
    if "properties" in inner:
        row, fresh = (name, fresh or value is None) if optional else (row, fresh)
        for key, one in inner["properties"].items():
            yield from _walk(f"{name}.{key}", one, value.get(key) if isinstance(value, dict) else None, row, fresh)
        return
    items = _inner(inner.get("items", {}))[0] if inner.get("type") == "array" else {}
    if "properties" in items:
        entries = list(value or ())
        for number, entry in enumerate([*entries, None]):
            here = f"{name}.{number}"
            yield from _walk(here, items, entry, here, fresh or number == len(entries))
        return
    kind, choices = _kind(name, inner, items)
    yield Field(name, kind, _written(kind, value), _written(kind, schema.get("default")), choices,
                _limit(inner, "minimum", "exclusiveMinimum", 1), _limit(inner, "maximum", "exclusiveMaximum", -1),
                optional, row, fresh)


def _limit(inner: Mapping[str, Any], plain: str, open_: str, step: int) -> int | None:
    if plain in inner:
        return int(inner[plain])
    return int(inner[open_]) + step if open_ in inner else None


def _kind(name: str, inner: Mapping[str, Any], items: Mapping[str, Any]) -> tuple[str, list[str]]:
    if "enum" in inner or "const" in inner:
        return "choice", [str(one) for one in inner.get("enum", [inner.get("const")])]
    match inner.get("type"):
        case "boolean":
            return "yes_no", ["yes", "no"]
        case "integer":
            return ("money" if name.endswith("_minor") else "number"), []
        case "array":
            return "numbers" if items.get("type") == "integer" else "list", [str(one) for one in items.get("enum", ())]
        case "object":
            return "table", []
        case _:
            return ("day" if inner.get("format") == "date" else "text"), []


def _written(kind: str, value: Any) -> str:
    if value is None:
        return ""
    match kind:
        case "yes_no":
            return "yes" if value else "no"
        case "money":
            return plain(value)
        case "list" | "numbers":
            return ", ".join(str(one) for one in value)
        case "table":
            return ", ".join(f"{key} {plain(amount)}" for key, amount in value.items())
        case _:
            return str(value)


def filled(name: str, values: Mapping[str, Any], written: Mapping[str, str], remove: frozenset[str] = frozenset(),
           ) -> dict[str, Any]:
    """The whole policy as JSON with what was ``written`` for fields of the section in it. ``remove``: entries of lists,
    and parts that a practice may do without, to be taken out. The model has not judged it yet. Raises FieldRefused.
    """
    fields = section(name, values)
    if set(written) - {one.name for one in fields} or remove - {one.row for one in fields}:
        raise FieldRefused("there is a field here that this section does not have; open the page again")
    found = {key: value for key, value in values.items() if key not in SECTIONS[name]}
    used = {one.row for one in fields if one.fresh and written.get(one.name, "").strip()}
    for one in fields:
        if any(one.name.startswith(f"{row}.") for row in remove) or (one.fresh and one.row not in used):
            continue
        text = written.get(one.name, one.value).strip()
        if text or not one.fresh:
            _put(found, one.name.split("."), _read(one, text))
    for top in _lists(name):
        parent = top.rpartition(".")[0]
        if _get(found, top) is None and (not parent or _get(found, parent) is not None):
            _put(found, top.split("."), [])
    made: dict[str, Any] = _listed(found)
    return made


def _lists(name: str) -> list[str]:
    """The section's lists of entries, such as dunning.steps: with all entries taken out they are empty, not usual."""
    found, properties = [], _schema()["properties"]
    for top in SECTIONS[name]:
        inner, _ = _inner(properties[top])
        below = {f"{top}.{key}": one for key, one in inner.get("properties", {}).items()}
        found += [key for key, one in {top: properties[top], **below}.items()
                  if "properties" in _inner(_inner(one)[0].get("items", {}))[0]]
    return found


def _get(tree: Mapping[str, Any], name: str) -> Any:
    here: Any = tree
    for part in name.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _listed(value: Any) -> Any:
    """Tables whose keys are numbers are lists; a number that was taken out leaves no gap."""
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(key, str) and key.isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(one) for key, one in value.items()}


def _read(one: Field, text: str) -> Any:
    if not text:
        return [] if one.kind in ("list", "numbers") else {} if one.kind == "table" else None if one.optional else ""
    match one.kind:
        case "number":
            return _number(one.name, text)
        case "money":
            return _cents(one.name, text)
        case "yes_no":
            if text not in ("yes", "no"):
                raise FieldRefused(f"{one.name}: yes or no")
            return text == "yes"
        case "list":
            return [part.strip() for part in text.split(",") if part.strip()]
        case "numbers":
            return [_number(one.name, part.strip()) for part in text.split(",") if part.strip()]
        case "table":
            return dict(_pair(one.name, part) for part in text.split(",") if part.strip())
        case _:
            return text


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII):
        raise FieldRefused(f"{name}: write a whole number")
    return int(text)


def _cents(name: str, text: str) -> int:
    plain = text.removeprefix("$").replace(",", "")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", plain, re.ASCII):
        raise FieldRefused(f"{name}: write an amount in dollars and cents, like 12.50")
    return parse_minor(plain)


def _pair(name: str, text: str) -> tuple[str, int]:
    key, _, amount = text.strip().partition(" ")
    return key, _cents(name, amount.strip())
