# Installs one package of the distribution, as root. A server that comes with it is not started: the stack runs its own.
set -u
package=$1
policy=/usr/sbin/policy-rc.d
mark='# docket-local: no service starts while it installs a package'
if [ ! -e "$policy" ] || grep -qF "$mark" "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" > "$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
get() { apt-get --quiet -o DPkg::Lock::Timeout=120 --yes --no-install-recommends "$@" >/dev/null; }
# A fresh machine has no package lists, or lists too old to fetch by.
get install "$package" 2>/dev/null || { get update; get install "$package"; }
