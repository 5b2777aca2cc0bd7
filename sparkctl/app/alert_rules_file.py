"""Read the rules of alerting, strictly: every error names file, line and key."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import matches, minute_of_day, number, one_of, seconds, selector_word
from sparkctl.app.settings_file import examined, settings_path, usable
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.yaml_nodes import Mapping as YamlMapping
from sparkctl.model.alert_rules import HOLD_WORDS, HOLDS, AlertRules, Flapping, Hold, HoldRule, Window
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.facets.fields import UnknownField, type_at
from sparkctl.model.facets.paths import ANY, from_text
from sparkctl.model.facets.paths import Path as FieldPath
from sparkctl.model.inventory import Problem
from sparkctl.model.printable import printable
from sparkctl.model.schedule_times import DAY_NAMES, EVERY_DAY, at

FILE_VARIABLE = "SPARKCTL_ALERTS"
FILE_NAME = "alerts.yaml"

_TOP = ("version", "hold", "flapping", "roll_up", "watch", "ignore", "windows")
_HOLD = ("visits", "after", "recovery_visits", "recovery_after")
_WINDOW = ("selector", "at", "days", "for", "reason")
_LONGEST_WINDOW_S = 7 * 86400


def rules_file(option: Path | None, environ: Mapping[str, str], fleet: Path | None) -> Path | None:
    """The file of rules: `--rules`, then SPARKCTL_ALERTS, then `alerts.yaml` beside the inventory, if it is there."""
    return settings_path(option, environ.get(FILE_VARIABLE), fleet, FILE_NAME)


def read_rules(path: Path | None) -> AlertRules:
    """The rules in a file, the defaults without one. Raises UsageError for the first error, with file, line and key."""
    return AlertRules() if path is None else usable(examine_rules(path), "sparkctl alerts check")


def examine_rules(path: Path) -> tuple[AlertRules | None, list[Problem]]:
    """What the file says, None where that is of no use, and everything that is wrong with it."""
    return examined(path, "of rules", lambda root, problems: _Reader(path, root, problems).read())


class _Reader:
    def __init__(self, path: Path, root: YamlMapping, problems: Problems) -> None:
        self._path, self._problems = path, problems
        self._top = Fields(root, "", path, problems, _TOP)

    def read(self) -> AlertRules:
        """The rules; what is wrong is among the problems."""
        top, default = self._top, AlertRules()
        top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
        roll_up = top.under("roll_up", ("nodes", "window"))
        return AlertRules(
            holds=self._holds(),
            flapping=self._flapping(),
            roll_up_nodes=roll_up.text("nodes", number(2, 100_000)) or default.roll_up_nodes,
            roll_up_window_s=_or(roll_up.text("window", seconds), default.roll_up_window_s),
            watched=tuple(top.texts("watch", _field)) if top.has("watch") else default.watched,
            ignored=tuple(top.texts("ignore", _pattern)),
            windows=tuple(self._windows()),
        )

    def _holds(self) -> tuple[HoldRule, ...]:
        found: list[HoldRule] = []
        for name, fields in self._under("hold", _HOLD, _hold_word):
            found.append(
                HoldRule(
                    name,
                    _hold(fields.text("visits", number(1, 1000)), fields.text("after", seconds)),
                    _hold(fields.text("recovery_visits", number(1, 1000)), fields.text("recovery_after", seconds)),
                )
            )
        said = {rule.match for rule in found}
        return (*found, *(rule for rule in HOLDS if rule.match not in said))

    def _flapping(self) -> Flapping:
        fields, default = self._top.under("flapping", ("above", "calm_below", "half_life")), Flapping()
        above = _or(fields.text("above", number(2, 1000)), default.above)
        calm = _or(fields.text("calm_below", number(1, 1000)), default.calm_below)
        if calm >= above:
            fields.wrong("calm_below", f"must be less than `above`, which is {above:g}", "Lower it.")
        half_life_s = fields.text("half_life", seconds)
        if half_life_s == 0:
            fields.wrong("half_life", "must be longer than nothing", "Write a duration such as 6h.")
        return Flapping(above, calm, half_life_s or default.half_life_s)

    def _windows(self) -> list[Window]:
        return [
            window
            for name, fields in self._under("windows", _WINDOW, _window_name)
            if (window := _window(name, fields)) is not None
        ]

    def _under(self, key: str, known: tuple[str, ...], name_of: Callable[[str], str]) -> list[tuple[str, Fields]]:
        """The entries of a mapping of mappings that may be missing, by their names."""
        if not self._top.has(key):
            return []
        entries = self._top.entries(key, required="Write entries under it, or leave it out.")
        found: list[tuple[str, Fields]] = []
        for name, line, node in entries:
            where = Where(str(self._path), line, f"{key}.{printable(name, 60)}")
            try:
                name_of(name)
            except ValueError as error:
                self._problems.error(where, f"this {error}", "Correct it.")
                continue
            if isinstance(node, YamlMapping):
                found.append((name, Fields(node, where.key or "", self._path, self._problems, known)))
            else:
                self._problems.error(where, "this must be a mapping", f"Write some of: {', '.join(known)}.")
        return found


def _window(name: str, fields: Fields) -> Window | None:
    selector = fields.texts("selector", selector_word)
    minutes = set(fields.texts("at", minute_of_day))
    days = [DAY_NAMES.index(day) for day in fields.texts("days", one_of(DAY_NAMES))]
    length_s = fields.text("for", seconds, required="Say how long it is: `for: 2h`.")
    reason = fields.text("reason", _line, required="Say why nothing is told: `reason: patching`.")
    for key in ("selector", "at"):
        if not fields.has(key):
            fields.wrong(None, f"`{key}` is missing", "Write `selector: rack=a1` and `at: 02:00` (UTC).")
    if length_s is not None and not 60 <= length_s <= _LONGEST_WINDOW_S:
        fields.wrong("for", "must be from 1m to 7d", "Write several windows for more.")
    if not selector or not minutes or not length_s or not reason:
        return None
    times = at(minutes, frozenset(days) or EVERY_DAY)
    return Window(name, ",".join(selector), times, timedelta(seconds=length_s), reason)


def _hold(visits: int | None, after: float | None) -> Hold:
    """Where only a time is said, visits do not count."""
    return Hold(visits or (1 if after is None else None), after)


def _or(said: float | None, default: float) -> float:
    return default if said is None else said


def _hold_word(text: str) -> str:
    if text not in HOLD_WORDS and "." not in text and "*" not in text:
        raise ValueError(f"is neither a pattern of checks such as gpu.* nor one of {', '.join(HOLD_WORDS)}")
    return text


def _window_name(text: str) -> str:
    if not text or len(text) > 60 or printable(text) != text:
        raise ValueError("is no name of a window: it has 1 to 60 printable characters")
    return text


def _pattern(text: str) -> str:
    if not text or len(text) > 80 or printable(text) != text:
        raise ValueError("must be a check or a pattern such as gpu.*")
    return text


def _line(text: str) -> str:
    if not text.strip() or len(text) > MAX_TEXT or printable(text, MAX_TEXT) != text:
        raise ValueError(f"must be one printable line of 1 to {MAX_TEXT:,} characters")
    return text


def _field(text: str) -> FieldPath:
    path = from_text(text)
    try:
        type_at(path)
    except UnknownField as error:
        if error.name != ANY:
            raise ValueError(f"must be a field of a facet: {error}") from error
    return path
