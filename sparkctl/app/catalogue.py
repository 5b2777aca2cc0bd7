"""The catalogues of checks, facets, sources, artefacts and controllers.

They are asked of the programs themselves, since the bastion imports nothing of them.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sparkctl.app.programs import program_of
from sparkctl.errors import SparkctlError
from sparkctl.model.health import Threshold

ASK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One check; `elevated` lists the commands that its observation runs as root where a node allows it."""

    check: str
    title: str
    required: bool
    elevated: tuple[tuple[str, ...], ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class FacetEntry:
    """One facet; `elevated` lists the commands that it runs as root where a node allows it."""

    facet: str
    title: str
    elevated: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One source of evidence; `elevated` lists the commands that it runs as root where a node allows it."""

    source: str
    elevated: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ArtefactEntry:
    """One entry of a bundle: `source` is what is run or read, `limit` in bytes, `keep` which end of it is kept.

    `seconds` bound what is taken, `longest` that with all that is around it.
    """

    name: str
    source: str
    kind: str
    limit: int
    keep: str
    elevated: bool
    seconds: float
    longest: float


@dataclass(frozen=True, slots=True)
class CollectorEntry:
    """One collector of a bundle; `takes` is empty where it makes them of what it finds on the node.

    It is asked for as `called`; `reports` says that a tool of another maker writes what it takes.
    """

    collector: str
    called: str
    title: str
    volatility: str
    opt_in: bool
    reports: bool
    takes: tuple[ArtefactEntry, ...]
    elevated: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ControllerEntry:
    """One controller: its exact command, that which takes it back, or why there is none.

    `parameters` are JSON Schemas by name, `required` are those that must be given, `about` says what each is for. A
    value in a command is its parameter's name in capitals. `longest_s` bounds the command.
    """

    controller: str
    title: str
    parameters: dict[str, dict[str, Any]]
    required: tuple[str, ...]
    about: dict[str, str]
    argv: tuple[str, ...]
    undo: tuple[str, ...] | None
    no_undo: str
    needs_before: bool
    longest_s: float


def controller_catalogue() -> list[ControllerEntry]:
    """Every controller of the control program, by name; raises SparkctlError when the program does not answer."""
    return [
        ControllerEntry(
            controller=str(entry["controller"]),
            title=str(entry["title"]),
            parameters={name: one["schema"] for name, one in entry["parameters"].items()},
            required=tuple(name for name, one in entry["parameters"].items() if one["required"] is True),
            about={name: str(one["about"]) for name, one in entry["parameters"].items()},
            argv=tuple(entry["argv"]),
            undo=None if entry["undo"] is None else tuple(entry["undo"]),
            no_undo=str(entry["no_undo"]),
            needs_before=entry["needs_before"] is True,
            longest_s=float(entry["longest_s"]),
        )
        for entry in _listed("control", "controllers")
    ]


def catalogue() -> list[CatalogueEntry]:
    """Every check of the health program, by id; raises SparkctlError when the program does not answer."""
    return [_entry(check) for check in _listed("health", "checks")]


def facet_catalogue() -> list[FacetEntry]:
    """Every facet of the collect program, by name; raises SparkctlError when the program does not answer."""
    return [
        FacetEntry(str(facet["facet"]), str(facet["title"]), tuple(tuple(argv) for argv in facet["elevated"]))
        for facet in _listed("collect", "facets")
    ]


def source_catalogue() -> list[SourceEntry]:
    """Every source of evidence of the reset program, by name; raises SparkctlError when the program does not answer."""
    return [
        SourceEntry(str(source["source"]), tuple(tuple(argv) for argv in source["elevated"]))
        for source in _listed("reset-reason", "sources", "--list")
    ]


def collector_catalogue(named: Iterable[str] = ()) -> list[CollectorEntry]:
    """Every collector of the bundle program, soonest gone first; raises SparkctlError when it does not answer.

    `named` are names with limits of seconds, which then hold (`sosreport=600`).
    """
    limits = f"--with={','.join(named)}"
    return [
        CollectorEntry(
            collector=str(entry["collector"]),
            called=str(entry["called"]),
            reports=entry["reports"] is True,
            title=str(entry["title"]),
            volatility=str(entry["volatility"]),
            opt_in=entry["opt_in"] is True,
            takes=tuple(_artefact(take) for take in entry["takes"] or ()),
            elevated=tuple(tuple(argv) for argv in entry["elevated"]),
        )
        for entry in _listed("bundle", "collectors", "artefacts", limits)
    ]


def _artefact(take: dict[str, Any]) -> ArtefactEntry:
    source = take["source"]
    path = str(source.get("path"))
    place = f"{path}: {' '.join(take['files'])}" if take["files"] else path
    return ArtefactEntry(
        name=str(take["name"]),
        source=" ".join(source["argv"]) if "argv" in source else place,
        kind=str(take["kind"]),
        limit=int(take["limit"]),
        keep=str(take["keep"]),
        elevated=take["elevate"] is True,
        seconds=float(take["seconds"]),
        longest=float(take["longest"]),
    )


def _listed(program: str, what: str, *command: str) -> list[dict[str, Any]]:
    """What a program lists when it is run with a command, which is named as the list where there is no other word."""
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-", *(command or (what,))],
        input=program_of(program).text, capture_output=True, timeout=ASK_SECONDS, check=False,
    )  # fmt: skip
    if asked.returncode != 0:
        raise SparkctlError(f"the program does not list its {what}: {asked.stderr.decode(errors='replace')[-300:]}")
    listed: list[dict[str, Any]] = json.loads(asked.stdout)[what]
    return listed


def _entry(check: dict[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(
        check=str(check["check"]),
        title=str(check["title"]),
        required=check["required"] is True,
        elevated=tuple(tuple(argv) for argv in check["elevated"]),
        thresholds=tuple(Threshold.model_validate_json(json.dumps(threshold)) for threshold in check["thresholds"]),
    )
