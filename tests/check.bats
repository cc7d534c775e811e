load helpers

make_stream() { "$BUILD/tests/make_stream" "$@"; }

# The sanitizers reserve terabytes of addresses.
limit_memory() { case $BUILD in *-san) ;; *) ulimit -v "$1" ;; esac; }

@test "a whole stream: silent, from a file, from a pipe, several at once" {
    make_stream -n 20 -o a.sb
    make_stream -n 0 -o none.sb
    [ -z "$(sb-check a.sb none.sb 2>&1)" ]
    [ -z "$(make_stream | sb-check 2>&1)" ]
    [ -z "$(sb-check - <a.sb 2>&1)" ]
}

@test "a broken stream: one line, status 1, and the next one is still checked" {
    make_stream -n 3 -o a.sb
    head -c -1 a.sb >cut.sb
    fails_saying "sb-check: cut.sb: stream cut off after 3 records" sb-check a.sb cut.sb a.sb
    run sb-check cut.sb absent.sb
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 2 ]
    fails_saying "empty" sb-check /dev/null
    fails_saying "not a SeaBot stream" sb-check "$BATS_TEST_FILENAME"
    fails_saying "Is a directory" sb-check .
}

@test "-v: history, counts, fields, labels, sources" {
    make_stream -n 5 -o a.sb
    sb-check -v a.sb >out
    grep -q '^a.sb: whole, 5 records, ' out
    grep -q '^  make_stream 0.1.0 --records=5$' out
    grep -qE '^  image +u8 +all +\[4,4\.\.5,3\] +0\.\.255$' out
    grep -qE '^  tensor +bf16 +all +\[1,3\] +-1\.\.1$' out
    grep -qE '^  label +str +80\.0 % +4\.\.9 bytes$' out
    grep -qE '^  cluster +int +all +-2\.\.2$' out
    grep -qE '^  jellyfish +2 +50\.0 %$' out
    grep -qE '^  a.mp4 +3 +0:00:00.000 +0:00:02.000 +2023-11-14T22:13:20Z +2023-11-14T22:13:24Z$' out
    fails grep -q ' $' out
}

@test "-v: a label that stands in label and in labels counts once" {
    printf '\x82\xa5label\xa4fish\xa6labels\x93\xa4fish\xa4crab\xa4crab' | sb-check -qv >out
    grep -qE '^  fish +1 +50\.0 %$' out
    grep -qE '^  crab +1 +50\.0 %$' out
}

@test "-v of a broken stream tells what was there, and fails" {
    make_stream -n 5 -o a.sb
    head -c 1500 a.sb >cut.sb
    fails_saying "sb-check: cut.sb: stream cut off after 3 records" sb-check -v cut.sb
    [[ $(sb-check -v cut.sb 2>/dev/null) == "cut.sb: broken, 3 records, "* ]]
    sb-check -v cut.sb a.sb >out 2>&1 || : # the line stands between the two reports
    grep '^cut.sb:\|^sb-check:\|^a.sb:' out | cut -d: -f1 | paste -sd' ' | grep -qx 'cut.sb sb-check a.sb'
}

@test "-n reads only so many records, and does not look at the end" {
    make_stream -n 50 -o a.sb
    head -c 3000 a.sb >cut.sb
    sb-check -n 3 cut.sb
    [[ $(sb-check -v -n 3 cut.sb) == "cut.sb: end not looked at, 3 records, "* ]]
    mkfifo live
    (cat cut.sb; exec sleep 60) >live &
    run timeout 20 sb-check -n 3 live
    kill $!
    [ "$status" -eq 0 ]
}

@test "what a stranger named can't write to the terminal" {
    printf '\x81\xa6source\xa6a\x1b[31m' >f.sb
    sb-check -v f.sb 2>err >out
    grep -q 'a?\[31m' out
    fails grep -q $'\x1b' out err
    printf '\x82\xa3a\xc2\x9b\x01\xa3a\xc2\x9b\x01' >twice.sb # the same by another code
    fails_saying "field 'a??' stands twice" sb-check twice.sb
}

@test "many distinct labels and sources take bounded memory" {
    python3 -c 'pass' 2>/dev/null || skip "no python3 to write them"
    python3 - >many.sb <<'PY'
import sys
for i in range(20000):
    name = b"n%07d" % i
    sys.stdout.buffer.write(b"\x82\xa5label\xa8" + name + b"\xa6source\xa8" + name)
PY
    (limit_memory 100000; sb-check -v many.sb) >out 2>err
    grep -q '^labels (4096 or more)$' out
    grep -qE '^  others +199' out
}

@test "--help, --version, wrong usage" {
    [[ $(sb-check --help) == "usage: sb-check [OPTION]... [FILE]..."* ]]
    [ "$(sb-check --version)" = "sb-check 0.1.0" ]
    run sb-check --nope
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "sb-check: unknown option --nope" ]
    run sb-check -n x
    [ "$status" -eq 2 ]
}

@test "a full disk, a reader that has gone" {
    make_stream -n 5 -o a.sb
    [ "$(sb-check -v a.sb 2>&1 >/dev/full)" = "sb-check: standard output: No space left on device" ]
    make_stream -n 5 --sleep 100 | { sb-check -v 2>err || echo $? >status; } | true
    [ "$(cat status)" = 1 ]
    [ ! -s err ]
}
