"""``make bench``: run every measurement and print it beside the machine it was taken on.

A measurement is a module of this folder with ``measure() -> Iterator[Result]``. Name modules to run only those:
``python -m benchmarks store``. Medians of several runs; trust orders and ratios more than single numbers.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.result import Result

MODULES = ("startup", "store")


def main(names: list[str]) -> None:
    """Run the named measurements, or all."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for name in names or MODULES:
        if not (Path(__file__).parent / f"{name}.py").is_file():
            sys.exit(f"there is no measurement {name!r}; there are {', '.join(MODULES)}")
        results: list[Result] = list(import_module(f"benchmarks.{name}").measure())
        for result in results:
            print(f"{name:<10} {result.what:<52} {result.value:>12,.1f} {result.unit}")


if __name__ == "__main__":
    main(sys.argv[1:])
