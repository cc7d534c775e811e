load helpers

make_stream() { "$BUILD/tests/make_stream" "$@"; }

needs_python() {
    python3 -c 'import msgpack, msgpack_numpy, numpy' 2>/dev/null || skip "python3 with msgpack and msgpack-numpy is not here"
}

# A failure is one line of sb-pipe's, and a stream without trailer: fails_so "exited with status 3" ARGS...
fails_so() {
    local want=$1 why
    shift
    fails_saying "$want" sb-pipe -q -o file.sb "$@" </dev/null
    [ ! -e file.sb ]
    sb-pipe -q "$@" >cut.sb 2>/dev/null </dev/null && return 1
    why=$(sb-check cut.sb 2>&1) && { echo "the output is whole: $*"; return 1; }
    [[ $why == *"cut off"* ]] || { echo "the output is not only cut off: $why"; return 1; }
}

# Process $1 soon runs no more; one that its new parent has not waited for yet does not, either.
gone() {
    for ((try = 0; try < 100; try++)); do
        [[ $(ps -o stat= -p "$1") == ?(Z*) ]] && return 0
        sleep 0.02
    done
    return 1
}

@test "records come through as they are, large and small, from a file and a pipe" {
    make_stream -n 50 -o a.sb
    [ "$(sb-pipe a.sb -o b.sb -- cat 2>&1)" = "sb-pipe: 50 in, 50 out" ]
    sb-check b.sb
    cmp <(sb-export jsonl -q a.sb) <(sb-export jsonl -q b.sb)
    sb-pipe -q -- cat <a.sb | sb-pipe -q -- cat >c.sb
    cmp <(sb-export jsonl -q a.sb) <(sb-export jsonl -q c.sb)
    make_stream -n 3 --size 8000000 | sb-pipe -q --same-count -- cat | sb-check
    make_stream -n 3 --size 8000000 | sb-pipe -q --timeout 20 -- dd bs=77k status=none | sb-check
}

@test "the history holds the command, and the files it names; the header's other keys stay" {
    make_stream -n 8 -o a.sb
    mkdir scripts
    printf 'cat\n' >scripts/enhance.sh
    printf 'x\n' >scripts/c.json
    sb-tensorize -q --size 8 a.sb | sb-pipe -q --timeout 60 --same-count --drop image -o b.sb -- sh scripts/enhance.sh --config=scripts/c.json --gain=2 scripts http://me:pw@host/x
    sb-check -v b.sb >said
    grep -qxF "  sb-pipe 0.1.0 --same-count --drop=image -- sh enhance.sh --config=c.json --gain=2 scripts 'http://***@host/x'" said
    grep -q "^  make_stream" said
    grep -q "^  sb-tensorize" said
    grep -qE "^ +enhance.sh +[0-9a-f]{32}$" said
    grep -qE "^ +c.json +[0-9a-f]{32}$" said
    sb-pipe -q b.sb -- cat | sb-classify -q -m "$ROOT/tests/golden/names/timm/model.safetensors" 2>&1 >/dev/null | grep -q "tensor" # the header says how they were made
    fails grep -q "^  image" said
    # The same records with the same script: the same bytes, wherever the script lies.
    mkdir elsewhere
    cp -r scripts elsewhere
    (cd elsewhere && sb-tensorize -q --size 8 ../a.sb | sb-pipe -q --same-count --drop image -o b.sb -- sh ../scripts/enhance.sh --config=../elsewhere/scripts/c.json --gain=2 scripts http://me:pw@host/x)
    cmp b.sb elsewhere/b.sb
    echo '# changed' >>scripts/enhance.sh
    sb-tensorize -q --size 8 a.sb | sb-pipe -q -o c.sb --drop image -- sh scripts/enhance.sh
    fails cmp -s b.sb c.sb
}

@test "a child that fails: its status or signal, after how many records" {
    make_stream -n 12 -o a.sb
    fails_so "sb-pipe: sh exited with status 3 after 12 records" a.sb -- sh -c 'cat; exit 3'
    fails_so "sb-pipe: sh exited with status 1 after 0 records" a.sb -- sh -c 'exit 1'
    fails_so "sb-pipe: sh was killed by signal 9 (Killed) after 12 records" a.sb -- sh -c 'cat; kill -9 $$'
    fails_so "sb-pipe: bash was killed by signal 9 (Killed) after 2 records" a.sb -- bash -c 'head -c 1000; kill -9 $$'
    fails_so "sb-pipe: nosuch: No such file or directory" a.sb -- nosuch
    fails_so "Permission denied" a.sb -- ./a.sb
    # Something it has started does not keep its failure back.
    fails_so "sb-pipe: sh exited with status 4 after 0 records" a.sb -- sh -c 'sleep 100 & exit 4'
}

@test "a child that fails while the input goes on, and while it pauses" {
    make_stream -n 100000 --size 4000 2>err | { timeout 20 sb-pipe -q -- sh -c 'head -c 5000 >/dev/null; exit 5' >/dev/null 2>said || echo $? >status; }
    [ "$(cat status)" -eq 1 ]
    [ "$(cat said)" = "sb-pipe: sh exited with status 5 after 0 records" ]
    rm status
    make_stream -n 3000 --sleep 100 2>/dev/null | { timeout 20 sb-pipe -q -- sh -c 'head -c 10 >/dev/null; exit 5' >/dev/null 2>said || echo $? >status; }
    [ "$(cat status)" -eq 1 ]
    [ "$(cat said)" = "sb-pipe: sh exited with status 5 after 0 records" ]
}

@test "a child that prints: what, and where" {
    make_stream -n 12 -o a.sb
    fails_so "sb-pipe: sh wrote what is no record after 0 records, at byte 0: 'Loading weights ...'" a.sb -- sh -c 'echo "Loading weights ..."; cat'
    fails_so "sb-pipe: sh wrote what is no record after 12 records, at byte $(sb-pipe -q a.sb -- tee bare >/dev/null; stat -c %s bare): 'fertig: 12 Stück'" \
        a.sb -- sh -c 'cat; echo "fertig: 12 Stück"'
    fails_so "sb-pipe: sh: damaged after 12 records" a.sb -- sh -c 'cat; printf "\001"'
    fails_so "a field's name is an integer" a.sb -- printf '\x81\x01\x01'
    fails_so "the limit is" a.sb -- printf '\x81\xa1x\xdd\x7f\xff\xff\xff'
    # It need not end for that.
    timeout 20 sb-pipe -q a.sb -- sh -c 'echo hello; exec sleep 100' >/dev/null 2>said && return 1
    [ "$(cat said)" = "sb-pipe: sh wrote what is no record after 0 records, at byte 0: 'hello'" ]
}

@test "a child that is cut off inside a record, at any byte" {
    make_stream -n 2 -o a.sb
    sb-pipe -q a.sb -- tee bare >/dev/null
    for ((n = 1; n < $(stat -c %s bare); n += 41)); do
        first=$(sb-pipe -q -- head -c "$n" <a.sb 2>&1 >/dev/null) && continue # at a record's end
        [[ $first == "sb-pipe: head: stream cut off after "[01]" record"* ]] || { echo "$n: $first"; return 1; }
    done
    fails_so "sb-pipe: head: stream cut off after 1 record" a.sb -- head -c 500
}

@test "an input that was cut off: no trailer, whatever the child says" {
    make_stream -n 12 | head -c 3000 >cut
    fails_so "sb-pipe: cut: stream cut off after 7 records" cut -- cat
    fails_so "sb-pipe: cut: stream cut off after 7 records" cut -- sh -c 'exec cat >/dev/null'
    fails_so "sb-pipe: cut: stream cut off after 7 records" cut -- true
    fails_saying "empty" sb-pipe -q /dev/null -- cat
}

@test "a child that hangs" {
    make_stream -n 12 -o a.sb
    fails_so "sb-pipe: sleep did nothing for 0.25 s after 0 records: killed" --timeout 0.25 a.sb -- sleep 100
    fails_so "sb-pipe: sh did nothing for 1 s after 12 records: killed" --timeout 1 a.sb -- sh -c 'cat; sleep 100'
    fails_so "sb-pipe: sh closed its output after 0 records and did not end in 1 s: killed" --timeout 1 a.sb -- sh -c 'exec >&-; sleep 100'
    # What it started in the background holds the output.
    fails_so "sb-pipe: sh did nothing for 1 s after 12 records: killed" --timeout 1 a.sb -- sh -c 'sleep 100 & cat'
    # More than a pipe holds, of which it reads nothing.
    make_stream -n 20 --size 1000000 -o large.sb
    fails_so "sb-pipe: sleep did nothing for 0.25 s after 0 records: killed" --timeout 0.25 large.sb -- sleep 100
}

@test "a child that is slow does not hang: it reads or writes, or its neighbours are slower" {
    make_stream -n 12 -o a.sb
    # It reads a bit every 0.4 s, and writes nothing until the end.
    sb-pipe -q --timeout 2 --same-count a.sb -- bash -c 'n=0; while head -c 700 >>all && [ "$(stat -c %s all)" -gt $n ]; do n=$(stat -c %s all); sleep 0.4; done; cat all' | sb-check
    # The input pauses for longer.
    make_stream -n 2 --sleep 1500 | sb-pipe -q --timeout 1 -- cat | sb-check
    # What comes after it pauses for longer.
    make_stream -n 40 --size 100000 | sb-pipe -q --timeout 1 -- cat | { sleep 2; sb-check; }
}

@test "records dropped and added are counted; --same-count makes them a failure" {
    make_stream -n 10 -o a.sb
    make_stream -f -n 4 >more
    [ "$(sb-pipe a.sb -o b.sb -- sb-split -q --group-by id --part train 2>&1)" = "sb-pipe: 10 in, $(sb-check -v b.sb | sed -n '1s/.* \([0-9]*\) records.*/\1/p') out, $((10 - $(sb-export jsonl -q b.sb | wc -l))) dropped by sb-split" ]
    [ "$(sb-export jsonl -q b.sb | wc -l)" -lt 10 ]
    [ "$(sb-pipe a.sb -o b.sb -- sh -c 'cat - more' 2>&1)" = "sb-pipe: 10 in, 14 out, 4 added by sh" ]
    sb-check b.sb
    [ "$(sb-pipe a.sb -o b.sb -- sh -c 'cat >/dev/null' 2>&1)" = "sb-pipe: 10 in, 0 out, 10 dropped by sh" ]
    sb-check b.sb
    fails_so "sb-pipe: sh wrote 14 records for 10" --same-count a.sb -- sh -c 'cat - more'
    fails_so "sb-pipe: true wrote 0 records for 10" --same-count a.sb -- true
}

@test "a child that reads no further: the input is read to its end, and nobody dies of it" {
    make_stream -n 4000 --size 4000 >a.sb
    { cat a.sb; echo $? >status; } | sb-pipe -o b.sb -- sh -c 'exec <&-; exec cat more' 2>said && return 1
    make_stream -f -n 4 >more
    { cat a.sb; echo $? >status; } | sb-pipe -o b.sb -- cat more 2>said
    [ "$(cat status)" = 0 ]
    [ "$(cat said)" = "sb-pipe: 4000 in, not all of them read, 4 out, 3996 dropped by cat" ]
    sb-check b.sb
}

@test "a child with a header and trailer of its own: checked, and left out" {
    make_stream -n 10 -o a.sb
    sb-pipe -q a.sb -o b.sb -- sb-dedup -q --exact
    [ "$(sb-check -v b.sb | grep -c '^  make_stream\|^  sb-')" -eq 2 ]
    fails_so "sb-pipe: sh: stream cut off after" a.sb -- sh -c 'sb-dedup -q --exact | head -c 2000'
    fails_so "sb-pipe: sh: stream cut off after 10 records" a.sb -- sh -c 'sb-dedup -q --exact | head -c -45'
    fails_so "sb-pipe: sh: bytes after the stream's end" a.sb -- sh -c 'sb-dedup -q --exact; cat a.sb'
    fails_so "sb-pipe: sh: a second header after 10 records" a.sb -- sh -c 'cat - a.sb'
    fails_so "is not the one in its trailer" a.sb -- sh -c 'sb-dedup -q --exact | sed s/urchin/URCHIN/'
}

@test "no deadlock: a child that holds everything back, or writes before it reads" {
    make_stream -n 40 --size 200000 -o a.sb
    make_stream -f -n 40 --size 200000 >more
    timeout 60 sb-pipe -q --same-count a.sb -- sh -c 'cat >all; cat all' | sb-check
    timeout 60 sb-pipe -q a.sb -- sh -c 'cat more; cat' | sb-check
    timeout 60 sb-pipe -q a.sb -- sh -c 'cat more >&1 & cat >all; wait; cat all' | sb-check
}

@test "a live pipe keeps moving" {
    make_stream -n 3000 --sleep 100 2>/dev/null | sb-pipe -q -- cat 2>/dev/null | timeout 30 sb-check -n 3
}

@test "its reader has gone, its disk is full: the child goes, too" {
    make_stream -n 3000 -o a.sb
    { sb-pipe -q a.sb -- sh -c 'cat; exec sleep 61.7' 2>err || echo $? >status; } | true
    [ "$(cat status)" = 1 ]
    [ ! -s err ]
    [ "$(sb-pipe -q a.sb -- sh -c 'cat; exec sleep 61.7' 2>&1 >/dev/full || :)" = "sb-pipe: standard output: No space left on device" ]
    for process in $(pgrep -f '^sleep 61.7'); do gone "$process"; done
}

@test "signals: the child never outlives sb-pipe, and no file is left" {
    make_stream -n 20 -o a.sb
    for signal in INT TERM HUP KILL; do
        # 3>&-: bats waits for what holds its descriptor 3.
        env --default-signal=INT sb-pipe -q -o out.sb a.sb -- sh -c 'echo $$ >pid; exec sleep 62.7' 3>&- &
        pipe=$!
        for ((i = 0; i < 200; i++)); do [ -s pid ] && break; sleep 0.02; done
        kill -"$signal" $pipe
        status=0
        wait $pipe || status=$?
        [ "$status" -eq $((128 + $(kill -l $signal))) ]
        gone "$(cat pid)"
        [ ! -e out.sb ]
        [ "$signal" = KILL ] || [ -z "$(find . -name '.*.tmp')" ]
        rm -f pid .*.tmp
    done
    # What a child that ended well left running in its group.
    sb-pipe -q a.sb -o out.sb -- sh -c 'sleep 63.7 >&- 2>&- & cat' 3>&-
    sb-check out.sb
    for process in $(pgrep -f '^sleep 63.7'); do gone "$process"; done
}

@test "wrong usage, and words behind -- that look like options" {
    make_stream -n 2 -o a.sb
    run sb-pipe a.sb
    [ "$status" -eq 2 ]
    run sb-pipe a.sb --
    [ "$status" -eq 2 ]
    [[ $output == *"say what to run, behind --"* ]]
    run sb-pipe a.sb b.sb -- cat
    [ "$status" -eq 2 ]
    sb-pipe -q a.sb -- env -- cat -u | sb-check
}

@test "scripts in Python: one that adds a field, one that prints, one that raises" {
    needs_python
    make_stream -n 12 -o a.sb
    cat >add.py <<'PY'
import msgpack, msgpack_numpy, sys
for record in msgpack.Unpacker(sys.stdin.buffer, object_hook=msgpack_numpy.decode, strict_map_key=False):
    record["mean"] = float(record["image"].mean())
    sys.stdout.buffer.write(msgpack.packb(record, default=msgpack_numpy.encode))
PY
    sb-pipe -q --same-count a.sb -o b.sb -- python3 add.py
    [ "$(sb-export jsonl -q b.sb | jq -s 'map(select(.mean > 0)) | length')" -eq 12 ]
    sed 's/^    record\["mean.*/    print("at", record["pts"])/' add.py >print.py
    fails_saying "sb-pipe: python3 wrote what is no record after " sb-pipe -q a.sb -- python3 print.py
    sed 's/^    record\["mean.*/    if record["pts"] > 2: sys.exit(7)/' add.py >exit.py
    fails_so "sb-pipe: python3 exited with status 7 after 5 records" a.sb -- python3 exit.py
}
