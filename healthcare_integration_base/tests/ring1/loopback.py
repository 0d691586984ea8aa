# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Servers of the HTTP client's tests: real sockets on 127.0.0.1, one thread each."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Received:
    """One request as it came over the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {
            name.lower(): value.strip()
            for name, _colon, value in (line.partition(":") for line in lines)
        }


Handler = Callable[["Server", socket.socket, Received], None]


class Server:
    """Calls ``handler(server, connection, request)`` for each request of a connection."""

    def __init__(self, handler: Handler | None, tls: ssl.SSLContext | None = None):
        self.handler, self.tls = handler, tls
        self.requests: list[Received] = []
        self.connections = 0
        self.closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.closing.set()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                while request := read_request(connection):
                    self.requests.append(request)
                    if self.handler is None:
                        self.closing.wait(30)
                        return
                    self.handler(self, connection, request)
        except OSError:
            pass


def read_request(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        data += chunk
        if data.startswith(b"\x16\x03"):  # a TLS handshake where plain HTTP is spoken
            return Received(data, b"")
    head, _, body = data.partition(b"\r\n\r\n")
    request = Received(head, body)
    length = int(request.headers.get("content-length", 0))
    while len(request.body) < length:
        request.body += connection.recv(65_536)
    return request


def answer(
    body: bytes = b"", status: str = "200 OK", headers: str = "", close: bool = False
) -> Handler:
    """A handler that answers always the same."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"

    def handler(_server: Server, connection: socket.socket, _request: Received) -> None:
        connection.sendall(head.encode("latin-1") + body)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return handler


def raw(data: bytes) -> Handler:
    """A handler that sends these bytes and closes."""

    def handler(_server: Server, connection: socket.socket, _request: Received) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return handler


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


def self_signed(tmp_path, *names: str) -> tuple[ssl.SSLContext, str]:
    """Return (server context, its certificate as PEM) for these host names or addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([_alternative(text) for text in names]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    )
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(
        serialization.Encoding.PEM
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "server.pem"
    path.write_bytes(certificate + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, certificate.decode()


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
