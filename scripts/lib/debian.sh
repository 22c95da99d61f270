# Debian packages. Where they come from is this machine's own affair: every address is taken from
# its apt configuration, never written down here.
# shellcheck shell=bash

APT_GET=(apt-get -o DPkg::Lock::Timeout=600 -qq)

# "address suite" of each configured repository. apt names only those whose lists it has.
apt_repositories() {
  local targets=(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages')
  if [ -z "$("${targets[@]}")" ]; then "${APT_GET[@]}" update >&2; fi
  "${targets[@]}" | sort -u
}

# The address that serves the plain suites (`bookworm`, not `bookworm-security`).
debian_mirror() {
  local mirror
  mirror=$(apt_repositories | awk '$2 ~ /^(bookworm|trixie|sid|stable|testing)\/?$/ { print $1; exit }')
  [ -n "$mirror" ] || die "apt has no Debian repository configured" "see \`man sources.list\`"
  echo "${mirror%/}"
}

# One-line sources for a bookworm root: what this host uses itself, or its mirror's plain suite.
bookworm_sources() {
  local lines
  lines=$(apt_repositories | awk '$2 ~ /^bookworm(-|$)/ { print "deb", $1, $2, "main" }')
  if [ -z "$lines" ]; then
    lines=$(debian_mirror)
    lines="deb $lines bookworm main"
  fi
  echo "$lines"
}

# Makes trixie's packages available beside this host's own, for those asked for by name only.
add_trixie() {
  if apt_repositories | grep -q ' trixie$'; then return; fi
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(debian_mirror)
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
    "$mirror" "$keyring" >/etc/apt/sources.list.d/altinn-local-trixie.sources
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >/etc/apt/preferences.d/altinn-local-trixie
}

# Installs what is not installed yet. One at a time: apt's own lock would make the others fail or wait unseen.
apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "${package%%/*}" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  need_root "installing ${missing[*]}"
  (
    flock 9
    case " ${missing[*]} " in */trixie*) add_trixie ;; esac
    "${APT_GET[@]}" update
    DEBIAN_FRONTEND=noninteractive "${APT_GET[@]}" install -y --no-install-recommends "${missing[@]}"
  ) 9>/run/lock/altinn-local-apt
}
