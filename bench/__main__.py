"""`python -m bench [--quick]` (`make bench`): every measurement; 1 where one misses its limit.

`python -m bench console` is one of them alone; words after it are its own, in place of those here:
`python -m bench console --accounts 1000000`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

WORDS: dict[str, list[str]] = {
    "bench.sync": ["--large", "100000"],
    "bench.session": [],
    "bench.classify": [],
    "bench.console": ["--accounts", "100000", "1000000"],
    "bench.capacity": [],
}
QUICK = {
    "bench.sync": ["--quick"],
    "bench.session": ["--instances", "60"],
    "bench.classify": ["--sizes", "10000x20"],
    "bench.console": ["--accounts", "30000", "60000", "--repeat", "5"],
    "bench.capacity": [
        "--instances",
        "50",
        "--databases",
        "40",
        "--days",
        "60",
        "--summed",
        "30",
        "--weeks",
        "10",
    ],
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    names = [module.removeprefix("bench.") for module in WORDS]
    parser.add_argument("name", nargs="?", choices=names, help="one alone")
    options, own = parser.parse_known_args()
    if own and not options.name:
        parser.error(f"unknown: {own[0]}")
    chosen = QUICK if options.quick else WORDS
    if options.name:
        module = f"bench.{options.name}"
        chosen = {module: own or chosen[module]}
    return max(_run(module, words) for module, words in chosen.items())


def _run(module: str, words: list[str]) -> int:
    print(f"\n--- {module}", flush=True)
    return subprocess.run([sys.executable, "-m", module, *words]).returncode


if __name__ == "__main__":
    sys.exit(main())
