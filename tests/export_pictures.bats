bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    printf 'time,lat,lon,depth\n2026-07-03T14:05:00Z,36.7,-122.1,800\n2026-07-03T14:06:00Z,36.8,-122.2,860\n' >nav.csv
    sb-synth video -q --seconds 4 --size 96x64 --fps 2 --seed 3 -o dive.mp4
    for kind in raw jpeg png; do
        sb-frames -q --encode $kind --start-time 2026-07-03T14:05:09.25Z --nav nav.csv -o $kind.sb dive.mp4
    done
    sb-synth frames -q -n 20 --seed 1 --crops -o crops.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.{sb,mp4,csv} .
}

@test "pictures: a file each, named by group, time, pts and id, and a table of them" {
    sb-export pictures -o out jpeg.sb 2>said
    grep -q '^sb-export: 4 in, 4 out$' said
    [ "$(ls out | head -1)" = dive.mp4_20260703T140509.25Z_000000.000_$(sb-export jsonl -q -n 1 jpeg.sb | jq -r '.id[:8]').jpg ]
    [ "$(head -1 out/manifest.csv | cut -d, -f1-6)" = file,id,parent,source,time,pts ]
    diff <(tail -n +2 out/manifest.csv | cut -d, -f1) <(cd out && ls *.jpg)
    sb-export csv -q --columns id,parent,source,time,pts,duration,lat,lon,depth,group jpeg.sb | diff - <(cut -d, -f2-11 out/manifest.csv | sed 's/$/\r/')
    jq -e '.history[-1].tool == "sb-export"' out.history.json
}

# The pixels of the pictures in a folder, or of a stream, in the order of their names.
pixels() {
    rm -rf pixels
    if [ -d "$1" ]; then sb-frames -q --encode raw "$1" | sb-export png -q -o pixels; else sb-export png -q -o pixels "$1"; fi
    md5sum pixels/* | cut -c1-32
}

@test "pictures: files stay what they show, arrays become PNG; or all become one kind" {
    for kind in raw jpeg png; do
        for format in "" jpeg png; do
            rm -rf out
            sb-export pictures -q ${format:+--format $format} --name '{pts}' -o out $kind.sb
            suffix=$([ "${format:-$kind}" = jpeg ] && echo jpg || echo png)
            [ "$(ls out/*.$suffix | wc -l)" -eq 4 ]
            # sb-frames encodes as sb-export does.
            pixels out >got
            pixels "$([ "$format" = jpeg ] && echo jpeg || echo $kind).sb" | cmp - got
        done
    done
    run -2 sb-export pictures --format gif -o out raw.sb
}

@test "pictures: what a camera wrote stays, and how it held the picture" {
    python3 -c 'import PIL' 2>/dev/null || skip "no Python with Pillow"
    mkdir -p in/fish
    python3 - <<'P'
from PIL import Image
e = Image.Exif()
e[0x0112], e[0x010f] = 6, "Aquacam"
e.get_ifd(0x8769).update({0xA434: "Lens 7", 0x9003: "2020:01:02 03:04:05"})
Image.linear_gradient("L").resize((64, 48)).save("in/fish/turned.jpg", exif=e)
Image.linear_gradient("L").resize((64, 48)).save("in/fish/turned.png", exif=e)
P
    sb-import folders -q in | sb-export pictures -q --name '{source}' -o out
    pixels in/fish >want
    pixels out | cmp - want
    python3 - <<'P'
import csv
from PIL import Image
for row in csv.DictReader(open("out/manifest.csv", newline="")):
    e = Image.open("out/" + row["file"]).getexif()
    taken = e.get_ifd(0x8769)
    assert e[0x0112] == 6 and e[0x010f] == "Aquacam" and e[0x010e] == "fish"
    assert taken[0xA434] == "Lens 7" and taken[0x9003] == "2020:01:02 03:04:05" and taken[0xA420] == row["id"]
P
}

@test "pictures: Pillow reads id, moment and place" {
    python3 -c 'import PIL' 2>/dev/null || skip "no Python with Pillow"
    sb-export pictures -q -o jpeg jpeg.sb
    sb-export pictures -q --format png -o png jpeg.sb
    python3 - <<'P'
import csv, os
from PIL import Image
for kind in "jpeg", "png":
    for row in csv.DictReader(open(kind + "/manifest.csv", newline="")):
        image = Image.open(os.path.join(kind, row["file"]))
        image.load()
        exif = image.getexif()
        taken, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        assert taken[0xA420] == row["id"]
        assert taken[0x9011] == "+00:00" and taken[0x9291] == "25"
        assert taken[0x9003].startswith("2026:07:03 14:05:") and gps[29] == "2026:07:03"
        angle = lambda v: float(v[0]) + float(v[1]) / 60 + float(v[2]) / 3600
        assert abs(angle(gps[2]) - float(row["lat"])) < 1e-9 and gps[1] == "N"
        assert abs(angle(gps[4]) + float(row["lon"])) < 1e-9 and gps[3] == "W"
        assert abs(float(gps[6]) - float(row["depth"])) < 0.001 and gps[5] == b"\x01"
P
}

@test "pictures: they say themselves when they were taken" {
    for format in jpeg png; do
        sb-export pictures -q --format $format --name '{pts}' -o $format raw.sb
        sb-frames -q --trust-container $format | sb-export csv -q --columns time | cmp - <(sb-export csv -q --columns time raw.sb)
    done
}

@test "pictures: names leave out what a record lacks, stay in the folder, and never meet" {
    sb-export pictures -q --name '{label}-{nothing}_{id8}' -o a crops.sb
    [ "$(ls a/*.png | wc -l)" -eq 20 ]
    ls a | grep -qx '[a-z ]*_[0-9a-f]\{8\}.png'
    sb-export pictures -q --name '{nothing}_{label}' -o b crops.sb
    [ "$(ls b/*.png | wc -l)" -eq 20 ] # of those that share a label the later ones have digits of their id's hash
    diff <(tail -n +2 b/manifest.csv | cut -d, -f1 | sort) <(ls b | grep png)
    sb-export pictures -q --name '{nothing}' -o c crops.sb
    [ -e c/picture.png ]
    sb-export pictures -q --by label --columns id,label -o d crops.sb
    while IFS=, read -r file id label; do [ -f "d/$file" ] && [ "${file%%/*}" = "$label" ]; done < <(tail -n +2 d/manifest.csv | tr -d '\r')
    # A source and a label that point elsewhere.
    { printf '\x84\xa6source\xac../../up.mp4\xa5label\xa2..\xa2id\xa5/etc/\xa5image'; printf '\x85\xc4\x02nd\xc3\xc4\x04type\xa3|u1\xc4\x04kind\xc4\0\xc4\x05shape\x93\x01\x01\x03\xc4\x04data\xc4\x03abc'; } >up.sb
    mkdir -p x/y
    sb-export pictures -q --by label --name '{source}{id}' -o x/y/z up.sb
    [ "$(find x -name '*.png')" = x/y/z/_./_._.._up_etc_.png ]
    for pattern in '{a' 'a}' '{}' 'a/{id}' '{{id}}'; do run -2 sb-export pictures --name "$pattern" -o e crops.sb; done
}

@test "pictures: what can't be written is one line, and no table" {
    fails_saying "no field 'image'" sb-export pictures -o x <(sb-synth frames -q -n 1 --drop image)
    fails_saying "the JPEG is cut off" sb-export pictures -q -o x <(printf '\x81\xa5image\xc5\x01\0'; sb-export pictures -q --name j -n 1 -o j jpeg.sb; head -c 256 j/j.jpg)
    head -c 3000 crops.sb >cut.sb
    fails_saying "cut off" sb-export pictures -o x cut.sb
    [ -z "$(find x -type f)" ]
    run -2 sb-export pictures crops.sb
}
