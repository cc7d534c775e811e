bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 6 --size 96x64 --encode png | sb-export png -q -o sea/
    sb-synth frames -q -n 2 --size 96x64 --seed 5 --encode jpeg -o jpeg.sb
}

# Ultralytics' layout: data/images/{train,val}/N.png and data/labels/... beside it.
setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    local files=("$BATS_FILE_TMPDIR"/sea/*.png) i
    mkdir -p data/{images,labels}/{train,val}
    for i in 0 1 2; do cp "${files[i]}" data/images/train/$i.png; done
    for i in 3 4; do cp "${files[i]}" data/images/val/$i.png; done
    printf '0 0.5 0.5 0.25 0.5\n1 0.125 0.25 0.25 0.5 0.75\n' >data/labels/train/0.txt
    : >data/labels/train/1.txt
    printf '2 0.25 0.25 0.75 0.25 0.25 0.75\r\n\r\n0 0 0 1 0 1 1 0 1 0.5\r\n' >data/labels/val/3.txt
    printf '1 1 1 0.5 0.5\n' >data/labels/val/4.txt
    printf 'path: ../datasets/data  # elsewhere\ntrain: images/train\nval: [images/val]\ntest:\n\nnames:\n  0: Sebastes\n  1: "sea: star"\n  2: é\n' >data/data.yaml
}

@test "boxes, outlines, confidences and splits; an empty file is a picture without an animal" {
    sb-import yolo -o y.sb data 2>said
    grep -q '^sb-import: without a label file: images/train/2.png$' said
    grep -q '^sb-import: 5 in, 5 out, 2 skipped: 1 without a label file, 1 without an annotation$' said
    sb-export jsonl -q y.sb | jq -c '[.source, .split, .label, .box, .confidence, .parent_size, .points]' | sed 's/\.0\([],]\)/\1/g' >y
    diff y - <<'END'
["images/train/0.png","train","Sebastes",[36,16,24,32],null,[96,64],null]
["images/train/0.png","train","sea: star",[0,0,24,32],0.75,[96,64],null]
["images/val/3.png","val","é",[24,16,48,32],null,[96,64],[[24,16],[72,16],[24,48]]]
["images/val/3.png","val","Sebastes",[0,0,96,64],0.5,[96,64],[[0,0],[96,0],[96,64],[0,64]]]
["images/val/4.png","val","sea: star",[72,48,24,16],null,[96,64],null]
END
    sb-import yolo -q --whole data | sb-export jsonl -q | jq -c '[.source, .labels, (.boxes | length), .scores]' >w
    diff w - <<'END'
["images/train/0.png",["Sebastes","sea: star"],2,[null,0.75]]
["images/train/1.png",null,0,null]
["images/val/3.png",["é","Sebastes"],2,[null,0.5]]
["images/val/4.png",["sea: star"],1,null]
END
    # The file itself, named, and names as a list.
    sb-import yolo -q data/data.yaml --drop image | sb-export jsonl -q >a
    sed -i '/^names:/,$d' data/data.yaml
    echo "names: ['Sebastes', \"sea: star\", é]" >>data/data.yaml
    sb-import yolo -q data --drop image | sb-export jsonl -q | diff a -
}

@test "splits of lists of pictures, of another machine's paths, and of one folder for all" {
    printf './images/train/0.png\n/content/data/images/val/3.png\n' >data/train.txt
    sed -i 's|^train:.*|train: /home/me/data/train.txt|; s|^val:.*|val: ../images/val/|' data/data.yaml
    sb-import yolo -q --whole data -o y.sb
    [ "$(table source,split y.sb | xargs)" = "images/train/0.png,train images/train/1.png, images/val/3.png, images/val/4.png,val" ]
    sed -i 's|^train:.*|train: images|; s|^val:.*|val: images|; s|^test:.*|test: images/none|' data/data.yaml
    sb-import yolo --whole data -o y.sb 2>said
    grep -q "data.yaml: the pictures for 'test' are not there: images/none" said
    [ "$(table split y.sb | sort -u)" = '""' ]
}

@test "label files beside pictures with classes.txt; names that differ are refused" {
    mkdir flat
    cp data/images/train/0.png data/labels/train/0.txt flat
    printf 'cod\r\neel\r\n' >flat/classes.txt
    echo 'see 0.5' >flat/notes.txt
    sb-import yolo -q flat -o y.sb
    [ "$(table source,label,split y.sb | xargs)" = "0.png,cod, 0.png,eel," ]
    printf '0 0.5 0.5 0.1 0.1\n' >flat/lost.txt
    sb-import yolo flat -o y.sb 2>said
    grep -q '^sb-import: label file without a picture: lost.txt$' said
    mkdir flat/more
    echo crab >flat/more/classes.txt
    fails_saying "flat/more/classes.txt: other names of classes than in flat/classes.txt" sb-import yolo flat
}

@test "what can't be used is listed: lines, classes without a name, broken pictures" {
    printf '0 0.5 0.5 0.25\n0 0.5 0.5 nan 1\n0 48 32 10 10\n-1 0.5 0.5 0.1 0.1\n9 0.5 0.5 0.1 0.1\n0 0.5 0.5 0 0.1\n1 0.1 0.1 0.1 0.1 7\n' >data/labels/val/4.txt
    head -c 20 data/images/val/3.png >broken
    mv broken data/images/val/3.png
    sb-import yolo --problems p.csv data -o y.sb 2>said
    grep -q 'unusable: data/labels/val/4.txt: line 3: its numbers are no parts' said
    grep -q '1 annotations are of a class that the file does not list' said
    grep -q '5 in, 3 out, 9 skipped: 1 without a label file, 1 broken, 6 unusable annotation, 1 without an annotation$' said
    grep -q '^broken,images/val/3.png,' p.csv
}

@test "pictures that lie on their side are labelled upright" {
    python3 -c 'import PIL' 2>/dev/null || skip "no Pillow"
    rm -r data/images/* data/labels/*
    python3 - <<'END'
from PIL import Image
exif = Image.Exif()
exif[0x112] = 6
Image.new("RGB", (96, 64)).save("data/images/a.jpg", exif=exif)
END
    echo '0 0.5 0.5 1 1' >data/labels/a.txt
    sb-import yolo -q --encode raw data 2>/dev/null | sb-export jsonl -q | jq -e '.box == [0, 0, 64, 96] and .image.shape == [96, 64, 3]'
}

@test "counts are those of Python" {
    python3 -c pass || skip "no python3"
    python3 - >want <<'END'
import glob
for path in sorted(glob.glob("data/labels/*/*.txt")):
    for line in open(path):
        v = line.split()
        if len(v) in (5, 6):
            c, x, y, w, h = map(float, v[:5])
            print("%d %g %g %g %g" % (c, (x - w / 2) * 96, (y - h / 2) * 64, w * 96, h * 64))
        elif v:
            p = [float(s) for s in v[1:1 + (len(v) - 1) // 2 * 2]]
            x, y = [s * 96 for s in p[::2]], [s * 64 for s in p[1::2]]
            print("%s %g %g %g %g" % (v[0], min(x), min(y), max(x) - min(x), max(y) - min(y)))
END
    sb-import yolo -q --no-images data | sb-export jsonl -q |
        jq -r '[({Sebastes: 0, "sea: star": 1, "é": 2})[.label], .box[]] | map(tostring) | join(" ")' | sed 's/\.0\>//g' >have
    diff want have
}

@test "bad input: one clear line each" {
    rm data/data.yaml
    fails_saying "data: no data.yaml, classes.txt or obj.names" sb-import yolo data
    echo 'names: [a, [b]]' >data/data.yaml
    fails_saying "data/data.yaml: class 1 has a name that is no text" sb-import yolo data
    echo 'names: {x: a}' >data/data.yaml
    fails_saying "the key 'x', which is no class's number" sb-import yolo data
    echo 'names: 7' >data/data.yaml
    fails_saying "its 'names' is no list of names" sb-import yolo data
    printf 'names: [a]\ntrain: {x: y}\n' >data/data.yaml
    fails_saying "its 'train' is neither a path nor a list" sb-import yolo data
    printf 'names: [a\ntrain: x\n' >data/data.yaml
    fails_saying "data/data.yaml: line " sb-import yolo data
    printf 'a: &a [x, x]\nb: [*a, *a]\nnames: [a]\n' >data/data.yaml
    fails_saying "data.yaml: line 2: an alias" sb-import yolo data
    printf 'names: [a]\nnames: [b]\n' >data/data.yaml
    fails_saying "line 2: the key 'names' stands twice" sb-import yolo data
    head -c 1000 /dev/zero | tr '\0' '[' >data/data.yaml
    fails_saying "data.yaml: line 1: values inside of values" sb-import yolo data
    : >data/data.yaml
    fails_saying "data.yaml: it is empty" sb-import yolo data
    fails_saying "nope: " sb-import yolo nope
    run -2 sb-import yolo --images x data
}
