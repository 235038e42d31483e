"""Imports run one way, and the command line starts fast because it imports almost nothing."""

from __future__ import annotations

import resource
import subprocess
import sys

from tests.architecture.source import ROOT, imports, modules


def test_every_import_contract_of_pyproject_is_kept() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


def test_the_stand_ins_import_nothing_of_ours_but_each_other() -> None:
    ours = ("bot.", "handlers.", "billing.", "templates.", "config.")
    wrong = [f"{m.at(node)} {name}" for m in modules() if m.within("bot/standins/") for node, name in imports(m)
             if name.startswith(ours) and not name.startswith("bot.standins")]
    assert wrong == []


def test_aiogram_is_imported_inside_the_telegram_adapter_only() -> None:
    wrong = [m.at(node) for m in modules() for node, name in imports(m)
             if name.split(".")[0] == "aiogram" and not m.within("bot/channels/telegram")]
    assert wrong == []


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    code = ("import sys, bot.__main__; from bot.cli.lazy import COMMANDS; "
            "print(*sorted({n.split('.')[0] for n in sys.modules} & "
            "{'aiogram', 'sqlalchemy', 'pydantic', 'starlette', 'stripe', 'twilio', 'typst', 'alembic', 'aiohttp'}))")
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_help_takes_well_under_a_second_of_processor_time() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([sys.executable, "-m", "bot", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "import" in run.stdout
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.9
