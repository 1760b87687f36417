"""Ten short stories of trades that no rule or weight was tuned to: a hospital, a bank, a railway and others.

`TRIED` may be looked at while weights change; `ASIDE` is judged afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.lab.cases import Case
from monitor.lab.year.bodies import watching
from tests.support.evenings import Evening, person


def hospital() -> Case:
    """A nurse's colleague asks where the orders are; the interface engine is restarted before the evening round."""
    story = Evening("wardnet", "ward-orders", "interface-engine", "pharmacy")
    nurse, admin = person("Marta", "wardnet"), person("Oliver", "wardnet")
    story.deploys(-200, admin, "pharmacy", "a")
    queue = story.fires(0, "InterfaceQueueDepth", "interface-engine", "warning", "812 messages wait for pharmacy")
    asked = story.says(12, nurse, "the last order of ward 4 at the pharmacy is from noon, is that right?", "pharmacy")
    act = story.kubectl(31, admin, "interface-engine")
    story.clears(38, "InterfaceQueueDepth", "interface-engine", "warning")
    story.says(45, nurse, "orders come in again", "pharmacy")
    story.fires(300, "DiskPressure", "pharmacy", "info", "node is at 71 percent")
    story.clears(340, "DiskPressure", "pharmacy", "info")
    return story.story("orders-not-arriving", "near_miss", queue + asked, act)


def bank() -> Case:
    """The evening's payment file would have gone out twice; an operator holds it."""
    story = Evening("kreditna", "payments", "clearing", "batch")
    operator = person("Petra", "kreditna")
    asked = story.says(
        0, operator, "two payment files with one sequence number in the outbox, holding tonight's run", "clearing"
    )
    held = story.script(
        9,
        "scheduler",
        "change.held",
        "clearing",
        "outgoing payment run on hold",
        subject="run/sepa-out",
        actor={"id": "petra", "kind": "human"},
    )
    story.script(
        70,
        "scheduler",
        "change.ran",
        "clearing",
        "outgoing payment run",
        subject="run/sepa-out",
        actor={"id": "petra", "kind": "human"},
    )
    story.script(
        400, "scheduler", "change.ran", "batch", "interest accrual", actor={"id": "cron", "kind": "automation"}
    )
    return story.story("payment-file-twice", "near_miss", asked, held)


def railway() -> Case:
    """A timetable is imported while an alert stands that has nothing to do with it."""
    story = Evening("talbahn", "departures", "timetable", "train-positions")
    planner = person("Urs", "talbahn")
    story.fires(0, "PositionsStale", "train-positions", "warning", "no position of 3 trains for 10 minutes")
    story.deploys(55, planner, "timetable", "b")
    story.clears(205, "PositionsStale", "train-positions", "warning")
    return story.story("timetable-import", "not_near_miss")


def studio() -> Case:
    """A tester sees odd waiting times after a release of the matchmaker; it is put back."""
    story = Evening("lanternfish", "game-lobby", "matchmaker", "sessions")
    tester, developer = person("Yuki", "lanternfish"), person("Sam", "lanternfish")
    story.deploys(-2000, developer, "matchmaker", "c")
    story.deploys(0, developer, "matchmaker", "d")
    asked = story.says(14, tester, "matches in EU take four minutes since the patch, US is normal", "matchmaker")
    act = story.deploys(33, developer, "matchmaker", "c")
    story.says(48, tester, "back to ten seconds", "matchmaker")
    return story.story("matches-take-minutes", "near_miss", asked, act)


def utility() -> Case:
    """Meters cannot log in, and customers see it."""
    story = Evening("stadtwerk", "customer-portal", "meter-login", "billing")
    engineer = person("Ole", "stadtwerk")
    story.fires(0, "LoginFailures", "meter-login", "critical", "logins fail")
    story.page(1, "triggered", "meter-login", "logins fail")
    story.page(4, "acknowledged", "meter-login", "logins fail", engineer)
    story.send(
        watching.statuspage(
            "stadtwerk",
            7,
            "Customers cannot log in",
            "investigating",
            "major",
            story.at(6),
            story.at(6),
            ["customer-portal"],
            "We are looking into it",
        ),
        6,
    )
    story.kubectl(20, engineer, "meter-login")
    story.clears(26, "LoginFailures", "meter-login", "critical")
    story.send(
        watching.statuspage(
            "stadtwerk",
            7,
            "Customers cannot log in",
            "resolved",
            "none",
            story.at(6),
            story.at(40),
            ["customer-portal"],
            "Solved",
        ),
        40,
    )
    return story.story("logins-fail", "impact")


def broadcaster() -> Case:
    """The wrong encoder is scaled down before a broadcast, put back at once, and the right one scaled down."""
    story = Evening("kanal9", "live-stream", "encoder-main", "encoder-spare")
    engineer = person("Ilse", "kanal9")
    story.kubectl(-3000, engineer, "encoder-main", 6)
    slip = story.kubectl(0, engineer, "encoder-main", 1)
    act = story.kubectl(2, engineer, "encoder-main", 6)
    story.kubectl(4, engineer, "encoder-spare", 1)
    return story.story("wrong-encoder", "near_miss", slip, act)


def airline() -> Case:
    """A page about seat maps at night is taken; the new seat map is switched off."""
    story = Evening("meridian", "check-in", "seat-map", "fares")
    engineer, owner = person("Nadia", "meridian"), person("Luis", "meridian")
    story.flag(-90, owner, "seat-map-v3", on=True)
    fired = story.fires(0, "SeatMapErrors", "check-in", "high", "2 percent of seat maps fail")
    paged = story.page(1, "triggered", "check-in", "2 percent of seat maps fail")
    story.page(5, "acknowledged", "check-in", "2 percent of seat maps fail", engineer)
    act = story.flag(16, engineer, "seat-map-v3", on=False)
    story.clears(20, "SeatMapErrors", "check-in", "high")
    story.page(20, "resolved", "check-in", "2 percent of seat maps fail")
    return story.story("seat-map-switched-off", "near_miss", fired + paged, act)


def university() -> Case:
    """Servers are restarted as announced, and an alert of the exam system clears while it happens."""
    story = Evening("alma", "exams", "exam-storage", "gradebook")
    admin = person("Ines", "alma")
    names = ["exams"]
    story.send(
        watching.statuspage(
            "alma",
            3,
            "Announced restart",
            "in_progress",
            "maintenance",
            story.at(0),
            story.at(0),
            names,
            "As announced",
        ),
        0,
    )
    story.fires(6, "ReplicasMissing", "exam-storage", "warning", "1 of 3 replicas")
    story.kubectl(8, admin, "exam-storage")
    story.clears(15, "ReplicasMissing", "exam-storage", "warning")
    story.send(
        watching.statuspage(
            "alma", 3, "Announced restart", "completed", "maintenance", story.at(0), story.at(40), names, "Done"
        ),
        40,
    )
    return story.story("announced-restart", "not_near_miss")


def warehouse() -> Case:
    """Label printers run out of workers one after another; somebody restarts them before the lorries come."""
    story = Evening("packhaus", "shipping-desk", "label-printer", "stock")
    shift = person("Bente", "packhaus")
    fired = story.fires(0, "WorkersBelowTarget", "label-printer", "warning", "2 of 5 workers are ready")
    story.page(2, "triggered", "label-printer", "2 of 5 workers are ready")
    story.page(9, "acknowledged", "label-printer", "2 of 5 workers are ready", shift)
    act = story.kubectl(24, shift, "label-printer")
    story.clears(29, "WorkersBelowTarget", "label-printer", "warning")
    story.page(29, "resolved", "label-printer", "2 of 5 workers are ready")
    return story.story("printers-restarted", "near_miss", fired, act)


def insurer() -> Case:
    """A release goes out beside a record that asks a question, as every day."""
    story = Evening("securia", "claims", "document-store", "mail-out")
    clerk, developer = person("Jon", "securia"), person("Ada", "securia")
    story.script(
        0,
        "desk",
        "incident.opened",
        "document-store",
        "access for a new colleague",
        subject="REQ-4",
        actor={"id": "jon", "kind": "human"},
        labels={"impact": "none"},
    )
    story.deploys(130, developer, "document-store", "e")
    story.script(
        900,
        "desk",
        "incident.closed",
        "document-store",
        "access for a new colleague",
        subject="REQ-4",
        actor={"id": "jon", "kind": "human"},
    )
    story.says(1000, clerk, "thanks, works", "document-store")
    return story.story("access-request", "not_near_miss")


def accounting() -> Case:
    """Totals of two systems differ on the evening before the invoices go out: the run is held, and made again."""
    story = Evening("facture", "invoices", "ledger", "rating")
    clerk = person("Edda", "facture")
    asked = story.says(0, clerk, "the total of May in the ledger does not match the invoices of tonight", "ledger")
    who = {"id": "edda", "kind": "human"}
    held = story.script(25, "runs", "change.held", "ledger", "invoice run stopped", subject="run/may", actor=who)
    story.script(200, "runs", "change.ran", "ledger", "invoice run with corrected rates", subject="run/may", actor=who)
    return story.story("totals-differ", "near_miss", asked, held)


def call_centre() -> Case:
    """Nobody can log in to the phones at night; they can again before the lines open."""
    story = Evening("ruf", "hotline", "phone-login", "recordings")
    night = person("Timo", "ruf")
    fired = story.fires(0, "LoginProbeFails", "phone-login", "high", "test login fails for 5 minutes")
    story.page(1, "triggered", "phone-login", "test login fails for 5 minutes")
    story.page(12, "acknowledged", "phone-login", "test login fails for 5 minutes", night)
    act = story.kubectl(40, night, "phone-login")
    story.clears(46, "LoginProbeFails", "phone-login", "high")
    return story.story("phones-before-opening", "near_miss", fired, act)


Story = Callable[[], Case]
TRIED: tuple[Story, ...] = (hospital, bank, railway, studio, utility)
ASIDE: tuple[Story, ...] = (broadcaster, airline, university, warehouse, insurer)
