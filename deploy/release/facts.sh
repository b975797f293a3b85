# Sourced by the scripts beside this one. Sets what a release is called and made of: root, version, machine, commit, name.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fail() { printf 'docket: %s\n' "$*" >&2; exit 1; }
# A container may run as another user than the checkout's owner, which git refuses unless told.
in_git() { git -c safe.directory="$root" -C "$root" "$@"; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
machine=$(uname -m)
case $machine in
  x86_64 | aarch64) ;;
  *) fail "releases are for x86_64 and aarch64; this machine is $machine" ;;
esac
commit=$(in_git rev-parse HEAD)
name=docket-$version-$machine-linux

# With TAG set, the release must be what the tag says. Without, anybody may pack a release of a commit.
if [ -n "${TAG:-}" ] && [ "$TAG" != "v$version" ]; then
  fail "the tag is $TAG, but the workspace's version is $version: the tag must be v$version"
fi
in_git diff --quiet HEAD || fail 'the checkout has changes that are in no commit: a release is made of a commit'
