"""Read a file of schedules, strictly: every error names file, line and key."""

from collections.abc import Mapping
from pathlib import Path

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import (
    lexical,
    matches,
    minute_of_day,
    number,
    one_of,
    percent,
    seconds,
    selector_word,
    size,
)
from sparkctl.app.schedule_options import RUNS, absolute_path
from sparkctl.app.settings_file import examined, usable
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.yaml_nodes import Mapping as YamlMapping
from sparkctl.inventory.yaml_nodes import YamlNode
from sparkctl.model.inventory import Problem
from sparkctl.model.printable import printable
from sparkctl.model.schedule import DOING, MARGIN_S, LogSettings, Schedule, SchedulePlan
from sparkctl.model.schedule_times import DAY_NAMES, EVERY_DAY, PERIODS, Times, at, every

FILE_VARIABLE = "SPARKCTL_SCHEDULES"
FILE_NAME = "schedules.yaml"
_QUIETABLE = ("ok", "findings", "unjudged", "refused", "sink_failed")
QUIET = frozenset({"ok", "findings", "unjudged"})

_TOP = ("version", "state", "fleet", "sinks", "heartbeats", "prom", "log", "user", "mailto", "schedules")
_LOG = ("folder", "size", "keep")
_SCHEDULE = (
    "every", "at", "days", "run", "selector", "with", "splay", "deadline", "max_age", "min_coverage", "quiet_on",
    "complain_after",
)  # fmt: skip
_NAME = r"[a-z][a-z0-9-]{0,31}"
_HALF_A_DAY_S = 12 * 3600
_LONGEST_S = 24 * 3600


def schedule_file(option: Path | None, environ: Mapping[str, str]) -> Path:
    """The file of schedules: `--file`, then SPARKCTL_SCHEDULES, then `schedules.yaml` here; raises UsageError."""
    named = option or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    if named is not None:
        return lexical(named)
    here = lexical(Path(FILE_NAME))
    if here.is_file():
        return here
    raise UsageError(f"there is no {here}", hint=f"name a file of schedules with --file or {FILE_VARIABLE}")


def read_plan(path: Path) -> SchedulePlan:
    """The plan in a file. Raises UsageError for the first error in it, with file, line and key."""
    return usable(examine(path), "sparkctl schedule lint")


def examine(path: Path) -> tuple[SchedulePlan | None, list[Problem]]:
    """What the file says, None where that is of no use, and everything that is wrong with it."""
    return examined(path, "with the key `schedules`", lambda root, problems: _PlanReader(path, root, problems).read())


class _PlanReader:
    def __init__(self, path: Path, root: YamlMapping, problems: Problems) -> None:
        self._path, self._problems = path, problems
        self._top = Fields(root, "", path, problems, _TOP)

    def read(self) -> SchedulePlan | None:
        """The plan; None when something that has no default is missing or wrong."""
        top, folder = self._top, self._path.parent
        top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
        state = top.text(
            "state", lambda text: absolute_path(text, folder),
            required="Name the state folder of these runs; cron has not your environment.",
        )  # fmt: skip
        schedules = self._schedules()
        if state is None:
            return None
        own = state / "schedules"
        return SchedulePlan(
            file=self._path,
            state=state,
            fleet=self._folder("fleet") or absolute_path("fleet.yaml", folder),
            sinks=self._folder("sinks"),
            heartbeats=self._folder("heartbeats") or own,
            prom=self._folder("prom"),
            log=self._log(own / "log"),
            user=top.text("user", matches(r"[a-z_][a-z0-9_-]{0,31}", "must be the name of a user")),
            mailto=top.text(
                "mailto", matches(r"[A-Za-z0-9._+-]{1,64}(@[A-Za-z0-9.-]{1,190})?", "must be one mail address")
            ),
            schedules={schedule.name: schedule for schedule in schedules},
        )

    def _folder(self, key: str) -> Path | None:
        return self._top.text(key, lambda text: absolute_path(text, self._path.parent))

    def _log(self, folder: Path) -> LogSettings:
        fields = self._top.under("log", _LOG)
        return LogSettings(
            folder=fields.text("folder", lambda text: absolute_path(text, self._path.parent)) or folder,
            max_bytes=fields.text("size", size) or 4 * 2**20,
            keep=fields.text("keep", number(1, 1000)) or 8,
        )

    def _schedules(self) -> list[Schedule]:
        listed = self._top.entries("schedules", required="Write a name and what it runs under `schedules:`.")
        return [schedule for name, line, node in listed if (schedule := self._schedule(name, line, node))]

    def _schedule(self, name: str, line: int, node: YamlNode) -> Schedule | None:
        where = Where(str(self._path), line, f"schedules.{printable(name, 60)}")
        try:
            matches(_NAME, "is not a name")(name)
        except ValueError:
            action = "A name is of small letters, digits and hyphens, begins with a letter, and has at most 32 of them."
            self._problems.error(where, "this is no name of a schedule", action)
            return None
        if not isinstance(node, YamlMapping):
            self._problems.error(where, "this must be a mapping", "Write `every:` and `run:` lines under it.")
            return None
        return _ScheduleReader(name, where, Fields(node, where.key or "", self._path, self._problems, _SCHEDULE)).read()


class _ScheduleReader:
    def __init__(self, name: str, where: Where, fields: Fields) -> None:
        self._name, self._where, self._fields = name, where, fields

    def read(self) -> Schedule | None:
        """The schedule; None when it cannot be told when or what it runs."""
        fields = self._fields
        times = self._times()
        run = fields.text("run", one_of(tuple(RUNS)), required=f"Write one of: {', '.join(RUNS)}.")
        if run is None:
            return None
        selector = fields.texts("selector", selector_word)
        if selector and not DOING[run].selects:
            fields.wrong("selector", f"{run} asks no nodes", "Leave the selector out.")
        options, folders = self._options(run)
        if times is None:
            return None
        splay_s, deadline_s = self._bounds(times)
        longest = times.gaps_s[1]
        default_age = longest + min(2 * longest, _HALF_A_DAY_S)
        max_age_s = fields.text("max_age", seconds) or default_age
        if max_age_s < longest + splay_s:
            fields.wrong(
                "max_age", f"must be longer than period and splay together, {longest + splay_s} s", "Raise it."
            )
        coverage = fields.text("min_coverage", percent)
        return Schedule(
            name=self._name,
            times=times,
            run=run,
            selector=tuple(selector),
            options=options,
            splay_s=splay_s,
            deadline_s=deadline_s,
            max_age_s=max_age_s,
            min_coverage=0.5 if coverage is None else coverage,
            quiet_on=frozenset(fields.texts("quiet_on", one_of(_QUIETABLE))) | {"ok"}
            if fields.has("quiet_on")
            else QUIET,
            complain_after=fields.text("complain_after", number(1, 1000)) or 3,
            writes_to=folders,
        )

    def _times(self) -> Times | None:
        fields = self._fields
        if fields.has("every") == fields.has("at"):
            fields.wrong(None, "one of `every` and `at` must be there", "Write `every: 15m`, or `at: 03:10` (UTC).")
            return None
        days = [DAY_NAMES.index(day) for day in fields.texts("days", one_of(DAY_NAMES))]
        if fields.has("every"):
            period = fields.text("every", one_of(tuple(PERIODS)))
            if days:
                fields.wrong("days", "`days` goes with `at`", "Leave it out, or write `at:` times.")
            return every(period) if period else None
        minutes = set(fields.texts("at", minute_of_day))
        return at(minutes, frozenset(days) or EVERY_DAY) if minutes else None

    def _bounds(self, times: Times) -> tuple[int, int]:
        """Splay and deadline: a tenth of the period, at most 10 minutes, and seven tenths, at most half an hour."""
        fields, period = self._fields, times.gaps_s[0]
        splay = fields.text("splay", seconds)
        splay_s = min(period // 10, 600) if splay is None else splay
        deadline_s = fields.text("deadline", seconds) or min(period * 7 // 10, 1800)
        if splay_s + deadline_s + MARGIN_S > period:
            message = (
                f"splay ({splay_s} s), deadline ({deadline_s} s) and {MARGIN_S} s to end in are longer than the"
                f" shortest period, {period} s"
            )
            fields.wrong("deadline", message, "Shorten one of them, or choose a longer period.")
        elif not MARGIN_S <= deadline_s <= _LONGEST_S:
            fields.wrong("deadline", f"must be from {MARGIN_S}s to 24h", "Give the run time to begin, and an end.")
        return splay_s, deadline_s

    def _options(self, run: str) -> tuple[tuple[str, ...], tuple[Path, ...]]:
        known = RUNS[run]
        fields = self._fields.under("with", tuple(known))
        arguments: list[str] = []
        folders: list[Path] = []
        for key, option in known.items():
            values = fields.texts(key, lambda text, option=option: option.convert(text, fields.folder))  # type: ignore[misc]
            if len(values) > 1 and not option.many:
                fields.wrong(key, "this must be one value", "Leave one.")
            if option.required and not fields.has(key):
                self._fields.wrong("run", f"{run} needs `with: {{{key}: ...}}`", f"Write `{key}` under `with:`.")
            folders += [folder for value in values for folder in option.written(value)]
            for value in values:
                arguments += (option.flag, value)
        return tuple(arguments), tuple(folders)
