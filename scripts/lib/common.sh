# Sourced by every script here: places, messages and small questions about this machine.
# shellcheck shell=bash disable=SC2034

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
REPOSITORY=$(dirname "$SCRIPTS")
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/altinn-local
TOOLS=${XDG_DATA_HOME:-$HOME/.local/share}/altinn-local/tools
PARTS_CACHE=$CACHE/parts
export PATH="$TOOLS:$PATH"

say() { printf '%s\n' "$*" >&2; }

# Ends with a message, and, as a second argument, what to do about it.
die() {
  say "error: $1"
  if [ $# -gt 1 ]; then say "  hint: $2"; fi
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# A step that found its result in place says so; `scripts/up` shows it in its table.
step_was_cached() {
  if [ -n "${STEP_RESULT_FILE:-}" ]; then echo cached >"$STEP_RESULT_FILE"; fi
}

# A dead engine can leave a socket that accepts and never answers, hence the limit.
engine_answers() { have docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

need_root() {
  [ "$(id -u)" -eq 0 ] || die "$1 needs root" "run \`sudo $0\`, or install it yourself and run the command again"
}
