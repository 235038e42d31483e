"""Commands run as a user runs them: through ``main``, in an empty folder, with a clean environment."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from billing.store.seal import install_keyring
from bot.__main__ import main
from bot.cli.edge import keyring
from bot.write import Store, open_store
from config.settings import load
from tests.conftest import TEST_KEYS, TUESDAY
from tests.web.newcomers import add

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "config/practice.example.toml")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def plainbill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``plainbill ARGUMENTS`` with the settings given as keywords (``PORT="1"``).

    In this process, because starting Python dozens of times would take longer than all the rest;
    tests/architecture starts it for real.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLAINBILL_")}
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, text: str = "", **settings: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(os, "environ", clean | {f"PLAINBILL_{name}": value for name, value in settings.items()})
            patch.setattr(sys, "argv", ["plainbill", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))
            code = _exit_code()
        return Outcome(code, out.getvalue(), err.getvalue())

    return run


Office = Callable[[], Store]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Office]:
    """Call it for the store that the commands work on."""
    opened: list[Store] = []

    def store() -> Store:
        opened.append(open_store(f"sqlite:///{tmp_path}/var/plainbill.db", keyring(load(None))))
        return opened[-1]

    yield store
    for one in opened:
        one.close()
    install_keyring(TEST_KEYS)


@pytest.fixture
def office(plainbill: Run, stores: Office) -> Office:
    """A practice with a biller, two supervisors, an auditor and an account owing $145.50; call it for its store."""
    plainbill("practice", "set", EXAMPLE)
    for login, role in (("ana", "biller"), ("sue", "supervisor"), ("sam", "supervisor"), ("aud", "auditor")):
        plainbill("staff", "add", login, "--name", login.title(), "--role", role)
    stores().write(lambda session: add(session, "main", "A-1", "en", TUESDAY))
    return stores


def _exit_code() -> int:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        main()
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else int(bool(stopped.code))
    finally:
        install_keyring(TEST_KEYS)
        root.handlers[:] = handlers
        root.setLevel(level)
    return 0
