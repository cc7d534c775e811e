load helpers

# The one test of weights that others trained: they may not be committed, so that data and PyTorch must be here.
setup_file() {
    load helpers
    weights=$DATA/weights/resnet_cifar10/resnet20-12fca82f.th
    [ -e "$weights" ] || skip "no $weights"
    python3 -c 'import torch, torchvision, safetensors' 2>/dev/null || skip "python3 with torch, torchvision and safetensors is not here"
    cd "$BATS_FILE_TMPDIR" || exit 1
    python3 "$ROOT/tests/golden/resnet20.py" "$weights" resnet20.safetensors input.safetensors >torch.txt
}

setup() {
    cd "$BATS_FILE_TMPDIR" || exit 1
}

@test "the trained CIFAR ResNet-20 gives PyTorch's logits" {
    export SEABOT_PLUGINS=$BUILD/bin
    for device in ref cpu; do
        [ $device = ref ] || [ -e "$BUILD/bin/seabot-$device.so" ] || continue
        "$BUILD/tests/make_logits" resnet20.safetensors input.safetensors $device >logits.txt 2>said
        [ "$(wc -l <logits.txt)" -eq 8 ]
        echo "$device: $(cat said)"
        awk 'END { exit !($1 <= 1e-5 && NR == 1) }' said
    done
}
