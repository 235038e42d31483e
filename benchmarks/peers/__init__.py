"""The ledgers that ours is measured beside, each in an environment of its own (``make bench`` makes it)."""
