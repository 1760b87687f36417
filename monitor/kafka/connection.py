"""Opens connections to a broker and tells apart what heals by itself from what a person must correct.

Knows aiokafka's clients and errors; nothing of positions, decoding or the engine.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    NoError,
    RecordTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.helpers import create_ssl_context

from monitor.kafka.errors import (
    LoginRefused,
    MissingTopics,
    TooLargeToFetch,
    TopicForbidden,
    UnusableCertificate,
    WritingForbidden,
)
from monitor.kafka.settings import KafkaSettings
from monitor.ports import Unavailable

CLIENT_ID = "nearmiss-monitor"
_REFUSED_LOGIN = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)
_FETCH_BYTES = 16 * 1024 * 1024
_SEND_BYTES = 2 * 1024 * 1024
SESSION_MILLISECONDS = 6000
"""A member that was not heard of for so long is given up by the group; the least that brokers allow by default."""
HEARTBEAT_MILLISECONDS = 1500
_FETCH_WAIT_MILLISECONDS = 100
_GIVE_UP_SECONDS = 1.0
_MILLISECONDS = 1000
Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer)


class Connector:
    """Makes clients for one cluster.

    In seconds, `timeout`: how long any one exchange with it may take; `refresh`: how often metadata is renewed.
    """

    def __init__(self, settings: KafkaSettings, timeout: float, refresh: float) -> None:
        """Raises UnusableCertificate."""
        self._settings = settings
        self._timeout = timeout
        self._refresh = refresh
        self._ssl = _tls(settings) if settings.uses_tls else None

    async def partitions(self) -> tuple[str, frozenset[TopicPartition]]:
        """The cluster's id, and all partitions of the topics in the settings. Raises what `KafkaReader.start` raises.

        Asks for all topics and picks ours: to ask for a topic by name creates it where the broker creates topics
        automatically.
        """
        async with self.admin("to list its topics") as admin:
            cluster = str((await admin.describe_cluster())["cluster_id"])
            described = {topic["topic"]: topic for topic in await admin.describe_topics()}
        missing = sorted(name for name in self._settings.names if name not in described)
        if missing:
            raise MissingTopics(self._settings.bootstrap, missing)
        found: set[TopicPartition] = set()
        forbidden: list[str] = []
        for name in described:
            if self._settings.source_of(name) is None:
                continue
            error = for_code(described[name]["error_code"])
            if error is TopicAuthorizationFailedError:
                forbidden.append(name)
            elif error is not NoError:
                raise Unavailable(f"topic {name} at {self._settings.bootstrap}: {error.__name__}")
            found.update(TopicPartition(name, each["partition"]) for each in described[name]["partitions"])
        if forbidden:
            raise TopicForbidden(forbidden)
        return cluster, frozenset(found)

    @asynccontextmanager
    async def admin(self, what: str) -> AsyncIterator[AIOKafkaAdminClient]:
        """A started client for questions, for as long as the block lasts, within the timeout.

        Raises LoginRefused, Unavailable.
        """
        admin = AIOKafkaAdminClient(**self._common())
        try:
            async with self.patience(what):
                await self._start(admin)
                yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def client(self, what: str) -> AsyncIterator[AIOKafkaClient]:
        """A connected client for a request that the others have no call for, within the timeout. Raises Unavailable."""
        client = AIOKafkaClient(**self._common())
        try:
            async with self.patience(what):
                await client.bootstrap()
                yield client
        finally:
            await client.close()

    async def consumer(self, group: str | None = None) -> AIOKafkaConsumer:
        """A started consumer that reads only what transactions committed. Raises LoginRefused, Unavailable."""
        consumer = AIOKafkaConsumer(
            **self._common(),
            group_id=group,
            enable_auto_commit=False,
            # Never jump: a position that the topic does not hold must come up as an error.
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_bytes=_FETCH_BYTES,
            # A broker answers one connection in order: a question about offsets waits behind an idle fetch.
            fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS,
            metadata_max_age_ms=round(self._refresh * _MILLISECONDS),
        )
        return await self._connected(consumer, self.close)

    async def member(self, group: str, assignor: type[Any]) -> AIOKafkaConsumer:
        """A started consumer that can join a group and reads nothing. Raises LoginRefused, Unavailable."""
        consumer = AIOKafkaConsumer(
            **self._common(),
            group_id=group,
            enable_auto_commit=False,
            # It never fetches; this only keeps it from complaining that it would not know from where.
            auto_offset_reset="latest",
            session_timeout_ms=SESSION_MILLISECONDS,
            heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
            partition_assignment_strategy=[assignor],
            metadata_max_age_ms=round(self._refresh * _MILLISECONDS),
        )
        return await self._connected(consumer, self.close)

    async def producer(self) -> AIOKafkaProducer:
        """A started producer that waits for all replicas in sync. Raises LoginRefused, Unavailable."""
        producer = AIOKafkaProducer(**self._common(), acks="all", enable_idempotence=True, max_request_size=_SEND_BYTES)
        return await self._connected(producer, self.close_producer)

    async def close_producer(self, producer: AIOKafkaProducer) -> None:
        """Close, but do not wait for a broker that does not answer."""
        try:
            async with asyncio.timeout(self._timeout):
                await producer.stop()
        except (TimeoutError, KafkaError, OSError):
            # With the client closed the sender's requests fail at once; but it may wait for what only an open client
            # would tell it, and then for ever, unless it is cancelled once more, which the end of this time does.
            with suppress(TimeoutError):
                async with asyncio.timeout(_GIVE_UP_SECONDS):
                    await asyncio.gather(producer._sender.close(), producer.client.close(), return_exceptions=True)  # noqa: SLF001 - as in `close`

    async def close(self, consumer: AIOKafkaConsumer) -> None:
        """Close, but do not wait for a broker that does not answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                stopped = await asyncio.gather(consumer.stop(), return_exceptions=True)
                if stopped[0] is not None:
                    # aiokafka's `stop` is itself cancelled when a fetch that had failed is about to be repeated (a
                    # broker is away), and then leaves tasks and connections behind; no public way finishes the job.
                    fetcher, client = consumer._fetcher, consumer._client  # noqa: SLF001
                    rest = [client.close()] if fetcher is None else [fetcher.close(), client.close()]
                    await asyncio.gather(*rest, return_exceptions=True)

    @asynccontextmanager
    async def patience(self, what: str) -> AsyncIterator[None]:
        """Run an exchange with the broker within the timeout. Raises Unavailable, TopicForbidden."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except TopicAuthorizationFailedError as error:
            raise TopicForbidden([str(each) for each in error.args]) from error
        except ClusterAuthorizationFailedError as error:
            raise WritingForbidden(self._settings.bootstrap) from error
        except RecordTooLargeError as error:
            raise TooLargeToFetch(self._settings.bootstrap, str(error.args[1:])) from error
        except TimeoutError as error:
            raise Unavailable(
                f"Kafka at {self._settings.bootstrap} did not answer within {self._timeout:g} s {what}"
            ) from error
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka at {self._settings.bootstrap} failed {what}: {error!r}") from error

    async def _connected(self, client: Client, close: Callable[[Client], Awaitable[None]]) -> Client:
        """The client once it is started; closed where that fails."""
        try:
            async with self.patience("to connect"):
                await self._start(client)
        except BaseException:
            await close(client)
            raise
        return client

    async def _start(self, client: AIOKafkaAdminClient | AIOKafkaConsumer | AIOKafkaProducer) -> None:
        try:
            await client.start()
        except KafkaError:
            # aiokafka logs why a broker could not be used and then only says that none could.
            await self._diagnose()
            raise

    async def _diagnose(self) -> None:
        """Connect once more by hand. Raises LoginRefused when the broker is there and does not want us."""
        common = self._common()
        for address in self._settings.bootstrap.split(","):
            host, _, port = address.rpartition(":")
            try:
                connection = await create_conn(
                    host.strip("[]"),
                    int(port),
                    client_id=CLIENT_ID,
                    request_timeout_ms=common["request_timeout_ms"],
                    ssl_context=self._ssl,
                    security_protocol=common["security_protocol"],
                    sasl_mechanism=common["sasl_mechanism"],
                    sasl_plain_username=common["sasl_plain_username"],
                    sasl_plain_password=common["sasl_plain_password"],
                )
            except _REFUSED_LOGIN as error:
                raise LoginRefused(self._settings.bootstrap, str(error) or type(error).__name__) from error
            except (KafkaError, OSError):
                continue
            connection.close()

    def _common(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "bootstrap_servers": settings.bootstrap.split(","),
            "client_id": CLIENT_ID,
            "request_timeout_ms": round(self._timeout * _MILLISECONDS),
            "security_protocol": settings.security_protocol,
            "ssl_context": self._ssl,
            "sasl_mechanism": settings.sasl_mechanism or "PLAIN",
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.password.get_secret_value() if settings.password else None,
        }


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=settings.ca_file,
            certfile=settings.cert_file,
            keyfile=settings.key_file,
            # Without it, OpenSSL asks at the terminal for the password of a key that has one, and the start hangs.
            password="",
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        raise UnusableCertificate(str(error)) from error
    return context
