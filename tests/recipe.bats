# What sb-train may be told beyond the plainest training.
load helpers
load crops

train() { sb-train -q -j1 --precision f32 $small "$@"; }

@test "micro-batches change nothing but rounding, pictures mixed in pairs or not" {
    for mixed in "" "--mixup 0.4 --cutmix 1 --smooth 0.1"; do
        train --epochs 3 --batch 30 --dropout 0.2 --drop-path 0.2 --flip $mixed -o a.safetensors tensors.sb >a.jsonl
        train --epochs 3 --batch 30 --dropout 0.2 --drop-path 0.2 --flip $mixed --micro 8 -o b.safetensors tensors.sb >b.jsonl
        jq -es --slurpfile b b.jsonl '[range(3) as $i | .[$i].train_loss - $b[$i].train_loss | fabs] | max < 1e-4' a.jsonl
    done
    sb-train $small --epochs 1 --batch 64 -o a.safetensors tensors.sb 2>a.words >a.jsonl
    sb-train $small --epochs 1 --batch 64 --micro 8 -o a.safetensors tensors.sb 2>b.words >b.jsonl
    [ "$(grep -o '[0-9]* MB' b.words | grep -o '[0-9]*')" -lt "$(grep -o '[0-9]* MB' a.words | grep -o '[0-9]*')" ]
}

@test "recomputing saves memory and changes nothing" {
    sb-train -j1 --arch dim=48,depth=6,heads=3 --patch 4 --epochs 2 --drop-path 0.2 -o a.safetensors tensors.sb 2>a.words >a.jsonl
    sb-train -j1 --arch dim=48,depth=6,heads=3 --patch 4 --epochs 2 --drop-path 0.2 --recompute -o b.safetensors tensors.sb 2>b.words >b.jsonl
    cmp <(tensor_bytes a.safetensors head.weight) <(tensor_bytes b.safetensors head.weight)
    [ "$(grep -o '[0-9]* MB' b.words | grep -o '[0-9]*')" -lt "$(grep -o '[0-9]* MB' a.words | grep -o '[0-9]*')" ]
}

@test "mixup and cutmix make the training part harder, each in its own way" {
    for option in "" "--mixup 1" "--cutmix 1" "--mixup 1 --cutmix 1"; do
        train --epochs 12 --batch 16 --lr 0.002 --warmup 1 $option -o a.safetensors tensors.sb | jq -s '.[-1].train_loss' >>losses
    done
    jq -es '.[0] + 0.1 < (.[1:] | min) and (unique | length) == 4' losses
}

@test "balance lifts what is rare" {
    sb-export png -q --by label -o crops/ crops.sb
    mkdir -p pictures/{rare,common}
    mv crops/fish/* crops/shark/* crops/squid/* crops/jellyfish/* pictures/common/
    mv $(ls -d crops/crab/* | head -n 8) pictures/rare/
    sb-import folders -q pictures | sb-tensorize -q --size 32 --fit stretch -o two.sb
    for power in 0 1; do
        train --epochs 3 --warmup 0 --balance $power -o a.safetensors two.sb >a.jsonl
        sb-classify -q -m a.safetensors two.sb | sb-export jsonl -q |
            jq -s 'map(.predicted[] | select(.[0] == "rare") | .[1]) | add / length' >>chance
    done
    jq -es '.[1] > 2 * .[0]' chance
}

@test "the average of the weights is what is validated and kept" {
    train --epochs 4 --lr 0.002 --warmup 0 -o a.safetensors tensors.sb >a.jsonl
    train --epochs 4 --lr 0.002 --warmup 0 --average 0.8 -o b.safetensors tensors.sb >b.jsonl
    cmp <(jq .train_loss a.jsonl) <(jq .train_loss b.jsonl) # the training itself is the same
    fails cmp -s <(jq .val_loss a.jsonl) <(jq .val_loss b.jsonl)
    best=$(jq -s 'map(.val_top1) | max' b.jsonl)
    sb-split -q --part val tensors.sb | sb-classify -q --precision f32 -m b.safetensors --score score.json -o scored.sb
    jq -e "(.top1 - $best) | fabs < 0.0001" score.json
}

@test "layer decay trains the lower layers less" {
    train --epochs 1 -o a.safetensors --lr 0 tensors.sb >a.jsonl
    # After one epoch at a rate of a hundredth a layer the embedding is as good as untouched, the head is not.
    train --epochs 1 --warmup 0 --decay 0 --layer-decay 0.01 -o b.safetensors tensors.sb >b.jsonl
    moved() { paste <(tensor_bytes a.safetensors $1 | od -An -v -t f4 -w4) <(tensor_bytes b.safetensors $1 | od -An -v -t f4 -w4) |
        awk '{d = $1 - $2; s += d < 0 ? -d : d} END {print s / NR}'; }
    jq -en "$(moved head.weight) > 1000 * $(moved patch_embed.proj.weight)"
}

@test "a linear probe trains the head alone" {
    train --epochs 1 -o reef.safetensors tensors.sb >first.jsonl
    train --epochs 2 --init reef.safetensors --freeze all -o probe.safetensors tensors.sb >probe.jsonl
    for name in pos_embed patch_embed.proj.weight blocks.1.mlp.fc2.bias norm.weight norm.bias; do
        cmp <(tensor_bytes reef.safetensors $name) <(tensor_bytes probe.safetensors $name)
    done
    fails cmp -s <(tensor_bytes reef.safetensors head.weight) <(tensor_bytes probe.safetensors head.weight)
    # A captioner's head is its decoder.
    sb-synth frames -q -n 20 --size 96x96 --seed 5 | sb-tensorize -q --size 32 --fit stretch -o frames.sb
    for epochs in 1 2; do
        train --task caption --decoder dim=16,depth=1,heads=2 --epochs $epochs --init reef.safetensors --freeze all -o $epochs.safetensors frames.sb >words.jsonl
    done
    for name in patch_embed.proj.weight blocks.1.mlp.fc2.bias norm.weight; do
        cmp <(tensor_bytes reef.safetensors $name) <(tensor_bytes 2.safetensors $name)
    done
    for name in project.weight decoder.wte.weight decoder.h.0.mlp.c_fc.weight; do
        fails cmp -s <(tensor_bytes 1.safetensors $name) <(tensor_bytes 2.safetensors $name)
    done
}

@test "training stops when its patience ends" {
    sb-train $small --epochs 20 --lr 0 --patience 3 -o a.safetensors tensors.sb >a.jsonl 2>said
    grep -q 'stopped after epoch 4 of 20: the last 3 were no better' said
    [ "$(wc -l <a.jsonl)" -eq 4 ]
    jq -es 'map(.kept) == [true, false, false, false]' a.jsonl
    train --epochs 20 --lr 0 --patience 3 --keep last -o a.safetensors tensors.sb >a.jsonl
    jq -es 'map(.kept) == [false, false, false, true]' a.jsonl
    sb-split -q --part train tensors.sb -o train.sb
    fails_saying "--patience needs records to validate on" train --patience 3 -o b.safetensors train.sb
}

@test "what was learnt for other labels helps" {
    train --epochs 12 --batch 16 --lr 0.002 --warmup 1 -o kinds.safetensors tensors.sb >kinds.jsonl
    sb-export png -q --by label -o crops/ crops.sb
    mkdir -p pictures/{swims,sits}
    for kind in crops/*; do
        case $kind in */jellyfish | */squid | */shark | */fish) mv "$kind"/* pictures/swims/ ;; *) mv "$kind"/* pictures/sits/ ;; esac
    done
    sb-import folders -q pictures | sb-tensorize -q --size 32 --fit stretch -o two.sb
    train --epochs 2 --batch 16 --lr 0.001 --warmup 0 -o a.safetensors two.sb >scratch.jsonl
    train --epochs 2 --batch 16 --lr 0.001 --warmup 0 --init kinds.safetensors -o b.safetensors two.sb >begun.jsonl
    jq -en --slurpfile a scratch.jsonl --slurpfile b begun.jsonl '$b[1].train_loss < 0.8 * $a[1].train_loss'
}

@test "reading ahead changes nothing" {
    sb-train -q -j1 --device ref $small --epochs 1 --batch 16 --micro 8 --flip --cutmix 1 -o a.safetensors tensors.sb >a.jsonl
    sb-train -q -j2 --device ref $small --epochs 1 --batch 16 --micro 8 --flip --cutmix 1 -o b.safetensors tensors.sb >b.jsonl
    cmp a.safetensors b.safetensors
}

@test "wrong usage exits 2" {
    touch x.safetensors
    for options in "--mixup 1 --micro 3" "--task caption --mixup 1" "--task caption --balance 1" "--task caption --labels kinds" \
        "--length 8" "--decoder dim=16,depth=1,heads=2" "--resume --init ./x.safetensors" "--freeze some" \
        "--freeze -1" "--freeze 4" "--balance 3" "--patience 0" "--average 1" "--layer-decay 0"; do
        run sb-train $small -o x.safetensors $options tensors.sb
        [ "$status" -eq 2 ] || { echo "$options: $status $output"; return 1; }
    done
}
