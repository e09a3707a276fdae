"""`python -m bench [--quick]` (`make bench`): every measurement; 1 where one misses its limit."""

from __future__ import annotations

import argparse
import subprocess
import sys

WORDS: dict[str, list[str]] = {
    "bench.sync": ["--large", "100000"],
    "bench.session": [],
    "bench.classify": [],
    "bench.console": ["--accounts", "100000", "1000000"],
    "bench.capacity": ["--days", "38", "--weeks", "26"],
}
QUICK = {
    "bench.sync": ["--quick"],
    "bench.session": ["--instances", "60"],
    "bench.classify": ["--sizes", "10000x20"],
    "bench.console": ["--accounts", "30000", "60000", "--repeat", "5"],
    "bench.capacity": ["--instances", "50", "--databases", "40", "--days", "38", "--weeks", "10"],
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    chosen = QUICK if parser.parse_args().quick else WORDS
    return max(_run(module, words) for module, words in chosen.items())


def _run(module: str, words: list[str]) -> int:
    print(f"\n--- {module}", flush=True)
    return subprocess.run([sys.executable, "-m", module, *words]).returncode


if __name__ == "__main__":
    sys.exit(main())
