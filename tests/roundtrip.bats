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
