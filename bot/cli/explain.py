"""``plainbill explain``: how a balance came about, line by line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, Edge, context, found, print_json
from bot.cli.exits import FOUND_PROBLEMS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.views import Explanation

app = typer.Typer()

Sources = Annotated[bool, typer.Option("--sources", help="Name the source rows behind each amount.")]
Language = Annotated[str, typer.Option("--lang", help="Language of the sentences: en or es.")]


@app.command()
def explain(
    ref: Annotated[str, typer.Argument(metavar="ACCOUNT|VISIT", help="Our id, an account number or a claim number.")],
    as_json: AsJson = False,
    lang: Language = "en",
    sources: Sources = False,
) -> None:
    """Show how a balance came about. Exit code 1 when the lines of a visit do not add up: a person has to look."""
    from billing.figures import visits_figures

    with context() as edge:
        account_id, explanations = found(
            edge.read(lambda session: _explanations(session, edge, ref), "account",
                      lambda seen: seen[0] if seen else "unknown", "explain"), "such account or visit")
        due = edge.store.read(partial(visits_figures, practice_id=edge.practice_id,
                                      visit_ids=[one.visit_id for one in explanations], today=edge.today()))
        answers = [_answer(one, lang, due[one.visit_id].due_now_minor) for one in explanations]
        _call_staff(edge, account_id, [one for one in explanations if not one.foots])
    if as_json:
        print_json({"account_id": account_id, "language": lang, "foots": all(a["foots"] for a in answers),
                    "visits": answers})
    else:
        for answer in answers:
            _print(answer, sources)
    if not all(answer["foots"] for answer in answers):
        raise typer.Exit(FOUND_PROBLEMS)


def _explanations(session: Session, edge: Edge, ref: str) -> tuple[str, tuple[Explanation, ...]] | None:
    """A visit's own explanation when the reference names one, else those of the whole account."""
    from billing import explain as steps
    from billing.accounts import find_account, find_visit

    visit = find_visit(session, edge.practice_id, ref)
    if visit is not None:
        return visit.guarantor_id, (steps.explain_visit(session, visit.id),)
    account = find_account(session, edge.practice_id, ref)
    return None if account is None else (account.id, steps.explain_account(session, account.id))


def _call_staff(edge: Edge, account_id: str, broken: list[Explanation]) -> None:
    """A visit whose lines do not add up is a person's to sort out, however that was noticed."""
    from billing import cases

    for one in broken:
        edge.store.write(partial(
            cases.open_case, practice_id=edge.practice_id, kind="explain_mismatch", title="A balance does not add up",
            detail=one.reason, now=edge.now(), dedupe=f"explain_mismatch:{one.visit_id}", guarantor_id=account_id,
            visit_id=one.visit_id))


def _answer(explanation: Explanation, language: str, due_minor: int) -> dict[str, Any]:
    """Steps that do not add up are shown to staff, marked, and never put into sentences for a patient."""
    from billing.explain import to_json
    from templates.sentences import sentence

    say = partial(sentence, due_minor=due_minor)
    return to_json(explanation, language, say if explanation.foots else lambda step, code: "")


def _print(answer: dict[str, Any], sources: bool) -> None:
    print(f"Visit {answer['visit']}, service {answer['service_on'] or 'of unknown day'}: "
          f"left {dollars(answer['left_minor'])}")
    if not answer["foots"]:
        print(f"  DOES NOT ADD UP: {answer['reason']}. Nothing of this is said to the patient.")
    for step in answer["steps"]:
        words = step["sentence"] or step["kind"].replace("_", " ")
        print(f"  {dollars(step['amount_minor']):>12}  {words}" + (f"  ({step['code']})" if step["code"] else ""))
        if sources:
            print(" " * 16 + " ".join(step["sources"]))
    print()
