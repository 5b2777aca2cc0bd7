"""A collection: what are the nodes?"""

from collections.abc import Collection

from sparkctl.app.facts import chosen_facets
from sparkctl.app.programs import program_of
from sparkctl.app.resume import facets_of
from sparkctl.app.run import Asked, RunRequest, run_fleet
from sparkctl.errors import ExitCode
from sparkctl.executor.question import what_is_it
from sparkctl.report.collection import CollectTally
from sparkctl.report.outputs import SweepOutput
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store


def collect(request: RunRequest, facets: Collection[str], output: SweepOutput) -> ExitCode:
    """Collect facets of the selected nodes: those named, else those of the run to take up, else all.

    Raises as `run_fleet` does.
    """
    if request.resume and not facets:
        with Store.open(request.places.state, create=False) as store:
            facets = facets_of(store, request.resume)
    wanted = tuple(chosen_facets(facets, []))
    asked = Asked(RunKind.COLLECT, program_of("collect"), what_is_it(wanted), CollectTally(wanted))
    return run_fleet(request, asked, output)
