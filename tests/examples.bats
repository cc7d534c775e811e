load helpers
load fixture

# A dive with time, depth and labels, and one that a model labelled.
setup_file() {
    make_fixture "$BATS_FILE_TMPDIR"
    printf 'time,lat,lon,depth\n2026-07-03T14:59:58Z,36.7,-122,10\n2026-07-03T15:00:28Z,36.71,-122.01,300\n' >nav.csv
    sb-frames -q --encode jpeg --start-time 2026-07-03T14:59:58Z --nav nav.csv dive.mp4 | sb-join -q --on source,pts --columns label dive.truth.sb -o seen.sb
    sb-tensorize -q -m reef.safetensors seen.sb | sb-classify -q -m reef.safetensors --drop tensor,image,label -o labelled.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/{dive.mp4,labelled.sb,reef.safetensors} .
    examples=$ROOT/examples
}

needs_python() {
    for package in "$@"; do python3 -c "import $package" 2>/dev/null || skip "python3 with $package is not here"; done
}

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] && [ "$(stat -c %s "$1")" -gt 2000 ]; }

@test "read_stream.py, and a stream that is cut off" {
    needs_python msgpack msgpack_numpy
    python3 "$examples/read_stream.py" labelled.sb >said
    [ "$(head -n 1 said)" = "made by: sb-frames, sb-join, sb-tensorize, sb-classify" ]
    [ "$(wc -l <said)" -eq 5 ]
    head -c -40 labelled.sb >cut.sb
    run python3 "$examples/read_stream.py" cut.sb
    [ "$status" -eq 1 ]
}

@test "write_stream.py, and top_labels.sh of what was made of it" {
    needs_python msgpack msgpack_numpy
    python3 "$examples/write_stream.py" 5 >mine.sb
    sb-tensorize -q -m reef.safetensors mine.sb | sb-classify -q -m reef.safetensors -o mine.labelled.sb
    sb-check mine.labelled.sb
    sb-export jsonl -q mine.labelled.sb | jq -e '.source == "mine" and (.predicted | length) > 0' | sort -u | grep -qx true
    "$examples/top_labels.sh" mine.labelled.sb | awk '{ n += $1 } END { exit n != 5 }'
}

@test "filter_stream.py between two programs" {
    needs_python msgpack msgpack_numpy
    frames=$(sb-frames -q dive.mp4 | sb-export jsonl -q | wc -l)
    sb-frames -q dive.mp4 | sb-pipe -q --same-count -- python3 "$examples/filter_stream.py" 0 | sb-tensorize -q -m reef.safetensors |
        sb-classify -q -m reef.safetensors -o all.sb
    sb-check -v all.sb | grep -q '^  sb-pipe 0.1.0 --same-count -- python3 filter_stream.py 0$'
    [ "$(sb-export jsonl -q all.sb | jq -r 'select(.brightness > 0 and .predicted) | .source' | wc -l)" -eq "$frames" ]
    [ "$(sb-frames -q dive.mp4 | sb-pipe -- "$examples/filter_stream.py" 256 2>&1 >none.sb)" = "sb-pipe: $frames in, 0 out, $frames dropped by filter_stream.py" ]
    sb-check none.sb
    sb-frames -q dive.mp4 | head -c -40 >cut.sb
    fails_saying "sb-pipe: cut.sb: stream cut off after" sb-pipe -q cut.sb -- "$examples/filter_stream.py" 0
}

@test "plot_labels.py: over time and depth, and without either" {
    needs_python msgpack matplotlib
    python3 "$examples/plot_labels.py" labelled.sb deep.png
    is_png deep.png
    sb-frames -q dive.mp4 | sb-tensorize -q -m reef.safetensors | sb-classify -q -m reef.safetensors --drop image,tensor -o plain.sb
    python3 "$examples/plot_labels.py" plain.sb plain.png
    is_png plain.png
    fails cmp -s deep.png plain.png
}

@test "join_ctd.py: readings come to records, and back into the stream by sb-join" {
    needs_python pandas
    printf 'time,temperature,salinity\n2026-07-03T14:59:59Z,8.5,34.1\n2026-07-03T15:00:01Z,7.5,34.2\n2026-07-03T18:00:00Z,1,1\n' >ctd.csv
    sb-export csv -q --columns id,time labelled.sb | python3 "$examples/join_ctd.py" ctd.csv >readings.csv 2>said
    [ "$(cat said)" = "4 of 4 records have a reading" ]
    sb-join -q readings.csv labelled.sb -o with_ctd.sb
    [ "$(sb-export jsonl -q with_ctd.sb | jq .temperature | xargs)" = "8.5 8.5 8.5 7.5" ]
}

@test "labels_by_hour.R: a table and a plot" {
    command -v Rscript >/dev/null || skip "R is not here"
    sb-export csv -q labelled.sb | Rscript "$examples/labels_by_hour.R" hours.png >said
    is_png hours.png
    # Two frames before three o'clock, two after.
    [ "$(awk 'NR > 2 { before += $(NF - 1); after += $NF } END { print before, after }' said)" = "2 2" ]
    sb-export csv -q --columns id,label labelled.sb | fails Rscript "$examples/labels_by_hour.R" none.png 2>/dev/null
    [ ! -e none.png ]
}

@test "sure_labels.R: of JSON lines" {
    Rscript -e 'library(jsonlite)' >/dev/null 2>&1 || skip "R with jsonlite is not here"
    sb-export jsonl -q labelled.sb | Rscript "$examples/sure_labels.R" >said
    [ "$(awk 'NR > 1 { n += $(NF - 2) } END { print n }' said)" -eq 4 ]
    "$examples/top_labels.sh" labelled.sb | while read -r count label; do grep -qE " $label +$count(\.0+)? " said; done
}

@test "every example is run by a test" {
    for file in "$examples"/*; do grep -q "examples/$(basename "$file")" "$ROOT"/tests/*.bats; done
}
