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
