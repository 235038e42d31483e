"""``make bench``: run every measurement, print it beside its bound and the machine, keep it in benchmarks/results/.

A measurement is a module of this folder with ``measure() -> Iterator[Result]``. Name modules to run only those:
``python -m benchmarks store``. Medians of several runs; trust orders and ratios more than single numbers.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from config.clock import SystemClock

HERE = Path(__file__).parent
RESULTS = HERE / "results"
MODULES = ("startup", "store", "dispatch", "inbound", "console", "planning", "ledger", "import_835")


def main(names: list[str]) -> None:
    """Run the named measurements, or all that there are."""
    known = [name for name in MODULES if (HERE / f"{name}.py").is_file()]
    for name in names:
        if name not in known:
            sys.exit(f"there is no measurement {name!r}; there are {', '.join(known)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for name in names or known:
        load = os.getloadavg()[0]
        results = []
        for result in import_module(f"benchmarks.{name}").measure():
            results.append(result)
            print(shown(name, result), flush=True)
        keep(name, results, load)


def shown(name: str, result: Result) -> str:
    """One line: the value, and where something was promised how it compares."""
    line = f"{name:<10} {result.what:<58} {result.value:>12,.2f} {result.unit}"
    if result.bound is None:
        return line
    word = "at least" if result.at_least is not None else "at most"
    return f"{line}   {word} {result.bound:g}: {'met' if result.met else 'NOT MET'} ({result.ratio:.2f} of it)"


def keep(name: str, results: list[Result], load: float, folder: Path = RESULTS) -> Path:
    """Write the measurement down, with the machine and how busy it was when it began."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    told = {"measurement": name, "at": SystemClock().now().isoformat(timespec="seconds"),
            "machine": machine() | {"load_before": round(load, 2)}, "results": [as_json(one) for one in results]}
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "cores": os.cpu_count(), "processor": _processor(),
            "system": f"{platform.system()} {platform.machine()}"}


def as_json(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {"what": result.what, "value": round(result.value, 4), "unit": result.unit}
    if result.bound is not None:
        found |= {"bound": result.bound, "bound_is": "at least" if result.at_least is not None else "at most",
                  "ratio": round(result.ratio or 0, 4), "met": result.met}
    return found


def _processor() -> str:
    """What the system calls its processor, where it says so."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main(sys.argv[1:])
