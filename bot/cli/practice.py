"""``plainbill practice``: the policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import AsJson, context, print_fields, print_json, require_right

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config.practice import PracticePolicy

app = typer.Typer(no_args_is_help=True, help="Set or show the practice's policy.")


_MODES = {
    "off": "nothing is worked through and nothing leaves",
    "shadow": "everything is decided and written down, and nothing leaves; `plainbill send`, `plainbill why` and "
              "`plainbill campaign report` show what would have gone out",
    "pilot": "messages leave for the accounts of pilot_accounts alone",
    "on": "messages leave",
}


def _mode(policy: PracticePolicy) -> str:
    """What the mode means, for whoever has just set it."""
    if policy.sending == "pilot" and not policy.pilot_accounts:
        return "but pilot_accounts names nobody, so nothing leaves"
    return _MODES.get(policy.sending, policy.sending)


@app.command("set")
def set_policy(
    file: Annotated[Path, typer.Argument(help="A TOML file; config/practice.example.toml is a pattern.")],
    as_json: AsJson = False,
) -> None:
    """Put a policy file in force. A file with a fault changes nothing."""
    from billing import policy_changes
    from config.policy_file import read_policy

    policy = read_policy(file)
    with context() as edge:
        def run(session: Session) -> None:
            require_right(session, edge, "policy")
            policy_changes.keep_file(session, edge.practice_id, policy, by=edge.actor, reason=f"from {file.name}",
                                     now=edge.now())

        edge.write(run, "practice.set", "practice", edge.practice_id, f"from {file.name}")
        practice_id = edge.practice_id
    if as_json:
        print_json({"practice": practice_id, "configured": True, "policy": policy.model_dump(mode="json")})
    else:
        print(f"The policy of {policy.name} is in force for practice {practice_id!r}; sending is {policy.sending}: "
              f"{_mode(policy)}.")


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Show the policy in force."""
    with context() as edge:
        policy, configured, practice_id = edge.policy, edge.configured, edge.practice_id
    values = policy.model_dump(mode="json")
    if as_json:
        print_json({"practice": practice_id, "configured": configured, "policy": values})
        return
    if not configured:
        print(f"Practice {practice_id!r} has no policy yet; `plainbill practice set FILE.toml` sets one. Until then:")
    print_fields({name: value if isinstance(value, str | int | bool | None) else json.dumps(value, ensure_ascii=False)
                  for name, value in values.items()})
