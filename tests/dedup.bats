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

@test "real tracks: neighbours are near, different fish are not" {
    [ -d "$DATA/images/f4k_tracks" ] || skip "no real data here"
    sb-frames -q -o tracks.sb "$DATA/images/f4k_tracks"
    sb-dedup -q --mark tracks.sb | sb-export jsonl -q >marked
    jq -r '[.id, (.source | split("_") | .[-2]), .duplicate_of // "none"] | @tsv' marked >rows
    # Tracks with near duplicates are found; the short hash takes one fish for one of another track.
    count='{ track[$1] = $2 } $3 != "none" { n++; if (track[$3] != $2) wrong++ } END { exit !(n >= least && wrong <= most) }'
    awk -F'\t' -v least=20 -v most=1 "$count" rows
    sb-dedup -q --mark --bits 256 tracks.sb | sb-export jsonl -q >marked
    jq -r '[.id, (.source | split("_") | .[-2]), .duplicate_of // "none"] | @tsv' marked >rows
    awk -F'\t' -v least=15 -v most=0 "$count" rows
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
