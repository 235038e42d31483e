"""What the environment says, read once and frozen. Any fault stops the program and is named; no value is ever printed.

Every variable starts with ``PLAINBILL_``; a ``.env`` file in the working folder is read too, the environment wins.
``docs/interfaces.md`` lists them all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from config import production
from config.addresses import database_address, mail_server, proxies, web_address, without_password
from config.keys import parse_key, parse_keys
from config.standins import CREDENTIAL_OF, SERVICE_ADDRESSES, STAND_IN_ADDRESSES, STAND_IN_BOT, STAND_IN_SECRETS

PREFIX = "PLAINBILL_"
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,39}$")]
BotName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,30}[A-Za-z0-9]$")]
AccountSid = Annotated[str, StringConstraints(pattern=r"^AC[0-9a-fA-F]{32}$")]

#: What to write, for the settings whose form pydantic alone checks.
_ADVICE = {
    "environment": "write development or production",
    "clock": "write an instant with its zone, such as 2026-11-03T10:00:00-05:00",
    "port": "write a number from 1 to 65535",
    "sends_at_once": "write a number from 1 to 500",
    "log_level": "write debug, info, warning or error",
    "twilio_account_sid": "write the account SID from Twilio's console: AC and 32 hexadecimal digits",
    "telegram_mode": "write off, polling or webhook",
    "telegram_bot_name": "write the bot's username as BotFather gave it, without the @",
    "practice": "write an id of letters, digits, dots and dashes, 40 at most",
    "staff": "write a login of letters, digits, dots and dashes, 40 at most",
    "debug": "write 1 or 0",
}


class SettingsError(Exception):
    """The settings do not allow a start. ``faults`` has one line per fault: the variable and what to do."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        count = "one setting is" if len(faults) == 1 else f"{len(faults)} settings are"
        super().__init__(f"Plainbill cannot start, {count} wrong:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


class Settings(BaseSettings):
    """All settings, checked. Secrets are SecretStr; ``reveal`` is called only where one is used."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True,
        str_strip_whitespace=True,
    )

    environment: Literal["development", "production"] = "development"
    database_url: str = "sqlite:///var/plainbill.db"
    var: Path = Path("var")  # the folder of logs and whatever else the program writes
    clock: datetime | None = None
    encryption_keys: SecretStr | None = None
    index_key: SecretStr | None = None
    link_secret: SecretStr | None = None
    twilio_account_sid: AccountSid | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_signature_key: SecretStr | None = None  # for webhooks signed in the newer form, HMAC-SHA256
    twilio_base_url: str = SERVICE_ADDRESSES["twilio_base_url"]
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_base_url: str = SERVICE_ADDRESSES["stripe_base_url"]
    telegram_mode: Literal["off", "polling", "webhook"] = "off"
    telegram_token: SecretStr | None = None
    telegram_webhook_secret: SecretStr | None = None  # Telegram repeats it in a header of every webhook
    telegram_bot_name: BotName | None = None  # the bot's username, for the links that join a chat to an account
    telegram_base_url: str = SERVICE_ADDRESSES["telegram_base_url"]
    smtp_url: SecretStr | None = None  # the server that e-mail leaves by, with its password: smtps:// or smtp://
    backup_key: SecretStr | None = None  # seals backups; kept apart from them and from the other keys
    metrics_token: SecretStr | None = None  # who may read /metrics; empty: nobody
    public_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    trusted_proxies: str = ""  # addresses or networks of our own proxies, whose word on who asks is taken
    sends_at_once: int = Field(default=50, ge=1, le=500)  # messages that one process has under way
    practice: Name = "main"
    staff: Name = "operator"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    failpoint: str | None = None
    debug: bool = False  # PLAINBILL_DEBUG=1 shows tracebacks

    @field_validator("clock")
    @classmethod
    def _clock_has_a_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("no zone")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        return database_address(value)

    @field_validator("twilio_base_url", "stripe_base_url", "telegram_base_url", "public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        return web_address(value) if value else ""

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        return proxies(value)

    @field_validator("encryption_keys")
    @classmethod
    def _keys_open(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_keys(value.get_secret_value())
        return value

    @field_validator("index_key", "link_secret", "backup_key")
    @classmethod
    def _key_opens(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_key(value.get_secret_value())
        return value

    @field_validator("telegram_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", value.get_secret_value()):
            raise ValueError("is no bot token; copy it from BotFather: digits, a colon, letters and digits")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            mail_server(value.get_secret_value())
        return value

    @field_validator("telegram_webhook_secret", "metrics_token")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", value.get_secret_value()):
            raise ValueError("wants 16 to 256 letters, digits, _ or -")
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Stand-in secrets in development only; addresses that fit the secrets, so that no stand-in meets the world."""
        filled = dict(given)
        if str(filled.get("environment", "development")).strip() == "development":
            filled = {**STAND_IN_SECRETS, **filled}
            port = str(filled.get("port", 8000))
            if port.isdecimal():  # a port that is not one is told by its own field
                filled.setdefault("public_url", f"http://{filled.get('host', '127.0.0.1')}:{port}")
        for name, credential in CREDENTIAL_OF.items():
            stands_in = filled.get(credential) == STAND_IN_SECRETS[credential]
            filled.setdefault(name, (STAND_IN_ADDRESSES if stands_in else SERVICE_ADDRESSES)[name])
        if filled.get("telegram_token") == STAND_IN_SECRETS["telegram_token"]:
            filled.setdefault("telegram_bot_name", STAND_IN_BOT)
        return filled

    @property
    def in_production(self) -> bool:
        """Whether this is the real thing."""
        return self.environment == "production"

    @property
    def sealing_keys(self) -> dict[str, bytes]:
        """The 32-byte sealing keys by id, the current one first."""
        return parse_keys(reveal(self.encryption_keys))

    @property
    def current_key(self) -> str:
        """The id of the key that seals anew."""
        return next(iter(self.sealing_keys))

    @property
    def index_key_bytes(self) -> bytes:
        """The 32-byte key of the blind index."""
        return parse_key(reveal(self.index_key))

    @property
    def link_secret_bytes(self) -> bytes:
        """The 32-byte key under which link tokens are hashed."""
        return parse_key(reveal(self.link_secret))

    @property
    def telegram_on(self) -> bool:
        """Whether this process talks to Telegram at all."""
        return self.telegram_mode != "off"

    def stand_ins(self) -> tuple[str, ...]:
        """Return the names of the settings that hold a stand-in secret."""
        return tuple(name for name, stand_in in STAND_IN_SECRETS.items()
                     if (value := getattr(self, name)) is not None and reveal(value) == stand_in)

    def redacted(self) -> dict[str, str]:
        """Return every setting as it may be shown: a secret only as set, not set or stand-in."""
        return {name: self._shown(name) for name in type(self).model_fields}

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        if value is None or value == "":
            return "not set"
        if name in self.stand_ins():
            return "stand-in"
        if isinstance(value, SecretStr):
            return "set"
        if name == "database_url":
            return without_password(value)
        return value.isoformat() if isinstance(value, datetime) else str(value)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return list(self.redacted().items())


def load(env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings from the environment. Raises SettingsError naming every fault at once."""
    given = _given(env_file)
    faults: list[tuple[str, str]] = []
    settings: Settings | None = None
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        faults += [_fault(str(e["loc"][0]), e["type"], e["msg"]) for e in error.errors(include_input=False)]
    if given.get("environment", "").strip() == "production":
        faults += production.faults(given)
        faults += [(name, "is no setting" + hint) for name, hint in _misspelt()]
    if settings is None or faults:
        first = {name: f"{variable(name)}: {what}" for name, what in reversed(faults)}
        raise SettingsError(tuple(first[name] for name in sorted(first)))
    return settings


def unknown_variables() -> tuple[str, ...]:
    """Name the variables with our prefix that no setting reads; production refuses them, ``check`` lists them."""
    return tuple(variable(name) + hint for name, hint in _misspelt())


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def reveal(value: SecretStr | str | None) -> str:
    """Return a secret's text, for the place that uses it. Raises ValueError when it is not set."""
    if value is None:
        raise ValueError("a secret that is not set was asked for")
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _given(env_file: Path | None) -> dict[str, str]:
    """What was set, as text, whether it can be read or not."""
    return {**DotEnvSettingsSource(Settings, env_file=env_file)(), **EnvSettingsSource(Settings)()}


def _misspelt() -> list[tuple[str, str]]:
    found = []
    for key in sorted(os.environ):
        name = key.removeprefix(PREFIX).lower()
        if key.startswith(PREFIX) and name not in Settings.model_fields:
            near = get_close_matches(name, Settings.model_fields, n=1)
            found.append((name, f"; did you mean {variable(near[0])}?" if near else ""))
    return found


def _fault(name: str, kind: str, message: str) -> tuple[str, str]:
    """Our own words alone: pydantic's repeat what they were given."""
    own_words = message.removeprefix("Value error, ") if kind == "value_error" else "has a form that cannot be read"
    return name, _ADVICE.get(name, own_words)
