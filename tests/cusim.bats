#!/usr/bin/env bats
# The CUDA sources on the CPU, on the stand-in for the CUDA execution model (tests/cusim).
load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    [ -r "$BUILD/cusim/seabot-cuda.so" ] || skip "the stand-in is for x86-64"
    export ROOT SB_BACKEND=cuda SEABOT_PLUGINS=$BUILD/cusim LD_LIBRARY_PATH=$BUILD/cusim CMOCKA_MESSAGE_OUTPUT=stdout
    ulimit -c 0
}

# Replays PyTorch's golden vectors on the stand-in: tests/test_NAME.
replays() {
    "$BUILD/tests/test_$1" | tee said
    fails grep -q skipped said
}

@test "cuda: every op agrees with the reference, and gives the same bytes in each order" {
    for order in forward reverse 7; do
        CUSIM_ORDER=$order SB_DIGESTS=$PWD/$order "$BUILD/tests/test_backend" cuda
    done
    [ "$(wc -l <forward)" -gt 400 ]
    cmp forward reverse
    cmp forward 7
}

@test "cuda: ops that can be done in several ways agree with the reference in each" {
    for op in linear linear_bwd conv2d conv2d_bwd nearest; do
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

# The device is chosen by --device auto: a driver answers.
@test "cuda: programs do on a GPU what they do on the CPU" {
    for name in classify train; do bats "$ROOT/tests/$name.bats"; done
}
