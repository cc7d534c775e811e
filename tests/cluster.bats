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

@test "--pick chooses how, --per balances over groups" {
    for pick in mix medoids k-centre density; do
        sb-cluster -q -k 5 --select 20 --pick $pick sea.sb | rows >$pick
        [ "$(wc -l <$pick)" -eq 20 ]
    done
    sb-cluster -q -k 5 --select 20 sea.sb | rows | cmp - mix
    [ "$(sort -u mix medoids density k-centre | wc -l)" -gt 35 ]
    sb-export jsonl -q sea.sb | jq -r .group | sort | uniq -c >all
    for pick in mix medoids k-centre density; do
        sb-cluster -q -k 5 --select 30 --pick $pick --per group sea.sb | sb-export jsonl -q | jq -r .group | sort | uniq -c >few
        [ "$(awk '{ s += $1 } END { print s }' few)" -eq 30 ]
        # as many from each, but for those that have no more
        paste few all | awk '$1 < $3 { if (n && $1 != n && $1 != n - 1 && $1 != n + 1) exit 1; n = $1 }'
    done
    sb-synth frames -q -n 4 --drop group | fails_saying "--per" sb-cluster -q -k 2 --select 2 --per group
    run -2 sb-cluster -k 5 --select 20 --pick best sea.sb
    run -2 sb-cluster -k 5 --pick mix sea.sb
    run -2 sb-cluster -k 5 --per group sea.sb
    run -2 sb-cluster -k 5 --select 20 --per dive sea.sb
}

@test "--save and --init: later records fall into the same clusters" {
    sb-cluster -q -k 6 --save centroids.sb -o first.sb sea.sb
    sb-check centroids.sb
    sb-export jsonl -q centroids.sb | jq -e -s 'length == 6 and (map(.size) | add) == 90 and all(.centroid.shape == [768])'
    sb-cluster -q --init centroids.sb --iterations 0 sea.sb | rows | cut -f1,2 | cmp - <(rows first.sb | cut -f1,2)
    sb-split -q --group-by id --parts a=1,b=9 --part a sea.sb -o some.sb
    sb-cluster -q --init centroids.sb --iterations 0 some.sb | rows | cut -f1,2 >some
    [ -s some ]
    rows first.sb | cut -f1,2 | grep -Fxf some | cmp - some
    sb-cluster -q --init centroids.sb --iterations 0 --mini-batch 7 some.sb | rows | cut -f1,2 | cmp - some
    sb-cluster --init centroids.sb --iterations 0 --metric cosine sea.sb -o x.sb 2>&1 | grep -q "centroids.sb: its metric is euclidean"
    sb-cluster -q -k 3 --metric cosine --save angles.sb -o x.sb sea.sb
    sb-cluster -q --init angles.sb sea.sb | rows | awk -F'\t' '$3 > 1 { exit 1 }'
    run -2 sb-cluster -k 3 --init centroids.sb sea.sb
}

@test "centroids of something else are refused in one line" {
    sb-cluster -q -k 2 --save pictures.sb -o x.sb sea.sb
    sb-cluster -q -k 2 --save model.sb -o y.sb embedded.sb
    fails_saying "pictures.sb: the centroids are of thumbnails, the stream has embeddings" sb-cluster -q --init pictures.sb -o z.sb embedded.sb
    fails_saying "model.sb: the centroids are of embeddings, the stream has thumbnails" sb-cluster -q --init model.sb -o z.sb sea.sb
    fails_saying "sea.sb: no centroids that sb-cluster --save wrote" sb-cluster -q --init sea.sb -o z.sb sea.sb
    head -c -40 model.sb >cut.sb
    fails_saying "cut.sb: " sb-cluster -q --init cut.sb -o z.sb embedded.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 --seed 5 -o other.safetensors "$BATS_FILE_TMPDIR"/tensors.sb >metrics.jsonl
    sb-classify -q -m other.safetensors --embed --drop tensor,image -o other.sb "$BATS_FILE_TMPDIR"/tensors.sb
    fails_saying "of another model's embeddings" sb-cluster -q --init model.sb -o z.sb other.sb
    sb-train -q --arch dim=24,depth=1,heads=2 --patch 8 --epochs 1 -o wide.safetensors "$BATS_FILE_TMPDIR"/tensors.sb >metrics.jsonl
    sb-classify -q -m wide.safetensors --embed --drop tensor,image -o wide.sb "$BATS_FILE_TMPDIR"/tensors.sb
    fails_saying "the centroids have 16 numbers, the stream's embeddings 24" sb-cluster -q --init model.sb -o z.sb wide.sb
    [ ! -e z.sb ]
    fails_saying "none" sb-cluster -q -k 2 --save none/x.sb -o z.sb sea.sb
}

@test "-k auto says what it tried; mini-batches come near" {
    sb-cluster -k auto -o auto.sb sea.sb 2>said
    [ "$(grep -c 'tried [0-9]* clusters: silhouette' said)" -ge 4 ]
    k=$(sed -n 's/^sb-cluster: \([0-9]*\) clusters fit best.*/\1/p' said)
    [ "$(rows auto.sb | cut -f2 | sort -u | wc -l)" -eq "$k" ]
    grep -q "^sb-cluster: sizes:\( [0-9]*\)\{$k\}$" said
    grep -q '^sb-cluster: silhouette -\?[0-9.]* on 90 records$' said
    for batch in '' '--mini-batch 30'; do
        # shellcheck disable=SC2086
        sb-cluster -k 4 $batch -o x.sb sea.sb 2>&1 | sed -n 's/.*inertia \([0-9.]*\) after.*/\1/p' >>inertia
    done
    awk 'NR == 1 { a = $1 } END { exit !(NR == 2 && $1 < 1.15 * a) }' inertia
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
    run -2 sb-cluster -k 3x sea.sb
}

@test "numbers whose squares are not finite are refused" {
    python3 -c 'import msgpack' 2>/dev/null || skip "python3 with msgpack is not here"
    python3 - >huge.sb <<'PY'
import msgpack, struct, sys
for v in (1, 2, 1e16):
    tensor = {b"nd": True, b"type": "<f4", b"kind": b"", b"shape": [1], b"data": struct.pack("<f", v)}
    sys.stdout.buffer.write(msgpack.packb({"id": str(v), "embedding": tensor}))
PY
    fails_saying "record 3 (id 1e+16): field 'embedding' holds a number that is not finite, or beyond 1e15" sb-cluster -q -k 2 huge.sb
}

@test "real pictures: plankton and fish fall apart" {
    [ -d "$DATA/images/plankton" ] || skip "no real data here"
    sb-frames -q -o both.sb "$DATA/images/plankton/decapods" "$DATA/images/tank"
    sb-cluster -q -k 2 both.sb | sb-export jsonl -q | jq -r '[.cluster, (.image.shape // [0])[0] > 300] | @tsv' | sort | uniq -c >counts
    [ "$(wc -l <counts)" -eq 2 ]
}
