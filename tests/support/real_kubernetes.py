"""A real API server of Kubernetes with its etcd on loopback: no node, no controller, so that only we change things."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from monitor.core.model.events import SECOND
from monitor.ops.clock import SystemClock
from tests.support.ports import free_port, free_ports
from tests.support.shop import START_SECONDS, running
from tests.support.waiting import until

PERSON, OURS = "token-of-ann", "token-of-nearmiss"
USERS = f'{PERSON},ann@shop.example,1,"system:masters"\n{OURS},nearmiss,2\n'
READY_SECONDS = 120.0
"""A first start fills an empty etcd; on a busy machine that takes long."""


def real_kubernetes() -> Path:
    """The folder of a kube-apiserver and an etcd, which `make kubernetes` builds. Skips where they were not built."""
    found = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nearmiss/kubernetes-1.34.2"
    if not (found / "kube-apiserver").exists() or not (found / "etcd").exists():
        pytest.skip(
            "no kube-apiserver with etcd: the watch of a real Kubernetes, its 410 and its audit log were not tried; "
            "run: make kubernetes (needs Go)"
        )
    return found


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate for loopback and its key, as files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nearmiss")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    today = datetime.fromtimestamp(SystemClock().now() / SECOND, UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    certificate, secret = directory / "front.crt", directory / "front.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, secret


class Cluster:
    """`ca_file` is the authority of its certificate."""

    def __init__(self, address: str, etcd: str, ca_file: Path) -> None:
        self.address, self._etcd, self.ca_file = address, etcd, ca_file
        self._client = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {PERSON}", "User-Agent": "kubectl/v1.34.2"},
            verify=ssl.create_default_context(cafile=str(ca_file)),
            trust_env=False,
            timeout=READY_SECONDS,
        )

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """As the person. Raises AssertionError where it is refused."""
        answer = self._client.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def patch(self, path: str, body: Any) -> Any:
        return self.ask("PATCH", path, body, **{"Content-Type": "application/merge-patch+json"})

    def status(self, method: str, path: str, token: str) -> int:
        """What another account is answered."""
        return self._client.request(method, path, headers={"Authorization": f"Bearer {token}"}).status_code

    def is_ready(self) -> bool:
        """Whether the namespace `default`, which the server makes itself, is there too."""
        try:
            return self._client.get("/readyz").is_success and self._client.get("/api/v1/namespaces/default").is_success
        except httpx.TransportError:
            return False

    def compact(self) -> None:
        """Etcd forgets everything but how things are now."""
        with httpx.Client(base_url=self._etcd, trust_env=False, timeout=READY_SECONDS) as client:
            found = client.post("/v3/kv/range", json={"key": "AA=="})
            assert found.is_success, found.text
            upto = {"revision": found.json()["header"]["revision"], "physical": True}
            done = client.post("/v3/kv/compaction", json=upto)
            assert done.is_success, done.text

    def kubeconfig(self) -> dict[str, Any]:
        """As the person has it."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "c", "cluster": {"server": self.address, "certificate-authority": str(self.ca_file)}},
            ],
            "users": [{"name": "ann", "user": {"token": PERSON}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "ann"}}],
            "current-context": "c",
        }

    def close(self) -> None:
        self._client.close()


@contextmanager
def kubernetes(directory: Path, *more: str) -> Iterator[Cluster]:
    """Both run until the end; `more` are flags of the API server."""
    with etcd(directory) as kept, api_server(directory, kept, *more) as cluster:
        yield cluster


@contextmanager
def api_server(directory: Path, kept: str, *more: str) -> Iterator[Cluster]:
    """An API server until the end; `kept` is the address of its etcd."""
    port, certificates = free_port(), directory / "certificates"
    key = directory / "accounts.key"
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "users.csv").write_text(USERS, encoding="utf-8")
    arguments = [
        str(real_kubernetes() / "kube-apiserver"),
        f"--etcd-servers={kept}",
        # It would compact by itself, whenever.
        "--etcd-compaction-interval=0",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={certificates}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--disable-admission-plugins=ServiceAccount",
        f"--token-auth-file={directory / 'users.csv'}",
        "--authorization-mode=RBAC",
        *more,
    ]
    certificate = certificates / "apiserver.crt"
    log = directory / "kube-apiserver.log"
    with log.open("w") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=out, cwd=directory)
    try:

        def is_certified() -> bool:
            assert process.poll() is None, log.read_text()
            # It is there before anything stands in it.
            return certificate.exists() and "END CERTIFICATE" in certificate.read_text("ascii")

        until(is_certified, "the API server has a certificate", within=READY_SECONDS)
        cluster = Cluster(f"https://127.0.0.1:{port}", kept, certificate)
        try:
            until(lambda: is_certified() and cluster.is_ready(), "the API server is ready", within=READY_SECONDS)
            yield cluster
        finally:
            cluster.close()
    finally:
        process.kill()
        process.wait(START_SECONDS)


@contextmanager
def etcd(directory: Path) -> Iterator[str]:
    """Its address for clients."""
    clients, peers = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    arguments = [
        str(real_kubernetes() / "etcd"),
        f"--data-dir={directory / 'etcd-data'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]
    with running(directory, arguments, clients, ready="/health"):
        yield clients
