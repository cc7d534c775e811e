bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }

# FathomNet's upload form with its optional columns, as its page names them, in any order and case.
upload() {
    cat <<'END'
Concept,altconcept,image,x,y,width,height,observer,groupof,occluded,truncated,depthMeters,Latitude,longitude,altitude,temperature,salinity,oxygen_ml_l,pressure_dbar,imagingtype,timestamp,userdefinedkey,uuid,remark
Nanomia bijuga,,https://dsg.mbari.org/framegrabs/Doc%20Ricketts/0296/00_00_22_14.png,10,20,30,40,brian,false,0,,300.25,36.7,-122.05,1.5,5.4,34.2,0.41,302.9,ROV,2018-07-01T12:34:56.25Z,key 7,1b3c,"not a, field"
Rock,,https://dsg.mbari.org/framegrabs/Doc%20Ricketts/0296/00_00_22_14.png,21,22,23,24,,true,1,true,300.25,36.7,-122.05,,,,,,ROV,2018-07-01T12:34:56.25Z,,,
"Sebastes ""é""",egg,https://dsg.mbari.org/framegrabs/Ventana/0296/00_00_22_14.png,0,0,5,5,,,,,,,,,,,,,,,,,
,,https://dsg.mbari.org/framegrabs/Ventana/0296/00_00_22_14.png,1,1,5,5,,,,,,,,,,,,,,,,,
Rock,,https://dsg.mbari.org/framegrabs/Ventana/0296/00_00_22_14.png,1,1,,5,,,,,,,,,,,,,,,,,
END
}

# Image records as the REST API gives them.
records() {
    cat <<'END'
[{"id": 2256720, "uuid": "79958ba5-0bdf-4d0c-8a3d-77d1ae3e7f6b", "url": "https://fathomnet.org/static/m3/staging/Doc%20Ricketts/images/0971/06_02_03_18.png?v=2",
  "valid": true, "imagingType": "ROV", "depthMeters": 1014.5, "height": 64, "width": 96, "lastValidation": "2021-09-29T19:14:41.599Z", "latitude": 36.5, "longitude": -122.5,
  "altitude": null, "salinity": 34.4, "temperatureCelsius": 3.9, "oxygenMlL": 0.3, "pressureDbar": 1024.0, "mediaType": "image/png", "modified": "2021-09-29T19:14:41.603Z",
  "sha256": "0b7b", "contributorsEmail": "someone@example.org", "tags": [{"id": 1, "uuid": "t", "key": "source", "value": "MBARI/VARS"}], "timestamp": "2017-05-10T14:03:18Z",
  "boundingBoxes": [
    {"id": 1, "uuid": "b1", "userDefinedKey": "u1", "concept": "Bathochordaeus", "altConcept": "inner filter", "groupOf": null, "height": 20, "occluded": true, "observer": "kwalz",
     "truncated": false, "width": 30, "x": 5, "y": 6, "rejected": false, "reviewState": "VERIFIED", "reviewer": "lonny"},
    {"id": 2, "uuid": "b2", "concept": "Bathochordaeus", "height": 20, "observer": "kwalz", "width": 30, "x": 5, "y": 6, "rejected": true, "reviewState": "REJECTED", "reviewer": "lonny"},
    {"id": 3, "uuid": "b3", "concept": "Aegina", "height": 9, "observer": "kwalz", "width": 8, "x": 50, "y": 6, "reviewState": "UNVERIFIED", "reviewer": null},
    {"id": 4, "uuid": "b4", "concept": null, "height": 9, "width": 8, "x": 70, "y": 40, "verified": true, "observer": "kwalz"}]},
 {"uuid": "e7", "url": "https://fathomnet.org/static/nothing.png", "timestamp": null, "boundingBoxes": []}]
END
}

@test "CSV: every column comes home, whatever the order and case of titles" {
    upload >up.csv
    sb-import fathomnet --no-images -o up.sb up.csv 2>said
    grep -qx 'sb-import: up.csv: columns that are not kept: remark' said
    grep -q '^sb-import: 2 in, 4 out, 1 skipped: 1 unusable annotation$' said
    grep -q '^sb-import: unusable: up.csv: line 6: it has no box$' said
    grep -q '1 records without a label' said
    sb-export jsonl -q up.sb >up.jsonl
    jq -se '.[0] | del(.id, .parent) == {source: "framegrabs/Doc Ricketts/0296/00_00_22_14.png",
        url: "https://dsg.mbari.org/framegrabs/Doc%20Ricketts/0296/00_00_22_14.png", lat: 36.7, lon: -122.05, depth: 300.25, time: 1530448496.25,
        altitude: 1.5, temperature: 5.4, salinity: 34.2, oxygen: 0.41, pressure: 302.9, imaging_type: "ROV", label: "Nanomia bijuga", labelled_by: "brian",
        group_of: false, occluded: false, user_defined_key: "key 7", annotation_id: "1b3c", box: [10, 20, 30, 40]}' up.jsonl
    jq -se '.[1] | .occluded and .truncated and .group_of and (has("labelled_by") | not)' up.jsonl
    jq -se '.[2] | .label == "Sebastes \"é\"" and .alt_label == "egg" and (has("time") | not)' up.jsonl
    # Two dives have a picture of the same name.
    [ "$(table source up.sb | sort -u | wc -l)" -eq 2 ]
    # As a spreadsheet hands it on.
    { printf '\xef\xbb\xbf'; sed 's/,/;/g; s/not a;/not a,/; s/$/\r/' up.csv; } >semicolon.csv
    sb-import fathomnet -q --no-images semicolon.csv | sb-export jsonl -q | diff up.jsonl -
}

@test "CSV: pictures are found by the end of their address, boxes cut out of them" {
    upload >up.csv
    mkdir -p Ventana/0296
    sb-synth frames -q -n 2 --size 96x64 --encode png | sb-export png -q -o sea/
    local files=(sea/*.png)
    mv "${files[0]}" 00_00_22_14.png
    mv "${files[1]}" Ventana/0296/00_00_22_14.png
    sb-import fathomnet -q -o up.sb up.csv
    [ "$(table source up.sb | sort | uniq -c | xargs)" = "2 00_00_22_14.png 2 Ventana/0296/00_00_22_14.png" ]
    sb-import fathomnet -q --encode raw up.csv | sb-export jsonl -q | jq -c .image.shape >shapes
    [ "$(xargs <shapes)" = "[40,30,3] [24,23,3] [5,5,3] [5,5,3]" ]
    sb-import fathomnet --whole up.csv 2>said | sb-export jsonl -q >whole
    jq -se '.[0].labels == ["Nanomia bijuga", "Rock"] and .[1].labels == ["Sebastes \"é\"", ""]' whole
}

@test "JSON: image records, what was rejected left out and counted, who verified" {
    records >images.json
    sb-import fathomnet --no-images -o r.sb images.json 2>said
    grep -q '^sb-import: 2 in, 3 out, 2 skipped: 1 rejected by a reviewer, 1 without an annotation$' said
    sb-export jsonl -q r.sb >r.jsonl
    jq -se '.[0] | .source == "static/m3/staging/Doc Ricketts/images/0971/06_02_03_18.png" and .parent_size == [96, 64] and .time == 1494424998
        and .lat == 36.5 and .depth == 1014.5 and .oxygen == 0.3 and .temperature == 3.9 and .contributor == "someone@example.org"
        and .label == "Bathochordaeus" and .alt_label == "inner filter" and .box == [5, 6, 30, 20] and .occluded and .truncated == false
        and .annotation_id == "b1" and .label_status == "verified" and .labelled_by == "lonny" and .observer == "kwalz"' r.jsonl
    jq -se '.[1] | .labelled_by == "kwalz" and (has("label_status") | not) and (has("observer") | not)' r.jsonl
    jq -se '.[2] | .label_status == "verified" and .labelled_by == "kwalz" and (has("label") | not)' r.jsonl
    # One image alone, and several files.
    jq '.[0]' images.json >one.json
    jq '.[1]' images.json >two.json
    sb-import fathomnet -q --no-images one.json two.json | sb-export jsonl -q | diff r.jsonl -
}

@test "JSON: a picture that was fetched is called by its uuid" {
    records >images.json
    sb-synth frames -q -n 1 --size 96x64 --encode png | sb-export png -q -o sea/
    mv sea/*.png sea/79958ba5-0bdf-4d0c-8a3d-77d1ae3e7f6b.png
    sb-import fathomnet --images sea -o r.sb images.json 2>said
    grep -q '^sb-import: missing: static/nothing.png: https://fathomnet.org/static/nothing.png$' said
    [ "$(table source r.sb | sort -u)" = 79958ba5-0bdf-4d0c-8a3d-77d1ae3e7f6b.png ]
    [ "$(table url r.sb | sort -u)" = "https://fathomnet.org/static/m3/staging/Doc%20Ricketts/images/0971/06_02_03_18.png?v=2" ]
}

@test "counts are those of Python's csv and json" {
    python3 -c pass || skip "no python3"
    upload >up.csv
    records >images.json
    python3 - >want <<'END'
import csv, json
for row in csv.DictReader(open("up.csv", encoding="utf-8")):
    if row["width"] and row["height"]: print(row["Concept"], row["x"], row["width"], sep="|")
for image in json.load(open("images.json")):
    for b in image["boundingBoxes"]:
        if not b.get("rejected"): print(b["concept"] or "", b["x"], b["width"], sep="|")
END
    sb-import fathomnet -q --no-images up.csv images.json | sb-export jsonl -q | jq -r '"\(.label // "")|\(.box[0])|\(.box[2])"' >have
    diff want have
}

@test "bad input: one clear line each" {
    form() { upload | sed '1s/,remark//'; }
    echo 'concept,url,x,y' >bad.csv
    fails_saying "bad.csv: it has no columns called width, height" sb-import fathomnet bad.csv
    form | sed 's/,10,20,30,/,10,twenty,30,/' >bad.csv
    fails_saying "bad.csv: line 2: column 'y': 'twenty' is no number" sb-import fathomnet bad.csv
    form | sed 's/56.25Z/56.25/' >bad.csv
    fails_saying "bad.csv: line 2: " sb-import fathomnet --no-images bad.csv
    sb-import fathomnet -q --no-images --zone +02:00 bad.csv | sb-export jsonl -q | head -1 | jq -e '.time == 1530441296.25'
    form | iconv -t latin1 >bad.csv
    fails_saying "bad.csv: line 4: it is not UTF-8" sb-import fathomnet --no-images bad.csv
    echo '{"images": [], "annotations": [], "categories": []}' >bad.json
    fails_saying "bad.json: it is COCO's JSON" sb-import fathomnet bad.json
    echo '[7]' >bad.json
    fails_saying "bad.json: image 1 is no object" sb-import fathomnet bad.json
    echo '[{"uuid": "x"}]' >bad.json
    fails_saying "bad.json: image 1: it has no URL" sb-import fathomnet bad.json
    records | sed 's/"x": 50/"x": "50"/' >bad.json
    fails_saying "bad.json: image 1: its boxes' 'x' is no number" sb-import fathomnet bad.json
    : >bad.csv
    fails_saying "bad.csv: it is empty" sb-import fathomnet bad.csv
    fails_saying "nope.csv" sb-import fathomnet nope.csv
}
