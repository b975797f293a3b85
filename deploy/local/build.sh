# Sourced by the scripts beside this one: what they need before they build, and a build that ends with them. Sets `root` and `target`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

missing() { printf 'docket: %s\n' "$*" >&2; exit 1; }
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
command -v cargo >/dev/null || missing 'cargo is missing: install Rust as https://rustup.rs says'
command -v cc >/dev/null || missing 'a C compiler is missing: apt-get install build-essential'
python3 -m pip --version >/dev/null 2>&1 || missing 'python3 with pip is missing: apt-get install python3-pip'

# Runs cargo in a process group of its own. Whatever ends this script meanwhile ends that group: cargo and its compilers.
build() {
  local status=0
  set -m
  cargo "$1" --manifest-path "$root/Cargo.toml" "${@:2}" &
  builder=$!
  set +m
  trap 'end_build 130' INT
  trap 'end_build 143' TERM
  trap 'end_build 129' HUP
  wait "$builder" || status=$?
  trap - INT TERM HUP
  [ "$status" -eq 0 ] || exit "$status"
}

end_build() {
  kill -TERM -- "-$builder" 2>/dev/null || true # It may have ended since.
  wait "$builder" 2>/dev/null || true
  exit "$1"
}
