load helpers
load fixture

# Models of timm, transformers and Meta lie in tests/golden/names, each with its config.json.
setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/crops.sb .
    NAMES=$ROOT/tests/golden/names
    sb-split -q crops.sb | sb-tensorize -q --size 12 --fit stretch -o tensors.sb
}

train() { sb-train -q --epochs 1 --warmup 0 "$@" tensors.sb; }

@test "a model of transformers classifies as it is" {
    local how="--size 12 --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5"
    sb-classify -q $how -m "$NAMES/transformers-vit-head/model.safetensors" tensors.sb -o out.sb
    sb-export jsonl -q out.sb | jq -r '.predicted | length, .[][0]' | sort | uniq -c >said
    diff <(awk '{print $2, $1}' said) <(printf '%s\n' '3 60' 'crab 60' 'fish 60' 'kelp 60')
}

@test "tensors of no use are counted, and named" {
    sb-classify --embed --size 12 --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5 -m "$NAMES/transformers-dinov2-head/model.safetensors" tensors.sb \
        2>said >/dev/null
    grep -q "2 of its 22 tensors are not used: 'classifier.bias', f32 \[3\]" said
}

@test "init without arch takes the shape of the file, and the picture's size of the stream" {
    sb-tensorize -q --size 24 --fit stretch crops.sb | sb-split -q -o large.sb
    sb-train --epochs 1 --init "$NAMES/meta-dinov2/model.safetensors" -o a.safetensors large.sb 2>said >/dev/null
    grep -q 'took 35 of its 35 tensors, for 37 of the model.s; positions resized; the head starts anew' said
    head -c 6000 a.safetensors | grep -aq '\\"registers\\":2.*\\"size\\":24'
    # What it became starts the next one, by the same words and with nothing left over.
    sb-train --epochs 1 --init a.safetensors -o b.safetensors large.sb 2>said >/dev/null
    grep -q 'took 37 of its 37 tensors, for 37 of the model.s$' said
}

@test "what does not go with the file is said" {
    local model=$NAMES/timm/model.safetensors
    fails_saying 'patches are of 4 pixels, --patch wants 6' train --patch 6 --init "$model" -o x.safetensors
    fails_saying 'its embedding is the class token, --pool wants another' train --pool mean --init "$model" -o x.safetensors
    fails_saying "tensor 'patch_embed.proj.weight' is f32 [16,3,4,4], wanted [32,3,4,4]" \
        train --arch dim=32,depth=1,heads=2 --patch 4 --init "$model" -o x.safetensors
    fails_saying 'it is a ViT, wanted a ResNet' train --arch resnet20 --init "$model" -o x.safetensors
    cp "$model" alone.safetensors
    fails_saying 'no config.json beside it says how many heads' train --init alone.safetensors -o x.safetensors
    train --arch dim=16,depth=1,heads=2,hidden=32 --patch 4 --init alone.safetensors -o x.safetensors >/dev/null
}

# By what it holds, not by what it is called; three lines: what it is, and the two that convert it.
refuses_pickle() {
    local status=0
    "$@" >/dev/null 2>said || status=$?
    [ "$status" -eq 1 ]
    [ "$(wc -l <said)" -eq 3 ]
    head -n 1 said | grep -q ': a pickle, as torch.save writes it'
    sed -n 2p said | grep -q '^import torch, safetensors.torch; '
    sed -n 3p said | grep -q '^safetensors.torch.save_file('
}

@test "a pickle is refused with the lines that convert it, wherever a model is opened" {
    printf 'PK\003\004\000\000\010\010\000\000\000\000\000\000archive/data.pkl' >zip.safetensors
    printf '\200\002\212\012l\374\234F\371 j\250P\031.' >bare.bin
    for file in zip.safetensors bare.bin; do
        refuses_pickle sb-classify -m $file tensors.sb
        refuses_pickle sb-tensorize -m $file crops.sb
        refuses_pickle sb-caption -m $file tensors.sb
        refuses_pickle train --init $file -o x.safetensors
    done
}

@test "the two lines convert what torch.save wrote" {
    python3 -c 'import torch, safetensors' 2>/dev/null || skip "python3 with torch and safetensors is not here"
    python3 - "$NAMES/meta-dinov2/model.safetensors" <<'PY'
import safetensors.torch, sys, torch
torch.save({"state_dict": safetensors.torch.load_file(sys.argv[1]), "epoch": 3}, "net.pth.tar")
PY
    refuses_pickle train --init net.pth.tar -o x.safetensors
    sed -n 2,3p said >convert.py
    python3 convert.py
    cp "$NAMES/meta-dinov2/config.json" .
    train --init net.safetensors -o x.safetensors >/dev/null
}
