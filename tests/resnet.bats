load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q --crops -n 80 --size 320x180 --seed 11 | sb-split -q --stratify | sb-tensorize -q --size 24 --fit stretch --drop image -o tensors.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb .
}

@test "a ResNet is trained, classifies as it was validated, and is what another one starts from" {
    sb-train -q --arch resnet20 --epochs 2 --batch 8 --keep last --precision f32 -o reef.safetensors tensors.sb >metrics.jsonl
    jq -se '.[1].train_loss < .[0].train_loss' metrics.jsonl
    sb-split -q --part val tensors.sb | sb-classify -q --precision f32 --embed -m reef.safetensors --score score.json -o scored.sb
    jq -e --slurpfile m metrics.jsonl '(.top1 - $m[-1].val_top1) | fabs < 0.0001' score.json
    sb-export jsonl -q scored.sb | head -n 1 | jq -e '.embedding | length == 64'
    # Frozen, its statistics stay with its weights: what is trained of the second model is the head alone.
    sb-train -q --arch resnet20 --init reef.safetensors --freeze all --epochs 1 --batch 8 -o finer.safetensors tensors.sb >finer.jsonl
    sb-split -q --part val tensors.sb | sb-classify -q --precision f32 --embed -m finer.safetensors -o again.sb
    cmp <(sb-export jsonl -q scored.sb | jq -c .embedding) <(sb-export jsonl -q again.sb | jq -c .embedding)
}

@test "the same seed gives the same ResNet, with any size of picture" {
    for i in 1 2; do sb-train -q -j1 --arch resnet18 --epochs 1 --batch 40 --seed 3 -o $i.safetensors tensors.sb >$i.jsonl; done
    cmp 1.safetensors 2.safetensors
}

@test "a ResNet's training is resumed with its running statistics" {
    train() { exec sb-train -q -j1 --arch resnet20 --epochs 4 --batch 20 --average 0.8 --keep last "$@" tensors.sb >>metrics.jsonl; }
    (train -o whole.safetensors)
    (train --resume -o killed.safetensors) 3>&- &
    until [ -e killed.safetensors.state ] || ! kill -0 $!; do sleep 0.01; done
    kill -9 $!
    killed=0
    wait $! || killed=$?
    [ "$killed" -eq 137 ]
    [ -e killed.safetensors.state ]
    (train --resume -o killed.safetensors)
    cmp whole.safetensors killed.safetensors
}

@test "what does not go with a ResNet is said" {
    for wrong in "--patch 4" "--pool mean" "--dropout 0.1" "--drop-path 0.1" --recompute; do
        run sb-train -q --arch resnet20 $wrong -o x.safetensors tensors.sb
        [ "$status" -eq 2 ]
        [[ $output == *"${wrong% *} is for ViTs, not for a ResNet"* ]]
    done
    run sb-train -q --arch resnet19 -o x.safetensors tensors.sb
    [ "$status" -eq 2 ]
    [[ $output == *"'resnet19' is none of resnet18, 34, 50, 101"* ]]
    fails_saying "batches of 2 at least" sb-train -q --arch resnet20 --batch 1 -o x.safetensors tensors.sb
    sb-synth frames -q -n 24 --size 160x90 --seed 5 | sb-split -q | sb-tensorize -q --size 16 -o frames.sb
    run sb-train -q --task caption --arch resnet20 -o x.safetensors frames.sb
    [ "$status" -eq 2 ]
    [[ $output == *"a captioner needs a ViT's tokens"* ]]
    [ ! -e x.safetensors ]
}

# The one test of weights that others trained: they may not be committed, so that data and PyTorch must be here.
@test "the trained CIFAR ResNet-20 gives PyTorch's logits" {
    weights=$DATA/weights/resnet_cifar10/resnet20-12fca82f.th
    [ -e "$weights" ] || skip "no $weights"
    python3 -c 'import torch, torchvision, safetensors' 2>/dev/null || skip "python3 with torch, torchvision and safetensors is not here"
    python3 "$ROOT/tests/golden/resnet20.py" "$weights" resnet20.safetensors input.safetensors >torch.txt
    export SEABOT_PLUGINS=$BUILD/bin
    for device in ref cpu; do
        [ $device = ref ] || [ -e "$BUILD/bin/seabot-$device.so" ] || continue
        "$BUILD/tests/make_logits" resnet20.safetensors input.safetensors $device >logits.txt 2>said
        [ "$(wc -l <logits.txt)" -eq 8 ]
        echo "$device: $(cat said)"
        awk 'END { exit !($1 <= 1e-5 && NR == 1) }' said
    done
}
