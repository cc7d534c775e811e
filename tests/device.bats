#!/usr/bin/env bats
# What is said where a GPU is missing, too small or lost, on the stand-in's device.
load helpers
load crops

stand_in() {
    [ -r "$BUILD/cusim/seabot-cuda.so" ] || skip "the stand-in needs g++ on x86-64"
    export SEABOT_PLUGINS=$BUILD/cusim LD_LIBRARY_PATH=$BUILD/cusim
    ulimit -c 0
}

train() { sb-train -q -j1 --device cuda $small --epochs 1 "$@" tensors.sb >>metrics.jsonl; }

# A device with so much memory beyond what the backend keeps for itself and for NVIDIA's libraries.
with_memory() {
    local bytes=$(((64 + 768 << 20) + $1))
    shift
    CUSIM_MEMORY=$bytes "$@"
}

# A program whose batch does not fit, BYTES OPTION VALUE PROGRAM...: it names one that does, and the next size does not.
names_what_fits() {
    local bytes=$1 option=$2 value=$3 said fits step
    shift 3
    said=$(with_memory "$bytes" "$@" "$option" "$value" 2>&1 >/dev/null) && return 1
    echo "$said"
    [[ $said =~ ^sb-[a-z]+:\ not\ enough\ memory:\ device\ cuda\ has\ [0-9]+\ MB\ left,\ $option\ $value\ wants\ [0-9]+\ MB:\ $option\ ([0-9]+)\ would\ fit$ ]]
    fits=${BASH_REMATCH[1]}
    [ "$fits" -gt 1 ]
    step=$((fits < 8 ? fits : 8))
    with_memory "$bytes" "$@" "$option" "$fits" >/dev/null
    with_memory "$bytes" fails_saying "$option $fits would fit" "$@" "$option" $((fits + step))
}

@test "a batch that does not fit names the largest that does" {
    stand_in
    sb-train -q -j1 --device cuda $small --epochs 1 -o a.safetensors tensors.sb >metrics.jsonl
    for bytes in 1600000 3000000 4000000; do names_what_fits $bytes --micro 64 train -o b.safetensors; done
    names_what_fits 3000000 --batch 1000 sb-classify -q --device cuda -m a.safetensors -o scored.sb tensors.sb
    with_memory 500000 fails_saying "no smaller one would fit" train -o b.safetensors
    with_memory 0 fails_saying "device cuda has 0 MB left, --batch 32 wants" sb-classify --device cuda -m a.safetensors -o scored.sb tensors.sb
}

@test "a captioner's batch that does not fit names the largest that does" {
    stand_in
    sb-synth frames -q -n 24 --size 64x64 --seed 4 | sb-tensorize -q --size 32 --drop image -o seen.sb
    sb-train -q -j1 --device cuda $small --task caption --decoder dim=48,depth=2,heads=3 --epochs 1 -o words.safetensors seen.sb >metrics.jsonl
    names_what_fits 6000000 --batch 1000 sb-caption -q --device cuda -m words.safetensors -o told.sb seen.sb
}

@test "a device lost in the middle of training leaves a whole model, and training goes on from it" {
    stand_in
    run=(sb-train -q -j1 --device cuda $small --epochs 3 --batch 32 --average 0.9 --flip)
    "${run[@]}" -o whole.safetensors tensors.sb >metrics.jsonl
    # The first is lost before there is a model, the last after it.
    kept=0
    for launches in 150 400 700; do
        fails_saying "the device is lost" env CUSIM_LOST=$launches "${run[@]}" --resume -o lost.safetensors tensors.sb
        [ ! -e lost.safetensors ] || kept=$((kept + 1))
        [ ! -e lost.safetensors ] || sb-classify -q --device ref -m lost.safetensors -o scored.sb tensors.sb
        "${run[@]}" --resume -o lost.safetensors tensors.sb >>metrics.jsonl
        cmp whole.safetensors lost.safetensors
        rm lost.safetensors
    done
    [ "$kept" -ge 1 ]
}

@test "a GPU that is not there is named by what is missing" {
    ldconfig -p | grep -q libcuda.so.1 && skip "there is a driver"
    fails_saying "no NVIDIA driver (libcuda.so.1)" sb-train --device cuda $small -o a.safetensors tensors.sb
}
