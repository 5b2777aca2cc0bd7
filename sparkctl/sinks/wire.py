"""Connections that end in time, whatever the far side does."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from sparkctl.model.sink import SinkSettings
from sparkctl.sinks.seam import SinkTrouble, left, reason
from sparkctl.sinks.secret import require_private


def tls_context(settings: SinkSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the certificate and the name of the far side checked; raises SinkTrouble."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise SinkTrouble(f"the CA file {settings.ca_file} cannot be used: {reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None:
        _present(context, settings.cert_file, settings.key_file or settings.cert_file)
    return context


def _present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    require_private(key)

    def no_password() -> str:
        raise SinkTrouble(f"the key {key} needs a password, and nobody is there to give it")

    try:
        context.load_cert_chain(certificate, key, no_password)
    except (OSError, ssl.SSLError) as error:
        raise SinkTrouble(f"{certificate} and {key} are no certificate with its key: {reason(error)}") from error


def connected(host: str, port: int, until: float, timeout_s: float) -> socket.socket:
    """A TCP connection; raises SinkTrouble."""
    try:
        return socket.create_connection((host, port), left(until, timeout_s))
    except OSError as error:
        raise SinkTrouble(f"{host} port {port} cannot be reached: {reason(error)}") from error
    except UnicodeError as error:
        raise SinkTrouble(f"{host} is no name of a host") from error


def secured(plain: socket.socket, context: ssl.SSLContext, name: str, until: float, timeout_s: float) -> ssl.SSLSocket:
    """TLS over a connection, which is closed where that fails; raises SinkTrouble."""
    wrapped = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    try:
        wrapped.settimeout(left(until, timeout_s))
        with cut_off(wrapped, until, timeout_s):
            wrapped.do_handshake()
    except ssl.SSLCertVerificationError as error:
        wrapped.close()
        raise SinkTrouble(f"{name} is not believed to be who it is: {error.verify_message}") from error
    except OSError as error:
        wrapped.close()
        raise SinkTrouble(f"TLS with {name} failed: {reason(error)}") from error
    return wrapped


@contextlib.contextmanager
def cut_off(connection: socket.socket, until: float, timeout_s: float) -> Iterator[None]:
    """Shut a connection down when a step takes too long as a whole, however lively the far side drips its bytes.

    Raises TimeoutError then.
    """
    late = threading.Event()

    def shut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            # Of a TLS connection the one below it: nothing is left to be said.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(left(until, timeout_s), shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError
