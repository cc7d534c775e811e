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
    ! grep -q false said
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

# A source that sends some records and then stays silent, but for the end of it.
@test "--max-wait answers a live source before its end" {
    mkfifo live
    records=$(sb-export jsonl -q tensors.sb | wc -l)
    sb-classify -q -m reef.safetensors --batch 4096 --max-wait 50 live >out.sb &
    exec 9>live
    head -c -100 tensors.sb >&9
    for i in $(seq 100); do
        answered=$(sb-check -v -n $((records - 2)) out.sb >/dev/null 2>&1 && echo yes || echo no)
        [ "$answered" = yes ] && break
        sleep 0.1
    done
    [ "$answered" = yes ]
    tail -c 100 tensors.sb >&9
    exec 9>&-
    wait
    sb-check out.sb
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
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 -o few.safetensors one.sb >few.jsonl
    fails_saying "unknown label" sb-classify -q -m few.safetensors --score score.json -o x.sb more.sb
}
