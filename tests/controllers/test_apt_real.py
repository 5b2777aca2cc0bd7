"""The controllers of packages against the real apt-get, dpkg and gpgv, with a signed repository of the test's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diag.controllers import apt_refresh, apt_upgrade
from diag.nodekit.controller import Asked, Refused
from diag.nodekit.parameters import read_all
from tests.support.apt_root import AptMachine, AptRoot, Package

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def apt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AptRoot]:
    """A root in which `tool` 1.0, `kept` 1.0 and `rival` 1.0 are installed, and `kept` is held."""
    if missing := AptRoot.missing():
        pytest.skip(f"not installed: {missing}")
    root = AptRoot(tmp_path_factory.mktemp("apt"))
    try:
        fill(root)
        yield root
    finally:
        root.close()


def fill(root: AptRoot) -> None:
    root.publish(
        *(Package("tool", version) for version in ("0.9", "1.0", "1.1")),
        Package("tool", "2.0", {"Depends": "helper (>= 1.0)", "Recommends": "extra"}),
        Package("tool", "3.0", {"Conflicts": "rival"}),
        Package("tool", "4.0", {"Depends": "helper (>= 9)"}),
        Package("tool", "5.0", {"Depends": "kept (>= 2.0)"}),
        *(Package(name, "1.0") for name in ("helper", "extra", "rival", "kept")),
        Package("kept", "2.0"),
    )
    root.use()
    assert root.run(*apt_refresh.argv(asked())).returncode == 0
    first = root.run(*apt_upgrade.argv(asked({"tool": "1.0", "kept": "1.0", "rival": "1.0"})))
    assert first.returncode == 0, first.stdout + first.stderr
    hold(root, "kept")


def hold(root: AptRoot, name: str) -> None:
    status = root.root / "var/lib/dpkg/status"
    before = f"Package: {name}\nStatus: install ok installed"
    assert before in status.read_text()
    status.write_text(status.read_text().replace(before, f"Package: {name}\nStatus: hold ok installed"))


def asked(packages: dict[str, str] | None = None, **more: Any) -> Asked:
    if packages is None:
        return Asked({}, "")
    return Asked(read_all(apt_upgrade.CONTROLLER.parameters, {"packages": packages, **more}), "")


def refused(apt: AptRoot, packages: dict[str, str], **more: Any) -> Refused:
    with pytest.raises(Refused) as raised:
        apt_upgrade.precheck(AptMachine(apt), asked(packages, **more))
    return raised.value


def test_what_is_so_already_holds(apt: AptRoot) -> None:
    verdict = apt_upgrade.precheck(AptMachine(apt), asked({"tool": "1.0", "kept": "1.0"}))
    assert (verdict.result, verdict.observed["tool"]) == ("holds", "1.0")


@pytest.mark.parametrize(
    ("packages", "reason", "words"),
    [
        ({"tool": "9.9"}, "version_unavailable", "Version '9.9' for 'tool' was not found"),
        ({"nothing": "1.0"}, "package_unknown", "Unable to locate package nothing"),
        ({"tool": "2.0"}, "not_in_recipe", "helper=1.0"),
        ({"tool": "3.0"}, "would_remove", "remove"),
        ({"tool": "4.0"}, "broken_dependencies", "tool : Depends: helper (>= 9)"),
        ({"tool": "0.9"}, "would_downgrade", "downgraded"),
        ({"kept": "2.0"}, "held", "kept"),
        ({"tool": "5.0"}, "broken_dependencies", "tool : Depends: kept (>= 2.0)"),
    ],
)
def test_what_must_not_be_is_refused_in_a_word(apt: AptRoot, packages: dict[str, str], reason: str, words: str) -> None:
    for dependencies in (False, True) if reason != "not_in_recipe" else (False,):
        no = refused(apt, packages, dependencies=dependencies)
        assert no.reason == reason, str(no)
        assert words in str(no)


def test_what_comes_along_is_told_and_recommendations_do_not(apt: AptRoot) -> None:
    verdict = apt_upgrade.precheck(AptMachine(apt), asked({"tool": "2.0"}, dependencies=True))
    assert verdict.result == "ready"
    assert (verdict.observed["others"], verdict.observed["others_named"]) == (1, "helper")


def test_a_source_without_signature_is_refused_though_apt_is_told_to_trust_it(apt: AptRoot) -> None:
    apt.use(options="trusted=yes")
    try:
        assert refused(apt, {"tool": "1.1"}).reason == "unsigned_source"
        with pytest.raises(Refused) as raised:
            apt_refresh.precheck(AptMachine(apt), asked())
        assert raised.value.reason == "unsigned_source"
    finally:
        apt.use()


def test_a_list_whose_signature_is_wrong_fails_and_the_lists_before_it_stay(apt: AptRoot) -> None:
    signed = apt.repository / "InRelease"
    before = signed.read_text()
    signed.write_text(before.replace("Label: Test", "Label: Best"))
    try:
        ran = apt.run(*apt_refresh.argv(asked()))
        assert ran.returncode == 100, ran.stdout
        assert "signature" in ran.stderr.lower()
    finally:
        signed.write_text(before)
    assert apt.run(*apt_refresh.argv(asked())).returncode == 0
    assert apt_refresh.postcheck(AptMachine(apt), asked()).result == "holds"


def test_a_source_that_is_gone_fails_loudly(apt: AptRoot, tmp_path: Path) -> None:
    away = tmp_path / "away"
    apt.repository.rename(away)
    try:
        assert apt.run(*apt_refresh.argv(asked())).returncode == 100
    finally:
        away.rename(apt.repository)


def test_the_very_command_brings_the_version_and_spares_what_is_held(apt: AptRoot) -> None:
    wanted = asked({"tool": "1.1"})
    machine = AptMachine(apt)
    assert apt_upgrade.precheck(machine, wanted).result == "ready"
    assert apt_upgrade.postcheck(machine, wanted).reason == "other_version"
    ran = apt.run(*apt_upgrade.argv(wanted))
    assert ran.returncode == 0, ran.stderr
    assert apt_upgrade.postcheck(machine, wanted).result == "holds"
    assert (apt.root / "usr/share/tool/version").read_text() == "1.1"
    assert apt_upgrade.postcheck(machine, asked({"kept": "1.0", "rival": "1.0"})).result == "holds"


def test_the_very_command_refuses_by_itself_what_the_precheck_would_have_refused(apt: AptRoot) -> None:
    """Between the look and the act somebody may hold a package: apt-get's own rules stand behind ours."""
    for packages in ({"kept": "2.0"}, {"tool": "3.0"}, {"tool": "0.9"}, {"tool": "9.9"}):
        ran = apt.run(*apt_upgrade.argv(asked(packages)))
        assert ran.returncode == 100, ran.stdout
    machine = AptMachine(apt)
    assert apt_upgrade.postcheck(machine, asked({"kept": "1.0", "rival": "1.0"})).result == "holds"
