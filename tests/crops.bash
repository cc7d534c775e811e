# For the files that train: crops of a synthetic sea in $BATS_FILE_TMPDIR, which each test finds in its own directory.
make_crops() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q --crops -n 160 --size 320x180 --seed 11 -o crops.sb
    sb-split -q --stratify crops.sb | sb-tensorize -q --size 32 --fit stretch --drop image -o tensors.sb
}

# A file that needs more defines its own, which calls make_crops.
setup_file() { make_crops; }

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb .
}

# The bytes of one tensor of a safetensors file.
tensor_bytes() {
    local header range
    header=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    range=$(head -c $((8 + header)) "$1" | tail -c "$header" | jq -r --arg name "$2" '.[$name].data_offsets | @tsv')
    set -- "$1" "$2" $range
    tail -c +$((8 + header + $3 + 1)) "$1" | head -c $(($4 - $3))
}

small="--arch dim=48,depth=2,heads=3 --patch 8"

# A text of its metadata.
metadata() {
    head -c $((8 + $(od -An -t u8 -N 8 "$1"))) "$1" | tail -c +9 | jq -r ".__metadata__.$2"
}
