# The npm workspace of the web pages.
# shellcheck shell=bash

# Goes to the workspace and has its exact packages there; npm writes the hidden lock when it is done with them.
# Chained, because a caller's `||` takes `set -e` away.
enter_web() {
  STEP_RESULT_FILE='' "$SCRIPTS/tools/toolchains" npm node &&
    cd "$REPOSITORY/src/web" &&
    { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error; }
}
