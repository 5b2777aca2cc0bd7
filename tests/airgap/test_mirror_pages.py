"""The pages on mirrors: what they show is read, and what they say to type is a command with such words."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from sparkctl.airgap.mirrors.firmware_ca import authority, signing
from sparkctl.app.mirror_file import TOP, examine
from sparkctl.app.mirror_kinds.catalogue import KINDS as CATALOGUE
from sparkctl.cli.main import cli
from sparkctl.resources import shipped

PAGES = sorted(
    path.name for path in shipped("docs").iterdir() if path.name.startswith("mirrors") or path.name == "seeds.md"
)
KINDS = ("mirrors.md", "mirrors-firmware.md", "mirrors-images.md", "mirrors-models.md", "mirrors-wheels.md")
_NOW = datetime(2026, 11, 30, tzinfo=UTC)


def page(name: str) -> str:
    return (shipped("docs") / name).read_text("utf-8")


def examples(name: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)


def lines(name: str) -> list[str]:
    """Every command line of sparkctl on a page, continued ones as one."""
    text = page(name).replace("\\\n", " ")
    return [line.strip() for line in re.findall(r"^ *sparkctl airgap .*$", text, re.MULTILINE)]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_line_of_a_page_is_one(name: str) -> None:
    found = lines(name)
    assert found or name in KINDS
    for line in found:
        words = shlex.split(line.partition(" > ")[0].partition("        and ")[0].replace("$name", "NAME"))[1:]
        command: click.Command = cli
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        try:
            command.make_context(command.name, words)
        except click.UsageError as error:
            pytest.fail(f"{name}: {line}: {error.format_message()}")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """The files that mirror.yaml names on the pages, in a folder."""
    ca = authority("Site", _NOW, 3650)
    (tmp_path / "keys").mkdir()
    for ring in ("ubuntu", "cuda"):
        (tmp_path / f"{ring}-archive-keyring.gpg").write_bytes(bytes([0x98, 3, 4, 1, 2]))
    for name in ("site-ca.pem", "LVFS-CA.pem"):
        (tmp_path / name).write_bytes(ca.certificate_pem)
    signer = signing("Site", ca, _NOW, 365)
    (tmp_path / "keys/firmware-sign.pem").write_bytes(signer.certificate_pem + ca.certificate_pem)
    (tmp_path / "requirements.txt").write_text(f"alpha==1.0 --hash=sha256:{'a' * 64}\n")
    for name, content in (("auth.json", "{}"), ("hf.token", "hf_abcdefghijklmnopqrstuvwxyz")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    return tmp_path


@pytest.mark.parametrize("name", KINDS)
def test_what_a_page_shows_is_a_mirror_file(name: str, beside: Path) -> None:
    [example] = examples(name)
    whole = "" if name == "mirrors.md" else "version: 1\nfolder: mirror\n"
    shortened = re.sub(r"(sha256[:\"]? ?)[0-9a-f]*\.\.\.", rf"\g<1>{'b' * 64}", example)
    path = beside / "mirror.yaml"
    path.write_text(whole + shortened.replace("/etc/pki/fwupd/LVFS-CA.pem", "LVFS-CA.pem"))
    settings, problems = examine(path)
    assert problems == []
    assert settings is not None
    kind = name.removeprefix("mirrors-").removesuffix(".md")
    kinds = {mirrored.word for mirrored in settings.mirrors.values()}
    assert kinds == ({"apt", "firmware", "images", "models", "wheels"} if name == "mirrors.md" else {kind})


@pytest.mark.parametrize("name", KINDS[1:])
def test_the_pages_of_kinds_are_built_alike(name: str) -> None:
    headings = re.findall(r"^## (.*)$", page(name), re.MULTILINE)
    order = ["Say what is mirrored", "What is proven, and by what", "Clients", "What is not covered"]
    assert [heading for heading in headings if heading in order] == order
    assert "[mirrors.md](mirrors.md)" in page(name)


def test_every_key_is_told_of() -> None:
    told = {word: page("mirrors.md" if word == "apt" else f"mirrors-{word}.md") for word in CATALOGUE}
    first = "\n".join(line.split("|")[1] for line in told["apt"].splitlines() if line.startswith("|"))
    assert {*TOP, *CATALOGUE["apt"].keys} <= set(re.findall(r"`([a-z_0-9]+)`", first))
    for word, text in told.items():
        assert set(CATALOGUE[word].keys) <= set(re.findall(r"[a-z_0-9]+", text)), word
