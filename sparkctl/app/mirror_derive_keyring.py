"""Which file of keys vouches for a source of a node, by the facts."""

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from sparkctl.app.mirror_derive_record import Keyring, plain, short_name
from sparkctl.model.facets.difference import Gaps
from sparkctl.model.facets.software import AptSource, Software

FOLDER = "keyrings"
_PATH = re.compile(r"(/[A-Za-z0-9._+@-]+)+")
_FILE = re.compile(r"[A-Za-z0-9_.-]+")
_SEPARATORS = re.compile(r"[\s,]+")
_CUT_OUT = "/-----BEGIN PGP PUBLIC/,/-----END PGP PUBLIC/{s/^[ \t]*//;s/^[.]$//;p}"


class Keyrings:
    """The keyrings of one node; each of its files gets a name of its own beside mirror.yaml."""

    def __init__(self, software: Software, document: Mapping[str, Any]) -> None:
        self._known = software.apt_keyrings
        self._gaps = Gaps(document)
        self._names: dict[str, str] = {}

    def of(self, source: AptSource, file: str, name: str) -> Keyring:
        """What vouches for a source that stands in a file of the node, for the mirror of a name."""
        words = [word for word in _SEPARATORS.split(source.signed_by or "") if word]
        paths = [word for word in words if _PATH.fullmatch(word) and ".." not in word.split("/")]
        if source.signed_by == "embedded":
            return self._embedded(file, name)
        if not words:
            how = "the node takes any key that it trusts for it; find the owner's in /etc/apt/trusted.gpg.d there"
            return Keyring(f"{FOLDER}/{name}.gpg", None, None, how)
        if len(words) > 1 or not paths:
            how = f"the node takes any of these for it, put those that you trust into one file: {' '.join(words)}"
            return Keyring(f"{FOLDER}/{name}.gpg", None, None, plain(how))
        return self._one(paths[0])

    def _one(self, path: str) -> Keyring:
        known = (self._known or {}).get(path)
        file = f"{FOLDER}/{self._name(path)}"
        if known is not None:
            return Keyring(file, path, known.sha256, f"{path} of the node")
        if (gap := self._gaps.at(("apt_keyrings", path))) is not None:
            return Keyring(file, path, None, f"{path} of the node, which could not be read there ({gap})")
        if self._known is None:
            return Keyring(file, path, None, f"{path} of the node, of which these facts have no digest: collect again")
        return Keyring(file, None, None, f"{path}, which the node does not have")

    def _embedded(self, file: str, name: str) -> Keyring:
        how = f"the key stands in {file} of the node itself"
        command = None
        if _FILE.fullmatch(PurePosixPath(file).name):
            remote = shlex.join(["sed", "-n", _CUT_OUT, file])
            command = f"ssh NODE {shlex.quote(remote)}"
        return Keyring(f"{FOLDER}/{name}.asc", None, None, how, command)

    def _name(self, path: str) -> str:
        """A name that no other path has."""
        if path not in self._names:
            stem, dot, ending = path.rpartition("/")[2].rpartition(".")
            taken = {name.rpartition(".")[0] for name in self._names.values()}
            kind = "asc" if dot and ending == "asc" else "gpg"
            self._names[path] = f"{short_name(stem if dot else ending, taken)}.{kind}"
        return self._names[path]
