"""What the catalogue tells about services: where each belongs."""

from __future__ import annotations

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.sharding.routing import Router


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
