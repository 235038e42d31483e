"""The paper is accessible, in both languages, however long; its words are complete."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pypdf
import pytest

from billing import receipts, statements
from templates.statement import itemised_pdf, pdf, receipt_pdf, short_text
from templates.statement_page import statement_page, step_words
from templates.statement_words import language_lines, printable, words
from tests.explain.books import Books
from tests.explain.test_explain import ANSWER, OFFICE
from tests.statements.samples import statement, visit

TODAY = date(2026, 11, 3)


def read(made: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made))


def text_of(reader: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages).replace("\u00a0", " ")


def is_tagged_ua1(reader: pypdf.PdfReader) -> bool:
    root: Any = reader.trailer["/Root"]
    meta = root["/Metadata"].get_object().get_data().decode()
    return bool(root["/MarkInfo"]["/Marked"]) and "/StructTreeRoot" in root and "pdfuaid:part" in meta


def tags(reader: pypdf.PdfReader) -> list[str]:
    """Every structure type of the tag tree, in reading order."""
    found: list[str] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            found.append(str(node.get("/S", "")))
            walk(node.get("/K", []))

    root: Any = reader.trailer["/Root"]
    walk(root["/StructTreeRoot"]["/K"])
    return found


@pytest.mark.parametrize(("language", "title"), [("en", "Statement 1042"), ("es", "Estado de cuenta 1042")])
def test_the_pdf_is_tagged_and_says_its_title_and_language(language: str, title: str) -> None:
    reader = read(pdf(statement([visit(1)], language)))
    root: Any = reader.trailer["/Root"]
    assert is_tagged_ua1(reader)
    assert root["/Lang"].startswith(language)
    assert reader.metadata is not None and reader.metadata.title == title


def test_its_tables_have_header_cells() -> None:
    found = tags(read(pdf(statement([visit(1), visit(2)]))))
    assert "/TH" in found and "/TD" in found and "/H1" in found and "/H2" in found


def test_the_text_has_every_amount_of_the_derivation() -> None:
    said = text_of(read(pdf(statement([visit(1)]))))
    for amount in ("$250.00", "\u2212$120.00", "\u2212$80.00", "$50.00", "\u2212$10.00", "$40.00"):
        assert amount in said, amount


def test_a_small_account_fits_one_page() -> None:
    for language in ("en", "es"):
        assert len(read(pdf(statement([visit(1)], language))).pages) == 1, language


def test_thirty_visits_with_long_names_run_over_pages_with_running_heads() -> None:
    long = "Dr. Maximiliana Wolfeschlegelsteinhausenbergerdorff de la Cruz y Peñaranda, MD, PhD, FACP"
    reader = read(pdf(statement([visit(n, provider=long) for n in range(30)], "es")))
    assert 3 <= len(reader.pages) <= 12
    assert all("cuenta A-20417" in page.extract_text() for page in list(reader.pages)[1:])
    assert f"Página 2 de {len(reader.pages)}" in text_of(reader)


def test_a_statement_with_nothing_due_asks_for_nothing() -> None:
    waiting = dict(visit(1), why="pending", payers=["Blue"], amount_minor=900)
    page = statement_page(statement([], waiting=[waiting]), "en")
    assert page["hero"]["label"] == "Nothing to pay now"
    assert page["aging"] is None
    assert "Ways to pay" not in [s["heading"] for s in page["left"]]
    assert read(pdf(statement([]))).pages


def test_the_same_snapshot_makes_the_same_bytes() -> None:
    assert pdf(statement([visit(1)])) == pdf(statement([visit(1)]))


def test_markup_in_data_stays_text() -> None:
    nasty = '#panic("x") *bold* $x^2$ \\ <tag> [b] {c}'
    assert "#panic" in text_of(read(pdf(statement([visit(1, provider=nasty)]))))


def test_both_languages_have_the_same_words() -> None:
    def keys(table: dict[str, Any], before: str = "") -> set[str]:
        return {k for name, value in table.items() for k in (
            keys(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}"})}

    assert keys(words("en")) == keys(words("es"))


def test_both_languages_fill_the_same_places() -> None:
    def places(text: str) -> set[str]:
        return {part.split("}")[0] for part in text.split("{")[1:]}

    for name, english in words("en").items():
        spanish = words("es")[name]
        pairs = [(english[k], spanish[k]) for k in english] if isinstance(english, dict) else [(english, spanish)]
        assert all(places(one) == places(other) for one, other in pairs), name


def test_no_word_threatens() -> None:
    for language, banned in (("en", ("collection", "credit report", "lawsuit")), ("es", ("cobranza", "demanda"))):
        said = str(words(language)).casefold()
        assert not any(word in said for word in banned)


def test_every_kind_of_step_has_a_label() -> None:
    from templates.sentences import KINDS

    for language in ("en", "es"):
        for kind in KINDS:
            assert step_words({"kind": kind, "amount_minor": 1, "payer": "Blue"}, language)


def test_every_hold_that_stops_a_bill_has_words_or_the_general_ones() -> None:
    from billing.hold_kinds import KINDS
    from templates.statement_page import why_words

    for language in ("en", "es"):
        assert all(why_words({"why": kind, "payers": []}, language) for kind in KINDS)


def test_the_language_notice_has_fifteen_languages_besides_english() -> None:
    lines = language_lines()
    assert len({line["lang"] for line in lines} - {"en"}) >= 15
    assert len(printable(lines)) >= 11


def test_the_itemised_bill_is_accessible_too(books: Books) -> None:
    visit_id = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    books.confirm()
    content = books.store.read(lambda s: statements.itemised(s, visit_id, "es", TODAY))
    reader = read(itemised_pdf(content))
    assert is_tagged_ua1(reader)
    assert all(part in text_of(reader) for part in ("99213", "J3420", "$190.00", "12-3456789"))


def test_a_receipt_says_what_was_paid_for_what_and_what_is_still_due(books: Books) -> None:
    visit_id = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    payment = books.pay(books.confirm(), 2000, visit_id)
    content = books.store.read(lambda s: receipts.receipt(s, payment, "en", TODAY))
    assert [(p["external"], p["amount_minor"]) for p in content["parts"]] == [("C1", 2000)]
    assert content["due_now_minor"] == 3500
    reader = read(receipt_pdf(content))
    assert is_tagged_ua1(reader) and "$20.00" in text_of(reader) and "$35.00" in text_of(reader)


def test_the_short_text_fits_a_terminal_in_both_languages() -> None:
    for language in ("en", "es"):
        said = short_text(statement([visit(1)], language))
        assert "$40.00" in said and len(said.splitlines()) <= 4
