"""docs/payments.md says what the program does: its generated parts are the program's own tables."""

from __future__ import annotations

import re

import pytest

from billing.policy.retries import CARD_CODES
from bot.processors.stripe_events import READERS
from tests.faults.write_docs import DOCS, DocsError, filled


def test_the_document_is_what_the_code_says() -> None:
    """`python -m tests.faults.write_docs` writes it."""
    text = DOCS.read_text(encoding="utf-8")
    assert text == filled(text), "run: python -m tests.faults.write_docs"


def test_a_document_that_lost_a_part_is_refused() -> None:
    text = DOCS.read_text(encoding="utf-8")
    with pytest.raises(DocsError, match="payment life"):
        filled(text.replace("<!-- begin: payment life -->\n", ""))


def test_every_event_and_every_decline_code_is_named() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in (*READERS, *CARD_CODES) if f"`{name}`" not in text] == []


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", DOCS.read_text(encoding="utf-8")):
        assert (DOCS.parent / target).exists(), target
