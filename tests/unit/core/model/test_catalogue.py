"""What the catalogue tells about services: where each belongs, who depends on whom, and which environments count."""

from __future__ import annotations

from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.core.sharding.routing import Router
from tests.support.streams import shop


def catalogue(*services: Service) -> Catalogue:
    return Catalogue({service.name: service for service in services})


def test_a_declared_domain_goes_before_a_system() -> None:
    known = catalogue(Service("a", domain="shop", system="cart"), Service("b", system="cart"))
    assert (known.domain_of("a"), known.domain_of("b")) == ("shop", "cart")


def test_without_a_declaration_it_is_the_component_by_its_first_name() -> None:
    known = catalogue(
        Service("shop", ("db", "queue")),
        Service("db"),
        Service("mail", ("queue",)),
        Service("alone"),
        Service("x", ("x",)),
    )
    assert {known.domain_of(name) for name in ("shop", "db", "queue", "mail")} == {"around:db"}
    assert known.domain_of("alone") == "around:alone"
    assert known.domain_of("x") == "around:x"


def test_the_only_domain_of_a_component_has_all_of_it() -> None:
    """A library that nobody filed correlates with those that use it."""
    known = catalogue(Service("shop", ("db",), domain="retail"), Service("db", ("disk",)), Service("disk"))
    assert known.domain_of("disk") == "retail"


def test_between_two_domains_the_rest_is_of_neither() -> None:
    known = catalogue(
        Service("shop", ("db",), domain="retail"), Service("lab", ("db",), domain="research"), Service("db", ("disk",))
    )
    assert known.domain_of("shop") == "retail"
    assert known.domain_of("db") == known.domain_of("disk") == "around:db"


def test_the_order_of_the_services_does_not_matter() -> None:
    services = [Service("c", ("b",)), Service("b", ("a",)), Service("a"), Service("d", ("c",)), Service("e")]
    forward, backward = catalogue(*services), catalogue(*reversed(services))
    assert [forward.domain_of(s.name) for s in services] == [backward.domain_of(s.name) for s in services]


def test_an_unknown_service_stands_alone() -> None:
    assert Catalogue().domain_of("anything") == "around:anything"


def test_a_cycle_is_one_component() -> None:
    known = catalogue(Service("a", ("b",)), Service("b", ("a",)))
    assert known.domain_of("a") == known.domain_of("b") == "around:a"


def test_services_of_one_system_or_domain_share_a_shard() -> None:
    known = catalogue(
        Service("a", system="cart"),
        Service("b", system="cart"),
        Service("c", domain="cart"),
        Service("d", system="desk"),
    )
    router = Router(known)
    assert router.shard_of("a") == router.shard_of("b") == router.shard_of("c") != router.shard_of("d")


def test_who_depends_on_whom() -> None:
    known = shop()
    assert known.neighbours("api") == {"api", "db", "shop"}
    assert known.neighbours("who") == {"who"}
    assert known.upward("db") == {"db", "api", "shop"}
    assert known.downward("shop") == {"shop", "api", "db", "side"}
    assert known.along("api") == {"api", "db", "shop"}
    assert known.siblings("side") == {"api", "db"}
    assert known.siblings("mail") == frozenset()
    assert known.around("side") == {"side", "shop", "api", "db"}
    assert known.serving_users == {"shop", "api", "db", "side"}
    assert [known.upward("db"), known.siblings("side"), known.around("side")] == [
        {"db", "api", "shop"}, {"api", "db"}, {"side", "shop", "api", "db"},
    ]  # fmt: skip


def test_an_empty_catalogue_takes_everything_to_be_user_facing() -> None:
    assert Catalogue().is_empty
    assert not shop().is_empty
    assert Catalogue().is_user_facing("who")
    assert [shop().is_user_facing(name) for name in ("shop", "db", "who")] == [True, False, False]
    assert (shop().knows("db"), shop().knows("who"), shop().names) == (True, False, frozenset(shop().services))


def test_the_freshness_of_the_first_feed_that_fits() -> None:
    feeds = (Feed("shop", "a", "slo", 1), Feed("shop", "a", None, 2), Feed("shop", None, "slo", 3), Feed("shop", "b"))
    known = Catalogue(shop().services, feeds=feeds)
    asked = [("a", "slo"), ("a", "probe"), ("c", "slo"), ("b", "probe"), ("c", "probe")]
    assert [known.freshness("shop", *each) for each in asked] == [1, 2, 3, None, None]
    assert known.freshness("api", "a", "slo") is None


def test_whether_an_environment_counts() -> None:
    known = Catalogue(production=frozenset({"live"}), environments={"sandbox": "staging"})
    words = [None, "live", "staging", "sandbox", "eu-7", "staging"]
    assert [known.counts(word) for word in words] == [None, True, False, False, None, False]
    nothing_listed = Catalogue()
    assert [nothing_listed.counts(word) for word in (None, "live", "eu-7", "staging")] == [None, True, True, False]


def test_how_large_a_domain_is() -> None:
    known = catalogue(
        Service("a", domain="x"), Service("b", domain="x"), Service("c", domain="y"), Service("d", domain="y"),
        Service("e", domain="z"),
    )  # fmt: skip
    assert [known.size_of(name) for name in ("a", "e", "who")] == [2, 1, 1]
    assert [known.larger_than(name) for name in ("a", "e", "who")] == [2.5, 5.0, 1.0]
