"""Secrets of every class are planted in lab nodes; none is in a sealed bundle, in no form, in contents or names.

The search is not ours: zstandard, tarfile, and what `sparkctl.lab.secrets` says that a secret looks like. It is shown
to find each class as soon as the rule that hides it is taken away.
"""

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import zstandard

from sparkctl.app import cleaning, sealing
from sparkctl.app.cleaning import Cleaning, NotSealed
from sparkctl.app.seal_sources import reports
from sparkctl.app.sealing import Order
from sparkctl.evidence.reading import opened
from sparkctl.lab.characters import model_of
from sparkctl.lab.secrets import Secret, secrets_of, traces
from sparkctl.lab.state import Lab
from sparkctl.redaction.learning import Learner
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.words import KnownWords
from tests.support.corpus import THOROUGH
from tests.support.labs import running_lab
from tests.support.spools import fresh, kept_spools, sealed_again, spooled

pytestmark = pytest.mark.slow

SECRETS = secrets_of(model_of("sim-01", 1, "founders", "planted-secrets"))
REPORTS = ("nvidia-bug-report", "sosreport")
KINDS = sorted({one.kind for one in SECRETS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    with running_lab(folder / "lab", 1, ("planted-secrets",)) as lab:
        yield lab


@pytest.fixture(scope="module")
def spool(lab: Lab, folder: Path) -> Order:
    (order,) = kept_spools(lab, folder / "kept", named=REPORTS)
    return order


@pytest.fixture(scope="module")
def bundle(spool: Order, folder: Path) -> Path:
    return sealed_again(spool, folder / "sealed").path


def found_in(bundle: Path) -> dict[str, str]:
    """The kinds of planted secrets that a bundle holds, each with one place."""
    found: dict[str, str] = {}
    with (
        bundle.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for member in tar:
            file = tar.extractfile(member)
            text = member.name.encode() + b"\n" + (file.read() if file is not None else b"")
            found |= {one.kind: member.name for one in SECRETS if shows(text, one)}
    return found


def shows(text: bytes, secret: Secret) -> bool:
    return any(trace in text for trace in traces(secret.value))


def test_no_planted_secret_is_in_a_sealed_bundle(bundle: Path) -> None:
    assert found_in(bundle) == {}


def test_every_class_is_in_what_the_node_sent(spool: Order) -> None:
    content = b"\n".join(place.read_bytes() for place in sorted(spool.spool.iterdir()))
    assert {one.kind for one in SECRETS if shows(content, one)} == set(KINDS)


def test_every_class_is_in_both_reports_of_tools(spool: Order, tmp_path: Path) -> None:
    order = fresh(spool, tmp_path / "again")
    for report in reports(order.spool, order.data):
        content = b"\n".join(file.path.encode() + b"\n" + file.place.read_bytes() for file in report.files)
        assert {one.kind for one in SECRETS if shows(content, one)} == set(KINDS), report.artefact.name


def test_the_reports_are_in_the_bundle(bundle: Path) -> None:
    with opened(bundle) as read:
        paths = [entry.path for entry in read.entries()]
    assert "artefacts/report/nvidia-bug-report/nvidia-bug-report.log" in paths
    named = [path for path in paths if path.startswith("artefacts/report/sosreport/etc/systemd/system/")]
    assert [path.rpartition("/")[2].partition("-x")[0] for path in named] == ["host"]


@dataclass(frozen=True)
class Without:
    """What is taken away: rules, and perhaps what is learned."""

    rules: tuple[str, ...] = ()
    learning: bool = False


HIDDEN_BY = {
    **dict.fromkeys(
        ("host", "ssid", "psk", "user", "url_password", "password", "aws_secret", "bearer", "pem"), Without()
    ),
    "ipv4": Without(("ipv4",), learning=True),
    "ipv6": Without(("ipv6",), learning=True),
    "serial": Without(("serial.named",), learning=True),
    "hash": Without(("secret.crypt",), learning=True),
    "yescrypt": Without(("secret.crypt",), learning=True),
    "aws_id": Without(("token.aws",), learning=True),
    "fqdn": Without(("domain.name",)),
    "mac": Without(("mac.separated",)),
    "uuid": Without(("uuid.dashed",)),
    "home": Without(("user.home",)),
    "mail": Without(("user.at", "domain.name")),
    "github": Without(("token.github",)),
    "gitlab": Without(("token.gitlab",)),
    "ngc": Without(("token.nvidia",)),
    "huggingface": Without(("token.huggingface",)),
    "slack": Without(("token.slack",)),
    "jwt": Without(("token.jwt",)),
    "api_key": Without(("uuid.plain",)),
}
"""What hides each class: a rule alone, or what is learned, with the rule that hides it without."""


def with_its_like(alone: Without) -> Without:
    """What is taken away at once with what hides a class: all rules that hide any, where learning is kept or not.

    A class that nothing but learning hides is still tried with every rule.
    """
    if not alone.rules:
        return alone
    likes = [one for one in HIDDEN_BY.values() if one.learning == alone.learning]
    return Without(tuple(sorted({rule for one in likes for rule in one.rules})), alone.learning)


def test_every_class_is_hidden_by_something() -> None:
    assert sorted(HIDDEN_BY) == KINDS


@pytest.fixture(scope="module")
def found_without(spool: Order, folder: Path) -> Callable[[Without], dict[str, str]]:
    """Seals the spool without something, and without what would refuse to; the judgement is left out as well."""

    @cache
    def found(without: Without) -> dict[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cleaning, "RULES", [rule for rule in RULES if rule.id not in without.rules])
            if not without.learning:
                patch.setattr(Learner, "read", lambda *_, **__: None)
            patch.setattr(Cleaning, "_rehearse", lambda _: None)
            patch.setattr(Cleaning, "look_for_survivors", lambda _: None)
            patch.setattr(sealing, "_judge", lambda *_: None)
            name = "-".join(("without", "told" if without.learning else "untold", *without.rules))
            return found_in(sealed_again(spool, folder / name).path)

    return found


@pytest.mark.parametrize("kind", KINDS)
def test_without_what_hides_it_a_secret_is_found(kind: str, found_without: Callable[[Without], dict[str, str]]) -> None:
    alone = HIDDEN_BY[kind]
    assert kind in found_without(alone if THOROUGH else with_its_like(alone))


def test_without_a_rule_nothing_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "RULES", [one for one in RULES if one.id != "token.github"])
    order = spooled(tmp_path, [], {"group/one": b"good\n"})
    with pytest.raises(NotSealed, match=r"a canary of token\.github"):
        sealing.seal_spool(order)
    assert not order.out.exists()


def test_what_was_learned_and_is_left_is_found_before_sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cleaning, "_rehearse", lambda _: None)
    monkeypatch.setattr(sealing, "_judge", lambda *_: None)
    told = {"group/one": b"rhost=vault-99 x\n", "group/two": b"saw vault-99 there\n"}
    assert sealing.seal_spool(spooled(tmp_path / "well", [], told)).path.exists()
    monkeypatch.setattr(KnownWords, "spans", lambda *_: iter(()))
    order = spooled(tmp_path / "left", [], told)
    with pytest.raises(NotSealed, match=r"two still holds a host .* after redaction"):
        sealing.seal_spool(order)
    assert not order.out.exists()
