load helpers

# The captions of a stream, one a line.
captions() { sb-export jsonl -q "$1" | jq -r .caption; }

@test "frames: the same bytes for any number of threads, and run after run" {
    sb-synth frames -n 30 --seed 4 --size 64x48 -j 1 -q -o one.sb
    sb-synth frames -n 30 --seed 4 --size 64x48 -j 4 -q -o four.sb
    sb-synth frames -n 30 --seed 4 --size 64x48 -q >again.sb
    cmp one.sb four.sb
    cmp one.sb again.sb
    sb-check one.sb
}

@test "frames: another seed gives other pictures and other groups" {
    sb-synth frames -n 5 --seed 1 -q | sb-export jsonl -q | jq -r .group | sort -u >one
    sb-synth frames -n 5 --seed 2 -q | sb-export jsonl -q | jq -r .group | sort -u >two
    [ -s one ] && [ -z "$(comm -12 one two)" ]
}

@test "frames: -n is the number of records, whole frames and crops alike" {
    [ "$(sb-synth frames -n 17 --size 32x32 -q | sb-export jsonl -q | wc -l)" -eq 17 ]
    [ "$(sb-synth frames -n 17 --crops --size 96x96 -q | sb-export jsonl -q | wc -l)" -eq 17 ]
}

@test "frames: the first records do not depend on how many follow" {
    sb-synth frames -n 6 --size 48x48 -q | sb-export jsonl -q | head -6 >few
    sb-synth frames -n 20 --size 48x48 -q | sb-export jsonl -q | head -6 >many
    cmp few many
}

@test "frames: the numbers in a caption add up to its labels, and each kind is named" {
    sb-synth frames -n 150 --size 32x32 --drop image -q | sb-export jsonl -q | jq -c '[.caption, .labels // []]' >all.jsonl
    jq -e -s '
        def worth: {a: 1, an: 1, two: 2, three: 3, four: 4}[.] // 0;
        (map(select(.[1] | length > 1)) | length > 20) and
        all(.[]; (.[0] | gsub(","; "") | split(" ") | map(worth) | add) == (.[1] | length)) and
        all(.[]; .[0] as $caption | all(.[1][]; . as $kind | $caption | contains($kind)))' all.jsonl
    jq -e -s 'any(.[]; .[0] | startswith("nothing but")) and all(.[]; .[0] | test(" (sand|rock|mud|open water)$"))' all.jsonl
}

@test "frames: boxes lie in the frame, the first is the largest; one kind alone is the label" {
    sb-synth frames -n 60 --size 96x64 --drop image -q | sb-export jsonl -q | jq -c 'select(.boxes)' >all.jsonl
    [ "$(wc -l <all.jsonl)" -gt 20 ]
    jq -e -s 'all(.[]; (.boxes | length) == (.labels | length) and .label == (.labels | unique | if length == 1 then .[0] else null end)
        and all(.boxes[]; .[0] >= 0 and .[1] >= 0 and .[2] > 0 and .[3] > 0 and .[0] + .[2] <= 96.001 and .[1] + .[3] <= 64.001)
        and ([.boxes[] | .[2] * .[3]] | .[0] == max))' all.jsonl
}

@test "frames: with --labelled every frame has one kind, its label" {
    sb-synth frames -n 60 --labelled --size 96x64 --drop image -q | sb-export jsonl -q >all.jsonl
    [ "$(wc -l <all.jsonl)" -eq 60 ]
    jq -e -s 'all(.[]; (.labels | unique) == [.label])' all.jsonl
}

@test "crops: a square within its parent, of the box's size, with a label and a group" {
    sb-synth frames -n 60 --crops --size 160x120 -q -o crops.sb
    sb-export jsonl -q crops.sb >all.jsonl
    jq -e -s 'all(.[]; .label and .group and .parent and .parent != .id and .box[2] == .box[3] and .box[2] >= 24
        and .box[0] >= 0 and .box[1] >= 0 and .box[0] + .box[2] <= 160 and .box[1] + .box[3] <= 120)' all.jsonl
    [ "$(jq -r .label all.jsonl | sort -u | wc -l)" -ge 6 ]
    [ "$(jq -r .id all.jsonl | sort -u | wc -l)" -eq 60 ]
}

@test "frames: PNG holds the raw pixels, and the other fields are the same" {
    sb-synth frames -n 4 --size 40x30 -q -o raw.sb
    sb-synth frames -n 4 --size 40x30 --encode png -q -o png.sb
    for kind in raw png; do
        sb-export png -q -o $kind/ $kind.sb
        sb-export jsonl -q $kind.sb | jq -c 'del(.image)' >$kind.jsonl
    done
    diff -r raw png
    cmp raw.jsonl png.jsonl
    [ "$(find raw -name '*.png' | wc -l)" -eq 4 ]
}

@test "video: has its length and size, and is the same for any number of threads" {
    sb-synth video -o a.mp4 --truth a.sb --seconds 2.4 --fps 10 --size 160x90 --seed 3 -j 1 -q
    sb-synth video -o b.mp4 --seconds 2.4 --fps 10 --size 160x90 --seed 3 -j 3 -q
    cmp a.mp4 b.mp4
    sb-frames -q --fps 10 a.mp4 | sb-export jsonl -q >frames
    [ "$(wc -l <frames)" -eq 24 ]
    sb-frames -q a.mp4 | sb-check -v | grep -q '\[90,160,3\]'
}

@test "video: the truth has a record a second, with the ids of sb-frames' records" {
    sb-synth video -o dive.mp4 --truth truth.sb --seconds 3.5 --fps 8 --size 96x54 -q
    sb-check truth.sb
    sb-export jsonl -q truth.sb | jq -c '[.pts + 0, .duration + 0]' >times
    [ "$(tr '\n' ' ' <times)" = "[0,1] [1,1] [2,1] [3,0.5] " ]
    sb-export jsonl -q truth.sb | jq -r '.source + " " + .id' >truth
    sb-frames -q dive.mp4 | sb-export jsonl -q | jq -r '.source + " " + .id' >frames
    cmp truth frames
    [ "$(captions truth.sb | wc -l)" -eq 4 ]
}

@test "video: what is in view changes through a dive" {
    sb-synth video -o dive.mp4 --truth truth.sb --seconds 40 --fps 1 --size 96x54 -q
    [ "$(captions truth.sb | sort -u | wc -l)" -ge 8 ]
    [ "$(captions truth.sb | sed 's/.* //' | sort -u | wc -l)" -ge 2 ]
}

@test "wrong usage is told, with status 2" {
    for args in "" "film" "frames" "frames -n 3 --fps 2" "video" "video -o x.mp4 --crops" "video -o x.mp4 --size 33x20" \
        "frames -n 3 --size 10" "frames -n 3 --size 9x9" "frames -n 3 --size 400x20" "frames -n 0" "frames -n 3 --encode gif" \
        "frames -n 3 --crops --size 32x32"; do
        status=0
        sb-synth $args >out 2>err </dev/null || status=$?
        [ "$status" -eq 2 ] || { echo "'$args' gave $status"; false; }
        [ ! -s out ]
        [ -s err ]
    done
    [ ! -e x.mp4 ]
}

@test "a video that can't be written leaves nothing behind, and one line" {
    fails_saying "no/where.mp4" sb-synth video -o no/where.mp4 --seconds 1 --size 64x36 -q
    fails_saying "standard output" sb-synth video -o - --seconds 1 --size 64x36 -q
    fails_saying "/dev/full" sb-synth video -o /dev/full --seconds 1 --size 64x36 -q
    fails_saying "" sb-synth frames -n 3 -q -o /dev/full
    [ -z "$(ls -A)" ]
}
