#!/usr/bin/env bash
# Makes sure that the servers and programs that the tests use are there: PostgreSQL, Chromium, Java 17, Maven,
# Alertmanager, blackbox exporter, Prometheus with promtool.
# Installs what is missing where the user may; otherwise names it in one line and fails. Quick when all is there.
# With the word `faults`, what single proofs under faults use besides: network namespaces and another clock. Without it
# those say that they did not run, so that nothing fails here.
set -uo pipefail
wanted=${1:-all}

has_postgresql() { command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }
has_java() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] && [ "$version" -ge 17 ]
}
has_alertmanager() { command -v prometheus-alertmanager >/dev/null; }
has_blackbox() { command -v prometheus-blackbox-exporter >/dev/null; }
has_maven() { command -v mvn >/dev/null; }

has_prometheus() { command -v prometheus >/dev/null && command -v promtool >/dev/null; }

has_faketime() { compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; }

missing() {
    local names=()
    if [ "$wanted" = faults ]; then
        command -v ip >/dev/null || names+=(iproute2)
        has_faketime || names+=(faketime)
        echo "${names[*]}"
        return
    fi
    has_postgresql || names+=(postgresql)
    has_chromium || names+=(chromium)
    has_java || names+=(openjdk-17-jre-headless)
    has_maven || names+=(maven)
    has_alertmanager || names+=(prometheus-alertmanager)
    has_blackbox || names+=(prometheus-blackbox-exporter)
    has_prometheus || names+=(prometheus)
    echo "${names[*]}"
}

packages=$(missing)
[ -z "$packages" ] && exit 0

give_up() {
    if [ "$wanted" = faults ]; then
        echo "system packages: missing: $packages ($1); what needs them will say that it did not run" >&2
        exit 0
    fi
    echo "system packages: missing: $packages ($1); install them with: ${2:-apt-get install $packages}" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up "this system has no apt-get" "your package manager (PostgreSQL server, Chromium, Java 17 or newer, Maven, Alertmanager, blackbox exporter, Prometheus)"
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    give_up "this user may not install packages" "sudo apt-get install $packages"
fi

echo "system packages: installing $packages"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    # Word splitting is wanted: the names of the packages are words.
    # shellcheck disable=SC2086
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $1 >>"$log" 2>&1
}
if ! "${as_root[@]}" apt-get update >"$log" 2>&1; then
    # A package may still be known from before; if not, the next step fails and says so.
    echo "system packages: apt-get update failed: $(tail -n 1 "$log")" >&2
fi
for package in $packages; do
    # Systems that have left Java 17 behind offer a newer one under this name.
    install "$package" || { [ "$package" = openjdk-17-jre-headless ] && install default-jre-headless; } || break
done

packages=$(missing)
[ -z "$packages" ] || give_up "apt-get said: $(grep '^E:' "$log" | tail -n 1)"
