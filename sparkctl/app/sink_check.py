"""Everything that is wrong with a file of sinks and with what it names, as far as it can be seen without sending."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from sparkctl.app.places import Places
from sparkctl.app.sink_file import examine
from sparkctl.app.sink_routes import nodes_of
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.problems import Problems, Where
from sparkctl.model.event import EventKind
from sparkctl.model.inventory import Problem
from sparkctl.model.sink import SinkPlan, SinkSettings
from sparkctl.sinks.seam import SinkTrouble
from sparkctl.sinks.secret import read_secret
from sparkctl.sinks.sendmail import DEFAULT_PATH
from sparkctl.sinks.wire import tls_context

_TLS = ("https", "tls")


def check(places: Places, path: Path) -> list[Problem]:
    """Everything that is wrong; empty when nothing is."""
    plan, found = examine(path)
    if plan is None:
        return found
    problems = Problems()
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        problems.warning(Where(str(path)), "others than its owner may write this file", f"chmod go-w {path}")
    _selectors(places, plan, problems)
    for sink in plan.sinks.values():
        for key, message, action in _of_sink(sink):
            problems.error(Where(str(plan.file), None, f"sinks.{sink.name}.{key}"), message, action)
        if sink.address.scheme == "syslog+udp":
            action = "Use syslog+tls or syslog+tcp where events must arrive."
            where = Where(str(plan.file), None, f"sinks.{sink.name}.url")
            problems.warning(where, "over UDP nobody says whether an event arrived", action)
        if sink.address.scheme == "sendmail" and EventKind.VISIT in sink.only.kinds:
            where = Where(str(plan.file), None, f"sinks.{sink.name}.only.kinds")
            problems.warning(where, "this is a mail for each node of each run", "Leave `visit` out.")
    return [*found, *problems.listed()]


def _selectors(places: Places, plan: SinkPlan, problems: Problems) -> None:
    asking = {name: only.selector for name, sink in plan.sinks.items() if (only := sink.only).selector is not None}
    if not asking:
        return
    try:
        fleet = load_fleet(places.fleet)
    except UsageError as error:
        problems.error(Where(str(plan.file)), error.message, error.hint or "Name the inventory with --fleet.")
        return
    for name, selector in asking.items():
        try:
            nodes_of(selector or "", fleet, name)
        except UsageError as error:
            where = Where(str(plan.file), None, f"sinks.{name}.only.selector")
            problems.error(where, error.message.removeprefix(f"{name}: "), error.hint or "Correct the selector.")


def _of_sink(sink: SinkSettings) -> Iterator[tuple[str, str, str]]:
    """Key, what is wrong, and what to do."""
    scheme, path = sink.address.scheme, Path(sink.address.path)
    if sink.secret is not None:
        try:
            secret = read_secret(sink.secret, os.environ)
            if not scheme.startswith("webhook") and sink.user is None:
                secret.header()
        except SinkTrouble as trouble:
            yield sink.secret.source.value, trouble.down.words, "Put it right; nothing is sent there before."
    if scheme.endswith(_TLS):
        try:
            tls_context(sink)
        except SinkTrouble as trouble:
            yield "ca_file", trouble.down.words, "Name a file of certificates in PEM."
    if scheme == "file":
        yield from _folder(path.parent)
    elif scheme == "prometheus":
        yield from _folder(path)
    elif scheme == "sendmail" and shutil.which(sink.address.path or DEFAULT_PATH) is None:
        yield "url", f"there is no program {sink.address.path or DEFAULT_PATH}", "Install a mail system that brings it."


def _folder(folder: Path) -> Iterator[tuple[str, str, str]]:
    if not folder.is_dir():
        yield "url", f"there is no folder {folder}", "Make it."
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield "url", f"this user may not write to {folder}", "Run as one that may, or give it the right."
