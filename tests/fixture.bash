# A small dive and small models, made once for each file that loads this, in $BATS_FILE_TMPDIR:
# dive.mp4 dive.truth.sb dive.sb crops.sb crops/LABEL/*.png reef.safetensors words.safetensors
make_fixture() {
    cd "$1" || return 1
    sb-synth video -q --seconds 4 --size 320x180 --fps 5 --seed 3 --truth dive.truth.sb -o dive.mp4
    sb-frames -q --encode jpeg -o dive.sb dive.mp4
    sb-synth frames -q --crops -n 60 --encode png --seed 4 -o crops.sb
    sb-export png -q --by label -o crops/ crops.sb
    sb-split -q crops.sb | sb-tensorize -q --size 16 --fit stretch -o crops.tensors.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 --warmup 0 -o reef.safetensors crops.tensors.sb >reef.jsonl
    sb-synth frames -q -n 24 --size 160x90 --seed 5 | sb-tensorize -q --size 16 --fit stretch -o frames.tensors.sb
    sb-train -q --task caption --arch dim=16,depth=1,heads=2 --decoder dim=16,depth=1,heads=2 --patch 8 --epochs 1 --warmup 0 -o words.safetensors frames.tensors.sb >words.jsonl
    rm -- *.tensors.sb *.jsonl
}

# A file that needs more defines its own, which calls make_fixture.
setup_file() { make_fixture "$BATS_FILE_TMPDIR"; }
