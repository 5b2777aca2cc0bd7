"""Every way out by the scheme of its address: what makes it, and what may be said of it in a file."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sparkctl.model.event import EventKind
from sparkctl.model.sink import SinkSettings
from sparkctl.sinks.elastic import ElasticSink
from sparkctl.sinks.file import FileSink
from sparkctl.sinks.otlp import OtlpSink
from sparkctl.sinks.prometheus import PrometheusSink
from sparkctl.sinks.seam import Sink
from sparkctl.sinks.sendmail import SendmailSink
from sparkctl.sinks.splunk import SplunkSink
from sparkctl.sinks.stdout import StdoutSink
from sparkctl.sinks.syslog import SyslogSink
from sparkctl.sinks.webhook import WebhookSink

EVERYTHING = frozenset(EventKind)
FOR_PEOPLE = frozenset({EventKind.ALERT, EventKind.DIGEST, EventKind.PLAYBOOK, EventKind.OUTBOX, EventKind.TEST})
FOR_METRICS = frozenset({EventKind.RUN, EventKind.TEST})

_HTTP = frozenset({"ca_file", "cert_file", "key_file", "proxy"})
_TOKEN = frozenset({"token_file", "token_env", "credential"})


class Where(StrEnum):
    """What an address of a scheme names beside the scheme."""

    NOTHING = "nothing"
    HOST = "host"
    PATH = "path"
    MAYBE_PATH = "maybe_path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way out.

    `make` makes it of its settings and the name of this machine. `keys` are those that it understands beside the common
    ones, `required` those that it cannot do without: one of them, where there are several. `kinds` are the events that
    it takes when nothing is said, `takes` those that it can take at all. A `pulled` one only gets events while
    `sinks send` runs, never after a run.
    """

    make: Callable[[SinkSettings, str], Sink]
    where: Where
    keys: frozenset[str] = frozenset()
    required: tuple[frozenset[str], ...] = ()
    kinds: frozenset[EventKind] = EVERYTHING
    takes: frozenset[EventKind] = EVERYTHING
    pulled: bool = False


def _http(make: Callable[[SinkSettings, str], Sink], more: frozenset[str], *required: frozenset[str]) -> Scheme:
    return Scheme(make=make, where=Where.HOST, keys=_HTTP | _TOKEN | more, required=required)


_WEBHOOK = _http(lambda settings, _: WebhookSink(settings), frozenset(), _TOKEN)
_SPLUNK = _http(lambda settings, _: SplunkSink(settings), frozenset({"index", "ack"}), _TOKEN)
_ELASTIC = _http(lambda settings, _: ElasticSink(settings), frozenset({"index", "user"}), frozenset({"index"}))
_OTLP = _http(lambda settings, _: OtlpSink(settings), frozenset())
_SYSLOG = frozenset({"facility", "sd_id", "message", "max_bytes"})

SCHEMES: dict[str, Scheme] = {
    "stdout": Scheme(make=lambda _, __: StdoutSink(), where=Where.NOTHING, pulled=True),
    "file": Scheme(make=lambda settings, _: FileSink(settings), where=Where.PATH, keys=frozenset({"rotate"})),
    "syslog+udp": Scheme(make=SyslogSink, where=Where.HOST, keys=_SYSLOG),
    "syslog+tcp": Scheme(make=SyslogSink, where=Where.HOST, keys=_SYSLOG),
    "syslog+tls": Scheme(make=SyslogSink, where=Where.HOST, keys=_SYSLOG | {"ca_file", "cert_file", "key_file"}),
    "webhook+https": _WEBHOOK,
    "webhook+http": _WEBHOOK,
    "splunk+https": _SPLUNK,
    "splunk+http": _SPLUNK,
    "elastic+https": _ELASTIC,
    "elastic+http": _ELASTIC,
    "otlp+https": _OTLP,
    "otlp+http": _OTLP,
    "prometheus": Scheme(
        make=lambda settings, _: PrometheusSink(settings), where=Where.PATH, kinds=FOR_METRICS, takes=FOR_METRICS
    ),
    "sendmail": Scheme(
        make=SendmailSink,
        where=Where.MAYBE_PATH,
        keys=frozenset({"from", "to"}),
        required=(frozenset({"to"}),),
        kinds=FOR_PEOPLE,
    ),
}


def make_sink(settings: SinkSettings, host: str) -> Sink:
    """The sink that a file describes; nothing is opened before it sends."""
    return SCHEMES[settings.address.scheme].make(settings, host)
