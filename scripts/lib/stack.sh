# Sourced: what opens a stack that is up, from the files that its agent keeps.
# shellcheck shell=bash

# `stack_at URL` finds the stack whose router answers at an address of this machine, and exports what its clients need:
# ROUTER_URL, PIPELINE_URL, PIPELINE_TOKEN, PIPELINE_HOOK_SECRET, REGISTRY_URL, GITEA_URL, GITEA_USER,
# GITEA_PASSWORD, STACK.
# What is set already stays.
stack_at() {
  local settings
  settings=$(python3 - "$1" <<'PYTHON'
import json, os, pathlib, shlex, sys, urllib.parse

home, own = os.environ.get("XDG_STATE_HOME", pathlib.Path.home() / ".local/state"), os.environ.get("ALTINN_LOCAL_HOME")
folder = pathlib.Path(own, "state") if own else pathlib.Path(home, "altinn-local")
port = urllib.parse.urlsplit(sys.argv[1]).port
read = lambda path: json.loads(path.read_text("utf-8"))
for ports in folder.glob("stacks/*/ports.json"):
    if read(ports).get("router") == port:
        agent, keys = read(ports)["agent"], read(ports.with_name("credentials.json"))
        told = {
            "STACK": ports.parent.name, "ROUTER_URL": f"http://127.0.0.1:{port}", "PIPELINE_URL": f"http://127.0.0.1:{agent}",
            "PIPELINE_TOKEN": keys["pipelineToken"], "PIPELINE_HOOK_SECRET": keys["pipelineHookSecret"],
            "REGISTRY_URL": f"http://127.0.0.1:{read(ports)['registry-ttd']}",
            "GITEA_URL": f"http://127.0.0.1:{port}/repos", "GITEA_USER": keys["giteaAdmin"], "GITEA_PASSWORD": keys["giteaAdminPassword"],
        }
        for name, value in told.items():
            print(f"export {name}=${{{name}:-{shlex.quote(str(value))}}}")
        break
else:
    sys.exit(1)
PYTHON
  ) || die "no stack has its router at $1" "\`altinn-local status\` tells the addresses"
  eval "$settings"
}
