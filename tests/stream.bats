load helpers

make_stream() { "$BUILD/tests/make_stream" "$@"; }

# The sanitizers reserve terabytes of addresses.
limit_memory() { case $BUILD in *-san) ;; *) ulimit -v "$1" ;; esac; }

# tests/test_stream.c does this at every byte and every bit; here the program is asked at some.
@test "a stream cut anywhere: sb-check says so" {
    make_stream -n 1 -o a.sb
    size=$(stat -c %s a.sb)
    for ((n = 0; n < size; n += 7)); do
        head -c "$n" a.sb >cut.sb
        if said=$(sb-check cut.sb 2>&1); then echo "byte $n went unseen"; return 1; fi
        [[ $said == "sb-check: cut.sb: stream cut off after "[01]" record"* || $said == "sb-check: cut.sb: empty, not a SeaBot stream" ]]
    done
}

@test "a byte changed anywhere: sb-check finds it" {
    make_stream -n 1 -o a.sb
    size=$(stat -c %s a.sb)
    for ((n = 0; n < size; n += 11)); do
        cp a.sb bad.sb
        byte=$(od -An -tu1 -j"$n" -N1 a.sb)
        printf "\\x$(printf %02x $((byte ^ 16)))" | dd of=bad.sb bs=1 seek="$n" conv=notrunc status=none
        if said=$(sb-check bad.sb 2>&1); then echo "byte $n went unseen"; return 1; fi
        [[ $said == *"sb-check: bad.sb: "* ]]
    done
}

@test "the same run gives the same bytes" {
    make_stream -n 9 >a.sb
    make_stream -n 9 -o b.sb
    cmp a.sb b.sb
}

@test "-o: the file appears only when it is whole" {
    make_stream -n 2 -o old.sb
    cp old.sb kept.sb
    run make_stream -n 5 --fail-after 3 -o old.sb
    [ "$status" -ne 0 ]
    cmp old.sb kept.sb
    make_stream -n 1000 --sleep 20 -o old.sb &
    pid=$!
    sleep 0.3
    kill -TERM "$pid"
    run wait "$pid"
    cmp old.sb kept.sb
    make_stream -n 3 -o old.sb
    sb-check old.sb
}

@test "-o: a link stays a link, a mode stays" {
    make_stream -n 1 -o real.sb
    chmod 640 real.sb
    ln -s real.sb link.sb
    make_stream -n 2 -o link.sb
    [ -L link.sb ]
    [ "$(stat -c %a real.sb)" = 640 ]
    [[ $(sb-check -v real.sb) == "real.sb: whole, 2 records"* ]]
    fails_saying "No such file" make_stream -o nowhere/a.sb
    fails_saying "Is a directory" make_stream -o .
}

@test "a full disk: one line, by -o and by standard output" {
    fails_saying "make_stream: /dev/full: No space left on device" make_stream -o /dev/full
    said=$(make_stream 2>&1 >/dev/full) && return 1
    [ "$said" = "make_stream: standard output: No space left on device" ]
}

@test "-o: a named pipe and /dev/stdout are written to, not replaced" {
    mkfifo pipe
    make_stream -n 2 -o pipe &
    timeout 20 sb-check pipe
    wait $!
    [ -p pipe ]
    make_stream -n 2 -o /dev/stdout | sb-check
}

@test "standard output closed: one line" {
    said=$(make_stream 2>&1 >&-) && return 1
    [ "$said" = "make_stream: standard output: Bad file descriptor" ]
}

@test "a reader that has gone ends a writer quietly, with status 1" {
    { make_stream -n 100000 2>err || echo $? >status; } | head -c 100 >/dev/null
    [ "$(cat status)" = 1 ]
    [ ! -s err ]
}

@test "a writer killed in the middle of a pipe: the next one fails, without pipefail" {
    set +o pipefail
    run bash -c "'$BUILD/tests/make_stream' -n 9 --fail-after 4 2>/dev/null | sb-check"
    [ "$status" -eq 1 ]
    [[ $output == *"sb-check: standard input: stream cut off after 4 records"* ]]
}

@test "a stream without header is read, with one warning" {
    make_stream -f -n 3 >f.sb
    [ "$(sb-check f.sb 2>&1)" = "sb-check: f.sb: no header: whether the stream is whole can't be checked" ]
    [ -z "$(sb-check -q f.sb 2>&1)" ]
    head -c -1 f.sb >cut.sb
    fails_saying "cut.sb: stream cut off after 2 records" sb-check -q cut.sb
}

@test "streams joined by hand are refused" {
    make_stream -n 2 -o a.sb
    cat a.sb a.sb >b.sb
    fails_saying "b.sb: bytes after the stream's end at 2 records" sb-check b.sb
}

@test "a declared 2 GB list in 5 bytes is refused before memory is taken" {
    { printf '\x81\xa6seabot\x01\x81\xa1x\xdd\x7f\xff\xff\xff'; } >huge.sb
    (limit_memory 60000; fails_saying "the limit is 104857600" sb-check huge.sb)
    printf '\x81\xa6seabot\x01\x81\xa1x\xc6\x05\xff\xff\xff' >big.sb
    (limit_memory 60000; fails_saying "stream cut off after 0 records" sb-check big.sb)
}

@test "a large record crosses a pipe" {
    make_stream -n 3 --size 60000000 | sb-check
}

@test "python reads a stream and sb-check reads python's" {
    python3 -c 'import msgpack, msgpack_numpy, numpy' 2>/dev/null || skip "no msgpack_numpy"
    make_stream -n 4 -o a.sb
    python3 - <<'PY'
import msgpack, msgpack_numpy, numpy as np
things = list(msgpack.Unpacker(open("a.sb", "rb"), object_hook=msgpack_numpy.decode, strict_map_key=False))
assert things[0]["seabot"] == 1 and things[-1]["end"] == 4, things[-1]
assert things[1]["image"].shape == (4, 4, 3) and things[1]["image"].dtype == np.uint8
assert things[2]["box"].tolist() == [0.5, 1.0, 1.5, 2.0]
with open("py.sb", "wb") as f:
    for i in range(3):
        f.write(msgpack.packb({"pts": np.float32(i / 2), "image": np.full((2, 3, 3), i, np.uint8)}, default=msgpack_numpy.encode))
PY
    sb-check -v py.sb >out 2>err
    grep -qE '^  image +u8 +all +\[2,3,3\] +0\.\.2$' out
    grep -qE '^  pts +numpy scalar +all +0\.\.1$' out
}

# The programs that need no model; each takes a stream from standard input and writes to standard output.
filters=("sb-dedup" "sb-pick --where pts>=0" "sb-pick --sample 2" "sb-cat" "sb-split --group-by source" "sb-split --stratify --group-by source" "sb-cluster -k 2" "sb-tensorize --size 8"
    "sb-export jsonl" "sb-export csv")

@test "every filter: a stream cut off anywhere, an empty one, a text" {
    make_stream -n 3 -o a.sb
    size=$(stat -c %s a.sb)
    for filter in "${filters[@]}"; do
        for ((n = 1; n < size; n += 131)); do
            head -c "$n" a.sb >cut.sb
            fails_saying "${filter%% *}: cut.sb: stream cut off after " $filter -q cut.sb
        done
        fails_saying "/dev/null: empty" $filter -q /dev/null
        fails_saying "not a SeaBot stream" $filter -q "$BATS_TEST_FILENAME"
        fails_saying "absent.sb: No such file or directory" $filter -q absent.sb
    done
}

@test "every filter: the disk is full, and the old file stays whole" {
    make_stream -n 3 -o a.sb
    make_stream -n 9 | head -c 1500 >cut.sb
    for filter in "${filters[@]}"; do
        said=$($filter -q a.sb 2>&1 >/dev/full) && return 1
        [ "$said" = "${filter%% *}: standard output: No space left on device" ] || { echo "$filter said: $said"; return 1; }
        echo old >out
        fails_saying "cut.sb: stream cut off after" $filter -q cut.sb -o out
        [ "$(cat out)" = old ]
    done
    [ -z "$(find . -name '*.tmp')" ]
}

@test "every filter: its reader has gone" {
    make_stream -n 3000 -o a.sb
    for filter in "${filters[@]}"; do
        rm -f status
        { $filter -q a.sb 2>err || echo $? >status; } | true
        [ "$(cat status)" = 1 ] || { echo "$filter did not notice"; return 1; }
        [ ! -s err ] || { echo "$filter said: $(cat err)"; return 1; }
    done
}

@test "filters keep a live pipe moving" {
    # The source takes minutes, and the filters' buffers hold many more records than the three that must arrive.
    printf 'id,label\nx,crab\n' >table.csv
    make_stream -n 3000 --sleep 100 2>/dev/null | sb-dedup -q --exact | sb-split -q --group-by source | sb-pick -q --where 'has id' |
        sb-join -q table.csv | timeout 30 sb-check -n 3
}

@test "history: a file has its hash, a pipe no number of its descriptor and no hash" {
    make_stream -n 5 -o a.sb
    sb-dedup -q --exact --save-hashes seen a.sb -o /dev/null
    sb-dedup -q --exact --against seen a.sb | sb-export csv -q -o a.csv
    jq -e '.history[-2].files.seen | length == 32' a.csv.history.json
    sb-dedup -q --exact --against <(cat seen) a.sb -o one.sb
    sb-dedup -q --exact --against <(cat seen) a.sb 7< <(:) 8< <(:) -o two.sb
    cmp one.sb two.sb
    sb-export csv -q -o one.csv one.sb
    jq -e '.history[-2] | .files == {} and (.args | index("--against=pipe"))' one.csv.history.json
}
