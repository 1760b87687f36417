"""A real Apache Kafka for tests: one broker in KRaft mode, started from Maven Central jars, stopped by its own pid.

Knows how to get, start, stop and restart a broker; nothing of the product but its clock.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from monitor.ops.clock import SystemClock
from tests.support.ports import free_ports

PROJECT = Path(__file__).resolve().parents[2]
POM = Path(__file__).resolve().parent / "java" / "pom.xml"
OLDEST_JAVA = 17
START_SECONDS = 90.0
STOP_SECONDS = 30.0
SASL_USER = "reader"
SASL_PASSWORD = "reader-password"
GUEST = "guest"
"""A user who may nothing but what a test grants."""
KEYSTORE = "keystore.p12"
STORE_PASSWORD = "not-a-secret"


class KafkaBroker:
    """One broker on free loopback ports. The ports stay the same over stop and start, and so does the data."""

    def __init__(self, jars: Path, java: str, folder: Path) -> None:
        port, sasl_port, tls_port, mutual_port, controller_port = free_ports(5)
        self.bootstrap = f"127.0.0.1:{port}"
        self.sasl_bootstrap = f"127.0.0.1:{sasl_port}"
        self.tls_bootstrap = f"127.0.0.1:{tls_port}"
        self.mutual_bootstrap = f"127.0.0.1:{mutual_port}"
        self.certificate = folder / "certificate.pem"
        self.client_certificate = folder / "client.pem"
        self.client_key = folder / "client.key"
        self._folder = folder
        self._log = folder / "broker.log"
        self._config = folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        self._command = (
            java,
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            str(jars / "*"),
        )
        ports = (port, sasl_port, tls_port, mutual_port, controller_port)
        self._config.write_text(_properties(ports, folder), encoding="utf-8")
        _make_certificate(Path(java), folder / KEYSTORE, self.certificate)
        _make_client(self.client_certificate, self.client_key)
        self._format()

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(b"\x01" + uuid.uuid4().bytes[1:]).rstrip(b"=").decode()
        users = [
            f"SCRAM-SHA-{bits}=[name={name},password={SASL_PASSWORD}]"
            for bits in (256, 512)
            for name in (SASL_USER, GUEST)
        ]
        tool = (
            *(*self._command, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._config)),
            *(part for user in users for part in ("--add-scram", user)),
        )
        done = subprocess.run(tool, capture_output=True, text=True, check=False, cwd=self._folder)
        if done.returncode != 0:
            pytest.fail(f"Kafka could not format its storage: {done.stderr.strip()}", pytrace=False)

    def start(self) -> None:
        """Start the broker and return when it serves requests. Fails the test run when it does not come up."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                (*self._command, "kafka.Kafka", str(self._config)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )
        clock = SystemClock()
        deadline = clock.monotonic() + START_SECONDS
        while not asyncio.run(is_ready(self.bootstrap)):
            if self._process.poll() is not None or clock.monotonic() > deadline:
                self.stop()
                tail = "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
                pytest.fail(f"Kafka did not start; the end of its log:\n{tail}", pytrace=False)

    def stop(self) -> None:
        """Stop the broker that `start` started; does nothing when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def new_broker(folder: Path) -> KafkaBroker:
    """A broker that keeps its files in `folder`, not started yet."""
    return KafkaBroker(find_jars(), find_java(), folder)


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A running broker for the whole test run. Its users share one xdist group, so that it starts once."""
    broker = new_broker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic name that no other test has. The topic itself is for the test to create."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:60].strip("-")
    return f"{readable}-{uuid.uuid4().hex[:8]}"


async def is_ready(bootstrap: str) -> bool:
    """Whether the broker takes requests and has registered itself; tried for at most a second."""
    host, port = bootstrap.split(":")
    try:
        async with asyncio.timeout(1):
            # A plain connection first: the client logs an error for each attempt that is refused.
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
    except (OSError, TimeoutError):
        await asyncio.sleep(0.1)
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, TimeoutError):
        return False
    finally:
        await admin.close()


def find_java() -> str:
    java = shutil.which("java")
    if java is None:
        pytest.fail(f"The Kafka tests need Java {OLDEST_JAVA}: install openjdk-17-jre-headless.", pytrace=False)
    told = subprocess.run((java, "-version"), capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        line = told.splitlines()[0] if told else "no answer"
        pytest.fail(
            f"The Kafka tests need Java {OLDEST_JAVA} or newer, found {line}: install openjdk-17-jre-headless.",
            pytrace=False,
        )
    return java


def find_jars() -> Path:
    """The folder with Kafka's jars; fetched once for each content of the pom, after that no network is needed."""
    cache = PROJECT / ".cache" / "java"
    folder = cache / hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        pytest.fail("The Kafka tests fetch Kafka with Maven once: install maven.", pytrace=False)
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    done = subprocess.run(
        (
            *(maven, "--batch-mode", "--quiet", "--file", str(POM), "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", f"-DoutputDirectory={partial}"),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        pytest.fail("Maven could not fetch Kafka: " + (said[0] if said else "no message"), pytrace=False)
    # Renamed at the end, so that an interrupted download is never taken for a whole one.
    partial.replace(folder)


def _make_certificate(java: Path, keystore: Path, certificate: Path) -> None:
    """A key in `keystore` for a broker at 127.0.0.1, and its self-signed certificate in `certificate`."""
    keytool = str(java.resolve().with_name("keytool"))
    store = ("-keystore", str(keystore), "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-alias", "broker")
    name = ("-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-ext", "bc:c", "-validity", "3650")
    for command in (
        (keytool, "-genkeypair", *store, "-keyalg", "EC", *name),
        (keytool, "-exportcert", *store, "-rfc", "-file", str(certificate)),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.fail(f"keytool could not make a certificate: {(done.stdout + done.stderr).strip()}", pytrace=False)


def _make_client(certificate: Path, key: Path) -> None:
    """A certificate that signs itself, for a client; the broker is told to trust this one."""
    command = (
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "3650", "-subj", "/CN=client", "-keyout", str(key), "-out", str(certificate)),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"openssl could not make a certificate: {done.stderr.strip()}", pytrace=False)


def _properties(ports: tuple[int, int, int, int, int], folder: Path) -> str:
    port, sasl_port, tls_port, mutual_port, controller_port = ports
    listeners = ",".join(
        f"{name}://127.0.0.1:{number}"
        for name, number in {"CLIENT": port, "LOGIN": sasl_port, "TLS": tls_port, "MUTUAL": mutual_port}.items()
    )
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": (
            "CLIENT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,TLS:SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT"
        ),
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "listener.name.login.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.login.plain.sasl.jaas.config": (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_{SASL_USER}="{SASL_PASSWORD}" user_{GUEST}="{SASL_PASSWORD}";'
        ),
        **{
            f"listener.name.login.scram-sha-{bits}.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            )
            for bits in (256, 512)
        },
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.mutual.ssl.truststore.type": "PEM",
        "listener.name.mutual.ssl.truststore.location": str(folder / "client.pem"),
        # Everybody may everything here but the guest.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{SASL_USER};User:CN=client",
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(folder / KEYSTORE),
        "ssl.keystore.password": STORE_PASSWORD,
        "log.dirs": str(folder / "data"),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Retention goes by the records' own timestamps, and those of tests lie in the past.
        "log.retention.ms": "-1",
        # So that a test does not wait long for a compaction.
        "log.cleaner.backoff.ms": "200",
        # As most clusters have it: what reads must not create a topic by asking for it.
        "auto.create.topics.enable": "true",
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
