load helpers
load fixture

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/{dive.mp4,reef.safetensors,words.safetensors} .
}

annotate() { make -s -f "$ROOT/pipelines/annotate.mk" "$@"; }

@test "annotate makes subtitles, JSON lines and a sheet, of a file whose name has spaces" {
    mv dive.mp4 "my first (dive) \$1.mp4"
    annotate VIDEO="my first (dive) \$1.mp4" MODEL=reef.safetensors CAPTIONER=words.safetensors
    cd "my first (dive) \$1"
    head -n 1 "my first (dive) \$1.vtt" | grep -qx WEBVTT
    [ "$(wc -l <labels.jsonl)" -eq 4 ]
    jq -e '.source == "my first (dive) $1.mp4" and (.caption | length) > 0 and (.predicted | length) == 3' labels.jsonl | sort -u | grep -qx true
    head -c 4 contact.png | tail -c 3 | grep -q PNG
    sb-check captioned.sb
}

@test "annotate makes again only what depends on a changed parameter" {
    annotate VIDEO=dive.mp4 MODEL=reef.safetensors 2>/dev/null
    touch -d '1 hour ago' dive/*
    find dive -newermt '10 minutes ago' -name '*.sb' | grep . && return 1
    annotate VIDEO=dive.mp4 MODEL=reef.safetensors 2>/dev/null
    find dive -newermt '10 minutes ago' | grep '\.sb\|\.vtt\|\.png' && return 1
    annotate VIDEO=dive.mp4 MODEL=reef.safetensors TOP=2 2>/dev/null
    [ dive/classified.sb -nt dive/frames.sb ]
    [ -z "$(find dive -newermt '10 minutes ago' -name frames.sb)" ]
    jq -e '.predicted | length == 2' dive/labels.jsonl
}

@test "a failing stage leaves no product and says so" {
    printf 'this is text\n' >text.mp4
    run annotate VIDEO=text.mp4 MODEL=reef.safetensors
    [ "$status" -ne 0 ]
    [ ! -e text/frames.sb ]
    [ ! -e text/text.vtt ]
    run annotate VIDEO=none.mp4 MODEL=reef.safetensors
    [ "$status" -ne 0 ]
    [[ $output == *"none.mp4: no such file"* ]]
}

@test "holdout prints each seed and the mean" {
    mkdir crops
    sb-synth frames -q --crops -n 120 --seed 8 --encode png -o crops.sb
    sb-export png -q --by label -o crops/ crops.sb
    make -s -f "$ROOT/pipelines/holdout.mk" PICTURES=crops GROUP_REGEX='sea-8-[0-9]+' SEEDS='3 4' EPOCHS=2 SIZE=16 ARCH=dim=16,depth=1,heads=2 RECIPE=--flip >said 2>words
    cat said
    grep -q '^seed 3: top-1 0\.[0-9]*, macro-F1 0\.[0-9]* on [0-9]* pictures' said
    grep -q '^seed 4: ' said
    mean=$(jq -s '(.[0].top1 + .[1].top1) / 2' holdout/seed-{3,4}/score.json)
    awk -v m="$mean" '/^mean/ { split($3, a, ","); exit (a[1] - m)^2 > 1e-6 }' said
    # No group stands in two parts.
    sb-export jsonl -q holdout/seed-3/tensors.sb | jq -r '[.group, .split] | @tsv' | sort -u | cut -f1 | uniq -d | grep . && return 1
    [ "$(sb-export jsonl -q holdout/seed-3/tensors.sb | jq -r .split | sort -u | wc -l)" -eq 3 ]
}

@test "the real clips become subtitles" {
    [ -d "$DATA/video" ] || skip "no shared video here"
    for clip in "$DATA"/video/*.mp4; do
        annotate VIDEO="$clip" MODEL=reef.safetensors CAPTIONER=words.safetensors SHORT=240 2>/dev/null
    done
    jq -s 'length' aquarium-hevc-portrait/labels.jsonl | grep -qx 3
    jq -s 'length' tank-h264-vfr/labels.jsonl | grep -qx 23
    jq -s 'length' plankton-h264-444-one-frame/labels.jsonl | grep -qx 1
    jq -s 'length' jellyfish-h264-1080p/labels.jsonl | grep -qx 11
}
