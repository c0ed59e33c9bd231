#!/usr/bin/env bash
# Builds the guests. README.md says what they are.
#
#   build.sh [name…]           build these, or all that are committed
#   build.sh --check [name…]   rebuild, and compare with what is committed
#   build.sh --path name       print where the guest is, or would be, once built
#   build.sh --list            print the names: committed ones, then the others
#   build.sh --install-debian  install what the Rust and C guests need, on Debian
#
# Committed guests go to bin/. Their bytes depend on the toolchain, which
# bin/toolchain.txt records, and on nothing else of the machine. The others are
# large and come out different each time; they go to the folder .cache here, or
# to $MINISPIN_GUEST_CACHE, under a name that changes with their sources.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
guests=$PWD
bin=$guests/bin
target=$guests/target
cache=${MINISPIN_GUEST_CACHE:-$guests/.cache}

committed=(
  rust-wasi-http
  rust-inbound-http
  rust-candidate
  rust-outgoing
  rust-sockets
  rust-files
  rust-filesystem
  rust-files-wasip1
  rust-fileserver
  rust-wasi
  rust-wagi
  rust-spin-sdk2
  rust-spin-sdk5
  rust-spin-sdk5-wasip2
  rust-preview1
  c-wagi
  c-preview1
)
on_demand=(
  py-wasi-http
  py-inbound-http
  py-spin-sdk3
  js-wasi-http
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
  local crates=${CARGO_HOME:-$HOME/.cargo}/registry/src folder
  [ -d "$crates" ] || cargo fetch --quiet --locked
  for folder in "$crates"/*; do
    printf -- '--remap-path-prefix=%s=crates ' "$folder"
  done
  # Debian's sources of the standard library are behind a link.
  for folder in /usr/lib/rustlib/src/rust /usr/src/rustc-*; do
    printf -- '--remap-path-prefix=%s=rust ' "$folder"
  done
  printf -- '--remap-path-prefix=%s=guests' "$guests"
}

# rust TARGET PACKAGE OUT
rust() {
  local cargo=cargo std=() env=() flags linker var built
  flags=$(remap)
  # A component comes straight out of the linker, with no WASI the guest did
  # not ask for.
  linker=$(linkers)/wasm-component-ld
  case $(rust_kind "$1") in
    rustup) ;;
    debian)
      cargo=/usr/bin/cargo
      env=(RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1)
      std=("-Zbuild-std=std,panic_abort")
      [ "$1" = wasm32-unknown-unknown ] || flags+=" -Lnative=/usr/lib/wasm32-wasi"
      ;;
    *) exit 1 ;; # which has said why
  esac
  if [ "$1" = wasm32-wasip1 ]; then
    linker=$(linkers)/rust-lld
  else
    flags+=" -Clink-arg=--wasm-ld-path=$(linkers)/gcc-ld/wasm-ld"
  fi
  var=CARGO_TARGET_$(printf '%s' "$1" | tr a-z- A-Z_)
  env+=("${var}_LINKER=$linker" "${var}_RUSTFLAGS=$flags")
  # One package at a time: several together would unify their features.
  # (The expansion of std is for a bash that takes an empty array for unset.)
  env "${env[@]}" "$cargo" build --locked --release ${std[@]+"${std[@]}"} \
    --target-dir "$target" --target "$1" --package "$2" >&2
  # Programs keep the package's name, libraries do not.
  built=$target/$1/release/$2.wasm
  [ -e "$built" ] || built=$target/$1/release/${2//-/_}.wasm
  cp "$built" "$3"
}

# --- C --------------------------------------------------------------------

# The compiler for WASI.
c_compiler() {
  if [ -n "${WASI_SDK_PATH:-}" ]; then
    echo "$WASI_SDK_PATH/bin/clang"
  elif command -v clang-14 && [ -d /usr/lib/wasm32-wasi ]; then
    : # command has printed its path
  else
    die "no C compiler for WASI: set WASI_SDK_PATH, or on Debian run 'guests/build.sh --install-debian'"
  fi
}

# c SOURCE OUT
c() {
  local cc flags=(--target=wasm32-wasi)
  cc=$(c_compiler)
  # Debian has no sysroot of its own for WASI.
  [ -n "${WASI_SDK_PATH:-}" ] || flags+=(--sysroot=/usr -I/usr/include/wasm32-wasi)
  "$cc" "${flags[@]}" -std=c11 -Wall -Wextra -Werror -Os -s -o "$2" "$1"
}

# --- Python and JavaScript ------------------------------------------------

# Runs a function in a folder of the cache named for what it depends on, once:
# the folder appears under that name only when the function has succeeded.
# The path is left in $tool.
#
# once NAME DEPENDS FUNCTION [ARG…]
once() {
  tool=$cache/tools/$1-$(printf '%s' "$2" | digest)
  [ -e "$tool/done" ] && return
  rm -rf "$tool"
  mkdir -p "$tool"
  # An explicit exit, since errexit is off inside a condition.
  (cd "$tool" && "${@:3}") >&2 || die "cannot prepare $1"
  touch "$tool/done"
}

make_venv() { # REQUIREMENTS
  python3 -m venv . && bin/pip install --quiet --disable-pip-version-check --requirement "$1"
}

make_node_modules() { # FOLDER
  cp "$1/package.json" "$1/componentize.mjs" . && npm install --no-audit --no-fund --no-package-lock
}

# componentize_py NAME OUT COMPONENTIZE-PY-ARGUMENT…
componentize_py() {
  local name=$1 out=$2 stage tool
  command -v python3 >/dev/null || die "$name needs python3"
  once python "$(cat "$name/requirements.txt" && python3 --version)" make_venv "$guests/$name/requirements.txt"
  # From a copy: the interpreter leaves its bytecode beside the sources.
  stage=$(mktemp -d)
  cp "$name"/*.py exchange/*.py "$stage"
  VIRTUAL_ENV=$tool "$tool/bin/componentize-py" "${@:3}" componentize -p "$stage" app -o "$out" >&2
  rm -r "$stage"
}

# componentize_js NAME OUT WORLD
componentize_js() {
  local name=$1 out=$2 tool
  command -v npm >/dev/null || die "$name needs node and npm"
  once node "$(cat "$name/package.json" "$name/componentize.mjs")" make_node_modules "$guests/$name"
  node "$tool/componentize.mjs" "$guests/$name/app.js" "$guests/wit/$3" "$out" >&2
}

# --- One guest ------------------------------------------------------------

# build NAME OUT
build() {
  case $1 in
    rust-wasi-http | rust-candidate | rust-inbound-http | rust-outgoing | rust-sockets | rust-spin-sdk2 | rust-wasi) rust wasm32-unknown-unknown "$1" "$2" ;;
    rust-files | rust-fileserver | rust-filesystem) rust wasm32-wasip2 "$1" "$2" ;;
    rust-files-wasip1) rust wasm32-wasip1 rust-files "$2" ;;
    rust-wagi | rust-preview1 | rust-spin-sdk5) rust wasm32-wasip1 "$1" "$2" ;;
    rust-spin-sdk5-wasip2) rust wasm32-wasip2 rust-spin-sdk5 "$2" ;;
    c-wagi | c-preview1) c "$1/main.c" "$2" ;;
    py-wasi-http) componentize_py "$1" "$2" -d wit/wasi-http -w guest ;;
    py-inbound-http) componentize_py "$1" "$2" -d wit/inbound-http -w guest ;;
    py-spin-sdk3) componentize_py "$1" "$2" -w spin-http ;;
    js-wasi-http) componentize_js "$1" "$2" wasi-http ;;
    *) die "no guest named $1" ;;
  esac
}

# Hashes standard input: 16 hexadecimal digits.
digest() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-16
}

is_committed() {
  [[ " ${committed[*]} " == *" $1 "* ]]
}

# Where a guest belongs.
path() {
  if is_committed "$1"; then
    echo "$bin/$1.wasm"
    return
  fi
  [[ " ${on_demand[*]} " == *" $1 "* ]] || die "no guest named $1"
  # Everything that goes into one, this script's own part included.
  local files
  files=$(find "$1" exchange/*.py wit -type f | LC_ALL=C sort)
  # shellcheck disable=SC2086
  echo "$cache/$1-$({ cat $files && declare -f build componentize_py componentize_js; } | digest).wasm"
}

# What the bytes of the committed guests depend on.
toolchain() {
  local rustc=rustc
  if [ "$(rust_kind wasm32-wasip1)" = debian ]; then rustc=/usr/bin/rustc; fi
  "$rustc" --version
  "$(linkers)/wasm-component-ld" --version
  "$(c_compiler)" --version | sed -n 1p
}

# Fails when a guest to be committed is large, or tells where it was built.
examine() {
  local size
  size=$(wc -c <"$1")
  [ "$size" -le "$largest" ] || die "$1 has $size bytes, more than $largest"
  ! grep -aoE '/(root|home|work|usr|Users)/[^[:cntrl:]]{0,80}|\.cargo/[^[:cntrl:]]{0,80}' "$1" >&2 ||
    die "$1 contains paths of this machine"
}

# Builds a committed guest next to where it belongs.
build_committed() { # NAME
  mkdir -p "$target"
  build "$1" "$target/$1.wasm"
  examine "$target/$1.wasm"
}

# build_on_demand NAME OUT
build_on_demand() {
  [ -e "$2" ] && return
  mkdir -p "$cache"
  # One at a time, where the system has the means.
  if command -v flock >/dev/null; then
    exec 9>"$cache/lock"
    flock 9
    [ -e "$2" ] && return
  fi
  local new
  new=$(mktemp -d "$cache/new.XXXXXX")
  build "$1" "$new/guest.wasm"
  mv "$new/guest.wasm" "$2"
  rm -r "$new"
}

# Tells what is different where the toolchain is not the recorded one.
same_toolchain() {
  diff <(toolchain) "$bin/toolchain.txt" >&2
}

compare() { # NAME
  if cmp -s "$target/$1.wasm" "$bin/$1.wasm"; then
    echo "$1: same"
  else
    echo "$1: differs"
    differs=1
  fi
}

# --- Command line ---------------------------------------------------------

mode=build names=()
for arg; do
  case $arg in
    --check | --path | --list | --install-debian) mode=${arg#--} ;;
    -*) die "unknown option $arg" ;;
    *) names+=("$arg") ;;
  esac
done

case $mode in
  install-debian) install_debian ;;
  list) printf '%s\n' "${committed[@]}" "${on_demand[@]}" ;;
  path)
    [ ${#names[@]} -eq 1 ] || die "--path takes one name"
    path "${names[0]}"
    ;;
  check)
    [ ${#names[@]} -gt 0 ] || names=("${committed[@]}")
    same_toolchain || die "the committed guests were built by another toolchain: their bytes cannot be compared"
    differs=
    for name in "${names[@]}"; do
      is_committed "$name" || die "$name is not committed"
      build_committed "$name"
      compare "$name"
    done
    [ -z "$differs" ] || die "committed guests are not what their sources give: run guests/build.sh"
    ;;
  build)
    if [ ${#names[@]} -eq 0 ]; then
      names=("${committed[@]}")
      mkdir -p "$bin"
      toolchain >"$bin/toolchain.txt"
    fi
    for name in "${names[@]}"; do
      out=$(path "$name")
      if is_committed "$name"; then
        same_toolchain || die "with another toolchain than the recorded one, build all: run guests/build.sh"
        build_committed "$name"
        install -m 644 "$target/$name.wasm" "$out"
      else
        build_on_demand "$name" "$out"
      fi
    done
    ;;
esac
