bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }
records() { sb-export jsonl -q "$1"; }

# As VIAME's write_detected_object_set_viame_csv writes it, and its manual's examples.
pictures_csv() {
    cat >dets.csv <<'EOF'
# 1: Detection or Track-id,  2: Video or Image Identifier,  3: Unique Frame Identifier,  4-7: Img-bbox(TL_x,TL_y,BR_x,BR_y),  8: Detection or Length Confidence,  9: Target Length (0 or -1 if invalid),  10-11+: Repeated Species, Confidence Pairs or Attributes
# metadata, fps: 5, exported_by: write_detected_object_set_viame_csv, exported_at: Mon May 21 07:21:53 2018
0,a.png,0,10.5,20,40.75,30,0.32,1.5,flounder,0.32,(kp) head 120 320,(kp) left eye 12.5 -3
1,a.png,0,1,2,3,4,-1,-1,sole,0.25,"Sebastes, sp.",0.5,cod,0.25
2,.\dive 1\b.png,1,0,0,64,48,1,0,has_fish,1,(poly) 0 0 0 48 64 48 64 0 0 0,(hole) 1 1 2 2 3 1,(poly) 5 5 6 6 7 5
3,c.JPG,2,0,0,5,5,0.9,-1,crab,0.9,(atr) behaviour hiding under rock,(atr) count 2,(atr) count 3,(trk-atr) sex female,(note) a note,(mask) ./m.png
EOF
}

@test "pictures: boxes from corner to edge, every pair, keypoints, attributes, notes, polygons" {
    pictures_csv
    sb-import viame --no-images -o v.sb dets.csv 2>said
    grep -q '^sb-import: 3 in, 4 out$' said
    [ "$(table source,track,frame,confidence,length,x,y,w,h v.sb)" = 'a.png,0,0,0.32,1.5,10.5,20,30.25,10
a.png,1,0,,,1,2,2,2
dive 1/b.png,2,1,1,,0,0,64,48
c.JPG,3,2,0.9,,0,0,5,5' ]
    records v.sb | sed -n 1p | jq -e '.keypoints == {"head": [120, 320], "left eye": [12.5, -3]} and (has("pts") | not)'
    records v.sb | sed -n 2p | jq -e '.label == "Sebastes, sp." and .predicted == [["Sebastes, sp.", 0.5], ["sole", 0.25], ["cod", 0.25]]'
    records v.sb | sed -n 3p | jq -e '.shape == "Polygon" and .points == [[0,0],[0,48],[64,48],[64,0],[0,0]]
        and .viame == ["(hole) 1 1 2 2 3 1", "(poly) 5 5 6 6 7 5"]'
    records v.sb | sed -n 4p | jq -e '.attributes == {"behaviour": "hiding under rock", "count": "2"} and .note == "a note"
        and .track_attributes == {"sex": "female"} and .viame == ["(atr) count 3", "(mask) ./m.png"]'
    records v.sb | jq -e 'has("label_status") | not' >/dev/null
}

@test "pictures are cut out" {
    mkdir pictures
    sb-synth frames -q -n 1 --size 64x48 --encode png | sb-export png -q -o pictures/
    mv pictures/*.png pictures/a.png
    pictures_csv
    sb-import viame -q --images pictures -o v.sb --encode raw dets.csv
    [ "$(records v.sb | jq -c '.image | if type == "array" then [length, (.[0] | length)] else .shape end' | xargs)" = "[10,31,3] [2,2]" ]
}

# As DIVE writes it for a video.
video_csv() {
    cat >"$1" <<'EOF'
# 1: Detection or Track-id,2: Video or Image Identifier,3: Unique Frame Identifier,4-7: Img-bbox(TL_x,TL_y,BR_x,BR_y),8: Detection or Length Confidence,9: Target Length (0 or -1 if invalid),10-11+: Repeated Species,Confidence Pairs or Attributes
# metadata,fps: 30,"dataset_info: {""site"": ""2024TXN012""}","exported_by: ""dive:python""","exported_time: ""Tue Jan  2 03:04:05 2024"""
7,00:00:01.033333,31,884.66,510,1219.66,737.66,0.98,-1,ignored,0.98
7,00:00:01.066666,32,890,510,1220,738,0.98,-1,ignored,0.98
8,00:00:01.033333,31,1,2,3,4,0.5,-1,typestring,0.5
EOF
}

@test "video: the moment is the frame's number over the rate; the name is the file's, or --source" {
    video_csv dive7.csv
    sb-import viame -o v.sb dive7.csv 2>said
    grep -q '2 in, 3 out' said
    [ "$(grep -c "does not name its video, which is called 'dive7' now: --source names it" said)" -eq 1 ]
    [ "$(table source,pts,track,frame,fps,label v.sb)" = 'dive7,1.0333333333333334,7,31,30,ignored
dive7,1.0333333333333334,8,31,30,typestring
dive7,1.0666666666666667,7,32,30,ignored' ]
    records v.sb | sed -n 1p | jq -e '.box == [884.66, 510, 335, 227.66] and (has("image") | not)'
    sb-import viame -q --source "dive 7.mp4" --fps 29.97 -o v.sb dive7.csv
    [ "$(table source,pts v.sb | head -1)" = 'dive 7.mp4,1.0343677010343677' ]
    # The two of one frame have one parent, which is the frame's id.
    [ "$(table parent v.sb | sort -u | wc -l)" -eq 2 ]
}

@test "video: without a rate, times of day do; frames alone do not" {
    video_csv a.csv
    sed -i 's/fps: 30,//' a.csv
    sb-import viame -q -o v.sb a.csv
    [ "$(table pts v.sb | xargs)" = "1.033333 1.033333 1.066666" ]
    sed -i 's/,00:00:0[0-9.]*,/,dive.mp4,/' a.csv
    fails_saying "a.csv: line 3: frames of a video" sb-import viame a.csv
    sb-import viame -q --fps 10 -o v.sb a.csv
    [ "$(table source,pts v.sb | sort -u | xargs)" = "dive.mp4,3.1 dive.mp4,3.2" ]
    sed -i 's/dive.mp4//' a.csv
    sb-import viame -q --fps 10 -o v.sb a.csv
    [ "$(table source,pts v.sb | sort -u | xargs)" = "a,3.1 a,3.2" ]
}

@test "a name that may be a video's: with a rate it is one, and with two frames it can't be a picture" {
    printf '0,camera1,0,1,1,5,5,1,-1,fish,1\n0,camera1,4,1,1,5,5,1,-1,fish,1\n' >c.csv
    fails_saying "line 2: 'camera1' has more than one frame" sb-import viame --no-images c.csv
    sb-import viame -q --fps 4 -o v.sb c.csv
    [ "$(table source,pts v.sb | xargs)" = "camera1,0 camera1,1" ]
    head -1 c.csv >d.csv
    sb-import viame -q --no-images -o v.sb d.csv
    [ "$(table source,pts v.sb)" = "camera1," ]
    # Pictures that are named as such are frames of a video where its name is given.
    printf '0,frame0001.png,8,1,1,5,5,1,-1,fish,1\n' >e.csv
    sb-import viame -q --fps 4 --source dive.mp4 -o v.sb e.csv
    [ "$(table source,pts v.sb)" = "dive.mp4,2" ]
}

@test "rows that can't be used are listed and counted, the others come in" {
    printf '0,a.png,0,1,1,5,5,1,-1,fish,1\n1,a.png,0,1,1,5\n2,a.png,0,-1,-1,-1,-1,0,0\n3,a.png,0,1,1,x,5,1,-1,fish,1\n4,a.png,0,5,5,9,9,,,crab\n5,a.png,0,6,6,9,9,1,1\n' >r.csv
    sb-import viame --no-images -o v.sb --problems p.csv r.csv 2>said
    grep -q '^sb-import: 1 in, 3 out, 3 skipped: 3 unusable annotation$' said
    [ "$(tr -d '\r' <p.csv | tail -n +2)" = 'unusable,r.csv,line 2: it has no box
unusable,r.csv,line 3: its box has no area
unusable,r.csv,line 4: it has no box
unlabelled,a.png,1 without a label' ]
    records v.sb | jq -es '.[1].label == "crab" and (.[1] | has("predicted") | not) and .[2].length == 1'
}

@test "bad input: one clear line" {
    printf 'source,label\na.png,fish\n' >bad.csv
    fails_saying "bad.csv: line 1: not VIAME's CSV" sb-import viame bad.csv
    printf '0,a.png,0,1,1,5,5,1,-1,f\xe4sh,1\n' >bad.csv
    fails_saying "line 1: cell 10 is not UTF-8" sb-import viame --no-images bad.csv
    echo '# nothing' >bad.csv
    fails_saying "bad.csv: names no pictures" sb-import viame bad.csv
}

@test "real data: VIAME's example, every row and pair of it" {
    local file=$DATA/annotations/viame_example_detections.csv
    [ -f "$file" ] || skip "no real data here"
    command -v python3 >/dev/null || skip "no python3"
    sb-import viame --no-images -o v.sb "$file" 2>said
    grep -q '^sb-import: 20 in, 992 out$' said
    records v.sb >got.jsonl
    python3 - "$file" got.jsonl <<'EOF'
import csv, json, struct, sys
f32 = lambda v: struct.unpack("f", struct.pack("f", v))[0]
rows = [r for r in csv.reader(open(sys.argv[1])) if not r[0].startswith("#")]
got = {g["track"]: g for g in map(json.loads, open(sys.argv[2]))}
assert len(rows) == len(got) == 992
for r in rows:
    g = got[r[0]]
    x, y, right, bottom = map(float, r[3:7])
    pairs = sorted(([r[i], float(r[i + 1])] for i in range(9, len(r), 2)), key=lambda p: -p[1])
    assert g["source"] == r[1] and g["frame"] == int(r[2]) and g["confidence"] == float(r[7]), g
    assert [f32(v) for v in g["box"]] == [f32(v) for v in (x, y, right - x, bottom - y)], g
    assert g["predicted"] == pairs and g["label"] == pairs[0][0], g
EOF
    [ "$(table id v.sb | sort -u | wc -l)" -eq 992 ]
}
