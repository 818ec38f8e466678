#!/usr/bin/env bash
# Installs what a build or a test run needs and the machine lacks, says what it does, and prints nothing when all is there.
#
#   packaging/tools.sh rust    C compiler, clippy, rustfmt, wasm target
#   packaging/tools.sh app     these, and Trunk, wasm-bindgen-cli, wasm-opt
#   packaging/tools.sh test    PostgreSQL, docker-registry, skopeo, Chromium, chromedriver, schemathesis, axe-core, minisign,
#                              systemd-analyze
#   packaging/tools.sh bench   docker-registry, skopeo, ab, Chromium, chromedriver, and the charts that the timeline is compared with
#   packaging/tools.sh release TARGET   what app installs, and Rust and C for a static TARGET, minisign, cargo-cyclonedx
#   packaging/tools.sh path    prints the folders to put in front of PATH
#   packaging/tools.sh axe     prints the file of axe-core, which looks for what keeps people from using a page
#   packaging/tools.sh charts  prints the folder where the charts are
#
# Everything that is built or unpacked goes to the user's cache folder, keyed by version, so another checkout finds it.
# STEP, if set, is put before each line of progress: STEP=1/4.
set -euo pipefail
cd "$(dirname "$0")/.."

TRUNK_VERSION=0.21.14
BINARYEN_VERSION=132.0.0
SCHEMATHESIS_VERSION=4.32.5
AXE_VERSION=4.14.1
CYCLONEDX_VERSION=0.5.9
VIS_TIMELINE_VERSION=8.5.4
ECHARTS_VERSION=6.1.0
BINDGEN_VERSION=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;q}' Cargo.lock)

cache="${XDG_CACHE_HOME:-${HOME:?is not set, so there is no cache folder}/.cache}/tagwarden/tools"
trunk="$cache/trunk-$TRUNK_VERSION"
bindgen="$cache/wasm-bindgen-cli-$BINDGEN_VERSION"
binaryen="$cache/binaryen-$BINARYEN_VERSION"
schemathesis="$cache/schemathesis-$SCHEMATHESIS_VERSION"
axe="$cache/axe-core-$AXE_VERSION"
cyclonedx="$cache/cargo-cyclonedx-$CYCLONEDX_VERSION"
charts="$cache/charts-$VIS_TIMELINE_VERSION-$ECHARTS_VERSION"

say() { printf '\033[1m%s\033[0m\n' "${STEP:+$STEP }$*" >&2; }
fail() { echo "tools.sh: $*" >&2 && exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# A tool counts as installed once its folder carries the mark, so an interrupted install is done again.
installed() { [ -f "$1/.complete" ]; }
complete() { touch "$1/.complete"; }

build_cargo_tool() { # folder, crate@version, further options
    local folder=$1 crate=$2
    shift 2
    rm -rf "$folder"
    CARGO_TARGET_DIR="$cache/build" cargo install --quiet --debug --root "$folder" "$@" "$crate" >&2
    complete "$folder"
}

# Debian's packages, as root or by sudo; elsewhere it says what to install.
install_packages() {
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    if ! has apt-get || ! has "${root[0]:-apt-get}"; then
        fail "these programs are missing; install them with your package manager (Debian's names): $*"
    fi
    say "installing $* with apt-get, once, about a minute"
    # Debian starts the services of some packages at once; the tests start private ones instead.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        # shellcheck disable=SC2064 # the prefix is meant as it is now
        trap "${root[*]} rm -f /usr/sbin/policy-rc.d" EXIT
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
        "${root[@]}" chmod +x /usr/sbin/policy-rc.d
    fi
    "${root[@]}" apt-get update -qq >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" >&2
}

install_rust_tools() {
    has cargo || fail "cargo is missing; install it with rustup, https://rustup.rs"
    has cc || install_packages gcc libc6-dev
    local target
    target=$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null || true)
    if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && [ -d "$target" ]; then return; fi
    has rustup || fail "rustup is missing; add rustfmt, clippy and the target wasm32-unknown-unknown to your Rust toolchain"
    say "adding rustfmt, clippy and the target wasm32-unknown-unknown, once, a few seconds"
    rustup component add rustfmt clippy >&2
    rustup target add wasm32-unknown-unknown >&2
}

install_app_tools() {
    install_rust_tools
    mkdir -p "$cache"
    if ! installed "$trunk"; then
        say "building Trunk $TRUNK_VERSION, once, about 3 minutes on two cores"
        build_cargo_tool "$trunk" "trunk@$TRUNK_VERSION" --locked
    fi
    if ! installed "$bindgen"; then
        say "building wasm-bindgen-cli $BINDGEN_VERSION, once, about 2 minutes on two cores"
        # Not --locked: the lock file shipped with this crate names a withdrawn version.
        build_cargo_tool "$bindgen" "wasm-bindgen-cli@$BINDGEN_VERSION"
    fi
    if ! installed "$binaryen" && has npm; then
        say "fetching wasm-opt (binaryen $BINARYEN_VERSION), once, a few seconds"
        rm -rf "$binaryen"
        if npm install --silent --no-audit --no-fund --prefix "$binaryen" "binaryen@$BINARYEN_VERSION" >&2; then
            complete "$binaryen"
        else
            echo "tools.sh: npm could not fetch wasm-opt; going on without it, the page will be a little larger" >&2
        fi
    fi
    rm -rf "$cache/build"
}

# Debian's package for each program that a test or a measurement starts.
declare -A package_of=(
    [docker-registry]=docker-registry [skopeo]=skopeo [chromium]=chromium [chromedriver]=chromium-driver [openssl]=openssl
    [minisign]=minisign [systemd-analyze]=systemd [ab]=apache2-utils
)

# The packages of those of the programs that are missing.
packages_of() {
    local program
    for program in "$@"; do
        has "$program" || echo "${package_of[$program]}"
    done
}

find_postgres() { has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

install_test_tools() {
    local missing
    mapfile -t missing < <(packages_of docker-registry skopeo chromium chromedriver openssl minisign systemd-analyze)
    find_postgres || missing+=(postgresql)
    has npm || missing+=(npm)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
    # A virtual environment with pip needs more than Debian's bare python3.
    if ! installed "$schemathesis" && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then missing+=(python3-venv); fi
    if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
    if ! installed "$schemathesis"; then
        say "installing schemathesis $SCHEMATHESIS_VERSION into the cache folder, once, about half a minute"
        rm -rf "$schemathesis"
        python3 -m venv "$schemathesis"
        "$schemathesis/bin/pip" install --quiet "schemathesis==$SCHEMATHESIS_VERSION" >&2
        complete "$schemathesis"
    fi
    if ! installed "$axe"; then
        say "fetching axe-core $AXE_VERSION, once, a few seconds"
        rm -rf "$axe"
        npm install --silent --no-audit --no-fund --prefix "$axe" "axe-core@$AXE_VERSION" >&2 ||
            fail "npm could not fetch axe-core $AXE_VERSION"
        complete "$axe"
    fi
}

# The C compiler for static programs of a target: Debian has the one of its own architecture.
install_release_tools() {
    local target=$1 missing=()
    install_app_tools
    case "$target" in
    "$(uname -m)"-*) has musl-gcc || missing+=(musl-tools) ;;
    *) has "${target%%-*}-linux-musl-gcc" || fail "$target needs ${target%%-*}-linux-musl-gcc, which Debian does not have; put one on PATH" ;;
    esac
    has minisign || missing+=(minisign)
    if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
    if [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then rustup target add "$target" >&2; fi
    if ! installed "$cyclonedx"; then
        say "building cargo-cyclonedx $CYCLONEDX_VERSION, once, about 2 minutes on two cores"
        build_cargo_tool "$cyclonedx" "cargo-cyclonedx@$CYCLONEDX_VERSION" --locked
        rm -rf "$cache/build"
    fi
}

install_bench_tools() {
    local missing
    mapfile -t missing < <(packages_of docker-registry skopeo ab chromium chromedriver)
    if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
    if ! installed "$charts"; then
        has npm || fail "npm is missing; it fetches the charts that the timeline is compared with"
        say "fetching vis-timeline $VIS_TIMELINE_VERSION and echarts $ECHARTS_VERSION, once, a few seconds"
        rm -rf "$charts"
        # vis-timeline's standalone file has what it needs of other packages in it.
        npm install --silent --no-audit --no-fund --legacy-peer-deps --ignore-scripts --prefix "$charts" \
            "vis-timeline@$VIS_TIMELINE_VERSION" "echarts@$ECHARTS_VERSION" >&2
        complete "$charts"
    fi
}

case "${1:-}" in
rust) install_rust_tools ;;
app) install_app_tools ;;
test) install_test_tools ;;
release) install_release_tools "${2:?which target, such as x86_64-unknown-linux-musl?}" ;;
bench) install_bench_tools ;;
path) printf '%s' "$trunk/bin:$bindgen/bin:$binaryen/node_modules/.bin:$schemathesis/bin:$cyclonedx/bin" ;;
axe) printf '%s' "$axe/node_modules/axe-core/axe.min.js" ;;
charts) printf '%s' "$charts/node_modules" ;;
*) sed -n '2,15p' "$0" >&2; exit 2 ;;
esac
