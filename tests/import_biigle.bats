bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }
records() { sb-export jsonl -q "$1"; }

# As BIIGLE's CsvReportGenerator of image annotations writes it, with all of its columns.
image_csv() {
    cat >images.csv <<'EOF'
annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,image_id,filename,image_longitude,image_latitude,shape_id,shape_name,points,attributes,annotation_id,created_at
1,21,"Buskiella sp","Animalia > Annelida > Buskiella sp",3,Ada,"van Dyke",7,a.png,-117.02,11.85,1,Point,"[30.5,20]","{""width"":64,""height"":48,""metadata"":{""gps_altitude"":-4129.6}}",100,"2023-06-05 16:21:15"
2,22,Anemone,Anemone,4,,,7,a.png,-117.02,11.85,5,Rectangle,"[10,5,40,5,40,25,10,25]","{""width"":64,""height"":48,""metadata"":{""gps_altitude"":-4129.6}}",101,"2023-06-05 16:21:16"
3,23,Crab,Crab,,,,7,a.png,-117.02,11.85,5,Rectangle,"[20,10,30,20,20,30,10,20]",,101,"2023-06-05 16:21:17"
4,22,Anemone,Anemone,4,Bo,,8,b.png,,,4,Circle,"[20.25,10,5.5]",,102,"2023-06-05 16:21:18"
5,22,Anemone,Anemone,4,Bo,,8,b.png,,,3,Polygon,"[1,2,3.5,8,9,4]",,103,"2023-06-05 16:21:19"
6,22,Anemone,Anemone,4,Bo,,8,b.png,,,2,LineString,"[1,2,31,2]",,104,"2023-06-05 16:21:20"
7,22,Anemone,Anemone,4,Bo,,8,b.png,,,6,Ellipse,"[10,20,50,20,30,10,30,30]",,105,"2023-06-05 16:21:21"
8,22,Anemone,Anemone,4,Bo,,8,b.png,,,4,Circle,"[20.25,10]",,106,"2023-06-05 16:21:22"
9,22,Anemone,Anemone,4,Bo,,8,b.png,,,9,Blob,"[20.25,10]",,107,"2023-06-05 16:21:23"
10,22,Anemone,Anemone,4,Bo,,8,b.png,,,1,Point,"[20.25,",,108,"2023-06-05 16:21:24"
EOF
}

@test "image annotations: every shape, a record for each label; who, when and where" {
    image_csv
    sb-import biigle --no-images -o b.sb images.csv 2>said
    grep -q '^sb-import: 2 in, 7 out, 3 skipped: 3 unusable annotation$' said
    grep -q "unusable: images.csv: line 9: a Circle of 2 numbers" said
    grep -q "unusable: images.csv: line 10: there is no shape 'Blob'" said
    grep -q "unusable: images.csv: line 11: its points are no list of numbers" said
    [ "$(table label,labelled_by,annotation_id,shape,x,y,w,h b.sb)" = 'Buskiella sp,Ada van Dyke,100,Point,,,,
Anemone,4,101,,10,5,30,20
Crab,,101,Rectangle,10,10,20,20
Anemone,Bo,102,Circle,14.75,4.5,11,11
Anemone,Bo,103,Polygon,1,2,8,6
Anemone,Bo,104,LineString,,,,
Anemone,Bo,105,Ellipse,10,10,40,20' ]
    records b.sb | sed -n 1p | jq -e '.source == "a.png" and .lat == 11.85 and .lon == -117.02 and .depth == 4129.6 and .points == [[30.5, 20]]
        and .parent_size == [64, 48] and .label_path == "Animalia > Annelida > Buskiella sp" and .labelled_at == 1685982075
        and .biigle == {"user_id": "3", "annotation_label_id": "1", "label_id": "21", "image_id": "7"}
        and (.picture_attributes | fromjson | .width) == 64'
    records b.sb | sed -n 4p | jq -e '.points == [[20.25, 10]] and .radius == 5.5 and (has("lat") | not)'
    # One annotation with two labels: two records with one annotation_id.
    [ "$(table id b.sb | sort -u | wc -l)" -eq 7 ]
    # A gps_altitude of 0 is a depth of 0, not of -0.
    sed '2s/-4129.6/0/' images.csv | sb-import biigle -q --no-images -o zero.sb /dev/stdin
    [ "$(table depth zero.sb | head -1)" = 0 ]
    # Servers write UTC; --zone says otherwise.
    sb-import biigle -q --no-images --zone +02:00 -o z.sb images.csv
    [ "$(table labelled_at z.sb | head -1)" = 1685974875 ]
}

@test "image annotations: without the optional columns; semicolons, moved columns" {
    image_csv
    cut -d, -f 1-3,9 images.csv | head -2 >short.csv # a label of the whole picture
    sb-import biigle --no-images -o b.sb short.csv 2>said
    grep -q '1 in, 1 out' said
    records b.sb | jq -e '.label == "Buskiella sp" and (has("box") or has("points") or has("label_path") | not)'
    printf 'shape_name;points;label_name;filename;remark\r\nPoint;[1,2];"Fish; red";a.png;new\r\n' >semi.csv
    sb-import biigle --no-images -o b.sb semi.csv 2>said
    [ "$(head -1 said)" = 'sb-import: semi.csv: columns that are not kept: remark' ]
    records b.sb | jq -e '.label == "Fish; red" and .points == [[1, 2]]'
}

@test "image annotations are cut out; points where it is asked for" {
    image_csv
    mkdir pictures
    sb-synth frames -q -n 2 --size 64x48 --encode png | sb-export png -q -o pictures/
    set -- pictures/*.png
    mv "$1" pictures/a.png
    mv "$2" pictures/b.png
    sb-import biigle -o b.sb --images pictures images.csv 2>said
    grep -q '1 point' said
    grep -q '6 out' said
    sb-import biigle --points 8 -o b.sb --images pictures --encode raw images.csv 2>said
    grep -q '7 out' said
    records b.sb | jq -e -s '.[0].region == [26, 16, 9, 8] and (.[0].image.shape == [8, 9, 3]) and .[1].image.shape == [20, 30, 3]' >/dev/null
}

@test "image labels: of whole pictures" {
    cat >labels.csv <<'EOF'
image_label_id,image_id,filename,longitude,latitude,user_id,firstname,lastname,label_id,label_name,label_hierarchy,created_at
11,7,a.png,12.5,54.25,3,Ada,Byron,21,Sand,"Substrate > Sand","2023-06-05 16:21:15"
12,7,a.png,12.5,54.25,3,Ada,Byron,22,Ripples,"Substrate > Ripples","2023-06-05 16:21:16"
EOF
    sb-import biigle -q --no-images -o b.sb labels.csv
    [ "$(table source,label,lat,lon b.sb)" = 'a.png,Sand,54.25,12.5
a.png,Ripples,54.25,12.5' ]
    [ "$(table id b.sb | sort -u | wc -l)" -eq 2 ]
    records b.sb | sed -n 1p | jq -e '.biigle.image_label_id == "11" and (has("parent") | not)'
}

# As the report of video annotations has it; the second row is BIIGLE's of a real dive, shortened.
video_csv() {
    cat >video.csv <<'EOF'
video_annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,video_id,video_filename,shape_id,shape_name,points,frames,annotation_id,created_at,attributes
9,5,Fish,Fish,3,Ada,Byron,2,dive 7.mp4,4,Circle,"[[10,20,5],[12,20,5.5],[],[30,20,6]]","[1.5,2.25,null,6015.125313107339]",50,"2023-06-05 16:21:15","{""size"":10,""width"":1920,""height"":1080,""mimetype"":""video\/mp4""}"
1475726,222120,Other,"Biota > Sponges > Massive > Other",2156,Celia,Hanna,16365,file4dive8jc66_1.mp4,5,Rectangle,"[[679.24,246.12,732.77,408.79,595.3,454.03,541.76,291.37]]",[6015.125313107339],1253045,"2023-06-05 16:21:15",
11,6,Sand,Sand,3,Ada,Byron,2,dive 7.mp4,7,WholeFrame,[],"[1.5]",51,"2023-06-05 16:21:15",
12,6,Mud,Mud,3,Ada,Byron,2,dive 7.mp4,7,WholeFrame,[],"[10,14.5,null,20,21]",52,"2023-06-05 16:21:15",
13,5,Fish,Fish,3,Ada,Byron,2,dive 7.mp4,1,Point,"[[10,20]]","[1,2]",53,"2023-06-05 16:21:15",
14,5,Fish,Fish,3,Ada,Byron,2,dive 7.mp4,1,Point,"[[10,20],[11]]","[1,2]",54,"2023-06-05 16:21:15",
EOF
}

@test "video annotations: a record a key frame, gaps kept, whole frames by their segments" {
    video_csv
    sb-import biigle -o b.sb video.csv 2>said
    grep -q '8 out, 2 skipped: 2 unusable annotation' said
    grep -q 'line 6: it has another number of frames than of points' said
    grep -q 'line 7: a Point of 1 numbers' said
    # In order of moments as they come first in the file.
    [ "$(table source,pts,duration,segment,track,label,shape b.sb)" = 'dive 7.mp4,1.5,,0,50,Fish,Circle
dive 7.mp4,1.5,,,51,Sand,
dive 7.mp4,2.25,,0,50,Fish,Circle
dive 7.mp4,6015.125313107339,,1,50,Fish,Circle
file4dive8jc66_1.mp4,6015.125313107339,,,1253045,Other,Rectangle
dive 7.mp4,10,4.5,0,52,Mud,
dive 7.mp4,20,1,1,52,Mud,
dive 7.mp4,1,,,54,Fish,Point' ]
    records b.sb | sed -n 1p | jq -e '.box == [5, 15, 10, 10] and .radius == 5 and .parent_size == [1920, 1080] and .biigle.video_id == "2" and .annotation_id == "50"'
    records b.sb | jq -es '.[4].points | length == 4'
    sed 's/video_filename/video_name/' video.csv >old.csv
    sb-import biigle -q -o o.sb old.csv
    diff <(records b.sb) <(records o.sb)
}

@test "bad input: one clear line" {
    printf 'video_label_id,video_id,filename,label_name\n1,2,a.mp4,fish\n' >v.csv
    fails_saying "v.csv: labels of whole videos" sb-import biigle v.csv
    printf 'a,b\n1,2\n' >v.csv
    fails_saying "v.csv: it has no columns called label_name, filename" sb-import biigle v.csv
    printf 'label_name,filename,shape_name\nfish,a.png,Point\n' >v.csv
    fails_saying "v.csv: it has no column called points" sb-import biigle v.csv
    printf 'label_name,filename,created_at\nfish,a.png,5.6.2023\n' >v.csv
    fails_saying "v.csv: line 2: '5.6.2023' is not a date" sb-import biigle v.csv
    : >v.csv
    fails_saying "v.csv: it is empty" sb-import biigle v.csv
}

@test "counts are those of Python" {
    command -v python3 >/dev/null || skip "no python3"
    video_csv
    image_csv
    sb-import biigle -q -o v.sb video.csv
    sb-import biigle -q --no-images -o i.sb images.csv
    records v.sb >v.jsonl
    records i.sb >i.jsonl
    python3 - <<'EOF'
import csv, json
got = [json.loads(l) for l in open("v.jsonl")]
frames = 0
for r in csv.DictReader(open("video.csv")):
    times, points = json.loads(r["frames"]), json.loads(r["points"])
    mine = [g for g in got if g["track"] == r["annotation_id"]]
    if r["shape_name"] == "WholeFrame":
        assert [g["pts"] for g in mine] == [t for i, t in enumerate(times) if i == 0 or times[i - 1] is None]
    elif len(times) == len(points):
        want = {"Circle": 3, "Point": 2, "Rectangle": 8}[r["shape_name"]]
        assert [g["pts"] for g in mine] == [t for t, p in zip(times, points) if len(p) == want]
    frames += len(mine)
assert frames == len(got) == 8
got = [json.loads(l) for l in open("i.jsonl")]
for r in csv.DictReader(open("images.csv")):
    mine = [g for g in got if g["biigle"]["annotation_label_id"] == r["annotation_label_id"]]
    assert len(mine) == (r["annotation_label_id"] not in ("8", "9", "10"))
    if mine and r["shape_name"] in ("Polygon", "LineString", "Rectangle") and "points" in mine[0]:
        assert sum(mine[0]["points"], []) == json.loads(r["points"])
EOF
}
