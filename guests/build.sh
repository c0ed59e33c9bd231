#!/usr/bin/env bash
# Builds the guests. See README.md for what they are.
#
#   build.sh [name…]           build these, or all that are committed
#   build.sh --check [name…]   rebuild and compare with what is committed
#   build.sh --install-debian  install what the Rust and C guests need, on Debian
#
# The committed guests go to bin/. Their bytes depend on the toolchain, which
# bin/toolchain.txt records, and on nothing else of the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
guests=$PWD
bin=$guests/bin
target=$guests/target

committed=(
  rust-wasi-http
  rust-inbound-http
)
largest=$((300 * 1024)) # bytes; one committed guest

die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

install_debian() {
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    rustc-web cargo-web rust-web-src \
    clang-14 lld-14 wasi-libc libclang-rt-14-dev-wasm32
}

# --- Rust -----------------------------------------------------------------

# Where the toolchain in PATH keeps its linkers for WebAssembly.
linkers() {
  printf '%s/lib/rustlib/%s/bin' "$(rustc --print sysroot)" "$(rustc -vV | sed -n 's/^host: //p')"
}

# Says which Rust there is for a target: `rustup` when the one in PATH has the
# target's standard library, `debian` when Debian's packages can build it from
# source. Those come without a linker, so the one in PATH lends its own.
rust_kind() {
  command -v rustc >/dev/null || die "no rustc in PATH: install Rust with rustup"
  if [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]; then
    echo rustup
  elif [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; then
    [ -x "$(linkers)/wasm-component-ld" ] || die "no wasm-component-ld in $(linkers): it comes with rustup's toolchains"
    echo debian
  else
    die "no standard library for $1: run 'rustup target add $1', or on Debian 'guests/build.sh --install-debian'"
  fi
}

# Flags that keep this machine's paths out of panic messages.
remap() {
  local registry
  [ -d "${CARGO_HOME:-$HOME/.cargo}/registry/src" ] || cargo fetch --quiet --locked
  for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    printf -- '--remap-path-prefix=%s=crates ' "$registry"
  done
  printf -- '--remap-path-prefix=%s=rust ' /usr/lib/rustlib/src/rust "$(realpath -m /usr/lib/rustlib/src/rust)"
  printf -- '--remap-path-prefix=%s=guests' "$guests"
}

# rust TARGET PACKAGE OUT
rust() {
  local kind flags linker="" cargo=(cargo) env=()
  kind=$(rust_kind "$1")
  flags=$(remap)
  # A component comes straight out of the linker, with no WASI the guest
  # did not ask for.
  [ "$1" = wasm32-unknown-unknown ] && linker=$(linkers)/wasm-component-ld
  if [ "$kind" = debian ]; then
    cargo=(/usr/bin/cargo)
    env=(RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1)
    flags+=" -Clink-arg=--wasm-ld-path=$(linkers)/gcc-ld/wasm-ld"
  fi
  local var=${1//-/_}
  var=CARGO_TARGET_${var^^}
  [ -n "$linker" ] && env+=("${var}_LINKER=$linker")
  env+=("${var}_RUSTFLAGS=$flags")
  local std=()
  [ "$kind" = debian ] && std=(-Zbuild-std=std,panic_abort)
  # One package at a time: several together would unify their features.
  env "${env[@]}" "${cargo[@]}" build --locked --release "${std[@]}" \
    --target-dir "$target" --target "$1" --package "$2" >&2
  cp "$target/$1/release/${2//-/_}.wasm" "$3"
}

# --- One guest ------------------------------------------------------------

# build NAME OUT
build() {
  case $1 in
    rust-wasi-http | rust-inbound-http) rust wasm32-unknown-unknown "$1" "$2" ;;
    *) die "no guest named $1" ;;
  esac
}

# Fails when a guest to be committed is large, or tells where it was built.
examine() {
  local size
  size=$(wc -c <"$1")
  [ "$size" -le "$largest" ] || die "$1 has $size bytes, more than $largest"
  ! grep -aoE '/(root|home|work|usr|Users)/[^\x00]{0,80}|\.cargo/[^\x00]{0,80}' "$1" >&2 ||
    die "$1 contains paths of this machine"
}

names=()
check=
for arg; do
  case $arg in
    --check) check=1 ;;
    --install-debian) install_debian && exit ;;
    -*) die "unknown option $arg" ;;
    *) names+=("$arg") ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=("${committed[@]}")

mkdir -p "$bin" "$target"
for name in "${names[@]}"; do
  build "$name" "$target/$name.wasm"
  examine "$target/$name.wasm"
  cp "$target/$name.wasm" "$bin/$name.wasm"
done
