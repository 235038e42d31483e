"""Every parameter that Stripe documents for the endpoints spoken here, and the refusal of every other.

The list is data (stripe_params.json), derived from the typed parameters of Stripe's own SDK; a test compares the two.
Notation: "name!" is required; "s" string, "i" integer, "b" boolean, "n" decimal, "a|b" one of these, [X] a list,
{"*": X} free keys, {...} an object.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from bot.standins.stripe_account import StripeError

_FILE = Path(__file__).with_name("stripe_params.json")
MAX_METADATA_PAIRS = 50


@cache
def schemas() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


def check_params(endpoint: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with integers and booleans in their own types, empty strings (which unset) as None.

    Raises StripeError 400: parameter_unknown, parameter_missing, parameter_invalid_integer and the like.
    """
    return _object(schemas()[endpoint], params, "")


def _object(schema: dict[str, Any], given: dict[str, Any], prefix: str) -> dict[str, Any]:
    if "*" in schema:
        return _free_keys(schema["*"], given, prefix)
    known = {name.rstrip("!"): inner for name, inner in schema.items()}
    for name in given:
        if name not in known:
            path = _join(prefix, name)
            raise _invalid(f"Received unknown parameter: {path}", path, "parameter_unknown")
    for name in schema:
        if name.endswith("!") and given.get(name[:-1], "") == "":
            path = _join(prefix, name[:-1])
            raise _invalid(f"Missing required param: {path}.", path, "parameter_missing")
    return {name: _value(known[name], value, _join(prefix, name)) for name, value in given.items()}


def _free_keys(schema: Any, given: dict[str, Any], prefix: str) -> dict[str, Any]:
    if len(given) > MAX_METADATA_PAIRS:
        raise _invalid(f"{prefix} can have up to {MAX_METADATA_PAIRS} keys", prefix, None)
    for key, value in given.items():
        if len(key) > 40 or len(str(value)) > 500:
            path = _join(prefix, key)
            raise _invalid(f"{path}: keys have up to 40 characters and values up to 500", path, None)
    # An empty value means "remove this key", so it stays an empty string.
    return {key: value if value == "" else _value(schema, value, _join(prefix, key)) for key, value in given.items()}


def _value(schema: Any, value: Any, path: str) -> Any:
    if value == "":
        return None
    if isinstance(schema, dict):
        return _object(schema, _as_object(value, path), path)
    if isinstance(schema, list):
        if not isinstance(value, list):
            raise _invalid("Invalid array", path, None)
        return [_value(schema[0], item, f"{path}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, str):
        raise _invalid(f"Invalid string: {path} must not be an object or array", path, None)
    return _scalar(schema, value, path)


def _as_object(value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    raise _invalid("Invalid object", path, None)


def _scalar(schema: str, value: str, path: str) -> Any:
    if schema == "i":
        if not re.fullmatch(r"-?\d{1,15}", value):
            raise _invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")
        return int(value)
    if schema == "b":
        if value not in ("true", "false"):
            raise _invalid(f"Invalid boolean: {value}", path, None)
        return value == "true"
    if "|" in schema and value not in schema.split("|"):
        raise _invalid(f"Invalid {path}: must be one of {schema.replace('|', ', ')}", path, None)
    return value


def _join(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _invalid(message: str, param: str, code: str | None) -> StripeError:
    return StripeError(400, message, code=code, param=param)
