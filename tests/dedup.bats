bats_require_minimum_version 1.5.0
load helpers

# 24 pictures, and of each the same pixels again (b) and a smaller JPEG of it (c), in the order 01a 01b 01c 02a ...
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 24 --per-dive 1 --size 160x120 --seed 1 -o sea.sb
    sb-export png -q -o a/ sea.sb
    sb-frames -q --size 80 --encode jpeg -o small.sb a
    sb-export png -q -o c/ small.sb
    mkdir all
    local n=10 small=(c/*)
    for file in a/*; do
        cp "$file" all/${n}a.png
        cp "$file" all/${n}b.png
        cp "${small[n - 10]}" all/${n}c.png
        n=$((n + 1))
    done
    sb-frames -q -o all.sb all
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{sea.sb,all.sb} .
}

sources() { sb-export jsonl -q "$@" | jq -r .source; }

@test "copies are dropped, the first of a kind stays, and counts say why" {
    sb-dedup -o few.sb all.sb 2>said
    [ "$(sources few.sb | wc -l)" -eq 24 ]
    [ "$(sources few.sb | grep -c 'a.png$')" -eq 24 ]
    grep -q '^sb-dedup: 72 in, 24 out, 48 skipped: 24 exact duplicate, 24 near duplicate$' said
}

@test "--exact drops the same pixels only" {
    sb-dedup -q --exact -o few.sb all.sb
    [ "$(sources few.sb | wc -l)" -eq 48 ]
    [ "$(sources few.sb | grep -c 'b.png$')" -eq 0 ]
}

@test "--mark keeps all and names the kept one" {
    sb-dedup -q --mark all.sb | sb-export jsonl -q >marked
    [ "$(wc -l <marked)" -eq 72 ]
    jq -r '[.source, .id, .duplicate_of // "none"] | @tsv' marked | while read -r source id of; do
        case $source in
        *a.png) [ "$of" = none ] && kept=$id ;;
        *) [ "$of" = "$kept" ] ;;
        esac || { echo "$source is marked $of"; return 1; }
    done
}

@test "records without an id are named by their number" {
    sb-split -q --group-by id --drop id,split -o nameless.sb all.sb
    sb-dedup -q --mark nameless.sb | sb-export jsonl -q | jq -r '.duplicate_of // "none"' >of
    [ "$(sed -n 1,6p of | xargs)" = "none 1 1 none 4 4" ]
}

@test "marking again after dropping finds nothing; a longer distance drops more" {
    sb-dedup -q -o few.sb all.sb
    sb-dedup -q --mark few.sb | sb-export jsonl -q | jq -c 'select(.duplicate_of)' >marked
    [ ! -s marked ]
    last=100
    for distance in 0 4 12 20; do
        sb-dedup -q --distance $distance all.sb >out.sb
        kept=$(sources out.sb | wc -l)
        [ "$kept" -le "$last" ]
        last=$kept
    done
    [ "$last" -lt 24 ]
}

@test "the hash is 8 bytes, and copies have nearly the same" {
    sb-dedup -q --mark all.sb | sb-export jsonl -q | jq -r .phash >hashes
    [ "$(grep -cE '^[0-9a-f]{16}$' hashes)" -eq 72 ]
    [ "$(sed -n 1p hashes)" = "$(sed -n 2p hashes)" ]
}

@test "any number of threads, file or pipe: the same bytes" {
    sb-dedup -q --mark -j 1 <all.sb >one.sb
    for jobs in 2 7; do
        sb-dedup -q --mark -j $jobs <all.sb | cmp - one.sb
        cat all.sb | sb-dedup -q --mark -j $jobs | cmp - one.sb
    done
}

@test "other fields pass through, dropped ones do not" {
    sb-dedup -q --drop image all.sb >few.sb
    sb-export jsonl -q few.sb >few
    [ "$(jq -c 'select(.image)' few | wc -l)" -eq 0 ]
    [ "$(jq -r 'select(.id and .source and .phash) | .id' few | wc -l)" -eq 24 ]
}

@test "bad input: one clear line each" {
    fails_saying "record 1 (id " sb-dedup <(sb-synth frames -q -n 2 --drop image)
    fails_saying "no field 'image'" sb-dedup -j 4 <(sb-synth frames -q -n 2 --drop image)
    head -c 200000 all.sb >cut.sb
    fails_saying "cut off" sb-dedup -o x.sb cut.sb
    [ ! -e x.sb ]
    fails_saying "space" sb-dedup -q -o /dev/full all.sb
    fails_saying "" sb-dedup /dev/null
    run -2 sb-dedup --distance 21 all.sb
    run -2 sb-dedup --distance -1 all.sb
}

@test "256 bits: a hash of 32 bytes, which begins with the short one" {
    sb-dedup -q --mark --bits 256 all.sb | sb-export jsonl -q | jq -r .phash >long
    sb-dedup -q --mark all.sb | sb-export jsonl -q | jq -r .phash >short
    [ "$(grep -cE '^[0-9a-f]{64}$' long)" -eq 72 ]
    cut -c 1-16 long | cmp - short
    sb-dedup --bits 256 -o few.sb all.sb 2>said
    grep -q ' 24 out, 48 skipped: 24 exact duplicate, 24 near duplicate$' said
}

@test "mirrored and cut copies are found where they are asked for" {
    command -v ffmpeg >/dev/null || skip "no ffmpeg program here"
    sb-synth frames -q -n 1 --size 320x240 --seed 3 | sb-export png -q -o a/
    picture=(a/*)
    mkdir all
    cp "${picture[0]}" all/1.png
    ffmpeg -v error -i all/1.png -vf hflip all/2.png
    ffmpeg -v error -i all/1.png -vf crop=304:228:16:12 all/3.png
    ffmpeg -v error -i all/1.png -vf hflip,crop=304:228:0:0 all/4.png
    sb-frames -q -o changed.sb all
    sb-dedup -q --bits 256 -o none.sb changed.sb
    [ "$(sources none.sb | xargs)" = "1.png 2.png 3.png 4.png" ]
    sb-dedup -q --bits 256 --flips -o flips.sb changed.sb
    [ "$(sources flips.sb | xargs)" = "1.png 3.png 4.png" ]
    sb-dedup --bits 256 --flips --crops -o both.sb --report both.csv changed.sb 2>said
    [ "$(sources both.sb | xargs)" = 1.png ]
    grep -q '3 skipped: 2 mirrored duplicate, 1 near duplicate$' said
    [ "$(cut -d, -f 1,3,5 both.csv | tr -d '\r' | tail -n +2 | xargs)" = "1,1.png,kept 1,2.png,mirrored 1,3.png,near 1,4.png,mirrored" ]
    # Whichever is kept.
    cp all/1.png all/9.png && rm all/1.png all/2.png all/4.png
    sb-frames -q all | sb-dedup -q --bits 256 --crops -o cut.sb
    [ "$(sources cut.sb | xargs)" = 3.png ]
}

@test "the report says who repeats whom" {
    sb-dedup -q --report r.csv -o few.sb all.sb
    tr -d '\r' <r.csv >r
    [ "$(head -n 1 r)" = group,id,source,pts,kind,distance,duplicate_of ]
    [ "$(wc -l <r)" -eq 73 ]
    [ "$(cut -d, -f 5 r | sort | uniq -c | xargs)" = "24 exact 24 kept 1 kind 24 near" ]
    # A duplicate's group is that of the record it names.
    awk -F, 'NR > 1 { group[$2] = $1 } NR > 1 && $7 != "" { n++; if (group[$7] != $1) exit 1 } END { exit n != 48 }' r
    run -1 sb-dedup -q --report no/such/r.csv -o x.sb all.sb
}

@test "hashes that were saved: what an earlier stream has shown is dropped, a rerun keeps the same" {
    sb-dedup -q --save-hashes first.hashes -o first.sb all.sb
    sb-check -q first.hashes
    [ "$(sb-export jsonl -q first.hashes | jq -r 'keys | join(" ")' | sort -u)" = "id phash xxh3" ]
    [ "$(stat -c %s first.hashes)" -lt $((24 * 100 + 1000)) ]
    # Another stream with half of the pictures under other names, and others.
    sb-frames -q --root "$BATS_FILE_TMPDIR" "$BATS_FILE_TMPDIR"/all/1*a.png >second.sb
    sb-synth frames -q -n 5 --per-dive 1 --size 160x120 --seed 9 -o third.sb
    sb-dedup --against first.hashes -o none.sb second.sb 2>said
    grep -q '10 in, 0 out, 10 skipped: 10 exact duplicate$' said
    sb-dedup -q --against first.hashes --save-hashes third.hashes -o third.out third.sb
    [ "$(sources third.out | wc -l)" -eq 5 ]
    # Several files; the first stream again, whose own hashes stand there.
    for order in "first third" "third first"; do
        read -r one two <<<"$order"
        sb-dedup -q --against $one.hashes --against $two.hashes --save-hashes again.hashes -o again.sb all.sb
        cmp <(sb-export jsonl -q first.sb) <(sb-export jsonl -q again.sb)
        cmp <(sb-export jsonl -q first.hashes) <(sb-export jsonl -q again.hashes)
        sb-dedup -q -j 3 --against $one.hashes --against $two.hashes all.sb | cmp - again.sb
    done
    # Marked, they are named.
    sb-dedup -q --mark --against first.hashes second.sb | sb-export jsonl -q | jq -r .duplicate_of >of
    cmp of <(sb-export jsonl -q first.hashes | jq -r .id | head -n 10)
}

@test "hashes that do not serve are refused with one line" {
    sb-dedup -q --save-hashes short.hashes -o x.sb all.sb
    sb-dedup -q --exact --save-hashes exact.hashes -o x.sb all.sb
    sb-dedup -q --bits 256 --save-hashes long.hashes -o x.sb all.sb
    sb-dedup -q --against long.hashes -o x.sb all.sb
    rm x.sb
    fails_saying "short.hashes: record 1: its perceptual hashes have 64 bits, 256 are wanted" sb-dedup --bits 256 --against short.hashes -o x.sb all.sb
    fails_saying "short.hashes: record 1: its perceptual hashes were made without --crops" sb-dedup --crops --against short.hashes -o x.sb all.sb
    sb-dedup -q --crops --save-hashes cropped.hashes -o x.out all.sb
    fails_saying "cropped.hashes: record 1: its perceptual hashes were made with --crops" sb-dedup --against cropped.hashes -o x.sb all.sb
    sb-dedup -q --crops --against cropped.hashes -o x.out all.sb
    fails_saying "written with --exact" sb-dedup --against exact.hashes -o x.sb all.sb
    fails_saying "those of --exact" sb-dedup --exact --against short.hashes -o x.sb all.sb
    fails_saying "not written by --save-hashes" sb-dedup --against sea.sb -o x.sb all.sb
    fails_saying "cut off" sb-dedup --against <(head -c 700 short.hashes) -o x.sb all.sb
    fails_saying "no-such: No such file" sb-dedup --against no-such -o x.sb all.sb
    sb-split -q --group-by id --drop id,split -o nameless.sb all.sb
    fails_saying "no id to save hashes under" sb-dedup --save-hashes y.hashes -o x.sb nameless.sb
    [ ! -e x.sb ]
    [ ! -e y.hashes ]
    run -2 sb-dedup --bits 128 all.sb
    run -2 sb-dedup --bits 256 --distance 81 all.sb
    run -2 sb-dedup --exact --flips all.sb
}

@test "JPEGs: the same bytes are exact, the same pixels are with --exact, and near without" {
    command -v ffmpeg >/dev/null || skip "no ffmpeg program here"
    mkdir all
    ffmpeg -v error -f lavfi -i testsrc=size=500x300:duration=1:rate=3 -q:v 3 all/a%d.jpg
    for n in 1 2 3; do
        cp all/a$n.jpg all/b$n.jpg
        sb-frames -q all/a$n.jpg | sb-export png -q -o all/ - # the same pixels
    done
    ls all >names
    [ "$(wc -l <names)" -eq 9 ]
    sb-frames -q --encode jpeg all | sb-dedup --distance 1 -o fast.sb 2>said
    grep -q '^sb-dedup: 9 in, .* 3 exact duplicate' said
    sb-frames -q all | sb-dedup --exact -o raw.sb 2>said
    grep -q '9 in, 3 out, 6 skipped: 6 exact duplicate$' said
    sb-frames -q --encode jpeg all/a* | sb-dedup -q --exact -o once.sb
    sb-frames -q --encode jpeg all/a* all/b* | sb-dedup -q --exact -o twice.sb
    [ "$(sources once.sb | wc -l)" -eq "$(sources twice.sb | wc -l)" ]
}

@test "embeddings: those that point the same way are duplicates" {
    python3 -c 'import msgpack, numpy' 2>/dev/null || skip "no python3 with msgpack and numpy here"
    python3 - few.sb <<'EOF'
import sys, msgpack, numpy as np
rng = np.random.default_rng(1)
def tensor(a):
    return {b"nd": True, b"type": a.dtype.str, b"kind": b"", b"shape": list(a.shape), b"data": a.tobytes()}
turn = [[1, 0, 0], [0, 1, 0], [2, 0.1, 0], [0, 0, 0], None]
with open(sys.argv[1], "wb") as f:
    for i, v in enumerate(turn):
        r = {"id": f"r{i}", "image": tensor(rng.integers(0, 256, (70, 90, 3), dtype=np.uint8))}
        if v: r["embedding"] = tensor(np.array(v, np.float32))
        f.write(msgpack.packb(r))
EOF
    ids() { sb-export jsonl -q "$1" | jq -r .id | xargs; }
    sb-dedup -q -o all.out few.sb
    [ "$(ids all.out)" = "r0 r1 r2 r3 r4" ]
    sb-dedup --cosine 0.01 --report r.csv -o some.out few.sb 2>said
    [ "$(ids some.out)" = "r0 r1 r3 r4" ]
    grep -q '1 skipped: 1 duplicate by embedding$' said
    grep -q '^1,r2,,,embedding,0.0012[0-9]*,r0' r.csv
    sb-dedup -q --cosine 0.001 -o all.out few.sb
    [ "$(ids all.out)" = "r0 r1 r2 r3 r4" ]
    sb-dedup -q --cosine 1 -o all.out few.sb
    [ "$(ids all.out)" = "r0 r3 r4" ]
}

@test "real tracks: neighbours are near, different fish are not" {
    [ -d "$DATA/images/f4k_tracks" ] || skip "no real data here"
    sb-frames -q -o tracks.sb "$DATA/images/f4k_tracks"
    sb-dedup -q --mark tracks.sb | sb-export jsonl -q >marked
    jq -r '[.id, (.source | split("_") | .[-2]), .duplicate_of // "none"] | @tsv' marked >rows
    # Every duplicate repeats a picture of its own track, and tracks with a near duplicate are found.
    count='{ track[$1] = $2 } $3 != "none" { n++; if (track[$3] != $2) wrong++ } END { exit !(n >= least && wrong == 0) }'
    awk -F'\t' -v least=20 "$count" rows
    sb-dedup -q --mark --bits 256 tracks.sb | sb-export jsonl -q >marked
    jq -r '[.id, (.source | split("_") | .[-2]), .duplicate_of // "none"] | @tsv' marked >rows
    awk -F'\t' -v least=15 "$count" rows
}

@test "real crops: re-encoded copies are found" {
    [ -d "$DATA/images/f4k" ] || skip "no real data here"
    mkdir pictures
    sb-frames -q -o fish.sb "$DATA/images/f4k"
    sb-dedup -q -o once.sb fish.sb
    sb-export png -q -o a/ once.sb
    sb-frames -q --encode jpeg --size 70 -o small.sb a
    sb-export png -q -o b/ small.sb
    sb-frames -q a b | sb-dedup -q --drop image -o found.sb
    n=$(sources once.sb | wc -l) kept=$(sources found.sb | wc -l)
    [ $((kept - n)) -le $((n / 50)) ]
}
