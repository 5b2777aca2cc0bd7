"""The programs that nodes are asked with, each of them made once."""

from functools import cache
from threading import Lock

from sparkctl.probes.program import Program, bundle
from sparkctl.resources import shipped

_MAKING = Lock()  # beside the work saved: Python 3.11 may raise SystemError where two threads parse source at once


def program_of(command: str) -> Program:
    """The program of one of our commands; threads that ask for it at the same time wait for the first of them.

    Raises SparkctlError where it cannot be made.
    """
    with _MAKING:
        return _made(command)


@cache
def _made(command: str) -> Program:
    return bundle(shipped("diag"), command)
