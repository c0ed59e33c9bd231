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
  rust-wagi
  rust-spin-sdk5
  rust-spin-sdk5-wasip2
  c-wagi
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
  local cargo=(cargo) env=() std=() flags linker var
  flags=$(remap)
  linker=$(linkers)/wasm-component-ld
  case $(rust_kind "$1") in
    rustup)
      # The linkers of the two WASI targets are right as they are.
      [ "$1" = wasm32-unknown-unknown ] || linker=
      ;;
    debian)
      cargo=(/usr/bin/cargo)
      env=(RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1)
      std=(-Zbuild-std=std,panic_abort)
      if [ "$1" = wasm32-wasip1 ]; then
        linker=$(linkers)/rust-lld
      else
        flags+=" -Clink-arg=--wasm-ld-path=$(linkers)/gcc-ld/wasm-ld"
      fi
      [ "$1" = wasm32-unknown-unknown ] || flags+=" -Lnative=/usr/lib/wasm32-wasi"
      ;;
    *) exit 1 ;;
  esac
  var=CARGO_TARGET_${1//-/_}
  var=${var^^}
  env+=("${var}_RUSTFLAGS=$flags")
  [ -z "$linker" ] || env+=("${var}_LINKER=$linker")
  # One package at a time: several together would unify their features.
  env "${env[@]}" "${cargo[@]}" build --locked --release "${std[@]}" \
    --target-dir "$target" --target "$1" --package "$2" >&2
  if [ -e "$target/$1/release/$2.wasm" ]; then
    cp "$target/$1/release/$2.wasm" "$3"
  else
    cp "$target/$1/release/${2//-/_}.wasm" "$3"
  fi
}

# --- C --------------------------------------------------------------------

# c SOURCE OUT
c() {
  local cc
  if [ -n "${WASI_SDK_PATH:-}" ]; then
    cc=("$WASI_SDK_PATH/bin/clang" --target=wasm32-wasip1)
  elif command -v clang-14 >/dev/null && [ -d /usr/lib/wasm32-wasi ]; then
    cc=(clang-14 --target=wasm32-wasi --sysroot=/usr -I/usr/include/wasm32-wasi)
  else
    die "no C compiler for WASI: set WASI_SDK_PATH, or on Debian run 'guests/build.sh --install-debian'"
  fi
  "${cc[@]}" -std=c11 -Wall -Wextra -Werror -Os -s -o "$2" "$1"
}

# --- One guest ------------------------------------------------------------

# build NAME OUT
build() {
  case $1 in
    rust-wasi-http | rust-inbound-http) rust wasm32-unknown-unknown "$1" "$2" ;;
    rust-wagi | rust-spin-sdk5) rust wasm32-wasip1 "$1" "$2" ;;
    rust-spin-sdk5-wasip2) rust wasm32-wasip2 rust-spin-sdk5 "$2" ;;
    c-wagi) c c-wagi/main.c "$2" ;;
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
  install -m 644 "$target/$name.wasm" "$bin/$name.wasm"
done
