"""`bundle`: bring what an engineer will want to read, and all that our own programs read (L2).

Prints a stream of entries and, behind it, the one document that says what they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection
from typing import BinaryIO

from diag.nodekit import envelope
from diag.nodekit.catalogue import elevated_commands, load_checks
from diag.nodekit.collector import LoadedCollector, Take
from diag.nodekit.collector_names import named_in, with_limits
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.jobs import END, FRAME, STREAM_MAGIC, Carrier, Job
from diag.nodekit.judge import Document, group_by_observation
from diag.nodekit.machine import Machine
from diag.nodekit.node_facts import NodeFacts
from diag.nodekit.taking import ListJob, MachineJob, RecordJob, TakeJob, jobs_of, take_of
from diag.nodekit.vocabulary import TakenStatus
from diag.nodekit.workers import Task, judge_all
from diag.reset.scope import Scope
from diag.reset.source_task import load_sources
from diag.reset.witnesses import WitnessTask

EXIT_USAGE = 2
SCHEMA = "sparkctl.bundle/1"
ENDS = 3  # ends of boots whose evidence is recorded
FINISH_SECONDS = 2.0  # kept back from the limit for what is on its way


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:
    """Send the stream and its document; returns the exit status."""
    if options.nonce is None:
        print("spark_diagctl: a bundle is a stream for the bastion that asks for it; `artefacts` lists what it takes",
              file=sys.stderr)  # fmt: skip
        return EXIT_USAGE
    try:
        collectors = chosen(named_in(options.named))
    except ValueError as wrong:
        print(f"spark_diagctl: {wrong}", file=sys.stderr)
        return EXIT_USAGE
    recorded = recorded_tasks()
    machine.elevated_commands = elevated(collectors)
    out = sys.stdout.buffer
    out.write(f"{STREAM_MAGIC} {options.nonce}\n".encode("ascii"))
    until = options.seconds - max((take.longest for one in collectors for take in one.collector.reports), default=0)
    results = judge_all([NodeFacts(is_here=machine.root is None)], machine, deadline=started + until / 4)
    ordinary = [one for one in collectors if not one.collector.reports]
    carrier = Carrier(machine, out, deadline=started + until - FINISH_SECONDS, budget=options.budget)
    takes, listing = _takes(carrier, ordinary)
    jobs: list[Job] = [MachineJob(ENDS), *(RecordJob(task, name) for name, task in recorded), *takes]
    facts = carrier.carry(jobs)
    carrier.close()
    reports = jobs_of([one for one in collectors if one.collector.reports], {})
    facts += _reported(machine, out, reports, len(jobs), deadline=started + options.seconds - FINISH_SECONDS)
    jobs, takes = [*jobs, *reports], [*takes, *reports]
    out.write(FRAME.pack(END, 0, 0, 0))
    for fact in facts:
        results.children += 1 + fact.pop("children", 0)
        results.bytes += fact.pop("read_bytes", 0)
    first_take = len(jobs) - len(takes)
    data = {
        "recording": [{"name": job.name, **_told(fact)} for job, fact in zip(jobs[:first_take], facts, strict=False)],
        "artefacts": [{**job.described(), **_told(fact)} for job, fact in zip(takes, facts[first_take:], strict=True)],
        "listing": listing,
    }
    return envelope.finish(options, machine, results, schema=SCHEMA, data=data, drops=DROPS, started=started)


def _without_words(statuses: Collection[str]) -> Callable[[Document], int]:
    """Takes the words about entries of these statuses out of the data; what an entry is and how whole it is stays."""

    def drop(data: Document) -> int:
        told = [
            one for one in (*data["recording"], *data["artefacts"]) if one["status"] in statuses and one.get("words")
        ]
        for one in told:
            del one["words"]
        return len(told)

    return drop


DROPS = (
    ("words about what was taken", _without_words((TakenStatus.COLLECTED, TakenStatus.ABSENT))),
    ("words about what is not whole", _without_words((TakenStatus.PARTIAL, TakenStatus.MISSING))),
)
"""What a document over its limit loses first; the entries themselves have come by then and are told in every case."""


def _told(fact: Document) -> Document:
    """What a job said of itself; of one that was not let come to its end, whether anything of it arrived."""
    return {"status": TakenStatus.PARTIAL if fact["bytes"] else TakenStatus.MISSING, **fact}


def _reported(machine: Machine, out: BinaryIO, jobs: list[TakeJob], first: int, *, deadline: float) -> list[Document]:
    """The facts of the reports, which are made once all else is taken: they are what disturbs a node, if anything does.

    Their numbers in the stream begin at `first`.
    """
    carrier = Carrier(machine, out, deadline=deadline, budget=sum(job.take.limit for job in jobs), first=first)
    facts = carrier.carry(jobs)
    carrier.close()
    return facts


def chosen(named: dict[str, float | None]) -> list[LoadedCollector]:
    """The collectors of a collection, with those that are named; raises ValueError for a name that is none's."""
    return [one for one in with_limits(named) if not one.collector.opt_in or one.called in named]


def recorded_tasks() -> list[tuple[str, Task]]:
    """Everything that our other programs would read, by a name for each task."""
    observations = group_by_observation(load_checks())
    pieces = [piece for facet in load_facets().values() for piece in facet.pieces]
    return [
        ("node", NodeFacts()),
        *((f"checks.{one.checks[0].check_id}", one) for one in observations),
        ("witnesses", WitnessTask()),
        *((f"facts.{piece.name}.{piece.number}", piece) for piece in pieces),
        *((f"reset.{source.name}", source) for source in load_sources(Scope(ENDS - 1))),
    ]


def elevated(collectors: list[LoadedCollector]) -> frozenset[tuple[str, ...]]:
    """Every argv that may run as root."""
    facets = load_facets().values()
    return (
        elevated_commands(load_checks())
        | {argv for facet in facets for argv in facet.facet.elevated}
        | {argv for source in load_sources(Scope()) for argv in source.elevated}
        | frozenset(WitnessTask().elevated)
        | {argv for one in collectors for argv in one.collector.elevated}
    )


def _takes(carrier: Carrier, collectors: list[LoadedCollector]) -> tuple[list[TakeJob], list[Document]]:
    """A job for each entry, and what went wrong with finding out what there is to take."""
    looking = [ListJob(one) for one in collectors if callable(one.collector.takes)]
    answers = {job.name: fact for job, fact in zip(looking, carrier.carry(looking), strict=True)}
    listed: dict[str, list[Take]] = {
        name: [take_of(take) for take in fact.get("takes", [])] for name, fact in answers.items()
    }
    trouble = [
        {
            "collector": name,
            "left_out": fact.get("left_out", 0),
            "reason": fact.get("reason"),
            "words": fact.get("words"),
        }
        for name, fact in answers.items()
        if fact.get("left_out") or fact.get("reason")
    ]
    return jobs_of(collectors, listed), trouble
