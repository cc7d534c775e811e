bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 60 --per-dive 10 --size 64x48 --seed 1 --drop image -o sea.sb
    sb-synth frames -q -n 60 --labelled --per-dive 10 --size 64x48 --seed 1 --drop image -o labelled.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{sea.sb,labelled.sb} .
}

json() { sb-export jsonl -q "$@"; }

@test "--where: what jq selects, in the stream's order" {
    while IFS=';' read -r where filter; do
        sb-pick --where "$where" sea.sb 2>said | json - >got
        json sea.sb | jq -c "select($filter)" >want
        jq -c . got >got.jq && mv got.jq got
        [ -s want ] || { echo "nothing to find: $filter"; return 1; }
        cmp got want || { echo "$where"; return 1; }
        out=$(wc -l <want)
        grep -qx "sb-pick: 60 in, $out out, $((60 - out)) skipped: $((60 - out)) by condition" said
    done <<'EOT'
pts > 20;.pts > 20
pts > 20 and pts <= 40.5;.pts > 20 and .pts <= 40.5
labels = crab;.labels // [] | any(. == "crab")
not labels ~ '^s';.labels // [] | any(test("^s")) | not
caption ~ 'red (fish|crab)' or group != sea-1-000000 and pts<10;(.caption | test("red (fish|crab)")) or (.group != "sea-1-000000" and .pts < 10)
EOT
}

@test "--where repeated: all must hold; without options all pass unchanged" {
    sb-pick -q --where 'pts>20' --where 'labels=crab' sea.sb | json - >got
    sb-pick -q --where 'pts>20 and labels=crab' sea.sb | json - | cmp - got
    sb-pick -q --where 'pts>20' sea.sb | sb-pick -q --where 'labels=crab' | json - | cmp - got
    sb-pick -q sea.sb | json - >all
    json sea.sb | cmp - all
    sb-pick -q --drop boxes,labels sea.sb | json - | jq -e 'has("labels") or has("boxes") | not' >truth
    [ "$(wc -l <truth)" -eq 60 ]
}

@test "a wrong condition is wrong usage, and the line says where" {
    run -2 sb-pick --where 'cluster=7 lat>36' sea.sb
    [[ $output == *"sb-pick: --where 'cluster=7 lat>36': column 11, at 'lat>36': and, or or the end is wanted"* ]]
    run -2 sb-pick --where 'time > 2026-07-03T14:05' sea.sb
    [[ $output == *"column 8"*"zone"* ]]
    run -2 sb-pick --first 3 --sample 3 sea.sb
    run -2 sb-pick --per group sea.sb
    run -2 sb-pick --seed 3 --first 2 sea.sb
    run -2 sb-pick --first -1 sea.sb
    run -2 sb-pick --first 1 --per time:x sea.sb
}

@test "whatever the locale: a dot is a character" {
    printf 'old,new\nshark,Möwe\n' >map.csv
    sb-pick -q --rename map.csv labelled.sb -o m.sb 2>said
    for locale in C C.UTF-8 POSIX; do
        [ "$(LC_ALL=$locale sb-pick -q --where 'label ~ "^M.we$"' m.sb | json - | wc -l)" -eq "$(json labelled.sb | grep -c '"label":"shark"')" ]
    done
}

@test "--ids: lines, a spreadsheet's table, a stream; what is not met is named" {
    json sea.sb | jq -r .id | sed -n '3p;17p;41p' >ids
    want=$(xargs <ids)
    got() { json "$1" | jq -r .id | xargs; }
    sb-pick -o a.sb --ids ids sea.sb 2>said
    [ "$(got a.sb)" = "$want" ]
    grep -qx 'sb-pick: 60 in, 3 out, 57 skipped: 57 not among the ids' said
    [ "$(wc -l <said)" -eq 1 ]
    # As a person's table comes home: moved columns, byte order mark, CRLF, quotes, another order, one twice, one that is no longer there.
    { printf '\xef\xbb\xbflabel;ID;"note; long"\r\n'; tac ids | sed 's/.*/crab;"&";"x\n;y"\r/'; printf 'eel;%s;\r\neel;gone;\r\n\r\neel;;\r\n' "$(head -n 1 ids)"; } >table.csv
    sb-pick -o b.sb --ids table.csv sea.sb 2>said
    [ "$(got b.sb)" = "$want" ]
    grep -qx 'sb-pick: table.csv: 1 of its 4 ids was not met: gone' said
    grep -qx 'sb-pick: table.csv: 1 of its rows has no id' said
    sb-pick -q -o c.sb --ids a.sb sea.sb
    [ "$(got c.sb)" = "$want" ]
    printf 'x%s\n' 1 2 3 4 5 6 7 >none
    sb-pick -o d.sb --ids none sea.sb 2>said
    grep -qx 'sb-pick: none: 7 of its 7 ids were not met: x1, x2, x3, x4, x5, ...' said
    : >empty
    sb-pick -q -o e.sb --ids empty sea.sb
    [ "$(json e.sb | wc -l)" -eq 0 ]
    printf 'a,b\nc,d\n' >two.csv
    fails_saying "two.csv: line 1: more than one cell, and no column in the first line is called id" sb-pick -o x.sb --ids two.csv sea.sb
    sb-pick -o p.sb --ids <(cat ids none) sea.sb 2>said
    [ "$(got p.sb)" = "$want" ]
    grep -qx 'sb-pick: /dev/fd/[0-9]*: 7 of its 10 ids were not met' said
    fails_saying "ids of a stream are read from a file, not from a pipe" sb-pick -o x.sb --ids <(cat a.sb) sea.sb
    head -c 500 a.sb >a.cut
    fails_saying "a.cut: stream cut off" sb-pick -o x.sb --ids a.cut sea.sb
    fails_saying "no/such" sb-pick -o x.sb --ids no/such sea.sb
    [ ! -e x.sb ]
}

@test "--first, also for each value of a field, a number's or a window of time" {
    sb-pick -o a.sb --first 7 sea.sb 2>said
    cmp <(json a.sb) <(json sea.sb | head -n 7)
    grep -qx 'sb-pick: 60 in, 7 out, 53 skipped: 53 after the first' said
    sb-pick -q --first 2 --per label labelled.sb | json - >got
    json labelled.sb | jq -r .label | sort | uniq -c | awk '{ n += $1 > 2 ? 2 : $1 } END { print n }' | grep -qx "$(wc -l <got)"
    json labelled.sb | jq -c . | awk -F'"label":"' '{ split($2, a, "\""); if (n[a[1]]++ < 2) print }' | cmp - <(jq -c . got)
    sb-pick -q --first 1 --per time:20 sea.sb | json - | jq -r '"\(.source) \(.pts / 20 | floor)"' >windows
    [ "$(sort -u windows | wc -l)" -eq "$(wc -l <windows)" ]
    [ "$(wc -l <windows)" -eq "$(json sea.sb | jq -r '"\(.source) \(.pts / 20 | floor)"' | sort -u | wc -l)" ]
    sb-pick -o n.sb --first 1 --per depth sea.sb 2>said
    grep -qx 'sb-pick: 60 in, 0 out, 60 skipped: 60 without depth' said
    [ "$(sb-pick -q --first 0 sea.sb | json - | wc -l)" -eq 0 ]
}

@test "--sample: so many, in order, by the seed alone, the same from a file and a pipe" {
    sb-pick -o a.sb --sample 20 --seed 5 sea.sb 2>said
    grep -qx 'sb-pick: 60 in, 20 out, 40 skipped: 40 not drawn' said
    [ "$(json a.sb | wc -l)" -eq 20 ]
    json sea.sb | grep -Fxf <(json a.sb) | cmp - <(json a.sb) # in order
    cmp <(json a.sb) <(cat sea.sb | sb-pick -q --sample 20 --seed 5 2>/dev/null | json -)
    fails cmp -s <(json a.sb) <(sb-pick -q --sample 20 --seed 6 sea.sb | json -)
    cmp <(json sea.sb) <(sb-pick -q --sample 60 sea.sb | json -)
    cmp <(json sea.sb) <(sb-pick -q --sample 1000 sea.sb | json -)
    # A condition first; a smaller sample is part of a larger one.
    sb-pick -o b.sb --sample 5 --seed 5 --where 'labels = crab' sea.sb 2>said
    json b.sb | jq -e '.labels | any(. == "crab")' >truth
    [ "$(wc -l <truth)" -eq 5 ]
    json a.sb | grep -cFxf <(sb-pick -q --sample 9 --seed 5 sea.sb | json -) | grep -qx 9
    sb-pick -q --sample 3 --per label --seed 1 labelled.sb | json - | jq -r .label | sort | uniq -c | awk '{ print $1 }' | sort -u >counts
    [ "$(tail -n 1 counts)" -eq 3 ]
}

@test "--sample is uniform" {
    for seed in $(seq 60); do sb-pick -q --sample 15 --seed "$seed" sea.sb | json -; done | jq -r .id | sort | uniq -c | awk '{ print $1 }' >times
    # Each of 60 is drawn 15 times of 60 on average: chi-square with 59 degrees of freedom stays under 99.6 (1 in 1000).
    # A number drawn with chance 1/4 has 3/4 of a Poisson one's variance.
    [ "$(wc -l <times)" -eq 60 ]
    awk '{ chi += ($1 - 15) ^ 2 / (15 * 0.75) } END { exit !(chi < 99.6 && chi > 30) }' times
}

@test "--rename: label, labels, predicted; what is not in the map is listed and stays" {
    python3 -c 'import msgpack' 2>/dev/null || skip "no python3 with msgpack here"
    python3 - in.sb <<'EOF2'
import sys, msgpack
box = {b"nd": True, b"type": b"<f4", b"kind": b"", b"shape": [2, 4], b"data": bytes(32)}
records = [
    {"id": "a", "label": "crab", "aphia_id": 5, "label_path": "Decapoda > crab", "label_status": "verified", "labelled_by": "Ann", "keep": [1, {"x": None}]},
    {"id": "b", "label": "eel", "aphia_id": 6, "label_status": "verified", "labelled_by": "Ann"},
    {"id": "c", "label": "squid", "labels": ["eel", "crab", "squid"], "aphia_id": 7},
    {"id": "d", "labels": ["eel", "crab"], "boxes": box},
    {"id": "e", "predicted": [["crab", 0.5], ["eel", 0.25], ["squid", 0.125]], "labels": ["eel"], "label_status": "machine"},
    {"id": "f", "predicted": [["eel", 1]], "label": "same", "aphia_id": 8, "label_path": "x > same"},
]
with open(sys.argv[1], "wb") as f:
    for r in records: f.write(msgpack.packb(r))
EOF2
    printf 'old\tnew\tAphiaID\ncrab\tPaguridae\t106738\neel\t\t3\nsame\tsame\n' >map.tsv
    sb-pick -o out.sb --rename map.tsv in.sb 2>said
    grep -qx "sb-pick: map.tsv: 1 name is not in it and stays: 'squid' (3)" said
    json out.sb | jq -c 'del(.boxes)' >got
    cat >want <<'EOF2'
{"id":"a","label":"Paguridae","aphia_id":106738,"label_status":"verified","labelled_by":"Ann","keep":[1,{"x":null}]}
{"id":"b"}
{"id":"c","label":"squid","labels":["Paguridae","squid"],"aphia_id":7}
{"id":"d","labels":["","Paguridae"]}
{"id":"e","predicted":[["Paguridae",0.5],["squid",0.125]]}
{"id":"f","label":"same","aphia_id":8,"label_path":"x > same"}
EOF2
    diff want got
    # Conditions see the old names.
    [ "$(sb-pick -q --where 'label=crab' --rename map.tsv in.sb | json - | jq -r .label)" = Paguridae ]
    sb-pick -q --where 'label=Paguridae' --rename map.tsv in.sb | json - >none
    [ ! -s none ]
    printf 'crab,a\ncrab,b\n' >bad.csv
    fails_saying "bad.csv: line 2: 'crab' becomes 'b', and 'a' above" sb-pick -o x.sb --rename bad.csv in.sb
    [ ! -e x.sb ]
}

@test "the history names conditions, and files with their hashes" {
    printf 'shark,Selachii\n' >map.csv
    sb-pick -q --where 'pts>3' --rename map.csv --first 2 sea.sb -o a.sb
    sb-check -v a.sb >said
    grep -q "sb-pick 0.1.0 '--where=pts>3' --rename=map.csv --first=2 sea.sb" said
    grep -q "map.csv *$(xxh128sum map.csv 2>/dev/null | cut -d ' ' -f 1)" said
}

@test "the input is read to its end, and what is wrong with it is noticed" {
    set -o pipefail
    cat sea.sb | sb-pick -q --first 1 | json - >one
    [ "$(wc -l <one)" -eq 1 ]
    head -c -30 sea.sb >cut.sb
    fails_saying "cut.sb: stream cut off after 60 records" sb-pick --first 1 -o x.sb cut.sb
    fails_saying "cut off" sb-pick --sample 1 -o x.sb cut.sb
    fails_saying "space" sb-pick -q -o /dev/full sea.sb
    [ ! -e x.sb ]
    python3 -c 'import msgpack' 2>/dev/null || skip "no python3 with msgpack here"
    python3 -c 'import msgpack,sys; [sys.stdout.buffer.write(msgpack.packb(r)) for r in ({"id":"a"},{"id":"b","predicted":"x","labels":["3"]})]' >odd.sb
    for how in '--where probability>0.5' '--where probability>0.5 --sample 1' '--rename map.csv'; do
        printf 'a,b\n' >map.csv
        # shellcheck disable=SC2086
        fails_saying "odd.sb: record 2 (id b): field 'predicted' is" sb-pick -q $how -o x.sb odd.sb
    done
    sb-pick -q --where 'labels = 3' odd.sb 2>/dev/null | json - | jq -e '.id == "b"'
}
