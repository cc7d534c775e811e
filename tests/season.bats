load helpers
load season

# A season of 12 videos, killed three times; SEASON_VIDEOS=60 SEASON_KILLS=10 is the long way.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    make_model reef.safetensors
    make_season archive "${SEASON_VIDEOS:-12}"
    local begin=${EPOCHREALTIME/./}
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors -j2 2>said
    echo $(((${EPOCHREALTIME/./} - begin) / 1000)) >milliseconds
}

setup() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    videos=${SEASON_VIDEOS:-12}
}

@test "every video of a table is labelled, with its second of dive; a broken one is listed" {
    grep -qx "season: $((videos + 1)) videos in, $videos out; still being copied: 0, with other problems: 1 (see whole/problems.csv)" said
    [ "$(find whole/videos -name labels.vtt | wc -l)" -eq "$videos" ]
    printf '%s\r\n' dive,camera,path,stage,said \
        "dive 2,cam 9,\"broken, \"\"quoted\"\".mp4\",frames,\"sb-frames: $PWD/archive/broken, \"\"quoted\"\".mp4: not a video (or it was cut off before its index)\"" |
        diff - whole/problems.csv
    cat whole/videos/*/labels.jsonl >all.jsonl
    jq -e '.source as $s | (.time - .pts) * 10 % 600 == 95 and (.group | test("dive [0-3]")) and (.predicted | length) == 3 and (.embedding | length) == 16' all.jsonl | sort -u | grep -qx true
    jq -r .source all.jsonl | sort -u | diff - <(for ((n = 0; n < videos; n += 2)); do video_path "$n"; echo; done | sort)
    [ "$(wc -l <whole/season.csv)" -eq $(($(wc -l <all.jsonl) + 1)) ]
    sb-check -v whole/pick.sb | grep -q '^whole/pick.sb: whole, 6 records'
    sb-export jsonl -q whole/pick.sb | jq -r .group | sort -u | wc -l | grep -qx 2
    head -c 4 whole/pick.png | grep -q PNG
}

@test "what an earlier video of the table showed is dropped, and the order of work does not matter" {
    for ((n = 1; n < videos; n += 2)); do
        folder=$(grep -lx "$(video_path "$n" | sed 's/[$"]/\\&/g')" whole/videos/*/video)
        [ ! -s "${folder%video}labels.jsonl" ]
        sb-check "${folder%video}kept.sb"
    done
    season DIVES=archive/dives.tsv OUT=alone MODEL=reef.safetensors 2>/dev/null
    same_season whole alone
}

@test "a second run does nothing, and a parameter makes again what it touches" {
    made whole >before
    products whole >first
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors 2>/dev/null
    made whole | diff before -
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors PICK=5 2>/dev/null
    made whole | diff before - | sed -n 's/^> \([^ ]*\) .*/\1/p' | tr '\n' ' ' | grep -qx 'pick.png pick.sb '
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors 2>/dev/null
    made whole >before
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors TOP=2 2>/dev/null
    made whole | diff before - | sed -n 's/^> \([^ ]*\) .*/\1/p' | sed 's/.*\///' | sort | uniq -c | awk '{ print $2, $1 }' | diff - <(
        printf "%s $videos\n" kept.sb labels.csv labels.jsonl labels.vtt
        printf '%s 1\n' pick.png pick.sb season.csv
        echo "unlike.sb $videos"
    )
    season DIVES=archive/dives.tsv OUT=whole MODEL=reef.safetensors 2>/dev/null
    products whole | diff first -
}

# Runs a season as process group $!, which ends by itself or is killed.
season_in_group() {
    setsid make -s -f "$ROOT/pipelines/season.mk" FPS=2 PICK=6 CLUSTERS=3 "$@" >/dev/null 2>&1 3>&- &
}

@test "killed at any moment, a run goes on where it was, and gives the same bytes" {
    kills=${SEASON_KILLS:-3}
    hit=0
    for ((k = 0; k < kills; k++)); do
        moment=$((2 * RANDOM * $(cat milliseconds) / kills / 32768)) # twice the even share: each run lists the table first
        season_in_group DIVES=archive/dives.tsv OUT=killed MODEL=reef.safetensors -j2
        pid=$!
        sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
        kill -9 -- -$pid || :
        status=0
        wait $pid || status=$?
        [ "$status" -ne 137 ] || hit=$((hit + 1))
        echo "killed after $moment ms: $status, $(find killed -name unlike.sb | wc -l) videos done, $(find killed -name '*.tmp' | wc -l) files begun"
        [ -d killed ] || mkdir killed
        made killed >"before.$k"
    done
    [ "$hit" -gt 0 ]
    season DIVES=archive/dives.tsv OUT=killed MODEL=reef.safetensors -j2 2>/dev/null
    same_season whole killed
    # What was there is not made again.
    made killed >after
    for ((k = 0; k < kills; k++)); do comm -23 "before.$k" after | grep . && return 1; done
    [ -z "$(find killed -name '*.tmp' -o -name '*.new')" ]
}

# Waits until run $1 reads its video.
frames_begun() { until find stopped/season -name '.frames.sb.new*.tmp' 2>/dev/null | grep -q .; do kill -0 "$1" || return 1; sleep 0.02; done; }

@test "what a video gave before it was interrupted is not taken for all" {
    mkdir -p stopped
    printf 'dive\tcamera\tstart\tpath\n7\t\t\tlong.mp4\n' >stopped/dives.tsv
    sb-synth video -q --seconds 60 --fps 10 --size 320x180 --seed 3 -o stopped/long.mp4
    settle stopped
    setsid env --default-signal=INT make -s -f "$ROOT/pipelines/season.mk" FPS=10 DIVES=stopped/dives.tsv OUT=stopped/season >/dev/null 2>&1 3>&- &
    pid=$!
    frames_begun $pid
    kill -INT -- -$pid
    wait $pid && return 1
    # sb-frames ends its stream well, with what it had.
    [ -z "$(find stopped/season -name frames.sb -o -name problem)" ]
    # Alone, it is listed.
    mkdir alone.bin
    printf '#!/bin/sh\necho $$ >"%s"\nexec "%s" "$@"\n' "$PWD/frames.pid" "$(command -v sb-frames)" >alone.bin/sb-frames
    chmod +x alone.bin/sb-frames
    season FPS=10 DIVES=stopped/dives.tsv OUT=stopped/season BIN=alone.bin 2>/dev/null 3>&- &
    pid=$!
    frames_begun $pid
    kill -TERM "$(cat frames.pid)"
    wait $pid && return 1
    grep -q '^7,,long.mp4,frames,sb-frames: stopped by a signal' stopped/season/problems.csv
    [ -z "$(find stopped/season -name frames.sb)" ]
    season FPS=10 DIVES=stopped/dives.tsv OUT=stopped/season 2>/dev/null
    sb-check -v stopped/season/videos/long-*/frames.sb | grep -q 'whole, 600 records'
}

@test "a second run at a time is refused" {
    season_in_group DIVES=archive/dives.tsv OUT=twice MODEL=reef.safetensors
    pid=$!
    until [ -e twice/.ready ]; do kill -0 $pid || return 1; sleep 0.02; done
    said=$(season DIVES=archive/dives.tsv OUT=twice 2>&1) && status=0 || status=$?
    kill -9 -- -$pid || :
    wait $pid || :
    [ "$status" -ne 0 ]
    grep -qx 'season: .*twice: another run is at work there' <<<"$said"
    # The lock goes with the run.
    flock -w 20 twice/.lock true
}

# An archive of its own, whose table names two of the videos.
small() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp -rp "$BATS_FILE_TMPDIR/archive" .
    head -n 4 "$BATS_FILE_TMPDIR/archive/dives.tsv" >archive/dives.tsv
}
rows_of_problems() { tail -n +2 "$1/problems.csv" | tr -d '\r'; }

@test "adding two videos makes two; what was repaired leaves problems.csv" {
    small
    printf 'dive 2\tcam 9\t\tbroken.mp4\n' >>archive/dives.tsv
    echo text >archive/broken.mp4
    settle archive/broken.mp4
    season DIVES=archive/dives.tsv 2>/dev/null
    rows_of_problems season | grep -q '^dive 2,cam 9,broken.mp4,frames,sb-frames: .*not a video'
    made season >before
    add_video archive 2
    add_video archive 3
    season DIVES=archive/dives.tsv 2>/dev/null
    made season | comm -13 before - | sed 's/ .*//' | grep -c 'frames.sb$' | grep -qx 2
    made season | comm -13 before - | sed 's/ .*//; s/-[0-9a-f]*\//\//' | sort -u | diff - <(
        printf '%s\n' pick.png pick.sb season.csv videos/GX_0{2,3}/{frames.sb,kept.sb,labels.csv,labels.jsonl,unlike.sb} | sort)
    sb-synth video -q --seconds 1 --fps 4 --size 96x64 --seed 77 -o archive/broken.mp4
    settle archive/broken.mp4
    season DIVES=archive/dives.tsv 2>said
    [ -z "$(rows_of_problems season)" ]
    grep -qx 'season: 5 videos in, 5 out' said
    # The season is that of a fresh run, though the repaired video stands before others.
    season DIVES=archive/dives.tsv OUT=fresh 2>/dev/null
    same_season season fresh
}

@test "a season of which nothing could be made has failed" {
    small
    run season DIVES=archive/dives.tsv FRAMES=--mistyped
    [ "$status" -ne 0 ]
    [[ $output == *"season: 2 videos in, 0 out; still being copied: 0, with other problems: 2"* ]]
    rows_of_problems season | grep -c 'frames,.*--mistyped' | grep -qx 2
    season DIVES=archive/dives.tsv 2>said
    grep -qx 'season: 2 videos in, 2 out' said
}

@test "a file that is being copied, or changes while it is read, waits for a later run" {
    small
    touch "archive/$(video_path 1)"
    season DIVES=archive/dives.tsv 2>said
    rows_of_problems season | grep -q '^dive 1,cam 1,dive 2/100GOPRO/GX 01.mp4,copying,it changed [0-9]* s ago: a later run takes it'
    grep -qx 'season: 2 videos in, 1 out; still being copied: 1, with other problems: 0 (see season/problems.csv)' said
    # A program of that name which is slow, while the file grows.
    mkdir slow
    printf '#!/bin/sh\n"%s" "$@" && for last; do :; done && echo >>"$last"\n' "$(command -v sb-frames)" >slow/sb-frames
    chmod +x slow/sb-frames
    settle "archive/$(video_path 1)"
    season DIVES=archive/dives.tsv BIN=slow 2>said
    rows_of_problems season | grep -qx 'dive 1,cam 1,dive 2/100GOPRO/GX 01.mp4,copying,it changed while it was read: a later run takes it'
    [ "$(find season -name frames.sb | wc -l)" -eq 1 ]
    settle "archive/$(video_path 1)"
    season DIVES=archive/dives.tsv 2>/dev/null
    [ -z "$(rows_of_problems season)" ]
    [ "$(find season -name frames.sb | wc -l)" -eq 2 ]
}

@test "a table from a spreadsheet: byte order mark, CR, quotes, other columns; in UTF-16; a path elsewhere" {
    small
    first=$(video_path 0)
    mv "archive/$(video_path 2)" 'else where $(ls) "q" %.mp4'
    printf '\xef\xbb\xbfCamera\tPath\tRemark\tDive\tStart\r\n\r\n\t\t\t\t\r\n"cam ""1"""\t"%s"\t\t7\t\r\n\t%s\t#\t\t2026-07-03 14:05:09\r\n' \
        "$first" "$PWD/else where \$(ls) \"q\" %.mp4" >archive/dives.tsv
    season DIVES=archive/dives.tsv 2>/dev/null
    [ -z "$(rows_of_problems season)" ]
    cat season/videos/*/labels.jsonl | jq -r '[.source, .group, .time] | @tsv' | sort -u >said
    iconv -t UTF-16 archive/dives.tsv >archive/wide.tsv
    made season >before
    season DIVES=archive/wide.tsv 2>/dev/null
    made season | diff before -
    {
        printf '%s\t7\t\n' "$first"
        printf '%s\t%s\t%s\n' "${PWD#/}/else where \$(ls) \"q\" %.mp4"{,} 1783087509 "${PWD#/}/else where \$(ls) \"q\" %.mp4"{,} 1783087509.5
    } | diff - said
}

@test "a table that can't be right is refused in a line" {
    small
    refused() {
        printf "$2" >archive/dives.tsv
        said=$(season DIVES=archive/dives.tsv 2>&1) && return 1
        grep -qx "season: .*$1" <<<"$said" || { echo "said: $said"; return 1; }
    }
    refused 'dives.tsv: line 1: no column "start"; tabs separate columns' 'dive\tcamera\tpath\n'
    refused 'dives.tsv: line 2: no column "dive"; tabs separate columns' '#\ndive,camera,start,path\n'
    refused 'dives.tsv: it names no video' 'dive\tcamera\tstart\tpath\n#a\tb\tc\td\n'
    refused 'dives.tsv: it names no video' ''
    refused 'dives.tsv: line 3: no path' 'dive\tcamera\tstart\tpath\na\tb\t\tc\na\tb\n'
    refused 'dives.tsv: not UTF-8; what Windows calls ANSI becomes it by: iconv -f WINDOWS-1252 -t UTF-8' 'dive\tcamera\tstart\tpath\nS\xfcd\tc\t\ta.mp4\n'
    refused 'dives.tsv: lines 2 and 3 name the same file: ./x/../a.mp4' 'dive\tcamera\tstart\tpath\nd\tc\t\ta.mp4\ne\tc\t\t./x/../a.mp4\n'
    run season DIVES=none.tsv
    [ "$status" -ne 0 ]
    [[ $output == *'season: none.tsv: no such file'* ]]
    # Nor is what lies where it would write.
    printf 'dive\tcamera\tstart\tpath\na\tb\t\tnone.mp4\n' >archive/dives.tsv
    mkdir -p mine/videos
    touch mine/videos/a.new
    for wrong in OUT=mine OUT= SETTLE=1.5; do
        said=$(season DIVES=archive/dives.tsv $wrong 2>&1) && return 1
        echo "$said"
    done >wrong
    grep -qx "season: mine/videos: it is there, and is no season's" wrong
    grep -q 'OUT= names no folder' wrong
    grep -qx "season: SETTLE: '1.5' is no number of seconds" wrong
    [ -e mine/videos/a.new ] && [ ! -e mine/.lock ] || return 1
    # What is wrong with one video alone is that video's problem.
    printf 'dive\tcamera\tstart\tpath\na\tb\t3.7.2026 14:05\t%s\na\tb\t\tarchive\na\tb\t\tnone.mp4\n' "$(video_path 0)" >archive/dives.tsv
    mkdir archive/archive
    run season DIVES=archive/dives.tsv
    [ "$status" -ne 0 ]
    rows_of_problems season
    rows_of_problems season | diff - <(
        echo "a,b,$(video_path 0),frames,sb-frames: --start-time: '3.7.2026 14:05' is not a date and time such as 2026-07-03T14:05:09Z"
        echo 'a,b,archive,missing,not a file'
        echo 'a,b,none.mp4,missing,no such file'
    )
}

@test "names that begin with a dash or hold what shells and make read; the last line of a run; without a model again" {
    small
    mkdir d archive/odd
    n=0
    for name in '-dash.mp4' 'a [1].mp4' 'b `id` $(id) ~.mp4' 'c\d.mp4' 'e%f,g;h&i|j.mp4' ' k .mp4'; do
        sb-synth video -q --seconds 1 --fps 4 --size 96x64 --seed $((90 + n++)) -o "archive/odd/$name"
        printf 'd\t\t\todd/%s\n' "$name" >>archive/dives.tsv
    done
    settle archive/odd
    mv -- archive -archive
    export CDPATH=$PWD/d
    season DIVES=-archive/dives.tsv OUT=-out MODEL="$BATS_FILE_TMPDIR/reef.safetensors" 2>said
    [ "$(tail -n 1 said)" = 'season: 8 videos in, 8 out' ]
    [ -z "$(ls -A d)" ]
    season DIVES=-archive/dives.tsv OUT=-out 2>/dev/null
    season DIVES=-archive/dives.tsv OUT=fresh -j2 2>/dev/null
    same_season ./-out fresh
}

@test "make -n submits nothing to a cluster" {
    small
    mkdir bin
    printf '#!/bin/sh\ntouch "%s"\n' "$PWD/asked" | tee bin/sbatch >bin/squeue
    chmod +x bin/*
    season -n DIVES=archive/dives.tsv SCALE=slurm BIN=bin >said
    [ "$(tail -n 2 said | cut -d- -f1 | xargs)" = "GX_00 GX_01" ]
    [ ! -e asked ]
}

@test "a full disk is no video's problem: the run fails, and goes on later" {
    small
    mkdir full
    printf '#!/bin/sh\necho "sb-frames: x: No space left on device" >&2\nexit 1\n' >full/sb-frames
    chmod +x full/sb-frames
    season DIVES=archive/dives.tsv BIN=full 2>said && return 1
    grep -q ': sb-frames: x: No space left on device$' said
    [ ! -e season/problems.csv ]
    season DIVES=archive/dives.tsv 2>said
    [ "$(tail -n 1 said)" = 'season: 2 videos in, 2 out' ]
}

@test "one model is loaded at a time" {
    small
    mkdir bin
    printf '#!/bin/sh\nmkdir busy || touch both; sleep 0.5; rmdir busy; exec "%s" "$@"\n' "$(command -v sb-classify)" >bin/sb-classify
    chmod +x bin/sb-classify
    season DIVES=archive/dives.tsv MODEL="$BATS_FILE_TMPDIR/reef.safetensors" BIN=bin GPU_LOCK="$PWD/lock" -j2 2>/dev/null
    [ ! -e season/both ]
    [ "$(find season -name unlike.sb | wc -l)" -eq 2 ]
}
