bats_require_minimum_version 1.5.0
load helpers

# crops.sb: 12 crops of a synthetic dive with time and position, labelled, clustered, split; frames.sb: whole frames.
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    printf 'time,lat,lon,depth\n2026-07-03T14:05:00Z,36.7,-122.1,800\n2026-07-03T14:06:00Z,36.8,-122.2,860\n' >nav.csv
    sb-synth video -q --seconds 4 --size 96x64 --fps 2 --seed 3 -o dive.mp4
    sb-frames -q --encode jpeg --start-time 2026-07-03T14:05:09.25Z --nav nav.csv -o frames.sb dive.mp4
    sb-synth frames -q -n 12 --seed 1 --crops | sb-split -q -o crops.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.{sb,mp4,csv} .
}

# Records as JSON, in the order of ids, without what a file's bytes are.
json() { sb-export jsonl -q "$1" | jq -S -c 'del(.image, .file)' | sort; }

@test "records come back equal: ids, fields, box, pictures as the files are" {
    for stream in frames crops; do
        sb-export pictures -q -o $stream $stream.sb
        sb-import manifest -o back.sb $stream 2>said
        grep -q "^sb-import: $(sb-export jsonl -q $stream.sb | wc -l) in, $(sb-export jsonl -q $stream.sb | wc -l) out$" said
        diff <(json $stream.sb) <(json back.sb)
    done
    # The files' bytes: png writes them as they are.
    sb-export png -q -o again back.sb
    diff <(md5sum crops/*.png | cut -c1-32 | sort) <(md5sum again/*.png | cut -c1-32 | sort)
    sb-export pictures -q -o once back.sb
    diff crops/manifest.csv once/manifest.csv
}

@test "annotations come back: shapes, predictions, species, sizes; also without pictures" {
    python3 - >dets.csv <<'END'
points = "".join(" %d %d" % (10 + i % 40, 10 + i * 7 % 40) for i in range(60))
print("0,a.png,0,10.5,12,50,52,0.9,-1,Sebastes,0.75,\"Eel; \"\"é\"\"\",0.123456789012,(poly)%s" % points)
print("1,a.png,0,1,1,20,20,0.5,-1,cod,0.5")
END
    sb-synth frames -q -n 1 --size 96x64 --encode png | sb-export png -q -o sea/
    mv sea/*.png a.png
    printf 'cod\tGadus morhua\t126436\n' >map.tsv
    sb-import viame -q --map map.tsv --drop frame,length,viame,attributes dets.csv -o v.sb 2>/dev/null
    sb-export jsonl -q v.sb | jq -se '.[0].points.shape == [60, 2] and .[1].aphia_id == 126436 and (.[0].predicted | length) == 2'
    sb-export pictures -q -o out v.sb
    sb-import manifest -q -o back.sb out
    diff <(json v.sb) <(json back.sb)
    # All of a picture's boxes, with a name or without, with a score or without.
    { cat dets.csv; for i in {2..30}; do echo "$i,a.png,0,$i,1.25,90,60,$((i % 2 ? -1 : 1)),-1"; done; } >many.csv
    sb-import viame -q --whole many.csv -o w.sb 2>/dev/null
    sb-export jsonl -q w.sb | jq -e '(.labels | length) == 31 and .labels[2] == "" and .boxes.shape == [31, 4] and .scores[0] == 0.9 and .scores[3] == null'
    sb-export pictures -q -o whole w.sb
    sb-import manifest -q -o back_w.sb whole
    diff <(json w.sb) <(json back_w.sb)
    for field in boxes scores; do
        sb-export npy -q --field $field -o a.npy w.sb
        sb-export npy -q --field $field -o b.npy back_w.sb
        cmp a.npy b.npy
    done
    sb-export npy -q --field points -o a.npy v.sb
    sb-export npy -q --field points -o b.npy back.sb
    cmp a.npy b.npy
    sb-import manifest -q --no-images out | sb-export jsonl -q | jq -se 'length == 2 and (.[0] | has("image") | not)'
}

@test "a table as a spreadsheet leaves it: byte order mark, semicolons, CRLF, columns moved and added" {
    sb-export pictures -q -o out crops.sb
    python3 - <<'END'
import csv
rows = list(csv.DictReader(open("out/manifest.csv", newline="", encoding="utf-8")))
names = [n for n in rows[0] if n not in ("label", "file")]
with open("out/manifest.csv", "w", newline="", encoding="utf-8-sig") as f:
    w = csv.writer(f, delimiter=";", lineterminator="\r\n")
    w.writerow(["Label", "Who saw it?"] + names[::-1] + ["file"])
    for i, r in enumerate(reversed(rows)):
        w.writerow(["crab" if i == 0 else r["label"], "Ann;\nBob" if i == 1 else ""] + [r[n] for n in names[::-1]] + [r["file"]])
END
    sb-import manifest -q -o back.sb out
    # What was typed, and what was not is as it was.
    json back.sb | jq -c 'del(."Who saw it?")' | sort >have
    json crops.sb | jq -c . >want
    [ "$(diff want have | grep -c '^>')" -eq 1 ]
    [ "$(diff want have | grep '^>' | cut -c3- | jq -r .label)" = crab ]
    [ "$(sb-export jsonl -q back.sb | jq -r '."Who saw it?" // empty' | xargs)" = "Ann; Bob" ]
}

@test "rows without a file and files without a row are listed and counted; ids that a spreadsheet broke are the files'" {
    sb-export pictures -q -o out frames.sb
    local files=(out/*.jpg)
    rm "${files[0]}"
    sed -i "/$(basename "${files[1]}")/d" out/manifest.csv
    sed -i 's/\(jpg,\)[0-9a-f]\{32\},/\11.23E+31,/' out/manifest.csv
    printf ',,,\r\n' >>out/manifest.csv
    echo ',1234' >>out/manifest.csv
    sb-import manifest -o back.sb --problems p.csv out 2>said
    grep -q "^sb-import: missing: $(basename "${files[0]}")$" said
    grep -q "^sb-import: without a line in the table: $(basename "${files[1]}")$" said
    grep -q 'unusable: out/manifest.csv: line 6: it names no file' said
    grep -q '4 in, 2 out, 3 skipped: 1 without a line in the table, 1 picture missing, 1 unusable annotation$' said
    diff <(json frames.sb | jq -r .id | sort) <({ json back.sb | jq -r .id; json frames.sb | jq -r .id; } | sort -u)
    [ "$(json back.sb | jq -r .id | grep -cE '^[0-9a-f]{32}$')" -eq 2 ]
}

@test "without a table, pictures say their id, moment and place themselves" {
    sb-export pictures -q -o out frames.sb
    rm out/manifest.csv
    sb-export png -q -o out frames.sb
    sb-import manifest -o back.sb out 2>said
    grep -q '8 in, 4 out, 4 skipped: 4 neither in a table nor with an id of its own$' said
    diff <(json frames.sb | jq -r .id) <(json back.sb | jq -r .id)
    diff <(json frames.sb | jq -c '.time, (.lat * 1e6 | round), (.lon * 1e6 | round), (.depth * 1e3 | round)') \
        <(json back.sb | jq -c '.time, (.lat * 1e6 | round), (.lon * 1e6 | round), (.depth * 1e3 | round)')
}

@test "bad input: one clear line each" {
    sb-export pictures -q -o out frames.sb
    cp out/manifest.csv good.csv
    sed 's/^file,/picture,/' good.csv >out/manifest.csv
    fails_saying "out/manifest.csv: it has no column called file" sb-import manifest out
    sed '2s/,800[0-9.]*,\|,80[0-9.]*,/,deep,/' good.csv >out/manifest.csv
    grep -q deep out/manifest.csv
    fails_saying "out/manifest.csv: line 2: column 'depth': 'deep' is no number" sb-import manifest out
    { cat good.csv; sed -n 2p good.csv; } >out/manifest.csv
    fails_saying "out/manifest.csv: line 6: the file '" sb-import manifest out
    sed '1s/label,/Source,/' good.csv >out/manifest.csv
    fails_saying "two of its columns are 'source'" sb-import manifest out
    for points in '; 1; 2' '1; inf' '1; 2; 3' '1; x'; do
        { echo 'file,points'; echo "$(ls out | grep -m1 jpg),\"$points\""; } >out/manifest.csv
        fails_saying "line 2: column 'points': not x and y by turns" sb-import manifest out
    done
    # One column sorted without the others.
    paste -d, <(cut -d, -f1 good.csv) <({ sed -n 1p good.csv; tail -n +2 good.csv | tac; } | cut -d, -f2-) >out/manifest.csv
    fails_saying "line 2: its id is not that of its file" sb-import manifest out
    mkdir empty
    fails_saying "empty: no JPEG or PNG files below it" sb-import manifest empty
    fails_saying "nope: " sb-import manifest nope
    run -2 sb-import manifest --whole out
}
