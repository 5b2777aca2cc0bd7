"""The file of sinks: what it may say, and mistakes with their places and without secrets."""

from pathlib import Path

import pytest

from sparkctl.app.places import Places
from sparkctl.app.sink_check import check
from sparkctl.app.sink_file import examine, plan_at, read_sinks
from sparkctl.app.sink_routes import Routes
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.model.event import EventKind, EventSeverity
from sparkctl.model.sink import Only, Retry, SecretFrom, SecretRef
from tests.sinks.events import NOON, SECRET, event, plan, settings

WHOLE = """version: 1
within: 5s
sinks:
  siem:
    url: syslog+tls://log.example.org
    ca_file: ca.pem
    facility: local3
    message: payload
    only: {kinds: [alert, run], min_severity: warning, selector: ["rack=a1", spark03]}
    retry: {attempts: 7, max_age: 2d, first: 2s, longest: 10m}
    spool: {rows: 500, size: 8M, keep: 1h}
    batch: 50
    timeout: 3s
  hook: {url: "webhook+https://h.example.org:8443/a?b=c", token_env: HOOK_KEY, proxy: none}
  mail: {url: "sendmail:", to: [a@example.org, root]}
  metrics: {url: "prometheus:///var/lib/prom"}
  pipe: {url: "stdout:"}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sinks.yaml"
    path.write_text(text)
    return path


def test_what_is_said_and_what_is_not(tmp_path: Path) -> None:
    found = read_sinks(write(tmp_path, WHOLE))
    siem, hook = found.sinks["siem"], found.sinks["hook"]
    assert found.within_s == 5.0
    assert (siem.address.host, siem.address.port, siem.ca_file) == ("log.example.org", None, tmp_path / "ca.pem")
    assert (siem.facility, siem.message, siem.batch, siem.timeout_s) == (19, "payload", 50, 3.0)
    assert siem.retry == Retry(attempts=7, max_age_s=2 * 86400, first_s=2, longest_s=600)
    assert (siem.spool.rows, siem.spool.max_bytes, siem.spool.keep_s) == (500, 8 * 2**20, 3600)
    kinds = frozenset({EventKind.ALERT, EventKind.RUN})
    assert siem.only == Only(kinds=kinds, min_severity=EventSeverity.WARNING, selector="rack=a1,spark03")
    assert hook.secret == SecretRef(SecretFrom.ENVIRONMENT, "HOOK_KEY")
    assert hook.address.words == "webhook+https://h.example.org:8443/a?b=c"
    assert EventKind.VISIT not in found.sinks["mail"].only.kinds
    assert found.sinks["metrics"].only.kinds == {EventKind.RUN, EventKind.TEST}


@pytest.mark.parametrize(
    ("sink", "key", "words"),
    [
        ("{}", "", "`url` is missing"),
        ("{url: 'https://a.example.org'}", "url", "scheme that is known"),
        (f"{{url: 'webhook+https://u:{SECRET}@h/', token_env: A}}", "url", "user or password"),
        (f"{{url: 'elastic+https://{SECRET}@h/', index: a}}", "url", "user or password"),
        (f"{{url: 'webhook+https://h/x?a=b&access_token={SECRET}', token_env: A}}", "url", "token or key"),
        ("{url: 'webhook+https://h/hüte', token_env: A}", "url", "beyond ASCII"),
        ("{url: 'webhook+https:///x', token_env: A}", "url", "no host"),
        ("{url: 'webhook+https://h:99999/', token_env: A}", "url", "host or port"),
        ("{url: 'webhook+https://h/'}", "", "needs `credential` or `token_env` or `token_file`"),
        ("{url: 'webhook+http://h.example.org/', token_env: A}", "url", "in the clear"),
        (f"{{url: 'webhook+https://h/', token: {SECRET}}}", "token", "must not stand in this file"),
        (f"{{url: 'webhook+https://h/', password: {SECRET}, token_env: A}}", "password", "must not stand"),
        (f"{{url: 'webhook+https://h/', headers: [{SECRET}], token_env: A}}", "headers", "must not stand"),
        (f"{{url: 'webhook+https://h/', token_env: '{SECRET}!'}}", "token_env", "no name of a variable"),
        ("{url: 'webhook+https://h/', token_env: A, token_file: b}", "token_env", "named twice"),
        ("{url: 'webhook+https://h/', token_env: A, index: b}", "index", "means nothing to webhook+https"),
        ("{url: 'syslog+tcp://h/path'}", "url", "no path"),
        ("{url: 'syslog+tcp://h', sd_id: 'a b@1'}", "sd_id", "must be as"),
        ("{url: 'syslog+tcp://h', facility: local9}", "facility", "must be one of"),
        ("{url: 'file://host/a'}", "url", "three slashes"),
        ("{url: 'file:///a/../b'}", "url", "without `..`"),
        ("{url: 'stdout:/a'}", "url", "names a path"),
        ("{url: 'elastic+https://h'}", "", "needs `index`"),
        ("{url: 'elastic+https://h', index: _all}", "index", "name of an index"),
        ("{url: 'sendmail:'}", "", "needs `to`"),
        ("{url: 'sendmail:', to: '-oQ/tmp'}", "to", "mail address"),
        ('{url: "sendmail:", to: "a@b\\nBcc: c@d"}', "to", "mail address"),
        ("{url: 'prometheus:///a', only: {kinds: [visit]}}", "only.kinds", "must be one of run, test"),
        ("{url: 'stdout:', only: {kinds: [visits]}}", "only.kinds", "must be one of run, visit"),
        ("{url: 'stdout:', only: {min_severity: high}}", "only.min_severity", "must be one of info"),
        ("{url: 'stdout:', only: {colour: red}}", "only.colour", "unknown key"),
        ("{url: 'stdout:', format: xml}", "format", "must be one of event"),
        ("{url: 'stdout:', batch: 0}", "batch", "from 1"),
        ("{url: 'stdout:', timeout: 1h}", "timeout", "from 1s to 300s"),
        ("{url: 'stdout:', retry: {first: 60s, longest: 5s}}", "retry.longest", "shorter than the first"),
        ("{url: 'stdout:', colour: red}", "colour", "unknown key"),
        ("{url: 'file:///a b'}", "url", "without spaces"),
        (
            f"{{url: 'webhook+https://h/', token_env: A, proxy: 'http://u:{SECRET}@h'}}",
            "proxy",
            "must be http://HOST:PORT",
        ),
        ("{url: 'splunk+https://h/', token_env: A, key_file: k}", "key_file", "goes with a certificate"),
        ("[a]", "", "must be a mapping"),
    ],
)
def test_mistakes_have_a_place_and_repeat_no_secret(tmp_path: Path, sink: str, key: str, words: str) -> None:
    path = write(tmp_path, f"version: 1\nsinks:\n  s: {sink}\n")
    found, problems = examine(path)
    assert found is None
    told = [problem.sentence + problem.action for problem in problems]
    place = f"{path}:3: sinks.s{'.' if key else ''}{key}: "
    assert not any(SECRET in one for one in told)
    assert any(one.startswith(place) and words in one for one in told), told
    with pytest.raises(UsageError) as caught:
        read_sinks(path)
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"


STDOUT = "{url: 'stdout:'}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n",
        f"version: 2\nsinks:\n  s: {STDOUT}\n",
        "version: 1\n",
        "version: 1\nsinks: {}\n",
        f"version: 1\nsinks:\n  S: {STDOUT}\n",
        f"version: 1\nsinks:\n  s: {STDOUT}\n  s: {STDOUT}\n",
        "a: [\n",
        f"version: 1\nwithin: 1\nsinks:\n  s: {STDOUT}\n",
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    assert examine(path)[0] is None
    with pytest.raises(UsageError, match=r"sinks\.yaml"):
        read_sinks(path)


def test_where_the_file_is(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.yaml"
    assert plan_at(Places(fleet, None, {})).sinks == {}
    path = write(tmp_path, "version: 1\nsinks: {s: {url: 'stdout:'}}\n")
    assert list(plan_at(Places(fleet, None, {})).sinks) == ["s"]
    assert Places(fleet, None, {"SPARKCTL_SINKS": "/a"}).sinks == Path("/a")
    assert Places(fleet, None, {"SPARKCTL_SINKS": "/a"}, path).sinks == path
    assert Places(fleet, None, {}, Path("none")).sinks is None
    with pytest.raises(UsageError, match="/nowhere"):
        plan_at(Places(fleet, None, {}, Path("/nowhere.yaml")))


def test_which_events_go_where(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes:\n  spark01: {rack: a1}\n  spark02: {rack: a2}\n")
    fleet = load_fleet(tmp_path / "fleet.yaml")
    a1 = settings("stdout:", "a1", only=Only(kinds=frozenset(EventKind), selector="rack=a1"))
    bad = settings("stdout:", "bad", only=Only(kinds=frozenset(EventKind), min_severity=EventSeverity.ERROR))
    runs = settings("stdout:", "runs", only=Only(kinds=frozenset({EventKind.RUN})))
    routes = Routes(plan(a1, bad, runs), fleet)

    def to(*args: object, **more: object) -> tuple[str, ...]:
        found = routes.address(event(*args, **more), NOON)  # type: ignore[arg-type]
        return found[0].sinks if found else ()

    assert to(1) == ("a1",)
    assert to(1, node_id="spark02") == ()
    assert to(1, severity=EventSeverity.CRITICAL) == ("a1", "bad")
    assert to(1, EventKind.RUN, node_id=None) == ("runs",)
    with pytest.raises(UsageError, match=r"sinks\.a3\.only\.selector"):
        Routes(plan(settings("stdout:", "a3", only=Only(kinds=frozenset(), selector="rack=a3"))), fleet)


def test_check_sees_what_a_file_cannot_say_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    (tmp_path / "fleet.yaml").write_text("nodes:\n  spark01:\n")
    (tmp_path / "open").write_text(SECRET)
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "spaces").touch(0o600)
    (tmp_path / "spaces").write_text(f"{SECRET} x")
    path = write(
        tmp_path,
        "version: 1\nsinks:\n  a: {url: 'webhook+https://h/', token_env: NO_SUCH}\n"
        "  b: {url: 'splunk+https://h/', token_file: open}\n  c: {url: 'otlp+https://h/', ca_file: none.pem}\n"
        "  d: {url: 'file:///nowhere/x'}\n  e: {url: 'syslog+udp://h'}\n  f: {url: 'sendmail:///nowhere/m', to: a}\n"
        "  g: {url: 'stdout:', only: {selector: rack=z}}\n  h: {url: 'splunk+https://h/', token_file: spaces}\n"
        "  i: {url: 'otlp+https://h/', credential: c}\n",
    )
    path.chmod(0o666)
    found = check(Places(tmp_path / "fleet.yaml", None, {}), path)
    assert {(one.key or "").removeprefix("sinks.") for one in found} == {
        "", "a.token_env", "b.token_file", "c.ca_file", "d.url", "e.url", "f.url", "g.only.selector", "h.token_file",
        "i.credential",
    }  # fmt: skip
    assert not any(SECRET in one.sentence + one.action for one in found)
