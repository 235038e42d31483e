"""What a practice decides about its console: how long a sign-in lasts, and what stands ready to be answered."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ConsolePolicy(BaseModel):
    """``idle_minutes``: signed out after so long without a touch (45 CFR 164.312(a)(2)(iii)). ``longest_hours``: signed
    out then, however busy. ``unanswered_claim_days``: a claim with no remittance after so many days is on a worklist.
    ``monthly_summary``: managers with an e-mail get the practice's own figures of each month, when it is over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle_minutes: int = Field(default=15, ge=2, le=60)
    longest_hours: int = Field(default=12, ge=1, le=24)
    unanswered_claim_days: int = Field(default=30, ge=7, le=120)
    monthly_summary: bool = False
