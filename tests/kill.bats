load helpers
load fixture

# kill -9 at several moments while a program writes: under the final name stands nothing, the old file, or the whole new
# one, and the next run clears away what was left beside it.

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/{dive.mp4,dive.sb,crops.sb,reef.safetensors,words.safetensors} .
    seen=0
}

# A file's bytes in eight pieces, over a fifth of a second.
trickle() {
    local size n
    size=$(($(stat -c %s "$1") / 8 + 1))
    for ((n = 0; n < 8; n++)); do
        dd if="$1" bs="$size" skip="$n" count=1 status=none 2>/dev/null || return 0
        sleep 0.025
    done
}

siblings() { find . -name '.*.tmp' | wc -l; }

# Waits until process $1 has begun its output, and $2 seconds more, and kills it.
kill_writing() {
    while kill -0 "$1" 2>/dev/null && [ "$(siblings)" -eq 0 ]; do sleep 0.005; done
    sleep "$2"
    kill -9 "$1" 2>/dev/null || :
    wait "$1" || :
    seen=$((seen + $(siblings)))
}

# survives INPUT PROGRAM ARGS...: writes to out; INPUT trickles in by standard input, "" for none.
survives() {
    local input=$1 moment pid
    shift
    rm -rf out good
    "$@" -q -o good <"${input:-/dev/null}"
    for moment in 0 0.04 0.12; do
        rm -f out
        [ "$moment" = 0.04 ] || echo old >out
        if [ "$input" ]; then "$@" -q -o out < <(trickle "$input") 3>&- & else "$@" -q -o out </dev/null 3>&- & fi
        pid=$!
        kill_writing "$pid" "$moment"
        if [ -e out ] && ! cmp -s out good && [ "$(cat out)" != old ]; then
            echo "killed after $moment s, '$*' left $(stat -c %s out) bytes"
            return 1
        fi
    done
    "$@" -q -o out <"${input:-/dev/null}"
    cmp out good
    [ "$(siblings)" -eq 0 ] || { echo "'$*' left what its killed runs had begun: $(find . -name '.*.tmp')"; return 1; }
}

@test "sources" {
    survives "" sb-frames --fps 5 dive.mp4
    survives "" sb-synth frames -n 60 --size 320x180 --seed 1
    sb-export -q png --by label -o crops/ crops.sb
    survives "" sb-import folders crops
    [ "$seen" -ge 4 ] || { echo "no run was killed while it wrote"; return 1; }
}

@test "filters" {
    for filter in sb-dedup "sb-split --group-by id" "sb-split --stratify --group-by id" "sb-cluster -k 3" "sb-tensorize --size 16" \
        "sb-export jsonl" "sb-export csv" "sb-export contact"; do
        survives crops.sb $filter
    done
    survives dive.sb sb-export vtt --text source
    sb-tensorize -q -m reef.safetensors -o crops.tensors.sb crops.sb
    survives crops.tensors.sb sb-classify -m reef.safetensors
    survives crops.tensors.sb sb-caption -m words.safetensors
    [ "$seen" -ge 12 ] || { echo "no run was killed while it wrote"; return 1; }
}

@test "sb-synth video, with its truth" {
    sb-synth video -q --seconds 2 --size 320x180 --truth good.sb -o good.mp4
    for moment in 0 0.05 0.2; do
        rm -f out.mp4 truth.sb
        sb-synth video -q --seconds 2 --size 320x180 --truth truth.sb -o out.mp4 3>&- &
        kill_writing $! "$moment"
        [ ! -e out.mp4 ] || cmp out.mp4 good.mp4
        [ ! -e truth.sb ] || sb-check truth.sb
    done
    [ "$seen" -gt 0 ]
    sb-synth video -q --seconds 2 --size 320x180 --truth truth.sb -o out.mp4
    cmp out.mp4 good.mp4
    [ "$(siblings)" -eq 0 ]
}

@test "a folder of pictures: each is whole or absent" {
    mkdir out
    sb-export png -q -o good/ crops.sb
    for moment in 0 0.05 0.1 0.2; do
        sb-export png -q -o out/ < <(trickle crops.sb) 3>&- &
        kill_writing $! "$moment"
        for picture in out/*.png; do [ ! -e "$picture" ] || cmp "$picture" "good/${picture#out/}"; done
    done
    [ "$seen" -gt 0 ]
    sb-export png -q -o out/ crops.sb
    diff -r out good
}

@test "an index" {
    "$BUILD/tests/make_stream" -n 400000 -o a.sb
    sb-check --index a.sb
    mv a.sb.idx good.idx
    for moment in 0 0.001 0.003; do
        sb-check --index a.sb 3>&- &
        kill_writing $! "$moment"
        [ ! -e a.sb.idx ] || cmp a.sb.idx good.idx
        rm -f a.sb.idx
    done
    sb-check --index a.sb
    cmp a.sb.idx good.idx
    [ "$(siblings)" -eq 0 ]
}

@test "a pipeline: whichever stage is killed, no half result appears, and the last stage says so" {
    set +o pipefail
    for victim in 0 1 2; do
        for moment in 0.05 0.15; do
            mkfifo a b
            trickle crops.sb | { sb-dedup -q >a 3>&- & echo $! >pid.0; wait; } &
            sb-split -q --group-by id <a >b 3>&- &
            echo $! >pid.1
            sb-tensorize -q --size 16 -o out.sb <b 2>said 3>&- &
            last=$!
            echo $last >pid.2
            while kill -0 $last 2>/dev/null && [ "$(siblings)" -eq 0 ]; do sleep 0.005; done
            sleep "$moment"
            kill -9 "$(cat pid.$victim)" 2>/dev/null || :
            status=0
            wait $last || status=$?
            wait
            if [ "$status" -eq 0 ]; then # it had ended before
                sb-check out.sb
                [ "$(sb-check -v out.sb | grep -c '60 records')" -eq 1 ]
            else
                [ ! -e out.sb ]
                [ $victim -eq 2 ] || grep -q "^sb-tensorize: standard input: .*\(cut off\|empty\)" said
            fi
            rm -f a b out.sb .*.tmp
        done
    done
}
