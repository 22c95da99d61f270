# Builds our own static Linux programs and puts them into the tools folder.
# shellcheck shell=bash

# The processor asked for, or this host's own, as container images name it.
program_architecture() {
  case ${1:-$(uname -m)} in
    amd64 | x86_64) echo amd64 ;;
    arm64 | aarch64) echo arm64 ;;
    *) die "unknown processor '${1:-$(uname -m)}'" "amd64 or arm64" ;;
  esac
}

# Sets `target`: musl, so that the program runs in an image with nothing else in it. A Rust without rustup knows this host
# alone; its C library can be put into the program, too.
program_target() {
  local processor
  case $1 in amd64) processor=x86_64 ;; arm64) processor=aarch64 ;; esac
  target=$processor-unknown-linux-musl
  if [ -d "$(rustc --print target-libdir --target "$target")" ] ||
    { have rustup && rustup target add "$target"; }; then
    # Rust brings musl and a linker of its own: pure Rust for any processor can be built on any.
    local linker
    linker=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$target")_LINKER
    export "$linker=rust-lld"
  else
    target=$processor-unknown-linux-gnu
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
    STEP_RESULT_FILE='' "$SCRIPTS/tools/toolchains" cc
  fi
}

# put_program PACKAGE PROFILE ARCHITECTURE, after `program_target`
put_program() {
  local built place
  cargo build --profile "$2" --package "$1" --target "$target" --locked
  built=${CARGO_TARGET_DIR:-$REPOSITORY/target}/$target/$2/$1
  place=$TOOLS/$1-linux-$3
  if cmp -s "$built" "$place"; then
    step_was_cached
    return
  fi
  mkdir -p "$TOOLS"
  # Renamed into place: what reads it meanwhile sees the old or the new one, whole.
  install -m 755 "$built" "$place.new" && mv "$place.new" "$place"
}
