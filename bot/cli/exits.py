"""Exit codes, and what an error looks like from outside. ``docs/interfaces.md`` has the same table."""

from __future__ import annotations

import os
import re
import secrets
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

OK = 0
FOUND_PROBLEMS = 1
USAGE = 2
REFUSED = 3
PARTIAL = 4
NOT_FOUND = 5
UNAVAILABLE = 6
UNEXPECTED = 70
INTERRUPTED = 130


class Stop(Exception):
    """Ends a command with a message on standard error and an exit code of the table above."""

    def __init__(self, message: str, code: int = REFUSED) -> None:
        super().__init__(message)
        self.code = code


def sentence(error: object) -> str:
    """What billing refuses with, as a sentence of its own."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") or "\n" in text else ".")


_NOBODY = re.compile(r"\b(there is no|no such)\b")


def refusal(error: object) -> Stop:
    """The end of a command that billing refuses. It was not found where the words say so."""
    text = str(error)
    return Stop(sentence(text), NOT_FOUND if _NOBODY.search(text) else REFUSED)


#: Exceptions that are answers. By name, so that nothing is imported for an error that did not happen.
#: A text of None shows the exception's own, which house rules keep free of PHI.
KNOWN: Mapping[str, tuple[int, str | None]] = {
    "config.settings.SettingsError": (USAGE, None),
    "config.policy_file.PolicyError": (USAGE, None),
    "billing.postings.PostingsRefused": (REFUSED, None),
    "billing.statements.StatementRefused": (REFUSED, None),
    "billing.ledger.LedgerConflict": (REFUSED, None),
    "billing.importers.records.ImportFault": (REFUSED, None),
    "billing.store.copying.NotEmpty": (REFUSED, None),
    "billing.store.schema.SchemaMismatch": (UNAVAILABLE, None),
    "billing.store.rotation.RotationBlocked": (REFUSED, None),
    "billing.store.seal.SealError": (
        UNAVAILABLE, ("The database holds values sealed under a key that PLAINBILL_ENCRYPTION_KEYS does not have, or "
                      "that were altered: {error}.")),
    "sqlalchemy.exc.OperationalError": (
        UNAVAILABLE, ("The database does not answer or cannot be opened. Check PLAINBILL_DATABASE_URL, and that the "
                      "server runs or the folder of the file can be written.")),
    "sqlalchemy.exc.ArgumentError": (USAGE, "PLAINBILL_DATABASE_URL is no address of a database."),
    "billing.accounts.NotConfirmable": (REFUSED, None),
    "billing.cases.CaseRefused": (REFUSED, None),
    "billing.closing.CloseRefused": (REFUSED, None),
    "billing.holds.HoldRefused": (REFUSED, None),
    "billing.imports.ImportBusy": (REFUSED, None),
    "billing.mail_addresses.NotAnEmail": (USAGE, None),
    "billing.phones.NotAPhone": (USAGE, None),
    "billing.reconciling_differences.DifferenceRefused": (REFUSED, None),
    "billing.restorations.RestorationRefused": (REFUSED, None),
    "billing.staff.StaffRefused": (REFUSED, None),
    "billing.statement_content.StatementRefused": (REFUSED, None),
    "billing.undoing.UndoRefused": (REFUSED, None),
    "bot.backup.BackupRefused": (REFUSED, None),
    "bot.exports.ExportRunning": (REFUSED, None),
    "bot.failpoints.FailpointError": (USAGE, None),
    "bot.channels.base.SendError": (UNAVAILABLE, "The message could not be handed over: {error}."),
    "bot.processors.base.ProcessorError": (UNAVAILABLE, "The payment processor did not do it: {error}."),
    "builtins.FileNotFoundError": (NOT_FOUND, "{error.filename}: there is no such file."),
    "builtins.PermissionError": (REFUSED, "{error.filename}: may not be read or written by this user."),
    "builtins.IsADirectoryError": (USAGE, "{error.filename}: is a folder; name a file."),
}


def report(error: BaseException) -> int:
    """Say on standard error what went wrong and return the exit code. Tracebacks only with PLAINBILL_DEBUG=1."""
    if os.environ.get("PLAINBILL_DEBUG", "") in ("1", "true", "yes"):
        traceback.print_exception(error)
    code, message = explain(error)
    print(message, file=sys.stderr)
    return code


def explain(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the words for an error; an unforeseen one is written to a log file first."""
    if isinstance(error, Stop):
        return error.code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "Stopped."
    for kind in type(error).__mro__:
        code, text = KNOWN.get(f"{kind.__module__}.{kind.__qualname__}", (0, None))
        if code:
            return code, text.format(error=error) if text else str(error)
    return UNEXPECTED, _unforeseen(error)


def _unforeseen(error: BaseException) -> str:
    reference = secrets.token_hex(4)
    path = Path(os.environ.get("PLAINBILL_VAR") or "var") / "errors.log"
    what = f"Something went wrong that Plainbill did not foresee ({type(error).__name__}). Reference {reference}"
    try:
        _append(path, reference, error)
    except OSError:
        return f"{what}; the details could not be written to {path}. PLAINBILL_DEBUG=1 shows them."
    return f"{what}, details in {path}."


def _append(path: Path, reference: str, error: BaseException) -> None:
    from bot.logs import mask

    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(traceback.format_exception(error))
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} reference {reference}\n{mask(lines)}\n")
