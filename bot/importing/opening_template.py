"""The template of an opening file, and of the file of its control totals."""

from __future__ import annotations

from billing.importers.csv_columns import Kind
from billing.importers.opening_columns import BUCKETS, CREDITS, NOT_BILLED, PAYERS, RECORDS, columns


def write() -> str:
    """Remarks for every record and its columns, then the header."""
    told = [line for word, kind in RECORDS.items() for line in _about(word, kind)]
    return "\n".join((
        "# Plainbill opening file: what another system hands over. docs/opening.md explains it.",
        "# Use: plainbill import --opening FILE.csv. Each row says in the column record what it is, and leaves the",
        "# columns of others empty; columns that no row needs may be removed. Lines that begin with # are not read.",
        *told, ",".join(columns())))


def write_control() -> str:
    """The totals alone, one row each, ready to be filled in."""
    names = (*BUCKETS, NOT_BILLED, PAYERS, CREDITS)
    return "\n".join(("# Plainbill control totals: the old system's aging, days counted from the first statement.",
                      "# Use: plainbill import --opening FILE.csv --control THIS-FILE.csv",
                      "bucket,amount,as_of", *(f"{name},," for name in names)))


def _about(word: str, kind: Kind) -> list[str]:
    fields = [f"#     {f.name}: {f.help}{' (needed)' if f.required else ''}" for f in kind.fields]
    return [f"#   {word}. {kind.about}", *fields]
