from billing.explain import explain_account
from tests.ledger.paper import *
def test_a(lite):
    A1 = Bill("A1", [("99213", 7981)])
    first = Clp("A1", 4309, [("CO","45",514),("PR","1",3158)])
    lite.bill(A1); 
    v = lite.bill(Bill("A1", A1.lines, frequency="8"))
    lite.undo(v.import_id)
    lite.pay("T1", first)
    back = lite.pay("T2", first.negated(), Clp("A1", 957, [("CO","45",140),("PR","1",6884)]))
    print(lite.stands("A1"))
    lite.undo(back.import_id)
    for e in lite.store.read(lambda s: explain_account(s, lite.visit("A1").guarantor_id)):
        print(e.foots, e.reason, [(s.kind, s.amount_minor, s.code) for s in e.steps])
    assert 0
