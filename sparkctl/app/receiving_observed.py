"""What machines say of themselves, for the four-way match: the newest facts of nodes, from the store or a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sparkctl.app.facts import known_facts
from sparkctl.app.places import Places
from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, UsageError
from sparkctl.inventory.problems import SourceFault
from sparkctl.inventory.text_file import read_text
from sparkctl.model.facets.difference import value_at
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.printable import printable
from sparkctl.model.receiving import MOST_ROWS, Observation
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause
from sparkctl.store.store import Store

FACETS = ("identity", "hardware")


def observed_in_store(places: Places, fleet: Fleet, selector: str) -> list[Observation]:
    """What was collected last of the selected nodes; those that were never collected are none.

    Of a node whose last visit was refused, since it named another serial, that is what is known.

    Raises StoreError without a store, UsageError for a selector that is none.
    """
    found, nodes = [], _by_name(fleet)
    known_nodes = known_facts(places, selector, FACETS, [])
    with Store.open(places.state, create=False) as store:
        refused = _refused(store, [known.node_id for known in known_nodes])
    for known in known_nodes:
        if (record := refused.get(known.node_id)) is not None:
            found.append(_refusal(record, nodes))
            continue
        documents = {name: facet.document for name, facet in known.facets.items()}
        if "identity" in documents:
            at = f", collected {known.collected_at:%Y-%m-%d %H:%MZ}" if known.collected_at else ""
            found.append(_observation(known.node_id, f"{known.node_id}{at}", documents, nodes))
    return found


def _refused(store: Store, names: Sequence[str]) -> dict[str, RunRecord]:
    """The records of the nodes whose last visit ended in another serial than the enrolled one."""
    found = {}
    answered = store.newest_visits(names, answered=True)
    for name, visit in store.newest_visits(names).items():
        record = store.record_of(visit) if visit != answered.get(name) else None
        if record is not None and record.failure and record.failure.cause is Cause.IDENTITY_MISMATCH:
            found[name] = record
    return found


def _refusal(record: RunRecord, nodes: Mapping[str, Node]) -> Observation:
    node, failure = nodes[record.node_id], record.failure
    return Observation(
        where=f"{record.node_id}, refused {record.ts:%Y-%m-%d %H:%MZ}",
        node_id=record.node_id,
        enrolled=node.serial,
        refused=failure.message if failure else None,
        simulated=node.simulated,
    )


def observed_in_file(path: Path, fleet: Fleet | None) -> list[Observation]:
    """What `sparkctl show --format jsonl` printed; raises UsageError with file and line."""
    try:
        lines = read_text(path).split("\n")
    except SourceFault as fault:
        raise UsageError(f"{printable(fault.where.file)}: {fault.message}", hint=fault.action) from fault
    found, nodes, names = list[Observation](), _by_name(fleet), set[str]()
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = printable(f"{path}:{number}", 1000)
            one = _of_line(line, place, nodes)
            if one.node_id in names:
                hint = "leave what was collected last"
                raise UsageError(f"{place}: the node {one.node_id} stands in the file twice", hint=hint)
            names.add(one.node_id)
            found.append(one)
        if len(found) > MOST_ROWS:
            raise UsageError(f"{path} has more than {MOST_ROWS:,} lines", hint="split it")
    return found


def _by_name(fleet: Fleet | None) -> dict[str, Node]:
    return {node.node_id: node for node in fleet.nodes} if fleet else {}


def _of_line(line: str, place: str, nodes: Mapping[str, Node]) -> Observation:
    hint = "make the file with: sparkctl show --facet identity --facet hardware --format jsonl"
    try:
        row = strict_json.parse(line.encode("utf-8", "surrogatepass"))
        if not isinstance(row, dict) or not isinstance(row.get("facets"), dict):
            raise UsageError(f"{place}: this is not what `sparkctl show` prints", hint=hint)
        return _observation(row.get("node_id"), place, row["facets"], nodes)
    except ContractError as error:
        raise UsageError(f"{place}: {error.message}", hint=hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        words = printable(f"{first['loc'][0] if first['loc'] else ''}: {first['msg']}", 200)
        raise UsageError(f"{place}: {words}", hint=hint) from error


def _observation(node_id: Any, place: str, documents: Mapping[str, Any], nodes: Mapping[str, Node]) -> Observation:
    node = nodes.get(node_id) if isinstance(node_id, str) else None
    identity, hardware = (documents.get(name) for name in FACETS)
    facts = identity if isinstance(identity, Mapping) else {}
    parts = hardware if isinstance(hardware, Mapping) else {}
    macs = value_at(facts, ("macs",))
    return Observation.model_validate(
        {
            "where": place,
            "node_id": node_id,
            "enrolled": node.serial if node else None,
            "serial": value_at(facts, ("serial",)),
            "serial_source": value_at(facts, ("serial_source",)),
            "serials_agree": value_at(facts, ("serials_agree",)),
            "product": value_at(facts, ("smbios", "product_name")),
            "macs": list(macs.values()) if isinstance(macs, Mapping) else [],
            "ssd_bytes": _drives(value_at(parts, ("nvme",))),
            "memory_bytes": value_at(parts, ("memory", "total_bytes")),
            "simulated": bool(node and node.simulated),
        }
    )


def _drives(controllers: Any) -> int | None:
    """All its NVMe drives, in bytes; None when one could not be read, or there is none."""
    if not isinstance(controllers, Mapping) or not controllers:
        return None
    sizes = [each.get("size_bytes") if isinstance(each, Mapping) else None for each in controllers.values()]
    return sum(sizes) if all(isinstance(size, int) for size in sizes) else None  # type: ignore[arg-type]
