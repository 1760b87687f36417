#!/usr/bin/env bash
# Builds a kube-apiserver and its etcd where Go is installed; once, into the cache of the user. It takes minutes, and
# some GiB. The test of what is watched in a Kubernetes uses them.
set -euo pipefail
version=1.34.2
target=${XDG_CACHE_HOME:-$HOME/.cache}/nearmiss/kubernetes-$version
[ -x "$target/kube-apiserver" ] && [ -x "$target/etcd" ] && { echo "$target"; exit 0; }
command -v go >/dev/null || { echo "real-kubernetes: Go is needed; install it with: apt-get install golang" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
module=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
mkdir -p kube-apiserver etcd "$target"
cp "$module/cmd/kube-apiserver/apiserver.go" kube-apiserver/main.go
cat >etcd/main.go <<'EOF'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
EOF
# What lies beside the module in its repository is published under the same minor version.
{
    sed -n "/^go /p" "$module/go.mod"
    echo "module nearmiss.dev/kubernetes"
    echo "require k8s.io/kubernetes v$version"
    sed -n '/^require (/,/^)/p' "$module/go.mod"
    sed -n "s|^\t\(k8s.io/[a-z-]*\) => ./staging/.*|replace \1 => \1 v0.${version#1.}|p" "$module/go.mod"
} >go.mod
cp "$module/go.sum" go.sum
for program in etcd kube-apiserver; do
    CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags="-s -w" -o "$target/$program" "./$program"
done
echo "$target"
