"""A question that is put again and again helps nobody: after a few times the patient is told how to reach a person."""

from __future__ import annotations

from dataclasses import replace

from handlers.core import Decision, Reply, Text, Turn

#: The time at which the same question, put in a row, has a person offered beside it.
ROUNDS = 5
KEY = "rounds"


def count_rounds(turn: Turn, decision: Decision) -> Decision:
    """Remember in the state what was asked last and how often in a row; offer a person when that goes round."""
    if not isinstance(turn.message, Text):
        return decision
    data = {key: value for key, value in decision.state.data.items() if key != KEY}
    if not decision.state.flow or not decision.replies:
        return replace(decision, state=replace(decision.state, data=data))
    question = decision.replies[-1].template
    before, times = turn.talk.state.data.get(KEY, ("", 0))
    times = times + 1 if question == before else 1
    if times < ROUNDS:
        return replace(decision, state=replace(decision.state, data={**data, KEY: [question, times]}))
    offered = (*decision.replies, Reply("rather_a_person"))
    return replace(decision, replies=offered, state=replace(decision.state, data=data))
