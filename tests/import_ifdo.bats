bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }
records() { sb-export jsonl -q "$1"; }

pictures_json() {
    cat >"$1" <<'EOF'
{"image-set-header": {
    "image-set-name": "SO268", "image-set-ifdo-version": "v2.1.0", "image-acquisition": "photo",
    "image-datetime": "2019-04-06 04:29:27.000000", "image-latitude": 11.8581802, "image-longitude": -117.0214864,
    "image-altitude-meters": -4094.5, "image-event": {"name": "SO268-1_21-1_OFOS", "uri": "https://example.org/1"},
    "image-annotation-labels": [
        {"id": "urn:lsid:marinespecies.org:taxname:124319", "name": "Ophiuroidea"}, {"id": "2", "name": "Trash"},
        {"id": "3", "name": "Cnidaria", "uri": "https://www.marinespecies.org/aphia.php?p=taxdetails&id=1267"}],
    "image-annotation-creators": [{"id": "a-1", "name": "Ada Byron", "type": "expert"}, {"id": "m-1", "name": "yolo", "type": "AI"},
        {"id": "c-1", "name": "Bo"}]},
 "image-set-items": {
    "a.png": {"image-datetime": "2019-04-06 05:27:26.250000", "image-uuid": "u-a", "image-hash-sha256": "00ff", "image-handle": "https://example.org/a",
        "image-depth": 2248, "image-meters-above-ground": 2.5, "image-annotations": [
        {"shape": "single-pixel", "coordinates": [[30.5, 20]], "labels": [
            {"label": "urn:lsid:marinespecies.org:taxname:124319", "annotator": "a-1", "created-at": "2023-11-22T13:59:52.000000Z"},
            {"label": "2", "annotator": "m-1", "created-at": "2023-11-22T14:59:52+01:00", "confidence": 0.75}]},
        {"shape": "rectangle", "coordinates": [[10, 5, 40, 5, 40, 25, 10, 25]], "labels": [{"label": "3", "annotator": "c-1", "created-at": "2023-11-22T13:59:52Z"}]},
        {"shape": "rectangle", "coordinates": [[20, 10, 30, 20, 20, 30, 10, 20]], "labels": [{"label": "unlisted", "annotator": "unlisted, too"}]},
        {"shape": "circle", "coordinates": [[20.25, 10, 5.5]], "labels": []},
        {"shape": "whole-image", "coordinates": [[]], "labels": [{"label": "2", "annotator": "a-1"}]},
        {"shape": "circle", "coordinates": [[20.25, 10]], "labels": [{"label": "2"}]},
        {"shape": "blob", "coordinates": [[20.25, 10]], "labels": [{"label": "2"}]}]},
    "b.png": [{"image-altitude-meters": 12, "image-annotations": [
        {"shape": "polygon", "coordinates": [1, 2, 3.5, 8, 9, 4, 1, 2], "labels": [{"id": "2", "annotator": "a-1"}]},
        {"shape": "polyline", "coordinates": [{"x": 1, "y": 2}, {"x": 5, "y": 8}], "labels": [{"id": 2, "annotator": "a-1"}]}]}],
    "c.png": {}}}
EOF
}

@test "pictures: the header's fields and their own; labels and people by their ids; every shape" {
    pictures_json i.json
    sb-import ifdo --no-images -o i.sb i.json 2>said
    grep -q '3 in, 8 out, 3 skipped: 2 unusable annotation, 1 without an annotation' said
    grep -q 'unusable: i.json: a.png: annotation 6: a Circle of 2 numbers' said
    grep -q "unusable: i.json: a.png: annotation 7: its shape is none of iFDO's" said
    [ "$(table source,label,aphia_id,labelled_by,label_status,confidence,shape,x,y,w,h i.sb)" = 'a.png,Ophiuroidea,124319,Ada Byron,verified,,Point,,,,
a.png,Trash,,yolo,machine,0.75,Point,,,,
a.png,Cnidaria,1267,Bo,,,,10,5,30,20
a.png,unlisted,,"unlisted, too",,,Rectangle,10,10,20,20
a.png,,,,,,Circle,14.75,4.5,11,11
a.png,Trash,,Ada Byron,verified,,,,,,
b.png,Trash,,Ada Byron,verified,,Polygon,1,2,8,6
b.png,Trash,,Ada Byron,verified,,LineString,1,2,4,6' ]
    records i.sb | sed -n 1p | jq -e '.time == 1554528446.25 and .lat == 11.8581802 and .lon == -117.0214864 and .depth == 2248 and .altitude == 2.5
        and .image_uuid == "u-a" and .sha256 == "00ff" and .url == "https://example.org/a" and .group == "SO268-1_21-1_OFOS" and .labelled_at == 1700661592'
    records i.sb | sed -n 2p | jq -e '.labelled_at == 1700661592'
    # Above water there is no depth; the date is the header's.
    records i.sb | sed -n 7p | jq -e '(has("depth") | not) and .time == 1554524967 and .points == [[1,2],[3.5,8],[9,4],[1,2]]'
    sb-import ifdo -q --no-images --whole -o w.sb i.json
    [ "$(table source,time,depth w.sb | tail -1)" = "c.png,2019-04-06T04:29:27Z,4094.5" ]
}

video_json() {
    cat >"$1" <<'EOF'
{"image-set-header": {"image-acquisition": "video", "image-latitude": 1, "image-longitude": 2, "image-altitude-meters": -10,
    "image-datetime-format": "%d.%m.%Y %H:%M:%S", "image-annotation-labels": [{"id": "1", "name": "Fish"}]},
 "image-set-items": {
    "dive 7": [
        {"image-datetime": "06.04.2019 04:29:27", "image-annotations": [
            {"shape": "circle", "coordinates": [[10, 20, 5], [], [12, 20, 5.5]], "frames": [0.5, null, 61], "labels": [{"label": "1", "annotator": "a"}]},
            {"shape": "whole-image", "coordinates": [[]], "frames": [1, 3.5], "labels": [{"label": "1", "annotator": "a"}]},
            {"shape": "whole-image", "coordinates": [[]], "frames": [], "labels": [{"label": "1", "annotator": "a"}]},
            {"shape": "single-pixel", "coordinates": [[1, 2]], "frames": [1, 2], "labels": [{"label": "1", "annotator": "a"}]}]},
        {"image-datetime": "06.04.2019 04:30:27", "image-altitude-meters": -20, "image-latitude": 3, "image-annotations": [
            {"shape": "single-pixel", "coordinates": [[5, 6]], "labels": [{"label": "1", "annotator": "a"}]}]}],
    "e.mp4": [{"image-datetime": "06.04.2019 04:29:27"}]}}
EOF
}

@test "video: a record a frame; what is known of its moment, by the entries' dates" {
    video_json v.json
    sb-import ifdo -o v.sb v.json 2>said
    grep -q '4 out, 3 skipped: 1 video without an annotation, 2 unusable annotation' said
    grep -q 'dive 7: annotation 3: it is of a whole video' said
    grep -q 'dive 7: annotation 4: it has another number of frames than of points' said
    [ "$(table source,pts,time,duration,segment,track,shape,lat,lon,depth v.sb)" = 'dive 7,0.5,2019-04-06T04:29:27.5Z,,0,1,Circle,1,2,10
dive 7,61,2019-04-06T04:30:28Z,,1,1,Circle,3,2,20
dive 7,1,2019-04-06T04:29:28Z,2.5,,2,,1,2,10
dive 7,60,2019-04-06T04:30:27Z,,,5,Point,3,2,20' ]
    sb-import ifdo -q --zone +01:00 -o v.sb v.json
    [ "$(table time v.sb | head -1)" = 2019-04-06T03:29:27.5Z ]
    sed -i 's/06.04.2019 04:30:27/2019-04-06 04:30:27/' v.json
    fails_saying "v.json: dive 7: '2019-04-06 04:30:27' is not a date as '%d.%m.%Y %H:%M:%S' has it" sb-import ifdo v.json
}

@test "a position's uncertainty is Darwin Core's" {
    echo '{"image-set-header": {"image-datetime": "2026-07-03 14:05:09.25", "image-latitude": 0, "image-longitude": 180, "image-coordinate-uncertainty-meters": 4.74},
        "image-set-items": {"a.png": {"image-annotations": [{"shape": "whole-image", "labels": [{"label": "x"}]}]}}}' >i.json
    sb-import ifdo -q --no-images i.json | sb-export darwin-core -q 2>/dev/null | grep -q ',2026-07-03T14:05:09.25Z,0,180,4.74,'
}

@test "bad input: one clear line" {
    printf 'image-set-header:\n    image-set-name: x\n' >i.yaml
    fails_saying "i.yaml: not an iFDO: it has no object 'image-set-items'" sb-import ifdo i.yaml
    printf 'image-set-items: &a\n  a.png: {}\nimage-set-header: *a\n' >i.yaml
    fails_saying "i.yaml: line 3: an alias" sb-import ifdo i.yaml
    echo '{"images": []}' >i.json
    fails_saying "i.json: not an iFDO" sb-import ifdo i.json
    echo '{"image-set-items": {"a.png": 3}}' >i.json
    fails_saying "i.json: a.png: it is no object" sb-import ifdo i.json
    echo '{"image-set-items": {"a.png": []}}' >i.json
    fails_saying "i.json: a.png: it is no object" sb-import ifdo i.json
    # One of them is lost: JSON has it so, and there are such files; YAML has not.
    printf '{"image-set-items": {"a.png": {},\n"a.png": {"image-annotations": [{"shape": "whole-image", "labels": [{"label": "x"}]}]}}}' >i.json
    sb-import ifdo --no-images i.json 2>said | sb-export jsonl -q | jq -e '.label == "x"'
    grep -qx 'sb-import: i.json: line 2: an object has a key twice: the last one counts' said
    printf 'image-set-items:\n  a.png: {}\n  a.png: {}\n' >i.yaml
    fails_saying "i.yaml: line 3: the key 'a.png' stands twice" sb-import ifdo --no-images i.yaml
    echo '{"image-set-items": ' >i.json
    fails_saying "i.json: line 2: unexpected token" sb-import ifdo i.json
}

@test "YAML says the same" {
    cat >i.yaml <<'EOF'
image-set-header: {image-set-name: x, image-latitude: 1.5, image-longitude: 2}
image-set-items:
  a.png:
    image-datetime: 2019-04-06 05:27:26.250000
    image-annotations:
      - {shape: circle, coordinates: [20, 10, 5], labels: [{id: fish, annotator: kevin, created-at: 2023-02-28 16:39:46.5}]}
EOF
    sb-import ifdo -q --no-images -o i.sb i.yaml
    [ "$(table label,time,labelled_at,lat,x i.sb)" = "fish,2019-04-06T05:27:26.25Z,1677602386.5,1.5,15" ]
}

@test "real data: BIIGLE's example" {
    local file=$DATA/annotations/ifdo-image-example.json
    [ -f "$file" ] || skip "no real data here"
    command -v python3 >/dev/null || skip "no python3"
    sb-import ifdo --no-images -o i.sb "$file" 2>said
    grep -q '2 in, 7 out, 1 skipped: 1 without an annotation' said
    records i.sb >got.jsonl
    python3 - "$file" <<'EOF'
import json, sys
ifdo = json.load(open(sys.argv[1]))
names = {l["id"]: l["name"] for l in ifdo["image-set-header"]["image-annotation-labels"]}
got = [json.loads(l) for l in open("got.jsonl")]
want = [(f, e, a) for f, i in ifdo["image-set-items"].items() for e in (i if isinstance(i, list) else [i]) for a in e.get("image-annotations", [])]
assert len(got) == len(want) == 7
for g, (f, e, a) in zip(got, want):
    assert g["source"] == f and g["label"] == names[a["labels"][0]["label"]] and g["depth"] == -e["image-altitude"] == 4129.6
    flat = sum(g["points"], []) + ([g["radius"]] if "radius" in g else [])
    assert all(abs(x - y) < 1e-3 for x, y in zip(flat, a["coordinates"][0])) and len(flat) == len(a["coordinates"][0]), (flat, a)
EOF
}
