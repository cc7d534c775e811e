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
    fails grep -q '^$\|<' said
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
    # Whatever else would not fit.
    fails_saying "no decoder" sb-caption -m "$ROOT/tests/golden/names/timm/model.safetensors" crops.sb
    fails_saying "no head" sb-classify -m words.safetensors tensors.sb
}

@test "bad input: one clear line each" {
    fails_saying "no field 'tensor'" sb-caption -m words.safetensors <(sb-synth frames -q -n 2 --size 160x90)
    head -c 30000 tensors.sb >cut.sb
    fails_saying "cut off" sb-caption -m words.safetensors -o x.sb cut.sb
    [ ! -e x.sb ]
    fails_saying "space" sb-caption -q -m words.safetensors -o /dev/full tensors.sb
}

# Trains a captioner on tensors.sb.
train() { sb-train -q --task caption --arch dim=48,depth=2,heads=3 --patch 8 --batch 8 --lr 0.004 --warmup 1 --precision f32 "$@" tensors.sb >metrics.jsonl; }

@test "GPT-2's tokens make sentences, and travel with the model" {
    cp -r "$ROOT/tests/golden/gpt2" gpt2
    train --decoder dim=48,depth=2,heads=3 --tokenizer gpt2 --epochs 24 -o words.new
    rm -r gpt2
    mv words.new elsewhere.safetensors
    sb-caption -q --precision f32 -m elsewhere.safetensors tensors.sb | sb-export jsonl -q | jq -r .caption >said
    [ "$(wc -l <said)" -eq 40 ]
    iconv -f utf-8 -t utf-8 said | cmp - said
    # Whole words come back, of pieces that were put together: most of them stand in the data's captions.
    sb-export jsonl -q tensors.sb | jq -r .caption | tr -s ' ,' '\n' | sort -u >known
    tr -s ' ,' '\n' <said | grep . >words
    [ "$(wc -l <words)" -gt 120 ]
    [ "$(grep -cvxFf known words)" -lt "$(($(wc -l <words) / 5))" ]
    # The same tokens: such a model goes on where it was; whole words are others.
    train --decoder dim=48,depth=2,heads=3 --tokenizer "$ROOT/tests/golden/gpt2" --epochs 1 --init elsewhere.safetensors -o again.safetensors
    sb-train --task caption --arch dim=48,depth=2,heads=3 --decoder dim=48,depth=2,heads=3 --patch 8 --epochs 1 --init elsewhere.safetensors \
        -o other.safetensors tensors.sb 2>err >metrics.other
    grep -q "the decoder starts anew" err
    jq -se '.[0].train_loss < 1' metrics.jsonl
    jq -se '.[0].train_loss > 2' metrics.other
}

@test "a decoder takes GPT-2's weights, and its tokenizer beside them" {
    sb-train --task caption --arch dim=48,depth=2,heads=3 --patch 8 --decoder "$ROOT/tests/golden/gpt2/model.safetensors" --length 20 \
        --epochs 2 --batch 8 -o taken.safetensors tensors.sb 2>err >metrics.jsonl
    grep -q "took all 28 tensors of the decoder" err
    grep -q "352 words" err
    sb-caption -q -m taken.safetensors tensors.sb | sb-export jsonl -q | jq -r .caption >said
    [ "$(wc -l <said)" -eq 40 ]
    iconv -f utf-8 -t utf-8 said | cmp - said
    # What it was is told by its hash, and where it lay is not.
    grep -aqE 'files\\":\{\\"model.safetensors\\":\\"[0-9a-f]{32}\\"' taken.safetensors
    [ "$(grep -acF "$ROOT" taken.safetensors)" -eq 0 ]
}

@test "decoders and tokenizers that do not fit: one clear line each" {
    mkdir alone
    cp "$ROOT/tests/golden/gpt2/model.safetensors" "$ROOT/tests/golden/gpt2/config.json" alone
    fails_saying "alone/vocab.json: No such file" sb-train --task caption --decoder alone/model.safetensors -o x.safetensors tensors.sb
    fails_saying "it has 24 positions, --length wants 32" sb-train --task caption --decoder "$ROOT/tests/golden/gpt2/model.safetensors" -o x.safetensors tensors.sb
    fails_saying "not a GPT-2" sb-train --task caption --decoder reef.safetensors -o x.safetensors tensors.sb
    fails_saying "none/vocab.json" sb-train --task caption --tokenizer none -o x.safetensors tensors.sb
    run sb-train --task label --tokenizer "$ROOT/tests/golden/gpt2" -o x.safetensors crops.sb
    [ "$status" -eq 2 ]
    [ ! -e x.safetensors ]
}
