"""Loaded by schemathesis: every other id in a path is one that exists, else all would be 404."""

from __future__ import annotations

import json
import os
from functools import cache
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import schemathesis

KEYS = ("id", "session_id")


@cache
def known(path: str) -> list[str]:
    """Ids of the rows that the list above `/x/{id}` shows."""
    above = path.partition("/{")[0]
    url = f"{os.environ['FUZZ_URL']}{above}?limit=5"
    request = Request(url, headers={"Authorization": f"Bearer {os.environ['FUZZ_TOKEN']}"})
    try:
        with urlopen(request, timeout=10) as response:
            data = json.load(response)["data"]
    except (HTTPError, KeyError, ValueError):
        return []
    rows = data.get("items", data.get("jobs", [])) if isinstance(data, dict) else data
    return [str(row[key]) for row in rows for key in KEYS if isinstance(row, dict) and key in row]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    path = context.operation.path
    for name, value in (path_parameters or {}).items():
        ids = known(path) if name in ("id", "session_id") else []
        number = sum(map(ord, str(value)))
        if ids and number % 2:
            path_parameters[name] = ids[number // 2 % len(ids)]
    return path_parameters
