"""A mirror.yaml of what a node has: the sources of a real DGX Spark, hostile facts, and a node of the lab."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.app.mirror_derive_keyring import Keyrings
from sparkctl.app.mirror_derive_record import Found, short_name
from sparkctl.app.mirror_derive_rest import ADDED
from sparkctl.app.mirror_derive_sources import add_sources
from sparkctl.app.mirror_derive_text import FILL_IN, require_meant, text_of
from sparkctl.app.mirror_file import examine, mirror_file
from sparkctl.errors import RefusedError
from sparkctl.inventory.load import load_fleet
from sparkctl.lab.files_etc import KEYS as KEYS_OF_LAB
from sparkctl.model.base import PRINTABLE
from sparkctl.model.facets.software import Software
from sparkctl.model.mirror_apt import AptMirror
from sparkctl.model.mirror_images import ImagesMirror
from tests.airgap.derived import (
    CUDA,
    ELSE,
    FIRMWARE,
    GUID,
    KEY,
    NVIDIA,
    PINS,
    REAL,
    RING,
    SHA256,
    UBUNTU,
    Site,
    keyrings,
    software,
    source,
)
from tests.support.command import sparkctl
from tests.support.facts import facet, remember
from tests.support.labs import running_lab


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_the_sources_of_a_real_node_become_mirrors(site: Site) -> None:
    said = site.remember(software(apt_pins=PINS, **ELSE), firmware=facet(FIRMWARE)).said()
    apt = site.written()["apt"]
    assert said["mirrors"] == list(apt)
    assert said["mirrors"] == [
        "ai-workbench-desktop", "cuda-compute-repo", "dgx", "nv-vulkan-desktop-ppa", "nvhpc", "spark", "ubuntu",
    ]  # fmt: skip
    assert apt["ubuntu"] == {
        "uri": "http://ports.ubuntu.com/ubuntu-ports/",
        "suites": ["noble", "noble-backports", "noble-security", "noble-updates"],
        "components": ["main", "multiverse", "restricted", "universe"],
        "architectures": ["arm64"],
        "signed_by": "keyrings/ubuntu-archive-keyring.gpg",
        "signed_by_sha256": SHA256,
    }
    assert apt["nvhpc"] == {
        "uri": "https://developer.download.nvidia.com/hpc-sdk/ubuntu/arm64/", "suites": "/", "architectures": ["arm64"],
        "signed_by": "keyrings/cuda-archive-keyring.gpg", "signed_by_sha256": SHA256, "sign_with": FILL_IN,
    }  # fmt: skip
    assert said["to_fill_in"] == [
        "apt.cuda-compute-repo.sign_with", "apt.nv-vulkan-desktop-ppa.signed_by_sha256", "apt.nvhpc.sign_with",
    ]  # fmt: skip
    assert site.written()["pins"] == {"spark": {"packages": ["*"], "pin": "release o=NVIDIA,l=Spark", "priority": 600}}


def test_what_cannot_be_mirrored_is_told_and_stays_told(site: Site) -> None:
    said = site.remember(software(apt_pins=PINS, **ELSE), firmware=facet(FIRMWARE)).said()
    told = said["not_covered"]
    assert site.written()["not_covered"] == told
    for words in (
        "canonical-nvidia-ubuntu-nvidia-desktop-edge-noble.sources: https://snapshot.ppa", "ubuntu-esm-apps.sources: ",
        "ubuntu-esm-infra.sources: ", "packages of armhf are installed (libc6)", "pin cuda-repository-pin: ",
        "NEVER INSTALLED", "(here: cuda-compute-repo, nvhpc)", "pins by release: ",
        "snaps firefox (7766), snapd (26867)",
        "torch 2.9.0+cu130", "local/app:latest",
    ):  # fmt: skip
        assert sum(words in sentence for sentence in told) == 1, words


def test_the_file_is_taken_once_the_keyrings_lie_beside_it_and_the_rest_is_filled_in(site: Site) -> None:
    said = site.remember(software(apt_pins=PINS)).said()
    assert [step for step in said["next_steps"] if step.startswith("scp ")] == [
        f"scp spark01:{path} {site.folder}/keyrings/{path.rpartition('/')[2]}"
        for path in (f"{RING}/ai-workbench.gpg", CUDA, NVIDIA, UBUNTU)
    ]
    site.bring_keys(said)
    refused = {problem.key for problem in examine(site.file)[1]}
    assert refused == {*said["to_fill_in"], "apt.nv-vulkan-desktop-ppa.signed_by"}  # its key is still in the source
    (site.folder / "keyrings/nv-vulkan-desktop-ppa.asc").write_bytes(KEY)
    text = site.file.read_text().replace(f'sign_with: "{FILL_IN}"', f"sign_with: {'A' * 40}").replace(FILL_IN, SHA256)
    site.file.write_text(text)
    found = mirror_file(site.file)
    spec = found.mirrors["ubuntu"].spec
    assert isinstance(spec, AptMirror)
    assert (spec.uri, spec.sign_with) == (REAL["ubuntu.sources"]["uris"][0], None)
    assert [pin.name for pin in found.pins] == ["spark"]
    assert list(found.not_covered) == said["not_covered"]


def test_another_keyring_than_that_of_the_node_is_refused(site: Site) -> None:
    said = site.remember(software(apt_sources={"ubuntu.sources": REAL["ubuntu.sources"]})).said()
    site.bring_keys(said)
    assert examine(site.file)[1] == []
    (site.folder / "keyrings/ubuntu-archive-keyring.gpg").write_bytes(KEY + b"!")
    (problem,) = examine(site.file)[1]
    assert problem.key == "apt.ubuntu.signed_by_sha256"
    assert hashlib.sha256(KEY + b"!").hexdigest() in problem.message
    assert problem.line == 1 + site.file.read_text().splitlines().index(f'    signed_by_sha256: "{SHA256}"')


def test_images_that_are_suggested_are_read_once_they_are_uncommented(site: Site) -> None:
    only = {"ubuntu.sources": REAL["ubuntu.sources"]}
    site.bring_keys(site.remember(software(apt_sources=only, docker_images=ELSE["docker_images"])).said())
    before, heading, block = site.file.read_text().partition("# images:\n")
    site.file.write_text(before + "".join(line.removeprefix("# ") + "\n" for line in (heading + block).splitlines()))
    spec = mirror_file(site.file).mirrors["of-the-node"].spec
    assert isinstance(spec, ImagesMirror)
    assert [image.text for image in spec.images] == [
        f"docker.io/library/redis:7@sha256:{SHA256}", f"nvcr.io/nvidia/vllm:25.12-py3@sha256:{SHA256}"
    ]  # fmt: skip


def test_devices_that_are_suggested_are_read_once_they_are_uncommented(site: Site) -> None:
    site.remember(software(apt_sources={"a.list": REAL["spark.sources"]}), firmware=facet(FIRMWARE)).said()
    block = site.file.read_text().partition("# firmware:\n")[2]
    lines = ["version: 1", "folder: mirror", "firmware:", *(line.removeprefix("# ") for line in block.splitlines())]
    site.file.write_text("\n".join(lines) + "\n")
    assert site.written()["firmware"]["lvfs"]["devices"] == [GUID]
    wrong = {problem.key for problem in examine(site.file)[1]} - {"firmware.lvfs.trust"}  # where fwupd is not installed
    assert wrong == {"firmware.lvfs.sign_cert"}


OTHERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "disabled": (source("https://a.example.net/", "x", "main", enabled=False), "left_out", "not enabled"),
    "source packages alone": (source("https://a.example.net/", "x", "main", types=["deb-src"]), "left_out", "deb-src"),
    "another architecture": (
        source("https://a.example.net/", "x", "main", architectures=["amd64"]), "left_out", "for amd64 alone"
    ),
    "unsigned": (source("https://a.example.net/", "x", "main", trusted=True), "not_covered", "without a signature"),
    "a folder": (source("file:/srv/mirror", "x", "main"), "not_covered", "nothing over file:"),
    "a disc": (source("cdrom:[Ubuntu 24.04]/", "x", "main"), "not_covered", "nothing over cdrom:"),
    "a list of mirrors": (source("mirror+https://a.example.net/list", "x", "main"), "not_covered", "mirror+https:"),
    "no component": (source("https://a.example.net/", "x"), "not_covered", "no components"),
    "no suite": (source("https://a.example.net/", ""), "not_covered", "components"),
    "too many suites": (source("http://a/", " ".join("abcdefghijklmnopqrstu"), "x"), "not_covered", "more suites than"),
    "a suite that climbs": (source("https://a.example.net/", "../x", "main"), "not_covered", "cannot stand"),
    "an address with a variable": (source("https://a.example.net/$(ARCH)/", "x", "y"), "not_covered", "cannot stand"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_source_that_cannot_be_mirrored_is_named_and_the_others_are_there(name: str, site: Site) -> None:
    other, where, words = OTHERS[name]
    said = site.remember(software(apt_sources={"other.list": other, "spark.sources": REAL["spark.sources"]})).said()
    assert said["mirrors"] == ["spark"]
    assert [sentence for sentence in said[where] if sentence.startswith("other.list: ") and words in sentence]


KEYS: dict[str, tuple[str | None, str]] = {
    "any key": (None, "any key that it trusts"),
    "a fingerprint": ("0123456789ABCDEF0123456789ABCDEF01234567", "any of these for it"),
    "two keyrings": (f"{UBUNTU} {NVIDIA}", "any of these for it"),
    "a keyring that is not there": (f"{RING}/none.gpg", "which the node does not have"),
    "a path that climbs": ("/usr/../etc/shadow", "any of these for it"),
    "a path with more in it": ("/usr/share/keyrings/$(id).gpg", "any of these for it"),
}


@pytest.mark.parametrize("name", KEYS)
def test_where_nobody_knows_the_digest_a_person_has_to_fill_it_in(name: str, site: Site) -> None:
    signed_by, words = KEYS[name]
    only = {"my.list": source("https://a.example.net/", "x", "main", signed_by=signed_by)}
    said = site.remember(software(apt_sources=only)).said()
    assert said["to_fill_in"] == ["apt.my.signed_by_sha256"]
    assert words in site.file.read_text()
    assert not [step for step in said["next_steps"] if step.startswith("scp ")]
    assert "apt.my.signed_by_sha256" in {problem.key for problem in examine(site.file)[1]}


def test_a_keyring_that_could_not_be_read_and_facts_of_before_there_were_digests(site: Site) -> None:
    one = {"dgx.sources": REAL["dgx.sources"]}
    gap = {f"apt_keyrings[{NVIDIA}]": "not_permitted"}
    for data, gaps, words in (
        (software(apt_sources=one, apt_keyrings={}), gap, "could not be read there (not_permitted)"),
        (software(apt_sources=one, apt_keyrings=None), {}, "no digest: collect again"),
    ):
        remember(site.folder / f"state-{len(gaps)}", 1, {"spark01": {"software": facet(data, gaps)}})
        said = json.loads(site.run("--state", str(site.folder / f"state-{len(gaps)}"), "--out", "x.yaml").stdout)
        assert said["to_fill_in"] == ["apt.dgx.signed_by_sha256"]
        assert f"scp spark01:{NVIDIA} keyrings/dgx.gpg" in said["next_steps"]
        assert words in (site.folder / "x.yaml").read_text()
        (site.folder / "x.yaml").unlink()


def test_what_could_not_be_read_on_the_node_is_told(site: Site) -> None:
    gaps = {"apt_sources[site.list]": "not_permitted", "snaps": "io_error", "docker_images": "not_permitted"}
    told = site.remember(software(), gaps).said()["not_covered"]
    for words in ("apt_sources[site.list] could not be read: not_permitted", "snaps could not", "docker_images could"):
        assert any(words in sentence for sentence in told), words


def test_flat_archives_below_an_address_and_pools_of_several(site: Site) -> None:
    sources = {
        "a.list": source("https://a.example.net/deb", "./ sub/", signed_by=UBUNTU),
        "b.list": source(
            "https://b.example.net/", "noble", "main", signed_by=UBUNTU, uris=["http://b/1", "http://b/2"]
        ),
        "b.list#2": source("https://c.example.net/", "noble", "main", signed_by="/opt/keys/dgx.gpg"),
        "true.list": source("https://c.example.net/", "on", "1e3", signed_by=NVIDIA),
    }
    site.remember(software(apt_sources=sources, apt_keyrings=keyrings(UBUNTU, NVIDIA, "/opt/keys/dgx.gpg"))).said()
    apt = site.written()["apt"]
    assert [(name, entry["uri"], entry["suites"]) for name, entry in apt.items()] == [
        ("a", "https://a.example.net/deb", "/"), ("a-2", "https://a.example.net/deb/sub/", "/"),
        ("b", "http://b/1", ["noble"]), ("b-2", "http://b/2", ["noble"]), ("b-3", "https://c.example.net/", ["noble"]),
        ("true", "https://c.example.net/", ["on"]),
    ]  # fmt: skip
    assert (apt["b-3"]["signed_by"], apt["true"]["signed_by"]) == ("keyrings/dgx.gpg", "keyrings/dgx-2.gpg")


def test_an_architecture_of_which_the_node_has_packages_is_mirrored(site: Site) -> None:
    both = source("https://a.example.net/", "x", "main", architectures=["amd64", "arm64", "i386"], signed_by=UBUNTU)
    packages = {"libc6:amd64": "2.39"}
    said = site.remember(software(apt_sources={"a.list": both}, packages=packages)).said()
    assert site.written()["apt"]["a"]["architectures"] == ["amd64", "arm64"]
    assert any("i386" in sentence for sentence in said["left_out"])
    assert not any("amd64" in sentence for sentence in said["not_covered"])


def test_people_are_told_loudly_and_given_the_next_steps(site: Site) -> None:
    ran = site.remember(software(**ELSE)).run(form="human")
    assert ran.returncode == 0
    assert "as spark01 had them" in ran.stdout
    assert "2026-11-01 00:00Z" in ran.stdout
    assert "  NOT COVERED: ubuntu-esm-apps.sources" in ran.stdout
    assert "  TO FILL IN: apt.nvhpc.sign_with" in ran.stdout
    assert f"  → scp spark01:{UBUNTU} {site.folder}/keyrings/ubuntu-archive-keyring.gpg" in ran.stdout
    assert f"  → sparkctl airgap mirror check {site.file}" in ran.stdout


def test_a_file_that_is_there_stays_and_nothing_is_made_of_nothing(site: Site) -> None:
    remember(site.folder / "state", 1, {"spark02": {"software": facet(software())}})
    for node, words, hint in (
        ("spark01", "has no software of spark01", "sparkctl collect spark01 --facet software"),
        ("spark03", "no node 'spark03'", "did you mean: spark0"),
        ("all", "no node 'all'", "sparkctl inventory list"),
    ):
        ran = site.run(node=node)
        assert ran.returncode == 2
        assert words in ran.stderr
        assert hint in ran.stderr
    site.file.write_text("mine")
    ran = site.run(node="spark02")
    assert (ran.returncode, site.file.read_text()) == (2, "mine")
    assert "name another file" in ran.stderr
    assert site.run("--out", str(site.folder / "none/mirror.yaml"), node="spark02").returncode == 2


def test_sources_that_could_not_be_read_make_no_file(site: Site) -> None:
    ran = site.remember(software(apt_sources=None), {"apt_sources": "io_error"}).run()
    assert ran.returncode == 2
    assert "could not be read" in ran.stderr
    assert not site.file.exists()


def test_the_key_of_a_source_is_cut_out_by_the_command_that_is_told(site: Site, tmp_path: Path) -> None:
    name = "nv-vulkan-desktop-ppa.sources"
    said = site.remember(software(apt_sources={name: REAL[name]})).said()
    (step,) = [step for step in said["next_steps"] if step.startswith("ssh ")]
    here = tmp_path / name
    here.write_text(
        "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQIN\n =abcd\n"
        " -----END PGP PUBLIC KEY BLOCK-----\nSuites: x\n"
    )
    (tmp_path / "keyrings").mkdir()
    at_home = step.removeprefix("ssh spark01 ").replace(f"/etc/apt/sources.list.d/{name}", str(here))
    subprocess.run(["/bin/sh", "-c", f"sh -c {at_home}"], check=True)
    key = tmp_path / "keyrings/nv-vulkan-desktop-ppa.asc"
    assert key.read_text() == (
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQIN\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
    )


SAYABLE = re.compile(PRINTABLE)
NASTY = st.one_of(
    st.sampled_from([
        'x"\\', "a: b", "# c", "- d", "{e", "[f", "&g", "*h", "!i", "|", ">", "%", "@", "`", "null", "~", "...", "---",
        "{{ j }}", "${k}", "$(l)", "é", "\U0001f600", "a'b", "x # y", "\ufffe", "/etc/shadow", "../../x",
        "https://a.example.net/x", 'origin ""', "release l=x", "noble", "main", "deb", "arm64",
    ]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(SAYABLE.fullmatch),
)  # fmt: skip
LISTS = st.lists(NASTY, max_size=4)
SOURCES = st.fixed_dictionaries(
    {
        "types": st.just(["deb"]) | LISTS, "uris": st.just(["https://a.example.net/"]) | LISTS,
        "suites": st.just(["noble"]) | st.just(["/"]) | LISTS, "components": st.just(["main"]) | LISTS,
        "architectures": st.just([]) | LISTS, "signed_by": st.none() | NASTY, "enabled": st.just(True),
    }
)  # fmt: skip
HOSTILE = st.fixed_dictionaries(
    {
        "apt_sources": st.dictionaries(NASTY, SOURCES, min_size=1, max_size=4),
        "apt_pins": st.dictionaries(
            NASTY,
            st.fixed_dictionaries(
                {"packages": LISTS, "pin": st.none() | NASTY, "priority": st.integers(-40000, 40000)}
            ),
            max_size=3,
        ),
        "snaps": st.dictionaries(NASTY, NASTY, max_size=3),
        "python_packages": st.dictionaries(NASTY, NASTY, max_size=3),
        "docker_images": st.dictionaries(NASTY, st.fixed_dictionaries({"id": NASTY, "digest": NASTY}), max_size=3),
    }
)


@settings(max_examples=60, deadline=None)
@given(data=HOSTILE)
def test_whatever_a_node_says_the_file_says_what_is_meant(data: dict[str, Any]) -> None:
    software = Software.model_validate(data)
    found = Found()
    add_sources(found, software, Keyrings(software, {"data": data}))
    for add in ADDED:
        add(found, software)
    text = text_of(found, ["a heading", "x\ny: z"])
    require_meant(text, found, ["a heading", "x\ny: z"])
    document = yaml.safe_load(text)
    assert set(document) <= {"version", "folder", "apt", "pins", "not_covered"}
    assert len(found.entries) + len(found.not_covered) + len(found.left_out) >= len(data["apt_sources"])
    assert not [line for line in text.splitlines() if line[:1] not in ("", "#", " ") and not line[0].isalpha()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"noble-updates"]', '"noble-updates", "evil"]'), ("\npins:", "\nrings: [x]\npins:"),
        ("priority: 600", "priority: 6"),
        (SHA256, "0" * 64), ("# ", ""), ("FILL IN", "A" * 40), ("not_covered:", "not_covered: x #"),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_not_written(old: str, new: str) -> None:
    facts = Software.model_validate(software(apt_pins=PINS))
    found = Found()
    add_sources(found, facts, Keyrings(facts, {}))
    for add in ADDED:
        add(found, facts)
    text = text_of(found, ["a heading"])
    require_meant(text, found, ["a heading"])
    assert old in text
    with pytest.raises(RefusedError, match=r"something else|cannot be read"):
        require_meant(text.replace(old, new), found, ["a heading"])


@given(texts=st.lists(st.text(max_size=60), max_size=12))
def test_names_are_such_as_mirrors_have_and_differ(texts: list[str]) -> None:
    taken: set[str] = set()
    for text in texts:
        found = short_name(text, taken)
        assert found not in taken
        taken.add(found)
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert all(0 < len(name) <= 40 and set(name) <= allowed and name.strip("-") == name for name in taken)


@pytest.mark.slow
def test_a_node_of_the_lab_is_collected_and_derived_from(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 1) as lab:
        where = ("--fleet", lab.fleet_file, "--state", tmp_path / "state", "--format", "jsonl")
        (node,) = [one.node_id for one in load_fleet(lab.fleet_file).nodes]
        words = ("--facet", "software", "--facet", "firmware")
        assert sparkctl("collect", *words, *where, home=tmp_path, timeout=120).returncode == 0
        out = tmp_path / "mirror.yaml"
        ran = sparkctl("airgap", "mirror", "derive", "--from-node", node, "--out", out, *where, home=tmp_path)
    said = json.loads(ran.stdout)
    assert (ran.returncode, said["simulated"], said["to_fill_in"]) == (0, True, [])
    assert said["mirrors"] == ["dgx", "spark", "ubuntu"]
    assert f"{node}, a SIMULATED node" in out.read_text()
    assert any("by `origin developer.download.nvidia.com`, NEVER INSTALLED" in one for one in said["not_covered"])
    apt = yaml.safe_load(out.read_text())["apt"]
    assert apt["dgx"]["signed_by_sha256"] == hashlib.sha256(KEYS_OF_LAB.encode()).hexdigest()
    assert "#     devices:" in out.read_text()
