"""A practice's policy as a TOML file that a practice manager can read, and the policy before there is one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.practice import PracticePolicy

#: In force until ``plainbill practice set``: files can be imported and looked at, nothing is ever sent.
UNCONFIGURED = PracticePolicy(name="Unconfigured practice", legal_name="Unconfigured practice", phone="", address="",
                              sending="off")


class PolicyError(Exception):
    """A policy file cannot be used; the text names each field and what is wrong with it."""


def read_policy(path: Path) -> PracticePolicy:
    """Read a policy file. Raises PolicyError naming the file and every faulty field, or the line TOML stumbles on."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: is not UTF-8 text; save it again as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path}: is not TOML: {error}") from error
    if values.get("sending") == "restored":
        raise PolicyError(f"{path}: sending = \"restored\" is the state of a copy out of a backup; write off, shadow, "
                          "pilot or on")
    try:
        return PracticePolicy.model_validate(values)
    except ValidationError as error:
        lines = [f"  {_field(e)}: {_words(e)}" for e in error.errors(include_url=False)]
        raise PolicyError("\n".join([f"{path}: {len(lines)} field(s) cannot be used:", *lines])) from error


def _field(error: Mapping[str, Any]) -> str:
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in error["loc"]) or "the file"


def _words(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not a field of a practice's policy; look for a slip of the pen"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")
