#!/usr/bin/env bash
# Builds an Alertmanager with the event recorder, which Debian's does not have, where Go is installed; once, into the
# cache of the user. Its pages are left out: the module does not hold them. The test of the recorder uses it.
set -euo pipefail
version=0.35.0
target=${XDG_CACHE_HOME:-$HOME/.cache}/nearmiss/alertmanager-$version
[ -x "$target" ] && { echo "$target"; exit 0; }
command -v go >/dev/null || { echo "newer-alertmanager: Go is needed; install it with: apt-get install golang" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
module=$(cd "$work" && go mod download -json "github.com/prometheus/alertmanager@v$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp -r --no-preserve=mode "$module" "$work/source"
mkdir -p "$work/source/ui/app/dist" "$(dirname "$target")"
echo '<html></html>' >"$work/source/ui/app/dist/index.html"
(cd "$work/source" && CGO_ENABLED=0 go build -buildvcs=false -o "$target" ./cmd/alertmanager)
echo "$target"
