"""What is refused is said in Spanish to whoever reads Spanish: every family of refusals that a page of the console can
show, whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing import payment_asks, plan_desk, received_files, ways
from billing.assistance import MOVES as APPLICATIONS
from billing.campaigns import MOVES as CAMPAIGNS
from billing.cases import MOVES as CASES
from billing.payment_status import MOVES as PAYMENTS
from billing.placement_money import MOVES as PLACEMENTS
from billing.plan_status import MOVES as PLANS
from billing.policy_changes import MOVES as POLICIES
from billing.refund_status import MOVES as REFUNDS
from billing.settlement_offers import MOVES as OFFERS
from billing.write_offs import MOVES as WRITE_OFFS
from templates.web import console
from templates.web.console import sentences
from tests.console.conftest import Desk
from tests.console.test_sentences import nodes, said, text_of

ROOT = Path(__file__).parents[2]
SPANISH = console.words("es")
CODE = ("billing/**/*.py", "bot/web/console/**/*.py", "bot/sent_links.py", "bot/demanding.py")
#: Whose words are codes, or that are said to patients, at a terminal or of a file, and never on a page of the console.
ELSEWHERE = {
    "billing.agency_returns.ReturnsRefused", "billing.assistance_telling.TellingRefused",
    "billing.case_files.FileRefused", "billing.importers.csv_values.CellFault", "billing.passcodes.WeakPasscode",
    "billing.policy.payments.MetadataRefused", "billing.policy.record.RecordError",
}


def kinds() -> Iterator[tuple[str, str]]:
    """(module, name) of every refusal that the console says to people, as serving.refusal tells them."""
    for path in sorted(path for pattern in CODE for path in ROOT.glob(pattern)):
        for node in nodes(path) if "ValueError)" in text_of(path) else ():
            if isinstance(node, ast.ClassDef) and "ValueError" in {ast.unparse(one) for one in node.bases}:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts), node.name


FAMILIES = {name for module, name in kinds() if f"{module}.{name}" not in ELSEWHERE}
#: Staff meet a PlanRefused of plan_staff.py; those of a patient's own steps are told in the chat.
RAISED = (said((*FAMILIES, "NotAllowed", "Line", "_must"), *CODE, "bot/statement_runs.py")
          | said(("PlanRefused",), "billing/plan_staff.py")
          | said(("__init__",), "billing/lives.py", "billing/message_life.py"))
TABLES = {one for table in (payment_asks.WHYS, plan_desk.WHYS, plan_desk.REASONS, received_files.WHYS, ways.WHY)
          for one in table.values()}
STATES = {state for moves in (APPLICATIONS, CAMPAIGNS, CASES, OFFERS, PAYMENTS, PLACEMENTS, PLANS, POLICIES, REFUNDS,
                              WRITE_OFFS) for state in moves}


def commands() -> set[str]:
    """What a refusal says to do at a terminal; a page shows its sentence alone."""
    return {one for one in RAISED if one.startswith(("plainbill ", "--"))}


def filled(sentence: str) -> str:
    """As it would be said: numbers where something changes, a capital and a full stop."""
    text = re.sub(r"\{(\d)\}", r"7\1", sentence)
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


@pytest.mark.parametrize("sentence", sorted((RAISED | TABLES) - commands()))
def test_every_refusal_that_a_page_can_show_is_there_in_spanish(sentence: str) -> None:
    found = sentences.translate(filled(sentence), SPANISH)
    assert found is not None and found != filled(sentence)
    assert [one for one in re.findall(r"\{(\d)\}", sentence) if f"7{one}" not in found] == []


def test_every_state_that_a_refusal_can_name_has_a_word_of_its_own() -> None:
    assert sorted(STATES - set(SPANISH["refusalcodes"]["codes"])) == []


@pytest.mark.parametrize(("refused", "told"), [
    ("Case 7 is closed and cannot become answered.",
     "El caso 7 está en estado «cerrado» y no puede pasar a «contestado»."),
    ("You are signed in as biller; this needs supervisor, manager.",
     "Su papel aquí es facturación; esto requiere supervisión, gerencia."),
    ("Counted and booked differ (ana, cash, -$1.00; bob, check, $2.00): say why in a note.",
     "Lo contado y lo asentado no coinciden (ana, efectivo, -$1.00; bob, cheque, $2.00): diga por qué en una nota."),
    ("This is no bad debt yet: nothing is due now.", "Todavía no es una deuda incobrable: ahora no vence nada."),
    ("Nothing was sent: no way to reach them; email: it is somebody else's.",
     "No se envió nada: no hay forma de contactar a esta persona; correo electrónico: es de otra persona."),
])
def test_what_a_refusal_names_is_in_words_too(refused: str, told: str) -> None:
    assert sentences.translate(refused, SPANISH) == told


async def test_a_step_that_is_refused_says_so_in_the_readers_language(desk: Desk, anna: str) -> None:
    await desk.as_role("reader")
    await desk.get("/console/inbox")
    for lang, told in (("en", "You are signed in as reader; this needs biller"),
                       ("es", "Su papel aquí es solo lectura; esto requiere facturación")):
        status, page = await desk.post(f"/console/accounts/{anna}/statements?lang={lang}")
        assert status == 403 and told in page
        assert '<span lang="en">' not in page
