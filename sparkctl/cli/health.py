"""`sparkctl health`: judge nodes now."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import Seconds, selector_argument, with_format, with_places


@click.command()
@selector_argument
@with_places
@with_format
@click.option("--level", type=click.Choice(["L1"]), default="L1", help="How deep to look.", show_default=True)
@click.option("--concurrency", type=click.IntRange(1, 2000), default=50, show_default=True, help="Nodes at once.")
@click.option(
    "--timeout",
    type=Seconds(1, 3600),
    default=60.0,
    show_default=True,
    help="Seconds for one node, with all its retries.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="The status from which the exit code is 1.",
)
@click.option("--deadline", type=Seconds(1, 86400), help="Seconds for the whole sweep; whoever is left is named.")
@click.option("--per-site", type=click.IntRange(1), help="Nodes of one site at once.")
@click.option("--per-rack", type=click.IntRange(1), help="Nodes of one rack at once.")
@click.option("--per-jump", type=click.IntRange(1), help="Nodes behind one jump host at once.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that visit the nodes."
)
@click.option("--shard", metavar="K/N", help="Only part K of N, the same nodes on every bastion.")
@click.option("--resume", metavar="RUN", help="Take up a run that ended early ('last'); nodes that reported are kept.")
@click.option("-v", "--verbose", is_flag=True, help="Show more: all warnings, optional unknown checks, costs.")
def health(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    level: str,
    concurrency: int,
    timeout: float,
    fail_on: str,
    deadline: float | None,
    per_site: int | None,
    per_rack: int | None,
    per_jump: int | None,
    workers: int,
    shard: str | None,
    resume: str | None,
    verbose: bool,
) -> int:
    """Judge nodes over SSH, now.

    SELECTOR names nodes (spark[01-08]), or what they have in common (rack=a1); several are joined by "or". Without one,
    all nodes of the inventory are judged.

    \b
    Example:
      sparkctl health
      sparkctl health 'rack=a1 & !spark03' --format jsonl | jq -r .status
    """
    from sparkctl.app.health import SweepRequest, sweep
    from sparkctl.app.places import places
    from sparkctl.executor.limits import Limits
    from sparkctl.executor.queue import PlaceLimits
    from sparkctl.inventory.shards import Shard
    from sparkctl.model.vocabulary import Status
    from sparkctl.report.outputs import JsonDocument, JsonLines, Screen

    if resume and (selector or shard):
        raise click.UsageError("--resume takes the nodes of the earlier run; it goes with neither SELECTOR nor --shard")
    request = SweepRequest(
        places=places(fleet, state),
        selector=",".join(selector) or "all",
        limits=Limits.within(timeout, concurrency=concurrency),
        level=level,
        fail_on=Status(fail_on),
        place_limits=PlaceLimits(site=per_site, rack=per_rack, jump=per_jump),
        deadline_s=deadline,
        shard=Shard.parse(shard) if shard else None,
        resume=resume,
        workers=workers,
    )
    if form == "human":
        return sweep(request, Screen(sys.stdout, sys.stderr, verbose=verbose))
    return sweep(request, JsonDocument(sys.stdout) if form == "json" else JsonLines(sys.stdout))
