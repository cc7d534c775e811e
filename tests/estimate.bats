load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth video -q --seconds 4 --size 160x120 --fps 5 --seed 3 -o dive.mp4
    sb-synth video -q --seconds 3 --size 96x128 --fps 10 --seed 4 -o other.mp4
    sb-synth frames -q -n 30 --size 100x80 --seed 3 --encode png | sb-export png -q -o pictures/
    printf '%s\n' 'time,lat,lon,depth' '2026-07-03T14:05:10Z,54.0,10,100' '2026-07-03T14:05:11Z,54.3,10,' >track.csv
}

setup() {
    cd "$BATS_FILE_TMPDIR" || exit 1
}

# The bytes in the last line of the table, without the free space.
foretold() { sb-frames --estimate "$@" | sed -n 's/^in all .* \(about \)\{0,1\}\([0-9]\{1,\}\)\( (.*)\)\{0,1\}$/\2/p'; }
# What is foretold of a raw stream is what is written.
exact() {
    local told written
    told=$(foretold "$@")
    written=$(sb-frames -q "$@" | wc -c)
    [ "$told" = "$written" ] || { echo "$*: $told foretold, $written written"; return 1; }
}
# Within a fifth for compressed pictures.
near() {
    local told written
    told=$(foretold "$@")
    written=$(sb-frames -q "$@" | wc -c)
    [ $((told * 5)) -gt $((written * 4)) ] && [ $((told * 5)) -lt $((written * 6)) ] ||
        { echo "$*: $told foretold, $written written"; return 1; }
}

@test "--estimate foretells a raw stream to the byte" {
    exact dive.mp4
    exact --fps 3 --start 0.5 --end 2.5 dive.mp4 other.mp4
    exact --size 50 --drop id,group dive.mp4 pictures
    exact --fps 200 --drop image other.mp4
    exact --start-time 2026-07-03T14:05:09Z --nav track.csv --fps 2 dive.mp4
    exact --source "$(printf 'x%.0s' $(seq 300))" dive.mp4
    [ -e "$DATA/video/tank-h264-vfr.mp4" ] || skip "the real footage is not here"
    exact --fps 0.7 "$DATA/video"
}

@test "--estimate says about where pictures are compressed" {
    near --encode jpeg dive.mp4 other.mp4
    near --encode png dive.mp4 pictures
    near --every 3 dive.mp4
    sb-frames --estimate --encode jpeg dive.mp4 >said
    grep -q "^dive.mp4 *0:00:04 *4 *about [0-9]" said
    sb-frames --estimate --keyframes --fps 5 dive.mp4 >said
    grep -q "^dive.mp4 *0:00:04 *20 *about [0-9]" said
}

@test "--estimate prints a line for each video, one for the pictures, and the room there is; it writes nothing" {
    mkdir -p new
    sb-frames --estimate --fps 2 -o new/out.sb dive.mp4 pictures other.mp4 >said
    [ ! -e new/out.sb ]
    [ "$(sed 's/ *[0-9]* ([0-9.]* .B)//; s/  */ /g' said | head -n 5)" = "source duration frames bytes
dive.mp4 0:00:04 8
other.mp4 0:00:03 6
pictures 30
in all 0:00:07 44" ]
    grep -q "^free in new: [0-9]" said
    fails_saying "no file can't be looked at" sh -c 'cat dive.mp4 | sb-frames --estimate'
    printf 'no video' >bad.mp4
    fails_saying "bad.mp4: not a video" sb-frames --estimate bad.mp4 dive.mp4
    sb-frames -k --estimate bad.mp4 dive.mp4 >said 2>err
    grep -q "^in all *0:00:04 *4 " said
    grep -q "bad.mp4: not a video" err
}
