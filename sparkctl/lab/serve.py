"""The process that serves a lab: `python -m sparkctl.lab.serve DIR`, started by `control.up`.

It goes into the background when every address listens. Until then it speaks to who started it: `ready` on standard
output, or one line of JSON on standard error that says what is wrong.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.lab import state
from sparkctl.lab.server import LabServer
from sparkctl.lab.state import Lab, Served


def main(directory: Path) -> int:
    """Serve the lab in `directory` in the background; returns twice, in the starter's child and in the server."""
    try:
        lab = state.read(directory)
        if lab is None:
            raise UsageError(f"there is no lab in {directory}")
        receive, send = os.pipe()
        if os.fork():
            os.close(send)
            return _pass_on(receive)
        os.close(receive)
        os.setsid()
        _serve(lab, send)
    except UsageError as error:
        print(json.dumps({"message": error.message, "hint": error.hint}), file=sys.stderr)  # noqa: T201
        return int(error.exit_code)
    return 0


def _pass_on(receive: int) -> int:
    """Wait until the server is ready or gives up, and say which."""
    with os.fdopen(receive, "r", encoding="utf-8") as pipe:
        word = pipe.read()
    if word == "ready":
        return 0
    print(word, file=sys.stderr)  # noqa: T201
    return int(UsageError.exit_code)


def _serve(lab: Lab, send: int) -> None:
    _detach(lab.directory / "server.log")
    try:
        with state.lock(lab.directory):
            asyncio.run(LabServer(lab).serve(lambda port: _ready(lab, port, send)))
            (lab.directory / "server.json").unlink(missing_ok=True)
    except UsageError as error:
        os.write(send, json.dumps({"message": error.message, "hint": error.hint}).encode())
    except BlockingIOError:
        os.write(send, json.dumps({"message": f"a lab already runs in {lab.directory}", "hint": None}).encode())


def _ready(lab: Lab, port: int, send: int) -> None:
    state.save_served(lab.directory, Served(os.getpid(), port, lab.revision))
    os.write(send, b"ready")
    os.close(send)


def _detach(log: Path) -> None:
    """Let go of the starter's terminal and pipes."""
    with Path(os.devnull).open("rb") as nothing, log.open("ab") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir("/")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
