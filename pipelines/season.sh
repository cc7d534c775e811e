#!/bin/bash
# What season.mk does beside running programs: it lists the table, lets a video's failure be its own, and gathers what came of
# all. Commands run inside OUT; recipes source it for begin and settled.
#
# Files of its own there:
#     .list           a line a video, in the table's order: name, state (ready, missing, copying), said, dive, camera, path; separated by US
#     .ready, .done   names of those that can be made, and that have been; chain.mk: which of these waits for which
#     .counts         the line that ends a run
#     videos/NAME/    video: path, source, dive, start and identity, a line each; STAGE.said: what a stage said; problem: the stage
#                     that failed, and what it said; STAGE.param: what a stage depends on, written only when that changes

US=$'\x1f'

# Writes a file only if that changes it: put FILE TEXT
put() {
    local old=()
    [ ! -e "$1" ] || mapfile -d '' old <"$1"
    [ "${old-}" != "$2"$'\n' ] || return 0
    printf '%s\n' "$2" >"$1.new"
    mv "$1.new" "$1"
}

# A line of a CSV table.
csv() {
    local cell line=
    for cell; do
        case $cell in *[\",$'\r']*) cell=\"${cell//\"/\"\"}\" ;; esac
        line+=,$cell
    done
    printf '%s\r\n' "${line#,}"
}

# Size and time of change.
identity() { stat -L --printf '%s %.Y' -- "$1" 2>/dev/null || :; }

# ---- in recipes ------------------------------------------------------------------------------------------------------

# begin NAME STAGE: from here on what is said is kept, and a failure is the video's problem, not make's. Sets path, source, dive, start.
begin() {
    name=$1 stage=$2 video=videos/$1 interrupted=
    { IFS= read -r path && IFS= read -r source && IFS= read -r dive && IFS= read -r start && IFS= read -r listed; } <"$video/video"
    rm -f "$video/problem"
    exec 8>&2 2>"$video/$stage.said"
    trap ended EXIT
    trap 'interrupted=1; exit 130' INT TERM HUP
}

# The file is still what was listed.
settled() { [ "$(identity "$path")" = "$listed" ]; }

# sb-frames ends its stream well when a signal stops it, with what it had.
unstopped() { ! grep -qx 'sb-frames: stopped by a signal' "$video/frames.said"; }

ended() {
    local status=$?
    exec 2>&8 8>&-
    sed "s|^|$name: |" "$video/$stage.said" >&2
    if [ "$status" -eq 0 ] || [ "$interrupted" ]; then exit "$status"; fi
    # A full disk is no video's own problem.
    ! grep -qE 'No space left on device|Disk quota exceeded' "$video/$stage.said" || exit "$status"
    if [ "$stage" = frames ] && ! settled; then stage=copying; echo "it changed while it was read: a later run takes it" >"$video/frames.said"; fi
    [ -s "$video/${stage/copying/frames}.said" ] || echo "ended with status $status" >"$video/$stage.said"
    { echo "$stage"; cat "$video/${stage/copying/frames}.said"; } >"$video/problem.new"
    mv "$video/problem.new" "$video/problem"
    exit 0
}

# ---- the table -------------------------------------------------------------------------------------------------------

# The table as UTF-8, which spreadsheets do not always write.
text() {
    local from=UTF-8
    case $(head -c 2 "$DIVES" | od -An -tx1) in ' ff fe' | ' fe ff') from=UTF-16 ;; esac
    iconv -f $from -t UTF-8 "$DIVES" 2>/dev/null || {
        echo "season: $DIVES: not $from; what Windows calls ANSI becomes it by: iconv -f WINDOWS-1252 -t UTF-8" >&2
        exit 1
    }
}

# Line number, dive, camera, start and path of each row of standard input. Spreadsheets add a byte order mark, CR and quotes.
rows() {
    awk -F '\t' '
        function fail(why) { printf "season: %s: %s\n", ENVIRON["DIVES"], why > "/dev/stderr"; failed = 1; exit 1 }
        function plain(s) {
            if (s ~ /^"([^"]|"")*"$/) { s = substr(s, 2, length(s) - 2); gsub(/""/, "\"", s) }
            return s
        }
        NR == 1 { sub(/^\357\273\277/, "") }
        { sub(/\r$/, "") }
        /^#/ || /^[ \t]*$/ { next }
        !header {
            for (i = 1; i <= NF; i++) column[tolower(plain($i))] = i
            n = split("dive camera start path", want, " ")
            for (i = 1; i <= n; i++) if (!(want[i] in column)) fail("line " NR ": no column \"" want[i] "\"; tabs separate columns")
            header = 1
            next
        }
        {
            if (plain($column["path"]) == "") fail("line " NR ": no path")
            printf "%d", NR
            for (i = 1; i <= n; i++) printf "\037%s", plain($column[want[i]])
            printf "\n"
            rows++
        }
        END { if (!failed && !rows) fail("it names no video") }'
}

# Sets name[i]: what can be read of source[i], and a hash of it.
name_sources() {
    local i hashes
    mkdir .table/sources
    for i in "${!source[@]}"; do printf %s "${source[i]}" >".table/sources/$i"; done
    (cd .table/sources && printf '%s\0' "${!source[@]}" | xargs -0 sha256sum) >.table/hashes
    mapfile -t hashes <.table/hashes
    for i in "${!source[@]}"; do
        name[i]=${source[i]##*/}
        name[i]=${name[i]%.*}
        name[i]=${name[i]//[^A-Za-z0-9_]/_}
        name[i]=${name[i]:0:40}-${hashes[i]:0:12}
    done
}

# Sets state and said by a file's mode and time of change, which are empty where there is no file.
judge() {
    local age
    state=ready said=
    if [ -z "$1" ]; then state=missing said="no such file"; return; fi
    printf -v age '%(%s)T'
    age=$((age - ${2%.*}))
    if (((16#$1 & 16#f000) != 16#8000)); then state=missing said="not a file"
    elif ((age < SETTLE && age > -SETTLE)); then state=copying said="it changed $age s ago: a later run takes it"
    fi
}

# Reads the table into number, dive, camera, start, path (as in the table), file (absolute), source, mode and listed, arrays of a row each.
# Not a process for each row: that would take most of a run that finds all done. From files, as bash reads pipes byte by byte.
read_table() {
    local folder i=0 m s t f
    local -A found_mode found
    text >.table/text
    rows <.table/text >.table/rows
    folder=$(dirname "$DIVES")
    while IFS=$US read -r "number[i]" "dive[i]" "camera[i]" "start[i]" "path[i]"; do
        case ${path[i]} in /*) file[i]=${path[i]} ;; *) file[i]=$folder/${path[i]} ;; esac
        i=$((i + 1))
    done <.table/rows
    # A source is a path below the table's folder, or else below /.
    printf '%s\0' "${file[@]}" >.table/files
    xargs -0 realpath -smz --relative-base="$folder" -- <.table/files >.table/sources.0
    mapfile -d '' -t source <.table/sources.0
    xargs -0 stat -L --printf '%f\x1f%s\x1f%.Y\x1f%n\n' -- <.table/files >.table/found 2>/dev/null || :
    while IFS=$US read -r m s t f; do found_mode[x$f]=$m found[x$f]="$s $t"; done <.table/found
    for i in "${!file[@]}"; do
        source[i]=${source[i]#/}
        mode[i]=${found_mode[x${file[i]}]-}
        listed[i]=${found[x${file[i]}]-}
    done
}

refuse_doubles() {
    local i first
    local -A line
    for i in "${!source[@]}"; do
        first=${line[x${source[i]}]-}
        [ -z "$first" ] || { echo "season: $DIVES: lines $first and ${number[i]} name the same file: ${path[i]}" >&2; exit 1; }
        line[x${source[i]}]=${number[i]}
    done
}

list() {
    local number dive camera start path file source mode listed name state said i at nav labels ready=
    [[ $SETTLE =~ ^[0-9]+$ ]] || { echo "season: SETTLE: '$SETTLE' is no number of seconds" >&2; exit 1; }
    mkdir -p videos
    nav=${NAV:+$NAV $(identity "$NAV")}
    labels=$DEDUP${MODEL:+$'\n'$MODEL $(identity "$MODEL") $TOP $MIN_PROB $DEVICE}
    find videos \( -name '*.new' -o -name '.*.tmp' -o -name before.hashes \) -delete
    rm -rf .table
    mkdir .table
    read_table
    refuse_doubles
    name_sources
    exec 3>.list.new 4>videos.csv.new
    csv source dive camera start path folder >&4
    for i in "${!file[@]}"; do
        at=videos/${name[i]}
        judge "${mode[i]}" "${listed[i]#* }"
        printf '%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\n' "${name[i]}" "$state" "$said" "${dive[i]}" "${camera[i]}" "${path[i]}" >&3
        csv "${source[i]}" "${dive[i]}" "${camera[i]}" "${start[i]}" "${path[i]}" "$at" >&4
        [ "$state" = ready ] || continue
        ready+=${name[i]}$'\n'
        [ -d "$at" ] || mkdir "$at"
        put "$at/video" "${file[i]}"$'\n'"${source[i]}"$'\n'"${dive[i]}"$'\n'"${start[i]}"$'\n'"${listed[i]}"
        put "$at/frames.param" "${source[i]}"$'\n'"${dive[i]}"$'\n'"${start[i]}"$'\n'"${listed[i]}"$'\n'"$FPS $SHORT $FRAMES"$'\n'"$nav"
        put "$at/unlike.param" "$labels"
    done
    exec 3>&- 4>&-
    rm -r .table
    mv videos.csv.new videos.csv
    mv .list.new .list
    put .ready "${ready%$'\n'}"
}

# ---- what came of it -------------------------------------------------------------------------------------------------

# Is the first file there, and not older than the others?
fresh() {
    local target=$1 other
    [ -e "$target" ] || return
    for other in "${@:2}"; do [ ! "$target" -ot "$other" ] || return; done
}
# frames.sb may have been deleted to save space.
done_with() { fresh "videos/$1/unlike.sb" "videos/$1/frames.sb" "videos/$1/frames.param" "videos/$1/unlike.param"; }

# Sets said to the lines of standard input as one, but for counts and for where usage stands.
digest() {
    local line
    said=
    while IFS= read -r line; do
        [[ $line =~ ^sb-[a-z]+:\ [0-9]+\ in,\ |^Try\ \'sb- ]] || said+=${said:+; }$line
    done
}

# Why a video that was ready has no products: sets state and said.
find_problem() {
    state=unfinished said="cut off; a later run makes it"
    [ ! -e "videos/$1/problem" ] || { read -r state; digest; } <"videos/$1/problem"
}

gather() {
    local name state said dive camera path before= done= chain= count=(0 0 0 0)
    exec 3>problems.csv.new
    csv dive camera path stage said >&3
    while IFS=$US read -r name state said dive camera path; do
        count[0]=$((count[0] + 1))
        if [ "$state" = ready ] && done_with "$name"; then
            count[1]=$((count[1] + 1))
            put "videos/$name/kept.param" "after $before"
            done+=$name$'\n'
            chain+=${before:+videos/$name/kept.sb: videos/$before/kept.sb$'\n'}
            before=$name
            said=
            [ ! -e "videos/$name/frames.said" ] || digest <"videos/$name/frames.said"
            [ -z "$said" ] || { count[3]=$((count[3] + 1)); csv "$dive" "$camera" "$path" frames "$said" >&3; }
        else
            [ "$state" != ready ] || find_problem "$name"
            if [ "$state" = copying ]; then count[2]=$((count[2] + 1)); else count[3]=$((count[3] + 1)); fi
            csv "$dive" "$camera" "$path" "$state" "$said" >&3
        fi
    done <.list
    exec 3>&-
    mv problems.csv.new problems.csv
    put .done "${done%$'\n'}"
    put chain.mk "$chain"
    put pick.param "$PICK $CLUSTERS $DEVICE"
    said="season: ${count[0]} videos in, ${count[1]} out"
    [ $((count[2] + count[3])) -eq 0 ] || said+="; still being copied: ${count[2]}, with other problems: ${count[3]} (see ${PWD##*/}/problems.csv)"
    put .counts "$said"
}

# The end of a run: its counts. It has failed if nothing at all could be made: that is not the videos' doing.
end() {
    cat .counts >&2
    ! grep -q ' in, 0 out; .* with other problems: [1-9]' .counts
}

# Names of the videos that are still to be made.
todo() {
    local name
    while read -r name; do [ -z "$name" ] || done_with "$name" || echo "$name"; done <.ready
}

case $0 in
*/season.sh)
    set -eu -o pipefail
    export LC_ALL=C
    "$@"
    ;;
esac
