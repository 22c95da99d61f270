# Runs steps side by side, each with its log in a file, and tells what goes on: a line when a step
# ends, one at least every ten seconds in between, and a table at the end.
# shellcheck shell=bash

LOGS=$CACHE/logs
HEARTBEAT_SECONDS=8

step_names=()          # in the order they were added
declare -A step_state=()   # waiting, running, failed, finished
declare -A step_after=() step_command=() step_pid=() step_started=() step_seconds=() step_result=()
started_at=$EPOCHREALTIME
last_line_at=$SECONDS

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

tell() {
  say "$(printf '%6.0f s  %s' "$(seconds_since "$started_at")" "$*")"
  last_line_at=$SECONDS
}

# step NAME 'NAMES IT COMES AFTER' COMMAND...
step() {
  local name=$1
  step_names+=("$name")
  step_after[$name]=$2
  step_command[$name]=$(printf '%q ' "${@:3}")
  step_state[$name]=waiting
}

# A row in the table for what needed no step.
step_not_needed() {
  step_names+=("$1")
  step_state[$1]=finished step_seconds[$1]=0.0 step_result[$1]=cached
}

record_step() {
  step_names+=("$1")
  step_state[$1]=finished step_seconds[$1]=$2 step_result[$1]=$3
}

may_start() {
  local before
  [ "${step_state[$1]}" = waiting ] || return 1
  for before in ${step_after[$1]}; do
    [ "${step_state[$before]}" = finished ] || return 1
  done
}

# In a process group of its own, so that it can be ended with all that it started.
start_step() {
  local name=$1
  mkdir -p "$LOGS"
  rm -f "$LOGS/$name.result"
  STEP_RESULT_FILE=$LOGS/$name.result setsid bash -c "${step_command[$name]}" >"$LOGS/$name.log" 2>&1 </dev/null &
  step_pid[$name]=$!
  step_started[$name]=$EPOCHREALTIME
  step_state[$name]=running
}

finish_step() {
  local name=$1
  wait "${step_pid[$name]}" || fail_step "$name" $?
  step_state[$name]=finished
  step_seconds[$name]=$(seconds_since "${step_started[$name]}")
  step_result[$name]=$(cat "$LOGS/$name.result" 2>/dev/null || echo built)
  tell "$name: ${step_result[$name]} in ${step_seconds[$name]} s"
}

fail_step() {
  local name=$1 status=$2
  step_state[$name]=failed
  say ""
  say "error: the step '$name' failed with status $status; the last lines of its log:"
  tail -n 30 "$LOGS/$name.log" | sed 's/^/  | /' >&2
  say "  log: $LOGS/$name.log"
  say "  this step alone: ${step_command[$name]% }"
  say "  all of it, from where it stopped: $0${step_arguments:+ $step_arguments}"
  exit 1
}

end_running_steps() {
  local name
  for name in "${step_names[@]}"; do
    if [ "${step_state[$name]}" = running ]; then kill -TERM -- "-${step_pid[$name]}" 2>/dev/null || true; fi
  done
}
trap end_running_steps EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The last line of a step's log that says anything, short.
last_words() {
  tail -c 2000 "$LOGS/$1.log" 2>/dev/null | tr '\r' '\n' |
    awk 'NF { line = $0 } END { if (line != "") printf " (%.60s)", line }'
}

heartbeat() {
  local name text=''
  for name in "${step_names[@]}"; do
    [ "${step_state[$name]}" = running ] || continue
    text+="${text:+; }$name $(seconds_since "${step_started[$name]}") s$(last_words "$name")"
  done
  tell "running: $text"
}

# Runs what can run until the named step is done; without a name, until all are.
run_steps() {
  local until=${1:-} name open
  while :; do
    open=
    for name in "${step_names[@]}"; do
      if may_start "$name"; then start_step "$name"; fi
      case ${step_state[$name]} in
        running) if ! kill -0 "${step_pid[$name]}" 2>/dev/null; then finish_step "$name"; fi ;;
      esac
      if [ "${step_state[$name]}" != finished ]; then open=yes; fi
    done
    if [ -z "$open" ] || [ "${step_state[${until:-none}]:-}" = finished ]; then return; fi
    if ((SECONDS - last_line_at >= HEARTBEAT_SECONDS)); then heartbeat; fi
    sleep 0.2
  done
}

print_table() {
  local name
  printf '\n%-22s %9s  %s\n' step seconds result
  for name in "${step_names[@]}"; do
    printf '%-22s %9s  %s\n' "$name" "${step_seconds[$name]:--}" "${step_result[$name]:-${step_state[$name]}}"
  done
  printf '%-22s %9s\n' total "$(seconds_since "$started_at")"
}
