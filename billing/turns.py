"""Batches of one document that are worked at the same time, and become true one after the other.

While the database writes one batch, the next one is read and adjudicated in a transaction of its own. Two rules make
that come to what one batch after the other comes to: what a batch reads is not touched by those before it (else it
waits for them), and a batch does nothing that those before it may have to wait for until they have committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """A batch's place in the row. ``loaded`` is to be called when it holds the accounts that it is about; ``wait``
    before whatever is shared by all (the import's cursor, the numbers of cases). ``wait`` raises what those before
    failed with, or GaveWay.
    """

    loaded: Callable[[], object]
    wait: Callable[[], object]


class GaveWay(Exception):
    """Those before did not end: they may be waiting for what this batch holds. It is to be posted again after them."""


def _nothing() -> None:
    return None


#: Of a batch that has nobody before it or beside it.
ALONE = Turn(_nothing, _nothing)
