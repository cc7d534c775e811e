bats_require_minimum_version 1.5.0
load helpers

# Records of annotations in msgpack that a lab script might write: a JSON object a line on stdin, in which a list of
# numbers under box, boxes, scores and points is an f32 array. No header, no trailer: -q hides what is said of that.
records() {
    python3 -c '
import json, struct, sys
def text(s):
    b = s.encode("utf-8", "surrogateescape")
    return b"\xdb" + struct.pack(">I", len(b)) + b
def array(v, width):
    flat = [x for row in v for x in (row if isinstance(row, list) else [row])]
    shape = [len(v)] if width == 0 else [len(v), width]
    body = struct.pack("<%df" % len(flat), *flat)
    def key(k): return b"\xc4" + bytes([len(k)]) + k
    out = b"\x85" + key(b"nd") + b"\xc3" + key(b"type") + text("<f4") + key(b"kind") + b"\xc4\x00" + key(b"shape") + bytes([0x90 + len(shape)])
    for n in shape: out += struct.pack(">BI", 0xce, n)
    return out + key(b"data") + b"\xc6" + struct.pack(">I", len(body)) + body
def pack(v, key=""):
    if key in ("box", "scores"): return array(v, 0)
    if key in ("boxes", "points"): return array(v, 4 if key == "boxes" else 2)
    if v is None: return b"\xc0"
    if v is True or v is False: return b"\xc3" if v else b"\xc2"
    if isinstance(v, int): return b"\xd3" + struct.pack(">q", v)
    if isinstance(v, float): return b"\xcb" + struct.pack(">d", v)
    if isinstance(v, str): return text(v)
    if isinstance(v, list): return b"\xdd" + struct.pack(">I", len(v)) + b"".join(pack(x) for x in v)
    return b"\xdf" + struct.pack(">I", len(v)) + b"".join(text(k) + pack(x, k) for k, x in v.items())
for line in sys.stdin:
    if line.strip(): sys.stdout.buffer.write(pack(json.loads(line)))
'
}

# Imports $2 as $1, exports it as the same, imports that: the records must be the same. Further words go to both imports.
round_trip() {
    local format=$1 file=$2
    shift 2
    sb-import "$format" -q --no-images "$@" -o first.sb "$file"
    sb-export "$format" -q -o again first.sb
    sb-import "$format" -q --no-images "$@" -o second.sb again
    sb-export jsonl -q first.sb >first.jsonl
    sb-export jsonl -q second.sb >second.jsonl
    [ -s first.jsonl ]
    cmp first.jsonl second.jsonl
}

needs_data() { [ -e "$DATA/$1" ] || skip "$DATA/$1 is not there"; }
needs_python() { command -v python3 >/dev/null || skip "python3 is not installed"; }
needs_pycocotools() { python3 -c 'import pycocotools.cocoeval' 2>/dev/null || skip "pycocotools is not installed"; }

# ---- COCO ----

@test "coco: FathomNet's test set goes through unchanged, and pycocotools reads it" {
    needs_data annotations/fathomnet_2025_dataset_test.json
    round_trip coco "$DATA/annotations/fathomnet_2025_dataset_test.json"
    [ "$(wc -l <first.jsonl)" -eq 788 ]
    needs_pycocotools
    python3 - "$DATA/annotations/fathomnet_2025_dataset_test.json" <<'EOF'
import sys
from pycocotools.coco import COCO
a, b = COCO(sys.argv[1]), COCO("again")
assert len(b.imgs) == 325 and len(b.anns) == 788
def boxes(c): return sorted((c.imgs[x["image_id"]]["file_name"], c.imgs[x["image_id"]]["width"], *x["bbox"], x["area"]) for x in c.anns.values())
assert boxes(a) == boxes(b)
EOF
}

@test "coco: outlines, crowds, attributes, groups and dates, as CVAT writes them" {
    cat >cvat.json <<'EOF'
{"info": {}, "images": [{"id": 1, "file_name": "a/b.png", "width": 96, "height": 64, "date_captured": "2026-07-03T14:05:09.25+02:00", "coco_url": "https://x/b.png"}],
 "categories": [{"id": 3, "name": "cod", "supercategory": "fish"}, {"id": 4, "name": "kelp, \"brown\""}], "annotations": [
  {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 1, "attributes": {"occluded": true, "track_id": 7, "rotation": 0.5, "sex": "f"}},
  {"id": 12, "image_id": 1, "category_id": 4, "bbox": [10, 10, 20, 10], "iscrowd": 0, "segmentation": [[10, 10, 30, 10, 10, 20.3]], "score": 0.25}]}
EOF
    round_trip coco cvat.json
    jq -e '.annotations[0].id == 1 and .annotations[1].id == 12' again
    sb-export coco-results -q --dataset cvat.json first.sb | jq -e '.[0].category_id == 3 and .[1].score == 0.25'
}

# Names that want care, a polygon, a machine's guess, ids that are no numbers.
coco_lines() {
    cat <<'EOF'
{"source": "a/1.png", "parent_size": [640, 480], "url": "https://x/1.png", "label": "Beroe \"é\", big\n", "box": [1.5, 2, 30.25, 40.1], "annotation_id": "17"}
{"source": "a/1.png", "parent_size": [640, 480], "label": "Aequorea", "shape": "Polygon", "points": [[1, 1], [11, 1], [11, 11]], "box": [1, 1, 10, 10], "annotation_id": "9"}
{"source": "b/2.png", "parent_size": [64, 48], "predicted": [["Aequorea", 0.75], ["Beroe", 0.25]], "box": [0, 0, 5, 5], "annotation_id": "4"}
{"source": "c/3.png", "label": "Solmissus"}
EOF
}
coco_records() { coco_lines | records; }

@test "coco: categories by name, polygons, scores, ids kept where they are numbers" {
    needs_python
    coco_records | sb-export coco -q -o c.json
    jq -e '[.categories[] | .name] == ["Aequorea", "Beroe \"é\", big\n"] and [.categories[].id] == [1, 2]' c.json
    jq -e '[.images[] | .file_name] == ["a/1.png", "b/2.png", "c/3.png"] and .images[0].coco_url == "https://x/1.png" and .images[2].width == null' c.json
    jq -e '[.annotations[] | .id] == [17, 9, 4] and [.annotations[].image_id] == [1, 1, 2] and [.annotations[].category_id] == [2, 1, 1]' c.json
    jq -e '.annotations[0].bbox == [1.5, 2, 30.25, 40.1] and .annotations[1].segmentation == [[1, 1, 11, 1, 11, 11]] and .annotations[1].area == 50 and .annotations[2].score == 0.75' c.json
    coco_lines | sed 's/"9"/"17"/' | records | sb-export coco -q | jq -e '[.annotations[] | .id] == [1, 2, 3]'
    coco_records | sb-export coco --min-prob 0.8 2>said | jq -e '.annotations | length == 2'
    grep -q '4 in, 4 out, 2 skipped: 1 less probable than --min-prob, 1 annotation without a box' said
    cmp <(coco_records | sb-export coco -q) c.json
}

@test "coco: a folder gets a file for each source, moments of a video are images of their own" {
    needs_python
    printf '{"source": "dive 1.mp4", "pts": %s, "label": "Beroe", "box": [1, 1, 2, 2]}\n' 0.04 0.04 12.5 | records >dive.sb
    sb-export coco -q dive.sb 2>/dev/null | jq -e '[.images[].file_name] == ["dive 1_000000.040.png", "dive 1_000012.500.png"]'
    coco_records | sb-export coco -q -o out/
    [ "$(ls out | grep -vc history)" -eq 3 ]
    jq -e '.annotations | length == 2' out/a_1.json
}

@test "coco-results: what equals the data set has an average precision of 1" {
    needs_python
    coco_records | sb-export coco -q -o c.json
    coco_records | sb-export coco-results --dataset c.json -o results.json 2>said
    jq -e 'length == 3 and .[2].score == 0.75 and .[0].score == 1 and .[0].category_id == 2 and .[2].image_id == 2' results.json
    jq -e '.history[-1].files["c.json"] | length == 32' results.json.history.json
    printf '{"source": "%s", "label": "%s", "box": [1, 1, 2, 2]}\n' no.png Aequorea 1.png Unknown 1.png Aequorea | records |
        sb-export coco-results --dataset c.json 2>said | jq -e 'length == 1 and .[0].image_id == 1'
    grep -q '3 in, 1 out, 2 skipped: 1 of a picture that the data set does not have, 1 of a category that the data set does not have' said
    run -2 sb-export coco-results <(coco_records)
    [[ $output == *"needs --dataset"* ]]
    echo '{}' >empty.json
    fails_saying "no list 'images'" sb-export coco-results -q --dataset empty.json <(coco_records)
    needs_pycocotools
    python3 - <<'EOF'
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
truth = COCO("c.json")
e = COCOeval(truth, truth.loadRes("results.json"), "bbox")
e.evaluate(); e.accumulate(); e.summarize()
assert e.stats[0] == 1.0, e.stats
EOF
}

# ---- VIAME ----

@test "viame: VIAME's own file comes back cell by cell" {
    needs_data annotations/viame_example_detections.csv
    file=$DATA/annotations/viame_example_detections.csv
    round_trip viame "$file"
    [ "$(wc -l <first.jsonl)" -eq "$(grep -vc '^#' "$file")" ]
    # Length 0 and -1 are both "none".
    diff <(grep -v '^#' "$file" | tr -d '\r' | awk -F, -vOFS=, '{ $9 = -1; print }') <(grep -v '^#' again)
}

@test "viame: a video with tracks, attributes, keypoints, a polygon, notes, and names that want quotes" {
    cat >dive.csv <<'EOF'
# 1: Detection or Track-id,2: Video or Image Identifier
# metadata,fps: 29.97,"exported_by: ""dive:python"""
7,dive 1.mp4,0,10.25,20,30.5,41,0.9,12.5,"Beroe, ""big""",0.75,Aequorea,0.2,rest,0.05,(atr) eating  true,(trk-atr) sex female,(kp) head 11 21.5,(kp) tail 30 40,(note) two words,(poly) 10 20 30 20.5 30 41
7,dive 1.mp4,3,0.1,0.2,0.7,100.3,0.31,-1,Beroe,0.3
3,dive 1.mp4,901,1,2,3,4,1,-1,Aequorea,1,(hole) 1 2 3 4 5 6,(what) is this
EOF
    round_trip viame dive.csv
    jq -es '.[0].predicted == [["Beroe, \"big\"", 0.75], ["Aequorea", 0.2], ["rest", 0.05]] and .[2].viame[1] == "(what) is this" and .[2].frame == 901' second.jsonl
    grep -qx '# metadata,fps: 29.97' again
    grep -q '^7,dive 1.mp4,3,0.1,0.2,0.7,100.3,0.31,-1,Beroe,0.3$' again
    round_trip viame dive.csv --source other.mp4
}

@test "viame: what comes from elsewhere gets numbers, pairs and frames" {
    needs_python
    records >mixed.sb <<'EOF'
{"source": "a.png", "label": "Beroe", "box": [1, 2, 3, 4]}
{"source": "a.png", "track": "5", "predicted": [["Aequorea", 0.5], ["Beroe", 0.25]], "box": [1, 2, 3, 4]}
{"source": "b.png", "track": "five", "label": "Beroe", "label_status": "verified", "predicted": [["Aequorea", 0.5], ["Beroe", 0.25]], "box": [1, 2, 3, 4]}
{"source": "b.png", "track": "five", "boxes": [[0, 0, 1, 1], [2, 2, 1, 1]], "labels": ["x", "(y)"], "scores": [0.5, 0.25]}
{"source": "c.png", "label": "Beroe"}
{"source": "c.png"}
EOF
    sb-export viame mixed.sb 2>said | grep -v '^#' >out
    cat >wanted <<'EOF'
7,a.png,0,1,2,4,6,1,-1,Beroe,1
5,a.png,0,1,2,4,6,0.5,-1,Aequorea,0.5,Beroe,0.25
6,b.png,1,1,2,4,6,1,-1,Beroe,1,Aequorea,0.5
8,b.png,1,0,0,1,1,0.5,-1,x,0.5
9,b.png,1,2,2,3,3,0.25,-1,[y),0.25
EOF
    diff wanted out
    grep -q '6 in, 4 out, 2 skipped: 1 annotation without a box, 1 without an annotation' said
}

@test "viame: frames a second from --fps, from the records, or from how long they last" {
    needs_python
    dive() { printf '{"source": "d.mp4", "pts": %s, "label": "x", "box": [1, 1, 2, 2]%s}\n' 0 "$1" 0.5 "$2" 12 "$2" | records; }
    frames() { sb-export viame -q "$@" | grep -v '^# 1' | cut -d, -f1-3 | tr '\n' ' '; }
    [ "$(dive '' '' | frames --fps 25)" = '# metadata,fps: 25 0,d.mp4,0 1,d.mp4,13 2,d.mp4,300 ' ]
    [ "$(dive ', "fps": 30.0' ', "fps": 30.0' | frames)" = '# metadata,fps: 30 0,d.mp4,0 1,d.mp4,15 2,d.mp4,360 ' ]
    [ "$(dive ', "duration": 0.5' ', "duration": 0.5' | frames)" = '# metadata,fps: 2 0,d.mp4,0 1,d.mp4,1 2,d.mp4,24 ' ]
    dive '' '' >unknown.sb
    dive ', "fps": 25.0' ', "fps": 30.0' >two.sb
    fails_saying "how many frames a second has is not known" sb-export viame -q unknown.sb
    fails_saying "different rates" sb-export viame -q two.sb
    sb-export viame --fps 25 unknown.sb 2>&1 >/dev/null | grep -q '1 annotations lie between two frames at 25 a second'
}

# ---- FathomNet ----

@test "fathomnet: an upload comes back with all of its columns" {
    cat >up.csv <<'EOF'
concept,altconcept,image,x,y,width,height,observer,groupof,occluded,truncated,depth,latitude,longitude,altitude,temperature,salinity,oxygen,pressure,imagingtype,timestamp,userdefinedkey,uuid,reviewer,verified
Nanomia bijuga,,https://dsg.mbari.org/framegrabs/Doc%20Ricketts/0296/00_00_22_14.png,10,20,30,40,brian,false,0,,300.25,36.7,-122.05,1.5,5.4,34.2,0.41,302.9,ROV,2018-07-01T12:34:56.25Z,key 7,1b3c,,
"Rock, ""big""",,https://dsg.mbari.org/framegrabs/Doc%20Ricketts/0296/00_00_22_14.png,21,22,23,24,,true,1,true,300.25,36.7,-122.05,,,,,,ROV,2018-07-01T12:34:56.25Z,,,lonny,true
"Sebastes
é",egg,https://dsg.mbari.org/framegrabs/Ventana/0296/00_00_22_14.png?x=1,0,0,5,5,,,,,,,,,,,,,,,,,,
EOF
    round_trip fathomnet up.csv
    [ "$(wc -l <first.jsonl)" -eq 3 ]
    [ "$(head -1 again)" = $'concept,url,x,y,width,height,observer,reviewer,verified,timestamp,altConcept,groupOf,occluded,truncated,userDefinedKey,uuid,imageUuid,latitude,longitude,depthMeters,altitude,temperature,salinity,oxygen,pressure,imagingType,contributorsEmail\r' ]
}

@test "fathomnet: whole pixels; a URL, a name and a box there must be" {
    needs_python
    records >f.sb <<'EOF'
{"source": "dive 7/a.png", "label": "Beroe", "labelled_by": "Ann", "box": [1.4, 1.6, 0.2, 10.5], "depth": 3.5}
{"source": "d.mp4", "pts": 1.5, "predicted": [["Beroe", 0.5]], "box": [1, 1, 5, 5]}
{"source": "b.png", "url": "https://x/b.png", "label": "Beroe"}
{"source": "b.png", "url": "https://x/b.png", "box": [1, 1, 5, 5]}
EOF
    sb-export fathomnet --url-prefix https://lab.example/pictures f.sb 2>said | tr -d '\r' | cut -d, -f1-7,20 | tail -n +2 >out
    printf '%s\n' 'Beroe,https://lab.example/pictures/dive%207/a.png,1,2,1,10,Ann,3.5' 'Beroe,https://lab.example/pictures/d_000001.500.png,1,1,5,5,,' | diff - out
    grep -q '4 in, 2 out, 2 skipped: 1 annotation without a box, 1 box without a name' said
    sb-export fathomnet f.sb 2>&1 >/dev/null | grep -q '2 of a picture without a URL (--url-prefix)'
    [ "$(sb-export fathomnet -q --url-prefix https://x --min-prob 0.6 f.sb | wc -l)" -eq 2 ]
}

# ---- BIIGLE ----

@test "biigle: every shape of an image report comes back, byte for byte but for quotes" {
    cat >images.csv <<'EOF'
annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,image_id,filename,image_longitude,image_latitude,shape_id,shape_name,points,attributes,annotation_id,created_at
1,21,Buskiella sp,Animalia > Annelida > Buskiella sp,3,Ada van,Dyke,7,a.png,-117.02,11.85,1,Point,"[30.5,20]","{""width"":64,""height"":48,""metadata"":{""gps_altitude"":-4129.6}}",100,2023-06-05 16:21:15
2,22,"Anemone, ""red""",Anemone,4,,,7,a.png,-117.02,11.85,5,Rectangle,"[10.1,5.3,40.7,5.3,40.7,25.9,10.1,25.9]","{""width"":64,""height"":48,""metadata"":{""gps_altitude"":-4129.6}}",101,2023-06-05 16:21:16
4,22,Anemone,Anemone,4,Bo,,8,b.png,,,4,Circle,"[20.25,10,5.55]",,102,2023-06-05 16:21:18
5,22,Anemone,Anemone,4,Bo,,8,b.png,,,3,Polygon,"[1,2,3.5,8,9,4.1]",,103,2023-06-05 16:21:19
6,22,Anemone,Anemone,4,Bo,,8,b.png,,,2,LineString,"[1,2,31,2]",,104,2023-06-05 16:21:20
7,22,Anemone,Anemone,4,Bo,,8,b.png,,,6,Ellipse,"[10,20,50,20,30,10,30,30]",,105,2023-06-05 16:21:21
3,23,Crab,Crab,,,,8,b.png,,,5,Rectangle,"[20,10,30,20,20,30,10,20]",,101,2023-06-05 16:21:17
EOF
    round_trip biigle images.csv
    diff images.csv again
}

@test "biigle: a video report comes back: key frames are gathered, with their gaps" {
    cat >video.csv <<'EOF'
video_annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,video_id,video_filename,shape_id,shape_name,points,frames,annotation_id,created_at,attributes
9,5,Fish,Fish,3,Ada,Byron,2,dive 7.mp4,4,Circle,"[[10,20,5],[12,20,5.5],[],[30,20,6]]","[1.5,2.25,null,6015.125313107339]",50,2023-06-05 16:21:15,"{""width"":1920,""height"":1080}"
10,7,Worm,Worm,3,Ada,Byron,2,dive 7.mp4,5,Rectangle,"[[1,2,11,2,11,12,1,12],[2,2,12,2,12,12,2,12]]","[1.5,2]",55,2023-06-05 16:21:15,"{""width"":1920,""height"":1080}"
11,6,Sand,Sand,3,Ada,Byron,2,dive 7.mp4,7,WholeFrame,"[]","[1.5]",51,2023-06-05 16:21:15,"{""width"":1920,""height"":1080}"
12,6,Mud,Mud,3,Ada,Byron,2,dive 8.mp4,7,WholeFrame,"[]","[10,14.5,null,20,21.1]",52,2023-06-05 16:21:15,
EOF
    round_trip biigle video.csv
    diff video.csv again
}

@test "biigle: whole pictures have a report of their own, frames of a dive are WholeFrames" {
    needs_python
    records >labels.sb <<'EOF'
{"source": "a.png", "label": "Beroe", "labelled_by": "Ann", "lat": 1.5, "lon": 2.5}
{"source": "b.png", "predicted": [["Aequorea", 0.5]]}
{"source": "b.png", "label": "x", "box": [1, 1, 2, 2]}
EOF
    sb-export biigle labels.sb 2>said >labels.csv
    grep -q '3 in, 2 out, 1 skipped: 1 shape among labels of whole pictures' said
    sb-import biigle -q --no-images labels.csv | sb-export jsonl -q | jq -es '[.[] | .label] == ["Beroe", "Aequorea"] and .[0].lat == 1.5 and .[0].labelled_by == "Ann"'
    printf '{"source": "d.mp4", "pts": %s, "duration": 0.5, "label": "Beroe"%s}\n' 0 '' 2.5 '' 3 ', "box": [1, 1, 2, 2]' | records >dive.sb
    sb-export biigle -q -o dive.csv dive.sb
    sb-import biigle -q dive.csv | sb-export jsonl -q | jq -es '[.[] | .pts] == [0, 2.5, 3] and [.[] | .duration] == [0.5, 0.5, null] and .[2].box == [1, 1, 2, 2]'
    # Two moments of a track are two, not the begin and the end of one.
    printf '{"source": "d.mp4", "pts": %s, "track": "t", "label": "Beroe"%s}\n' 1 '' 2 '' 4 ', "duration": 0.5' | records >track.sb
    sb-export biigle -q -o track.csv track.sb
    grep -qF ',"[]","[1,null,2,null,4,4.5]",' track.csv
    sb-import biigle -q track.csv | sb-export jsonl -q | jq -es '[.[] | .pts] == [1, 2, 4] and [.[] | .duration] == [null, null, 0.5]'
    { sb-export jsonl -q labels.sb; sb-export jsonl -q dive.sb; } | records >both.sb
    fails_saying "tables of their own" sb-export biigle -q both.sb
    sb-export biigle -q -o both/ both.sb
    [ "$(ls both | grep -vc history)" -eq 3 ]
}

# ---- YOLO ----

# A folder as people have them: two splits, a picture without an animal, sizes that divide badly.
yolo_folder() {
    sb-synth frames -q -n 4 --size 97x61 --encode png | sb-export png -q -o sea/
    sb-synth frames -q -n 1 --size 97x61 --seed 9 --encode jpeg -o jpeg.sb
    local files=(sea/*.png)
    mkdir -p "$1"/{images,labels}/{train,val}
    cp "${files[0]}" "$1/images/train/a 1.png"
    cp "${files[1]}" "$1/images/train/b.PNG"
    cp "${files[2]}" "$1/images/val/c.png"
    printf '0 0.512345 0.5 0.25 0.5\n1 0.225 0.25 0.2500001 0.3333333 0.75\n' >"$1/labels/train/a 1.txt"
    : >"$1/labels/train/b.txt"
    printf '2 0.7 0.333 0.123 0.456\n' >"$1/labels/val/c.txt"
    printf 'train: images/train\nval: images/val\ntest:\nnames: ["Abra", "sea: \\"star\\"\\t1", "é"]\n' >"$1/data.yaml"
}

@test "yolo: pictures, boxes, classes and splits come back" {
    yolo_folder data
    sb-import yolo -q --whole -o first.sb data
    sb-export yolo -o again --confidence first.sb 2>said
    grep -q '^sb-export: 3 in, 3 out$' said
    sb-import yolo -q --whole -o second.sb again
    cmp <(sb-export jsonl -q first.sb) <(sb-export jsonl -q second.sb)
    diff -r data/images again/images
    [ ! -s again/labels/train/b.txt ]
    # Written again, the same bytes; --confidence is for predictions.
    sb-export yolo -q -o third --confidence second.sb
    diff -r again third
    [ "$(cut -d' ' -f6 "again/labels/train/a 1.txt" | xargs)" = 0.75 ]
    sb-export yolo -q -o plain second.sb
    [ "$(awk '{ print NF }' plain/labels/*/*.txt | sort -u)" = 5 ]
    # Boxes that were cut out go back as labels.
    sb-import yolo -q -o crops.sb data
    sb-export yolo --confidence -o labels crops.sb 2>said
    grep -q '2 pictures are not among the records' said
    diff -r -x b.txt again/labels labels/labels
}

@test "yolo: outlines come back with --segments, as boxes without" {
    yolo_folder data
    printf '2 0.25 0.25 0.75 0.2512 0.25 0.75\n0 0 0 1 0 1 1 0 1\n' >data/labels/val/c.txt
    sb-import yolo -q --no-images -o first.sb data
    sb-export yolo -q --segments -o again first.sb
    cp -r data/images again/
    sb-import yolo -q --no-images -o second.sb again
    cmp <(sb-export jsonl -q first.sb | grep val/) <(sb-export jsonl -q second.sb | grep val/)
    [ "$(awk '{ print NF }' again/labels/train/*.txt | sort -u)" = 9 ]
    sb-export yolo -q -o boxes first.sb
    [ "$(awk '{ print NF }' boxes/labels/*/*.txt | sort -u)" = 5 ]
}

@test "yolo: Pascal VOC's tank, with its pictures, to the pixel" {
    needs_data annotations/tank_voc
    sb-import voc -q --whole --images "$DATA/images/tank" -o voc.sb "$DATA"/annotations/tank_voc/*.xml
    sb-export yolo -q -o tank voc.sb
    [ "$(ls tank/images | wc -l)" -eq 50 ]
    for file in tank/images/*; do cmp "$file" "$DATA/images/tank/$(basename "$file")"; done
    sb-import yolo -q --whole -o again.sb tank
    said() { sb-export jsonl -q "$1" | jq -c '[(.source | split("/")[-1]), .labels, .boxes, .parent_size]' | sort; }
    said voc.sb >voc
    said again.sb | diff voc -
}

@test "yolo: what it can't hold is counted; records of a picture may come apart; nothing leaves the folder" {
    needs_python
    records >mixed.sb <<'EOF'
{"source": "../../up.png", "parent_size": [100, 50], "label": "b\tname: #1", "box": [-10, 10, 20, 20]}
{"source": "x/y.png", "parent_size": [100, 50], "predicted": [["a", 0.5]], "box": [0, 0, 100, 50]}
{"source": "../../up.png", "parent_size": [100, 50], "label": "a", "box": [90, 40, 10, 10]}
{"source": "x/y.png", "parent_size": [100, 50], "label": "a", "box": [200, 0, 10, 10]}
{"source": "x/y.png", "label": "a", "box": [1, 1, 10, 10]}
{"source": "z.png", "parent_size": [100, 50], "label": "a"}
{"source": "z.png", "parent_size": [100, 50], "box": [1, 1, 10, 10]}
EOF
    mkdir inner
    sb-export yolo -o inner/out mixed.sb 2>said
    grep -q '7 in, 3 out, 4 skipped: 1 box outside of its picture, 1 box in a picture of unknown size, 1 annotation without a box, 1 box without a name' said
    [ "$(ls -A inner | xargs)" = "out out.history.json" ]
    [ "$(ls inner/out/labels | xargs)" = '_._.._up.txt x_y.txt' ]
    diff inner/out/labels/_._.._up.txt <(printf '1 0.050000 0.400000 0.100000 0.400000\n0 0.950000 0.900000 0.100000 0.200000\n')
    diff <(tail -n 3 inner/out/data.yaml) <(printf 'names:\n  0: "a"\n  1: "b\\tname: #1"\n')
    head -c 300 mixed.sb >cut.sb
    fails_saying "" sb-export yolo -q -o cut cut.sb
    [ -z "$(find cut -type f)" ]
    run -2 sb-export yolo mixed.sb
    run -2 sb-export coco --segments mixed.sb
}

# ---- all of them ----

@test "names that want care stay names: commas, quotes, line breaks, tabs, NULs, bytes that are no text" {
    needs_python
    python3 -c '
import json
for name in ["plain", "com,ma; \"quote\"", "line\nbreak\r\nand\ttab", "n\0ul", "\udcff\udcfe", "(atr) x", "#no comment", " \u0085\u2028\ufeff\x7f", "=1+1", "é" * 300]:
    for source in [name + ".png", "same.png"]:
        print(json.dumps({"source": source, "label": name, "box": [1, 2, 3, 4], "parent_size": [64, 48], "labelled_by": name}))
' | records >nasty.sb
    for format in coco viame biigle fathomnet; do
        case $format in coco | fathomnet) prefix="--url-prefix https://x" ;; *) prefix="" ;; esac
        sb-export $format -q $prefix -o nasty.$format nasty.sb
    done
    sb-export yolo -q -o yolo nasty.sb
    python3 <<'EOF'
import csv, glob, json
coco = json.load(open("nasty.coco", encoding="utf-8"))
names = [c["name"] for c in coco["categories"]]
assert len(names) == 10 and "n\ufffdul" in names and "\ufffd\ufffd" in names and "line\nbreak\r\nand\ttab" in names, names
assert len(coco["annotations"]) == 20
def table(name): return list(csv.reader(open(name, encoding="utf-8", newline="")))
rows = table("nasty.biigle")
assert len(rows) == 21 and {len(r) for r in rows} == {17} and {r[2] for r in rows[1:]} == set(names)
rows = table("nasty.fathomnet")
assert len(rows) == 21 and {len(r) for r in rows} == {27} and {r[0] for r in rows[1:]} == set(names)
rows = [r for r in table("nasty.viame") if not r[0].startswith("#")]
assert len(rows) == 20 and {len(r) for r in rows} == {11} and {r[9] for r in rows} == {n.replace("(", "[") for n in names}
assert len(glob.glob("yolo/labels/*.txt")) == 11
assert sum(len(open(f).readlines()) for f in glob.glob("yolo/labels/*.txt")) == 20
try:
    import yaml
    assert list(yaml.safe_load(open("yolo/data.yaml", encoding="utf-8"))["names"].values()) == names
except ImportError:
    pass
EOF
    # And sb-import takes them back as they were, blanks at their ends and all.
    jq -c '.categories[].name' nasty.coco | sort >names
    [ "$(wc -l <names)" -eq 10 ]
    for format in coco viame biigle fathomnet; do
        sb-import $format -q --no-images nasty.$format -o back.sb
        sb-export jsonl -q back.sb | jq -c .label | sort -u >back
        if [ $format = viame ]; then diff <(sed 's/^"(/"[/' names | sort) back; else diff names back; fi
    done
}
