# Run in a node. The container runtime calls kind's script for each container before its program starts; from now on
# the helper is called after it, and puts what is synced for the container's image into its files. The runtime reads the
# script anew each time, so nothing is restarted.
set -e
own=/kind/bin/mount-product-files.sh
kinds=/kind/bin/mount-product-files.kind.sh
[ -e "$own" ] || { echo "this node image has no $own" >&2; exit 3; }
[ -e "$kinds" ] || cp -p "$own" "$kinds"
cat > "$own.new" <<'SCRIPT'
#!/bin/bash
# kind's own script, then what altinn-local synced. A cluster without synced files has nothing to do here.
set -o errexit -o nounset -o pipefail
state=$(</dev/stdin)
/kind/bin/mount-product-files.kind.sh <<<"$state"
/var/lib/altinn-local/inside hook <<<"$state"
SCRIPT
chmod 755 "$own.new"
mv "$own.new" "$own"
