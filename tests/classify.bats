load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q --crops -n 60 --size 320x180 --seed 21 | sb-tensorize -q --size 32 --fit stretch --drop image -o tensors.sb
    sb-train -q --arch dim=48,depth=2,heads=3 --patch 8 --epochs 2 -o reef.safetensors tensors.sb >metrics.jsonl
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{tensors.sb,reef.safetensors} .
}

@test "probabilities are in order and, over all classes, add up to one" {
    sb-classify -q -m reef.safetensors --top 100 tensors.sb | sb-export jsonl -q >all.jsonl
    [ "$(wc -l <all.jsonl)" -eq "$(sb-export jsonl -q tensors.sb | wc -l)" ]
    jq -e '[.predicted[][1]] | (. == (sort | reverse)) and ((add - 1) | fabs < 0.0001)' all.jsonl >said
    fails grep -q false said
    sb-classify -q -m reef.safetensors --top 2 tensors.sb | sb-export jsonl -q | jq -e '.predicted | length == 2' | sort -u | grep -qx true
}

@test "order and the other fields stay, --drop drops" {
    sb-classify -q -m reef.safetensors --drop tensor --batch 7 tensors.sb | sb-export jsonl -q | jq -c '[.id, .label, .tensor]' >after
    sb-export jsonl -q tensors.sb | jq -c '[.id, .label, null]' >before
    cmp before after
}

@test "batches, threads and backends agree" {
    sb-classify -q -m reef.safetensors --embed --precision f32 tensors.sb | sb-export jsonl -q | jq -c '[.predicted[0][1], .embedding[]][]' >a
    sb-classify -q -m reef.safetensors --embed --precision f32 --batch 1 tensors.sb | sb-export jsonl -q | jq -c '[.predicted[0][1], .embedding[]][]' >b
    sb-classify -q -m reef.safetensors --embed --precision f32 --device ref tensors.sb | sb-export jsonl -q | jq -c '[.predicted[0][1], .embedding[]][]' >c
    paste a b c | awk '{ if (($1 - $2)^2 > 1e-8 || ($1 - $3)^2 > 1e-8) bad++ } END { exit bad > 0 || NR == 0 }'
}

@test "below --min-prob the label is unknown" {
    sb-classify -q -m reef.safetensors --min-prob 1 tensors.sb | sb-export jsonl -q | jq -c '[.predicted[][0]]' | sort -u >labels
    [ "$(cat labels)" = '["unknown"]' ]
}

@test "--score agrees with counting the records" {
    sb-classify -q -m reef.safetensors --score score.json tensors.sb | sb-export jsonl -q >all.jsonl
    counted=$(jq -s 'map(select(.label == .predicted[0][0])) | length' all.jsonl)
    jq -e "(.top1 * .records - $counted) | fabs < 0.001" score.json
    jq -e '[.classes[].records] | add == '"$(wc -l <all.jsonl)" score.json
}

# A source that sends all but the end of its last record and then stays silent: WANT records are answered before it ends.
answers_live() {
    local want=$1
    shift
    mkfifo live
    sb-classify -q -m reef.safetensors "$@" live >out.sb &
    exec 9>live
    head -c -100 tensors.sb >&9
    for i in $(seq 100); do
        answered=$(sb-check -v -n "$want" out.sb >/dev/null 2>&1 && echo yes || echo no)
        [ "$answered" = yes ] && break
        sleep 0.1
    done
    [ "$answered" = yes ]
    tail -c 100 tensors.sb >&9
    exec 9>&-
    wait
    sb-check out.sb
}

@test "--max-wait answers a live source before its end" {
    records=$(sb-export jsonl -q tensors.sb | wc -l)
    answers_live $((records - 2)) --batch 4096 --max-wait 50
}

@test "a batch that is done does not wait for the next record" {
    records=$(sb-export jsonl -q tensors.sb | wc -l)
    answers_live $(((records - 2) / 7 * 7)) --batch 7
}

@test "a tensor stream written by hand, without a header, is classified" {
    python3 -c 'import msgpack, msgpack_numpy, numpy' 2>/dev/null || skip "python3 with msgpack-numpy is not here"
    python3 - >hand.sb <<'PY'
import sys, msgpack, msgpack_numpy, numpy as np
for i in range(3):
    sys.stdout.buffer.write(msgpack.packb({"name": "p%d" % i, "image": np.full((40, 50, 3), 60 * i, np.uint8)}, default=msgpack_numpy.encode))
PY
    sb-tensorize -q -m reef.safetensors hand.sb | sb-classify -q -m reef.safetensors -o out.sb
    sb-export jsonl -q out.sb | jq -r '.name' | paste -sd' ' | grep -qx 'p0 p1 p2'
    python3 - <<'PY'
import msgpack, msgpack_numpy
records = list(msgpack.Unpacker(open("out.sb", "rb"), object_hook=msgpack_numpy.decode))
assert records[0]["seabot"] == 1 and records[-1]["end"] == 3
assert records[1]["tensor"].shape == (3, 32, 32) and records[1]["image"][0, 0, 0] == 0
assert abs(sum(p for _, p in records[2]["predicted"]) - 1) < 1
PY
}

@test "tensors that nothing is said of are taken, with a line; those that are not numbers are not" {
    python3 -c 'import msgpack, msgpack_numpy, numpy' 2>/dev/null || skip "python3 with msgpack-numpy is not here"
    write() { python3 -c "
import sys, msgpack, msgpack_numpy, numpy as np
for i in range(2):
    tensor = np.full((3, 32, 32), 0.5, np.float32)
    tensor[1, 2, i] = $1
    sys.stdout.buffer.write(msgpack.packb({'tensor': tensor}, default=msgpack_numpy.encode))"; }
    write 0.25 | sb-classify -m reef.safetensors -o out.sb 2>said
    grep -q 'does not say how its tensors were made' said
    sb-export jsonl -q out.sb | jq -e '.predicted[0][1] > 0' | sort -u | grep -qx true
    write np.nan >none.sb
    fails_saying "record 1: its tensor holds values that are not finite numbers" sb-classify -q -m reef.safetensors none.sb
}

# A tiny model as transformers or timm saves it, and pictures for it: foreign transformers-vit-head
foreign() {
    rm -rf foreign
    cp -r "$ROOT/tests/golden/names/$1" foreign
    cp "$ROOT/tests/golden/preprocess/vit.json" foreign/preprocessor_config.json
    sed -i 's/48/12/' foreign/preprocessor_config.json
    sb-synth frames -q --crops -n 6 --size 160x90 --seed 3 | sb-tensorize -q -m foreign/model.safetensors -o pictures.sb
}

@test "a model of transformers is used as it is: its files say how pictures are prepared and what classes are called" {
    foreign transformers-vit-head
    sb-classify -q -m foreign/model.safetensors pictures.sb | sb-export jsonl -q | jq -c '[.predicted[][0]] | sort' | sort -u >labels
    [ "$(cat labels)" = '["crab","fish","kelp"]' ]
    printf 'Cancer pagurus\n\nPisces\nLaminaria\n' >names
    sb-classify -q -m foreign/model.safetensors --labels names pictures.sb | sb-export jsonl -q | jq -c '[.predicted[][0]] | sort' | sort -u >labels
    [ "$(cat labels)" = '["Cancer pagurus","Laminaria","Pisces"]' ]
    printf 'crab\nfish\n' >two
    fails_saying "two names 2 classes, the head of foreign/model.safetensors has 3" sb-classify -m foreign/model.safetensors --labels two pictures.sb
    printf 'crab\nfish\ncrab\n' >twice
    fails_saying "the same name" sb-classify -m foreign/model.safetensors --labels twice --score score.json pictures.sb
}

@test "where transformers says that a picture may have several labels, each has a probability of its own" {
    foreign transformers-vit-head
    sb-classify -q -m foreign/model.safetensors pictures.sb | sb-export jsonl -q | jq -c '[.predicted[][0]]' >order
    sed -i 's/"model_type"/"problem_type": "multi_label_classification", "model_type"/' foreign/config.json
    sb-classify -q -m foreign/model.safetensors --min-prob 0 pictures.sb | sb-export jsonl -q >several
    cmp order <(jq -c '[.predicted[][0]]' several)
    jq -e '[.predicted[][1]] | (add - 1) | fabs > 0.01' several | sort -u | grep -qx true
}

@test "what neither a foreign model nor a file beside it says is asked for" {
    foreign transformers-vit-head
    rm foreign/preprocessor_config.json
    fails_saying "give --mean, --std and --size" sb-classify -m foreign/model.safetensors pictures.sb
    how="--size 12 --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5"
    sb-classify -q -m foreign/model.safetensors $how -o out.sb pictures.sb
    fails_saying "std 0.5,0.5,0.5, the model wants 0.5,0.5,0.25" sb-classify -m foreign/model.safetensors $how --std 0.5,0.5,0.25 pictures.sb
    fails_saying "not whole patches of 4" sb-classify -m foreign/model.safetensors $how --size 13 pictures.sb
    sed -i 's/"2": "kelp"/"2": "kelp", "3": "eel"/' foreign/config.json
    fails_saying "the config.json beside it names 4 classes, the head of foreign/model.safetensors has 3" sb-classify -m foreign/model.safetensors $how pictures.sb
    sed -i 's/id2label/id2name/' foreign/config.json
    fails_saying "give --labels FILE" sb-classify -m foreign/model.safetensors $how pictures.sb
    sb-classify -m foreign/model.safetensors $how --embed -o out.sb pictures.sb 2>said
    grep -q "what its 3 classes are called: embeddings alone" said
    [ "$(sb-export jsonl -q out.sb | jq -c '[has("predicted"), has("embedding")]' | sort -u)" = '[false,true]' ]
    run sb-classify -m foreign/model.safetensors --mean 1,2 --size 12 --std 1,1,1 pictures.sb
    [ "$status" -eq 2 ]
}

@test "a model computes at another size where both programs are told so" {
    foreign transformers-vit-head
    sb-synth frames -q --crops -n 6 --size 160x90 --seed 3 | sb-tensorize -q -m foreign/model.safetensors --size 20 -o larger.sb
    fails_saying "size 20, the model wants 12" sb-classify -m foreign/model.safetensors larger.sb
    sb-classify -q -m foreign/model.safetensors --size 20 larger.sb | sb-export jsonl -q | jq -e '[.predicted[][1]] | (add - 1) | fabs < 0.0001' | sort -u | grep -qx true
}

@test "a model without a head gives embeddings alone" {
    foreign transformers-dinov2
    fails_saying "with --embed" sb-classify -m foreign/model.safetensors pictures.sb
    fails_saying "without --score" sb-classify -m foreign/model.safetensors --embed --score score.json pictures.sb
    [ ! -e score.json ]
    sb-classify -q -m foreign/model.safetensors --embed -o out.sb pictures.sb
    sb-check -v out.sb | grep -q '^  embedding  *f32  *all  *\[16\]'
    [ "$(sb-export jsonl -q out.sb | jq -r 'has("predicted")' | sort -u)" = false ]
    printf 'crab\n' >names
    fails_saying "has no head" sb-classify -m foreign/model.safetensors --embed --labels names pictures.sb
}

@test "a model trained on crops warns once where it is given whole frames" {
    sb-synth frames -q -n 4 --size 160x90 --seed 2 | sb-tensorize -q -m reef.safetensors -o frames.sb
    sb-classify -m reef.safetensors -o out.sb frames.sb 2>said
    [ "$(grep -c 'trained on crops' said)" -eq 1 ]
    sb-classify -m reef.safetensors -o out.sb tensors.sb 2>said
    [ "$(grep -c 'trained on crops' said)" -eq 0 ]
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 --task labels -o frames.safetensors frames.sb >metrics.jsonl
    sb-classify -m frames.safetensors -o out.sb frames.sb 2>said
    [ "$(grep -c 'trained on crops' said)" -eq 0 ]
}

@test "bad input: one clear line each" {
    sb-synth frames -q --crops -n 4 --size 160x90 --seed 2 -o plain.sb
    fails_saying "no field 'tensor'" sb-classify -m reef.safetensors plain.sb
    sb-tensorize -q --size 64 plain.sb -o large.sb
    fails_saying "tensorized otherwise" sb-classify -m reef.safetensors large.sb
    sb-tensorize -q --size 32 plain.sb -o other.sb
    fails_saying "tensorized otherwise" sb-classify -m reef.safetensors other.sb
    head -c 30000 tensors.sb >cut.sb
    fails_saying "cut off" sb-classify -m reef.safetensors -o x.sb cut.sb
    [ ! -e x.sb ]
    fails_saying "space" sb-classify -q -m reef.safetensors -o /dev/full tensors.sb
    fails_saying "none.safetensors" sb-classify -m none.safetensors tensors.sb
    head -c 5000 reef.safetensors >short.safetensors
    fails_saying "short.safetensors" sb-classify -m short.safetensors tensors.sb
    sb-synth frames -q --crops -n 40 --size 320x180 --seed 5 | sb-tensorize -q -m reef.safetensors -o more.sb
    mkdir -p pictures/only
    sb-export png -q -o pictures/only/ plain.sb
    sb-import folders -q pictures | sb-tensorize -q --size 32 --fit stretch -o one.sb
    sb-train --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 -o few.safetensors one.sb >few.jsonl 2>said
    grep -q "one class alone, 'only'" said
    fails_saying "unknown label" sb-classify -q -m few.safetensors --score score.json -o x.sb more.sb
}
