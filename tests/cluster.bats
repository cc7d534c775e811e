bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 90 --seed 1 -o sea.sb
    sb-synth frames -q --crops -n 40 --size 160x120 --seed 3 | sb-tensorize -q --size 16 --fit stretch -o tensors.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 -o reef.safetensors tensors.sb >metrics.jsonl
    sb-classify -q -m reef.safetensors --embed --drop tensor,image -o embedded.sb tensors.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{sea.sb,embedded.sb} .
}

rows() { sb-export jsonl -q "$@" | jq -r '[.id, .cluster, .distance] | @tsv'; }

@test "each record gets a cluster and a distance, in its place" {
    sb-cluster -k 7 -o clustered.sb sea.sb 2>said
    rows clustered.sb >rows
    cut -f1 rows | cmp - <(sb-export jsonl -q sea.sb | jq -r .id)
    [ "$(cut -f2 rows | sort -n -u | xargs)" = "0 1 2 3 4 5 6" ]
    awk -F'\t' '!($3 >= 0 && $3 < 28) { exit 1 }' rows
    grep -q 'thumbnails of 16 x 16' said
    grep -qE '^sb-cluster: 7 clusters of [0-9]+ to [0-9]+ records, inertia [0-9.e+]+ after [0-9]+ iterations$' said
}

@test "a seed repeats, from a file or a pipe; another differs" {
    sb-cluster -q -k 6 --device ref -j 1 -o one.sb <sea.sb
    cat sea.sb | sb-cluster -q -k 6 --device ref -j 1 | cmp - one.sb
    sb-cluster -q -k 6 --device ref -j 3 <sea.sb | cmp - one.sb
    ! sb-cluster -q -k 6 --device ref --seed 1 sea.sb | rows | cmp -s - <(rows one.sb)
}

@test "backends agree" {
    sb-cluster -q -k 5 --device ref sea.sb | rows | cut -f1,2 >ref
    sb-cluster -q -k 5 sea.sb | rows | cut -f1,2 >fast
    [ "$(diff ref fast | grep -c '^<')" -le 2 ]
}

@test "more clusters are tighter; as many as records are points" {
    last=1000000
    for k in 1 5 20 90; do
        sb-cluster -q -k $k sea.sb | rows >rows
        sum=$(awk -F'\t' '{ s += $3 * $3 } END { printf "%d", 1000 * s }' rows)
        [ "$sum" -lt "$last" ]
        last=$sum
    done
    [ "$last" -le 10 ]
}

@test "--select keeps a few from every cluster, in the stream's order" {
    sb-cluster -q -k 8 -o all.sb sea.sb
    for n in 8 13 30; do
        sb-cluster -q -k 8 --select $n sea.sb | rows >few
        [ "$(wc -l <few)" -eq $n ]
        [ "$(cut -f2 few | sort -u | wc -l)" -eq 8 ]
        rows all.sb | grep -Fxf few | cmp - few
    done
    sb-cluster -q -k 8 --select 3 sea.sb | rows >few
    [ "$(wc -l <few)" -eq 3 ]
    sb-cluster -q -k 8 --select 1000 sea.sb | rows | cmp - <(rows all.sb)
    sb-cluster -k 8 --select 10 sea.sb 2>&1 >/dev/null | grep -q '90 in, 10 out, 80 skipped: 80 not selected'
}

@test "embeddings are used where they are" {
    sb-cluster -k 4 -o clustered.sb embedded.sb 2>said
    fails grep -q thumbnails said
    [ "$(rows clustered.sb | cut -f2 | sort -u | wc -l)" -eq 4 ]
}

@test "few different pictures are few clusters" {
    mkdir pictures
    sb-synth frames -q -n 2 --per-dive 1 --seed 4 | sb-export png -q -o one/
    for i in 1 2 3; do for f in one/*; do cp "$f" "pictures/$i$(basename "$f")"; done; done
    sb-frames -q pictures | sb-cluster -k 5 -o clustered.sb 2>said
    grep -q 'only 2 different records' said
    [ "$(rows clustered.sb | cut -f2 | sort -u | wc -l)" -eq 2 ]
}

@test "fewer records than clusters, and none at all, are no error" {
    sb-synth frames -q -n 3 -o three.sb
    sb-cluster -q -k 8 --select 20 three.sb | sb-export jsonl -q | wc -l | grep -qx 3
    sb-synth frames -q -n 3 | sb-split -q --group-by id --parts a=1,b=0.0001 --part b | sb-cluster -q -k 8 -o none.sb
    sb-check none.sb
}

@test "bad input: one clear line each" {
    fails_saying "record 1 (id " sb-cluster -q -k 2 <(sb-synth frames -q -n 4 --drop image)
    head -c 100000 sea.sb >cut.sb
    fails_saying "cut off" sb-cluster -q -k 2 -o x.sb cut.sb
    [ ! -e x.sb ]
    run -2 sb-cluster sea.sb
    run -2 sb-cluster -k 0 sea.sb
}

@test "real pictures: plankton and fish fall apart" {
    [ -d "$DATA/images/plankton" ] || skip "no real data here"
    sb-frames -q -o both.sb "$DATA/images/plankton/decapods" "$DATA/images/tank"
    sb-cluster -q -k 2 both.sb | sb-export jsonl -q | jq -r '[.cluster, (.image.shape // [0])[0] > 300] | @tsv' | sort | uniq -c >counts
    [ "$(wc -l <counts)" -eq 2 ]
}
