load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth video -q --seconds 4 --size 320x180 --fps 5 --seed 3 -o dive.mp4
    sb-synth frames -q -n 6 --seed 3 --encode png | sb-export png -q -o pictures/
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR/dive.mp4" .
    cp -r "$BATS_FILE_TMPDIR/pictures" .
}

# jq prints a number as it was written (1.0) from its version 1.7 on, unless it was added to.
records() { sb-export jsonl -q "$@" | jq -c 'map_values(if type == "number" then . + 0 else . end)'; }
shape() { sb-check -v "$1" | sed -n 's/^  image .*\(\[[0-9,]*\]\).*/\1/p'; }
has_video() { [ -e "$DATA/video/$1" ] || skip "the real footage is not here"; }

@test "a record each second, with time, duration, source and group" {
    sb-frames dive.mp4 -o dive.sb 2>said
    [ "$(records dive.sb | jq -c '[.pts, .duration, .source, .group]')" = '[0,1,"dive.mp4","dive.mp4"]
[1,1,"dive.mp4","dive.mp4"]
[2,1,"dive.mp4","dive.mp4"]
[3,1,"dive.mp4","dive.mp4"]' ]
    [ "$(shape dive.sb)" = "[180,320,3]" ]
    [ "$(records dive.sb | jq -r .id | sort -u | wc -l)" -eq 4 ]
    [ "$(cat said)" = "sb-frames: 1 in, 4 out" ]
}

@test "--fps, --every, --start and --end choose frames; identifiers stay" {
    sb-frames -q --fps 2 -o two.sb dive.mp4
    [ "$(records two.sb | jq -s -c 'map(.pts)')" = "[0,0.5,1,1.5,2,2.5,3,3.5]" ]
    sb-frames -q --every 6 -o six.sb dive.mp4
    [ "$(records six.sb | jq -s -c 'map([.pts, .duration] | map(. * 10 | round))')" = "[[0,12],[12,12],[24,12],[36,4]]" ]
    sb-frames -q --fps 2 --start 0:01 --end 0:00:02.75 -o part.sb dive.mp4
    [ "$(records part.sb | jq -s -c 'map([.pts, .duration])')" = "[[1,0.5],[1.5,0.5],[2,0.5],[2.5,0.25]]" ]
    [ "$(records two.sb | jq -r .id | sed -n 3,6p)" = "$(records part.sb | jq -r .id)" ]
}

@test "the same bytes for any number of threads, by a pipe as by a file" {
    for how in "--fps 1" "--every 1" "--keyframes --fps 2"; do
        sb-frames -q -j 1 $how dive.mp4 pictures dive.mp4 >one.sb
        sb-frames -q -j 5 $how dive.mp4 pictures dive.mp4 -o five.sb
        cmp one.sb five.sb
    done
    for encode in raw png jpeg; do
        sb-frames -q -j 1 --fps 3 --encode $encode dive.mp4 >one.sb
        sb-frames -q -j 4 --fps 3 --encode $encode -o four.sb dive.mp4
        cmp one.sb four.sb
    done
}

@test "--keyframes takes the keyframe nearest to each tick, once, at its own time" {
    sb-frames -q --every 1 -o all.sb dive.mp4
    sb-frames -q --keyframes -o keys.sb dive.mp4 # of 20 frames, the first and the 11th
    [ "$(records keys.sb | jq -s -c 'map([.pts, .duration])')" = "[[0,2],[2,2]]" ]
    sb-frames -q --keyframes <dive.mp4 | records /dev/stdin | jq -s -c 'map(.pts)' | grep -qxF "[0,2]"
    sb-export png -q -o all/ all.sb
    sb-export png -q -o keys/ keys.sb
    cmp "$(ls all/* | sed -n 11p)" "$(ls keys/* | sed -n 2p)"
    sb-frames -q --keyframes --start 1 --fps 10 -o late.sb dive.mp4
    [ "$(records late.sb | jq -s -c 'map(.pts)')" = "[2]" ]
}

@test "--scene keeps frames that differ from the one kept before, which stands until then" {
    sb-frames -q --every 1 -o all.sb dive.mp4
    sb-frames -q --every 1 --scene 0.02 -o some.sb dive.mp4
    sb-frames -q --every 1 --scene 0.02 -j 1 dive.mp4 dive.mp4 pictures >two.sb
    [ "$(records some.sb | wc -l)" -lt "$(records all.sb | wc -l)" ]
    [ "$(records two.sb | wc -l)" -eq $((2 * $(records some.sb | wc -l) + 6)) ]
    records some.sb | jq -s -e '(map(.duration) | add) > 3.99 and .[0].pts == 0 and
        ([.[:-1], .[1:]] | transpose | all(.[0].pts + .[0].duration - .[1].pts | fabs < 1e-9))'
    sb-frames -q --every 1 --scene 1 dive.mp4 | records /dev/stdin | jq -s -e 'map([.pts, .duration * 10 | round]) == [[0, 40]]'
}

@test "--at fetches the full pictures of chosen records, in their order, with their fields" {
    mkdir trip
    cp dive.mp4 trip/a.mp4
    mv pictures trip
    sb-frames -q --fps 3 -o full.sb trip
    sb-frames -q --fps 3 --size 32 --encode jpeg trip >marked.sb
    sb-frames -q -j 3 --at marked.sb -o again.sb trip
    [ "$(shape again.sb)" = "$(shape full.sb)" ]
    cmp <(records again.sb | jq -c 'del(.image)') <(records marked.sb | jq -c 'del(.image)')
    sb-export png -q -o full/ full.sb
    sb-export png -q -o again/ again.sb
    diff -r full again
    fails_saying "a.mp4: not among the inputs" sb-frames --at marked.sb --root trip trip/pictures
    sb-frames -k --at marked.sb --root trip trip/pictures -o few.sb 2>said
    grep -q "18 in, 6 out, 12 skipped: 12 not among the inputs" said
}

@test "-0 reads a list of inputs, and --dive makes one group of them" {
    cp dive.mp4 "a b.mp4"
    find . -name '*.mp4' -print0 | sort -z | sb-frames -q -0 --dive "dive 7" -o out.sb
    [ "$(records out.sb | jq -c '[.source, .pts, .group]' | sort -u | wc -l)" -eq 8 ]
    [ "$(records out.sb | jq -r .group | sort -u)" = "dive 7" ]
    printf 'nowhere.mp4' >names
    fails_saying "nowhere.mp4: No such file" sb-frames -0 <names
    sb-frames -q --dive x pictures | records /dev/stdin | jq -s -e 'all(.group == "x")'
}

@test "--size shrinks the short side and never enlarges" {
    sb-frames -q --size 90 -o small.sb dive.mp4
    [ "$(shape small.sb)" = "[90,160,3]" ]
    sb-frames -q --size 500 -o same.sb dive.mp4
    [ "$(shape same.sb)" = "[180,320,3]" ]
}

@test "a folder gives all footage below it in order, named by the path below it, and other files are counted" {
    mkdir -p trip/b trip/.hidden
    cp pictures/*.png trip/.hidden
    mv pictures trip/a
    cp dive.mp4 trip/b
    echo "notes" >trip/b/notes.txt
    sb-frames -o trip.sb trip 2>said
    records trip.sb | jq -r .source | uniq >sources
    sort -c sources
    [ "$(wc -l <sources)" -eq 7 ]
    [ "$(records trip.sb | jq -r 'select(.group) | .source' | sort -u)" = "b/dive.mp4" ]
    [ "$(records trip.sb | jq -c 'select(.source | startswith("a/")) | [has("pts"), has("group")]' | sort -u)" = "[false,false]" ]
    [ "$(cat said)" = "sb-frames: 8 in, 10 out, 1 skipped: 1 neither video nor picture" ]
    sb-frames -q --root . -o below.sb trip/b trip/a
    [ "$(records below.sb | jq -r .source | head -n 1)" = "trip/b/dive.mp4" ]
    sb-frames -q --source "dive 7" -o named.sb dive.mp4
    [ "$(records named.sb | jq -r .group | sort -u)" = "dive 7" ]
}

@test "pictures go through unchanged" {
    sb-frames -q pictures | sb-export png -q -o again/
    for file in again/*; do mv "$file" "pictures/again-$(basename "$file")"; done
    sb-frames -q pictures | sb-dedup --exact -o once.sb 2>said
    grep -q "12 in, 6 out, 6 skipped: 6 exact duplicate" said
}

@test "what is no video, or not there, ends with one line and no stream" {
    echo "some words" >words.mp4
    echo old >out.sb
    fails_saying "words.mp4: not a video" sb-frames words.mp4 -o out.sb
    [ "$(cat out.sb)" = old ]
    fails_saying "nowhere.mp4: No such file" sb-frames nowhere.mp4
    : >empty.mp4
    fails_saying "empty.mp4: the file is empty" sb-frames empty.mp4
    mkdir bare
    fails_saying "no video and no picture" sb-frames bare
    head -c 300 pictures/"$(ls pictures | head -n 1)" >cut.png
    fails_saying "cut.png: the PNG is cut off" sb-frames cut.png
    fails_saying "/dev/full" sb-frames dive.mp4 -o /dev/full
}

@test "a broken input stops the run, or with -k is said and counted" {
    echo "some words" >a.mp4
    fails_saying "a.mp4: not a video" sb-frames a.mp4 dive.mp4
    sb-frames -k a.mp4 dive.mp4 >out.sb 2>said
    sb-check out.sb
    grep -q "a.mp4: not a video" said
    grep -q "2 in, 4 out, 1 skipped: 1 unreadable" said
    run sb-frames -k a.mp4 -o none.sb
    [ "$status" -eq 1 ] && [ ! -e none.sb ]
}

@test "wrong usage ends with 2" {
    for wrong in "--fps 0" "--fps 1 --every 2" "--keyframes --every 2" "--scene 2" "--at x.sb --fps 3" "-0 --source x" "--start 1:75" "--start abc" "--start 3 --end 2" "--encode gif" "--source x dive.mp4"; do
        run sb-frames $wrong dive.mp4
        [ "$status" -eq 2 ] || { echo "$wrong: $status"; return 1; }
    done
}

@test "a signal ends reading with a whole stream" {
    sb-synth video -q --seconds 60 --size 320x180 --fps 20 --seed 3 -o long.mp4
    for signal in INT TERM; do
        mkfifo pipe.$signal
        sb-frames --every 1 long.mp4 >pipe.$signal 2>said &
        frames=$!
        (sleep 1; kill -$signal $frames) & # the pipe is not read before: nothing ends by itself
        { sleep 2; cat; } <pipe.$signal >out.sb
        wait $frames
        grep -qx 'sb-frames: stopped by a signal' said
        sb-check out.sb
        [ "$(records out.sb | wc -l)" -lt 1200 ]
    done
}

@test "a live source that breaks off is joined again, times go on, and its end is said" {
    sb-synth video -q --seconds 2 --size 320x180 --fps 5 --seed 3 -o live.ts
    timeout 90 "$BUILD/tests/make_server" 2 live.ts >port 3>&- &
    for _ in $(seq 50); do [ -s port ] && break; sleep 0.1; done
    timeout 60 sb-frames --every 1 --reconnect 2 -o out.sb "tcp://127.0.0.1:$(cat port)" 2>said
    sb-check out.sb
    [ "$(records out.sb | wc -l)" -eq 20 ]
    records out.sb | jq -s -e 'map(.pts) | . == (sort | unique) and .[10] - .[9] > 0.24'
    grep -qE '127.0.0.1:[0-9]+: broke off for [0-9.]+ s' said
    grep -qE 'broke off, and did not come back in [0-9.]+ s' said
}

@test "real: HEVC from a phone comes out upright" {
    has_video aquarium-hevc-portrait.mp4
    sb-frames -q -o out.sb "$DATA/video/aquarium-hevc-portrait.mp4"
    [ "$(shape out.sb)" = "[1920,1080,3]" ]
    [ "$(records out.sb | jq -s -c 'map(.pts)')" = "[0,1,2]" ]
}

@test "real: one frame, 4:4:4, is one record" {
    has_video plankton-h264-444-one-frame.mp4
    sb-frames -q -o out.sb "$DATA/video/plankton-h264-444-one-frame.mp4"
    [ "$(records out.sb | wc -l)" -eq 1 ]
    [ "$(shape out.sb)" = "[2048,2048,3]" ]
}

@test "real: at a variable rate, the frame on screen at each second" {
    has_video tank-h264-vfr.mp4
    sb-frames -q --encode png --size 60 -o all.sb --every 1 "$DATA/video/tank-h264-vfr.mp4"
    sb-frames -q --encode png --size 60 -o ticks.sb "$DATA/video/tank-h264-vfr.mp4"
    [ "$(records all.sb | wc -l)" -eq 668 ]
    [ "$(records ticks.sb | jq -s -c 'map(.pts)')" = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22]" ]
    # Of all frames, those that are the last at or before a whole second.
    records all.sb | jq -s -c '. as $all | [range(23) as $t | [range(length) | select($all[.].pts <= $t + 1e-6)] | last]' >wanted
    sb-export png -q -o all/ all.sb
    sb-export png -q -o ticks/ ticks.sb
    n=0
    for frame in $(jq '.[]' wanted); do
        cmp "$(ls all/* | sed -n $((frame + 1))p)" "$(ls ticks/* | sed -n $((n + 1))p)"
        n=$((n + 1))
    done
    [ "$n" -eq 23 ]
}

@test "--drop leaves fields out, and the stream stays whole" {
    sb-synth video -q --seconds 2 --size 64x64 --fps 5 -o dive.mp4
    sb-frames -q --drop image,group dive.mp4 -o light.sb
    sb-check light.sb
    sb-export jsonl -q light.sb | jq -e 'has("pts") and (has("image") or has("group") | not)'
    [ "$(wc -c <light.sb)" -lt 1500 ]
}

@test "JPEG and PNG files pass as they are where that is what is asked for; what is cut off does not" {
    command -v ffmpeg >/dev/null || skip "no ffmpeg program here"
    python3 -c 'import msgpack' 2>/dev/null || skip "no python3 with msgpack here"
    mkdir -p all/sub
    ffmpeg -v error -f lavfi -i testsrc=size=500x300:duration=1:rate=1 -q:v 3 all/a.jpg
    sb-frames -q all/a.jpg | sb-export png -q -o all/sub/ -
    png=(all/sub/*.png)
    for kind in jpeg png; do sb-frames -q --encode $kind all >$kind.sb; done
    python3 - jpeg.sb all/a.jpg png.sb "${png[0]}" <<'EOF'
import sys, msgpack
for stream, file in ((1, 2), (3, 4)):
    records = list(msgpack.Unpacker(open(sys.argv[stream], "rb")))[1:-1]
    assert len(records) == 2
    assert open(sys.argv[file], "rb").read() in [r["image"] for r in records], file
EOF
    head -c 9000 all/a.jpg >cut.jpg
    fails_saying "cut.jpg: the JPEG is cut off" sb-frames --encode jpeg -o x.sb cut.jpg
    python3 - all/a.jpg tables.jpg <<'EOF'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
at = b.find(b"\xff\xc4")
b[at + 5 : at + 21] = b"\xff" * 16
open(sys.argv[2], "wb").write(b)
EOF
    fails_saying "tables.jpg: broken JPEG" sb-frames --encode jpeg -o x.sb tables.jpg
    sb-frames -q --encode jpeg --size 100 all/a.jpg | sb-check -q # decoded and encoded
}

@test "--device: a GPU that is not there is one line, the processor the default" {
    if [ -e /dev/nvidia0 ]; then skip "there is a GPU"; fi
    sb-synth video -q --seconds 1 --size 160x120 -o d.mp4
    run sb-frames --device cuda -o g.sb d.mp4
    [ "$status" -eq 1 ]
    [ "$output" = "sb-frames: device cuda: there is no GPU, or this FFmpeg can't decode on it" ]
    run sb-frames --device gpu -o g.sb d.mp4
    [ "$status" -eq 1 ]
    [ "$output" = "sb-frames: no device 'gpu': there are cpu, cuda and cuda:N" ]
    [ ! -e g.sb ]
    sb-frames --device cpu d.mp4 | records >named
    sb-frames d.mp4 | records >default
    [ "$(wc -l <named)" -eq 1 ]
    cmp named default
}
