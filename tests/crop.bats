bats_require_minimum_version 1.5.0
load helpers

# whole.sb: frames with boxes, labels and an image; boxes.sb: the same boxes, a record each, without an image.
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth video -q --seconds 4 --size 320x180 --fps 5 --seed 3 --truth truth.sb -o dive.mp4
    sb-frames -q --encode jpeg -o dive.sb dive.mp4
    sb-join -q --on source,pts truth.sb dive.sb -o whole.sb
    sb-crop -q whole.sb --drop image -o boxes.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb .
}

needs_python() {
    python3 -c 'import msgpack, msgpack_numpy, numpy, PIL' 2>/dev/null || skip "python3 with msgpack-numpy and Pillow is not here"
}

json() { sb-export jsonl -q "$1" | jq -cS "$2"; }

@test "a record each of boxes, with its label, in order; of the picture what holds for a box" {
    sb-crop whole.sb -o crops.sb 2>said
    count=$(json whole.sb '.labels | length' | paste -sd+ | bc)
    grep -q "^sb-crop: 4 in, $count out$" said
    diff <(json whole.sb '. as $r | range(.labels | length) | [$r.id, $r.labels[.], $r.boxes[.], $r.pts, $r.caption]') \
        <(json crops.sb '[.parent, .label, .box, .pts, .caption]')
    json crops.sb 'has("boxes") or has("labels") or .parent_size != [320, 180]' | sort -u | grep -qx false
    [ "$(json crops.sb .id | sort -u | wc -l)" -eq "$count" ]
}

@test "crops are the picture's pixels: any boxes, margins and squares beside numpy" {
    needs_python
    python3 - <<'PY'
import io, json, msgpack, msgpack_numpy, numpy as np, random, subprocess
from PIL import Image
random.seed(4)
records = list(msgpack.Unpacker(open("dive.sb", "rb"), object_hook=msgpack_numpy.decode))[1:-1]
pixels = {r["id"]: np.array(Image.open(io.BytesIO(r["image"])).convert("RGB")) for r in records}
boxes = {}
with open("many.sb", "wb") as out:
    for r in records:
        n = 30
        boxes[r["id"]] = np.array([[random.uniform(-30, 330), random.uniform(-30, 190), random.choice([0.3, 5, 40, 200]) * random.random() + 0.01,
                                    random.uniform(0.01, 90)] for _ in range(n)], "<f4")
        r["boxes"], r["scores"] = boxes[r["id"]], np.arange(n, dtype="<f4")
        out.write(msgpack.packb(r, default=msgpack_numpy.encode))

def touched(x, y, w, h, W=320, H=180):
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, W), min(y + h, H)
    if not (right > left and bottom > top): return None
    return [int(np.floor(left)), int(np.floor(top)), int(np.ceil(right)), int(np.ceil(bottom))]

def run(*options):
    out = subprocess.run(["sb-crop", "-q", *options, "many.sb"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    return list(msgpack.Unpacker(io.BytesIO(out), object_hook=msgpack_numpy.decode))[1:-1]

for options, margin, square in [([], 0, False), (["--margin", "0.25"], 0.25, False), (["--margin", "7px", "--square"], 7, True)]:
    crops = run("--encode", "raw", *options)
    at = iter(crops)
    inside = 0
    for r in records:
        for k, box in enumerate(boxes[r["id"]].astype(float)):
            x, y, w, h = box
            if touched(x, y, w, h) is None: continue
            inside += 1
            c = next(at)
            assert c["parent"] == r["id"] and c["confidence"] == k and np.array_equal(c["box"], boxes[r["id"]][k])
            m = (margin * w, margin * h) if margin < 1 else (margin, margin)
            x0, y0, x1, y1 = touched(x - m[0], y - m[1], w + 2 * m[0], h + 2 * m[1])
            if square:
                rx, ry, rw, rh = c["region"].astype(int)
                side = max(x1 - x0, y1 - y0)
                assert (rw, rh) == (min(side, 320), min(side, 180)), (c["region"], x0, y0, x1, y1)
                assert rx <= x0 and ry <= y0 and rx + rw >= x1 and ry + rh >= y1 and rx >= 0 and ry >= 0 and rx + rw <= 320 and ry + rh <= 180
                x0, y0, x1, y1 = rx, ry, rx + rw, ry + rh
            elif margin:
                assert list(c["region"]) == [x0, y0, x1 - x0, y1 - y0]
            else:
                assert "region" not in c
            assert np.array_equal(c["image"], pixels[r["id"]][y0:y1, x0:x1])
    assert next(at, None) is None and 30 < inside < 120
    png = run("--encode", "png", *options)
    assert all(np.array_equal(np.array(Image.open(io.BytesIO(b["image"]))), a["image"]) for a, b in zip(crops, png))
PY
}

@test "annotations joined onto frames: ids and parents stay, and the crops are the same" {
    sb-crop -q whole.sb -o crops.sb
    sb-join -q --on source,pts boxes.sb dive.sb -o joined.sb
    sb-crop -q joined.sb -o again.sb
    diff <(json crops.sb '[.id, .parent, .box, .label, .parent_size, .image]') <(json again.sb '[.id, .parent, .box, .label, .parent_size, .image]')
    sb-export png -q crops.sb -o a/
    sb-export png -q again.sb -o b/
    diff -r a b
}

@test "the same bytes for any -j, and as sb-import's crops" {
    for j in 1 2 5; do
        sb-crop -q -j$j --margin 0.1 whole.sb | md5sum
        sb-join -q --on source,pts boxes.sb dive.sb | sb-crop -q -j$j --encode jpeg | md5sum
        sb-crop -q -j$j --tiles 4x3 whole.sb | md5sum
    done | sort -u >sums
    [ "$(wc -l <sums)" -eq 3 ]
    sb-export png -q dive.sb -o sea/
    files=(sea/*.png)
    printf '{"images": [{"id": 7, "file_name": "%s", "width": 320, "height": 180}], "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10.5, 20.25, 30, 40]}, {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 5, 5]}],
        "categories": [{"id": 3, "name": "Beroe"}]}' "$(basename "${files[0]}")" >sea/coco.json
    sb-import coco -q sea/coco.json -o imported.sb
    sb-import coco -q --whole sea/coco.json | sb-crop -q -o cropped.sb
    diff <(json imported.sb '[.id, .parent, .source, .box, .label, .image]') <(json cropped.sb '[.id, .parent, .source, .box, .label, .image]')
}

@test "real boxes: cut by sb-import, out of its whole pictures, and joined onto pictures" {
    [ -d "$DATA/annotations/tank_voc" ] || skip "no shared data"
    voc=(voc -q "$DATA/annotations/tank_voc" --images "$DATA/images/tank")
    what='[.id, .parent, .source, .box, .label, .parent_size, .image]'
    sb-import "${voc[@]}" | sb-export jsonl -q | jq -c "$what" >want
    [ "$(wc -l <want)" -eq 276 ]
    sb-import "${voc[@]}" --whole | sb-crop -q | sb-export jsonl -q | jq -c "$what" | cmp - want
    sb-import "${voc[@]}" --no-images -o boxes.voc
    sb-frames -q --encode jpeg "$DATA/images/tank" | sb-join -q --on source boxes.voc | sb-crop -q | sb-export jsonl -q | jq -c "$what" | cmp - want
}

@test "tiles: all of a picture, sizes one apart, parents kept; what is a part of a picture is left out" {
    sb-crop --tiles 3x2 dive.sb -o tiles.sb 2>said
    grep -q '^sb-crop: 4 in, 24 out$' said
    diff <(json dive.sb .id) <(json tiles.sb .parent | uniq)
    [ "$(json tiles.sb .box | head -n 6 | tr '\n' ' ')" = "[0,0,106,90] [106,0,107,90] [213,0,107,90] [0,90,106,90] [106,90,107,90] [213,90,107,90] " ]
    sb-crop -q --tiles 2x1 --overlap 0.5 dive.sb -o tiles.sb
    [ "$(json tiles.sb .box | head -n 2 | tr '\n' ' ')" = "[0,0,214,180] [106,0,214,180] " ]
    sb-crop -q whole.sb | sb-crop --tiles 2x2 2>said | sb-check -q -
    grep -q 'skipped: 10 a part of a picture' said
    fails_saying "record 1 (id " sb-crop --tiles 400x1 dive.sb -o x.sb
    fails_saying "a picture of 320 x 180 pixels can't be cut into 400 x 1 tiles" sb-crop --tiles 400x1 dive.sb -o x.sb
}

@test "frames of another size: refused, or followed with --scale; crops are not cut again" {
    sb-frames -q --size 90 "$BATS_FILE_TMPDIR/dive.mp4" | sb-join -q --on source,pts boxes.sb -o small.sb
    fails_saying "its box was drawn in a picture of 320 x 180 pixels, and its image has 160 x 90: with --scale that is followed" sb-crop small.sb -o x.sb
    sb-crop -q --scale --encode raw small.sb -o half.sb
    diff <(json boxes.sb '[.id, .box, .parent_size]') <(json half.sb '[.id, .box, .parent_size]')
    # The crop of a box halved: the pixels that it touches.
    json half.sb '[.box[0] / 2, .box[0] / 2 + .box[2] / 2, .image.shape[1]]' | jq -c '([.[1], 160] | min | ceil) - (.[0] | floor) == .[2]' | sort -u | grep -qx true
    sb-crop -q whole.sb -o crops.sb
    fails_saying "a part of it, or another one" sb-crop crops.sb -o x.sb
    fails_saying "a part of it, or another one" sb-crop --scale crops.sb -o x.sb
}

# A record {"id": "z", "source": "s", "image": a grey 4x4 PNG...}: the rest is msgpack.
picture() {
    printf '\x86\xa2id\xa1z\xa6source\xa1s\xa5image\x85\xc4\x02nd\xc3\xc4\x04type\xa3|u1\xc4\x04kind\xc4\x00\xc4\x05shape\x93\x08\x0a\x03\xc4\x04data\xc4\xf0'
    head -c 240 /dev/zero | tr '\0' 'a'
    printf "$@"
}


@test "points, with a square about each; without a box, outside, twice the same box: counted, told apart" {
    # Points at (4, 2) and (9, 7); a one is 00 00 80 3f.
    { picture '\xa6points\x85\xc4\x02nd\xc3\xc4\x04type\xa3<f4\xc4\x04kind\xc4\x00\xc4\x05shape\x92\x02\x02\xc4\x04data\xc4\x10\0\0\x80\x40\0\0\0\x40\0\0\x10\x41\0\0\xe0\x40\xa5shape\xa5Point\xa5label\xa4fish'; } >points.sb
    sb-crop points.sb --encode raw 2>said -o crops.sb
    grep -q '1 in, 0 out, 1 skipped: 1 a point, without --points' said
    sb-crop -q --points 4 --encode raw points.sb -o crops.sb
    json crops.sb '[.region, (.image | [length, (.[0] | length)]), .parent]' >got
    printf '[[2,0,4,4],[4,4],"z"]\n[[7,5,3,3],[3,3],"z"]\n' | diff got -
    # Boxes 1 1 2 2 twice, and one at 20 20.
    { picture '\xa5boxes\x85\xc4\x02nd\xc3\xc4\x04type\xa3<f4\xc4\x04kind\xc4\x00\xc4\x05shape\x92\x03\x04\xc4\x04data\xc4\x30'
        for i in 1 2; do printf '\0\0\x80\x3f\0\0\x80\x3f\0\0\0\x40\0\0\0\x40'; done
        printf '\0\0\xa0\x41\0\0\xa0\x41\0\0\0\x40\0\0\0\x40\xa6labels\x92\xa1a\xa1b\xa1n\x01'; } >twice.sb
    sb-crop twice.sb --encode raw -o crops.sb 2>said
    grep -q '1 in, 2 out, 1 skipped: 1 box outside of its picture' said
    [ "$(json crops.sb .id | sort -u | wc -l)" -eq 2 ]
    [ "$(json crops.sb '[.label, .box, .n]' | tr '\n' ' ')" = '["a",[1,1,2,2],1] ["b",[1,1,2,2],1] ' ]
    sb-crop dive.sb -o none.sb 2>said
    grep -q '4 in, 0 out, 4 skipped: 4 without a box' said
}

@test "what it can't cut is named by its record" {
    sb-crop -q whole.sb -o crops.sb
    fails_saying "boxes.sb: record 1 (id " sb-crop boxes.sb -o x.sb
    fails_saying "there is no field 'image'" sb-crop boxes.sb -o x.sb
    { picture '\xa3box\x05\xa1a\x01\xa1b\x01'; } >bad.sb
    fails_saying "bad.sb: record 1 (id z): field 'box' is an integer, not an array" sb-crop -q bad.sb -o x.sb
    { picture '\xa5boxes\x85\xc4\x02nd\xc3\xc4\x04type\xa3<f4\xc4\x04kind\xc4\x00\xc4\x05shape\x92\x01\x04\xc4\x04data\xc4\x10\0\0\x80\x3f\0\0\x80\x3f\0\0\0\x40\0\0\0\x40\xa6labels\x91\x05\xa1b\x01'; } >bad.sb
    fails_saying "field 'labels' is not a list of str" sb-crop -q bad.sb -o x.sb
    { picture '\xa5boxes\x85\xc4\x02nd\xc3\xc4\x04type\xa3<f4\xc4\x04kind\xc4\x00\xc4\x05shape\x91\x04\xc4\x04data\xc4\x10\0\0\x80\x3f\0\0\x80\x3f\0\0\0\x40\0\0\0\x40\xabparent_size\x92\x00\x05\xa1b\x01'; } >bad.sb
    fails_saying "field 'parent_size' is not [width, height]" sb-crop -q bad.sb -o x.sb
    [ ! -e x.sb ]
    for usage in "--margin 10%" "--margin -1" "--tiles 3" "--tiles 0x2" "--tiles 3x2x1" "--tiles 3x2 --square" "--overlap 0.1" "--encode gif" "--points 0"; do
        run -2 sb-crop $usage dive.sb
    done
}

@test "a live stream: crops come as records do" {
    mkfifo in out
    for j in 1 2; do
        sb-crop -q -j$j --encode raw in >out &
        pid=$!
        exec 9<out
        exec 8>in
        { picture '\xa3box\x85\xc4\x02nd\xc3\xc4\x04type\xa3<f4\xc4\x04kind\xc4\x00\xc4\x05shape\x91\x04\xc4\x04data\xc4\x10\0\0\x80\x3f\0\0\x80\x3f\0\0\0\x40\0\0\0\x40\xa1a\x01\xa1b\x01'; } >&8
        # Header and record: the crop comes while the stream is still open.
        timeout 60 head -c 200 <&9 | grep -q seabot
        exec 8>&-
        cat <&9 >rest
        grep -q xxh3 rest
        wait $pid
        exec 9<&-
    done
}
