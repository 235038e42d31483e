"""Logs that anybody may read: fields that hold PHI are dropped, and runs of digits are masked in every text.

Lines are JSON in production and coloured text on a terminal, on standard error: standard output belongs to answers.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

MASK = "#"
_DROPPED = re.compile(
    r"(^|_)(name|given|surname|phone|number|dob|born|birth|body|text|address|street|zip|postal|account|external|member"
    r"|claim|sender|to|from|email|ip|token|secret|password|key|authorization|signature|payload|params|detail|arguments"
    r"|content|wording|url|card)(_|$)")
#: Ours, and needed to follow a message through the logs; they say nothing to a stranger.
_KEPT = frozenset({"outbox_id", "inbox_id", "case_id", "import_id", "error_code", "template_name", "table_name"})
_DIGITS = re.compile(r"\d(?:[\s().-]{0,2}\d){3,}")
_OUR_ID = re.compile(r"\b[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{20}\b")


def mask(text: str) -> str:
    """Mask every run of four digits or more, also broken by spaces, dots and dashes; our own row ids stay."""
    kept = {match.span() for match in _OUR_ID.finditer(text)}

    def hide(match: re.Match[str]) -> str:
        inside = any(start <= match.start() and match.end() <= end for start, end in kept)
        return match[0] if inside else re.sub(r"\d", MASK, match[0])

    return _DIGITS.sub(hide, text)


def redact(value: Any) -> Any:
    """Return ``value`` as it may be logged: mappings without PHI fields, texts and numbers masked, at any depth."""
    if isinstance(value, Mapping):
        return {key: redact(item) for key, item in value.items() if not _is_dropped(str(key))}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return value if isinstance(value, int) and abs(value) < 10_000 else mask(str(value))


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor; the time stamp is added after it, so that it stays readable."""
    internal = {key: value for key, value in event.items() if key.startswith("_")}  # structlog's own, never rendered
    return internal | {key: redact(value) for key, value in event.items()
                       if key not in internal and (key in ("event", "level") or not _is_dropped(key))}


def configure_logs(level: str = "info", as_json: bool = False) -> None:
    """Set up structlog and pass the standard library's loggers through the same redaction."""
    shared: list[Any] = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level,
                         structlog.processors.format_exc_info, redact_event,
                         structlog.processors.TimeStamper(fmt="iso", utc=True)]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
                        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
                        logger_factory=structlog.stdlib.LoggerFactory(), cache_logger_on_first_use=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("alembic", "sqlalchemy.engine", "twilio", "stripe", "aiohttp.access", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(root.level, logging.WARNING))
    # A tick that finds the one before it still at work is left out, and that is as it should be.
    logging.getLogger("apscheduler").setLevel(max(root.level, logging.ERROR))


def _is_dropped(key: str) -> bool:
    return key not in _KEPT and _DROPPED.search(key.lower()) is not None
