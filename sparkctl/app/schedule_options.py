"""What a schedule may run, and which options of that it may set: a closed table, so that nothing else gets there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.file_values import lexical, seconds
from sparkctl.errors import UsageError
from sparkctl.inventory.shards import Shard
from sparkctl.model.facets.catalogue import FACETS

Convert = Callable[[str, Path], str]
"""From text, and the folder that relative paths start from, to an argument; raises ValueError with half a sentence."""

SAFE_PATH = re.compile(r"/[A-Za-z0-9_./+,@=-]*")
"""Paths that mean themselves to cron, to its shell and to systemd alike: no spaces, `%`, `$`, quotes or backslashes."""


def absolute_path(text: str, folder: Path) -> Path:
    """A path that is safe in a crontab and in a unit; raises ValueError with half a sentence."""
    path = lexical(Path(text).expanduser() if text.startswith("~/") else folder / text)
    if not SAFE_PATH.fullmatch(str(path)) or len(str(path)) > 500:
        raise ValueError(f"must be a path of letters, digits and _ . / + , @ = - only; this is {path}")
    return path


def whole(low: int, high: int) -> Convert:
    """A whole number within bounds."""

    def convert(text: str, _folder: Path) -> str:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high:,}")
        return str(int(text))

    return convert


def _duration(text: str, _folder: Path) -> str:
    if not 1 <= seconds(text) <= 3600:
        raise ValueError("must be from 1s to 1h")
    return str(seconds(text))


def _days(text: str, _folder: Path) -> str:
    if seconds(text) < 60 or text.endswith("s"):
        raise ValueError("must be a duration such as 90m, 26h or 7d")
    return text


def _path(text: str, folder: Path) -> str:
    return str(absolute_path(text, folder))


def _matching(pattern: str, words: str) -> Convert:
    def convert(text: str, _folder: Path) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(words)
        return text

    return convert


def _shard(text: str, _folder: Path) -> str:
    try:
        return str(Shard.parse(text))
    except UsageError as error:
        raise ValueError("must be a shard such as 1/3") from error


def _facet(text: str, _folder: Path) -> str:
    if text not in FACETS:
        raise ValueError(f"must be one of {', '.join(FACETS)}")
    return text


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command by its key in the file.

    `many` may be a list; `folder` is one that the run writes to, `file` a file that it writes.
    """

    flag: str
    convert: Convert
    many: bool = False
    required: bool = False
    folder: bool = False
    file: bool = False

    def written(self, value: str) -> tuple[Path, ...]:
        """The folders that a run with this value writes to."""
        return (Path(value),) if self.folder else (Path(value).parent,) if self.file else ()


_NAMED = _matching(
    r"[a-z][a-z0-9_.-]{0,79}(=[0-9]{2,4})?", "must be a name such as sosreport, perhaps with seconds: sosreport=600"
)
_RUN = {
    "concurrency": Option("--concurrency", whole(1, 2000)),
    "timeout": Option("--timeout", _duration),
    "per_site": Option("--per-site", whole(1, 100_000)),
    "per_rack": Option("--per-rack", whole(1, 100_000)),
    "per_jump": Option("--per-jump", whole(1, 100_000)),
    "shard": Option("--shard", _shard),
}
_WORKERS = {"workers": Option("--workers", whole(1, 64))}

RUNS: dict[str, dict[str, Option]] = {
    "health": _RUN | _WORKERS | {"fail_on": Option("--fail-on", _matching("fail|warn", "must be fail or warn"))},
    "collect": _RUN | _WORKERS | {"facet": Option("--facet", _facet, many=True)},
    "reset-reason": _RUN | _WORKERS,
    "bundle collect": _RUN
    | {
        "out": Option("--out", _path, required=True, folder=True),
        "sign": Option("--sign", _path),
        "total_size": Option("--total-size", _matching(r"[1-9][0-9]{0,5}[KMGT]", "must be a size such as 500M or 2G")),
        "with": Option("--with", _NAMED, many=True),
    },
    "sinks send": {"sink": Option("--sink", _matching(r"[a-z][a-z0-9-]{0,31}", "must be the name of one"), many=True)},
    "alerts digest": {"since": Option("--since", _days)},
    "export": {
        "as": Option("--as", _matching(r"[a-z][a-z-]{0,19}", "must be a format of sparkctl export"), required=True),
        "output": Option("--output", _path, required=True, file=True),
        "max_age": Option("--max-age", _days),
    },
    "report": {
        "html": Option("--html", _path, required=True, file=True),
        "max_age": Option("--max-age", _days),
        "window": Option("--window", _days),
    },
    "store prune": {"days": Option("--days", whole(1, 36500), required=True)},
}
"""Every command that may be scheduled, with its options by their keys under `with:`."""
