"""Empty CSV files and an empty column map to begin with, each explaining itself in remarks."""

from __future__ import annotations

from billing.importers import paper_eob
from billing.importers.csv_columns import KINDS, TEMPLATES, Kind
from bot.cli.exits import USAGE, Stop


def write_template(name: str) -> str:
    """Return a template's text: one of TEMPLATES, opening, opening-control, paper-eob or map. Raises Stop."""
    if name == "map":
        return _map()
    if name in ("opening", "opening-control"):
        from bot.importing import opening_template

        return opening_template.write() if name == "opening" else opening_template.write_control()
    if name == "paper-eob":
        return paper_eob.template()
    kind = TEMPLATES.get(name)
    if kind is None:
        raise Stop(f"There is no template {name!r}; there are {', '.join(TEMPLATES)}, opening, "
                   "opening-control, paper-eob and map.", USAGE)
    return _csv(kind)


def _csv(kind: Kind) -> str:
    columns = [f"#   {f.name}: {f.help}{' (needed)' if f.required else ''}" for f in kind.fields]
    return "\n".join((
        f"# Plainbill {kind.template}. {kind.about}",
        "# Lines that begin with # stand above the header only and are not read. Save as CSV UTF-8.",
        "# Dates as 2026-11-03, amounts in dollars as 1234.50. Columns that you do not need may be removed.",
        *columns, f"# Example: {kind.example}", ",".join(f.name for f in kind.fields)))


def _map() -> str:
    kinds = [f"#   {k.name}: {', '.join(k.required)}; also {', '.join(f.name for f in k.fields if not f.required)}"
             for k in KINDS.values()]
    return "\n".join((*_MAP_HEAD, *kinds, _MAP_BODY.strip()))


_MAP_HEAD = (
    "# Column map: how the rows of a CSV file of another system become records. docs/csv.md explains every entry.",
    "# Use: plainbill import --map this-file.toml FILE.csv",
    "# Kinds of records, the fields that each needs, and what else it may say:",
)
_MAP_BODY = """
name = "My system's ledger export"
amounts = "dollars"        # or "cents"
# dates = ["%d.%m.%Y"]     # only where days are not written 2026-11-03 or 11/03/2026
# delimiter = ";"          # only where the header does not tell
# decimal_comma = true     # 1.234,50
# unmatched = "ignore"     # a row that no [[record]] fits: "refuse" (as it is without this line) or "ignore"

[[ignore]]                 # rows that are of no interest
TYPE = ["MEMO", "VOID"]

[[record]]
kind = "charge"
when = { TYPE = "CHARGE" } # all must fit; a list means any of these; unless = { ... } leaves rows out
[record.columns]           # our field = your column, or several columns
visit_id = "ENCOUNTER"
service_on = "DATE"
procedure = "CPT"
amount = "AMOUNT"

[[record]]
kind = "payment"
when = { TYPE = ["PMT", "COPAY"] }
negate = ["amount"]        # this system writes payments with a minus
columns = { visit_id = "ENCOUNTER", paid_on = "DATE", amount = "AMOUNT", who = "PAID BY", tender = "METHOD" }
constants = {}             # field = the same value for every row
[record.values.who]        # your word = ours; "*" stands for every other
PT = "patient"
"*" = "payer"
"""
