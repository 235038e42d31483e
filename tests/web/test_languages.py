"""Another language of patients' pages is one folder, right to left if need be; one that is not whole is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from templates import languages, statement_words, web
from tests.web.conftest import Site
from tests.web.pseudo import write_language


@pytest.fixture
def hebrew(tmp_path: Path) -> Iterator[Path]:
    """A made-up language of Hebrew letters, complete in its one folder."""
    folder = write_language(tmp_path / "he")
    languages.add(folder)
    yield folder
    if "he" in languages.codes():
        languages.remove("he")


@pytest.mark.parametrize("kind", languages.FILES)
def test_spanish_has_every_word_of_english_with_the_same_marks(kind: str) -> None:
    languages.compare(languages.path_of(kind, "es"), languages.path_of(kind, "en"))


def test_every_word_of_the_account_that_a_page_names_is_there_and_used() -> None:
    folder, known = Path(web.__file__).parent, set(web.account_words("en"))
    pages = " ".join(page.read_text("utf-8") for page in folder.glob("account/*.html"))
    named = set(re.findall(r"\ba\.(\w+)", pages))
    assert named <= known
    code = " ".join(path.read_text("utf-8") for path in Path("bot/web/account").glob("*.py"))
    code += Path("templates/derivation.py").read_text("utf-8")
    built = ("menu_", "state_", "source_", "plan_none", "plan_nothing", "plan_moved", "stale", "help_", "wishes_")
    assert [word for word in known - named if word not in code and not word.startswith(built)] == []


async def test_a_folder_is_a_language_of_every_page(site: Site, hebrew: Path) -> None:
    status, body, _ = await site.get("/l/of-nobody?lang=he")
    assert status == 200 and '<html lang="he" dir="rtl">' in body and web.words("he")["title_ask"] in body
    assert 'href="?lang=en"' in body and 'href="?lang=es"' in body
    path = site.link("account")
    await site.prove(path)
    for name in ("account", "why", "plans", "receipts", "dispute", "assistance", "insurance", "preferences"):
        status, body, _ = await site.get(f"{path}/{name}?lang=he")
        assert status == 200 and 'dir="rtl"' in body, name
        heading = re.search(r"<h1>(.*?)</h1>", body)
        assert heading is not None and not re.search(r"[A-Za-z]", heading.group(1)), name
    assert "lang=he" in (await site.get(f"{path}/account?lang=he"))[1]


async def test_without_the_folder_the_language_is_not_there(site: Site) -> None:
    _, body, _ = await site.get("/l/of-nobody?lang=he")
    assert '<html lang="en">' in body and "rtl" not in body


def test_days_and_money_are_written_by_the_folders_locale(hebrew: Path) -> None:
    day = statement_words.day("2026-11-03", "he")
    assert "2026" in day and "November" not in day
    assert "12.50" in statement_words.money(1250, "he")


@pytest.mark.parametrize(("file", "was", "now", "why"), [
    ("account.toml", r'(?m)^"back" = .*\n', "", "missing \\['back'\\]"),
    ("account.toml", r"\{phone\}", "{telephone}", "other {marks}"),
    ("page.toml", r"\A", 'none_of_ours = "x"\n', "not in English \\['none_of_ours'\\]"),
    ("language.toml", r'direction = "rtl"', 'direction = "up"', "direction \\(ltr or rtl\\)"),
    ("plan.toml", r"\A", "= nothing\n", "TOMLDecodeError"),
])
def test_a_language_that_is_not_whole_is_refused_with_what_is_wrong(
    tmp_path: Path, file: str, was: str, now: str, why: str,
) -> None:
    path = write_language(tmp_path / "he") / file
    path.write_text(re.sub(was, now, path.read_text("utf-8"), count=1), "utf-8")
    with pytest.raises(languages.LanguageRefused, match=why):
        languages.add(tmp_path / "he")
    assert "he" not in languages.codes()


def test_the_programs_own_languages_can_be_neither_replaced_nor_removed(tmp_path: Path) -> None:
    with pytest.raises(languages.LanguageRefused):
        languages.add(write_language(tmp_path / "es"))
    with pytest.raises(languages.LanguageRefused):
        languages.remove("en")
