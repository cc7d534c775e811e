# What the parts of `make bench` share: sourced by each with BUILD as $1, in a folder of its own.
set -eu -o pipefail
build=$(realpath "$1") here=$(dirname "$(realpath "$0")")
shared=$here/../../../shared/data
export PATH=$build/bin:$PATH SEABOT_PLUGINS=$build/bin LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# The seconds that a command takes.
seconds() {
    local begun=$EPOCHREALTIME
    "$@"
    awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

# The shortest of three runs of a command, in seconds.
shortest() {
    local best='' took
    for _ in 1 2 3; do
        took=$(seconds "$@" | tail -n 1)
        best=$(awk -v a="$best" -v b="$took" 'BEGIN { print a == "" || b < a ? b : a }')
    done
    echo "$best"
}

# rate NAME COUNT UNIT COMMAND...
rate() {
    local name=$1 count=$2 unit=$3
    shift 3
    awk -v name="$name" -v n="$count" -v unit="$unit" -v s="$(shortest "$@")" 'BEGIN { printf "%-28s %10.1f %s   (%.2f s)\n", name, n / s, unit, s }'
}
quiet() { "$@" >/dev/null 2>&1; }

# has_python MODULE...: whether the peers can run; says so if not.
has_python() {
    python3 -c "import $(IFS=,; echo "$*")" 2>/dev/null || { echo "no python3 with $*: not compared"; return 1; }
}
