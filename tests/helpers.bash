# Loaded by every .bats file: the programs just built come first on PATH, each test works in a directory of its own.
ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
DATA=$ROOT/../shared/data
BUILD=${BUILD:-$ROOT/build}
export PATH=$BUILD/bin:$PATH LC_ALL=C.UTF-8

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# Runs a program that must fail with status 1 and exactly one line, which contains $1: fails_saying "cut off" sb-check x.sb
fails_saying() {
    local want=$1 said status=0
    shift
    said=$("$@" 2>&1 >/dev/null) || status=$?
    [ "$status" -eq 1 ] || { echo "status $status, wanted 1: $* said: $said"; return 1; }
    [ "$(wc -l <<<"$said")" -eq 1 ] || { echo "more than one line: $said"; return 1; }
    [[ $said == *"$want"* ]] || { echo "said '$said', wanted '$want'"; return 1; }
}

# Runs a command that must fail. (bats does not notice what a bare "!" says, but on a test's last line.)
fails() { ! "$@"; }
