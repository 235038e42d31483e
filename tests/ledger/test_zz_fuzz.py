from hypothesis import Phase, settings
from tests.ledger.test_properties import *
def test_fuzz(sqlite_template, keyring, tmp_path):
    run(on_sqlite(sqlite_template, tmp_path), keyring, tmp_path, settings(LONG, max_examples=40, stateful_step_count=40, phases=[Phase.generate]))
