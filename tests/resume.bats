load helpers
load crops

# One thread, because the bytes of a sum over threads depend on their number. "exec": a kill hits the program.
train() { exec sb-train -q -j1 $small --flip --mixup 0.3 --average 0.9 --dropout 0.1 "$@" tensors.sb; }

@test "killed at twenty moments and resumed each time, training ends with the bytes of an undisturbed run" {
    (train --epochs 40 -o whole.safetensors >whole.jsonl)
    : >killed.jsonl
    for ((i = 0; i < 20; i++)); do
        had=$(wc -l <killed.jsonl)
        (train --epochs 40 --resume -o killed.safetensors >>killed.jsonl) 3>&- &
        # The first three may not get to an epoch's end; then each gets on, and is killed somewhere in a later epoch.
        while ((i > 2)) && [ "$(wc -l <killed.jsonl)" -eq "$had" ] && kill -0 $! 2>/dev/null; do sleep 0.01; done
        sleep 0.0$((RANDOM % 8))
        kill -9 $! 2>/dev/null || true
        killed=0
        wait $! || killed=$?
        [ "$killed" -eq 137 ] || break
    done
    # It was killed again and again, and did not end for another reason.
    [ "$i" -ge 4 ]
    [ "$killed" -eq 137 ] || [ "$killed" -eq 0 ]
    (train --epochs 40 --resume -o killed.safetensors >>killed.jsonl)
    cmp whole.safetensors killed.safetensors
    # Neither the state nor what was half written is left.
    [ -z "$(find . -name '*killed.safetensors?*')" ]
    # What it measured is the same, too, whatever was measured twice.
    cmp <(jq -c '[.epoch, .train_loss, .val_loss]' killed.jsonl | sort -u) <(jq -c '[.epoch, .train_loss, .val_loss]' whole.jsonl | sort -u)
}

# Leaves a run that was cut off after an epoch: a.safetensors and its state.
cut_off() {
    (train --epochs 400 --resume -o a.safetensors "$@" >a.jsonl) 3>&- &
    until [ -e a.safetensors.state ] || ! kill -0 $!; do sleep 0.01; done
    kill -9 $!
    killed=0
    wait $! || killed=$?
    [ "$killed" -eq 137 ]
    [ -e a.safetensors.state ]
    cp a.safetensors before
}

@test "a state of another run is refused by what differs, and nothing is touched" {
    cut_off
    cp a.safetensors.state state
    fails_saying "it has --epochs=400, this one --epochs=50 (remove it to begin anew)" train --epochs 50 --resume -o a.safetensors
    fails_saying "no such option, this one --clip=2" train --epochs 400 --clip 2 --resume -o a.safetensors
    sb-split -q --part train tensors.sb -o other.sb
    mv other.sb tensors.sb
    fails_saying "another stream" train --epochs 400 --resume -o a.safetensors
    cmp a.safetensors before
    cmp a.safetensors.state state
    # Without --resume a state is no concern.
    (train --epochs 1 --resume -o b.safetensors >b.jsonl)
    cp state b.safetensors.state
    (train --epochs 1 -o b.safetensors >b.jsonl)
    cmp state b.safetensors.state
}

@test "a state that is no state, or lost its model, or has another's, is refused" {
    cut_off
    head -c 5000 a.safetensors.state >torn
    mv torn a.safetensors.state
    fails_saying "a.safetensors.state" train --epochs 400 --resume -o a.safetensors
    cp a.safetensors a.safetensors.state
    fails_saying "not the state of a training run" train --epochs 400 --resume -o a.safetensors
    cmp a.safetensors before
    rm a.safetensors.state
    cut_off
    rm a.safetensors
    fails_saying "missing" train --epochs 400 --resume -o a.safetensors
    (train --epochs 1 -o a.safetensors >a.jsonl)
    fails_saying "a.safetensors: of another run than a.safetensors.state" train --epochs 400 --resume -o a.safetensors
}

@test "--resume and the model's name are no part of the model" {
    (train --epochs 2 -o a.safetensors >a.jsonl)
    # What a killed process left half written is removed, what a live one writes is not.
    touch .b.safetensors.99999999.tmp .b.safetensors.state.99999999.tmp .b.safetensors.$$.tmp
    (train --epochs 2 --resume -o b.safetensors >b.jsonl)
    cmp a.safetensors b.safetensors
    [ "$(echo .b.safetensors.*)" = .b.safetensors.$$.tmp ]
}

@test "a run that lost its patience stays stopped" {
    cut_off --lr 0 --patience 8 --batch 2
    # As if it had been killed after its last epoch, before its state was removed. The best epoch is the first.
    sed -i 's/"at":"[1-8] 1 1 /"at":"9 1 1 /' a.safetensors.state
    (train --epochs 400 --resume -o a.safetensors --lr 0 --patience 8 --batch 2 >on.jsonl)
    [ ! -s on.jsonl ]
    [ ! -e a.safetensors.state ]
    cmp a.safetensors before
}

@test "a write that fails leaves what the run goes on from" {
    case $BUILD in *-san) skip "the sanitizers bring an allocator of their own" ;; esac
    tiny() { sb-train -q -j1 --device ref --arch dim=8,depth=1,heads=1 --patch 16 --epochs 3 --batch 256 --average 0.5 "$@" tensors.sb >>metrics.jsonl; }
    tiny -o whole.safetensors
    LD_PRELOAD=$BUILD/tests/faults.so FAULT_REPORT=$PWD/counts tiny --resume -o counted.safetensors
    writes=$(sed -n 's/^write //p' counts)
    # The model's file, the line of metrics, the state's file: several writes each, three times.
    [ "$writes" -gt 60 ]
    for ((n = writes; n > writes - writes / 3; n--)); do
        LD_PRELOAD=$BUILD/tests/faults.so FAULT=write:$n fails_saying "No space left" tiny --resume -o a.safetensors
        [ -e a.safetensors.state ]
        [ -z "$(find . -name '.a.safetensors*')" ]
        tiny --resume -o a.safetensors
        cmp whole.safetensors a.safetensors
        rm a.safetensors
    done
}
