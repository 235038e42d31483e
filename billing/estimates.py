"""Good-faith estimates against bills without insurance (T-41; 45 CFR 149.610, 149.620)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import holds
from billing.store import statement_queries as store
from billing.store.statement_queries import VisitDetail
from billing.store.tables import Estimate

#: 45 CFR 149.610(a)(2): "substantially in excess" is $400 or more above one provider's own estimate; $400.00 counts.
DISPUTABLE_MINOR = 40_000


@dataclass(frozen=True, slots=True)
class Excess:
    """A provider's bill at least DISPUTABLE_MINOR above that provider's estimate; cents."""

    visit_id: str
    provider: str
    estimate_minor: int
    billed_minor: int

    @property
    def over_minor(self) -> int:
        return self.billed_minor - self.estimate_minor


def check_estimates(session: Session, visit_id: str, now: datetime) -> Excess | None:
    """Hold the visit (kind gfe_exceeded, once per amount billed) when its bill is $400 or more above its estimate.

    Returns what was found, also when the hold was there before; None when all is well or the visit is insured.
    """
    visits = store.visit_details(session, visit_ids=[visit_id])
    return next(iter(check_visits(session, visits, now)), None)


def check_visits(session: Session, visits: Sequence[VisitDetail], now: datetime) -> list[Excess]:
    """As ``check_estimates`` for several visits of one account, in one query."""
    if not visits:
        return []
    practice_id = _practice_of(session, visits[0])
    found = find_excesses(session, practice_id, visits)
    owner = {one.visit_id: one for one in visits}
    for excess in found:
        _hold(session, practice_id, owner[excess.visit_id], excess, now)
    return found


def find_excesses(session: Session, practice_id: str, visits: Sequence[VisitDetail]) -> list[Excess]:
    """As ``check_visits``, of whichever accounts; holds nothing."""
    open_to_it = [v for v in visits if v.self_pay and not v.void]
    if not open_to_it:
        return []
    estimates = store.estimates_for(session, practice_id, {v.external_hash for v in open_to_it})
    by_visit: dict[str, list[Estimate]] = {}
    for one in estimates:
        by_visit.setdefault(one.visit_external_hash, []).append(one)
    found = (compare(visit, by_visit.get(visit.external_hash, [])) for visit in open_to_it)
    return [one for one in found if one is not None]


def compare(visit: VisitDetail, estimates: Sequence[Estimate]) -> Excess | None:
    """Never summed over providers: the visit's provider against that provider's own line. A visit that names no
    provider is compared when it has a single estimate.
    """
    named = [e for e in estimates if _same(e.provider, visit.provider)]
    own = named[-1:] or (list(estimates) if len(estimates) == 1 and not visit.provider else [])
    for estimate in own:
        if visit.charge_minor - estimate.amount_minor >= DISPUTABLE_MINOR:
            return Excess(visit.visit_id, estimate.provider, estimate.amount_minor, visit.charge_minor)
    return None


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _practice_of(session: Session, visit: VisitDetail) -> str:
    guarantor = store.find_guarantor(session, visit.guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    return guarantor.practice_id


def _hold(session: Session, practice_id: str, visit: VisitDetail, excess: Excess, now: datetime) -> None:
    """Keyed by the amounts: once staff have settled it, the same bill is not held again, a higher one is."""
    holds.place(session, practice_id=practice_id, guarantor_id=visit.guarantor_id, kind="gfe_exceeded",
                reason=f"billed {excess.billed_minor} cents, estimated {excess.estimate_minor}", source="estimate",
                placed_by="system", now=now, visit_id=visit.visit_id,
                dedupe=dedupe_of(excess))


def dedupe_of(excess: Excess) -> str:
    """The key of an excess."""
    return f"gfe:{excess.visit_id}:{excess.estimate_minor}:{excess.billed_minor}"
