load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    case $BUILD in *-san) skip "the sanitizers bring an allocator of their own" ;; esac
}

# Every nth allocation, read and write of a command fails: it must end well with the right output, or with status 1 and one
# line of its own; with -o, the old file must then be whole. every_fault PROGRAM ARGS... (stdin: in.sb)
every_fault() {
    local preload=$BUILD/tests/faults.so kind count n status good
    rm -f counts
    LD_PRELOAD=$preload FAULT_REPORT=$PWD/counts "$@" <in.sb >good.out 2>good.err
    [ -s counts ]
    while read -r kind count; do
        [ "$count" -lt 2000 ] # a test of minutes would be no use
        for ((n = 1; n <= count; n++)); do
            status=0
            LD_PRELOAD=$preload FAULT=$kind:$n "$@" <in.sb >out 2>err || status=$?
            if [ "$status" -eq 0 ]; then
                cmp -s out good.out || { echo "$kind $n of '$*' failed unseen"; return 1; }
            elif [ "$status" -ne 1 ] || [ "$(wc -l <err)" -ne 1 ] || ! grep -q "^$(basename "$1"): " err; then
                echo "$kind $n of '$*': status $status, said: $(cat err)"
                return 1
            fi
        done
    done < <(head -n 3 counts)
}

@test "sb-check with each allocation, read and write failing" {
    "$BUILD/tests/make_stream" -n 3 -o in.sb
    every_fault sb-check -v
    every_fault sb-check in.sb
}

@test "a writer with each allocation and write failing" {
    : >in.sb
    every_fault "$BUILD/tests/make_stream" -n 2
    every_fault "$BUILD/tests/make_stream" -n 2 --size 120000
}

@test "after a failed write the old file is whole and no other is left" {
    : >in.sb
    "$BUILD/tests/make_stream" -n 1 -o old.sb
    cp old.sb kept.sb
    for n in 1 2 3; do
        run env LD_PRELOAD="$BUILD/tests/faults.so" FAULT=write:$n "$BUILD/tests/make_stream" -n 40 --size 120000 -o old.sb
        [ "$status" -eq 1 ]
        cmp old.sb kept.sb
    done
    [ "$(ls -A | sort | tr '\n' ' ')" = "in.sb kept.sb old.sb " ]
}

@test "the filters with each allocation, read and write failing" {
    "$BUILD/tests/make_stream" -n 3 -o in.sb
    printf 'id;label\r\nx;fish\r\n' >table.csv
    tried=
    for filter in "sb-join table.csv" "sb-pick --where pts>=0 --first 2 --per source" "sb-pick --sample 2 --ids in.sb" "sb-cat --prefix" \
        "sb-crop -j1" "sb-crop -j2 --margin 1px" "sb-split --group-by source" "sb-split --stratify --group-by id" "sb-dedup -j1" "sb-dedup -j2 --mark" \
        "sb-tensorize -j1 --size 8" "sb-tensorize -j2 --size 8" "sb-export jsonl" "sb-export csv"; do
        [ -x "$BUILD/bin/${filter%% *}" ] || continue
        tried=yes
        every_fault $filter
    done
    [ "$tried" ] || skip "no filter is built"
}
