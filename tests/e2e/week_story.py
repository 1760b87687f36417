"""What happens in the shop's week: the near misses as they must come out, and everything beside them that is none."""

from __future__ import annotations

from typing import Literal

import msgspec

from tests.e2e.week_tools import DAYS, Tools, when

WEB, PAY, SEARCH, ORDERS, DATA = (
    "Web Shop (prod)", "Payments & Invoicing", "Search EU", "Order Pipeline", "Databases",
)  # fmt: skip
MIRELA, TOMASZ, INES = "PMIRELA", "PTOMASZ", "PINES01"
"""Their ids in PagerDuty."""
PAY_API = {"namespace": "money", "deployment": "pay-api", "job": "kube-state-metrics"}
FINDER = {"namespace": "discovery", "deployment": "finder"}
WORKER = {"namespace": "fulfilment", "pod": "order-worker-6c8f9d7b5-x2x7q", "job": "kubelet"}
LEDGER = {"instance": "pg-ledger-1.fernweh.example:9187", "job": "postgres-exporter"}


class Found(msgspec.Struct, frozen=True):
    """A near miss as it must come out. `first_sign`: its title; `act`: kind of the act, and who did it."""

    name: str
    service: str
    first_sign: str
    act: tuple[str, str]
    title: str
    mode: Literal["live", "digest"] = "live"
    verdict: Literal["none", "unknown"] = "none"


STORIES = (
    Found(
        "rollback", "payments", "payments refuses one in ten", ("change.deployed", "mirela"),
        "payments refuses one in ten – 8 min in – rolled back",
    ),
    Found(
        "capacity", "orders", "orders wait for a worker", ("change.ran", "tomasz"),
        "orders wait for a worker – 11 min in – command run by a person",
    ),
    Found(
        "escalated", "ledger-db", "ledger has no connection left", ("change.ran", "tomasz"),
        "ledger-db: LedgerConnectionsExhausted – first page unanswered – fixed after 31 min",
    ),
    Found(
        "silenced", "search", "heap of the index is full", ("change.deployed", "ines"),
        "search: FinderHeapHigh – silenced repeatedly – then fixed after 1 d 2 h",
    ),
    Found(
        "reverted", "orders", "orders are retried", ("change.deployed", "tomasz"),
        "orders are retried – 16 min in – rolled back",
    ),
    Found(
        "healed", "search", "finder does not answer its probe", ("change.ran", "PINTEG1"),
        "search: FinderUnready – back again – automation fixed it in 4 min", "digest",
    ),
    Found(
        "person", "payments", "refunds are booked twice", ("change.deployed", "ines"),
        "payments: refunds are booked twice – no alert fired – reported by a person, acted on after 50 min",
    ),
    Found(
        "secret", "storefront", "secret found in the repository: PSP Live Key", ("alert.resolved", "mirela"),
        "storefront: secret found in the repository: PSP Live Key – exposed for 19 min after detection – revoked",
        verdict="unknown",
    ),
    Found(
        "staging", "payments", "deploy main to staging", ("change.blocked", "mirela"),
        "payments: deploy main to staging – seen in staging – production held after 18 min",
    ),
)  # fmt: skip


def tell() -> Tools:
    """All bodies of the week."""
    tools = Tools()
    near_misses = (_rollback, _capacity, _escalated, _silenced, _reverted, _healed, _person, _secret, _staging)
    for part in (_everyday, _flapping, *near_misses, _incident, _burn, _announced, _game_day):
        part(tools)
    return tools


# -- near misses -----------------------------------------------------------------------------------------------------


def _rollback(tools: Tools) -> None:
    """Seven minutes after her deployment payments are refused; she takes it back before the shop notices."""
    title = "[FIRING] PaySuccessRateLow pay-api"
    tools.deploys("tue 10:02", "pay", "b3c4", "mirela-k")
    tools.fires("tue 10:09", "PaySuccessRateLow", "payments refuses one in ten", **PAY_API)
    tools.pages("tue 10:10", "triggered", title, PAY)
    tools.pages("tue 10:12", "acknowledged", title, PAY, MIRELA)
    tools.notes("tue 10:15", "my deploy, taking it back", title, PAY, MIRELA)
    tools.deploys("tue 10:17", "pay", "a1b2", "mirela-k")
    tools.clears("tue 10:21", "PaySuccessRateLow", "payments refuses one in ten", **PAY_API)
    tools.pages("tue 10:22", "resolved", title, PAY)


def _capacity(tools: Tools) -> None:
    """The queue of orders grows; he presses the action that adds workers, and it drains."""
    title = "OrderBacklogGrowing"
    tools.fires("tue 15:30", title, "orders wait for a worker", value="9400", **WORKER)
    tools.pages("tue 15:31", "triggered", title, ORDERS)
    tools.pages("tue 15:34", "acknowledged", title, ORDERS, TOMASZ)
    tools.runs("tue 15:41", "Add workers", title, ORDERS, TOMASZ)
    tools.notes("tue 15:42", "twice as many workers, the backlog shrinks", title, ORDERS, TOMASZ)
    tools.clears("tue 15:58", title, "orders wait for a worker", value="300", **WORKER)
    tools.pages("tue 15:59", "resolved", title, ORDERS)


def _escalated(tools: Tools) -> None:
    """Nobody takes the page at night; the next level does, and ends what holds the connections."""
    title = "LedgerConnectionsExhausted"
    tools.fires("wed 03:20", title, "ledger has no connection left", **LEDGER)
    tools.pages("wed 03:21", "triggered", title, DATA)
    tools.pages("wed 03:36", "escalated", title, DATA)
    tools.pages("wed 03:40", "acknowledged", title, DATA, TOMASZ)
    tools.runs("wed 03:52", "End idle sessions", title, DATA, TOMASZ)
    tools.clears("wed 03:57", title, "ledger has no connection left", **LEDGER)
    tools.pages("wed 03:58", "resolved", title, DATA)


def _silenced(tools: Tools) -> None:
    """The alert is put to sleep three times; on Wednesday she mends what it was about."""
    name, text = "FinderHeapHigh", "heap of the index is full"
    tools.fires("tue 09:05", name, text, "office-hours", **FINDER)
    tools.silences("tue 09:20", "tue 13:20", name, text, "ines@fernweh.example", "known, looking later", **FINDER)
    tools.silences("tue 13:25", "tue 19:25", name, text, "ines@fernweh.example", "still on it", **FINDER)
    tools.silences("wed 08:50", "wed 12:50", name, text, "ines@fernweh.example", "again", **FINDER)
    tools.deploys("wed 11:30", "finder", "c5d6", "ines-almeida", description="smaller segments for the index")
    tools.clears("wed 11:48", name, text, "office-hours", **FINDER)


def _reverted(tools: Tools) -> None:
    """The merge is deployed by the bot; its author presses Revert on it when orders are retried."""
    title = "OrderRetriesHigh"
    tools.merges("wed 13:00", "order-pipeline", 812, "Shorter timeout to the ledger", "f1a2", "tzw")
    tools.deploys("wed 13:08", "order-pipeline", "f1a2", pressed="tzw")
    tools.fires("wed 13:15", title, "orders are retried", **WORKER)
    tools.pages("wed 13:16", "triggered", title, ORDERS)
    tools.pages("wed 13:18", "acknowledged", title, ORDERS, TOMASZ)
    tools.merges("wed 13:24", "order-pipeline", 813, 'Revert "Shorter timeout to the ledger"', "f3a4", "tzw", 812)
    tools.deploys("wed 13:31", "order-pipeline", "f3a4", pressed="tzw")
    tools.clears("wed 13:37", title, "orders are retried", **WORKER)
    tools.pages("wed 13:38", "resolved", title, ORDERS)


def _healed(tools: Tools) -> None:
    """An orchestration restarts the pods of the finder, for the third time within days."""
    title, text = "FinderUnready", "finder does not answer its probe"
    for at, until in (("tue 03:10", "tue 03:14"), ("wed 22:40", "wed 22:45"), ("thu 05:20", "thu 05:24")):
        tools.fires(at, title, text, **FINDER)
        tools.pages(at, "triggered", title, SEARCH)
        tools.runs(until, "Restart finder pods", title, SEARCH, None)
        tools.clears(until, title, text, **FINDER)
        tools.pages(until, "resolved", title, SEARCH)


def _person(tools: Tools) -> None:
    """No alert: she sees it in the books, opens an incident by hand, and mends it before the evening's run."""
    title = "refunds are booked twice"
    tools.pages("thu 11:02", "triggered", title, PAY, INES)
    tools.notes("thu 11:10", "found it in the report, the run at 18:00 would pay them out", title, PAY, INES)
    tools.deploys("thu 11:52", "pay", "f5a6", "ines-almeida", description="book a refund once")
    tools.pages("thu 12:05", "resolved", title, PAY, INES)


def _secret(tools: Tools) -> None:
    tools.finds_secret("fri 09:12", "web-shop", "created", "fri 09:12")
    tools.finds_secret("fri 09:31", "web-shop", "resolved", "fri 09:12", "mirela-k")


def _staging(tools: Tools) -> None:
    """It fails in staging, and the reviewer does not let it go on to production."""
    tools.deploys("fri 14:02", "pay", "d7e8", pressed="tzw", state="failure", environment="staging")
    tools.refuses("fri 14:20", "pay", "d7e8", "mirela-k", "migration fails in staging")


# -- incidents, which are no near misses -----------------------------------------------------------------------------


def _incident(tools: Tools) -> None:
    """Customers cannot pay: the probe of the shop fails, and the status page says so."""
    title = "WebCheckoutErrors"
    web = {"namespace": "shop", "deployment": "web"}
    tools.deploys("sat 19:05", "web-shop", "e9f0", "tzw")
    tools.fires("sat 19:11", title, "checkout answers with 500", **web)
    tools.pages("sat 19:12", "triggered", title, WEB)
    tools.pages("sat 19:14", "acknowledged", title, WEB, TOMASZ)
    tools.fires("sat 19:13", "ShopProbeFailed", "probe of the shop fails", job="blackbox", instance="shop.example",
                service="storefront")  # fmt: skip
    tools.tells_customers("sat 19:20", "Some customers cannot check out.", title, WEB, TOMASZ)
    tools.deploys("sat 19:27", "web-shop", "0068", "tzw")
    tools.clears("sat 19:31", title, "checkout answers with 500", **web)
    tools.clears("sat 19:32", "ShopProbeFailed", "probe of the shop fails", job="blackbox", instance="shop.example",
                 service="storefront")  # fmt: skip
    tools.tells_customers("sat 19:40", "Resolved: checkout works again.", title, WEB, TOMASZ)
    tools.pages("sat 19:41", "resolved", title, WEB, TOMASZ)
    tools.hurt.append((when("sat 19:12"), when("sat 19:31")))


def _burn(tools: Tools) -> None:
    """The objective of the shop burns, as sloth tells it, while payments are slow; a restart ends it."""
    title, web = "PayLatencyHigh", {"service": "web", "sloth_service": "storefront", "sloth_slo": "availability"}
    tools.fires("mon 18:00", title, "payments are slow", **PAY_API)
    tools.pages("mon 18:01", "triggered", title, PAY)
    tools.fires("mon 18:02", "StorefrontErrorBudgetBurn", "budget burns", sloth_severity="page", **web)
    tools.pages("mon 18:05", "acknowledged", title, PAY, INES)
    tools.runs("mon 18:12", "Restart pay-api", title, PAY, INES)
    tools.clears("mon 18:20", title, "payments are slow", **PAY_API)
    tools.clears("mon 18:25", "StorefrontErrorBudgetBurn", "budget burns", sloth_severity="page", **web)
    tools.pages("mon 18:26", "resolved", title, PAY, INES)
    tools.hurt.append((when("mon 18:01"), when("mon 18:19")))


# -- everything else -------------------------------------------------------------------------------------------------


def _everyday(tools: Tools) -> None:
    """Merges that are fine, and deployments by people and bots, several a day on each service."""
    number = 100
    for day in DAYS[:5]:
        for hour, repo, login in (
            ("08:40", "web-shop", "tzw"), ("09:50", "order-pipeline", "tzw"), ("11:15", "web-shop", "mirela-k"),
            ("12:20", "finder", "ines-almeida"), ("16:10", "web-shop", "ines-almeida"), ("16:45", "pay", "mirela-k"),
        ):  # fmt: skip
            number += 1
            sha = f"{number:04x}"
            tools.merges(f"{day} {hour}", repo, number, f"Improve part {number}", sha, login)
            tools.deploys(f"{day} {hour[:-1]}5", repo, sha, pressed=login, environment="staging")
            if repo != "pay":
                tools.deploys(f"{day} {hour[:-1]}7", repo, sha, pressed=login)
        tools.merges(
            f"{day} 05:00", "finder", number + 500, "Update dependency lucene", f"{number + 500:04x}", "renovate"
        )
    tools.deploys("mon 19:00", "pay", "a1b2", "ines-almeida")


def _flapping(tools: Tools) -> None:
    """A warning that comes and goes by itself, with a page of low urgency that nobody takes."""
    for day in DAYS:
        for hour in (7, 13, 20):
            at, until = f"{day} {hour:02}:40", f"{day} {hour:02}:52"
            tools.fires(at, "LedgerReplicaLag", "replica lags", "office-hours", **LEDGER)
            tools.pages(at, "triggered", "LedgerReplicaLag", DATA, urgency="low")
            tools.clears(until, "LedgerReplicaLag", "replica lags", "office-hours", **LEDGER)
            tools.pages(until, "resolved", "LedgerReplicaLag", DATA, urgency="low")


def _announced(tools: Tools) -> None:
    """The ledger's database is upgraded, as planned: it fires, and it is restarted on purpose."""
    title = "Planned maintenance: upgrade of the ledger database"
    tools.pages("wed 21:00", "triggered", title, DATA, INES, urgency="low")
    tools.fires("wed 21:10", "LedgerPrimaryDown", "primary is away", **LEDGER)
    tools.runs("wed 21:20", "Restart ledger", title, DATA, INES)
    tools.clears("wed 21:26", "LedgerPrimaryDown", "primary is away", **LEDGER)
    tools.pages("wed 21:40", "resolved", title, DATA, INES, urgency="low")


def _game_day(tools: Tools) -> None:
    """On Friday they practise: what fires is part of it."""
    title = "[Game day] order workers are taken away"
    tools.pages("fri 10:00", "triggered", title, ORDERS, TOMASZ)
    tools.fires("fri 10:04", "OrderWorkersMissing", "workers are missing", **WORKER)
    tools.notes("fri 10:06", "this is the drill, no action needed by others", title, ORDERS, TOMASZ)
    tools.runs("fri 10:15", "Add workers", title, ORDERS, TOMASZ)
    tools.clears("fri 10:21", "OrderWorkersMissing", "workers are missing", **WORKER)
    tools.pages("fri 10:30", "resolved", title, ORDERS, TOMASZ)
