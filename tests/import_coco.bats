bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }

# What CVAT, Roboflow and detectors write: $1 info, $2 date of the image, $3 annotations.
coco() {
    cat <<END
{"info": $1, "images": [{"id": 1, "file_name": "a.png", "width": 96, "height": 64, "date_captured": $2}],
 "categories": [{"id": 3, "name": "cod", "supercategory": "fish"}, {"id": 4, "name": "kelp"}], "annotations": [$3]}
END
}

one='{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}'
time_of() { sb-import coco -q --no-images "$@" | sb-export jsonl -q | jq -c .time; }

@test "dates: as they are zoned; FathomNet's are UTC; Roboflow's are none; others need --zone" {
    coco '{}' '"2026-07-03T14:05:09+02:00"' "$one" >a.json
    [ "$(time_of a.json)" = 1783080309 ]
    coco '{"contributor": "FathomNet"}' '"2026-07-03 14:05:09"' "$one" >a.json
    [ "$(time_of a.json)" = 1783087509 ]
    coco '{"description": "Exported from roboflow.com"}' '"2026-07-03T14:05:09+00:00"' "$one" >a.json
    [ "$(time_of a.json)" = null ]
    coco '{}' '"2026-07-03 14:05:09"' "$one" >a.json
    [ "$(time_of --zone UTC a.json)" = 1783087509 ]
    sb-import coco --no-images -o a.sb a.json 2>said
    grep -q 'a.json: 1 dates without a zone, or that are none, are left out: --zone takes them' said
    for date in null 0 '""'; do
        coco '{}' "$date" "$one" >a.json
        [ "$(time_of a.json)" = null ]
    done
}

@test "outlines, crowds, groups and attributes" {
    coco '{}' null '{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 1, "segmentation": {"counts": [1, 2], "size": [64, 96]},
            "attributes": {"occluded": true, "rotation": 0.5, "track_id": 7, "sex": "f", "note": null}},
        {"id": 2, "image_id": 1, "category_id": 4, "bbox": [10, 10, 20, 10], "iscrowd": 0, "segmentation": [[10, 10, 30, 10, 10, 20]]},
        {"id": 3, "image_id": 1, "category_id": 4, "segmentation": [[0, 0, 5, 0, 5, 5.5]]},
        {"id": 4, "image_id": 1, "category_id": 4, "bbox": [1, 1, 9, 9], "segmentation": [[0, 0, 5, 0, 5, 5], [7, 7, 9, 9, 7, 9]]},
        {"id": 5, "image_id": 1, "category_id": 4, "segmentation": []}, 7' >a.json
    sb-import coco --no-images -o a.sb a.json 2>said
    grep -q 'a.json: 2 outlines of several pieces, or masks, are left out' said
    grep -q 'unusable: a.json: annotation 5: its bbox is none' said
    grep -q 'unusable: a.json: annotation 6: it is no object' said
    sb-export jsonl -q a.sb >a.jsonl
    jq -se '.[0] | .crowd and .occluded and .track == "7" and .attributes == {rotation: "0.5", sex: "f"} and .supercategory == "fish" and (has("points") | not)' a.jsonl
    jq -se '.[1] | .shape == "Polygon" and .points == [[10, 10], [30, 10], [10, 20]] and (has("crowd") | not) and (has("supercategory") | not)' a.jsonl
    jq -se '.[2] | .box == [0, 0, 5, 5.5] and .points == [[0, 0], [5, 0], [5, 5.5]]' a.jsonl
    jq -se '.[3] | .box == [1, 1, 9, 9] and (has("shape") | not)' a.jsonl
}

@test "a category without a name is none" {
    echo '{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": ""}], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]}' >c.json
    sb-import coco --no-images -o c.sb c.json 2>said
    grep -q '^sb-import: 1 records without a label$' said
    sb-export jsonl -q c.sb | jq -e 'has("label") | not'
}

@test "results: what a machine thinks of a data set's images" {
    coco '{}' null "$one" >set.json
    echo '[{"image_id": 1, "category_id": 4, "bbox": [1, 2, 3, 4], "score": 0.75}, {"image_id": 9, "category_id": 4, "bbox": [1, 2, 3, 4], "score": 0.5}]' >results.json
    sb-import coco --no-images --dataset set.json -o r.sb results.json 2>said
    grep -q 'unusable: results.json: annotation 2: its image is not in the file' said
    sb-export jsonl -q r.sb | jq -e '.predicted == [["kelp", 0.75]] and .source == "a.png" and .parent_size == [96, 64] and (has("label") | not)'
    sb-export coco-results -q --dataset set.json -o again.json r.sb
    sb-import coco -q --no-images --dataset set.json -o again.sb again.json
    diff <(sb-export jsonl -q r.sb) <(sb-export jsonl -q again.sb)
    fails_saying "results.json: a list, as COCO's results are: --dataset" sb-import coco results.json
    fails_saying "not a COCO file" sb-import coco --dataset results.json results.json
}

@test "real data: FathomNet's moments, as Python counts them" {
    local file=$DATA/annotations/fathomnet_2025_dataset_test.json
    [ -f "$file" ] || skip "no real data here"
    python3 -c pass || skip "no python3"
    python3 - "$file" >want <<'END'
import datetime, json, sys
d = json.load(open(sys.argv[1]))
images = {i["id"]: i for i in d["images"]}
for a in d["annotations"]:
    i = images[a["image_id"]]
    date = i["date_captured"]
    time = datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc).timestamp() if date else 0
    print(i["file_name"], "%.3f" % time, *("%g" % v for v in a["bbox"]))
END
    sb-import coco -q --no-images "$file" | sb-export jsonl -q |
        jq -r '[.source, .time // 0, .box[]] | @tsv' | awk '{ printf "%s %.3f %g %g %g %g\n", $1, $2, $3, $4, $5, $6 }' >have
    diff <(sort want) <(sort have)
}
