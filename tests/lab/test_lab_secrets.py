"""Planted secrets are where redaction has to find them, and can be found again in every form."""

import base64
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from sparkctl.lab.characters import model_of
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.render import render
from sparkctl.lab.secrets import Secret, forms, pem_block, secrets_of, traces
from sparkctl.lab.tree import Pool, write_tree
from tests.collectors.stream import Brought, collected

NODE = NodeModel("sim-01", "7")
ALL = secrets_of(NODE)
IN_THE_RECORDING = {"host", "fqdn", "ipv4", "ipv6", "user", "mail", "url_password", "huggingface", "gitlab"}
IN_NAMES = {"user", "host"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@cache
def brought(folder: Path, fault: str | None) -> Brought:
    root = folder / f"sim-01-{fault}"
    write_tree(render(model_of("sim-01", 7, "founders", fault), time.time()), root, Pool(folder / "pool"), time.time())
    return collected("--seconds", "60", "--elevation", "commands", "--root", str(root))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.kind)
def test_a_secret_is_known_again_in_any_base64(one: Secret) -> None:
    for before in range(7):
        for behind in range(4):
            text = b"q" * before + one.value.encode() + b"z" * behind
            for encoded in (base64.b64encode(text), base64.urlsafe_b64encode(text)):
                assert any(trace in encoded for trace in traces(one.value))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.kind)
def test_every_form_of_a_secret_is_one_of_its_traces(one: Secret) -> None:
    for form in forms(one.value).values():
        assert any(trace in form.encode() for trace in traces(one.value))


def test_no_two_nodes_and_no_other_node_hold_the_same() -> None:
    other = secrets_of(replace(NODE, name="sim-02"))
    mine = {one.value for one in ALL}
    assert len(mine) == len(ALL)
    assert mine.isdisjoint(one.value for one in other)
    assert [one.value for one in secrets_of(NodeModel("sim-01", "7"))] == [one.value for one in ALL]


def test_every_form_of_every_secret_is_in_what_a_node_sends(folder: Path) -> None:
    sent = brought(folder, "planted-secrets")
    everything = b"\n".join([*sent.contents.values(), sent.recording])
    journal = sent.contents["journal/this_boot.json"]
    for one in ALL:
        for name, form in forms(one.value).items():
            assert form.encode() in everything, (one.kind, name)
        assert any(trace in journal for trace in traces(one.value)), one.kind


def test_every_class_stands_in_more_places_than_the_journal(folder: Path) -> None:
    sent = brought(folder, "planted-secrets")
    places = Counter(
        one.kind
        for one in ALL
        for name, content in sent.contents.items()
        if not name.startswith(("journal/", "log/syslog")) and any(trace in content for trace in traces(one.value))
    )
    assert {one.kind for one in ALL} <= set(places)


def test_the_recording_holds_some_and_names_of_files_hold_some(folder: Path) -> None:
    sent = brought(folder, "planted-secrets")
    values = {one.kind: one.value.encode() for one in ALL}
    for kind in IN_THE_RECORDING:
        assert values[kind] in sent.recording, kind
    paths = sent.contents["crash/files.txt"] + b"".join(
        line for line in sent.recording.splitlines() if b'"op":"names"' in line
    )
    for kind in IN_NAMES:
        assert values[kind] in paths, kind


def test_a_message_of_bytes_and_a_key_are_there(folder: Path) -> None:
    sent = brought(folder, "planted-secrets")
    slack = next(one.value for one in ALL if one.kind == "slack")
    assert ", ".join(str(byte) for byte in slack.encode()).encode() in sent.contents["journal/this_boot.json"]
    assert pem_block(NODE).encode() in sent.contents["network/connections.txt"]


def test_a_node_without_them_shows_none(folder: Path) -> None:
    sent = brought(folder, None)
    everything = b"\n".join([*sent.contents.values(), sent.recording])
    assert [one.kind for one in ALL if any(trace in everything for trace in traces(one.value))] == []
