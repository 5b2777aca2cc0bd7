"""systemd-run and systemctl of a simulated node: units are real processes that outlive the connection."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sparkctl.lab import node_state
from sparkctl.lab.node_state import BOOT_ID, REBOOT, RUN, UNITS
from sparkctl.lab.stand_ins.said import complain, options_in, say

FOLDER, BOOT_ID_FILE, THEN = "/run/sparkctl", "/proc/sys/kernel/random/boot_id", "--then"
PYTHON, TEXT = 4, 5  # words of what is run: python3 -I -S -c TEXT; what comes behind goes to the text
STOP_SECONDS = 3.0
NOT_LOADED, FAILED_TO_START = 5, 1
MASKS = "/run/systemd/system.control"


def systemd_run(folder: Path, arguments: list[str]) -> int:
    """Start a transient unit, once under each name."""
    cut = arguments.index("--")
    options, words = options_in(arguments[:cut], "unit", "property", "setenv"), arguments[cut + 1 :]
    unit = options["unit"][0]
    place = folder / UNITS / unit
    try:
        place.mkdir(parents=True)
    except FileExistsError:
        complain(f"Failed to start transient service unit: Unit {unit} was already loaded or has a fragment file.")
        return FAILED_TO_START
    properties = dict(one.split("=", 1) for one in options["property"])
    environment = os.environ | dict(one.split("=", 1) for one in options["setenv"])
    _tell(place, {"ActiveState": "active", "SubState": "running"}, begun=_now())
    if os.fork() == 0:
        _keep(folder, place, words, float(properties.get("RuntimeMaxSec", "1e9")), environment)
    return 0


def _keep(folder: Path, place: Path, words: list[str], longest: float, environment: dict[str, str]) -> None:
    """Be the unit: let go of who started it, run the launcher, note how it ended; never returns."""
    try:
        os.setsid()
        with Path(os.devnull).open("r+b") as nothing:
            for number in range(3):
                os.dup2(nothing.fileno(), number)
        (place / "pid").write_text(str(os.getpid()), "ascii")
        status, timed_out = _run(_as_played(folder, words), longest, environment)
        result = "timeout" if timed_out else "success" if status == 0 else "exit-code"
        told = {"ActiveState": "active", "SubState": "exited"} if result == "success" else {}
        _swap(folder)
        _tell(place, {"ActiveState": "failed", "SubState": "failed"} | told, status=status, result=result, ended=_now())
    finally:
        os._exit(0)


def _run(words: list[str], longest: float, environment: dict[str, str]) -> tuple[int, bool]:
    main = subprocess.Popen(words, env=environment, cwd="/")
    try:
        return main.wait(timeout=longest), False
    except subprocess.TimeoutExpired:
        main.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return main.wait(timeout=STOP_SECONDS), True
    main.kill()
    return main.wait(), True


def _as_played(folder: Path, words: list[str]) -> list[str]:
    """The same words with the lab's own interpreter, folder, boot id and commands in place of the node's."""
    text = words[PYTHON].replace(json.dumps(FOLDER), json.dumps(str(folder / RUN)))
    text = text.replace(json.dumps(BOOT_ID_FILE), json.dumps(str(folder / BOOT_ID)))
    cut = words.index("--", TEXT)
    argv = [_played(folder, word) if _leads(words, at) else word for at, word in enumerate(words) if at > cut]
    return [sys.executable, "-I", "-S", "-c", text, *words[TEXT : cut + 1], *argv]


def _leads(words: list[str], at: int) -> bool:
    return words[at - 1] in ("--", THEN)


def _played(folder: Path, word: str) -> str:
    """Never a command of this machine: what the lab does not play is not there."""
    return str(folder / "bin" / Path(word).name)


def _swap(folder: Path) -> None:
    if node_state.facts(folder)["fault"] == "act-swaps-identity":
        with node_state.changing(folder) as state:
            state.swapped = True


def _now() -> int:
    return round(time.monotonic() * 1e6)


def _tell(place: Path, words: dict[str, str], **more: Any) -> None:
    before = json.loads((place / "unit.json").read_text()) if (place / "unit.json").exists() else {}
    node_state.write(place / "unit.json", json.dumps(before | {"words": words} | more))


def systemctl(folder: Path, arguments: list[str]) -> int:
    """The verbs that acts use."""
    options = [word for word in arguments if word.startswith("--")]
    verb, *names = [word for word in arguments if not word.startswith("--")]
    if verb == "reboot":
        return _reboot(folder)
    if verb == "show":
        return _show(folder, options, names)
    if verb == "daemon-reload":
        return 0
    if verb in ("start", "stop"):
        return _switch(folder, names, on=verb == "start")
    complain(f"Unknown command verb '{verb}', did you mean something that this lab plays?")
    return 1


def _switch(folder: Path, names: list[str], *, on: bool) -> int:
    """Stop units, or start those that are not masked."""
    known = node_state.facts(folder)["units"]
    with node_state.changing(folder) as state:
        masked = [name for name in names if name in state.masked]
        state.stopped = sorted({*state.stopped} - ({*names} - {*masked}) if on else {*state.stopped, *names})
    absent = [name for name in names if name not in known]
    for name in absent:
        complain(f"Failed to {'start' if on else 'stop'} {name}: Unit {name} not found.")
    for name in masked if on else ():
        complain(f"Failed to start {name}: Unit {name} is masked.")
    return NOT_LOADED if absent else FAILED_TO_START if on and masked else 0


def mkdir(folder: Path, arguments: list[str]) -> int:  # noqa: ARG001 - the one folder that acts make
    """The folder of masks is always there."""
    return 0


def ln(folder: Path, arguments: list[str]) -> int:
    """`-s -f /dev/null MASKS/UNIT`: mask a unit in memory."""
    return _mask(folder, arguments[-1:], on=True)


def rm(folder: Path, arguments: list[str]) -> int:
    """`-f MASKS/UNIT ...`: take masks away."""
    return _mask(folder, [word for word in arguments if not word.startswith("-")], on=False)


def _mask(folder: Path, paths: list[str], *, on: bool) -> int:
    names = {Path(path).name for path in paths if path.startswith(f"{MASKS}/")}
    with node_state.changing(folder) as state:
        state.masked = sorted({*state.masked} | names if on else {*state.masked} - names)
    return 0 if len(names) == len(paths) else 1


def _show(folder: Path, options: list[str], names: list[str]) -> int:
    wanted = options_in(options, "property")["property"][0].split(",")
    blocks = []
    for name in names:
        words = _transient(folder, name) if name.startswith("sparkctl-act-") else _unit(folder, name)
        blocks.append("".join(f"{key}={words.get(key, '')}\n" for key in wanted))
    say("\n".join(blocks).rstrip("\n"))
    return 0


def _transient(folder: Path, name: str) -> dict[str, str]:
    try:
        told = json.loads((folder / UNITS / name / "unit.json").read_text("utf-8"))
    except FileNotFoundError:
        return {"Id": name, "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
    if told["words"]["SubState"] == "running" and _is_gone(folder / UNITS / name / "pid"):
        told |= {"words": {"ActiveState": "failed", "SubState": "failed"}, "status": 9, "result": "signal"}
    times = {"ExecMainStartTimestampMonotonic": told["begun"], "ExecMainExitTimestampMonotonic": told.get("ended", 0)}
    ended = {"ExecMainStatus": told.get("status", 0), "Result": told.get("result", "success")}
    return {
        "Id": name,
        "LoadState": "loaded",
        **told["words"],
        **{key: str(one) for key, one in (times | ended).items()},
    }


def _is_gone(pid: Path) -> bool:
    """Whether somebody ended the unit; one whose number is not yet noted has only begun."""
    try:
        os.kill(int(pid.read_text("ascii")), 0)
    except ProcessLookupError:
        return True
    except (FileNotFoundError, ValueError):
        return False
    return False


def _unit(folder: Path, name: str) -> dict[str, str]:
    state, known = node_state.read(folder), node_state.facts(folder)["units"]
    load = "masked" if name in state.masked else "loaded" if name in known else "not-found"
    active = "inactive" if name in state.stopped else known.get(name, "inactive")
    return {"Id": name, "LoadState": load, "ActiveState": active}


def _reboot(folder: Path) -> int:
    """Ask the lab's server, which cuts the node off, waits, and lets it come back."""
    node_state.write(folder / REBOOT, "")
    served = json.loads((folder.parents[1] / "server.json").read_text("utf-8"))
    os.kill(served["pid"], signal.SIGUSR1)
    return 0
