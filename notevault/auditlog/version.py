"""Which version this is: from `_version.py` where the package was packed alone, else from the package it lies in."""

from __future__ import annotations

import importlib
import sys


def version() -> str:
    """`0.1.0` and the like; `unknown` when the package was copied by hand."""
    try:
        return str(importlib.import_module("._version", __package__).VERSION)
    except ImportError:
        parent = sys.modules.get((__package__ or "").rpartition(".")[0])  # there already: we were imported through it
        return str(getattr(parent, "__version__", "unknown"))
