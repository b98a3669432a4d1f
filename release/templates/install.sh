#!/bin/sh
# Installs czscie @VERSION@: downloads the executable for this system, checks its SHA-256 and puts it into a
# directory, by default ~/.local/bin.
#
#     sh install.sh [DIRECTORY]
#
# CZSCIE_DOWNLOAD_URL is the URL of the directory with the release's files, in place of the release's own.

set -eu

version='@VERSION@'
url=${CZSCIE_DOWNLOAD_URL:-'@URL@'}

# The release's executables: platforms and digests.
platforms='@PLATFORMS@'
digest_of() {
    case $1 in
@DIGESTS@
    esac
}

main() {
    case ${1:-} in
    -h | --help)
        echo "usage: sh install.sh [DIRECTORY]"
        return
        ;;
    -*) fail "unknown option $1" "sh install.sh [DIRECTORY]" ;;
    esac
    [ $# -le 1 ] || fail "there is more than one directory: $*" "sh install.sh [DIRECTORY]"
    directory=${1:-${HOME:+$HOME/.local/bin}}
    [ -n "$directory" ] || fail "HOME is not set" "sh install.sh DIRECTORY"
    case $directory in
    /*) ;;
    *) directory=$PWD/$directory ;;
    esac
    url=${url%/}
    [ -n "$url" ] || fail "there is no URL to download from" "set CZSCIE_DOWNLOAD_URL"

    platform=$(find_platform)
    expected=$(digest_of "$platform")
    [ -n "$expected" ] || fail "there is no executable of czscie for $platform, only for $platforms" \
        "pip install czscie"
    check_directory "$directory"

    scratch=$(mktemp -d "${TMPDIR:-/tmp}/czscie-install.XXXXXX")
    trap clean_up EXIT
    trap 'exit 1' HUP INT TERM
    file=$scratch/czscie
    download "$url/czscie-$platform" "$file"
    found=$(sha256 "$file")
    [ "$found" = "$expected" ] || fail "$url/czscie-$platform is not the file of this release: SHA-256 $found, expected $expected" \
        "run it again with the install.sh that is beside the file"
    echo "Downloaded $url/czscie-$platform (SHA-256 $found)"
    put "$file" "$directory"
    echo "Installed czscie $version: $directory/czscie"
    case :${PATH:-}: in
    *":$directory:"*) ;;
    *) echo "$directory is not in PATH: export PATH=\"$directory:\$PATH\"" ;;
    esac
}

find_platform() {
    system=$(uname -s)
    machine=$(uname -m)
    case $machine in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    esac
    case $system in
    Linux) echo "linux-$machine" ;;
    Darwin)
        # A shell under Rosetta is told of the processor that is emulated.
        if [ "$(sysctl -n hw.optional.arm64 2>/dev/null || true)" = 1 ]; then machine=aarch64; fi
        echo "macos-$machine"
        ;;
    MINGW* | MSYS* | CYGWIN*) fail "this script is for Linux and macOS" "run install.ps1 in PowerShell" ;;
    *) echo "$system-$machine" ;;
    esac
}

# Whether a file can be put into the directory, which need not exist: before the download.
check_directory() {
    [ ! -d "$1/czscie" ] || fail "$1/czscie is a directory" "remove it, or give another directory"
    existing=$1
    while [ ! -e "$existing" ]; do existing=$(dirname "$existing"); done
    [ -d "$existing" ] || fail "$existing is not a directory" "sh install.sh DIRECTORY"
    [ -w "$existing" ] || fail "$existing is not writable" "sh install.sh DIRECTORY"
}

download() {
    if command -v curl >/dev/null; then
        case $1 in
        https:*) curl --proto '=https' --fail --silent --show-error --location --output "$2" "$1" ;;
        *) curl --fail --silent --show-error --location --output "$2" "$1" ;;
        esac && return
    elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1" && return
    else
        fail "there is neither curl nor wget" "install one of them, or download $1"
    fi
    fail "cannot download $1" "set CZSCIE_DOWNLOAD_URL to a directory that has it"
}

sha256() {
    if command -v sha256sum >/dev/null; then
        line=$(sha256sum <"$1")
    elif command -v shasum >/dev/null; then
        line=$(shasum -a 256 <"$1")
    elif command -v openssl >/dev/null; then
        line=$(openssl dgst -sha256 -r <"$1")
    else
        fail "there is neither sha256sum nor shasum nor openssl to check the download" "install one of them"
    fi
    echo "${line%% *}"
}

# Renames a copy beside the target, so that there is never half a file.
put() {
    [ -d "$2" ] || made=$2
    mkdir -p "$2" || fail "cannot make $2" "sh install.sh DIRECTORY"
    partial=$2/.czscie.$$
    { cp "$1" "$partial" && chmod 755 "$partial" && mv -f "$partial" "$2/czscie"; } ||
        fail "cannot write $2/czscie" "sh install.sh DIRECTORY"
    made=
}

clean_up() {
    rm -rf "$scratch" "${partial:-}"
    [ -z "${made:-}" ] || rmdir "$made" 2>/dev/null || true
}

fail() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit 1
}

# In the last line, so that half a script does nothing.
main "$@"
