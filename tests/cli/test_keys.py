"""Keys for the practice's other programs, on the command line: printed once, never listed, ended at once."""

from __future__ import annotations

from bot.cli.exits import NOT_FOUND, REFUSED
from tests.cli.conftest import Run


def test_a_key_is_printed_once_and_never_listed(plainbill: Run) -> None:
    made = plainbill("staff", "key", "front desk app", "--role", "biller", "--days", "30", "--json").json
    listed = plainbill("staff", "keys", "--json")
    (row,) = listed.json
    assert made["key"] not in listed.out and made["key"].endswith(row["tail"])
    assert (row["name"], row["role"], row["state"]) == ("front desk app", "biller", "open")


def test_a_revoked_key_says_so_and_cannot_be_revoked_twice(plainbill: Run) -> None:
    plainbill("staff", "key", "app", "--role", "reader", "--days", "1")
    (row,) = plainbill("staff", "keys", "--json").json
    assert plainbill("staff", "revoke-key", row["id"]).code == 0
    assert plainbill("staff", "keys", "--json").json[0]["state"] == "revoked"
    assert plainbill("staff", "revoke-key", row["id"]).code == REFUSED
    assert plainbill("staff", "revoke-key", "key_nobodys").code == NOT_FOUND


def test_no_program_is_a_manager_and_only_a_manager_makes_keys(plainbill: Run) -> None:
    assert plainbill("staff", "key", "app", "--role", "manager").code == REFUSED
    assert plainbill("staff", "key", "app", "--days", "400").code == REFUSED
    plainbill("staff", "add", "ana", "--name", "Ana", "--role", "biller")
    assert plainbill("staff", "key", "app", STAFF="ana").code == REFUSED
    assert plainbill("staff", "keys", "--json").json == []
