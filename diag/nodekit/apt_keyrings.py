"""The files of public keys that sources of packages name: which they are, and what is in them by its digest.

No key leaves the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from diag.nodekit.apt_sources import KEYRINGS
from diag.nodekit.digests import Digest
from diag.nodekit.facet import Look
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import bounded

MAX_KEYRINGS = 100
MAX_BYTES = 256 * 1024  # of one; that of all Debian's releases has a fifth of it
PATH = re.compile(r"/[A-Za-z0-9._+@~/-]{1,119}")
SEPARATORS = re.compile(r"[\s,]+")


def apt_keyrings(look: Look, signed_by: Iterable[str | None]) -> dict[str, Any]:
    """The keyrings in values of `Signed-By`, by path; one that is not there is left out."""
    named = {word for text in signed_by for word in SEPARATORS.split(text or "") if word.startswith("/")}
    if not all(PATH.fullmatch(path) for path in named):
        look.missing(KEYRINGS, UnknownReason.PRECONDITION, "a source names a keyring by more than a plain path")
    paths = bounded({path: None for path in sorted(named) if PATH.fullmatch(path)}, MAX_KEYRINGS, "keyrings")
    found: dict[str, Any] = {}
    for path in paths:
        digest = look.at(f"{KEYRINGS}[{path}]", partial(_digest, look.machine, path), path)
        if digest is not None:
            found[path] = {"sha256": digest.sha256, "size_bytes": digest.size}
    return found


def _digest(machine: Machine, path: str) -> Digest | None:
    try:
        return machine.digest(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
