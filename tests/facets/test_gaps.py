"""How gaps are noted: at every field that a source tells, once a place, and never more than a document can hold."""

import errno
from pathlib import Path

import pytest

from diag.nodekit.facet import Drop, Facet, FacetTask, Look
from diag.nodekit.folder import value
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine


def look_at(root: Path) -> Look:
    return Look(Machine(str(root)))


def test_a_failure_is_noted_at_every_field_that_depends_on_it(tmp_path: Path) -> None:
    look = look_at(tmp_path)
    assert look.at("list", lambda: look.machine.read("/none"), also=("one", "list.*.two", "three[x]")) is None
    assert [gap["path"] for gap in look.gaps] == ["list", "one", "three[x]"]
    look.inherit("four", "three")
    look.inherit("five", "thre")
    assert [gap["path"] for gap in look.gaps] == ["list", "one", "three[x]", "four"]


def test_a_source_that_the_reader_passed_over_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = look_at(tmp_path)
    monkeypatch.setattr("os.readlink", lambda path: (_ for _ in ()).throw(OSError(errno.EIO, "broken", path)))

    def reader() -> str:
        try:
            return look.machine.link_target("/sys/link") or "none"
        except OSError:
            return "none"

    assert look.at("field", reader) is None
    assert look.at("map", lambda: {"of": reader(), "other": 1}) == {"of": "none", "other": 1}
    assert [(gap["path"], gap["reason"]) for gap in look.gaps] == [("field", "io_error"), ("map", "io_error")]
    assert look.tried(reader) == ("none", None)
    assert look.at("next", lambda: 1) == 1


@pytest.mark.parametrize(
    ("number", "absent"),
    [(errno.ENOENT, True), (errno.EINVAL, True), (errno.EACCES, False), (errno.EIO, False), (errno.ETIMEDOUT, False)],
)
def test_only_what_is_no_link_has_no_target(
    number: int, absent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.readlink", lambda path: (_ for _ in ()).throw(OSError(number, "broken", path)))
    machine = Machine(str(tmp_path))
    if absent:
        assert machine.link_target("/sys/link") is None
        assert machine.failures == []
    else:
        with pytest.raises(OSError, match="broken") as raised:
            machine.link_target("/sys/link")
        assert raised.value.filename == "/sys/link"
        assert machine.failures == [raised.value]


@pytest.mark.parametrize(
    ("number", "absent"),
    [(errno.ENODATA, True), (errno.EAGAIN, True), (errno.ENXIO, True), (errno.EACCES, False), (errno.EIO, False)],
)
def test_only_what_the_kernel_has_no_value_for_has_none(
    number: int, absent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys/speed").touch()
    machine = Machine(str(tmp_path))
    monkeypatch.setattr("builtins.open", lambda *_: (_ for _ in ()).throw(OSError(number, "broken")))
    if absent:
        assert value(machine, "/sys/speed") is None
    else:
        with pytest.raises(OSError, match="broken"):
            value(machine, "/sys/speed")


def gaps_of(count: int) -> list[Document]:
    def collect(look: Look) -> Document:
        for at in range(count):
            look.missing(f"field{at}", "io_error", "broken")
            look.missing(f"field{at}", "timeout", "again")
        return {"big": [1]}

    task = FacetTask("network", Facet("Network"), collect, ("big",))
    document = task.judge(Machine("/"))[0][0]
    Drop("network", "big").apply({"facets": {"network": document}})
    gaps: list[Document] = document["gaps"]
    return gaps


def test_more_gaps_than_can_be_told_are_a_gap_over_the_whole_facet() -> None:
    few, many = gaps_of(150), gaps_of(400)
    assert [gap["path"] for gap in few] == [*(f"field{at}" for at in range(150)), "big"]
    assert {gap["reason"] for gap in few[:-1]} == {"io_error"}
    assert [gap["path"] for gap in many] == [*(f"field{at}" for at in range(149)), "", "big"]
    assert (many[149]["reason"], many[149]["summary"]) == ("precondition", "more gaps than can be told")
