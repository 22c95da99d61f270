# Fetches from package registries through their own clients, against checksums kept in this repository.
# shellcheck shell=bash

# Unpacks an npm package: name@version, its integrity (`npm view NAME@VERSION dist.integrity`), folder.
fetch_npm() {
  local spec=$1 integrity=$2 folder=$3 archive actual
  mkdir -p "$folder"
  archive=$(cd "$folder" && npm pack --silent --ignore-scripts "$spec")
  actual=sha512-$(sha512sum "$folder/$archive" | cut -d' ' -f1 | perl -pe 'chomp; $_ = pack "H*", $_' | base64 -w0)
  [ "$actual" = "$integrity" ] || die "$spec has integrity $actual, expected $integrity"
  tar -xzf "$folder/$archive" -C "$folder" --strip-components=1
  rm "$folder/$archive"
}

# Unpacks the wheel that a requirements file with hashes names.
fetch_wheel() {
  local requirements=$1 folder=$2 wheels
  wheels=$(mktemp -d)
  # The interpreter's own pip settings may name indexes; they hold here too.
  python3 -m pip download --quiet --no-deps --only-binary=:all: --require-hashes \
    -r "$requirements" -d "$wheels"
  mkdir -p "$folder"
  python3 -m zipfile -e "$wheels"/*.whl "$folder"
  rm -r "$wheels"
}

# Builds the tools that the module in the working folder names into a folder: all of them, or only
# the one whose name is the second argument. The others go to `go build`.
build_go_tools() {
  local folder=$1 only=$2 programs
  shift 2
  mapfile -t programs < <(go list tool | grep "/${only:-[^/]*}\$")
  # At low priority: these builds fill every core, and the rest of the work is short.
  CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n 10 \
    go build -trimpath -buildvcs=false "$@" -o "$folder/" "${programs[@]}"
}
