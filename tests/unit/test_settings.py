"""Settings: who wins, what is refused and how it is said, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from monitor.core.model.events import MINUTE, SECOND
from monitor.settings import BadSettings, Settings, groups, hints, load_settings

SAMPLES, SAMPLES_OF_MANY = hints().samples, hints().many
SECRET = "correct-horse-battery-staple"


def problems(overrides: dict[str, object] | None = None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadSettings) as failure:
        load_settings(overrides or {}, environ or {})
    return list(failure.value.problems)


def write(folder: Path, text: str) -> str:
    path = folder / "nearmiss.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_without_anything_it_runs_on_loopback_with_an_embedded_database() -> None:
    settings = load_settings({}, {})
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.database.startswith("sqlite:///")
    assert settings.lateness == MINUTE
    assert not settings.auth().is_configured
    assert not settings.kafka.is_used


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    config = write(tmp_path, "port: 1\nlateness: 1m\nlog_level: error\n")
    environ = {"NEARMISS_CONFIG": config, "NEARMISS_PORT": "2", "NEARMISS_LATENESS": "2m"}
    settings = load_settings({"port": 3, "rules": None}, environ)
    assert (settings.port, settings.lateness, settings.log_level) == (3, 2 * MINUTE, "error")
    assert settings.rules is None


def test_groups_are_merged_over_all_three(tmp_path: Path) -> None:
    config = write(tmp_path, "kafka: {bootstrap: 'a:1', topics: {ops: events}, journal: ops, group: ours}\n")
    settings = load_settings({"config": config}, {"NEARMISS_KAFKA__BOOTSTRAP": "b:2"})
    assert (settings.kafka.bootstrap, settings.kafka.group) == ("b:2", "ours")


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert load_settings({}, {"NEARMISS_PORT": "", "NEARMISS_KAFKA__BOOTSTRAP": ""}) == Settings()


@pytest.mark.parametrize(
    ("text", "microseconds"), [("90s", 90 * SECOND), ("2m", 2 * MINUTE), ("1h30m", 90 * MINUTE), ("0s", 0)]
)
def test_durations_have_a_unit(text: str, microseconds: int) -> None:
    assert load_settings({"lateness": text}, {}).lateness == microseconds


@pytest.mark.parametrize(("text", "size"), [("2048", 2048), ("512KiB", 512 * 1024), ("5 MB", 5_000_000)])
def test_sizes_may_have_a_unit(text: str, size: int) -> None:
    assert load_settings({}, {"NEARMISS_BODY_LIMIT": text}).body_limit == size


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("port", "http", "a whole number from 0 to 65535"),
        ("port", "70000", "a whole number from 0 to 65535"),
        ("lateness", "60", "a duration such as"),
        ("lateness", "-5m", "a duration such as"),
        ("body_limit", "5 bushels", "a number of bytes, or one with a unit"),
        ("body_limit", "1", "1KiB to 5MiB"),
        ("log_format", "xml", "console or json"),
        ("database", "mysql://x", "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"),
        ("secrets", "x", "names with values"),
        ("accounts", "x", "names with values"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name: str, value: str, expected: str) -> None:
    variable = f"NEARMISS_{name.upper()}"
    (line,) = problems(environ={variable: value})
    assert line.startswith(f"{variable}: {name}: ")
    assert f"expected {expected}" in line


def test_what_to_try_is_written_as_it_was_given(tmp_path: Path) -> None:
    config = write(tmp_path, "log_level: warn\nkafka: {reject_limit: x}\nretention: {events: 1h}\nzzz: 1\n")
    said = problems({"port": "x"}, {"NEARMISS_LATENESS": "soon", "NEARMISS_CONFIG": config})
    hints = {line.partition(": ")[0].removeprefix(config): line.rpartition("; try ")[2] for line in said}
    assert hints == {
        "--port": "`--port 8080`",
        "NEARMISS_LATENESS": "`NEARMISS_LATENESS=1m`",
        ":1:1": "`log_level: warning`",
        ":2:9": "`kafka: {reject_limit: 100}`",
        ":3:13": "`retention: {events: 90d}`",
        ":4:1": "removing it",
    }
    (short,) = (line for line in said if ":3:13" in line)
    assert "expected at least 1d, or null" in short


def settings_of_one_value() -> list[str]:
    names = [name for name in Settings.model_fields if name not in groups() and name not in SAMPLES_OF_MANY]
    inner = [f"{name}.{below}" for name, group in groups().items() for below in group.model_fields]
    return [*names, *(name for name in inner if name not in SAMPLES_OF_MANY)]


def test_every_setting_has_a_sample_and_no_other_has() -> None:
    assert sorted(SAMPLES) == sorted(settings_of_one_value())


@pytest.mark.parametrize("name", sorted(name for name in SAMPLES if name != "config" and "_file" not in name))
def test_a_sample_is_right_by_itself(name: str) -> None:
    """What it needs beside it may still be missing."""
    variable = f"NEARMISS_{name.upper().replace('.', '__')}"
    said: tuple[str, ...] = ()
    try:
        load_settings({}, {variable: SAMPLES[name]})
    except BadSettings as error:
        said = error.problems
    assert [line for line in said if line.startswith(f"{variable}: {name}: ")] == []


@pytest.mark.parametrize(
    "environ",
    [
        {"KAFKA__BOOTSTRAP": "kafka"},
        {"KAFKA__BOOTSTRAP": "kafka:9092"},
        {"KAFKA__TOPICS": "ops"},
        {"KAFKA__TOPICS": "ops=nobody"},
        {"KAFKA__TOPICS": "ops=events", "KAFKA__BOOTSTRAP": "k:1", "KAFKA__JOURNAL": "other"},
        {"KAFKA__CANONICAL": "all"},
        {"KAFKA__CANONICAL": "a b"},
        {"KAFKA__CANONICAL": "all", "KAFKA__BOOTSTRAP": "k:1", "KAFKA__JOURNAL": "all"},
        {"KAFKA__SECURITY_PROTOCOL": "SASL_SSL"},
        {"KAFKA__USERNAME": "me"},
        {"KAFKA__SECURITY_PROTOCOL": "TLS"},
        {"KAFKA__CA_FILE": "nowhere"},
        {"SECRETS__PAGERDUTI": "x"},
        {"SECRETS__NOBODY": "x"},
        {"ACCOUNTS__ALEX__SECRET": "short"},
        {"ACCOUNTS__ALEX__SECRET": "sha256:12"},
        {"HOST": "0.0.0.0"},
        {"PORT": "-1"},
        {"ROLES": "boss"},
        {"RULES": "", "DATABASE": "oracle"},
        {"RETENTION__EVENTS_SIZE": "1"},
        {"CATALOGUE__X": "1"},
    ],
)
def test_every_wrong_setting_comes_with_what_to_try(environ: dict[str, str]) -> None:
    for line in problems(environ={f"NEARMISS_{name}": value for name, value in environ.items()}):
        assert "try " in line or "did you mean" in line, line
        assert "expected " in line or "did you mean" in line, line


def test_everything_that_is_wrong_is_told_at_once_and_where_it_was_given(tmp_path: Path) -> None:
    config = write(tmp_path, "lateness: soon\nhots: x\nport: 1\nport: 2\nkafka:\n  topic: {}\n")
    said = problems({"port": "x", "host": "0.0.0.0"}, {"NEARMISS_LOG_LEVEL": "loud", "NEARMISS_CONFIG": config})
    for part in (
        f"{config}:4:1: error: key 'port' is given twice",
        "--port: port: 'x': expected",
        "NEARMISS_LOG_LEVEL: log_level: 'loud': expected",
        f"{config}:1:1: lateness: 'soon': expected",
        f"{config}:2:1: hots: there is no such setting; did you mean host?",
        f"{config}:6:3: kafka.topic: there is no such setting; did you mean topics?",
        "host: refusing to listen on 0.0.0.0 without a login",
    ):
        assert [line for line in said if line.startswith(part)], (part, said)


def test_a_setting_like_no_other_gets_the_list(tmp_path: Path) -> None:
    (line,) = problems({"config": write(tmp_path, "zzz: 1\n")})
    assert "expected accounts, backlog_limit, blaming_phrases, body_limit, " in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "not a mapping; expected settings as `name: value`"),
        ("port: [1\n", "not YAML"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in problems({"config": write(tmp_path, text)}))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (line,) = problems({"config": str(tmp_path / "absent.yaml")})
    assert "cannot be read: No such file" in line


def test_a_variable_of_ours_that_is_no_setting_is_a_warning_with_a_hint() -> None:
    with structlog.testing.capture_logs() as logs:
        settings = load_settings({}, {"NEARMISS_LATENES": "1m", "NEARMISS_DEBUG": "1", "HOME": "/"})
    assert settings == Settings()
    assert [(line["event"], line["variable"], line["did_you_mean"]) for line in logs] == [
        ("unknown_variable", "NEARMISS_LATENES", "NEARMISS_LATENESS")
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_loopback_needs_no_account(host: str) -> None:
    assert load_settings({"host": host}, {}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "monitor.example.org"])
def test_any_other_address_needs_one(host: str) -> None:
    (line,) = problems({"host": host})
    assert line.startswith(f"host: refusing to listen on {host} without a login")
    settings = load_settings({"host": host}, {"NEARMISS_ACCOUNTS__ONCALL__SECRET": SECRET})
    assert settings.auth().is_configured


def test_an_account_that_is_too_weak_is_refused_without_showing_it() -> None:
    (line,) = problems(environ={"NEARMISS_ACCOUNTS__ONCALL__SECRET": "hunter2"})
    assert "account 'oncall': the secret is shorter than 12 characters" in line
    assert "hunter2" not in line


def test_an_account_without_a_secret_is_refused() -> None:
    (line,) = problems(environ={"NEARMISS_ACCOUNTS__ONCALL__ROLE": "on-call"})
    assert line.startswith("accounts.oncall.secret: missing; expected a value; try `accounts: {alex: {role: on-call, ")


def test_several_secrets_of_a_source_while_one_is_rotated() -> None:
    settings = load_settings({}, {"NEARMISS_SECRETS__PAGERDUTY": f"{SECRET}, second"})
    assert [secret.get_secret_value() for secret in settings.secrets["pagerduty"]] == [SECRET, "second"]


def test_a_secret_for_a_misspelt_source_would_leave_the_real_one_unchecked() -> None:
    (line,) = problems(environ={"NEARMISS_SECRETS__PAGERDTY": SECRET})
    assert "there is no source 'pagerdty'; did you mean pagerduty?" in line


def test_sources_have_one_name_in_the_settings_too() -> None:
    environ = {"NEARMISS_SECRETS__CANONICAL": SECRET, "NEARMISS_OPEN_SOURCES": "Statuspage, kubernetes/Prod"}
    settings = load_settings({}, environ)
    assert list(settings.secrets) == ["events"]
    assert settings.open_sources == ("statuspage", "kubernetes/prod")
    access = load_settings({"host": "0.0.0.0"}, {**environ, "NEARMISS_ACCOUNTS__ONCALL__SECRET": SECRET}).access()
    assert access.refusal("events") is None
    assert access.refusal("github") is not None
    (line,) = problems(environ={"NEARMISS_OPEN_SOURCES": "nobody"})
    assert "open_sources: 'nobody' names no source" in line
    (line,) = problems(environ={"NEARMISS_SECRETS__CANONICAL": SECRET, "NEARMISS_SECRETS__EVENTS": SECRET})
    assert "stands there twice, as 'events'" in line


def test_an_empty_list_of_secrets_is_refused() -> None:
    (line,) = problems(environ={"NEARMISS_SECRETS__PAGERDUTY": " , "})
    assert "the secret of pagerduty is empty" in line


def test_no_secret_is_ever_shown() -> None:
    environ = {
        "NEARMISS_SECRETS__PAGERDUTY": SECRET,
        "NEARMISS_ACCOUNTS__ONCALL__SECRET": SECRET,
        "NEARMISS_DATABASE": f"postgresql://nearmiss:{SECRET}@db/nearmiss",
    }
    settings = load_settings({}, environ)
    assert SECRET in settings.database
    assert SECRET not in f"{settings!r} {settings}"
    environ["NEARMISS_DATABASE"] = f"mysql://nearmiss:{SECRET}@db/nearmiss"
    environ["NEARMISS_ACCOUNTS__ONCALL__SECRETS"] = SECRET
    environ["NEARMISS_KAFKA__PASSWORD"] = SECRET
    environ["NEARMISS_PORT"] = "x"
    assert SECRET not in "\n".join(problems(environ=environ))


def test_settings_do_not_change_once_they_are_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}, {}).port = 1  # type: ignore[misc]  # the type checker says so as well


@pytest.mark.parametrize("written", ["a.yaml, b", ["a.yaml", "b"]])
def test_a_catalogue_may_be_several_files(written: object) -> None:
    assert load_settings({"catalogue": written}, environ={}).catalogue == (Path("a.yaml"), Path("b"))
    if isinstance(written, str):
        assert load_settings({}, environ={"NEARMISS_CATALOGUE": written}).catalogue == (Path("a.yaml"), Path("b"))
