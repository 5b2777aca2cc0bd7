"""The tree in a bundle of evidence, verified and unpacked for as long as programs run over it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.leaving import leaving_in_order
from sparkctl.app.over_tree import NO_RUN, OverTree, node_of
from sparkctl.app.private_folder import private_folder
from sparkctl.app.run import RunTally
from sparkctl.app.tree_bundle import TREE_FOLDERS, Tree, has_tree_folders, unpacked
from sparkctl.errors import ExitCode, RefusedError, UsageError
from sparkctl.evidence.reading import is_bundle, opened
from sparkctl.evidence.trust import Trust
from sparkctl.evidence.verifying import Authenticity, Verified, verified
from sparkctl.executor.visit import TOOL
from sparkctl.model.fleet_report import BastionCost, RunEnd, RunStart
from sparkctl.model.inventory import Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.report.outputs import SweepOutput

NO_KEY = "leave the key out to ask it nevertheless"
NOT_VOUCHED = {
    Authenticity.NOT_CHECKED: "it is signed, but by whom was not checked: name --allowed-signers or --public-key",
    Authenticity.UNSIGNED: "it is not signed: anybody may have made it",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verified bundle: its tree, the node it was taken from, and what was found out about it."""

    tree: Path
    node: Node
    verified: Verified

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said before anything is believed."""
        words = NOT_VOUCHED.get(self.verified.authenticity)
        return (f"{self.verified.path}: {words}",) if words else ()


@contextlib.contextmanager
def evidence_of(path: Path, trust: Trust | None) -> Iterator[Evidence]:
    """Verify a bundle, unpack it, and remove what was unpacked afterwards.

    Raises UsageError for what is damaged or holds no tree, RefusedError for a signature that is not trusted.
    """
    with leaving_in_order(), opened(path) as bundle, private_folder() as folder:
        found = verified(bundle, trust)
        content = folder / "bundle"
        bundle.extract(content)
        tree = content / "tree"
        if not tree.is_dir():
            raise UsageError(f"{path} holds no tree to ask", hint="ask for a bundle with its tree, or read its entries")
        about = found.about
        yield Evidence(tree, node_of(about.node, about.elevation, simulated=about.simulated), found)


@contextlib.contextmanager
def tree_of(root: Path | None, bundle: Path | None, trust: Trust | None) -> Iterator[Tree]:
    """The tree in a folder, or in a file: a verified bundle of evidence, or a tar of a saved tree.

    Raises RefusedError for a tar where a signature is asked for.
    """
    if bundle is not None and is_bundle(bundle):
        with evidence_of(bundle, trust) as evidence:
            yield Tree(evidence.tree, evidence.notes)
    elif bundle is not None:
        if trust is not None:
            raise RefusedError(f"{bundle} is no bundle of evidence, so that nobody vouches for it", hint=NO_KEY)
        with unpacked(bundle) as tree:
            yield tree
    else:
        assert root is not None  # noqa: S101 - one of the two is named
        wanted = ", ".join(sorted(TREE_FOLDERS))
        empty = f"{root} has none of the folders {wanted} at its top: is another folder meant?"
        with leaving_in_order():
            yield Tree(root, () if has_tree_folders(root) else (empty,))


def ask_evidence(evidence: Evidence, asking: OverTree, tally: RunTally, output: SweepOutput) -> ExitCode:
    """Ask one of our programs of a bundle, show it as a run over one node, and return the exit code."""
    started = datetime.now(UTC)
    output.begin(1)
    record = asking.of(evidence.tree, evidence.node)
    outcome = NodeOutcome.of(record)
    tally.add(outcome)
    output.outcome(outcome)
    start = RunStart(
        run_id=NO_RUN,
        tool=TOOL,
        started_at=started,
        selector=evidence.node.node_id,
        program_sha256=asking.program.sha256,
        selected=1,
    )
    end = RunEnd(
        finished_at=datetime.now(UTC), duration_ms=record.duration_ms, cost=BastionCost(cpu_s=0.0, peak_rss_bytes=0)
    )
    report = tally.report(start, end)
    output.end(report)
    return ExitCode(report.exit_code)
