"""Every collector keeps to the rules of docs/artefacts.md."""

import re

import pytest

from diag.nodekit.collector import Collector, Command, File, Keep, Kind, LoadedCollector, Take, Values, Volatility
from diag.nodekit.isolated import Report
from diag.nodekit.taking import jobs_of, load_collectors

MIB = 1024 * 1024
COLLECTORS = load_collectors()
KINDS = {Kind.TEXT, Kind.JSON, Kind.JOURNAL, Kind.NUL, Kind.BINARY}
NAME = re.compile(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)*")
WHOLE = 50 * MIB  # of a collection
RECORDING = 8 * MIB  # kept free of it for what our own programs read
SHELLS = {"sh", "bash", "dash", "env", "xargs", "python3", "perl", "awk", "sudo", "systemd-run"}
CHANGES = re.compile(
    r"^(-w|--write|-f|--force|reset|format|start|stop|restart|--vacuum.*|--rotate|--flush|--sync|--clear|-C|-c)$"
)
HARMLESS = {"last": {"-w"}, "lastb": {"-w"}, "nvidia-smi": {"-c"}, "tail": {"-c"}}  # long names; how many
ASKS_THE_NETWORK = {"curl", "wget", "ping", "dig", "host", "nslookup", "getent", "apt", "apt-get", "fwupdtool"}


def static() -> list[tuple[LoadedCollector, Take]]:
    """All but reports, which keep to rules of their own: see test_reports.py."""
    return [(job.collector, job.take) for job in jobs_of(COLLECTORS, {}) if not isinstance(job.take, Report)]


TAKES = static()
IDS = [f"{loaded.collector_id}-{take.name}" for loaded, take in TAKES]


def test_there_is_the_catalogue_that_the_page_describes() -> None:
    assert len(COLLECTORS) >= 66
    assert [one.collector_id for one in COLLECTORS if one.collector.opt_in] == [
        "report.nvidia",
        "report.sos",
        "pci.registers",
    ]
    titles = [one.collector.title for one in COLLECTORS]
    assert len(set(titles)) == len(titles)


def test_soonest_gone_is_taken_first() -> None:
    order = [one.collector.volatility for one in COLLECTORS]
    assert order == sorted(order)
    assert set(order) == set(Volatility)


def test_no_two_entries_have_one_name() -> None:
    names = [job.name.casefold() for job in jobs_of(COLLECTORS, {})]
    assert sorted(set(names)) == sorted(names)
    folders = {name.rpartition("/")[0] for name in names}
    assert folders.isdisjoint(names)


def test_all_that_is_planned_fits_beside_the_recording() -> None:
    assert sum(take.limit for loaded, take in TAKES if not loaded.collector.opt_in) <= WHOLE - RECORDING


@pytest.mark.parametrize(("loaded", "take"), TAKES, ids=IDS)
def test_an_entry_is_named_and_bounded(loaded: LoadedCollector, take: Take) -> None:
    assert NAME.fullmatch(f"{loaded.group}/{take.name}")
    assert ".." not in take.name
    assert take.kind in KINDS
    assert 1024 <= take.limit <= 8 * MIB
    assert 0.5 <= take.seconds <= 10.0
    assert loaded.collector.title[0].isupper() or loaded.collector.title[0].islower()
    assert not loaded.collector.title.endswith(".")


@pytest.mark.parametrize(("loaded", "take"), TAKES, ids=IDS)
def test_the_kind_fits_the_name(loaded: LoadedCollector, take: Take) -> None:
    expected = {"json": {Kind.JSON, Kind.JOURNAL}, "bin": {Kind.BINARY}}
    assert take.kind in expected.get(take.name.rpartition(".")[2], {Kind.TEXT, Kind.NUL})
    if isinstance(take, Command) and take.argv[0].endswith("journalctl"):
        assert (take.kind == Kind.JSON) == ("--list-boots" in take.argv)


@pytest.mark.parametrize(("loaded", "take"), TAKES, ids=IDS)
def test_a_command_is_exact_reads_only_and_asks_nobody(loaded: LoadedCollector, take: Take) -> None:
    for argv in ([take.argv] if isinstance(take, Command) else []) + list(take.elevated):
        tool = argv[0].rpartition("/")[2]
        assert tool not in SHELLS | ASKS_THE_NETWORK
        assert all(word and word.isascii() and word.isprintable() for word in argv)
        assert not [word for word in argv[1:] if CHANGES.match(word) and word not in HARMLESS.get(tool, set())]
    for argv in take.elevated:
        assert argv[0].startswith(("/usr/bin/", "/usr/sbin/"))
        assert not [word for word in argv if re.search(r"[*?\[\]!\s]", word)]


@pytest.mark.parametrize(("loaded", "take"), TAKES, ids=IDS)
def test_a_file_lies_at_a_plain_path(loaded: LoadedCollector, take: Take) -> None:
    if isinstance(take, (File, Values)):
        assert re.fullmatch(r"(/[\w.-]+)+", take.path)
    if isinstance(take, File) and take.path.startswith(("/proc/", "/sys/")):
        assert take.keep == Keep.OLDEST  # such a file has no size, and therefore no end to begin at
    if isinstance(take, Values):
        assert take.files
        assert all(re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*", file) and ".." not in file for file in take.files)


def test_what_a_listing_makes_runs_nothing_as_root() -> None:
    listing = [one.collector for one in COLLECTORS if callable(one.collector.takes)]
    assert listing
    assert all(collector.elevated == () for collector in listing)


@pytest.mark.parametrize("tool", ["fwupdmgr", "ss", "ip", "apt-cache", "last", "/usr/bin/lastb", "chronyc"])
def test_names_and_updates_are_looked_up_nowhere(tool: str) -> None:
    offline = {
        "fwupdmgr": {"--no-remote-check", "--no-metadata-check"}, "ss": {"-n"}, "ip": set[str](), "chronyc": {"-n"},
        "apt-cache": {"Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache="}, "last": {"-i"}, "/usr/bin/lastb": {"-i"},
    }  # fmt: skip
    argvs = [take.argv for _, take in TAKES if isinstance(take, Command) and take.argv[0] == tool]
    assert argvs
    for argv in argvs:
        assert offline[tool] <= set(argv)
        assert not {"-r", "--resolve", "-N"} & set(argv)


def test_a_collector_is_a_short_file() -> None:
    assert all(isinstance(one.collector, Collector) for one in COLLECTORS)
    assert len({one.collector_id for one in COLLECTORS}) == len(COLLECTORS)
