#!/usr/bin/env bash
# Installs what a build or a test run needs and the machine lacks, says what it does, and prints nothing when all is there.
#
#   packaging/tools.sh app     wasm target, Trunk, wasm-bindgen-cli, wasm-opt
#   packaging/tools.sh test    PostgreSQL, docker-registry, skopeo, Chromium, chromedriver, schemathesis
#   packaging/tools.sh path    prints the folders to put in front of PATH
#
# Everything that is built or unpacked goes to the user's cache folder, keyed by version, so another checkout finds it.
set -euo pipefail
cd "$(dirname "$0")/.."

TRUNK_VERSION=0.21.14
BINARYEN_VERSION=132.0.0
SCHEMATHESIS_VERSION=4.32.5
BINDGEN_VERSION=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;q}' Cargo.lock)

cache="${XDG_CACHE_HOME:-$HOME/.cache}/tagwarden/tools"
trunk="$cache/trunk-$TRUNK_VERSION"
bindgen="$cache/wasm-bindgen-cli-$BINDGEN_VERSION"
binaryen="$cache/binaryen-$BINARYEN_VERSION"
schemathesis="$cache/schemathesis-$SCHEMATHESIS_VERSION"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# A tool counts as installed once its folder carries the mark, so an interrupted install is done again.
installed() { [ -f "$1/.complete" ]; }
complete() { touch "$1/.complete"; }

build_cargo_tool() { # folder, crate@version, further options
    local folder=$1 crate=$2
    shift 2
    rm -rf "$folder"
    if has cargo-binstall && cargo binstall --no-confirm --root "$folder" "$crate" >&2; then
        complete "$folder"
        return
    fi
    CARGO_TARGET_DIR="$cache/build" cargo install --quiet --debug --root "$folder" "$@" "$crate" >&2
    complete "$folder"
}

install_app_tools() {
    local missing=() step=0 total=0
    rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null | xargs -I{} test -d {} || missing+=(wasm)
    installed "$trunk" || missing+=(trunk)
    installed "$bindgen" || missing+=(bindgen)
    if has npm; then installed "$binaryen" || missing+=(binaryen); fi
    total=${#missing[@]}
    [ "$total" -eq 0 ] && return
    mkdir -p "$cache"
    for part in "${missing[@]}"; do
        step=$((step + 1))
        case $part in
        wasm)
            say "$step/$total adding the wasm32-unknown-unknown target, once, a few seconds"
            has rustup || { echo "tools.sh: rustup is missing; add the target wasm32-unknown-unknown to your Rust toolchain" >&2; exit 1; }
            rustup target add wasm32-unknown-unknown >&2
            ;;
        trunk)
            say "$step/$total building Trunk $TRUNK_VERSION, once, about 3 minutes on two cores"
            build_cargo_tool "$trunk" "trunk@$TRUNK_VERSION" --locked
            ;;
        bindgen)
            say "$step/$total building wasm-bindgen-cli $BINDGEN_VERSION, once, about 2 minutes on two cores"
            # Not --locked: the lock file shipped with this crate names a withdrawn version.
            build_cargo_tool "$bindgen" "wasm-bindgen-cli@$BINDGEN_VERSION"
            ;;
        binaryen)
            say "$step/$total fetching wasm-opt (binaryen $BINARYEN_VERSION), once, a few seconds"
            rm -rf "$binaryen"
            npm install --silent --no-audit --no-fund --prefix "$binaryen" "binaryen@$BINARYEN_VERSION" >&2
            complete "$binaryen"
            ;;
        esac
    done
    rm -rf "$cache/build"
}

# Debian's package for each program a test starts.
declare -A package_of=(
    [docker-registry]=docker-registry [skopeo]=skopeo [chromium]=chromium [chromedriver]=chromium-driver [openssl]=openssl
)

find_postgres() { has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

install_test_tools() {
    local missing=()
    for program in "${!package_of[@]}"; do
        has "$program" || missing+=("${package_of[$program]}")
    done
    find_postgres || missing+=(postgresql)
    if [ "${#missing[@]}" -gt 0 ]; then
        local root=""
        [ "$(id -u)" -eq 0 ] || root=sudo
        if has apt-get && { [ -z "$root" ] || has sudo; }; then
            say "installing ${missing[*]} with apt-get, once, about a minute"
            $root apt-get update -qq >&2
            # docker-registry and postgresql would start services of their own; the tests start private ones instead.
            $root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >&2
        else
            echo "tools.sh: the tests need these programs; install them with your package manager (Debian's names): ${missing[*]}" >&2
            exit 1
        fi
    fi
    if ! installed "$schemathesis"; then
        has python3 || { echo "tools.sh: python3 is missing; the API tests run schemathesis with it" >&2; exit 1; }
        say "installing schemathesis $SCHEMATHESIS_VERSION into the cache folder, once, about half a minute"
        rm -rf "$schemathesis"
        python3 -m venv "$schemathesis"
        "$schemathesis/bin/pip" install --quiet "schemathesis==$SCHEMATHESIS_VERSION" >&2
        complete "$schemathesis"
    fi
}

case "${1:-}" in
app) install_app_tools ;;
test) install_test_tools ;;
path) printf '%s' "$trunk/bin:$bindgen/bin:$binaryen/node_modules/.bin:$schemathesis/bin" ;;
*) sed -n '2,8p' "$0" >&2; exit 2 ;;
esac
