"""What exporting a fleet costs, against writing the same standings as plain JSON.

One simulated node is judged and collected once, and stands for all of them under other names and serials; its software
is made as long as that of a real desktop. Nothing here was measured on a real node, and no store is read.

    python -m tests.bench.exports                 1,000 nodes: about a minute
    python -m tests.bench.exports --nodes 100
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from sparkctl.export.catalogue import FORMATS
from sparkctl.export.subject import Subject
from sparkctl.model.standing import KnownFacet, NodeStanding
from tests.support.standings import NOON, lab_standing

PACKAGES = 2500
"""As many as a DGX OS desktop has, about."""


def fleet(folder: Path, nodes: int) -> list[NodeStanding]:
    """Nodes that are alike but for name and serial."""
    model = lab_standing(folder, "sim-0001")
    software = dict(model.facets["software"].document)
    packages = {f"libsimulated{number}": f"1:{number}-0ubuntu0.24.04.1" for number in range(PACKAGES)}
    software["data"] = {**software["data"], "packages": packages}
    known = model.facets["software"]
    facets = {**model.facets, "software": KnownFacet(known.since, known.seen, software)}
    return [
        replace(
            model,
            node=model.node.model_copy(update={"node_id": f"sim-{number:04}", "serial": f"SIM{number:09}"}),
            facets=facets,
        )
        for number in range(1, nodes + 1)
    ]


def plain(standings: Iterable[NodeStanding]) -> Iterator[str]:
    """The same as plain JSON: every facet, and the newest record of each kind."""
    for standing in standings:
        facets = {name: known.document for name, known in standing.facets.items()}
        yield json.dumps(facets, ensure_ascii=False, separators=(",", ":"))
        for record in (standing.last, standing.health, standing.reset):
            if record is not None:
                yield record.model_dump_json()


def timed(pieces: Callable[[], Iterable[str]]) -> tuple[float, int]:
    """CPU seconds and bytes of the best of three runs."""
    best, size = float("inf"), 0
    for _ in range(3):
        gc.collect()
        begun = time.process_time()
        size = sum(len(piece.encode()) for piece in pieces())
        best = min(best, time.process_time() - begun)
    return best, size


def main(arguments: list[str]) -> int:
    """Print one line for each format."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=1000)
    nodes: int = parser.parse_args(arguments).nodes
    with tempfile.TemporaryDirectory() as folder:
        standings = fleet(Path(folder), nodes)
    base, size = timed(lambda: plain(standings))
    print(f"{nodes} simulated nodes, CPU seconds, best of three")
    print(f"{'plain JSON':16} {base:7.2f} s {size / nodes / 1024:8.1f} KiB a node")
    for name, form in FORMATS.items():
        seconds, size = timed(lambda form=form: form.pieces(Subject(one, NOON) for one in standings))  # type: ignore[misc]
        print(
            f"{name:16} {seconds:7.2f} s {size / nodes / 1024:8.1f} KiB a node  {seconds / base:5.2f} times plain JSON"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
