load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 40 --size 160x90 --seed 31 | sb-tensorize -q --size 32 --fit stretch --drop image -o tensors.sb
    sb-train -q --task caption --arch dim=48,depth=2,heads=3 --decoder dim=48,depth=2,heads=3 --patch 8 --epochs 6 --lr 0.002 --warmup 1 -o words.safetensors tensors.sb >metrics.jsonl
    sb-synth frames -q --crops -n 30 --size 160x90 --seed 3 | sb-tensorize -q --size 32 --fit stretch -o crops.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 -o reef.safetensors crops.sb >reef.jsonl
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{tensors.sb,words.safetensors,reef.safetensors,crops.sb} .
}

captions() { sb-caption -q --precision f32 -m words.safetensors "$@" | sb-export jsonl -q | jq -r .caption; }

@test "each record gets a sentence in place of the old one, in order" {
    captions tensors.sb >said
    [ "$(wc -l <said)" -eq 40 ]
    ! grep -q '^$\|<' said
    sb-caption -q -m words.safetensors tensors.sb | sb-export jsonl -q | jq -r .id >after
    sb-export jsonl -q tensors.sb | jq -r .id | cmp - after
}

@test "batches and backends say the same" {
    captions tensors.sb >a
    captions --batch 1 tensors.sb >b
    captions --batch 7 --device ref tensors.sb >c
    cmp a b
    # A tie may fall the other way on another backend; more than one in forty is no tie.
    [ "$(diff a c | grep -c '^<')" -le 1 ]
}

@test "a classifier is no captioner, a captioner no classifier" {
    fails_saying "no decoder" sb-caption -m reef.safetensors crops.sb
    fails_saying "no head" sb-classify -m words.safetensors tensors.sb
}

@test "bad input: one clear line each" {
    fails_saying "no field 'tensor'" sb-caption -m words.safetensors <(sb-synth frames -q -n 2 --size 160x90)
    head -c 30000 tensors.sb >cut.sb
    fails_saying "cut off" sb-caption -m words.safetensors -o x.sb cut.sb
    [ ! -e x.sb ]
    fails_saying "space" sb-caption -q -m words.safetensors -o /dev/full tensors.sb
}
