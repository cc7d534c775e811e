# Every program that reads a stream, under every kind of bad input: it ends with status 1 and one line of its own, and
# leaves no file. What is peculiar to one program stands in that program's file.
load helpers
load fixture

setup_file() {
    make_fixture "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    sb-synth frames -q --labelled -n 4 --per-dive 1 --size 64x64 --seed 6 | sb-tensorize -q --size 16 --fit stretch -o whole.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{dive.mp4,crops,whole.sb,reef.safetensors,words.safetensors} .
    mkdir made
    printf 'id,label\nz,fish\n' >table.csv
}

# Command lines that end in the name of a stream; what they write lies in made/.
small="--arch dim=16,depth=1,heads=2 --patch 8 --epochs 1"
readers=(
    "sb-check -q"
    "sb-dedup -q -j1 -o made/a.sb"
    "sb-dedup -q -j2 --mark -o made/a.sb"
    "sb-pick -q --where probability>=0 -o made/a.sb"
    "sb-pick -q --sample 1 -o made/a.sb"
    "sb-cat -q -o made/a.sb"
    "sb-cluster -q -k 2 --device ref -o made/a.sb"
    "sb-join table.csv -q -o made/a.sb"
    "sb-crop -q -j2 --tiles 2x1 -o made/a.sb"
    "sb-split -q -o made/a.sb"
    "sb-split -q --stratify -o made/a.sb"
    "sb-tensorize -q -j1 --size 8 -o made/a.sb"
    "sb-tensorize -q -j2 --size 8 --type f32 -o made/a.sb"
    "sb-classify -q --device ref -m reef.safetensors --embed --score made/score.json -o made/a.sb"
    "sb-caption -q --device ref -m words.safetensors -o made/a.sb"
    "sb-train -q --device ref $small -o made/a.safetensors"
    "sb-export jsonl -q -o made/a.jsonl"
    "sb-export csv -q -o made/a.csv"
    "sb-export vtt -q -o made/"
    "sb-export contact -q -o made/a.png"
    "sb-export png -q -o made/pictures"
    "sb-export pictures -q -o made/pictures"
    "sb-export coco -q -o made/a.json"
    "sb-export yolo -q -o made/yolo"
)

# Runs a command that must fail with status 1, with one line of its own that contains $1, and without a file.
refuses() {
    local want=$1 status=0 said
    shift
    said=$("$@" 2>&1 >out) || status=$?
    if [ "$status" -ne 1 ] || [ "$(wc -l <<<"$said")" -ne 1 ] || [[ $said != "$1: "*"$want"* ]]; then
        echo "$*: status $status, wanted '$want', said: $said"
        return 1
    fi
    said=$(find made -type f -o -name '*.tmp')
    [ -z "$said" ] || { echo "$*: left $said"; return 1; }
}

# The same for each reader, of the stream named last.
all_refuse() {
    local want=$1 failed=0
    for reader in "${readers[@]}"; do refuses "$want" $reader "$2" || failed=1; done
    return $failed
}

@test "a stream cut in its header, in a record, before its trailer, in its trailer" {
    size=$(stat -c %s whole.sb)
    trailer=$(grep -abo 'end' whole.sb | tail -n 1 | cut -d: -f1) # after the map's head and the key's
    for n in 1 40 $((size / 3)) $((size / 2)) $((trailer - 2)) $((trailer + 1)) $((size - 1)); do
        head -c $n whole.sb >cut.sb
        all_refuse "cut.sb: stream cut off after " cut.sb
    done
}

@test "a bit flipped in a picture: nobody takes the end for whole" {
    cp whole.sb bad.sb
    at=$(($(grep -abo image whole.sb | tail -n 1 | cut -d: -f1) + 1000))
    byte=$(od -An -tu1 -j$at -N1 whole.sb)
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of=bad.sb bs=1 seek=$at conv=notrunc status=none
    all_refuse "bad.sb: damaged: the hash of its 4 records is not the one in its trailer" bad.sb
}

@test "no stream: empty, a text, a video, a folder, not there, not to be read" {
    : >empty.sb
    echo "some words" >words.sb
    all_refuse "empty.sb: empty, not a SeaBot stream" empty.sb
    all_refuse "words.sb: not a SeaBot stream" words.sb
    all_refuse "dive.mp4: not a SeaBot stream" dive.mp4
    all_refuse "made: Is a directory" made
    all_refuse "absent.sb: No such file or directory" absent.sb
    [ "$(id -u)" -ne 0 ] || return 0 # who may read everything
    cp whole.sb secret.sb
    chmod 0 secret.sb
    all_refuse "secret.sb: Permission denied" secret.sb
}

@test "a list that declares 2 GB in 5 bytes" {
    printf '\xdd\xff\xff\xff\xff' >list.sb
    all_refuse "list.sb: not a SeaBot stream" list.sb
    printf '\x81\xa6seabot\x01\x81\xa1x\xdd\xff\xff\xff\xff' >field.sb
    all_refuse "field.sb: damaged after 0 records: a record of 4294967303 bytes or more: the limit is " field.sb
}

@test "a source killed in the middle of a pipe, without pipefail" {
    set +o pipefail
    for reader in "${readers[@]}"; do
        rm -f said status
        { head -c 30000 whole.sb; kill -KILL $BASHPID; } 2>/dev/null | { $reader 2>said >out || echo $? >status; } || :
        [ "$(cat status)" = 1 ]
        [ "$(cat said)" = "${reader%% *}: standard input: stream cut off after 2 records" ] || { cat said; return 1; }
        [ -z "$(find made -type f)" ]
    done
}

# The records of whole.sb without header and trailer, as a script may write them, and then this one.
records_and() {
    local first trailer
    first=$(LC_ALL=C grep -abo -P '[\x80-\x8f]\xa2id' whole.sb | head -n 1 | cut -d: -f1)
    trailer=$(grep -abo end whole.sb | tail -n 1 | cut -d: -f1)
    head -c $((trailer - 2)) whole.sb | tail -c +$((first + 1))
    printf "$1"
}

# A u8 array [3,$1,$1] of zeros, as msgpack-numpy writes it.
tensor() {
    printf '\x85\xc4\x02nd\xc3\xc4\x04type\xa3|u1\xc4\x04kind\xc4\x00\xc4\x05shape\x93\x03'
    printf "\\x$(printf %02x "$1")\\x$(printf %02x "$1")\\xc4\\x04data\\xc5\\x$(printf %02x $((3 * $1 * $1 / 256)))\\x$(printf %02x $((3 * $1 * $1 % 256)))"
    head -c $((3 * $1 * $1)) /dev/zero
}

# The fifth record has nothing of what they need, then another thing in its place.
@test "a record without the needed field, or with another thing there, is named by its number" {
    records_and '\x82\xa2id\xa1z\xa5label\xa4fish' >lacks.sb
    records_and '\x87\xa2id\xa1z\xa5label\xa4fish\xa5image\x05\xa6tensor\xa1x\xa5group\x90\xa3pts\xa1x\xa6source\x02' >wrong.sb
    for reader in "${readers[@]}"; do
        case $reader in
        *-cluster*) lacks="neither field 'embedding' nor 'image'" wrong="field 'image' is no picture" ;;
        *-split*) lacks="no field 'group'" wrong="field 'group' is a list, not " ;;
        *-classify* | *-caption* | *-train*) lacks="no field 'tensor'" wrong="field 'tensor' is a str, not an array" ;;
        *vtt*) lacks="no field 'pts'" wrong="field 'source' is an integer, not a str" ;;
        *-dedup* | *-tensorize* | *-crop* | *contact* | *png* | *pictures*) lacks="no field 'image'" wrong="field 'image' is no picture" ;;
        *) continue ;; # sb-check, jsonl and csv take what there is
        esac
        for kind in lacks wrong; do
            refuses "$kind.sb: record 5" $reader $kind.sb
            refuses "${!kind}" $reader $kind.sb
        done
    done
    records_and '\x83\xa2id\xa1z\xa5label\x03\xa5split\x04' >split.sb
    refuses "split.sb: record 5: field 'split' is an integer, not a str" sb-train -q $small -o made/a.safetensors split.sb
}

@test "an unknown label is named, with its record's number" {
    { records_and '\x83\xa2id\xa1z\xa5label\xa6kraken\xa6tensor' && tensor 16; } >label.sb
    sb-export jsonl -q whole.sb | jq -r .label >labels
    refuses "label.sb: record 5: unknown label 'kraken'" sb-train -q $small --labels labels -o made/a.safetensors label.sb
    refuses "label.sb: record 5 (id z): unknown label 'kraken'" \
        sb-classify -q --device ref --batch 2 -m reef.safetensors --score made/score.json -o made/a.sb label.sb
}

@test "a field that the program before has dropped" {
    sb-tensorize -q --size 16 --fit stretch --drop tensor,image,group,caption whole.sb -o light.sb
    for reader in "${readers[@]}"; do
        case $reader in *-check* | *-pick* | *-cat* | *jsonl* | *csv* | *vtt* | *coco* | *yolo*) continue ;; esac
        refuses "light.sb: record 1" $reader light.sb
    done
}

# Command lines that end in "-o".
writers() {
    local reader
    for reader in "${readers[@]}"; do
        case $reader in
        sb-check* | *pictures | *yolo | *vtt*) ;;
        *classify*) echo "sb-classify whole.sb -q --device ref -m reef.safetensors -o" ;;
        *)
            reader=${reader% -o *}
            echo "${reader/-q/whole.sb -q} -o"
            ;;
        esac
    done
    echo "sb-frames -q dive.mp4 -o"
    echo "sb-import folders -q crops -o"
    echo "sb-synth frames -q -n 2 -o"
    echo "sb-synth video -q --seconds 1 --fps 5 --size 64x36 -o"
}

@test "output: a full disk, a place that is not there, a folder in the file's place" {
    while read -r writer; do
        refuses "/dev/full: " $writer /dev/full
        refuses "No space left on device" $writer /dev/full
        refuses "absent/a: No such file or directory" $writer absent/a
        case $writer in sb-export*) ;; *) refuses "made: Is a directory" $writer made ;; esac
        case $writer in sb-train* | *video*) continue ;; esac # their -o is no stream
        said=$(${writer% -o} 2>&1 >/dev/full) && return 1
        [ "$said" = "${writer%% *}: standard output: No space left on device" ] || { echo "$writer: $said"; return 1; }
    done < <(writers)
    said=$(sb-train -q $small -o a.safetensors whole.sb 2>&1 >/dev/full) && return 1
    [ "$said" = "sb-train: standard output: No space left on device" ]
    refuses "/dev/full: No space left on device" \
        sb-classify -q --device ref -m reef.safetensors --score made/score.json -o /dev/full whole.sb
    refuses "absent/score.json: No such file or directory" \
        sb-classify -q --device ref -m reef.safetensors --score absent/score.json -o made/a.sb whole.sb
}

@test "output: past a limit on the size of files; a file in a folder's place; a truth that can't be written" {
    while read -r writer; do
        (ulimit -f 0; refuses "File too large" $writer made/a)
    done < <(writers | grep -v 'train\|cluster\|stratify')
    said=$(ulimit -f 8; cat whole.sb | sb-cluster -q -k 2 2>&1 >/dev/null) && return 1
    [ "$said" = "sb-cluster: temporary file: File too large" ]
    : >file
    refuses "file: Not a directory" sb-export png -q -o file whole.sb
    refuses "file/: Not a directory" sb-export csv -q -o file/ whole.sb
    refuses "/dev/full: No space left" sb-synth video -q --seconds 1 --fps 5 --size 64x36 --truth /dev/full -o made/a.mp4
}

@test "sources: a text, a stream, a folder, nothing, not there" {
    echo "some words" >words
    : >empty
    for program in "sb-frames -q -o made/a.sb" "sb-import folders -q -o made/a.sb" "sb-import coco -q -o made/a.sb"; do
        for source in words empty whole.sb made; do refuses "$source: " $program $source; done
        refuses "absent: No such file or directory" $program absent
    done
    refuses "made: Is a directory" sb-import coco -q -o made/a.sb made
    for bytes in 1000 100000 $(($(stat -Lc %s dive.mp4) - 100)); do
        head -c $bytes dive.mp4 >cut.mp4
        refuses "cut.mp4: not a video (or it was cut off before its index)" sb-frames -q -o made/a.sb cut.mp4
    done
}

@test "a pipe that is read twice needs room for temporary files" {
    for program in "sb-cluster -q -k 2 -o made/a.sb" "sb-split -q --stratify -o made/a.sb" "sb-train -q $small -o made/a.safetensors"; do
        said=$(cat whole.sb | TMPDIR=$PWD/absent $program 2>&1) && return 1
        [ "$said" = "${program%% *}: $PWD/absent: no temporary file: No such file or directory" ] || { echo "$said"; return 1; }
        [ -z "$(find made -type f)" ]
    done
}

@test "models: cut off, a text, empty, a folder, not there, overlapping, with holes" {
    head -c 9000 reef.safetensors >cut.safetensors
    echo "some words" >words.txt
    : >empty.safetensors
    for program in "sb-tensorize -q -o made/a.sb -m" "sb-classify -q -o made/a.sb -m" "sb-caption -q -o made/a.sb -m" \
        "sb-train -q $small -o made/a.safetensors --init"; do
        for model in cut.safetensors words.txt empty.safetensors made absent.safetensors \
            "$ROOT"/tests/corpus/safetensors/{overlap,hole,short,overflow,duplicate,huge}; do
            refuses "$model: " $program "$model" whole.sb
        done
    done
}

@test "a model for other shapes" {
    sb-tensorize -q --size 24 --fit stretch whole.sb -o other.sb
    { records_and '\x83\xa2id\xa1z\xa5label\xa4fish\xa6tensor' && tensor 8; } >fifth.sb
    for program in "sb-classify -q --device ref -m reef.safetensors" "sb-caption -q --device ref -m words.safetensors"; do
        refuses "other.sb was tensorized otherwise than the model wants: size 24, the model wants 16" $program -o made/a.sb other.sb
        refuses "fifth.sb: record 5 (id z): tensor is u8 [3,8,8], the model wants u8 or f32 [3,16,16]" $program -o made/a.sb fifth.sb
    done
    refuses "fifth.sb: record 5: tensor of another size" sb-train -q $small -o made/a.safetensors fifth.sb
    refuses "reef.safetensors: tensor 'patch_embed.proj.weight' is f32 [16,3,8,8], wanted [32,3,8,8]" \
        sb-train -q --arch dim=32,depth=1,heads=2 --patch 8 --init reef.safetensors -o made/a.safetensors whole.sb
}
