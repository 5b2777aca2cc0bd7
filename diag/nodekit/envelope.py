"""Put what the workers brought into the one envelope of a run, and print it."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

from diag.nodekit import document
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.node_facts import NodeFacts
from diag.nodekit.printable import printable
from diag.nodekit.vocabulary import Severity
from diag.nodekit.workers import Results, Task, judge_all

VERSION = "0.1.0"
TOOL = "spark_diagctl"
EMIT_SECONDS = 1.0  # kept back from the limit for building and printing the document
EXIT_OK, EXIT_NOT_OK = 0, 1


def run(
    options: argparse.Namespace,
    machine: Machine,
    tasks: Sequence[Task],
    *,
    tool: str = TOOL,
    schema: str,
    data: Callable[[Results], Document],
    drops: Sequence[document.Drop],
    started: float,
) -> int:
    """Do the tasks, print the envelope of what they brought, and return the exit status.

    `data` makes the envelope's data of the results, `drops` say what to leave out when the document is over its limit.
    `started` is in monotonic seconds.
    """
    results = judge_all(
        [NodeFacts(is_here=machine.root is None), *tasks], machine, deadline=started + options.seconds - EMIT_SECONDS
    )
    return finish(options, machine, results, tool=tool, schema=schema, data=data(results), drops=drops, started=started)


def finish(
    options: argparse.Namespace,
    machine: Machine,
    results: Results,
    *,
    tool: str = TOOL,
    schema: str,
    data: Document,
    drops: Sequence[document.Drop],
    started: float,
) -> int:
    """Print the envelope of what `run` brought, NodeFacts among it, and return the exit status."""
    whole = {
        "ok": True,
        "data": data,
        "errors": [document.error("check.bug", printable(bug), severity=Severity.WARNING) for bug in results.bugs[:50]],
        "meta": _meta(options, machine, results, (tool, schema), started),
    }
    encoded = document.fit(whole, options.bytes, drops)
    document.write(encoded, options.nonce, hashlib.sha256(encoded).hexdigest())
    return EXIT_OK if whole["ok"] else EXIT_NOT_OK


def _meta(
    options: argparse.Namespace, machine: Machine, results: Results, names: tuple[str, str], started: float
) -> dict[str, Any]:
    tool, schema = names
    facts = next(part for part in results.documents if "node" in part)
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "tool": tool,
        "version": VERSION,
        "schema": schema,
        "collected_at_utc": _utc(machine.now()),
        "node": facts["node"],
        "program_sha256": options.program_sha256,
        "limits": {"seconds": options.seconds, "bytes": options.bytes},
        "cost": {
            "wall_ms": round((time.monotonic() - started) * 1000),
            "cpu_ms": round((own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime) * 1000),
            "children": results.children,
            "bytes": results.bytes,
        },
        "elevation": options.elevation,
        "origin": machine.origin,
        "truncated": False,
        "truncation": [],
        "clock": facts["clock"],
    }


def _utc(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
