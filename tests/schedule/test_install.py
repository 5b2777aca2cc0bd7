"""Files of ours are written, known again and removed; those of others are left alone."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sparkctl.app.schedule_install import Target, install, installed, remove
from sparkctl.app.schedule_lint import lint
from sparkctl.app.schedule_units import Way, files_of, mark_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.schedule import SchedulePlan
from tests.schedule.plans import SWEEP, plan_of, write_plan
from tests.support.command import json_lines, sparkctl

TWO = SWEEP + "  prune: {at: ['03:10', '15:10'], days: [mon, thu], run: store prune, with: {days: 30}}\n"
CRONTAB = "etc/cron.d/sparkctl-sweep"


@pytest.fixture
def plan(tmp_path: Path) -> SchedulePlan:
    return plan_of(tmp_path, TWO, "user: ops\nmailto: ops@example.org\n")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path / "root", tmp_path / "config")


def put(way: Way, plan: SchedulePlan, target: Target, *, force: bool = False) -> list[str]:
    return [change.done for change in install(way, plan, [*plan.schedules.values()], target, force=force)]


@pytest.mark.parametrize(("way", "files"), [(Way.CRON, 2), (Way.SYSTEMD, 4), (Way.USER, 4)])
def test_installed_again_it_is_the_same_and_removed_it_is_gone(
    way: Way, files: int, plan: SchedulePlan, target: Target
) -> None:
    assert put(way, plan, target) == ["written"] * files
    assert put(way, plan, target) == ["same"] * files
    found = installed(target)
    assert [(one.way, one.mark.changed) for one in found] == [(way, False)] * files
    assert {one.path.stat().st_mode & 0o777 for one in found} == {0o644}
    assert len(remove(["sweep"], target, force=False)) == files // 2
    assert {one.mark.name for one in installed(target)} == {"prune"}
    remove(None, target, force=False)
    assert installed(target) == []


def test_what_the_spec_says_now_replaces_what_it_said(tmp_path: Path, plan: SchedulePlan, target: Target) -> None:
    put(Way.CRON, plan, target)
    changed = plan_of(tmp_path, TWO.replace("15m", "5m"), "user: ops\nmailto: ops@example.org\n")
    assert put(Way.CRON, changed, target) == ["written", "same"]
    assert "0,5,10,15,20,25,30,35,40,45,50,55 * * * * ops /" in (target.root / CRONTAB).read_text()


def test_a_file_that_was_changed_is_replaced_by_force_only(plan: SchedulePlan, target: Target) -> None:
    put(Way.CRON, plan, target)
    path = target.root / CRONTAB
    path.write_text(path.read_text().replace(" ops ", " root "))
    (target.root / "etc/cron.d/sparkctl-prune").unlink()
    for attempt in (lambda: put(Way.CRON, plan, target), lambda: remove(None, target, force=False)):
        with pytest.raises(RefusedError, match="was changed"):
            attempt()
    assert not (target.root / "etc/cron.d/sparkctl-prune").exists()  # all or nothing
    assert put(Way.CRON, plan, target, force=True) == ["written", "written"]
    assert " ops " in path.read_text()


@pytest.mark.parametrize("kind", ["file", "link", "pipe", "folder"])
def test_what_is_not_ours_stays_even_by_force(kind: str, plan: SchedulePlan, target: Target, tmp_path: Path) -> None:
    path = target.root / CRONTAB
    path.parent.mkdir(parents=True)
    if kind == "file":
        path.write_text("# sparkctl schedule of my own\n")
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(RefusedError, match="was not written by sparkctl"):
        put(Way.CRON, plan, target, force=True)
    assert remove(None, target, force=True) == []
    assert path.is_symlink() or path.exists()
    assert not (tmp_path / "elsewhere").exists()


def test_a_mark_for_another_name_makes_a_file_not_ours(plan: SchedulePlan, target: Target) -> None:
    put(Way.CRON, plan, target)
    shutil.copy(target.root / CRONTAB, target.root / "etc/cron.d/sparkctl-other")
    assert {one.path.name for one in installed(target)} == {"sparkctl-sweep", "sparkctl-prune"}


def test_a_file_that_others_may_write_is_not_run_for_them(plan: SchedulePlan, target: Target) -> None:
    plan.file.chmod(0o666)
    with pytest.raises(RefusedError, match="mode 666"):
        put(Way.SYSTEMD, plan, target)
    assert put(Way.USER, plan, target) == ["written"] * 4


def test_without_a_user_only_your_own_systemd_will_do(tmp_path: Path, target: Target) -> None:
    plan = plan_of(tmp_path)
    for way in (Way.CRON, Way.SYSTEMD):
        with pytest.raises(UsageError, match="who its schedules run as"):
            put(way, plan, target)
    assert put(Way.USER, plan, target) == ["written"] * 2


def test_a_path_that_means_something_to_cron_is_refused(plan: SchedulePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/opt/100%/sparkctl", "/opt/my tools/sparkctl", "/opt/$HOME/sparkctl", "/opt/a;b"):
        monkeypatch.setattr("sparkctl.app.schedule_units.program", lambda path=path: (path,))
        for way in Way:
            with pytest.raises(UsageError, match="cannot stand"):
                files_of(way, plan, plan.schedules["sweep"])


def test_a_crontab_is_one_line_in_no_zone(plan: SchedulePlan) -> None:
    (text,) = files_of(Way.CRON, plan, plan.schedules["prune"]).values()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[:3] == [
        "SHELL=/bin/sh", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "MAILTO=ops@example.org",
    ]  # fmt: skip
    assert lines[3].startswith("10,25,40,55 * * * * ops /")
    assert lines[3].endswith(f" schedule run prune --file {plan.file}")
    assert len(lines) == 4
    assert text.endswith("\n")  # cron ignores a last line that does not end
    assert mark_of(text) is not None


@pytest.mark.parametrize("way", [Way.SYSTEMD, Way.USER])
def test_systemd_takes_the_units(way: Way, tmp_path: Path, target: Target) -> None:
    """The real systemd-analyze reads them; what it says of anything else on this machine does not count."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd-analyze here: install systemd")
    plan = plan_of(tmp_path, TWO, "user: root\nprom: prom\n")
    put(way, plan, target)
    units = [one.path for one in installed(target)]
    assert len(units) == 4
    mode = ["--user"] if way is Way.USER else []
    ran = subprocess.run(
        [tool, *mode, "verify", "--recursive-errors=no", *units], capture_output=True, text=True, check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    complaints = [line for line in ran.stderr.splitlines() if "sparkctl-" in line]
    assert (ran.returncode, complaints) == (0, [])
    broken = next(path for path in units if path.suffix == ".service")
    broken.write_text(broken.read_text().replace("KillMode=mixed", "KillMode=gentle"))
    ran = subprocess.run([tool, *mode, "verify", broken], capture_output=True, text=True, check=False,
                         env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)})  # fmt: skip
    assert "gentle" in ran.stderr  # it would have said so


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for systemctl that notes how it is called, and fails when there is a file `refuse`."""
    tools, calls = tmp_path / "tools", tmp_path / "calls"
    tools.mkdir()
    script = tools / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$*" >> {calls}\n[ ! -e {tmp_path}/refuse ] || {{ echo no bus >&2; exit 1; }}\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr("sparkctl.app.schedule_install.systemd_runs", lambda: True)
    return calls


def test_systemd_is_told(tmp_path: Path, systemctl: Path) -> None:
    plan = plan_of(tmp_path)
    live = Target(Path("/"), tmp_path / "config")
    with pytest.raises(UsageError, match=f"there is no folder {tmp_path}/state"):
        put(Way.USER, plan, live)
    assert not (tmp_path / "config").exists()
    (tmp_path / "state").mkdir()
    put(Way.USER, plan, live)
    remove(["sweep"], live, force=False)
    assert systemctl.read_text().splitlines() == [
        "--user daemon-reload", "--user enable --now sparkctl-sweep.timer",
        "--user disable --now sparkctl-sweep.timer", "--user daemon-reload",
    ]  # fmt: skip
    (tmp_path / "refuse").touch()
    with pytest.raises(UsageError, match="says: no bus"):
        put(Way.USER, plan, live)


def messages(path: Path, target: Target) -> list[str]:
    return [problem.sentence for problem in lint(path, target)]


def test_lint_sees_what_is_installed_otherwise(tmp_path: Path, target: Target) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes: [spark01]\n")
    (tmp_path / "state").mkdir()
    top = "user: ops\n"
    path = write_plan(tmp_path, SWEEP, top)
    assert [("not installed" in one) for one in messages(path, target)] == [True]
    put(Way.CRON, plan_of(tmp_path, SWEEP, top), target)
    assert messages(path, target) == []
    path = write_plan(tmp_path, SWEEP.replace("15m", "5m"), top)
    assert messages(path, target) == [f"{target.root / CRONTAB}: it is not what {path} says now"]
    write_plan(tmp_path, SWEEP.replace("sweep", "swept"), top)
    assert any("which" in one and "has no more" in one for one in messages(path, target))
    path = write_plan(tmp_path, SWEEP, top)
    (target.root / CRONTAB).write_text((target.root / CRONTAB).read_text() + "* * * * * root id\n")
    assert messages(path, target) == [f"{target.root / CRONTAB}: it was changed since sparkctl wrote it"]
    put(Way.CRON, plan_of(tmp_path, SWEEP, top), target, force=True)
    put(Way.SYSTEMD, plan_of(tmp_path, SWEEP, top), target)
    found = messages(path, target)
    assert ["cron and systemd" in found[0], "not enabled" in found[1], len(found)] == [True, True, 2]


def test_lint_sees_what_would_fail_at_every_start(tmp_path: Path, target: Target) -> None:
    (tmp_path / "state").mkdir()
    path = write_plan(tmp_path, "  s: {every: 1h, run: health, selector: rack=zz}\n")
    assert any("fleet.yaml: there is no such file" in one for one in messages(path, target))
    (tmp_path / "fleet.yaml").write_text("nodes: [spark01]\n")
    assert any("schedules.s.selector" in one for one in messages(path, target))
    (tmp_path / "fleet.yaml").chmod(0o662)
    assert any("others than its owner" in one for one in messages(path, target))
    path = write_plan(tmp_path, "  s: {every: 1h, run: health}\n", "user: root\n")
    assert any("run as root" in one for one in messages(path, target))
    path = write_plan(tmp_path, "  a: {every: 5m, run: health}\n  b: {every: 6h, run: collect, deadline: 1h}\n")
    assert any("schedules.b.deadline" in one and "12 starts of a" in one for one in messages(path, target))


def test_the_commands(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes: [spark01]\n")
    write_plan(tmp_path, TWO, "user: ops\n")
    root = tmp_path / "root"
    dry = sparkctl("schedule", "install", "--cron", "--dry-run", home=tmp_path)
    assert [line["file"] for line in json_lines(dry)] == ["/etc/cron.d/sparkctl-sweep", "/etc/cron.d/sparkctl-prune"]
    done = sparkctl("schedule", "install", "sweep", "--cron", "--root", root, home=tmp_path)
    assert json_lines(done) == [{"file": str(root / CRONTAB), "done": "written"}]
    assert sparkctl("schedule", "lint", "--root", root, home=tmp_path).returncode == 1
    shown = sparkctl("schedule", "show", "--root", root, home=tmp_path)
    first, second = json_lines(shown)
    assert (first["installed"], second["installed"]) == ([str(root / CRONTAB)], [])
    assert (first["healthy"], first["heartbeat"], len(first["next_starts"])) == (False, None, 3)
    (tmp_path / "status").write_text(shown.stdout)
    assert sparkctl("schema", "check", tmp_path / "status", home=tmp_path).returncode == 0
    screen = sparkctl("schedule", "show", "--root", root, "--format", "human", home=tmp_path).stdout
    assert str(root / CRONTAB) in screen
    assert "nowhere" in screen
    checked = sparkctl("schedule", "check", "sweep", "--format", "human", home=tmp_path)
    assert checked.returncode == 1
    assert checked.stdout == "NOT OK sweep: it never ran to an end: there is no heartbeat\n"
    assert not (tmp_path / "state").exists()  # who only looks makes nothing
    assert sparkctl("schedule", "remove", "sweep", "--root", root, home=tmp_path).returncode == 0
    assert not (root / CRONTAB).exists()
    wrong = [("install",), ("install", "--cron", "--user"), ("install", "nobody", "--cron"), ("remove",)]
    assert {sparkctl("schedule", *words, home=tmp_path).returncode for words in wrong} == {2}
