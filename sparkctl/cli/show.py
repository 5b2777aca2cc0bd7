"""`sparkctl show`: what nodes are, as far as it was collected."""

import json
import sys
from pathlib import Path

import click

from sparkctl.cli.options import selector_argument, with_format, with_places


@click.command()
@selector_argument
@with_places
@with_format
@click.option("--facet", "facets", multiple=True, help="Only these facets [all].")
@click.option("--field", "fields", multiple=True, help="Fold the nodes by the value of this field.")
@click.option("--where", "conditions", multiple=True, help="Only nodes with FIELD=VALUE; * stands for anything.")
def show(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    facets: tuple[str, ...],
    fields: tuple[str, ...],
    conditions: tuple[str, ...],
) -> None:
    """Show the newest facts of a node, or one field over many.

    \b
    Example: sparkctl show spark03
             sparkctl show --field drivers.nvidia.version rack=a1
             sparkctl show --where 'drivers.nvidia.version=580.*'
    """
    from sparkctl.app.facts import Condition, chosen_facets, field_path, fold_values, known_facts
    from sparkctl.app.places import places
    from sparkctl.report.facts import show_node, show_nodes, show_values

    paths = [field_path(text) for text in fields]
    wanted = chosen_facets(facets, paths)
    met = [Condition.parse(text) for text in conditions]
    where, chosen = places(fleet, state), ",".join(selector) or "all"
    # A screen shows many nodes by name and age only.
    known = known_facts(where, chosen, wanted, met, ages_of_many=form == "human" and not fields)
    if form != "human":
        for each in known:
            body = {
                name: {"since": facet.since.isoformat(), "seen": facet.seen.isoformat(), **facet.document}
                for name, facet in each.facets.items()
            }
            at = each.collected_at.isoformat() if each.collected_at else None
            click.echo(json.dumps({"node_id": each.node_id, "collected_at": at, "facets": body}, ensure_ascii=False))
    elif fields:
        for text, path in zip(fields, paths, strict=True):
            values = [(one.value, one.why, one.nodes) for one in fold_values(known, path)]
            show_values(text, values, sys.stdout)
    elif len(known) == 1:
        node = known[0]
        shown = {name: (facet.since, facet.seen, facet.document) for name, facet in node.facets.items()}
        show_node(node.node_id, node.collected_at, shown, sys.stdout, short=not facets)
    else:
        show_nodes([(each.node_id, each.collected_at) for each in known], sys.stdout)
