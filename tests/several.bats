# Several labels a picture.
load helpers
load crops

train() { sb-train -q -j1 --precision f32 --task labels $small "$@"; }

# Beside the crops, which have one label each: frames with the kinds of animal on them, some with none.
setup_file() {
    make_crops
    sb-synth frames -q -n 200 --size 160x90 --seed 5 | sb-split -q --group-by id | sb-tensorize -q --size 32 --fit stretch --drop image -o frames.sb
    train --epochs 8 --batch 16 --lr 0.002 --warmup 1 --flip --mixup 0.2 --balance 0.5 --smooth 0.05 -o reef.safetensors frames.sb >metrics.jsonl
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/* .
}

@test "what is kept has the mean average precision that sb-classify finds" {
    best=$(jq -s 'map(.val_map) | max' metrics.jsonl)
    sb-split -q --part val frames.sb | sb-classify -q --precision f32 -m reef.safetensors -k 8 --min-prob 0.2 --score score.json -o scored.sb
    jq -e "(.map - $best) | fabs < 0.0001" score.json
    jq -e '.threshold == 0.2 and (.classes | length) == 8 and (.classes | all(.average_precision <= 1))' score.json
    # F1 at the threshold, counted from the records.
    sb-export jsonl -q scored.sb | jq -es --slurpfile score score.json '
        map({truth: (.labels | unique), told: (.predicted | map(.[0]))})
        | (map(.truth - (.truth - .told) | length) | add) as $right
        | (map(.truth + .told | length) | add) as $all
        | ($score[0].micro_f1 - 2 * $right / $all) | fabs < 0.0001'
}

@test "a picture has the labels that are probable, best first, and may have none" {
    sb-classify -q -m reef.safetensors -k 8 --min-prob 0 frames.sb | sb-export jsonl -q | jq -c .predicted >all
    jq -es 'all(length == 8 and (map(.[1]) | . == (sort | reverse)))' all
    # Half of the pictures have nothing as probable as this.
    least=$(jq -s 'map(.[0][1]) | sort | .[length / 2 | floor]' all)
    sb-classify -q -m reef.safetensors -k 3 --min-prob "$least" frames.sb | sb-export jsonl -q | jq -c .predicted >some
    jq -es '(map(length) | unique | length) > 1 and min == []' some
    cmp some <(jq -c "map(select(.[1] >= $least)) | .[:3]" all)
    # 0.5 where nothing else is asked for.
    sb-classify -q -m reef.safetensors -k 8 frames.sb | sb-export jsonl -q | jq -c .predicted | cmp - <(jq -c 'map(select(.[1] >= 0.5))' all)
}

@test "an empty list of labels is an example of none, no list is no example" {
    sb-export jsonl -q frames.sb | jq -es 'any(.labels == [])'
    sb-train --task labels $small --epochs 1 -o a.safetensors frames.sb 2>words >a.jsonl
    fails grep -q "without labels" words
    # A `label` counts as a list of one.
    sb-synth frames -q --crops -n 20 --seed 6 | sb-tensorize -q --size 32 --fit stretch -o with.sb
    sb-synth frames -q --crops -n 12 --seed 7 --drop label | sb-tensorize -q --size 32 --fit stretch -o without.sb
    sb-train --task labels $small --epochs 1 -o b.safetensors with.sb 2>words >b.jsonl
    grep "20 to train on" words
    fails_saying "has the field labels or label" train --epochs 1 -o c.safetensors without.sb
}

@test "an unknown label is an error" {
    printf 'fish\nshark\n' >two
    fails_saying "unknown label" train --labels two -o x.safetensors frames.sb
    mkdir -p pictures/kraken
    sb-synth frames -q --crops -n 1 --seed 2 | sb-export png -q -o pictures/kraken/
    sb-import folders -q pictures | sb-tensorize -q -m reef.safetensors -o kraken.sb
    fails_saying "unknown label 'kraken'" sb-classify -q -m reef.safetensors --score score.json -o x.sb kraken.sb
    [ ! -e score.json ]
}
