"""What `health` and `collect` have in common on the command line."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkctl.cli.options import Decorated, Seconds, selector_argument, sinks_option, with_format, with_places

if TYPE_CHECKING:
    from sparkctl.app.over_tree import OverTree
    from sparkctl.app.run import RunRequest, RunTally
    from sparkctl.evidence.trust import Trust
    from sparkctl.report.outputs import SweepOutput

_OPTIONS = (
    click.option("--concurrency", type=click.IntRange(1, 2000), default=50, show_default=True, help="Nodes at once."),
    click.option(
        "--timeout",
        type=Seconds(1, 3600),
        default=60.0,
        show_default=True,
        help="Seconds for one node, with all its retries.",
    ),
    click.option("--deadline", type=Seconds(1, 86400), help="Seconds for the whole run; whoever is left is named."),
    click.option("--per-site", type=click.IntRange(1), help="Nodes of one site at once."),
    click.option("--per-rack", type=click.IntRange(1), help="Nodes of one rack at once."),
    click.option("--per-jump", type=click.IntRange(1), help="Nodes behind one jump host at once."),
    click.option(
        "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that visit the nodes."
    ),
    click.option("--shard", metavar="K/N", help="Only part K of N, the same nodes on every bastion."),
    click.option(
        "--resume", metavar="RUN", help="Take up a run that ended early ('last'); nodes that reported are kept."
    ),
    sinks_option,
)


def with_run_options(command: Decorated) -> Decorated:
    """Add SELECTOR, the places, `--format` and all that bounds a run."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return selector_argument(with_places(with_format(command)))


def run_request(
    selector: tuple[str, ...], fleet: Path | None, state: Path | None, bounds: dict[str, Any]
) -> "RunRequest":
    """The request that these options make; `bounds` are those that only runs have."""
    from sparkctl.app.places import places
    from sparkctl.app.run import RunRequest
    from sparkctl.executor.limits import Limits
    from sparkctl.executor.queue import PlaceLimits
    from sparkctl.inventory.shards import Shard

    if bounds["resume"] and (selector or bounds["shard"]):
        raise click.UsageError("--resume takes the nodes of the earlier run; it goes with neither SELECTOR nor --shard")
    return RunRequest(
        places=places(fleet, state, bounds["sinks"]),
        selector=",".join(selector) or "all",
        limits=Limits.within(bounds["timeout"], concurrency=bounds["concurrency"]),
        place_limits=PlaceLimits(site=bounds["per_site"], rack=bounds["per_rack"], jump=bounds["per_jump"]),
        deadline_s=bounds["deadline"],
        shard=Shard.parse(bounds["shard"]) if bounds["shard"] else None,
        resume=bounds["resume"],
        workers=bounds["workers"],
        say=lambda words: click.echo(f"sparkctl: {words}", err=True),
    )


_TRUST = (
    click.option("--allowed-signers", type=click.Path(path_type=Path), metavar="FILE", help="Who may have signed it."),
    click.option(
        "--public-key", type=click.Path(path_type=Path), metavar="FILE", help="The key it must be signed with."
    ),
)


def with_trust(command: Decorated) -> Decorated:
    """Add whose signature on a bundle is believed."""
    for option in reversed(_TRUST):
        command = option(command)
    return command


def with_bundle(command: Decorated) -> Decorated:
    """Add `--bundle` and whose signature on it is believed."""
    file = click.option(
        "--bundle", type=click.Path(path_type=Path), metavar="FILE", help="A bundle, in place of nodes."
    )
    return file(with_trust(command))


_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def _size(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """A number of bytes with its unit, such as `2G`."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})([KMGT])", value)
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a size: write 500M or 2G", context, option)
    return int(match[1]) * _UNITS[match[2]]


_BUNDLES = (
    click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where bundles go [.]."),
    click.option(
        "--sign", "key", type=click.Path(path_type=Path), metavar="KEY", help="OpenSSH or PEM key to sign with."
    ),
    click.option(
        "--with",
        "named",
        multiple=True,
        metavar="NAME[=SECONDS]",
        help="Take this as well, which is only taken when named: nvidia-bug-report, sosreport, pci.registers.",
    ),
    click.option(
        "--total-size", callback=_size, metavar="SIZE", help="Stop when bundles have this size together (2G)."
    ),
)


def with_bundle_options(command: Decorated) -> Decorated:
    """Add where bundles go, who signs them, what they take beside the usual, and how large they may become."""
    for option in reversed(_BUNDLES):
        command = option(command)
    return command


def trust_of(allowed_signers: Path | None, public_key: Path | None) -> "Trust | None":
    """Whose signature is believed; None where only integrity is asked for."""
    from sparkctl.evidence.trust import AllowedSigners, PublicKey

    if allowed_signers is not None and public_key is not None:
        raise click.UsageError("--allowed-signers and --public-key say two things; give one of them")
    if allowed_signers is not None:
        return AllowedSigners(allowed_signers)
    return PublicKey(public_key) if public_key is not None else None


def ask_bundle(file: Path, trust: "Trust | None", asking: "OverTree", tally: "RunTally", output: "SweepOutput") -> int:
    """Ask a bundle what nodes are asked elsewhere; what is to be said of it goes to standard error."""
    from sparkctl.app.evidence_tree import ask_evidence, evidence_of

    with evidence_of(file, trust) as evidence:
        code = ask_evidence(evidence, asking, tally, output)
    for note in evidence.notes:
        click.echo(f"sparkctl: {note}", err=True)
    return code


def refuse_nodes(selector: tuple[str, ...], bounds: dict[str, Any], named: str) -> None:
    """A bundle stands in the place of nodes."""
    if selector or bounds["resume"] or bounds["shard"]:
        raise click.UsageError(f"{named} takes the place of nodes: neither SELECTOR, --shard nor --resume")


def output_for(form: str, *, verbose: bool) -> "SweepOutput":
    """Where the outcomes go."""
    from sparkctl.report.outputs import JsonDocument, JsonLines, Screen

    if form == "human":
        return Screen(sys.stdout, sys.stderr, verbose=verbose)
    return JsonDocument(sys.stdout) if form == "json" else JsonLines(sys.stdout)
