"""The policy of one practice: validated when it is loaded, kept as JSON beside the practice's row.

Every limit that a rule of law or a carrier gives has its citation beside it; [M] marks what comes from memory and is
shipped as a configurable default (field notes: rules.md). None of this is legal advice.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from config.console_policy import ConsolePolicy
from config.dunning_policy import (
    AssistancePolicy,
    BulkPolicy,
    CarrierPolicy,
    CollectionsPolicy,
    CollectorPolicy,
    DunningPolicy,
    EmailPolicy,
    FrequencyPolicy,
    Readiness,
    RetentionPolicy,
    SettlementPolicy,
)
from config.payment_policy import PaymentPolicy, PlanPolicy

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")]
Language = Literal["en", "es"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Frozen):
    """Opening and closing, practice-local ``HH:MM``; both empty means closed all day."""

    opens: Clock | None = None
    closes: Clock | None = None

    def bounds(self) -> tuple[time, time] | None:
        if self.opens is None or self.closes is None:
            return None
        return time.fromisoformat(self.opens), time.fromisoformat(self.closes)


class Week(_Frozen):
    weekday: Window = Window(opens="09:00", closes="17:00")
    saturday: Window = Window()
    sunday: Window = Window()

    def on(self, day: date) -> Window:
        return {5: self.saturday, 6: self.sunday}.get(day.weekday(), self.weekday)


class Contractual(_Frozen):
    """A CARC that group CO writes off; reviewed by the practice's biller (DESIGN.md, "Who owes")."""

    reason: str
    since: date
    until: date | None = None
    why: str


#: Own wording of why each is a contractual reduction. CO of any other reason is a denial case.
CONTRACTUAL_DEFAULT = (
    Contractual(reason="45", since=date(2003, 1, 1), why="above the plan's allowed amount"),
    Contractual(reason="253", since=date(2013, 4, 1), why="federal sequestration cut"),
    Contractual(reason="24", since=date(1995, 1, 1), why="paid under a capitation contract"),
    Contractual(reason="59", since=date(1995, 1, 1), why="multiple or concurrent procedure reduction"),
    Contractual(reason="131", since=date(1997, 2, 28), why="discount negotiated for this claim"),
    Contractual(reason="42", since=date(1995, 1, 1), until=date(2007, 6, 1), why="above the fee schedule (old code)"),
    Contractual(reason="A2", since=date(1995, 1, 1), until=date(2008, 1, 1), why="contract reduction (old code)"),
)


class TextWindow(_Frozen):
    """Recipient-local hours in which a demand may go out: T-08, own default inside 47 CFR 64.1200(c)(1)'s 8-21."""

    weekday: Window = Window(opens="09:00", closes="20:00")
    saturday: Window = Window(opens="09:00", closes="20:00")
    sunday: Window = Window(opens="12:00", closes="20:00")
    federal_holidays: bool = False
    per_24_hours: int = Field(default=3, ge=1, le=10)

    def on(self, day: date) -> Window:
        return {5: self.saturday, 6: self.sunday}.get(day.weekday(), self.weekday)


class TelegramRisk(_Frozen):
    """The practice's acceptance, in writing, of what Telegram means: off until it is there (T-19).

    The statement and its version stand in docs/telegram.md. ``detail_allowed``: amounts may be shown to a verified
    patient who was warned in Telegram's own words and asked for them; without it everything is behind links.
    """

    accepted_by: str = Field(min_length=3, max_length=80)  # name and role of who answers for it
    accepted_on: date
    wording_version: Literal["2026-11"]
    detail_allowed: bool = False
    link_minutes: int = Field(default=60, ge=15, le=24 * 60)  # life of the one-time link that joins a chat


class PracticePolicy(_Frozen):
    """All that a practice decides. Loaded from TOML by ``plainbill practice set FILE``."""

    name: str = Field(min_length=2, max_length=40)  # as patients know it; every text starts with it
    legal_name: str
    phone: str
    email: str | None = None
    address: str
    website: str | None = None
    zone: str = "America/New_York"
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "NY"
    currency: Literal["USD"] = "USD"
    languages: tuple[Language, ...] = ("en", "es")
    sms_number: E164 | None = None
    tax_id: str | None = None
    npi: str | None = None
    #: off: nothing; shadow: everything is decided, nothing leaves; pilot: to pilot_accounts alone; on. A policy that
    #: says nothing of it starts in shadow: a practice sees what would have gone out before anything does.
    #: restored: a copy out of a backup, until it is released; no file may say so.
    sending: Literal["off", "shadow", "pilot", "on", "restored"] = "shadow"
    pilot_accounts: tuple[str, ...] = ()  # the practice's own account numbers
    office_hours: Week = Week()
    answer_within_hours: int = Field(default=8, ge=1, le=72)  # office hours until a case is due
    text_window: TextWindow = TextWindow()
    statement_due_days: int = Field(default=30, ge=10, le=90)
    link_days: int = Field(default=30, ge=1, le=90)
    minimum_payment_minor: int = Field(default=100, ge=50)
    contractual: tuple[Contractual, ...] = CONTRACTUAL_DEFAULT
    ledger_of_record: str = "plainbill"
    stale_after_business_days: int = Field(default=1, ge=0, le=10)
    assistance_note_en: str = "You may qualify for help with this bill. Call us and ask about financial assistance."
    assistance_note_es: str = "Puede que tenga derecho a ayuda con esta cuenta. Llame y pregunte por ayuda financiera."
    assistance_url: str | None = None
    baa_signed: tuple[str, ...] = ()  # vendors with a business associate agreement (T-37)
    on_call_phone: E164 | None = None
    #: Languages (ISO 639-1) whose line in templates/foreign.toml a qualified translator has signed off; a text in any
    #: other is answered in English or Spanish alone (T-55: 45 CFR 92.201(c)(3)).
    interpreter_lines: tuple[str, ...] = ()
    telegram: TelegramRisk | None = None  # not accepted: nothing leaves by Telegram (T-19)
    payments: PaymentPolicy = PaymentPolicy()
    plans: PlanPolicy | None = None  # none written: whoever asks for a plan is handed to a person
    carrier: CarrierPolicy = CarrierPolicy()
    frequency: FrequencyPolicy = FrequencyPolicy()
    bulk: BulkPolicy = BulkPolicy()
    dunning: DunningPolicy | None = None  # none written: nobody is reminded by the calendar
    assistance: tuple[AssistancePolicy, ...] = ()  # dated; none: an application waits for a person
    settlement: SettlementPolicy | None = None
    collections: CollectionsPolicy = CollectionsPolicy()
    collector: CollectorPolicy = CollectorPolicy()
    mail: EmailPolicy | None = None  # from whom e-mail leaves; none: nothing leaves by e-mail
    retention: RetentionPolicy = RetentionPolicy()
    readiness: Readiness = Readiness()
    console: ConsolePolicy = ConsolePolicy()

    def local_day(self, at: datetime) -> date:
        """The practice's own calendar day of an instant."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def assistance_on(self, day: date) -> AssistancePolicy | None:
        """The assistance policy in force on a practice-local day."""
        begun = [one for one in self.assistance if one.since <= day]
        return max(begun, key=lambda one: one.since, default=None)

    def telegram_on(self, day: date) -> TelegramRisk | None:
        """The acceptance in force on a practice-local day; None: Telegram is off for this practice (T-19)."""
        return self.telegram if self.telegram is not None and self.telegram.accepted_on <= day else None

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone; write one such as America/Chicago") from error
        return value
