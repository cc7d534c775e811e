# The GPU kit, as far as it goes without a GPU.
load helpers

# A kit in ./kit, and packed in kit.tar.gz.
make_kit() {
    [ -d "$BUILD/seabot-gpu-kit/bin" ] || skip "no nvcc: no kit"
    python3 -c 'pass' 2>/dev/null || skip "no python3"
    mkdir kit
    cp -r "$BUILD/seabot-gpu-kit/bin" kit
    "$ROOT/tests/gpu/make-kit" "$BUILD" kit >said
}

@test "the GPU kit brings what its programs need, and refuses to pass without a GPU" {
    make_kit
    unset SEABOT_PLUGINS # the kit's lie beside its programs
    [ "$(stat -c %s kit.tar.gz)" -lt $((40 << 20)) ]
    mkdir elsewhere
    tar -C elsewhere -xzf kit.tar.gz
    rm -r kit
    cd elsewhere/kit
    for file in bin/*_* bin/sb-*; do ldd "$file"; done >needed
    # The plugin's libraries are found through the program that opens it.
    LD_DEBUG=files bin/test_backend cpu copy 2>&1 | sed -n 's/.*calling init: \(.*\)/ => \1 /p' >>needed
    grep -q "$PWD.*libdnnl" needed
    fails grep 'not found' needed
    # Nothing but the C library's own and C++'s comes from this machine.
    sed "s#=> $PWD/##; /=> [^ ]*lib\(c\|m\|dl\|rt\|pthread\|stdc++\|gcc_s\)\.so/d; /ld-linux/d" needed >theirs
    fails grep '=> /' theirs
    if [ -e /dev/nvidiactl ]; then skip "there is a GPU"; fi
    fails_saying "check-gpu: device cuda: no NVIDIA driver" ./check-gpu
    # The stand-in's plugin and driver in place of the GPU's: the kit's tests find everything in the kit.
    cp "$BUILD/cusim/seabot-cuda.so" bin
    cp "$BUILD/cusim/libcuda.so.1" lib
    CMOCKA_MESSAGE_OUTPUT=stdout env ROOT="$PWD" SB_BACKEND=cuda bin/test_net >said 2>&1 || { cat said; return 1; }
    fails grep skipped said
}

# A line of bench-gpu's table: the rates of SeaBot and PyTorch, and their ratio.
measured() { grep -E "^\| $1 \| [0-9.e+]+ (images/s|ms) \| $2 \|" table; }

@test "bench-gpu, rehearsed on the processor, measures SeaBot beside PyTorch" {
    python3 -c 'import torch' 2>/dev/null || skip "no PyTorch"
    make_kit
    TORCH_COMPILE_DISABLE=1 kit/bench-gpu log --rehearse >table
    for work in 'train a toy ViT, batch 4' 'infer a toy ViT, batch 1' 'k-means 2000 x 16 k=20'; do
        measured "$work" '[0-9.e+]+ (images/s|ms) \| [0-9.]+'
    done
    grep -q '^the processor, PyTorch' table
    [ "$(jq -r '.works["train a toy ViT, batch 4"].SeaBot.weights' log/results.json)" -eq \
        "$(jq -r '.works["train a toy ViT, batch 4"].PyTorch.weights' log/results.json)" ]
    grep -q '^3 of 3 measured' table
}

@test "bench-gpu measures SeaBot where PyTorch fails, and says why" {
    make_kit
    mkdir broken
    echo 'raise ImportError("no PyTorch here")' >broken/torch.py
    PYTHONPATH=$PWD/broken kit/bench-gpu log --rehearse >table
    measured 'train a toy ViT, batch 4' '- \| -'
    grep -q '| PyTorch failed: ImportError: no PyTorch here' table
    grep -qE '^sb-classify, .*, from a file: [0-9]+ records/s' table
    grep -q '^  attention_bwd ' table
    grep -q '^3 of 3 measured' table
}

@test "bench-gpu fails where SeaBot does, and says whose fault it was" {
    make_kit
    mkdir broken
    echo 'raise ImportError("no PyTorch here")' >broken/torch.py
    printf '#!/bin/sh\necho "bench_turns: the device is lost" >&2\nexit 1\n' >kit/bin/bench_turns
    fails env PYTHONPATH="$PWD/broken" kit/bench-gpu log --rehearse >table
    [ "$(grep -c '^| .* | SeaBot failed: bench_turns: the device is lost | ' table)" -eq 6 ]
    grep -q '^0 of 3 measured' table
}

@test "check-gpu's comparison: what is off, missing or no number fails" {
    python3 -c 'pass' 2>/dev/null || skip "no python3"
    compare() { "$ROOT/tests/gpu/compare.py" "$@"; }
    printf '{"train_loss": 2.0}\n{"train_loss": 1.0}\n' >a
    printf '{"train_loss": 2.0}\n{"train_loss": 1.001}\n' >b
    printf '{"train_loss": 2.0}\n{"train_loss": NaN}\n' >c
    compare losses a b 2e-3
    fails compare losses a b 5e-4
    fails compare losses a c 1
    fails compare losses a <(head -n 1 b) 1
    fails compare losses /dev/null /dev/null 1
    printf '{"predicted": [["crab", 0.9]]}\n{"predicted": [["fish", 0.6]]}\n' >a
    printf '{"predicted": [["crab", 0.8]]}\n{"predicted": [["crab", 0.5]]}\n' >b
    compare answers a b 0.5
    fails compare answers a b 0.4
    fails compare answers <(echo '{}') <(echo '{}') 1
    compare answers <(echo '{"cluster": 0}') <(echo '{"cluster": 0}') 0
}
