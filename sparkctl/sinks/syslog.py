"""Syslog: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425)."""

import errno
import re
import socket
import ssl
from collections.abc import Sequence

from sparkctl.model.event import EventSeverity, moment
from sparkctl.model.sink import Answer, Parcel, SinkSettings
from sparkctl.sinks.seam import SinkTrouble, accepted, left, reason, refused
from sparkctl.sinks.wire import connected, cut_off, secured, tls_context

SEVERITIES = {
    EventSeverity.INFO: 6,
    EventSeverity.WARNING: 4,
    EventSeverity.ERROR: 3,
    EventSeverity.CRITICAL: 2,
}
PORTS = {"syslog+udp": 514, "syslog+tcp": 514, "syslog+tls": 6514}
BOM = b"\xef\xbb\xbf"

_GOODBYE_S = 3.0
_ENDS_A_VALUE = re.compile(r'["\\\]]')
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


class SyslogSink:
    """Messages for a collector, in batches over one connection each."""

    def __init__(self, settings: SinkSettings, host: str) -> None:
        """`host` is the name of this machine, from which the messages come."""
        self._settings, self._from = settings, host
        self._host = settings.address.host
        self._port = settings.address.port or PORTS[settings.address.scheme]

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Send a batch. That it was read is only known as far as the far side's end of the connection tells."""
        messages = [message(parcel, self._settings, self._from) for parcel in batch]
        try:
            if self._settings.address.scheme == "syslog+udp":
                return self._datagrams(messages, until)
            words = self._stream(messages, until)
        except SinkTrouble as trouble:
            return Answer([], trouble.down, len(batch))
        return Answer([accepted(words)] * len(batch))

    def _datagrams(self, messages: Sequence[bytes], until: float) -> Answer:
        results = []
        try:
            kind = socket.SOCK_DGRAM
            family, _, _, _, address = socket.getaddrinfo(self._host, self._port, type=kind)[0]
            with socket.socket(family, kind) as sender:
                sender.connect(address)
                for one in messages:
                    sender.settimeout(left(until, self._settings.timeout_s))
                    try:
                        sender.send(one)
                    except OSError as error:
                        if error.errno != errno.EMSGSIZE:
                            raise
                        results.append(refused(f"{len(one)} bytes are too many for a datagram: lower max_bytes"))
                        continue
                    results.append(accepted("sent; over UDP nobody says whether it arrived"))
        except OSError as error:
            # A refusal comes with the answer to an earlier datagram: it is not known which ones arrived.
            raise SinkTrouble(f"{self._host} port {self._port} over UDP: {reason(error)}") from error
        return Answer(results)

    def _stream(self, messages: Sequence[bytes], until: float) -> str:
        timeout_s = self._settings.timeout_s
        connection = connected(self._host, self._port, until, timeout_s)
        if self._settings.address.scheme == "syslog+tls":
            try:
                context = tls_context(self._settings)
            except SinkTrouble:
                connection.close()
                raise
            connection = secured(connection, context, self._host, until, timeout_s)
        with connection:
            try:
                connection.settimeout(left(until, timeout_s))
                with cut_off(connection, until, timeout_s):
                    connection.sendall(b"".join(b"%d %s" % (len(one), one) for one in messages))
                return _read_to_the_end(connection, min(left(until, timeout_s), _GOODBYE_S))
            except OSError as error:
                raise SinkTrouble(f"{self._host} port {self._port}: {reason(error)}") from error

    def close(self) -> None:
        """Nothing stays open."""


def _read_to_the_end(connection: socket.socket, seconds: float) -> str:
    """Say that nothing more comes, and wait until the far side has read all of it; raises OSError when it did not."""
    connection.settimeout(seconds)
    try:
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
        else:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    except TimeoutError:
        return "sent; the far side keeps its end open, so that nobody says whether it was read"
    except ssl.SSLError as error:
        # It closed without a goodbye, as many do once they have read ours.
        if error.reason not in (None, "UNEXPECTED_EOF_WHILE_READING") and not isinstance(error, ssl.SSLEOFError):
            raise
    return "sent, and read to its end"


def message(parcel: Parcel, settings: SinkSettings, host: str) -> bytes:
    """One message of at most `max_bytes`; a payload that is longer is left out, a summary is cut."""
    told = parcel.told
    priority = settings.facility * 8 + SEVERITIES[told.severity]
    head = f"<{priority}>1 {moment(told.at)} {_name(host, 255)} sparkctl - {_name(told.kind, 32)} "
    members = {
        "eventId": told.event_id,
        "severity": told.severity,
        "node": told.node_id or "",
        "simulated": "true" if told.simulated else "false",
        "bodySchema": told.body_schema,
    }
    whole = parcel.payload.encode()
    start = (head + structured(settings.sd_id, members)).encode() + b" " + BOM
    if settings.message == "payload" and len(start) + len(whole) <= settings.max_bytes:
        return start + whole
    if settings.message == "payload":
        members["payloadBytes"] = str(len(whole))
        start = (head + structured(settings.sd_id, members)).encode() + b" " + BOM
    room = max(settings.max_bytes - len(start), 0)
    return start + told.summary.encode()[:room].decode("utf-8", "ignore").encode()


def structured(sd_id: str, members: dict[str, str]) -> str:
    """One element of structured data; what would end a value is escaped (RFC 5424, section 6.3.3)."""
    pairs = (f'{name}="{_ENDS_A_VALUE.sub(_escaped, value)}"' for name, value in members.items() if value)
    return f"[{sd_id} {' '.join(pairs)}]"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match.group()}"


def _name(text: str, limit: int) -> str:
    """A field of the header: printable ASCII, or `-` for none."""
    return _NOT_PRINTABLE.sub("_", text)[:limit] or "-"
