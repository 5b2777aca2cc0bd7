"""`sparkctl lab`: the simulated fleet."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import Seconds, say, with_format, with_state

with_dir = click.option("--dir", "folder", type=click.Path(path_type=Path), help="Folder of the lab [STATE/lab].")


@click.group(short_help="Serve a simulated fleet on loopback.")
def lab() -> None:
    """Serve a simulated fleet over real SSH on loopback addresses of this machine.

    Its nodes run the very program that real nodes get, against made-up file trees. All of it is simulated.
    """


@lab.command()
@with_state
@with_dir
@click.option("--nodes", type=click.IntRange(1, 1000), default=8, show_default=True, help="How many nodes.")
@click.option("--character", "characters", multiple=True, help="What the nodes are like, in turn (lab list --kinds).")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same fleet.")
@click.option("--for", "seconds", type=Seconds(1), help="Go down by itself after this many seconds.")
@with_format
def up(
    state: Path | None,
    folder: Path | None,
    form: str,
    nodes: int,
    characters: tuple[str, ...],
    seed: int,
    seconds: float | None,
) -> None:
    """Start a simulated fleet and write its inventory.

    Example: sparkctl lab up --nodes 4 --character founders --character hot
    """
    from sparkctl.app.lab import LabPlace
    from sparkctl.app.places import places

    started = LabPlace(places(None, state), folder).start(nodes, characters, seed, seconds)
    say(
        form,
        f"{len(started.nodes)} simulated nodes on port {started.port}; their inventory is {started.fleet_file}",
        simulated=True, nodes=len(started.nodes), port=started.port, fleet=started.fleet_file, folder=started.directory,
    )  # fmt: skip
    click.echo(f"  → sparkctl health --fleet {started.fleet_file}", err=True)
    click.echo(f"  → sparkctl lab down --dir {started.directory}", err=True)


@lab.command()
@with_state
@with_dir
@with_format
def down(state: Path | None, folder: Path | None, form: str) -> None:
    """Stop the simulated fleet and remove its files.

    Example: sparkctl lab down
    """
    from sparkctl.app.lab import LabPlace
    from sparkctl.app.places import places

    place = LabPlace(places(None, state), folder)
    stopped = place.stop()
    words = f"the simulated fleet in {place.folder} is down" if stopped else f"no lab runs in {place.folder}"
    say(form, words, simulated=True, folder=place.folder, stopped=stopped)


@lab.command("list")
@with_state
@with_dir
@with_format
@click.option("--kinds", is_flag=True, help="List characters and faults instead of nodes.")
def list_(state: Path | None, folder: Path | None, form: str, kinds: bool) -> None:
    """List the simulated nodes, or what nodes can be like.

    Example: sparkctl lab list --kinds
    """
    from sparkctl.app.lab import CHARACTERS, LabPlace
    from sparkctl.app.places import places
    from sparkctl.report.lab import show_kinds, show_lab, write_kinds, write_lab

    if kinds:
        (show_kinds if form == "human" else write_kinds)(CHARACTERS, sys.stdout)
        return
    (show_lab if form == "human" else write_lab)(LabPlace(places(None, state), folder).running(), sys.stdout)


@lab.command("break")
@click.argument("node")
@click.argument("fault")
@with_state
@with_dir
@with_format
def break_(node: str, fault: str, state: Path | None, folder: Path | None, form: str) -> None:
    """Make a simulated NODE suffer FAULT while the lab runs, or give it a reset story: how it went down last.

    Example: sparkctl lab break sim-03 reset-panic
    """
    from sparkctl.app.lab import LabPlace
    from sparkctl.app.places import places

    LabPlace(places(None, state), folder).hurt(node, fault)
    say(form, f"{node} (simulated): {fault}", simulated=True, node=node, fault=fault)


@lab.command()
@click.argument("node")
@with_state
@with_dir
@with_format
def mend(node: str, state: Path | None, folder: Path | None, form: str) -> None:
    """Make a simulated NODE a healthy machine again.

    Example: sparkctl lab mend sim-03
    """
    from sparkctl.app.lab import LabPlace
    from sparkctl.app.places import places

    LabPlace(places(None, state), folder).heal(node)
    say(form, f"{node} (simulated): healthy", simulated=True, node=node, fault=None)
