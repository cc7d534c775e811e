load helpers

# 200 damaged copies of three videos and five pictures, the good ones among them, in $BATS_FILE_TMPDIR/dive; what of each
# must survive, in list.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir dive
    for kind in mp4 mkv ts; do sb-synth video -q --seconds 2 --fps 12 --size 320x180 --seed 3 -o dive/good.$kind; done
    cp "$ROOT"/tests/golden/pictures/{baseline-0.jpg,progressive-1.jpg,rgb.png,palette-256.png,grey-16.png} dive
    mkdir copies
    "$BUILD/tests/make_damage" copies 1 200 dive/* >list
    mv copies/* dive
}

# No crash, no hang, and no complaint of a sanitizer: well STATUS ERRORS
well() {
    [ "$1" -eq 0 ] && ! grep -q 'Sanitizer\|runtime error' "$2" && return
    echo "status $1: $(grep -v 'early\|skipped\|not a video' "$2" | head -n 20)"
    for file in "$BATS_FILE_TMPDIR"/dive/*; do # which was it?
        timeout 20 sb-frames -q -k --every 1 "$file" >/dev/null 2>err || [ $? -eq 1 ] && ! grep -q 'Sanitizer\|runtime error' err || echo "$file"
    done
    return 1
}

@test "200 damaged videos and pictures: no crash, no hang, no lost good frame" {
    [ "$(ls "$BATS_FILE_TMPDIR/dive" | wc -l)" -eq 208 ]
    status=0
    timeout 120 sb-frames -k --every 1 -o frames.sb "$BATS_FILE_TMPDIR/dive" 2>err || status=$?
    well "$status" err
    "$BUILD/tests/make_damage" "$BATS_FILE_TMPDIR/list" <frames.sb
    # The list asks for something, and the files are damaged: else this would show nothing.
    [ "$("$BUILD/tests/make_damage" "$BATS_FILE_TMPDIR/list" <frames.sb | sed -n 's/.* of \([0-9]*\) good.*/\1/p')" -gt 300 ]
    [ "$(grep -c 'early\|skipped$\|not a video\|decoded\|cut off\|damaged' err)" -gt 50 ]
}

@test "good files beside damaged ones come out whole" {
    cd "$BATS_FILE_TMPDIR"
    good=$(cd dive && ls | grep -v '^[0-9]')
    sb-frames -q --every 1 --root dive $(printf 'dive/%s ' $good) | sb-export -q csv --columns id,source,pts,duration >"$BATS_TEST_TMPDIR/want"
    sb-frames -q -k --every 1 --root dive dive | sb-export -q csv --columns id,source,pts,duration >"$BATS_TEST_TMPDIR/all"
    cd "$BATS_TEST_TMPDIR"
    grep -v ',[0-9][0-9][0-9]-[a-z]*\.' all | cmp - want
    [ "$(wc -l <want)" -eq $((3 * 24 + 5 + 1)) ]
}

@test "the sampled frames go through the pipeline, and the result is whole" {
    status=0
    timeout 120 sb-frames -k -o frames.sb "$BATS_FILE_TMPDIR/dive" 2>err || status=$?
    well "$status" err
    sb-dedup -q frames.sb | sb-tensorize -q --size 32 --drop image -o tensors.sb
    sb-check frames.sb tensors.sb
    for how in --keyframes "--fps 5 --start 0:01" "-j1 --fps 3"; do
        status=0
        timeout 120 sb-frames -k $how -o how.sb "$BATS_FILE_TMPDIR/dive" 2>err || status=$?
        well "$status" err
        sb-check how.sb
    done
    # One frame a second: those at 0 and 1 s of each good video.
    [ "$(sb-export -q csv --columns source,pts frames.sb | grep -c '^good')" -eq 6 ]
}

@test "each damaged file alone, in little time" {
    list=("$BATS_FILE_TMPDIR"/dive/*-{bits,cut,zeros}.*)
    for ((i = 0; i < ${#list[@]}; i += 8)); do # every eighth: the others went by together
        status=0
        timeout 20 sb-frames -q -k "${list[i]}" >/dev/null 2>err || status=$?
        [ "$status" -le 1 ] || { echo "${list[i]}: status $status"; return 1; }
        fails grep 'Sanitizer\|runtime error' err
    done
}
