# A season to make: tests/season.bats does it by make alone, tests/slurm.bats on a cluster.

# A tiny classifier.
make_model() {
    sb-synth frames -q --crops -n 40 --size 160x120 --encode png --seed 4 | sb-split -q | sb-tensorize -q --size 16 --fit stretch -o crops.tensors.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 --warmup 0 -o "$1" crops.tensors.sb >/dev/null
    rm crops.tensors.sb
}

# Whatever was written there was so an hour ago.
settle() { find "$@" -type f -exec touch -d '1 hour ago' {} +; }

# The path of video N, below the season's folder.
video_path() {
    local folders=('dive 1 Übersicht' 'dive 2/100GOPRO' "dive 3 \"\$HOME\"" 'dive#4:ö')
    printf '%s' "${folders[$1 % 4]}/GX 0$1.mp4"
}

row() { printf 'dive %s\tcam %s\t2026-07-%02dT14:05:09.5\t%s\n' "$(($1 % 4))" "$(($1 % 3))" "$(($1 % 28 + 1))" "$(video_path "$1")"; }

# add_video FOLDER N: every other one is a copy of the one before, with another end, of which no picture is new.
add_video() {
    local path
    path=$1/$(video_path "$2")
    mkdir -p "$(dirname "$path")"
    if [ $(($2 % 2)) -eq 1 ] && [ -e "$1/$(video_path $(($2 - 1)))" ]; then
        { cat "$1/$(video_path $(($2 - 1)))"; printf '\0\0\0\10free'; } >"$path"
    else
        sb-synth video -q --seconds 1 --fps 4 --size 96x64 --seed "$2" -o "$path"
    fi
    touch -d '1 hour ago' "$path"
    row "$2" >>"$1/dives.tsv"
}

# make_season FOLDER N: N videos, and one that is none.
make_season() {
    local n
    mkdir -p "$1"
    printf '# what the ship brought\ndive\tcamera\tstart\tpath\n' >"$1/dives.tsv"
    for ((n = 0; n < $2; n++)); do
        add_video "$1" "$n"
        [ "$n" -ne 2 ] || printf 'dive 2\tcam 9\t\tbroken, "quoted".mp4\n' >>"$1/dives.tsv"
    done
    echo text >"$1/broken, \"quoted\".mp4"
    settle "$1"
}

season() { make -s -f "$ROOT/pipelines/season.mk" FPS=2 PICK=6 CLUSTERS=3 "$@"; }

# Everything that a season gives, with its hash.
products() { (cd "$1" && find . \( -name '*.sb' -o -name '*.hashes' -o -name '*.csv' -o -name '*.json*' -o -name '*.vtt' -o -name '*.png' \) -exec md5sum {} + | sort -k 2); }
same_season() { diff <(products "$1") <(products "$2"); }

# Which file has which inode: a file made again has another.
made() { (cd "$1" && find . \( -name '*.sb' -o -name '*.csv' -o -name '*.jsonl' -o -name '*.vtt' -o -name '*.png' \) ! -name problems.csv ! -name videos.csv -printf '%P %i\n' | sort); }
