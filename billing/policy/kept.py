"""A property that is worked out once and kept; facts are asked the same thing by many rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["kept"]

if TYPE_CHECKING:
    from functools import cached_property as kept
else:
    class kept:  # noqa: N801  # it stands in for a function
        """A property that is worked out once: functools.cached_property without the lock that it takes each time."""

        def __init__(self, work):
            self._work, self._name, self.__doc__ = work, work.__name__, work.__doc__

        def __get__(self, one, owner=None):
            if one is None:
                return self
            value = one.__dict__[self._name] = self._work(one)
            return value
