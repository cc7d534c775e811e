load helpers
load season
load slurm

# season.mk on a cluster: a real slurmctld, slurmd and munged on this machine. Arrays may have four tasks.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    [ -z "$(slurm_missing)" ] || return 0
    make_model reef.safetensors
    make_season archive 6
    slurm_start "$PWD/slurm" 5
}

teardown_file() { [ -n "$(slurm_missing)" ] || slurm_stop; }

setup() {
    local missing
    missing=$(slurm_missing)
    [ -z "$missing" ] || skip "$missing"
    cd "$BATS_FILE_TMPDIR" || exit 1
}

# What a failed test has left at work.
teardown() { [ -z "${pid-}" ] || kill "$pid" 2>/dev/null || :; }

@test "a season through Slurm is that of make alone" {
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors 2>/dev/null
    SBATCH_EXPORT=NONE season DIVES=archive/dives.tsv OUT=array MODEL=reef.safetensors SCALE=slurm SLURM_ARGS='-p all --nice=1' 2>said
    cat said
    grep -q '^season: 7 videos in 4 tasks: jobs ' said
    grep -qx 'season: 7 videos in, 6 out; still being copied: 0, with other problems: 1 (see array/problems.csv)' said
    [ "$(ls array/slurm/task-*.out | wc -l)" -eq 4 ]
    sed 's/ (see.*//' said >words
    same_season whole array
}

@test "a task that dies is listed, and a later run makes its video; meanwhile others are refused" {
    cp -rp whole again
    rm again/videos/GX_0{2,4}-*/*.sb
    made again >before
    mkdir -p slow
    cat >slow/sb-frames <<END
#!/bin/sh
case "\$*" in *'GX 02.mp4') touch begun; until [ -e go ]; do sleep 0.1; done; scancel "\${SLURM_ARRAY_JOB_ID}_\$SLURM_ARRAY_TASK_ID"; sleep 60 ;; esac
exec "$(command -v sb-frames)" "\$@"
END
    chmod +x slow/sb-frames
    season DIVES=archive/dives.tsv OUT=again MODEL=reef.safetensors SCALE=slurm BIN=slow 2>said 3>&- &
    pid=$!
    until_ok test -e again/begun
    for scale in '' slurm; do
        told=$(season DIVES=archive/dives.tsv OUT=again MODEL=reef.safetensors SCALE=$scale 2>&1) && return 1
        grep -q 'season: .*again: another run is at work there' <<<"$told"
    done
    touch again/go
    wait $pid
    cat said
    tail -n +2 again/problems.csv | tr -d '\r' | grep -v broken | diff - <(echo "dive 2,cam 2,$(video_path 2 | sed 's/"/""/g; s/.*/"&"/'),unfinished,cut off; a later run makes it")
    [ "$(wc -l <again/.done)" -eq 5 ]
    # Jobs that wait for their turn hold no lock, but are seen.
    season DIVES=archive/dives.tsv OUT=again MODEL=reef.safetensors SCALE=slurm SLURM_ARGS=--hold 2>said 3>&- &
    pid=$!
    until_ok grep -q '^season: 2 videos in 2 tasks' said
    told=$(season DIVES=archive/dives.tsv OUT=again MODEL=reef.safetensors SCALE=slurm 2>&1) && return 1
    grep -q 'season: .*again: jobs of an earlier run are still there' <<<"$told"
    scancel -n "$(sed -n 's/.*scancel -n \([^ ]*\).*/\1/p' said)"
    wait $pid && return 1
    grep -q 'season: .*again: its last job failed or was stopped' said
    season DIVES=archive/dives.tsv OUT=again MODEL=reef.safetensors SCALE=slurm 2>/dev/null
    same_season whole again
}
