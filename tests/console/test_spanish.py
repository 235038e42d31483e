"""The console in Spanish: one word for one thing, and words for every step of the audit trail and every choice."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from billing import policy_fields
from bot.web.console import catalog
from templates.web import console
from tests.conftest import maple_clinic
from tests.console.test_words import flat

ROOT = Path(__file__).parents[2]
GLOSSARY = tomllib.loads((Path(console.__file__).parent / "words" / "glossary.toml").read_text(encoding="utf-8"))
ENGLISH, SPANISH = flat(console.words("en")), flat(console.words("es"))


@pytest.mark.parametrize("term", sorted(GLOSSARY))
def test_what_has_one_name_in_english_has_one_in_spanish(term: str) -> None:
    """In short words, which name things; a sentence may say it another way."""
    wanted = [one.casefold() for one in GLOSSARY[term]]
    named = re.compile(rf"(?<![\w-]){re.escape(term)}(?![\w-])", re.IGNORECASE)
    found = [key for key, text in ENGLISH.items() if len(text.split()) <= 4 and named.search(text)]
    assert found, "nothing is called that"
    assert [f"{key}: {SPANISH[key]}" for key in found
            if not any(one in SPANISH[key].casefold() for one in wanted)] == []


def recorded() -> set[str]:
    """What the program's code writes into the trail as an action."""
    found = set()
    for path in (one for folder in ("billing", "bot") for one in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.record", "trail.note"):
                found |= {str(one.value) for one in node.args[3:4] if isinstance(one, ast.Constant)}
    return found


@pytest.mark.parametrize("language", console.LANGUAGES)
def test_every_step_in_the_trail_is_said_in_words(language: str) -> None:
    acts = console.words(language)["trailacts"]["acts"]
    assert {one.name for one in catalog.ACTIONS} | recorded() <= set(acts)


@pytest.mark.parametrize("language", console.LANGUAGES)
def test_every_choice_of_the_policy_is_said_in_words(language: str) -> None:
    answers = console.words(language)["policy"]["answers"]
    values = maple_clinic(plans={}, dunning={}).model_dump(mode="json")
    choices = {one for section in policy_fields.SECTIONS for field in policy_fields.section(section, values)
               for one in field.choices}
    assert {one for one in choices if (one.isalpha() and one.islower()) or "_" in one} <= set(answers)
