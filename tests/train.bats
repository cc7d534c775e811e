load helpers
load crops

@test "training learns, keeps its best epoch, and scores what it says" {
    sb-train -q $small --epochs 8 --lr 0.002 --warmup 1 --flip -o reef.safetensors tensors.sb >metrics.jsonl
    [ "$(wc -l <metrics.jsonl)" -eq 8 ]
    first=$(jq -s '.[0].train_loss' metrics.jsonl)
    last=$(jq -s '.[-1].train_loss' metrics.jsonl)
    jq -en "$last < 0.8 * $first"
    # What is kept is the epoch with the most right on val, and sb-classify finds the same share.
    best=$(jq -s 'map(.val_top1) | max' metrics.jsonl)
    sb-split -q --part val tensors.sb | sb-classify -q -m reef.safetensors --score score.json -o scored.sb
    jq -e "(.top1 - $best) | fabs < 0.0001" score.json
    # The model names the stream by the hash in its trailer, which are its last digits.
    [ "$(metadata reef.safetensors data)" = "$(tail -c 32 tensors.sb)" ]
    metadata reef.safetensors history | jq -e 'map(.tool) == ["sb-synth", "sb-split", "sb-tensorize", "sb-train"]'
}

@test "the same seed gives the same model, another one another" {
    sb-train -q -j1 $small --epochs 1 --seed 5 --flip --rotate 10 --drop-path 0.1 --dropout 0.1 -o a.safetensors tensors.sb >a.jsonl
    sb-train -q -j1 $small --epochs 1 --seed 5 --flip --rotate 10 --drop-path 0.1 --dropout 0.1 -o b.safetensors tensors.sb >b.jsonl
    sb-train -q -j1 $small --epochs 1 --seed 6 --flip --rotate 10 --drop-path 0.1 --dropout 0.1 -o c.safetensors tensors.sb >c.jsonl
    cmp a.safetensors b.safetensors
    fails cmp -s <(tensor_bytes a.safetensors head.weight) <(tensor_bytes c.safetensors head.weight)
}

@test "a pipe trains as a file does" {
    sb-train -q -j1 $small --epochs 1 -o a.safetensors tensors.sb | jq .train_loss >a
    cat tensors.sb | sb-train -q -j1 $small --epochs 1 -o b.safetensors | jq .train_loss >b
    cmp a b
    [ "$(tensor_bytes a.safetensors norm.weight | sha256sum)" = "$(tensor_bytes b.safetensors norm.weight | sha256sum)" ]
}

@test "bf16 trains to about the same loss as f32" {
    sb-train -q $small --epochs 2 --precision f32 -o a.safetensors tensors.sb >a.jsonl
    sb-train -q $small --epochs 2 --precision bf16 -o b.safetensors tensors.sb >b.jsonl
    jq -en --slurpfile a a.jsonl --slurpfile b b.jsonl '($a[1].train_loss - $b[1].train_loss) | fabs < 0.05'
}

@test "Adam and AdamW differ where there is decay" {
    sb-train -q -j1 $small --epochs 1 --decay 0.5 -o a.safetensors tensors.sb >a.jsonl
    sb-train -q -j1 $small --epochs 1 --decay 0.5 --optimizer adam -o b.safetensors tensors.sb >b.jsonl
    fails cmp -s <(tensor_bytes a.safetensors head.weight) <(tensor_bytes b.safetensors head.weight)
}

@test "init starts from a model, and gives other labels a head of their own" {
    sb-train -q $small --epochs 4 --lr 0.002 --warmup 0 -o reef.safetensors tensors.sb >first.jsonl
    sb-train -q $small --epochs 1 --lr 0.000001 --warmup 0 --init reef.safetensors -o on.safetensors tensors.sb >on.jsonl
    jq -en --slurpfile a first.jsonl --slurpfile b on.jsonl '$b[0].train_loss < $a[0].train_loss'
    # The same pictures under two other labels.
    sb-export png -q -o files/ crops.sb
    mkdir -p pictures/{left,right}
    find files -name '*1.png' -exec mv {} pictures/left/ \;
    find files -name '*2.png' -exec mv {} pictures/right/ \;
    sb-import folders -q pictures | sb-tensorize -q --size 32 --fit stretch -o two.sb
    sb-train $small --epochs 1 --init reef.safetensors -o two.safetensors two.sb >two.jsonl 2>words
    grep -q head words
    sb-classify -q -m two.safetensors two.sb | sb-export jsonl -q | jq -e '.predicted | length == 2' | tail -n 1
}

@test "init says when the stream's colours are not those of its training, and goes on with the stream's" {
    # How a model says that it was trained: in its own file, or, another's, in the config.json beside it.
    sb-train -q $small --epochs 1 -o reef.safetensors tensors.sb >reef.jsonl
    cp -r "$ROOT/tests/golden/names/timm" timm
    jq '.pretrained_cfg = {input_size: [3, 12, 12], mean: [0.485, 0.456, 0.406], std: [0.5, 0.5, 0.5]}' "$ROOT/tests/golden/names/timm/config.json" >timm/config.json
    said_of() { # STREAM MODEL OPTIONS
        sb-train --epochs 1 -o on.safetensors --init "$2" "${@:3}" "$1" 2>&1 >on.jsonl | grep "was trained with" || :
    }
    # Another size, crop, shape and filter is no matter.
    sb-split -q --stratify crops.sb | sb-tensorize -q --size 48 --crop 0.9 --filter bilinear --drop image -o same.sb
    [ -z "$(said_of same.sb reef.safetensors)" ]
    sb-split -q --stratify crops.sb | sb-tensorize -q --size 32 --std 0.2,0.5,0.5 --order bgr -o other.sb
    [ "$(said_of other.sb reef.safetensors)" = \
        "sb-train: reef.safetensors: the stream's tensors are not what it was trained with: channels bgr, the model wants rgb" ]
    [ "$(metadata on.safetensors preprocess | jq -c '[.channels, .std]')" = '["bgr",[0.2,0.5,0.5]]' ]
    [[ $(said_of same.sb timm/model.safetensors) == *": mean 0.5,0.5,0.5, the model wants 0.485,0.456,0.406" ]]
    [ -z "$(said_of same.sb timm/model.safetensors -q)" ]
}

@test "frozen layers stay as they were" {
    sb-train -q $small --epochs 1 -o reef.safetensors tensors.sb >first.jsonl
    sb-train -q $small --epochs 1 --init reef.safetensors --freeze 3 -o probe.safetensors tensors.sb >probe.jsonl
    for name in pos_embed patch_embed.proj.weight blocks.0.attn.qkv.weight blocks.1.mlp.fc2.bias; do
        cmp <(tensor_bytes reef.safetensors $name) <(tensor_bytes probe.safetensors $name)
    done
    fails cmp -s <(tensor_bytes reef.safetensors head.weight) <(tensor_bytes probe.safetensors head.weight)
}

@test "a captioner learns the words of its captions" {
    sb-synth frames -q -n 60 --size 160x90 --seed 5 | sb-split -q --group-by id | sb-tensorize -q --size 32 --fit stretch -o frames.sb
    sb-train -q --task caption $small --decoder dim=48,depth=2,heads=3 --epochs 12 --batch 8 --lr 0.003 --warmup 1 -o words.safetensors frames.sb >metrics.jsonl
    jq -es '.[-1].train_loss < 0.6 * .[0].train_loss' metrics.jsonl
    sb-caption -q -m words.safetensors frames.sb | sb-export jsonl -q | jq -r .caption >captions
    # Every word said stands in some caption of the data.
    sb-export jsonl -q frames.sb | jq -r .caption | tr -s ' ,' '\n' | sort -u >known
    tr -s ' ,' '\n' <captions | sort -u | comm -23 - known | grep -v '^$' && return 1
    [ "$(grep -c . captions)" -eq 60 ]
}

@test "bad input: one clear line each, and no model" {
    sb-synth frames -q --crops -n 8 --size 160x90 --seed 2 -o plain.sb
    fails_saying "tensor" sb-train -o x.safetensors plain.sb
    printf 'fish\n' >fish
    fails_saying "unknown label" sb-train --labels fish -o x.safetensors tensors.sb
    sb-split -q --part test tensors.sb -o test.sb
    fails_saying "nothing to train on" sb-train --train other -o x.safetensors test.sb
    fails_saying "caption" sb-train --task caption --train train -o x.safetensors tensors.sb
    head -c 20000 tensors.sb >cut.sb
    fails_saying "cut off" sb-train $small -o x.safetensors cut.sb
    : >empty.sb
    fails_saying "empty" sb-train $small -o x.safetensors empty.sb
    printf 'no model' >junk
    fails_saying "junk" sb-train $small --init junk -o x.safetensors tensors.sb
    fails_saying "space" sb-train -q $small --epochs 1 -o /dev/full tensors.sb
    [ ! -e x.safetensors ]
}

@test "wrong usage exits 2" {
    run sb-train tensors.sb
    [ "$status" -eq 2 ]
    run sb-train --task nonsense -o x.safetensors tensors.sb
    [ "$status" -eq 2 ]
    run sb-train --patch 7 -o x.safetensors tensors.sb
    [ "$status" -eq 2 ]
    [[ $output == *"not whole patches"* ]]
    run sb-train --epochs 0 -o x.safetensors tensors.sb
    [ "$status" -eq 2 ]
}
