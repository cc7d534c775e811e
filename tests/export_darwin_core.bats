bats_require_minimum_version 1.5.0
load helpers

# named.sb: frames with time and position, of which a model says what they show; nowhere.sb: the same without position.
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 40 --crops --size 96x64 --seed 3 | sb-tensorize -q --size 16 --fit stretch --drop image -o tensors.sb
    sb-train -q --arch dim=16,depth=1,heads=2 --patch 8 --epochs 1 --warmup 0 -o reef.safetensors tensors.sb >metrics
    printf 'time,lat,lon,depth\n2026-07-03T14:05:00Z,36.7,-122.1,800\n2026-07-03T14:06:00Z,36.8,-122.2,860\n' >nav.csv
    sb-synth video -q --seconds 4 --size 96x64 --fps 2 --seed 3 -o dive.mp4
    sb-frames -q --start-time 2026-07-03T14:05:09.25Z --nav nav.csv dive.mp4 | sb-tensorize -q --size 16 --fit stretch --drop image |
        sb-classify -q -m reef.safetensors --drop tensor -o named.sb
    sb-frames -q --start-time 2026-07-03T14:05:09Z dive.mp4 | sb-tensorize -q --size 16 --fit stretch --drop image |
        sb-classify -q -m reef.safetensors --drop tensor -o nowhere.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb "$BATS_FILE_TMPDIR"/reef.safetensors .
}

REQUIRED="occurrenceID eventDate decimalLongitude decimalLatitude scientificName scientificNameID occurrenceStatus basisOfRecord"

# The column of that title; cells of these tests hold neither commas nor quotes.
column() { tr -d '\r' <"$2" | awk -F, -v t="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == t) c = i; next } { print $c }'; }

@test "darwin-core: a row for each, with all that OBIS requires" {
    sb-export jsonl -q named.sb | jq -r '.predicted[0][0]' | sort -u | awk '{ print $0 "\tGenus " $0 "\t" NR + 1000 }' >taxa.tsv
    sb-export darwin-core --taxa taxa.tsv --dataset-name "Reef 7" -o occurrence.csv named.sb 2>said
    [ "$(cat said)" = "sb-export: 4 in, 4 out" ]
    for term in $REQUIRED; do [ "$(column $term occurrence.csv | grep -c .)" -eq 4 ]; done
    diff <(column occurrenceID occurrence.csv) <(sb-export jsonl -q named.sb | jq -r '"urn:seabot:" + .id')
    [ "$(column eventDate occurrence.csv | head -1)" = 2026-07-03T14:05:09.25Z ]
    diff <(column decimalLatitude occurrence.csv) <(sb-export csv -q --columns lat named.sb | tr -d '\r' | tail -n +2)
    column minimumDepthInMeters occurrence.csv | cmp - <(column maximumDepthInMeters occurrence.csv)
    column scientificNameID occurrence.csv | grep -c '^urn:lsid:marinespecies.org:taxname:10[0-9][0-9]$' | grep -qx 4
    column basisOfRecord occurrence.csv | sort -u | grep -qx MachineObservation
    column identificationVerificationStatus occurrence.csv | sort -u | grep -qx PredictedByMachine
    grep -c ",dive.mp4#t=[0-3],Reef 7" occurrence.csv | grep -qx 4
    sb-export darwin-core -q --url-prefix https://lab.org/films named.sb | grep -c ",https://lab.org/films/dive.mp4#t=[0-3]," | grep -qx 4
    grep -q "\"reef.safetensors (XXH3-128 $(sb-export jsonl -q -o h named.sb; jq -r '.history[].files["reef.safetensors"] // empty' h.history.json)), sb-classify 0" occurrence.csv
    # Of a stream that was joined from others too, and a model of several once.
    sb-cat -q --prefix named.sb nowhere.sb | sb-export darwin-core -q | grep -c ',"reef.safetensors (XXH3-128 [0-9a-f]*), sb-classify [0-9.]*",' | grep -qx 4
    jq -e '.history[-1].files["taxa.tsv"] | length == 32' occurrence.csv.history.json
}

@test "darwin-core: what OBIS would not take is counted, named, and not written" {
    sb-export darwin-core -o out.csv nowhere.sb 2>said
    grep -q "^sb-export: not for OBIS: 4 without a position, the first: $(sb-export jsonl -q -n 1 nowhere.sb | jq -r .id)$" said
    grep -q '^sb-export: 4 in, 0 out, 4 skipped: 4 without a position$' said
    [ "$(wc -l <out.csv)" -eq 1 ]
    sb-export darwin-core named.sb 2>said >out.csv
    grep -q "^sb-export: 4 rows without the scientificNameID that OBIS asks for: '.*'; --taxa FILE" said
    sb-export darwin-core --min-prob 1 named.sb 2>said >out.csv
    grep -q '4 skipped: 4 less probable than --min-prob' said
    sb-export jsonl -q named.sb | jq -r '.predicted[0][0]' | sort -u | awk '{ print $0 "\t" }' >none.tsv
    sb-export darwin-core --taxa none.tsv named.sb 2>said >out.csv
    grep -q '4 in, 0 out, 4 skipped: 4 removed by --taxa' said
    # {"id": "a", "time": 0, "lat": 91, "lon": 0, "label": "x"}, and records that lack one field each
    { printf '\x85\xa2id\xa1a\xa4time\0\xa3lat\x5b\xa3lon\0\xa5label\xa1x'
      printf '\x84\xa4time\0\xa3lat\0\xa3lon\0\xa5label\xa1x'
      printf '\x84\xa2id\xa1b\xa4time\0\xa3lat\0\xa3lon\0'
      printf '\x84\xa2id\xa1c\xa3lat\0\xa3lon\0\xa5label\xa1x'; } >lacking.sb
    sb-export darwin-core lacking.sb 2>said >out.csv
    for why in "position out of range" "without an id" "without a name" "without a time"; do grep -q "1 $why" said; done
    fails_saying "field 'lat' is a str" sb-export darwin-core -q <(printf '\x82\xa2id\xa1a\xa3lat\xa1x')
    fails_saying "nothere.taxa" sb-export darwin-core --taxa nothere.taxa named.sb
    run -2 sb-export csv --taxa none.tsv named.sb
}

# A verified label with an AphiaID, twice; two labels of a picture; a label with cells' quotes.
rich() {
    local where='\xa4time\x00\xa3lat\x01\xa3lon\x02'
    for i in 1 2; do
        printf "\x89\xa2id\xa1a$where\xa5label\xacSebastes sp.\xaclabel_status\xa8verified\xablabelled_by\xa3Ada\xa8aphia_id\xce\x00\x01\xec\x87\xa3url\xachttp://x/y.z"
    done
    printf "\x85\xa2id\xa1b$where\xa6labels\x92\xa4crab\xa3eel"
    printf "\x86\xa2id\xa1c$where\xa5label\xa5a,\"b\n\xa5group\xa4dive"
}

@test "darwin-core: people's names, several taxa, ids that differ" {
    rich >rich.sb
    sb-export darwin-core -q rich.sb >out.csv
    [ "$(cut -d, -f1 out.csv | grep urn | tr '\n' ' ')" = "urn:seabot:a urn:seabot:a:2 urn:seabot:b urn:seabot:b:2 urn:seabot:c " ]
    grep -q ',Sebastes sp.,urn:lsid:marinespecies.org:taxname:126087,Sebastes sp.,Ada,ValidatedByHuman,,,urn:seabot:a,,http://x/y.z,' out.csv
    printf 'label,name,aphia_id\nSebastes sp.,Sebastes,126175\ncrab,,\n' >taxa.csv
    sb-export darwin-core --taxa taxa.csv rich.sb >out.csv 2>said
    grep -q ',Sebastes,urn:lsid:marinespecies.org:taxname:126175,Sebastes sp.,' out.csv
    grep -q "taxa.csv: 2 names are not in it and stay: 'a,\"b?' (1), 'eel' (1)" said
    fails grep -q crab out.csv
    sb-export darwin-core -q --by group -o by/ rich.sb
    [ "$(ls by | grep -vc history)" -eq 2 ]
}

@test "darwin-core: a still of a dive has no second, the dive has one" {
    printf 'concept,elapsed_time_millis,video_uri,recorded_timestamp,latitude,longitude,image_url\n' >vars.csv
    printf '%s,1500,http://x/dive.mov,1969-12-31T23:59:59.5Z,0,180,%s\n' Beroe https://x/still.png Aequorea '' >>vars.csv
    sb-import vars -q vars.csv | sb-export darwin-core -q -o out.csv
    [ "$(column associatedMedia out.csv | tr '\n' ' ')" = 'https://x/still.png dive.mov#t=1.5 ' ]
    [ "$(column eventDate out.csv | sort -u)" = 1969-12-31T23:59:59.5Z ]
}

@test "darwin-core: a table is UTF-8, whatever the records hold" {
    printf '\x87\xa2id\xa3a\xff"\xa4time\0\xa3lat\0\xa3lon\0\xa5label\xa4\xc3\0\n,\xa6source\xa2\xff\xfe\xa5group\xa3\xed\xa0\x80' >bad.sb
    sb-export darwin-core -q bad.sb >out.csv
    iconv -f UTF-8 -t UTF-8 out.csv | cmp - out.csv
    fails grep -qaP '\0' out.csv
    fails_saying "field 'time' is a map" sb-export darwin-core -q <(printf '\x82\xa2id\xa1a\xa4time\x80')
}

@test "darwin-core: a check of its own finds nothing that OBIS would complain of" {
    command -v python3 >/dev/null || skip "no python3 here"
    rich >rich.sb
    sb-export darwin-core -q named.sb >a.csv
    sb-export darwin-core -q rich.sb >b.csv
    python3 - <<'P'
import csv, datetime, re
required = "occurrenceID eventDate decimalLongitude decimalLatitude scientificName occurrenceStatus basisOfRecord".split()
basis = {"MachineObservation"}
status = {"PredictedByMachine", "ValidatedByHuman"}
for name, count in ("a.csv", 4), ("b.csv", 5):
    rows = list(csv.DictReader(open(name, encoding="utf-8", newline=""), strict=True))
    assert len(rows) == count, len(rows)
    assert len({r["occurrenceID"] for r in rows}) == count
    for r in rows:
        assert None not in r and all(r[f].strip() for f in required), r
        assert r["basisOfRecord"] in basis and r["occurrenceStatus"] == "present"
        assert r["identificationVerificationStatus"] in status
        assert -90 <= float(r["decimalLatitude"]) <= 90 and -180 <= float(r["decimalLongitude"]) <= 180
        datetime.datetime.fromisoformat(r["eventDate"].replace("Z", "+00:00"))
        assert r["eventDate"].endswith("Z")
        if r["scientificNameID"]: assert re.fullmatch(r"urn:lsid:marinespecies\.org:taxname:[1-9]\d*", r["scientificNameID"])
        if r["minimumDepthInMeters"]: assert float(r["minimumDepthInMeters"]) <= float(r["maximumDepthInMeters"])
        assert bool(r["identifiedBy"]) <= (r["identificationVerificationStatus"] == "ValidatedByHuman")
        assert r["eventID"] and r["associatedMedia"] or name == "b.csv"
P
}
