"""What operators write is bounded like what strangers send: catalogues, patterns, files that are none of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model.catalogue import MOST_CACHED, Catalogue, Service
from monitor.located.problems import LONGEST_SAID, nearest
from monitor.packs.catalogue.loader import load_catalogues
from monitor.packs.language.regex import BadPattern, make_finder, make_regex
from monitor.packs.rules.loader import load_rules

SECRET = "x:1:1:the-secret-of-line"
PASSWORDS = "".join(f"user{number}:{SECRET}-{number}:/bin/sh\n" for number in range(200))


def chain(count: int) -> Catalogue:
    """One service that users see, and behind it all others in one line."""
    below = {number: (f"s{number + 1}",) for number in range(count - 1)}
    return Catalogue(
        {
            f"s{number}": Service(f"s{number}", depends_on=below.get(number, ()), user_facing=number == 0)
            for number in range(count)
        }
    )


@pytest.mark.parametrize("count", [8_000, 20_000])
def test_a_catalogue_of_an_organisation_of_that_size_fits_into_one_file(tmp_path: Path, count: int) -> None:
    path = tmp_path / "catalogue.yaml"
    lines = [f"  s{n}: {{depends_on: [s{n + 1}], owner: team-{n % 300}, user_facing: false}}" for n in range(count - 1)]
    path.write_text("\n".join(["services:", *lines, f"  s{count - 1}: {{user_facing: true}}"]), encoding="utf-8")
    loaded = load_catalogues([path])
    assert not [problem for problem in loaded.problems if problem.is_error]
    assert len(loaded.catalogue.services) == count


def test_all_answers_about_a_long_chain_are_remembered_within_a_bound() -> None:
    """Each answer is as long as the chain: for 8,000 services together they were 1.4 GB."""
    catalogue = chain(4_000)
    for number in range(0, 4_000, 8):
        catalogue.along(f"s{number}")
        assert sum(len(names) for cache in catalogue._caches.values() for names in cache.values()) <= MOST_CACHED


def test_who_serves_users_is_found_in_one_walk() -> None:
    catalogue = Catalogue({**chain(8_000).services, "alone": Service("alone", depends_on=("s5",))})
    assert catalogue.serving_users == frozenset(f"s{number}" for number in range(8_000))
    assert not any(catalogue._caches.values()), "nothing is remembered for each service"


def test_forgotten_answers_are_worked_out_again() -> None:
    catalogue = chain(2_000)
    first = catalogue.around("s10")
    for number in range(0, 2_000, 2):
        catalogue.along(f"s{number}")
    assert catalogue.around("s10") == first == frozenset(f"s{number}" for number in range(2_000))


@pytest.mark.parametrize("pattern", [".{1000}.{1000}", ".{300}", "(.{1,90}){3}x"])
def test_a_pattern_that_costs_milliseconds_an_event_is_refused(pattern: str) -> None:
    for make in (make_regex, make_finder):
        with pytest.raises(BadPattern, match=r"instructions, more than 2,000: a repetition"):
            make(pattern)


@pytest.mark.parametrize("pattern", [".{100}", "[a-z]{200}", "(?i)timeout|oom.?kill", ".*.*=.*"])
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    make_regex(pattern)


@pytest.mark.parametrize("text", [PASSWORDS, PASSWORDS.replace(":", "=").replace("\n", " "), "'" + PASSWORDS * 3 + "'"])
def test_a_file_that_is_none_of_ours_does_not_come_out_in_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "passwd.yaml"
    path.write_text(text, encoding="utf-8")
    catalogue = load_catalogues([path]).problems
    rules = load_rules(path).problems
    assert catalogue
    assert rules
    for problem in (*catalogue, *rules):
        assert len(str(problem)) < 3 * LONGEST_SAID + 200
        assert str(problem).count("the-secret-of-line") + str(problem).count("user2") <= 2


def test_a_word_is_compared_with_few_of_very_many() -> None:
    known = [f"service-{number}" for number in range(20_000)]
    assert nearest("servise-19999" + "x" * 10_000, known) != "x"
    assert nearest("service-1000O", known).startswith("service-1")
