"""`sparkctl airgap mirror derive`: a mirror.yaml of what a node has."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import say, simulated, with_format, with_places

if TYPE_CHECKING:
    from sparkctl.app.mirror_derive import Derived


@click.command(short_help="Make a mirror.yaml of what a node has.")
@click.option("--from-node", "node", required=True, metavar="NODE", help="A node that is as all should be.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="A file that is not there yet."
)
@with_places
@with_format
def derive(node: str, out: Path, fleet: Path | None, state: Path | None, form: str) -> None:
    """Make a mirror.yaml of a node's sources, keyrings and pins, as they were collected. The node is not asked.

    It says in capitals what cannot be mirrored, and which command lines bring the keyrings.

    Example: sparkctl airgap mirror derive --from-node spark01 --out mirror.yaml
    """
    from sparkctl.app.airgap_files import utc_now
    from sparkctl.app.mirror_derive import derive as derive_it
    from sparkctl.app.places import places

    made = derive_it(places(fleet, state), node, out, utc_now())
    say(
        form, _words(made), file=made.path, node=made.node, simulated=made.simulated,
        facts_seen=made.facts_seen.isoformat(), mirrors=made.mirrors, pins=made.pins, to_fill_in=made.to_fill_in,
        not_covered=made.not_covered, left_out=made.left_out, next_steps=made.next_steps,
    )  # fmt: skip


def _words(made: "Derived") -> str:
    what = f"{made.path} has {len(made.mirrors):,} mirrors and {len(made.pins):,} pins, as {made.node} had them"
    lines = [
        f"{what} {made.age} ago ({made.facts_seen:%Y-%m-%d %H:%M}Z){simulated(made.simulated)}",
        *(f"  NOT COVERED: {sentence}" for sentence in made.not_covered),
        *(f"  left out: {sentence}" for sentence in made.left_out),
        *(f"  TO FILL IN: {key}" for key in made.to_fill_in),
        *(f"  → {step}" for step in made.next_steps),
    ]
    return "\n".join(lines)
