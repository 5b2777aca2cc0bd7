"""Put files of ours where cron or systemd look, and take them away; never touch one that is not ours."""

import os
import pwd
import shlex
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.schedule_units import PREFIX, Mark, Way, files_of, folder_of, mark_of, writable
from sparkctl.atomic_file import replace_file
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.printable import printable
from sparkctl.model.schedule import Schedule, SchedulePlan

ROOT = Path("/")
_MAX_BYTES = 64 * 1024
_SYSTEMCTL_S = 60


@dataclass(frozen=True, slots=True)
class Target:
    """Where to install: below which root (`/`, or the root of an image), and where the user's configuration is."""

    root: Path
    config_home: Path

    @property
    def is_live(self) -> bool:
        """Whether it is the machine that runs."""
        return self.root == ROOT

    def folder(self, way: Way) -> Path:
        """Where files of a way are."""
        return folder_of(way, self.root, self.config_home)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of ours that is installed."""

    way: Way
    path: Path
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one file: `written`, `same` or `removed`."""

    path: Path
    done: str


def target_of(root: Path | None) -> Target:
    """The machine that runs, or an image below `root`."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Target(root.absolute() if root else ROOT, Path(home))


def planned(way: Way, plan: SchedulePlan, schedules: Sequence[Schedule], target: Target) -> dict[Path, str]:
    """The files that installing would write. Raises UsageError for what cannot go into them."""
    folder = target.folder(way)
    return {
        folder / name: text
        for schedule in schedules
        for name, text in files_of(way, plan, schedule).items()
    }  # fmt: skip


def install(
    way: Way, plan: SchedulePlan, schedules: Sequence[Schedule], target: Target, *, force: bool
) -> list[Change]:
    """Install schedules. Nothing is written when one file may not be.

    Raises RefusedError for a file that is not ours, one of ours that was changed (unless `force`), and a file of
    schedules that others may write; UsageError for a user or a folder that does not exist.
    """
    files = planned(way, plan, schedules, target)
    _require_own(plan.file, way)
    if target.is_live:
        _require_user(plan, way)
        _require_folders(plan, schedules, way)
    changes = [Change(path, _change(path, text, force=force)) for path, text in files.items()]
    for change in changes:
        if change.done == "written":
            _write(change.path, files[change.path])
    if way is not Way.CRON and target.is_live:
        _systemctl(way, "daemon-reload")
        _systemctl(way, "enable", "--now", *(path.name for path in files if path.suffix == ".timer"))
    return changes


def remove(names: Sequence[str] | None, target: Target, *, force: bool) -> list[Change]:
    """Remove what is installed of these schedules, or of all; raises RefusedError for a file that was changed."""
    wanted = [one for one in installed(target) if names is None or one.mark.name in names]
    for one in wanted:
        if one.mark.changed and not force:
            raise _changed(one.path)
    for way in (Way.SYSTEMD, Way.USER):
        timers = [one.path.name for one in wanted if one.way is way and one.path.suffix == ".timer"]
        if timers and target.is_live:
            _systemctl(way, "disable", "--now", *timers)
    for one in wanted:
        try:
            one.path.unlink()
        except OSError as error:
            raise UsageError(f"{one.path} cannot be removed: {error.strerror}", hint=_rights(one.way)) from error
    for way in (Way.SYSTEMD, Way.USER):
        if target.is_live and any(one.way is way for one in wanted):
            _systemctl(way, "daemon-reload")
    return [Change(one.path, "removed") for one in wanted]


def installed(target: Target) -> list[Found]:
    """Every file of ours, wherever schedules can be installed."""
    return [found for way in Way for found in _of_way(way, target)]


def systemd_runs() -> bool:
    """Whether systemd is this machine's init, as sd_booted(3) tells it."""
    return Path("/run/systemd/system").is_dir()


def _of_way(way: Way, target: Target) -> Iterator[Found]:
    folder = target.folder(way)
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"{PREFIX}*")):
        text = _text(path)
        mark = mark_of(text) if text is not None else None
        if text is not None and mark is not None and path.name.split(".")[0] == f"{PREFIX}{mark.name}":
            yield Found(way, path, text, mark)


def _text(path: Path) -> str | None:
    """The text of a regular file that is no link; None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None


def _change(path: Path, text: str, *, force: bool) -> str:
    """What is to be done to one file; raises RefusedError when it must stay."""
    if not path.exists() and not path.is_symlink():
        return "written"
    present = _text(path)
    if present == text:
        return "same"
    mark = mark_of(present) if present is not None else None
    if mark is None:
        raise RefusedError(
            f"{path} is there and was not written by sparkctl", hint="move it away, or give the schedule another name"
        )
    if mark.changed and not force:
        raise _changed(path)
    return "written"


def _changed(path: Path) -> RefusedError:
    return RefusedError(
        f"{path} was changed since sparkctl wrote it",
        hint="bring the change into the file of schedules, and then use --force",
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        replace_file(path, text.encode(), 0o644)
    except OSError as error:
        way = Way.CRON if path.parent.name == "cron.d" else Way.SYSTEMD
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint=_rights(way)) from error


def _rights(way: Way) -> str:
    return "see to the owner of its folder" if way is Way.USER else "run it as root, or install with --systemd --user"


def _require_own(file: Path, way: Way) -> None:
    """Who may write the file of schedules decides what runs as its user."""
    mode = file.stat().st_mode
    if way is not Way.USER and mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise RefusedError(
            f"{file} may be written by others than its owner (mode {stat.S_IMODE(mode):03o}), who could then decide"
            " what is run",
            hint=f"chmod go-w {shlex.quote(str(file))}",
        )


def _require_user(plan: SchedulePlan, way: Way) -> None:
    if way is Way.USER or plan.user is None:
        return
    try:
        pwd.getpwnam(plan.user)
    except KeyError as error:
        raise UsageError(
            f"there is no user {plan.user}, whom {plan.file} names",
            hint=f"make the account, with the SSH keys for the nodes: useradd --create-home {plan.user}",
        ) from error


def _require_folders(plan: SchedulePlan, schedules: Sequence[Schedule], way: Way) -> None:
    owner = "" if way is Way.USER else f"-o {plan.user} "
    for path in dict.fromkeys(path for schedule in schedules for path in writable(plan, schedule)):
        if not path.is_dir():
            raise UsageError(
                f"there is no folder {path}, to which the schedules write", hint=f"install -d -m 700 {owner}{path}"
            )


def _systemctl(way: Way, *words: str) -> None:
    """Tell systemd, where it runs; raises UsageError with what it says."""
    if not systemd_runs():
        return
    command = ["systemctl", *(["--user"] if way is Way.USER else []), *words]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=_SYSTEMCTL_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"`{shlex.join(command)}` cannot be run: {error}", hint="run it by hand") from error
    if ran.returncode:
        said = printable(ran.stderr.strip().replace("\n", " "), 400)
        raise UsageError(f"the files are in place, but `{shlex.join(command)}` says: {said}", hint="run it by hand")
