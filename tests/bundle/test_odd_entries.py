"""One odd name or artefact costs only itself: the others are sealed, and the manifest says what is not there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.recording import machine_at
from sparkctl.app.sealing import Order, seal_spool
from sparkctl.evidence.reading import opened
from sparkctl.model.bundle import Artefact
from sparkctl.model.evidence import EntryStatus
from sparkctl.model.vocabulary import TakenStatus, UnknownReason
from sparkctl.redaction.redactor import Redactor
from tests.support.spools import spooled

UNIT = "/sys/fs/cgroup/dev-disk-by\\x2duuid-ca5cb1ce\\x2db341\\x2d4d59\\x2d84ac\\x2d4029b466948f.swap/cpu.stat"


def sealed(order: Order) -> tuple[set[str], dict[str, str]]:
    """The paths of the entries, and the words of what is missing by its name."""
    seal_spool(order)
    with opened(order.out) as bundle:
        return {entry.path for entry in bundle.entries()}, {one.name: one.words for one in bundle.missing}


def read(path: str, text: str = "x") -> dict[str, Any]:
    return {"op": "read", "path": path, "limit": 999, "text": text}


def test_odd_names_of_the_node_are_sealed_and_found_in_the_recording(tmp_path: Path) -> None:
    paths = [UNIT, "/etc/two\nlines", "/etc/\u202eb", "/sys/module/xt_TCPMSS/taint", "/sys/module/xt_tcpmss/taint"]
    order = spooled(tmp_path, [read(path) for path in paths], {})
    entries, missing = sealed(order)
    assert {f"tree/{path}" for path in ("etc/two%0Alines", "etc/%E2%80%AEb", "~2/sys/module/xt_tcpmss/taint")} < entries
    assert not {name for name in missing if name.startswith(("tree", "/"))}
    with opened(order.out) as bundle:
        bundle.extract(tmp_path / "there")
    tree = tmp_path / "there/tree"
    noted = json.loads((tree / ".tree.json").read_text())["recorded"]["read"]
    assert len(noted) == len(paths)
    assert [machine_at(str(tree)).read(path) for path in noted] == ["x"] * len(paths)
    assert "ca5cb1ce" not in "".join([*entries, *noted])


def with_artefacts(order: Order, *artefacts: Artefact) -> Order:
    """The order with other facts of its artefacts."""
    data = order.data.model_copy(update={"artefacts": list(artefacts)})
    return replace(order, envelope=order.envelope.model_copy(update={"data": data}))


def test_artefacts_whose_names_have_no_place_are_left_out_alone(tmp_path: Path) -> None:
    odd = ["group/../../climbs", "group/./dot", "group/one/below"]
    artefacts = dict.fromkeys(["group/one", *odd, "group/two"], b"text\n")
    entries, missing = sealed(spooled(tmp_path, [], artefacts))
    assert {path for path in entries if path.startswith("artefacts/")} == {"artefacts/group/one", "artefacts/group/two"}
    for name in odd:
        assert "no bundle can hold it under its name" in missing[f"artefacts/{name}"]


@pytest.mark.parametrize(("reads", "words"), [(1, "could not be read"), (2, "could not be redacted (ValueError)")])
def test_a_fault_of_redaction_costs_one_artefact_and_quotes_nothing(
    reads: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Redactor.stream
    streamed: list[str] = []

    def failing(self: Redactor, name: str, *args: Any, **options: Any) -> None:
        stream(self, name, *args, **options)
        streamed.append(name)
        if name == "/etc/odd" and streamed.count(name) == reads:
            raise ValueError("hunter2secret is no address")

    monkeypatch.setattr(Redactor, "stream", failing)
    order = spooled(tmp_path, [read("/etc/odd"), read("/etc/even")], {"group/one": b"good\n"})
    entries, missing = sealed(order)
    assert {"tree/etc/even", "artefacts/group/one"} < entries
    assert "tree/etc/odd" not in entries
    assert words in missing["tree/etc/odd"]
    assert "hunter2secret" not in "".join(missing.values())


def test_more_is_missing_than_a_manifest_has_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparkctl.app.cleaning.MAX_MISSING", 2)
    odd = {f"group/a{number}/../x": b"odd\n" for number in range(5)}
    _, missing = sealed(spooled(tmp_path, [], odd))
    assert len(missing) == 2
    assert missing["others"].startswith("so many more are missing")


def test_every_name_in_the_document_is_an_entry_or_a_gap(tmp_path: Path) -> None:
    late = {"status": "missing", "reason": "timeout", "words": "did not return"}
    names = ("group/whole", "group/empty", "group/half-empty", "group/not-there", "group/never-came")
    order = spooled(tmp_path, [], dict.fromkeys(names, b"") | {"group/whole": b"good\n"}, late=late, idle={})
    whole, empty, half, absent, never = order.data.artefacts
    half = half.model_copy(update={"status": TakenStatus.PARTIAL})
    absent = absent.model_copy(update={"status": TakenStatus.ABSENT})
    never = never.model_copy(update={"status": TakenStatus.MISSING, "reason": UnknownReason.NOT_PERMITTED})
    entries, missing = sealed(with_artefacts(order, whole, empty, half, absent, never))
    assert "artefacts/group/whole" in entries
    assert {name: missing[name] for name in names[1:]} == {
        "group/empty": "taken, and empty: nothing came",
        "group/half-empty": "nothing came",
        "group/not-there": "not there: nothing came",
        "group/never-came": "nothing came",
    }
    assert missing["recording of late"] == "did not return"
    assert missing["recording of idle"] == "taken, and empty: nothing came"
    assert "recording of machine" not in missing


def test_a_recorded_task_of_which_a_part_came_is_a_gap(tmp_path: Path) -> None:
    order = spooled(tmp_path, [], {"group/one": b"good\n"})
    (machine,) = order.data.recording
    late = {"status": TakenStatus.PARTIAL, "reason": UnknownReason.TIMEOUT}
    data = order.data.model_copy(update={"recording": [machine.model_copy(update=late)]})
    order = replace(order, envelope=order.envelope.model_copy(update={"data": data}))
    _, missing = sealed(order)
    assert missing["recording of machine"] == "only a part came"


def test_what_came_although_the_node_says_that_it_did_not_is_never_complete(tmp_path: Path) -> None:
    said = {f"group/{status}": status for status in (TakenStatus.MISSING, TakenStatus.ABSENT)}
    order = spooled(tmp_path, [], dict.fromkeys(said, b"came\n"))
    facts = [one.model_copy(update={"status": said[one.name], "exit_status": 1}) for one in order.data.artefacts]
    order = with_artefacts(order, *facts)
    seal_spool(order)
    with opened(order.out) as bundle:
        entries = {entry.path: (entry.status, entry.words) for entry in bundle.entries()}
    for name, status in said.items():
        assert entries[f"artefacts/{name}"] == (EntryStatus.TRUNCATED, f"the node calls it {status}")
