# Sourced by `run` in an unpacked release, which has its programs in `bin`: what they need of this machine. Sets `root` and `programs`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=$root/bin
. "$root/RELEASE" # Its lines set version, machine and commit.

missing() { printf 'docket: %s\n' "$*" >&2; exit 1; }
this_machine=$(uname -m)
[ "$this_machine" = "$machine" ] || missing "this release is for $machine, but this machine is $this_machine: take the other archive"
python3 -m pip --version >/dev/null 2>&1 || missing 'python3 with pip is missing: apt-get install python3-pip'
for program in docket-local docket-producer docket-worker; do
  lacking=$(LC_ALL=C ldd "$programs/$program" 2>&1 | grep 'not found' || true)
  [ -z "$lacking" ] || missing "$program of Docket $version needs libraries of Debian 12 or Ubuntu 24.04 or later:"$'\n'"$lacking"
done
