load helpers

make_stream() { "$BUILD/tests/make_stream" "$@"; }

@test "a part of a file is the same with and without an index, and as a part of the whole" {
    make_stream -n 500 -o a.sb
    sb-export -q jsonl a.sb >all
    for range in 0:500 0:1 17:18 100:300 499: 300:900 500: 7000: 12; do
        rm -f a.sb.idx
        sb-export -q jsonl -n $range a.sb >plain
        sb-export -q jsonl -n $range <a.sb >piped
        sb-check --index a.sb
        sb-export -q jsonl -n $range a.sb >indexed
        from=${range%:*} to=${range#*:}
        [[ $range == *:* ]] || { from=0 to=$range; }
        tail -n +$((from + 1)) all | head -n $((${to:-9999} - from)) >want
        cmp plain want
        cmp indexed want
        cmp piped want
    done
    for records in 0:2 499: 200; do
        rm -f a.sb.idx
        sb-check -v -n $records a.sb | grep -v '^a.sb: ' >plain
        sb-check --index a.sb
        sb-check -v -n $records a.sb | grep -v '^a.sb: ' >indexed
        cmp plain indexed
    done
    [[ $(sb-check -v -n 498: a.sb) == "a.sb: end not looked at, 2 records"$'\n'* ]]
}

@test "several processes share a file, and what they made is the whole" {
    make_stream -n 90 -o a.sb
    sb-tensorize -q --size 8 a.sb | sb-export -q jsonl >whole
    sb-check --index a.sb
    for part in 0:30 30:60 60:; do
        { sb-tensorize -q --size 8 -n $part a.sb | sb-export -q jsonl >part.${part%:*}; } &
    done
    wait
    cat part.0 part.30 part.60 | cmp - whole
}

@test "sb-cluster gives the same with an index" {
    sb-synth frames -q --crops -n 30 --size 64x64 --seed 1 -o a.sb
    sb-cluster -q -k 3 -o without.sb a.sb
    sb-check --index a.sb
    sb-cluster -q -k 3 -o with.sb a.sb
    cmp without.sb with.sb
    # A damaged record is noticed all the same.
    size=$(stat -c %s a.sb)
    printf '\xaa\x55' | dd of=a.sb bs=1 seek=$((size / 2)) conv=notrunc status=none
    fails_saying "a.sb: record " sb-cluster -q -k 3 a.sb
}

@test "only what is asked for is read" {
    make_stream -n 300 --size 30000 -o a.sb
    sb-check --index a.sb
    printf '\xc1' | dd of=a.sb bs=1 seek=100000 conv=notrunc status=none # damaged far before
    sb-export -q jsonl -n 290:291 a.sb >part
    [ "$(wc -l <part)" -eq 1 ]
    fails_saying "a.sb: damaged: the hash of its 300 records" sb-export -q jsonl a.sb
    fails_saying "is damaged, or the file was written to" sb-export -q jsonl -n 1:20 a.sb
}

@test "an index that is not the file's is said and not used" {
    make_stream -n 20 -o a.sb
    sb-check --index a.sb
    sb-export -q jsonl -n 5:7 a.sb >want
    cp a.sb.idx good.idx
    check() {
        sb-export jsonl -n 5:7 a.sb >got 2>err
        cmp got "$1"
        [ "$(grep -c "^sb-export: a.sb.idx: not the index of this a.sb: ignored; sb-check --index makes it anew$" err)" -eq 1 ]
    }
    head -c 300 good.idx >a.sb.idx
    check want
    : >a.sb.idx
    check want
    cp a.sb a.sb.idx
    check want
    cp good.idx a.sb.idx
    make_stream -n 21 -o a.sb # anew
    check want
    sb-check --index a.sb     # and its index
    sb-export jsonl -n 5:7 a.sb 2>err | cmp - want
    fails grep -q index err
}

@test "--index: where there is nothing to index" {
    make_stream -n 20 -o a.sb
    head -c 900 a.sb >cut.sb
    fails_saying "cut.sb: stream cut off after" sb-check --index cut.sb
    make_stream -n 3 -f >f.sb
    fails_saying "f.sb: not indexed" sb-check -q --index f.sb
    [ -z "$(ls | grep idx || :)" ]
    run sb-check --index <a.sb
    [ "$status" -eq 2 ]
    run sb-check --index -n 3 a.sb
    [ "$status" -eq 2 ]
    for bad in x 3:2 3:3 0 -1 1:x 1:2:3 ''; do
        run sb-export jsonl --records="$bad" a.sb
        [ "$status" -eq 2 ] || { echo "--records=$bad: $status"; return 1; }
    done
}

@test "the same index from the same file; Python reads it" {
    make_stream -n 20 -o a.sb
    sb-check --index a.sb
    mv a.sb.idx first.idx
    sb-check --index a.sb
    cmp first.idx a.sb.idx
    sb-check a.sb.idx
    python3 -c 'import msgpack, msgpack_numpy' 2>/dev/null || skip "no msgpack_numpy"
    python3 - <<'PY'
import msgpack, msgpack_numpy
things = list(msgpack.Unpacker(open("a.sb.idx", "rb"), object_hook=msgpack_numpy.decode))
file = open("a.sb", "rb").read()
records = list(msgpack.Unpacker(open("a.sb", "rb"), object_hook=msgpack_numpy.decode, strict_map_key=False))[1:-1]
assert things[0]["index"]["records"] == 20 and things[0]["index"]["bytes"] == len(file)
offset = [int(o) for o in things[1]["offset"]] + [things[0]["index"]["end"]]
for i, r in enumerate(records):
    assert msgpack.unpackb(file[offset[i]:offset[i + 1]], strict_map_key=False, object_hook=msgpack_numpy.decode)["id"] == r["id"]
PY
}
