"""`python -m bench [--quick]` (`make bench`): every measurement; 1 where one misses its limit."""

from __future__ import annotations

import argparse
import subprocess
import sys

WORDS = {
    "bench.sync": [],
    "bench.classify": ["--accounts", "10000", "100000", "1000000"],
}
QUICK = {"bench.sync": ["--quick"], "bench.classify": ["--accounts", "10000"]}


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
