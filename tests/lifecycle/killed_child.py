"""Records a delivery in this folder, and is killed at a point that it is told: `before`, `within`, `after`."""

import os
import signal
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from sparkctl.cli.main import main
from sparkctl.store.ledger import Ledger

point = sys.argv[1]
add = Ledger.add


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watched(self: Ledger, *given: Any) -> Any:
    if point == "before":
        die()
    made = add(self, *given)
    if point == "after":
        die()
    return made


def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if point == "within" and statement.startswith("INSERT INTO ledger"):
        die()


setattr(Ledger, "add", watched)  # noqa: B010 - as a stranger would, behind the types
event.listen(Engine, "after_cursor_execute", executed)
sys.argv = ["sparkctl", *sys.argv[2:]]
main()
