#!/usr/bin/env bats
load helpers

# The test programs run the cpu backend at the level of this processor; lesser processors are tried here.
@test "the cpu backend agrees with the reference without AVX-512" {
    [ -r "$BUILD/bin/seabot-cpu.so" ] || skip "no cpu plugin"
    CMOCKA_MESSAGE_OUTPUT=stdout ONEDNN_MAX_CPU_ISA=AVX2 "$BUILD/tests/test_backend" cpu
}

@test "test_backend says that it skips a backend whose plugin is missing" {
    mkdir none
    run env SEABOT_PLUGINS="$PWD/none" CMOCKA_MESSAGE_OUTPUT=stdout "$BUILD/tests/test_backend" cpu
    [ "$status" -eq 0 ]
    [[ $output == *"no $PWD/none/seabot-cpu.so: the tests of this backend are skipped"* ]]
}

@test "a plugin that is none is refused with one line" {
    mkdir broken
    echo "not a library" >broken/seabot-cpu.so
    run env SEABOT_PLUGINS="$PWD/broken" "$BUILD/tests/test_backend" cpu
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *seabot-cpu.so* ]]
}
