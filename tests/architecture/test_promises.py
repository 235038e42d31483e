"""Lists that must stay complete: commands, rules, migrations, sealed columns, the command line's table."""

from __future__ import annotations

import ast
import re
from typing import get_args

from alembic.script import ScriptDirectory

from billing.commands import Command
from billing.policy.register import RULES
from billing.store.rotation import sealed_tables
from billing.store.schema import config
from billing.store.seal import Sealed, SealedJSON
from billing.store.tables import APPEND_ONLY, Base
from bot.cli.lazy import COMMANDS, load_command
from tests.architecture.source import ROOT, modules

_PERSONAL = {"name", "given", "born_on", "address", "postal_code", "member_id", "body", "external", "payload", "phone",
             "detail", "claim_id", "provider", "resolution", "content", "arguments", "state"}
#: The practice's own name and number, and an employee's name, are no patient's data.
_NOT_PERSONAL = {"practices.name", "practices.phone", "staff.name", "leases.name", "counters.name",
                 "api_keys.name", "canned_replies.name", "estimates.provider", "segments.name", "campaigns.name",
                 "report_runs.name", "passkeys.name"}


def test_every_command_has_a_branch_and_the_rest_is_proved_empty() -> None:
    apply = [m for m in modules() if re.match(r"billing/apply[a-z_]*\.py$", m.name)]
    matched = {node.cls.id for m in apply for node in ast.walk(m.tree)
               if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name)}
    assert {command.__name__ for command in get_args(Command)} - matched == set()
    assert any("assert_never" in m.text for m in apply)


def test_every_rule_of_the_register_has_a_test_named_after_it() -> None:
    tests = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    named = " ".join(name for text in tests for name in re.findall(r"def (test_\w+)", text))
    wanted = {rule.id: re.sub(r"[^a-z0-9]+", "_", rule.id.lower()) for rule in RULES if rule.id.startswith("T-")}
    missing = [rule_id for rule_id, name in wanted.items() if not re.search(rf"\btest_{name}_", named)]
    assert wanted
    assert missing == []


def test_every_rule_has_its_source() -> None:
    assert [rule.id for rule in RULES if not rule.citation.strip()] == []


def test_the_migrations_have_a_single_head() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1


def test_every_column_that_can_hold_personal_data_is_sealed() -> None:
    wrong = [f"{table.name}.{column.name}" for table in Base.metadata.sorted_tables for column in table.columns
             if column.name in _PERSONAL and not isinstance(column.type, Sealed | SealedJSON)]
    assert sorted(set(wrong) - _NOT_PERSONAL) == []


def test_every_sealed_column_is_bound_to_its_own_name_and_can_be_rotated() -> None:
    wrong = [str(column) for table in Base.metadata.sorted_tables for column in table.columns
             if isinstance(column.type, Sealed | SealedJSON) and column.type.column != f"{table.name}.{column.name}"]
    assert wrong == []
    assert not set(sealed_tables()) & set(APPEND_ONLY)


def test_every_command_of_the_command_line_can_be_loaded() -> None:
    broken = []
    for name in COMMANDS:
        try:
            load_command(name)
        except (ImportError, AttributeError) as error:
            broken.append(f"{name}: {error}")
    assert broken == []
