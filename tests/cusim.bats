#!/usr/bin/env bats
# The CUDA sources on the CPU, on the stand-in for the CUDA execution model (tests/cusim).
load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    [ -r "$BUILD/cusim/seabot-cuda.so" ] || skip "the stand-in needs g++ on x86-64"
    export ROOT SB_BACKEND=cuda SEABOT_PLUGINS=$BUILD/cusim LD_LIBRARY_PATH=$BUILD/cusim CMOCKA_MESSAGE_OUTPUT=stdout
    ulimit -c 0
}

# Replays PyTorch's golden vectors on the stand-in, tests/test_NAME; with a device that is soon lost it could not.
replays() {
    "$BUILD/tests/test_$1" >said || { cat said; return 1; }
    fails grep skipped said
    fails_saying "the device is lost" env CUSIM_LOST=20 "$BUILD/tests/test_$1"
}

# Tests of NAME.bats whose names match a pattern, where --device auto finds a driver.
passes() { bats --filter "$2" "$ROOT/tests/$1.bats"; }

@test "cuda: every op agrees with the reference, and gives the same bytes in each order" {
    for order in forward reverse 7; do
        CUSIM_ORDER=$order SB_DIGESTS=$PWD/$order "$BUILD/tests/test_backend" cuda
    done
    [ "$(wc -l <forward)" -gt 400 ]
    cmp forward reverse
    cmp forward 7
}

@test "cuda: ops that can be done in several ways agree with the reference in each" {
    for op in linear linear_bwd conv2d conv2d_bwd; do
        for way in 1 2 3 4; do CUSIM_WAY=$way "$BUILD/tests/test_backend" cuda $op; done
    done
}

@test "cuda: what cuBLASLt would refuse is multiplied all the same" {
    for op in linear linear_bwd; do CUSIM_OWN_MATMUL=1 CUSIM_ORDER=7 "$BUILD/tests/test_backend" cuda $op; done
}

@test "cuda: tensors of more than 2^31 elements are computed to their end" { "$BUILD/tests/cusim_huge"; }
@test "cuda: a two-layer ViT and a captioner compute and learn as in PyTorch" { CUSIM_ORDER=reverse replays model; }
@test "cuda: mixed pictures, several labels, rates and the average are PyTorch's" { replays net; }
@test "cuda: accumulation, recomputation and a resumed state change no byte" { replays net_self; }
@test "cuda: a batch that is started while another is under way changes no byte" { replays net_flight; }
@test "cuda: ResNets compute and learn as in PyTorch" { replays resnet; }
@test "cuda: GPT-2's decoder computes as in transformers" { replays gpt2; }

@test "cuda: programs find the device by themselves" {
    sb-synth frames -q --crops -n 8 --size 64x64 --seed 1 | sb-tensorize -q --size 16 --drop image -o crops.sb
    sb-train -j1 --arch dim=16,depth=1,heads=1 --patch 8 --epochs 1 -o reef.safetensors crops.sb 2>&1 >metrics.jsonl | grep ' on cuda$'
    fails_saying "the device is lost" env CUSIM_LOST=5 sb-classify -q -m reef.safetensors -o scored.sb crops.sb
}

@test "cuda: a two-layer ViT learns the same bytes in each order" {
    sb-synth frames -q --crops -n 24 --size 64x64 --seed 2 | sb-tensorize -q --size 32 --drop image -o crops.sb
    for precision in f32 bf16; do
        for order in forward reverse 7; do
            CUSIM_ORDER=$order sb-train -q -j1 --device cuda --precision $precision --arch dim=64,depth=2,heads=2 --patch 8 \
                --flip --drop-path 0.1 --dropout 0.1 --batch 8 --epochs 1 -o $order.safetensors crops.sb >$order.metrics
        done
        cmp forward.safetensors reverse.safetensors
        cmp forward.safetensors 7.safetensors
    done
}

@test "cuda: sb-classify does on a GPU what it does on the CPU" { passes classify .; }
@test "cuda: sb-train does on a GPU what it does on the CPU" { passes train 'learns, keeps|same seed|bf16|init starts|frozen'; }
@test "cuda: sb-caption does on a GPU what it does on the CPU" { passes caption 'each record|batches'; }
@test "cuda: sb-cluster does on a GPU what it does on the CPU" { passes cluster 'gets a cluster|backends agree|tighter|keeps a few|later records'; }
