"""The manager's page as an e-mail: the figures of the report's first page, a line each. Staff read it: English."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from templates.report_sheets import shown
from templates.statement_words import day

_VERSION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str
    version: str


def words(content: Mapping[str, Any]) -> Words:
    """``content``: practice, from_on, to_on, summary, look, as of all reports; amounts of the whole practice alone."""
    span = f"{day(content['from_on'], 'en')} to {day(content['to_on'], 'en')}"
    lines = [f"{content['practice']['name']}: the billing figures of {span}.", *_figures(content)]
    if content["look"]:
        lines += ["To look at:", *content["look"]]
    lines.append("Each figure's definition, its plots and its tables are in the console under Reports. "
                 "A manager switches this e-mail off in the practice's policy.")
    return Words(f"Billing figures, {span}", "\n".join(lines), _VERSION)


def _figures(content: Mapping[str, Any]) -> Iterator[str]:
    heading = ""
    for line in content["summary"]:
        if line["heading"] != heading:
            heading = line["heading"]
            yield f"{heading}:"
        before = f" (last time {shown(line['before'], line['unit'])})" if line["before_on"] else ""
        yield f"{line['label']}: {shown(line['value'], line['unit'])}{before}"
