"""Any form of the console filled in as it asks to be, from its own schema; ids are a practice's sample rows'."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tests.console.samples import NAMES, SAMPLES

#: Rows by table.
Ids = Mapping[str, Mapping[str, Any]]

#: What is tried for text of a form of its own, in this order.
_TEXTS = ("x1", "Some plain words.", "2026-11", "2026-11-10", "12.50", "10001", "+12125550142", "ann@maple.example",
          "NY", "en", "1", "a", "")

#: Fields that no schema can fill in, by form and field: the screen's own example.
EXAMPLES: dict[tuple[str, str], Any] = {("words.try", "template"): "help", ("words.propose", "template"): "help",
                                    ("contact.add", "address"): "+12125550199",
                                    ("contact.change", "address"): "+12125550199",
                                    ("account.move", "address"): "5 Oak St, Albany, NY 12207"}


def path(address: str, rows: Ids, **other: str) -> str:
    """The address with the ids of these rows; ``other``: parts that are somebody else's. Raises KeyError for a part
    that tests/console/samples.py does not know.
    """
    return re.sub(r"\{(\w+)\}", lambda found: other.get(found[1]) or sample(found[1], rows), address)


def sample(part: str, rows: Ids) -> str:
    if part in NAMES:
        return NAMES[part]
    table, column = SAMPLES[part]
    return str(rows[table][column])


def parts(address: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", address)


def form(model: type[BaseModel], name: str, rows: Ids) -> dict[str, Any]:
    """Every field that has to be there, and every id that may."""
    schema = model.model_json_schema()
    defs, needed = schema.get("$defs", {}), schema.get("required", ())
    return {field: EXAMPLES.get((name, field), _value(one, defs, field, rows))
            for field, one in schema.get("properties", {}).items() if field in needed or _table_of(field) is not None}


def ids_in(model: type[BaseModel]) -> list[str]:
    """The fields that name a row."""
    return [field for field in model.model_fields if _table_of(field) is not None]


def _table_of(field: str) -> str | None:
    one = field.removesuffix("s") if field.endswith("_ids") else field
    return one if one in SAMPLES else None


def _value(schema: Mapping[str, Any], defs: Mapping[str, Any], field: str, rows: Ids) -> Any:
    if "$ref" in schema:
        return _value(defs[schema["$ref"].rpartition("/")[2]], defs, field, rows)
    if "anyOf" in schema:
        return _value(next(one for one in schema["anyOf"] if one.get("type") != "null"), defs, field, rows)
    if "const" in schema or "enum" in schema:
        return schema.get("const") or schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    match schema.get("type"):
        case "boolean":
            return False
        case "integer":
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "array":
            return [_value(schema.get("items", {}), defs, field, rows)]
        case "object":
            return {}
        case _:
            return _text(schema, field, rows)


def _text(schema: Mapping[str, Any], field: str, rows: Ids) -> str:
    known = _table_of(field)
    if known is not None:
        return sample(known, rows)
    if schema.get("format") == "binary":
        return "a,b\n1,2\n"
    if schema.get("format") == "date":
        return "2026-11-10"
    fits = (one for one in _TEXTS if schema.get("minLength", 0) <= len(one) <= schema.get("maxLength", 9999)
            and re.search(schema.get("pattern", ""), one))
    return next(fits, "x" * schema.get("minLength", 1))
