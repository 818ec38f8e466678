#!/usr/bin/env bash
# Builds what is released, the same bytes from the same commit wherever it is built.
#
#   packaging/release.sh build [TARGET]   static programs, image contexts and lists of what is inside, below OUT
#   packaging/release.sh documents FOLDER copies what people read, and what that links to, as the archive has it
#   packaging/release.sh describe PROGRAM FOLDER writes its completions and manual pages, as the archive has them
#   packaging/release.sh sign FOLDER      writes FOLDER/SHA256SUMS, and signs it if MINISIGN_KEY names a secret key
#
# TARGET is this machine's, x86_64-unknown-linux-musl or aarch64-unknown-linux-musl. OUT is released/ in the target folder.
# Who has the public key checks a download with `minisign -Vm SHA256SUMS -p tagwarden.pub && sha256sum -c SHA256SUMS`.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# A tar whose bytes depend on its contents only.
pack() { # archive, folder to be in, what
    tar --create --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$2" "$3" |
        gzip --no-name --best >"$1"
}

build() {
    local target=$1 triple=${1//-/_} out=$2
    packaging/tools.sh release "$target"
    PATH=$(packaging/tools.sh path):$PATH
    export PATH LC_ALL=C TZ=UTC
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
    export SOURCE_DATE_EPOCH
    [ -z "$(git status --porcelain)" ] || say "there are changes that no commit has: nobody else can build the same"

    # No path of this machine, neither in Rust's messages nor in C's.
    local crates=${CARGO_HOME:-$HOME/.cargo}
    local remap="--remap-path-prefix=$PWD=/tagwarden --remap-path-prefix=$crates=/cargo"
    export "CARGO_TARGET_${triple^^}_RUSTFLAGS=$remap" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$remap"
    export "CFLAGS_$triple=-ffile-prefix-map=$crates=/cargo"
    export CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_STRIP=debuginfo CARGO_INCREMENTAL=0
    # Debian's compiler for static programs has no prefix in its name.
    if [ "${target%%-*}" = "$(uname -m)" ]; then
        export "CC_$triple=musl-gcc"
    else
        export "CC_$triple=${target%%-*}-linux-musl-gcc" "CARGO_TARGET_${triple^^}_LINKER=${target%%-*}-linux-musl-gcc"
    fi

    say "the page"
    rm -rf dist
    make --no-print-directory page
    say "the server for $target"
    cargo build --release --locked -p tagwarden --target "$target"

    local program=$built/$target/release/tagwarden version name
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
    name=tagwarden-$version-$target
    rm -rf "${out:?}/$name"*
    mkdir -p "$out/$name" "$out/$name-image"
    cp "$program" "$out/$name"
    documents "$out/$name"
    describe "$program" "$out/$name"
    packaging/rootfs.sh "$out/$name-image/rootfs" "$program"
    cp packaging/Containerfile "$out/$name-image"
    pack "$out/$name.tar.gz" "$out" "$name"
    pack "$out/$name-image.tar.gz" "$out/$name-image" .
    say "what is inside"
    inventory server "$target" "$out/$name.cdx.json"
    inventory app wasm32-unknown-unknown "$out/$name-page.cdx.json"
    rm -rf "${out:?}/$name" "${out:?}/$name-image"
}

documents() { # folder
    mkdir -p "$1/packaging"
    cp -r LICENSE README.md CHANGELOG.md ARCHITECTURE.md docs "$1"
    cp -r packaging/{UPGRADING.md,tagwarden.schema.json,compose.yaml,kubernetes,systemd} "$1/packaging"
}

# Completions and manual pages, written by the program. It must run on this machine, itself or by an emulator.
describe() { # program, folder
    local command
    mkdir -p "$2"/{completions,man}
    "$1" completions bash >"$2/completions/tagwarden.bash"
    "$1" completions zsh >"$2/completions/_tagwarden"
    "$1" completions fish >"$2/completions/tagwarden.fish"
    "$1" man >"$2/man/tagwarden.1"
    # roff escapes hyphens.
    for command in $("$1" man | sed -n 's/^tagwarden\\-\(.*\)(1)$/\1/p' | tr -d '\\'); do
        "$1" man "$command" >"$2/man/tagwarden-$command.1"
    done
}

# A CycloneDX list of the crates of one member; the plugin writes one beside every member, with paths of this machine.
inventory() { # member, target, file
    cargo cyclonedx --quiet --format json --spec-version 1.5 --manifest-path "$1/Cargo.toml" --target "$2" --override-filename cdx
    sed "s|file://$PWD|file:///tagwarden|g" "$1/cdx.json" >"$3"
    rm -f ./*/cdx.json
}

sign() {
    (cd "$1" && find . -maxdepth 1 -type f ! -name 'SHA256SUMS*' -printf '%f\n' | LC_ALL=C sort | xargs -d '\n' sha256sum >SHA256SUMS)
    if [ -n "${MINISIGN_KEY:-}" ]; then
        minisign -S -s "$MINISIGN_KEY" -m "$1/SHA256SUMS" >&2
    else
        echo "release.sh: MINISIGN_KEY is not set: $1/SHA256SUMS is not signed" >&2
    fi
}

built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=${OUT:-$built/released}
case "${1:-}" in
build)
    build "${2:-$(uname -m)-unknown-linux-musl}" "$out"
    sign "$out"
    (cd "$out" && ls -l)
    ;;
documents) documents "${2:?which folder?}" ;;
describe) describe "${2:?which program?}" "${3:?which folder?}" ;;
sign) sign "${2:?which folder?}" ;;
*) sed -n '2,10p' "$0" >&2; exit 2 ;;
esac
