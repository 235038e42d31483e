"""One case for each matter: opened at the first word, added to afterwards, and made the account's once that is proved.

What somebody says before they are verified is kept at once and its hold placed; then identity is asked, and the same
case goes on (``said`` in the state's data carries its key and the words over that question).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from billing.commands import OpenCase, SpecifyCase
from handlers import own_words
from handlers.core import Decision, Reply, Turn
from handlers.flows import verify
from handlers.turns import answer_by

SAID = "said"


@dataclass(frozen=True, slots=True)
class Matter:
    """What a person is asked to do: kind of case, hold (billing/hold_kinds.py), title without PHI."""

    kind: str
    hold: str
    title: str


def key(turn: Turn, matter: Matter) -> str:
    """One open case per account, in whatever channel; of the conversation while nobody is verified."""
    return key_of(matter, turn.account.account_id if turn.account else turn.talk.conversation_id)


def key_of(matter: Matter, owner: str) -> str:
    """The same for pages, where somebody is always verified: ``owner`` is an account, or a conversation."""
    return f"{matter.kind}:{owner}"


def open_case(turn: Turn, matter: Matter, visit_id: str | None = None, detail: str = "") -> OpenCase:
    """The matter's case with its hold, or the words added to the one that is open. A case that this patient opened
    before identity was proved becomes this one, narrowed by ``add`` afterwards.
    """
    said = turn.talk.state.data.get(SAID, {})
    account_id = turn.account.account_id if turn.account else None
    return OpenCase(matter.kind, matter.title, detail or words(turn), account_id, None if said else visit_id,
                    matter.hold, dedupe=key(turn, matter), adopts=said.get("key", "") if account_id else "")


def add(turn: Turn, matter: Matter, at: str, visits: Sequence[str] = (), reason: str = "",
        said: str = "") -> SpecifyCase:
    """More about the case of key ``at``. It names the account only while that is verified."""
    account_id = turn.account.account_id if turn.account else None
    own = account_id if account_id and at.endswith(f":{account_id}") else None
    return SpecifyCase(matter.kind, matter.title, at, own, tuple(visits), reason, said)


def words(turn: Turn) -> str:
    """What was said about the matter: now, or before identity was asked."""
    said = turn.talk.state.data.get(SAID)
    return str(said["words"]) if said else own_words.kept(turn)


def going_on(turn: Turn) -> dict[str, Any]:
    """The open case that another conversation hands over ({kind, key, visits}); empty where none does."""
    said: dict[str, Any] = dict(turn.talk.state.data.get(SAID, {}))
    return said if "kind" in said else {}


def before_identity(turn: Turn, matter: Matter, intent: str, heard: Reply) -> Decision:
    """Keep the word and hold the number's accounts, then ask who it is and go on with ``intent``.

    The same is said and done whether the number has no account, one or several, or is locked (T-34).
    """
    asked = verify.first(turn, intent)
    if asked.state.after and not asked.state.flow:  # this very text proved it
        return asked
    if going_on(turn):
        data = {**asked.state.data, SAID: turn.talk.state.data[SAID]}
        return replace(asked, state=replace(asked.state, data=data)) if asked.state.flow else asked
    case = open_case(turn, matter)
    if not asked.state.flow:
        return Decision((heard,)).also(case)
    said = {"key": key(turn, matter), "words": own_words.kept(turn)}
    state = replace(asked.state, data={**asked.state.data, SAID: said})
    return Decision((heard, *asked.replies), state, (case, *asked.commands))


def silence(turn: Turn) -> Decision:
    """Nobody answered, and nothing is lost: the case stands with what was said."""
    return Decision((Reply("case_silence", {"by_at": answer_by(turn)}),))


def leave(turn: Turn) -> Decision:
    """"Back" leaves the question, not the matter."""
    return Decision((Reply("case_stays", {"by_at": answer_by(turn)}),))
