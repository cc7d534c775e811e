bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q --crops -n 600 --size 160x120 --encode png --seed 1 -o crops.sb
    sb-split -q -o split.sb crops.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{crops.sb,split.sb} .
}

# id, group, label, split, fold of each record.
rows() { sb-export jsonl -q "$@" | jq -r '[.id, .group, .label, .split, .fold] | @tsv'; }
parts_of() { rows "$@" | cut -f1,4; }

@test "no group is cut through, and the shares are about right" {
    rows split.sb >rows
    [ "$(cut -f2,4 rows | sort -u | wc -l)" -eq "$(cut -f2 rows | sort -u | wc -l)" ]
    [ "$(cut -f4 rows | sort -u | xargs)" = "test train val" ]
    train=$(cut -f4 rows | grep -c train)
    [ "$train" -ge 330 ] && [ "$train" -le 510 ]
}

@test "a record falls on the same side whatever else is there" {
    sb-split -q --folds 3 --fold 1 --part train --drop split,fold crops.sb >some.sb
    [ "$(parts_of some.sb | wc -l)" -lt 550 ]
    sb-split -q some.sb >again.sb
    parts_of again.sb | sort >some
    parts_of split.sb | sort >all
    [ -s some ]
    [ -z "$(comm -23 some all)" ]
}

@test "another seed is another split, the same seed the same" {
    sb-split -q --seed 0 crops.sb | parts_of | cmp - <(parts_of split.sb)
    ! sb-split -q --seed 1 crops.sb | parts_of | cmp -s - <(parts_of split.sb)
}

@test "parts have any names and weights" {
    sb-split -q --parts dev=1,held-out=3 crops.sb | rows >rows
    [ "$(cut -f4 rows | sort -u | xargs)" = "dev held-out" ]
    [ "$(cut -f4 rows | grep -c held-out)" -gt 380 ]
}

@test "--part filters: while splitting, and a stream that is split already" {
    for part in train val test; do
        sb-split -q --part $part crops.sb | rows >here
        sb-split -q --part $part split.sb | rows >there
        cmp here there
        [ "$(cut -f4 here | sort -u)" = $part ]
        cat here >>together
    done
    sort together | cmp - <(rows split.sb | sort)
    sb-split -q --part val,test split.sb | rows >two
    sb-split -q --part val --part test split.sb | rows | cmp - two
    # An option that splits makes it a new split.
    sb-split -q --parts a=1,b=1 --part a split.sb | rows | cut -f4 | sort -u >names
    [ "$(cat names)" = a ]
}

@test "each record is tested in one fold of all" {
    sb-split -q --folds 4 -o folds.sb crops.sb
    rows folds.sb >rows
    [ "$(cut -f5 rows | sort -u | xargs)" = "0 1 2 3" ]
    [ "$(cut -f2,5 rows | sort -u | wc -l)" -eq "$(cut -f2 rows | sort -u | wc -l)" ]
    for fold in 0 1 2 3; do
        sb-split -q --fold $fold --part test folds.sb | rows >part
        awk -F'\t' -v f=$fold '$5 != f || $4 != "test" { exit 1 }' part
        cut -f1 part >>tested
        sb-split -q --fold $fold --part train folds.sb | rows >part
        awk -F'\t' -v f=$fold '$5 == f || $4 != "train" { exit 1 }' part
        sb-split -q --folds 4 --fold $fold --part train crops.sb | rows | cmp - part
    done
    sort tested | cmp - <(cut -f1 rows | sort)
}

# The worst distance of a part's share of a label from what it should be, in thousandths.
worst_share() {
    awk -F'\t' 'BEGIN { want["train"] = 0.7; want["val"] = want["test"] = 0.15 }
        { n[$4, $3]++; all[$3]++ }
        END { for (p in want) for (l in all) { d = n[p, l] / all[l] - want[p]; if (d < 0) d = -d; if (d > worst) worst = d } printf "%d\n", 1000 * worst }'
}

@test "--stratify gives each part its share of every label" {
    sb-split -q --stratify -o even.sb crops.sb
    rows even.sb >rows
    [ "$(cut -f2,4 rows | sort -u | wc -l)" -eq "$(cut -f2 rows | sort -u | wc -l)" ]
    [ "$(worst_share <rows)" -lt "$(rows split.sb | worst_share)" ]
    [ "$(worst_share <rows)" -le 100 ]
    sb-split -q --stratify <crops.sb | rows | cmp - rows
    sb-split -q --stratify --folds 3 crops.sb 2>&1 | rows | cut -f5 | sort | uniq -c >counts
    awk '$1 < 150 || $1 > 250 { exit 1 }' counts
}

@test "without groups it stops and says why; other groups can be named" {
    sb-synth frames -q -n 60 --seed 2 --drop group -o lone.sb
    fails_saying "no field 'group'" sb-split -q lone.sb
    fails_saying "no field 'group'" sb-split -q --stratify lone.sb
    fails_saying "--group-by" sb-split -q -o x.sb lone.sb
    [ ! -e x.sb ]
    sb-split -q --group-by id lone.sb | rows >by_id
    sb-split -q --group-by source lone.sb | sb-export jsonl -q | jq -r '[.source, .split] | @tsv' | sort -u >by_source
    [ "$(cut -f1 by_source | sort -u | wc -l)" -eq "$(wc -l <by_source)" ]
    sb-split -q --group-by time:6 lone.sb | sb-export jsonl -q | jq -r '[.source + " \(.pts / 6 | floor)", .split] | @tsv' | sort -u >by_time
    [ "$(cut -f1 by_time | sort -u | wc -l)" -eq "$(wc -l <by_time)" ]
    [ "$(wc -l <by_time)" -gt "$(wc -l <by_source)" ]
    fails_saying "no field 'id'" sb-split --group-by id <(sb-synth frames -q -n 2 --drop id)
    fails_saying "neither 'time'" sb-split --group-by time:60 <(sb-synth frames -q -n 2 --drop pts)
}

@test "counts by part are printed" {
    sb-split --folds 2 crops.sb 2>said >/dev/null
    grep -qE '^sb-split: fold 0: [0-9]+ records \([0-9.]+ %\), [0-9]+ groups, 8 of 8 labels$' said
    sb-split --part train split.sb 2>said >/dev/null
    grep -qE '^sb-split: 600 in, [0-9]+ out, [0-9]+ skipped: [0-9]+ in other parts$' said
    sb-split --part rest split.sb 2>said >/dev/null
    grep -q "no record is in the part 'rest'" said
    [ -z "$(sb-split -q crops.sb 2>&1 >/dev/null)" ]
}

@test "wrong usage exits 2, bad streams 1" {
    run -2 sb-split --parts train crops.sb
    run -2 sb-split --parts train=0,test=1 crops.sb
    run -2 sb-split --part tran crops.sb
    run -2 sb-split --folds 1 crops.sb
    run -2 sb-split --folds 3 --fold 3 crops.sb
    run -2 sb-split --group-by dive crops.sb
    run -2 sb-split --fold 1 --parts a=1,b=1 crops.sb
    fails_saying "no field 'fold'" sb-split --fold 1 crops.sb
    head -c 100000 crops.sb >cut.sb
    fails_saying "cut off" sb-split -o x.sb cut.sb
    fails_saying "cut off" sb-split --stratify -o x.sb cut.sb
    [ ! -e x.sb ]
}

@test "real fish: no track on both sides" {
    [ -d "$DATA/images/f4k" ] || skip "no real data here"
    sb-import -q --group-regex 'fish_([0-9]+)_' -o fish.sb folders "$DATA/images/f4k"
    sb-split -q --stratify fish.sb | rows >rows
    [ "$(cut -f2,4 rows | sort -u | wc -l)" -eq "$(cut -f2 rows | sort -u | wc -l)" ]
    [ "$(worst_share <rows)" -le 60 ]
}
