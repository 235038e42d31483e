"""One plain sentence for each step of an explanation: for the chat, for ``plainbill explain`` and for the statement."""

from __future__ import annotations

from billing.views import Step
from templates.render import say_step

#: Every kind of billing.views.Step has its file in templates/<language>/explain/.
KINDS = ("charge", "plan_paid", "contractual", "deductible", "coinsurance", "copay", "other_patient", "waiver_check",
         "with_payer", "prior_payer", "patient_paid", "refunded", "moved_to_credit", "assistance", "discount",
         "written_off", "placed", "carried_over", "left")


def sentence(step: Step, language: str, currency: str = "USD", short: bool = False,
             due_minor: int | None = None) -> str:
    """What ``step`` says in ``language``; ``short`` leaves out the second sentence that says what a word means, and
    ``due_minor`` says how much of what is left may be asked for now (None: all of it).

    Raises TemplateError for a kind or a language that has no words.
    """
    return say_step({"kind": step.kind, "amount_minor": step.amount_minor, "payer_name": step.payer_name,
                     "code": step.code, "due_minor": due_minor}, language, currency, short)
