"""Each way in which people say that users are hurt, and what makes a sentence claim nothing."""

from __future__ import annotations

import pytest

from monitor.core.model.catalogue import ImpactNotes
from monitor.core.resolving.claims import MOST_READ, Claims, Where

USERS, DESK = "users, and what went wrong for them", "what went wrong, from those who use it"
COUNTED, TIMED = "how many of them failed", "what went wrong, and from when to when"


def told(
    text: str,
    source: str = "slack/ops",
    *,
    seen: bool = True,
    serves: bool = False,
    faced: bool = False,
    own: ImpactNotes | None = None,
) -> str | None:
    holds = {Where.SEEN: seen, Where.SERVES: serves, Where.FACED: faced}
    return Claims(own or ImpactNotes()).why(text, source, frozenset(where for where, here in holds.items() if here))


@pytest.mark.parametrize(
    "text",
    [
        "Customers cannot pay",
        "about 60 users asked why withdrawals hang for 40 minutes, some angry",
        "pupils were kicked out of the test page",
        "Patients in ward 3 had no access to their letters",
        "Clinics call us because reminders came 12 times",
        "a customer reported that her basket was empty",
        "one passenger said the gate refused his ticket",
        "The disk was full. Subscribers lost their calls.",
        "3,100 end customers saw wrong balances",
        "Never mind the alert. Riders never got their receipts.",
        "branches could not print",
        "forty parents wrote in that the slot picker just spun",
        "drivers stand in the yard, the list in their phone is empty",
        "our clients are calling, invoices are wrong",
    ],
)
def test_users_and_what_went_wrong_for_them(text: str) -> None:
    assert told(text, seen=False) == USERS, "wherever it happened"


@pytest.mark.parametrize(
    "text",
    [
        "customers would have failed to log in",
        "no customer complained",
        "nobody lost anything, users are fine",
        "fixed before customers lost anything",
        "customers may see errors if this goes on",
        "users of the beta see errors",
        "the canary served errors to users of the staff ring only",
        "zero users affected",
        "test users cannot log in",
        "customers are not affected",
        "subscribers will lose calls at 15:00",
        "retries hid it, every order arrived in the end, users waited a little",
    ],
)
def test_a_guess_a_denial_and_a_plan_claim_nothing(text: str) -> None:
    assert told(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Customer export is slow",
        "the importer cannot reach customers-db",
        "users_table is missing an index",
        "user service timed out",
        "queue is stuck",
        "customers like the new page",
        "rolled the page out to 500 users",
        "migration on the users table failed, reverted",
        "customers service crashed",
        "with four consumers it is too slow",
        "two members of the cluster are down, clients time out",
    ],
)
def test_a_name_with_users_in_it_is_nobody(text: str) -> None:
    assert told(text, seen=False) is None


def test_what_comes_from_a_help_desk_is_about_who_writes_there() -> None:
    text = "My order page stays empty since I changed my address"
    assert told(text, "zendesk/acme") == DESK
    assert told(text, "slack/ops") is None
    assert told(text, "zendesk/acme", seen=False) is None, "they use nothing that users do not see"
    assert told("How can I change my address?", "zendesk/acme") is None


@pytest.mark.parametrize("text", ["wrong colour delivered", "my parcel is late", "one shoe is missing", "return label"])
def test_a_help_desk_hears_of_goods_as_well(text: str) -> None:
    assert told(text, "zendesk/acme") is None


@pytest.mark.parametrize(
    "text", ["the checkout page stays blank", "I cannot log in", "login gives an error", "app crashed"]
)
def test_a_help_desk_hears_what_a_program_does(text: str) -> None:
    assert told(text, "zendesk/acme") == DESK


@pytest.mark.parametrize("desk", ["helpscout", "acme/support", "slack/community", "otrs-2", "Freshdesk"])
def test_the_names_of_help_desks(desk: str) -> None:
    assert told("the page is empty", desk) == DESK


@pytest.mark.parametrize(
    "text",
    [
        "booking refused 11:35-12:04",
        "wrong labels from 15:30 to 15:39",
        "logins failed between 9.15 and 9.25",
        "search is empty since 10:05",
        "labels are wrong since yesterday",
    ],
)
def test_a_failure_with_its_time(text: str) -> None:
    assert told(text) == TIMED
    assert told(text, seen=False) is None, "a part that nobody sees may fail for an hour"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("about 7,200 failed attempts", True),
        ("1200 rejected payments", True),
        ("12k lost messages", True),
        ("3 failed pods", False),
        ("2 failed builds", False),
        ("0 failed payments", False),
    ],
)
def test_how_many_failed(text: str, counts: bool) -> None:
    assert told(text) == (COUNTED if counts else None)
    assert told(text, seen=False) is None


def test_an_organisation_adds_its_own_words_and_may_switch_the_reading_off() -> None:
    assert told("ward staff went back to paper forms", seen=False) is None
    own = ImpactNotes(users=("ward staff", "nurse", "Kunde"), harmed=("paper forms",), spared=("sandbox",))
    assert told("ward staff went back to paper forms", own=own) == USERS
    assert told("the staff went back to paper forms", own=own) is None
    assert told("Kunden offline", seen=False, own=own) == USERS
    assert told("nurses went back to paper forms", own=own) == USERS
    assert told("nurses went back to paper forms in the sandbox", own=own) is None
    assert told("customers were charged twice", own=ImpactNotes(read=False)) is None


@pytest.mark.parametrize(
    "text",
    [
        "Reverted checkout 5.14 to 5.13, errors gone",
        "raised the limit 1.50.2 to 2.00.1, timeouts gone",
        "Restarted checkout twice between 14:02 and 14:10",
        "Scaled checkout down 10:00-10:30",
        "Reverted: 2 failed health checks",
        "3 failed readiness probes",
        "flipped 1 wrong flag back",
    ],
)
def test_what_whoever_mended_it_writes_of_the_work_is_no_harm(text: str) -> None:
    assert told(text) is None


def test_only_the_beginning_is_read() -> None:
    assert told("." * MOST_READ + " customers were charged twice", seen=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "212 orders taken twice",
        "3.1% of POST /v2/login got 401",
        "some 1 870 good passwords turned away",
        "40 invoices went out with the wrong sum",
    ],
)
def test_what_users_do_may_be_counted_on_what_serves_them(text: str) -> None:
    assert told(text, seen=False, serves=True) == "how many of the things that they do failed"
    assert told(text, seen=False) is None
    assert told(f"none of the {text}", seen=False, serves=True) is None


def test_refunds_may_be_what_a_shop_does_all_day() -> None:
    assert told("the refunds job is fine again", serves=True) is None
    assert told("refunds are booked in euros", serves=True) is None


@pytest.mark.parametrize("text", ["refunds going out tonight", "support sends an apology", "compensation was paid"])
def test_what_is_made_good_was_harm(text: str) -> None:
    assert told(text, seen=False, serves=True) == "what was done for those who were hurt"
    assert told(text, seen=False) is None
    assert told(f"no {text}", serves=True) is None


@pytest.mark.parametrize("text", ["the drivers of the cards are wrong", "three clients of the broker time out"])
def test_words_that_machines_share_with_people_need_people(text: str) -> None:
    assert told(text, seen=False, serves=True) is None


# -- a person writes on the very service that users see, or on one behind it --------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Cannot save my thesis, quota exceeded?!",
        "All our lines with you just dropped?",
        "Fatal exception on every third page, anybody around?",
        "We had a catastrophic failure and lost posts",
        "feeds are gone since lunch",
        "it hangs after the second step",
        "the map is broken",
    ],
)
def test_what_fails_on_a_service_that_users_see_fails_for_them(text: str) -> None:
    assert told(text, faced=True) == "a service that users see failed"
    assert told(text, seen=False) is None, "behind it, nobody knows whether they saw it"


@pytest.mark.parametrize(
    "text",
    [
        "the last build failed",
        "one of the replicas is down",
        "a worker crashed, the others carry on",
        "the certificate was lost in the move",
        "if this goes on it will be down by noon",
        "nobody lost anything",
        "errors in the canary only",
        "disk at 91 %, full early next week",
        "no harm done, lost two retries",
    ],
)
def test_a_part_that_fails_behind_a_service_is_no_harm(text: str) -> None:
    assert told(text, faced=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "back online, at a new address",
        "Should work again.",
        "we are back",
        "We're back in now, thanks a million",
        "up and back in service",
        "should be ok again, sorry",
        "the site responds again",
    ],
)
def test_what_comes_back_was_away(text: str) -> None:
    assert told(text, faced=True) is not None
    assert told(text.replace("again", "as before").replace("back", "fine"), faced=True) is None


def test_what_comes_back_behind_a_service_was_no_loss_to_users() -> None:
    assert told("the standby is back online", faced=True) is None
    assert told("restarted the importer, works again", faced=True) is None, "nobody knows what was away"


@pytest.mark.parametrize("text", ["No one on my team can start", "nobody could log in", "none of us can get into it"])
def test_nobody_can_is_no_denial(text: str) -> None:
    assert told(text) == "nobody can use it"
    assert told(text, seen=False) is None
    assert told("nobody can tell why") is None


def test_of_a_service_behind_them_only_what_is_down_as_a_whole_counts() -> None:
    assert told("the forge is down", seen=False, serves=True) == "something that users see was down"
    assert told("the forge is down", seen=False) is None
    assert told("switch 3 is down", seen=False, serves=True) is None
    assert told("the forge crashed", seen=False, serves=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "exports are gone, nobody outside ever saw it",
        "it hung for a bit, not a single user noticed",
        "errors in the log, zero complaints",
        "the first try failed; bookings never blinked",
        "two retries lost, no harm",
    ],
)
def test_who_says_that_users_were_spared_tells_no_failing_of_the_service(text: str) -> None:
    assert told(text, faced=True) is None


def test_users_and_what_went_wrong_for_them_count_whatever_else_is_said() -> None:
    assert told("customers cannot pay. no complaints so far", faced=True) == USERS


def test_the_account_of_a_program_is_no_user() -> None:
    assert told("the password of the backup user was changed, and the error is thrown away", serves=True) is None
    assert told("a user was logged out with an error", serves=True) == USERS


def test_what_staff_report_of_others_is_no_harm_to_staff() -> None:
    assert told("station staff say passengers stood on the wrong platform", seen=False) == USERS
    assert told("staff users cannot log in", seen=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "Around 600 growers got blank maps",
        "approx 300 candidates in LAW2010 were logged off and lost answers",
        "hundreds of renters could not start",
        "forty folk rang in",
    ],
)
def test_so_many_of_whatever_the_trade_calls_them(text: str) -> None:
    assert told(text, seen=False, serves=True) is not None


@pytest.mark.parametrize(
    "text",
    [
        "4 of 6 controllers crash-loop",
        "three replicas were lost",
        "12 pods were rejected",
        "live-1 components carry the wrong settings",
        "slot 09 is throwing errors now",
        "24.16 has the wrong column",
        "20 minutes were lost",
    ],
)
def test_so_many_parts_are_no_users(text: str) -> None:
    assert told(text, seen=False, serves=True) is None


@pytest.mark.parametrize("text", ["Is it just me or is the list old?", "am I the only one?"])
def test_who_asks_whether_others_have_it_too_uses_the_service(text: str) -> None:
    assert told(text, faced=True) == "someone asks whether it is so for others"
    assert told(text) is None


def test_a_clause_of_its_own_tells_the_failing() -> None:
    assert told("tills are froze, queue out the door", faced=True) == "a service that users see failed"
    assert told("the queue is stuck, tills are fine", faced=True) is None


def test_what_would_not_work_is_harm_and_what_would_not_have_is_none() -> None:
    assert told("none of them would unlock", "intercom", seen=False, serves=True) == DESK
    assert told("the bike would not open", "intercom", seen=False, serves=True) == DESK
    assert told("users would not have lost anything", "intercom", seen=False, serves=True) is None
    assert told("users don't see that", "intercom") is None


@pytest.mark.parametrize(
    "text",
    [
        "three listeners asked why it went quiet",
        "punters rang",
        "nine merchants call me, the terminals decline everything",
        "folks got the engaged tone",
        "shoppers were charged twice",
    ],
)
def test_what_people_do_who_were_hurt(text: str) -> None:
    assert told(text, seen=False) == USERS


@pytest.mark.parametrize(
    "text",
    [
        "Kunden können nicht bezahlen",
        "les clients ne peuvent plus se connecter",
        "los clientes no pueden pagar",
        "os clientes não conseguem entrar",
        "gli utenti non riescono ad accedere",
        "klanten kunnen niet betalen",
        "klienci nie mogą zapłacić",
        "Fahrgaeste beschweren sich, Ausfall seit acht",
    ],
)
def test_users_suffer_in_other_languages_too(text: str) -> None:
    assert told(text.replace("Fahrgaeste", "Fahrgäste"), seen=False) == USERS


@pytest.mark.parametrize(
    "text",
    [
        "kein Kunde hat sich beschwert",
        "les clients auraient vu une panne",
        "ningún cliente se quejó",
        "nessun cliente si lamenta",
        "geen klant heeft een storing gezien",
        "bevor Kunden eine Störung merken",
    ],
)
def test_denied_in_other_languages(text: str) -> None:
    assert told(text, faced=True) is None


def test_what_fails_on_a_service_that_users_see_in_other_languages() -> None:
    assert told("die Seite lädt nicht", faced=True) == "a service that users see failed"
    assert told("der Import lädt nicht", seen=False) is None
    assert told("le worker ne marche plus, le pod redémarre", faced=True) is None


def test_a_public_forum_is_a_desk() -> None:
    assert told("apt update wirft mir Bad Gateway", "discourse", seen=True) is not None
    assert told("apt update wirft mir Bad Gateway", "slack/ops", seen=False) is None


def test_engineers_who_ask_whether_others_see_it_are_no_users() -> None:
    assert told("anyone else seeing slow merges today?", faced=True) is None


def test_before_a_colon_stands_who_says_it() -> None:
    assert told("two customers: app in fra cant reach its db since ten minutes", seen=False) == USERS
    assert told("no idea yet: customers cannot log in", seen=False) == USERS, "what comes before doubts nothing"


def test_a_name_and_a_figure_doubt_nothing() -> None:
    assert told("app cant reach its db over .internal", "slack/support") == DESK
    assert told("the page shows Internal Server Error", "zendesk/acme") == DESK
    assert told("my card was charged 8 times tonight, balance still 0", "zendesk/acme") == DESK
    assert told("the internal page fails", "zendesk/acme") is None
    assert told("0 orders failed", "zendesk/acme") is None
