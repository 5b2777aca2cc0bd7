"""Which nodes ssh_config can tell apart, so that it is evaluated once for all that it treats alike."""

import fnmatch
import re
import shlex
from collections.abc import Hashable, Iterable
from pathlib import Path

_KEYWORD = re.compile(r"\s*([^\s=#]+)[\s=]+(.*)")
_WILD = re.compile(r"[*?]")
_MOST_FILES = 256


class HostPatterns:
    """The patterns of every `Host` line of some ssh_config files and of the files they include.

    It never judges what a file says, only whether two names could be told apart by it; asyncssh reads the values.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._names: set[str] = set()
        self._wildcards: set[str] = set()
        self._seen: set[Path] = set()
        self._every_host_differs = False
        for path in files:
            self._read(path)

    def kind(self, name: str) -> Hashable | None:
        """Equal for names that get the same settings; None where each name must be evaluated by itself.

        That is so where a file says `Match` (which may look at anything, or run a command), where a value holds a
        token such as `%h`, and where a file cannot be read.
        """
        if self._every_host_differs:
            return None
        matched = frozenset(pattern for pattern in self._wildcards if fnmatch.fnmatchcase(name, pattern))
        return (name if name in self._names else None, matched)

    def _read(self, path: Path) -> None:
        if path in self._seen:
            return
        self._seen.add(path)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
            self._every_host_differs = True
        for line in lines:
            self._take(line)

    def _take(self, line: str) -> None:
        found = _KEYWORD.match(line)
        if found is None:
            return
        keyword, rest = found[1].lower(), found[2]
        try:
            arguments = shlex.split(rest)
        except ValueError:
            arguments = []
            self._every_host_differs = True
        if "%" in line or (keyword == "match" and [word.lower() for word in arguments] != ["all"]):
            self._every_host_differs = True
        elif keyword == "host":
            self._take_patterns(arguments)
        elif keyword == "include":
            self._include(arguments)

    def _take_patterns(self, arguments: list[str]) -> None:
        for pattern in (part.lstrip("!") for argument in arguments for part in argument.split(",")):
            if "[" in pattern:
                self._every_host_differs = True
            elif _WILD.search(pattern):
                self._wildcards.add(pattern)
            else:
                self._names.add(pattern)

    def _include(self, patterns: list[str]) -> None:
        for pattern in patterns:
            path = Path(pattern).expanduser()
            base = Path(path.anchor) if path.anchor else Path("~", ".ssh").expanduser()
            for found in base.glob(str(path.relative_to(base) if path.anchor else path)):
                if len(self._seen) >= _MOST_FILES:
                    self._every_host_differs = True
                    return
                if found.is_file():
                    self._read(found)
