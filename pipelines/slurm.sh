#!/bin/bash
# season.mk's videos as tasks of a Slurm array, then the rest of the season in a job that waits for all of them. Called by season.mk
# inside OUT, with what it exports, which sbatch hands on to the jobs (some clusters have it hand on nothing if not told to).
#
#     SLURM_ARGS      what sbatch is told besides: '--gres=gpu:1 --partition=fish --time=2:00:00'
#
# A task is a video; where Slurm takes no array as long as that, every so many. Tasks share the season's lock, so that they do not
# stop each other, but a run elsewhere. What the jobs say goes to OUT/slurm/.
set -eu -o pipefail
here=$(dirname "$SEASON_MK")

lock() {
    exec 9<>.lock
    flock "$@" 9 || { echo "season: $PWD: another run is at work there" >&2; exit 1; }
}

make_here() { make --no-print-directory -f "$SEASON_MK" "$@"; }

# How long an array may be: their indices are below MaxArraySize.
most_tasks() { scontrol show config | awk '$1 == "MaxArraySize" { print $3 - 1 }'; }

# Are jobs of this season pending or running? If Slurm does not answer, they may be.
queued() {
    local jobs
    jobs=$(squeue -h -n "$job" -o %A) || return 0
    [ -n "$jobs" ]
}

submit() {
    local job todo count most tasks first last after=() nap=1
    job=season-$(printf %s "$PWD" | sha256sum | head -c 12)
    ! queued || { echo "season: $PWD: jobs of an earlier run are still there: see squeue -n $job" >&2; exit 1; }
    unset MAKEFLAGS MFLAGS MAKELEVEL
    rm -rf slurm
    mkdir slurm
    "$here/season.sh" todo >.todo
    count=$(wc -l <.todo)
    if [ "$count" -gt 0 ]; then
        most=$(most_tasks)
        tasks=$((count < most ? count : most))
        first=$(sbatch --parsable --export=ALL -J "$job" --array="1-$tasks" -o slurm/task-%a.out $SLURM_ARGS "$here/slurm.sh" task)
        after=(--dependency="afterany:${first%%;*}")
    fi
    last=$(sbatch --parsable --export=ALL -J "$job" "${after[@]}" -o slurm/season.out $SLURM_ARGS "$here/slurm.sh" rest)
    echo "season: $count videos in ${tasks-0} tasks: jobs ${first-} ${last%%;*}, which go on without this program; scancel -n $job stops them" >&2
    while queued; do
        sleep $nap
        nap=$((nap < 30 ? 2 * nap : nap))
    done
    [ ! -e slurm/season.out ] || cat slurm/season.out >&2
    [ -e slurm/done ] || { echo "season: $PWD: its last job failed or was stopped" >&2; exit 1; }
    [ ! -s slurm/done ]
}

task() {
    local todo i status=0
    lock -s -n
    mapfile -t todo <.todo
    for ((i = SLURM_ARRAY_TASK_ID - 1; i < ${#todo[@]}; i += SLURM_ARRAY_TASK_COUNT)); do
        make_here "videos/${todo[i]}/unlike.sb" || status=$?
    done
    exit "$status"
}

# A lock of a node that died is held for a while.
rest() {
    lock -w 120
    "$here/season.sh" gather
    make_here season
    touch slurm/done
    "$here/season.sh" end || echo failed >slurm/done
}

"${1-submit}"
