# A season from the ship to OBIS, as a lab does it: frames with time and place and without what last week had, two hundred
# pictures to a taxonomist, her table back from a spreadsheet, a model, occurrences.
bats_require_minimum_version 1.5.0
load helpers

# A table of where the ship was: each half minute about each start named.
track() {
    printf 'UTC;Lat;Lon;Depth [m]\r\n'
    for start in "$@"; do
        for half in -1 0 1 2; do
            printf '%s;%s;%s;%s\r\n' "$(date -u -d "$start $((half * 30)) seconds" +%FT%TZ)" "54.$((half + 5))" "7.$((half + 5))" "$((half + 40))"
        done
    done
}

# JSON {"film second": name} to truth.json: what a taxonomist sees in each second of a film.
truth_of() { for film in "$@"; do sb-export jsonl -q "$film"; done | jq -c '{key: (.source + " " + (.pts | tostring)), value: (.labels[0] // "nothing")}' | jq -s from_entries >truth.json; }

# What comes back from her: sorted by another column, semicolons, quotes, CRLF, a byte order mark, an empty column, a
# remark, three rows lost, one of a film that nobody has. Of the moments $1, time or pts, and of ids only if $2 is id.
edit() {
    printf '\xef\xbb\xbf"Bemerkung";"Label";"source";"%s";"%s";""\r\n' "$1" "$2"
    sb-export csv -q --columns "source,pts,$1,$2" chosen.sb | tail -n +2 | tr -d '\r' | awk -F, -v OFS=';' '
        NR == FNR { name[$1] = $2; next }
        { film = $1; sub(".*/", "", film); print "\"\"", "\"" name[film " " int($2)] "\"", "\"" $1 "\"", "\"" $3 "\"", "\"" $4 "\"", "\"\"" }' \
        <(jq -r 'to_entries[] | .key + "," + .value' truth.json) - | sort | sed -e '5d;50d;120d' -e '9s/^""/"unsicher; siehe ""Buch"", S. 3"/' -e 's/$/\r/'
    printf '"";"crab";"dive9.mp4";"%s";"%s";""\r\n' "$3" 00000000000000000000000000000000
}

# All of it from the folders week1, of each film there its first $3 seconds, and week2, the pictures $1 pixels high at $2
# a second.
season() {
    frames() { sb-frames -q --fps "$2" --size "$1" --encode jpeg --time-regex '([0-9]{8}T[0-9]{6}Z)' --nav track.csv "${@:3}"; }
    frames "$1" "$2" --end "$3" week1 | sb-dedup -q --distance 1 --save-hashes last.hashes -o week1.sb
    frames "$1" "$2" week2 | sb-dedup -q --distance 1 --against last.hashes --save-hashes this.hashes -o week2.sb
    sb-cluster -q -k 12 --select 200 -o chosen.sb week2.sb

    # To the taxonomist, and back as they went.
    sb-export pictures -q -o picked chosen.sb
    [ "$(ls picked/*.jpg | wc -l)" -eq 200 ]
    [ "$(wc -l <picked/manifest.csv)" -eq 201 ]
    sb-import manifest -q -o back.sb picked
    diff <(sb-export jsonl -q chosen.sb | jq -cS 'del(.image)' | sort) <(sb-export jsonl -q back.sb | jq -cS 'del(.image)' | sort)

    # Her table, by id, and by time within a tenth of a second: the same labels, and the same that found nothing.
    edit time id 2026-07-09T09:30:00Z >edited.csv
    sb-join --labelled-by "Anna Ångström" --columns label --unmatched by_id.csv edited.csv chosen.sb -o labelled.sb 2>said
    grep -q '198 rows, 1 matched by no record; 3 records matched by no row' said
    [ "$(grep -c '^record,' by_id.csv)" -eq 3 ]
    [ "$(grep -c '^row,199,0*,crab' by_id.csv)" -eq 1 ]
    sb-join --labelled-by "Anna Ångström" --columns label --on source,time --within 0.04 --unmatched by_time.csv edited.csv chosen.sb -o timed.sb 2>/dev/null
    diff <(sb-export csv -q labelled.sb) <(sb-export csv -q timed.sb)
    diff <(grep '^record' by_id.csv | cut -d, -f1-2) <(grep '^record' by_time.csv | cut -d, -f1-2)
    sb-export jsonl -q labelled.sb | jq -se 'map(select(.label)) | length == 197 and all(.label_status == "verified" and .labelled_by == "Anna Ångström")' >/dev/null
    diff <(sb-export jsonl -q labelled.sb | jq -r --slurpfile t truth.json 'select(.label) | $t[0][(.source | split("/") | last) + " " + (.pts | floor | tostring)]') \
        <(sb-export jsonl -q labelled.sb | jq -r '.label // empty')

    # A model of what she named, and what it says of the rest.
    sb-pick -q --where 'has label and label != nothing' labelled.sb | sb-split -q --stratify --group-by id |
        sb-tensorize -q --size 32 --fit stretch --drop image -o tensors.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 2 --warmup 0 -o reef.safetensors tensors.sb >metrics.jsonl
    sb-tensorize -q -m reef.safetensors week2.sb | sb-classify -q -m reef.safetensors --drop tensor,image -o classified.sb
    sb-join -q --columns label,label_status,labelled_by labelled.sb classified.sb | sb-pick -q --where 'not label = nothing' -o all.sb

    # Occurrences: each in its second of dive, whether a person or the model named it, and nothing lost.
    sb-export darwin-core -q --taxa taxa.csv -o occurrences.csv all.sb
    [ "$(tail -n +2 occurrences.csv | wc -l)" -eq "$(sb-export jsonl -q all.sb | wc -l)" ]
    sb-export csv -q --columns id,time all.sb | tail -n +2 | tr -d '\r' | sort >moments
    tail -n +2 occurrences.csv | awk -F, -v OFS=, '{ sub("urn:seabot:", "", $1); print $1, $4 }' | sort | diff moments -
    awk -F, 'NR > 1 && ($5 == "" || $6 == "" || $10 == "") { exit 1 }' occurrences.csv
    [ "$(grep -c ValidatedByHuman occurrences.csv)" -eq "$(sb-export jsonl -q all.sb | jq -r 'select(.label_status == "verified") | .id' | wc -l)" ]
    [ "$(grep -c PredictedByMachine occurrences.csv)" -gt 0 ]
    jq -e '[.history[].tool] | index("sb-classify") and index("sb-join")' occurrences.csv.history.json >/dev/null
    grep -q "$(jq -r '.history[] | select(.tool == "sb-classify") | .files["reef.safetensors"]' occurrences.csv.history.json)" occurrences.csv
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkdir -p week1 "week2/Tauchgang Süd"
    printf 'label,scientificName,aphia_id\r\nfish,Actinopterygii,10194\r\njellyfish,Scyphozoa,135220\r\nanemone,Actiniaria,1360\r\nshark,Selachii,\r\ncrab,Brachyura,106673\r\n' >taxa.csv
}

@test "a season of synthetic dives" {
    film() { sb-synth video -q --seconds "$3" --size 192x108 --fps 8 --seed "$2" --truth "$1.truth.sb" -o "$1"; }
    film "week1/dive1 20260701T080000Z.mp4" 11 10
    film "week2/dive2 20260708T081500Z.mp4" 12 40
    film "week2/Tauchgang Süd/dive3 20260709T093000Z.mp4" 13 40
    cp "week1/dive1 20260701T080000Z.mp4" "week2/Tauchgang Süd/again 20260709T110000Z.mp4"
    truth_of week2/*.truth.sb week2/*/*.truth.sb
    rm -- */*.truth.sb */*/*.truth.sb
    track 2026-07-01T08:00:00Z 2026-07-08T08:15:00Z 2026-07-09T09:30:00Z 2026-07-09T11:00:00Z >track.csv
    season 108 5 10
    # What last week had is not there again.
    [ "$(sb-export csv -q --columns source week2.sb | grep -c again)" -eq 0 ]
}

@test "a season of the real clips" {
    [ -d "$DATA/video" ] || skip "no real data here"
    for name in "week1/tank 20260701T080000Z:tank-h264-vfr" "week2/jelly 20260708T081500Z:jellyfish-h264-1080p" \
        "week2/Tauchgang Süd/tank 20260709T093000Z:tank-h264-vfr" "week2/Tauchgang Süd/aquarium 20260709T110000Z:aquarium-hevc-portrait"; do
        ln -s "$DATA/video/${name#*:}.mp4" "${name%%:*}.mp4"
    done
    track 2026-07-01T08:00:00Z 2026-07-08T08:15:00Z 2026-07-09T09:30:00Z 2026-07-09T11:00:00Z >track.csv
    jq -n '[range(60)] | map({("jelly 20260708T081500Z.mp4 \(.)"): "jellyfish", ("tank 20260709T093000Z.mp4 \(.)"): (if . % 7 == 0 then "nothing" else "fish" end),
        ("aquarium 20260709T110000Z.mp4 \(.)"): "shark"}) | add' >truth.json
    season 180 24 5
}
