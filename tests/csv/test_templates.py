"""Templates explain themselves, and what a person writes below the header imports as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from billing.importers.csv_columns import TEMPLATES
from billing.importers.csv_map import load_map
from bot.cli.exits import Stop
from bot.importing.csv_templates import write_template
from tests.csv.world import World, charge

ROOT = Path(__file__).parents[2]
NEEDS_A_VISIT = ("coverages", "payments", "adjustments", "transfers")


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_filled_with_its_own_example_is_posted(small_world: World, name: str) -> None:
    if name in NEEDS_A_VISIT:
        small_world.give("charges", charge("V-1", "145.00", payer="Blue Shield", payer_id="94036"))
    report = small_world.give(name, TEMPLATES[name].example)
    assert (report.outcome, report.reason) == ("posted", None)
    small_world.check()


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_as_it_comes_has_no_rows_and_is_recognised(small_world: World, name: str) -> None:
    report = small_world.load(small_world.write(write_template(name)))
    assert report.reason == "the file has a header and no rows: nothing to import"


def test_the_example_has_a_cell_for_every_column() -> None:
    import csv

    wrong = [k.template for k in TEMPLATES.values() if len(next(csv.reader([k.example]))) != len(k.fields)]
    assert wrong == []


def test_the_map_template_is_a_map() -> None:
    assert [r.kind.name for r in load_map(write_template("map"), "template").records] == ["charge", "payment"]


def test_an_unknown_template_names_those_that_there_are() -> None:
    with pytest.raises(Stop, match="there are patients, coverages, charges"):
        write_template("charge")


def test_the_manual_lists_every_column_of_every_kind_as_the_program_has_it() -> None:
    text = (ROOT / "docs" / "csv.md").read_text("utf-8")
    told = {name: re.findall(r"^\| `(\w+)`", part, re.MULTILINE)
            for name, part in re.findall(r"^### `(\w+)`.*?$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)}
    assert told == {name: [f.name for f in kind.fields] for name, kind in TEMPLATES.items()}


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "maps").glob("*.toml")), ids=lambda p: p.stem)
def test_every_map_that_ships_can_be_followed(path: Path) -> None:
    assert load_map(path.read_text("utf-8"), path.name).records
