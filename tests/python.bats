load helpers
load fixture

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/{dive.mp4,dive.sb,crops.sb,reef.safetensors,words.safetensors} .
}

needs_python() {
    python3 -c 'import msgpack, msgpack_numpy, numpy' 2>/dev/null || skip "python3 with msgpack and msgpack-numpy is not here"
}

needs_timm() {
    needs_python
    python3 -c 'import timm, torch' 2>/dev/null || skip "python3 with timm and torch is not here"
}

@test "Python reads every program's stream" {
    needs_python
    sb-dedup -q --mark crops.sb -o a.sb
    sb-cluster -q -k 3 a.sb -o b.sb
    sb-split -q b.sb -o c.sb
    sb-tensorize -q -m reef.safetensors c.sb -o d.sb
    sb-tensorize -q --size 16 --fit stretch --type f32 c.sb -o e.sb
    sb-classify -q -m reef.safetensors --embed d.sb -o f.sb
    sb-tensorize -q -m words.safetensors f.sb | sb-caption -q -m words.safetensors -o g.sb
    for stream in *.sb; do
        sb-check "$stream"
        python3 "$ROOT/examples/read_stream.py" "$stream" >said
        # The header's line, and one a record.
        [ "$(wc -l <said)" -eq $((1 + $(sb-export jsonl -q "$stream" | wc -l))) ]
    done
    python3 - <<'PY'
import msgpack, msgpack_numpy, numpy as np
read = lambda name: list(msgpack.Unpacker(open(name, "rb"), object_hook=msgpack_numpy.decode))[1:-1]
for u8, f32 in zip(read("d.sb"), read("e.sb")):
    assert u8["tensor"].dtype == np.uint8 and f32["tensor"].dtype == np.float32
    assert np.abs((u8["tensor"] / 255 - 0.5) / 0.5 - f32["tensor"]).max() < 1e-6
last = read("g.sb")[0]
assert last["embedding"].shape == (16,) and last["box"].shape == (4,) and len(last["phash"]) == 8 and last["caption"]
PY
}

@test "tensors that are not what the header says are refused" {
    needs_python
    sb-tensorize -q -m reef.safetensors crops.sb -o d.sb
    python3 - <<'PY'
import msgpack, msgpack_numpy, numpy as np
header, record = list(msgpack.Unpacker(open("d.sb", "rb"), object_hook=msgpack_numpy.decode))[:2]
record["tensor"] = record["tensor"].astype(np.float32)  # and mean and deviation are not applied
with open("mixed.sb", "wb") as f:
    for item in header, record:
        f.write(msgpack.packb(item, default=msgpack_numpy.encode))
PY
    fails_saying "not applied" sb-classify --batch 1 -m reef.safetensors mixed.sb
}

@test "a loss that is not a number ends the training, and is no metric" {
    needs_python
    sb-split -q crops.sb | sb-tensorize -q --size 16 --fit stretch --type f32 -o real.sb
    for part in train:"no longer a number" val:"validation loss is not a number"; do
        python3 - ${part%%:*} <<'PY'
import msgpack, msgpack_numpy, numpy as np, sys
items = list(msgpack.Unpacker(open("real.sb", "rb"), object_hook=msgpack_numpy.decode))[:-1]
wrong = next(item for item in items[1:] if item["split"] == sys.argv[1])
wrong["tensor"] = np.full_like(wrong["tensor"], np.nan)
open("wrong.sb", "wb").write(b"".join(msgpack.packb(item, default=msgpack_numpy.encode) for item in items[1:]))
PY
        fails_saying "${part#*:}" sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 -o x.safetensors wrong.sb
        [ ! -e x.safetensors ]
    done
}

@test "what sb-train writes, timm loads, and computes the same" {
    needs_timm
    local from=$ROOT/tests/golden/names shape="dim=16,depth=2,heads=2,hidden=32"
    sb-split -q crops.sb | sb-tensorize -q --size 12 --fit stretch -o small.sb
    train() { sb-train -q --epochs 1 --warmup 0 --precision f32 -o "$1.safetensors" "${@:2}" small.sb >"$1.jsonl"; }
    train class --arch $shape --patch 4
    train mean --arch $shape --patch 4 --pool mean
    train registers --init "$from/timm-registers/model.safetensors"
    train meta --init "$from/meta-dinov2/model.safetensors"
    train fc-norm --init "$from/timm-fc-norm/model.safetensors"
    sb-split -q crops.sb | sb-tensorize -q --size 32 --fit stretch -o small.sb
    train resnet --arch resnet18
    for model in class mean registers meta fc-norm resnet; do
        sb-split -q crops.sb | sb-tensorize -q -m $model.safetensors | sb-classify -q -m $model.safetensors --precision f32 -k 100 --embed -o $model.sb
    done
    python3 "$ROOT/tests/golden/way_back.py"
}
