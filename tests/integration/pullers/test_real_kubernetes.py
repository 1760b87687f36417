"""A real kube-apiserver with etcd: its watch, a place that etcd has compacted away, and its audit log."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import yaml
from click.testing import CliRunner

from monitor.asking import Caller, Web
from monitor.cli.main import cli
from monitor.core.model.events import HOUR, MINUTE, SECOND, Event, to_text
from monitor.ops.arrivals import SourceWord
from monitor.ops.clock import SystemClock
from monitor.ops.stop import stopped_within
from monitor.pullers.kubernetes import PAGE
from monitor.pullers.pull import Pulls
from monitor.pullers.target import Target
from tests.integration.pullers.test_alertmanager import journal
from tests.support import tool_pages
from tests.support.real_kubernetes import OURS, Cluster, api_server, etcd, kubernetes, self_signed
from tests.support.service import Service
from tests.support.waiting import until
from tests.unit.pullers.test_pulls import Site

(SECTION,) = (section for section in tool_pages.sections() if section.title == "Kubernetes")
FORWARDED = frozenset({"authorization", "content-type", "content-encoding"})
WATCHED = ("/api/v1/events", "/apis/apps/v1/deployments")
TURNS_SECONDS = 120.0
ITSELF = "kubernetes"
"""What an API server calls its own service."""
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MAY = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "nearmiss"},
    "rules": [
        {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]},
        {
            "apiGroups": ["apps"],
            "resources": ["deployments", "statefulsets", "daemonsets"],
            "verbs": ["list", "watch"],
        },
    ],
}
MAY_WE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "nearmiss"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "nearmiss"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nearmiss"}],
}


def allow(cluster: Cluster) -> None:
    """What the page asks for: `list` and `watch`. The server judges by a memory of its roles that follows them."""
    cluster.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", MAY)
    cluster.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", MAY_WE)
    until(lambda: all(cluster.status("GET", each, OURS) == 200 for each in WATCHED), "we may list what is watched")


def deployment(name: str, image: str = "shop:1") -> dict[str, Any]:
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def scaled(cluster: Cluster, number: int) -> None:
    """An event as the deployment controller writes it."""
    found = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"shop.{number}", "namespace": "default"},
        "involvedObject": {"kind": "Deployment", "namespace": "default", "name": "shop"},
        "reason": "ScalingReplicaSet",
        "message": f"Scaled up replica set shop-6f6b679f8f to {number}",
        "type": "Normal",
        "count": 1,
        "lastTimestamp": to_text(SystemClock().now() // SECOND * SECOND),
    }
    cluster.ask("POST", "/api/v1/namespaces/default/events", found)


def speak_of_itself(cluster: Cluster) -> None:
    """What an API server that starts slowly says by itself: its own service was there before that one's address."""
    found = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{ITSELF}.1", "namespace": "default"},
        "involvedObject": {"kind": "Service", "namespace": "default", "name": ITSELF},
        "reason": "ClusterIPNotAllocated",
        "message": "Cluster IP [IPv4]: 10.0.0.1 is not allocated; repairing",
        "type": "Warning",
        "count": 1,
        "lastTimestamp": to_text(SystemClock().now() // SECOND * SECOND),
    }
    cluster.ask("POST", "/api/v1/namespaces/default/events", found)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes(tmp_path_factory.mktemp("kubernetes")) as found:
        allow(found)
        speak_of_itself(found)
        yield found


class Watched(Site):
    """What is asked of the real server is kept as by a fake one."""

    def __init__(self, cluster: Cluster, web: Web, what: str) -> None:
        super().__init__()
        self.clock.set(SystemClock().now())
        caller = Caller({"Authorization": f"Bearer {OURS}"})
        self.target = Target("kubernetes", cluster.address, "kubernetes", SECOND, caller, what)
        self._web = web

    def puller(self) -> Pulls:
        asks = {None: self._web}
        return Pulls([], asks, self, self, self, self.clock, self.metrics, HOUR)  # type: ignore[arg-type]

    def place(self) -> str:
        """Empty where the list is to be read; "nowhere" before the first answer."""
        cursor = self.cursors.get(self.target.key)
        return "nowhere" if cursor is None else str(json.loads(cursor)["place"])

    @property
    def ours(self) -> list[Event]:
        """Of what we did. An API server has events of its own, whenever it likes."""
        return [event for event in self.events if event.service != ITSELF]

    def told(self) -> list[str]:
        return [str(event.labels["replicas"]) for event in self.ours]


@asynccontextmanager
async def watching(cluster: Cluster, what: str) -> AsyncIterator[Watched]:
    async with Web(ca_file=str(cluster.ca_file)) as web:
        yield Watched(cluster, web, what)


class Turn(NamedTuple):
    """What one pull said: whether there is more at once, and what became of it."""

    has_more: bool
    words: list[SourceWord]


async def turn(site: Watched, pulls: Pulls, is_so: Callable[[], bool]) -> Turn:
    """Pull until it is so, and tell of the pull that made it so.

    A busy server may say nothing within the time of a watch, and one that has only just begun asks for patience (429):
    neither moves the place.
    """
    clock = SystemClock()
    deadline = clock.monotonic() + TURNS_SECONDS
    while True:
        has_more, (_, words) = await pulls.pull(site.target), site.metrics.arrivals.take()
        if is_so():
            return Turn(has_more, words)
        assert clock.monotonic() < deadline, f"{site.place()!r}, {site.events}, {words}"
        if any(word.what == "failed" for word in words):
            await stopped_within(asyncio.Event(), 0.05)


async def drain(site: Watched, pulls: Pulls, count: int) -> None:
    """Pull until so many events came."""
    if len(site.ours) < count:
        await turn(site, pulls, lambda: len(site.ours) >= count)


async def test_the_watch_of_events_survives_what_etcd_compacts_away(cluster: Cluster) -> None:
    async with watching(cluster, "api/v1/events") as site:
        scaled(cluster, 1)
        pulls = site.puller()
        await drain(site, pulls, 1)
        scaled(cluster, 2)
        await drain(site, pulls, 2)
        assert site.place().startswith("watch ")
        # The first revision after our place is the oldest that etcd may still have.
        for number in (3, 4):
            scaled(cluster, number)
        cluster.compact()
        scaled(cluster, 5)
        gone = await turn(site, pulls, lambda: site.place() == "")
        assert not gone.has_more, "the list is read at the next turn"
        assert gone.words == [], "that etcd forgets is no failure"
        assert site.told() == ["1", "2"]
        await drain(site, pulls, 5)
        assert sorted(site.told()) == ["1", "2", "3", "4", "5"]
        assert site.rejects == []


async def test_a_page_of_a_list_that_is_compacted_away_begins_anew(cluster: Cluster) -> None:
    async with watching(cluster, "api/v1/events") as site:
        for number in range(10, 10 + PAGE + 5):
            scaled(cluster, number)
        pulls = site.puller()
        await turn(site, pulls, lambda: site.place().startswith("list "))
        scaled(cluster, 500)
        cluster.compact()
        status, _ = await site._web.get(
            f"{cluster.address}/api/v1/events",
            {"limit": str(PAGE), "continue": site.place().removeprefix("list ")},
            site.target.caller,
        )
        assert status == 410
        gone = await turn(site, pulls, lambda: site.place() == "")
        assert (gone.has_more, gone.words) == (False, [])
        wanted = {*map(str, range(10, 10 + PAGE + 5)), "500"}
        await turn(site, pulls, lambda: wanted <= set(site.told()))
        assert len(site.told()) == len(set(site.told()))


async def test_changes_of_a_workload_are_seen_by_its_watch(cluster: Cluster) -> None:
    async with watching(cluster, "apis/apps/v1/deployments") as site:
        pulls = site.puller()
        cluster.ask("POST", DEPLOYMENTS, deployment("checkout"))
        await drain(site, pulls, 1)
        site.clock.advance(MINUTE)
        cluster.patch(f"{DEPLOYMENTS}/checkout/scale", {"spec": {"replicas": 5}})
        await drain(site, pulls, 2)
        cluster.ask("DELETE", f"{DEPLOYMENTS}/checkout")
        await drain(site, pulls, 3)
    kinds = [(event.kind, event.service) for event in site.ours]
    assert kinds == [
        ("change.deployed", "checkout"),
        ("change.scaled", "checkout"),
        ("change.deleted", "checkout"),
    ]


async def test_an_api_server_that_was_started_anew_knows_our_place_no_more(tmp_path: Path) -> None:
    """Its watch cache answers here, not etcd, which still has all of it."""
    with etcd(tmp_path) as kept:
        with api_server(tmp_path, kept) as before:
            allow(before)
            async with watching(before, "apis/apps/v1/deployments") as site:
                pulls = site.puller()
                before.ask("POST", DEPLOYMENTS, deployment("checkout"))
                await drain(site, pulls, 1)
                cursor = site.cursors[site.target.key]
            for name in ("basket", "search"):
                before.ask("POST", DEPLOYMENTS, deployment(name))
        with api_server(tmp_path, kept) as after:
            async with watching(after, "apis/apps/v1/deployments") as site:
                site.cursors[site.target.key] = cursor
                pulls = site.puller()
                gone = await turn(site, pulls, lambda: site.place() == "")
                assert (gone.has_more, gone.words) == (False, [])
                await drain(site, pulls, 2)
                assert {event.service for event in site.ours} == {"basket", "search"}


def test_init_lists_the_workloads_of_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    """By a real `kubectl`, with what a kubeconfig says."""
    if shutil.which("kubectl") is None:
        pytest.skip(
            "no kubectl: `init --kubeconfig` was not tried against a real API server; install kubernetes-client"
        )
    (kubeconfig := tmp_path / "kubeconfig").write_text(yaml.safe_dump(cluster.kubeconfig()), encoding="utf-8")
    cluster.ask("POST", DEPLOYMENTS, deployment("mail"))
    out = tmp_path / "out"
    asked = ["init", "--non-interactive", "--kubeconfig", str(kubeconfig), "--directory", str(out)]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    assert "mail" in yaml.safe_load((out / "catalogue.yaml").read_text())["services"]


class _Forward(BaseHTTPRequestHandler):
    """What comes by TLS goes on to the service."""

    server: _Front

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        shown = {name: value for name, value in self.headers.items() if name.lower() in FORWARDED}
        path = self.path.partition("?")[0]
        try:
            answer = httpx.post(self.server.behind + path, content=body, headers=shown, trust_env=False, timeout=30)
        except httpx.TransportError:
            answer = httpx.Response(502)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        pass


class _Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind: str, certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.behind = behind
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)


@contextmanager
def https_in_front(service: Service, directory: Path) -> Iterator[tuple[str, Path]]:
    """The address of a proxy, and its certificate."""
    certificate, key = self_signed(directory)
    with _Front(service.address, certificate, key) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}", certificate
        finally:
            server.shutdown()
            thread.join()


def audited(address: str, authority: Path, directory: Path) -> list[str]:
    """The flags of an audit log that goes to the service, with the two files of the page."""
    blocks = SECTION.blocks("yaml")
    (directory / "policy.yaml").write_text(next(block for block in blocks if "kind: Policy" in block), encoding="utf-8")
    written = yaml.safe_load(next(block for block in blocks if "kind: Config" in block))
    cluster = written["clusters"][0]["cluster"]
    cluster["server"] = cluster["server"].replace("https://nearmiss.example", address)
    cluster["certificate-authority"] = str(authority)
    (directory / "webhook.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    return [
        f"--audit-policy-file={directory / 'policy.yaml'}",
        f"--audit-webhook-config-file={directory / 'webhook.yaml'}",
        "--audit-webhook-batch-max-wait=1s",
        f"--audit-log-path={directory / 'audit.log'}",
    ]


def test_the_audit_log_tells_who_ran_what_and_the_service_watches_as_the_page_says(tmp_path: Path) -> None:
    config, token = tmp_path / "nearmiss.yaml", tmp_path / "token"
    token.write_text(OURS, encoding="utf-8")
    secret = {"NEARMISS_SECRETS__KUBERNETES": tool_pages.SECRET}
    database = ("--database", f"sqlite:///{tmp_path / 'n.db'}")
    service = Service(tmp_path, *database, environment=secret)
    try:
        service.start()
        with (
            https_in_front(service, tmp_path) as (front, authority),
            kubernetes(tmp_path, *audited(front, authority, tmp_path)) as cluster,
        ):
            allow(cluster)
            cluster.ask("POST", DEPLOYMENTS, deployment("checkout"))
            cluster.patch(f"{DEPLOYMENTS}/checkout/scale", {"spec": {"replicas": 5}})
            assert cluster.status("DELETE", f"{DEPLOYMENTS}/checkout", OURS) == 403
            cluster.ask("DELETE", f"{DEPLOYMENTS}/checkout")

            def by_people() -> list[tuple[str, str | None, str]] | None:
                found = [_who(event) for event in journal(tmp_path) if event.service == "checkout"]
                return found if len(found) >= 4 else None

            until(by_people, "the audit log came")
            assert by_people() == [
                ("change.deployed", "ann@shop.example", "human"),
                ("change.scaled", "ann@shop.example", "human"),
                ("change.blocked", "nearmiss", "human"),
                ("change.deleted", "ann@shop.example", "human"),
            ]
            assert service.stop() == 0
            block = next(block for block in SECTION.blocks("yaml") if "tool: kubernetes" in block)
            written = yaml.safe_load(block)
            written["pulls"][0] |= {
                "url": cluster.address,
                "authorization_file": str(token),
                "ca_file": str(cluster.ca_file),
                "every": "10s",
            }
            config.write_text(yaml.safe_dump(written), encoding="utf-8")
            watching = Service(tmp_path, *database, "--config", str(config), environment=secret)
            try:
                watching.start()
                cluster.ask("POST", DEPLOYMENTS, deployment("basket"))
                until(
                    lambda: any(event.service == "basket" for event in journal(tmp_path)), "the watch brings the basket"
                )
                (row,) = watching.get("/api/v1/sources").json()["sources"]
                assert [reason for reason in row["reasons"] if not reason["understood"]] == []
            finally:
                watching.close()
    finally:
        service.close()
    again = Service(tmp_path, "--database", f"sqlite:///{tmp_path / 'again.db'}")
    try:
        again.start()
        answer = again.post("/ingest/kubernetes", (tmp_path / "audit.log").read_bytes())
        assert answer.is_success, answer.text
        assert answer.json()["rejected"] == []
    finally:
        again.close()


def _who(event: Event) -> tuple[str, str | None, str]:
    assert event.actor is not None
    return event.kind, event.actor.id, event.actor.kind
