"""The API's description (OpenAPI 3.1), made from the table that serves it: nothing in it is written by hand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_json

from bot.web.console.table import VIAS, Action, Download, View

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object", "required": ["title", "detail", "status"], "additionalProperties": False,
    "properties": {"title": {"type": "string"}, "detail": {"type": "string"}, "status": {"type": "integer"}},
}
_REFUSALS = {401: "Nobody is signed in, or the key is unknown, ended or revoked", 403: "The role may not",
             404: "No such thing, or another practice's", 409: "Not as things stand; the detail says why",
             413: "Too large", 415: "Not JSON", 422: "A field is missing or not understood",
             429: "Asked too often; Retry-After says how long to wait"}
_VIA = {"name": "via", "in": "query", "required": False, "schema": {"type": "string", "enum": sorted(VIAS)},
        "description": "Out of which work this is opened, for the audit trail"}
_PATH = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.@+~=-]{0,79}$"}


@cache
def document(root: str, views: Sequence[View | Download], actions: Sequence[Action], cookie: str, word: str) -> bytes:
    """The whole description as JSON."""
    schemas, shared = _schemas(views, actions)
    paths: dict[str, dict[str, Any]] = {}
    for view in views:
        paths.setdefault(f"{root}{view.path}", {})["get"] = _reading(view, schemas, shared)
    for action in actions:
        paths.setdefault(f"{root}{action.path}", {})["post"] = _doing(action, schemas)
    made = to_json({
        "openapi": "3.1.0",
        "info": {"title": "Plainbill", "version": "1", "description":
                 "What the console does, for a practice's other programs. Amounts that end in _minor are whole cents; "
                 "amounts that are sent are text, such as 12.50; instants are UTC; days are the practice's own."},
        "paths": paths,
        "components": {"schemas": {**shared, "Problem": _PROBLEM}, "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": cookie},
            "word": {"type": "apiKey", "in": "header", "name": word},
        }},
    })
    return made.replace(b"bot__web__console__screens__", b"")  # two screens each have a Row: keys__New, people__New


def _schemas(views: Sequence[View | Download], actions: Sequence[Action]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of every model by what it belongs to, and the definitions that they share."""
    wanted: list[tuple[str, Any, TypeAdapter[Any]]] = []
    for view in views:
        wanted.append((f"query {view.path}", "validation", TypeAdapter(view.query)))
        if isinstance(view, View):
            wanted.append((f"view {view.path}", "serialization", TypeAdapter(view.model)))
    wanted += [(f"form {action.path}", "validation", TypeAdapter(action.form)) for action in actions]
    made, shared = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    return {key: schema for (key, _), schema in made.items()}, shared.get("$defs", {})


def _reading(view: View | Download, schemas: dict[Any, Any], shared: dict[str, Any]) -> dict[str, Any]:
    if isinstance(view, Download):
        good = {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    else:
        good = {"description": "What the page shows",
                "content": {"application/json": {"schema": schemas[f"view {view.path}"]}}}
    query = schemas[f"query {view.path}"]
    query = shared[query["$ref"].rpartition("/")[2]] if "$ref" in query else query
    return _operation(view, f"read_{view.name}", good, [*_parameters(query), _VIA], [{"key": []}, {"session": []}])


def _doing(action: Action, schemas: dict[Any, Any]) -> dict[str, Any]:
    good = {"description": "What was done, and to what", "content": {"application/json": {"schema": {
        "type": "object", "required": ["kind", "id", "result"], "additionalProperties": False,
        "properties": {"kind": {"type": "string"}, "id": {"type": "string"}, "result": {"type": "object"}}}}}}
    sent = "multipart/form-data" if action.upload else "application/json"
    return {**_operation(action, f"do_{action.name}", good, [], [{"key": []}, {"session": [], "word": []}]),
            "requestBody": {"required": _is_needed(action.form),
                            "content": {sent: {"schema": schemas[f"form {action.path}"]}}}}


def _operation(what: View | Download | Action, name: str, good: dict[str, Any], parameters: list[dict[str, Any]],
               security: list[dict[str, Any]]) -> dict[str, Any]:
    told = what.do if isinstance(what, Action) else what.read
    inside = [{"name": one, "in": "path", "required": True, "schema": _PATH}
              for one in re.findall(r"\{(\w+)\}", what.path)]
    refused = {str(status): {"description": text, "content": {"application/problem+json": {
        "schema": {"$ref": _REF.format(model="Problem")}}}} for status, text in _REFUSALS.items()}
    return {"operationId": re.sub(r"\W", "_", name), "tags": [what.path.split("/")[1]],
            "summary": (inspect.getdoc(told) or what.name.replace("_", " ").replace(".", ": ")).split("\n")[0],
            "description": f"Needs the right `{what.right}`.", "parameters": [*inside, *parameters],
            "security": security, "responses": {"200": good, **refused}}


def _parameters(query: dict[str, Any]) -> list[dict[str, Any]]:
    needed = query.get("required", ())
    return [{"name": name, "in": "query", "required": name in needed, "schema": one}
            for name, one in query.get("properties", {}).items()]


def _is_needed(form: type[BaseModel]) -> bool:
    return any(one.is_required() for one in form.model_fields.values())
