"""`sparkctl reset-reason`: why did it go down?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkctl.cli.reset_score import score
from sparkctl.cli.run_options import output_for, run_request, trust_of, with_bundle, with_run_options

if TYPE_CHECKING:
    from sparkctl.app.reset_reason import Ends
    from sparkctl.app.run import RunRequest
    from sparkctl.evidence.trust import Trust

OLDEST = -11  # the node looks at most twelve ends back


class CommandAndMore(click.Command):
    """A command with arguments of its own and sub-commands beside: the first word tells which is meant.

    A node that has the name of a sub-command is named after `--`.
    """

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._more: dict[str, click.Command] = {}

    def add_command(self, command: click.Command) -> None:
        """Add a sub-command."""
        self._more[str(command.name)] = command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of whichever command the first word names."""
        meant = self._more.get(args[0]) if args else None
        if meant is None:
            return super().make_context(info_name, args, parent, **extra)
        return meant.make_context(f"{info_name} {meant.name}", args[1:], parent, **extra)


class _Folder(click.Path):
    """The name of a folder; an empty one, as of a variable that is not set, would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty name is no folder; . is the current one", param, ctx)
        return super().convert(value, param, ctx)


@click.command("reset-reason", cls=CommandAndMore, short_help="Say why nodes went down, as far as it can be proven.")
@with_run_options
@click.option("--root", type=_Folder(path_type=Path), metavar="DIR", help="A saved tree, in place of nodes.")
@with_bundle
@click.option("--boot", type=click.IntRange(OLDEST, 0), metavar="-N", help="An earlier end: -1 is the one before [0].")
@click.option("--all", "every", is_flag=True, help="All ends, at most twelve.")
@click.option("--timeline", is_flag=True, help="Draw the last boots as a picture; all, unless --boot names one.")
@click.option("--ups-log", type=click.Path(path_type=Path), metavar="FILE", help="Log of the UPS that feeds them.")
@click.option("-v", "--verbose", is_flag=True, help="Show the whole proof of every end, and costs.")
def reset_reason(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    root: Path | None,
    bundle: Path | None,
    allowed_signers: Path | None,
    public_key: Path | None,
    boot: int | None,
    every: bool,
    timeline: bool,
    ups_log: Path | None,
    verbose: bool,
    **bounds: Any,
) -> int:
    """Say how the last boot of each node ended, as a proof: what is claimed, what is open, and what it rests on.

    SELECTOR names nodes as for health. A claim is made only where the evidence entails it; the exit code is 3 where it
    does not. Nothing is changed on a node.

    \b
    Example:
      sparkctl reset-reason
      sparkctl reset-reason spark07 --timeline
      sparkctl reset-reason --root /mnt/spark07
      sparkctl reset-reason score CASES     hold it against labelled cases
    """
    ends = _ends(boot, every=every or (timeline and boot is None and not bounds["resume"]))
    if root is None and bundle is None:
        request = run_request(selector, fleet, state, bounds)
        return _of_nodes(request, ends, ups_log, form, verbose=verbose, timeline=timeline)
    if root is not None and bundle is not None:
        raise click.UsageError("--root and --bundle name two trees; give one of them")
    if ups_log is not None:
        raise click.UsageError(
            "--ups-log goes with nodes that are asked: a tree does not say when it was last heard of"
        )
    if selector or bounds["resume"] or bounds["shard"]:
        raise click.UsageError("--root and --bundle take the place of nodes: neither SELECTOR, --shard nor --resume")
    trust = trust_of(allowed_signers, public_key)
    return _of_tree(root, bundle, trust, ends, form, verbose=verbose, timeline=timeline)


reset_reason.add_command(score)


def _ends(boot: int | None, *, every: bool) -> "Ends | None":
    """What is asked for, None where nothing was said."""
    from sparkctl.app.reset_reason import Ends

    if every and boot is not None:
        raise click.UsageError("--all and --boot ask for different ends; give one of them")
    if every:
        return Ends(None)
    return None if boot is None else Ends(-boot)


def _of_nodes(
    request: "RunRequest", ends: "Ends | None", ups_log: Path | None, form: str, *, verbose: bool, timeline: bool
) -> int:
    from sparkctl.app.reset_reason import reset_reason as ask
    from sparkctl.report.reset_screen import ResetScreen

    if form == "human":
        screen = ResetScreen(sys.stdout, sys.stderr, verbose=verbose, timeline=timeline)
        return ask(request, ends, screen, ups_log=ups_log)
    return ask(request, ends, output_for(form, verbose=verbose), ups_log=ups_log)


def _of_tree(
    root: Path | None,
    bundle: Path | None,
    trust: "Trust | None",
    ends: "Ends | None",
    form: str,
    *,
    verbose: bool,
    timeline: bool,
) -> int:
    from sparkctl.app.evidence_tree import tree_of
    from sparkctl.app.reset_reason import answer_of_tree, exit_code_of
    from sparkctl.model.printable import printable
    from sparkctl.report.reset_screen import show_answer, show_exit

    back = ends.back if ends else 0
    with tree_of(root, bundle, trust) as tree:
        envelope = answer_of_tree(tree.root, every=back is None, back=back or 0)
    code = exit_code_of(envelope)
    if form == "human":
        title = printable(str(bundle or root))
        show_answer(title, envelope, sys.stdout, whole=True, verbose=verbose, timeline=timeline)
        show_exit(code, sys.stdout)
    else:
        click.echo(envelope.model_dump_json())
    for note in tree.notes:
        click.echo(f"sparkctl: {note}", err=True)
    return code
