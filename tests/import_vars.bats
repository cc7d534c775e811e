bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }
records() { sb-export jsonl -q "$1"; }

tabs() { sed 's/|T|/\t/g'; }

# As VARS Query saves its results: comments, tabs, no quoting, columns in order of their names.
query_txt() {
    tabs >"$1" <<'EOF'
# Created by VARS Query on 2024-02-03T04:05:06Z, "for" you
# SELECT concept, observer FROM annotations
associations|T|concept|T|depth_meters|T|image_url|T|index_elapsed_time_millis|T|index_recorded_timestamp|T|latitude|T|longitude|T|observation_uuid|T|observer|T|video_sequence_name|T|video_uri|T|video_width|T|video_height|T|oddity
bounding box | self | {"x": 10, "y": 20, "width": 30.5, "height": 40, "generator": "vars-gridview", "image_reference_uuid": "ab-1"}, eating | Pyrosoma | nil, comment | self | small, but red|T|Aegina|T|621.5|T|http://x.org/a.pdf, http://x.org/a.png|T|61033|T|2020-01-02T03:04:05.250Z|T|36.7|T|-122.05|T|u-1|T|brian|T|Doc Ricketts 1234|T|http://m3.org/M3/proxy/D1234%20a_h264.mp4?x=1|T|1920|T|1080|T|7
|T|Beroe|T||T||T|61033|T|2020-01-02T03:04:05.250Z|T|36.7|T|-122.05|T|u-2|T|kyra|T|Doc Ricketts 1234|T|http://m3.org/M3/proxy/D1234%20a_h264.mp4|T|1920|T|1080|T|
bounding box | self | {"x": 1, "y": 2, "width": 3, "height": 4, "confidence": 0.75};bounding box | self | {"x": 5, "y": 2, "width": 3, "height": 4};bounding box | self | {"x": 5, "y": 2}|T|marine organism|T|622|T||T|62000|T||T||T||T|u-3|T|brian|T|Doc Ricketts 1234|T|http://m3.org/M3/proxy/D1234%20a_h264.mp4|T||T||T|
EOF
}

@test "what VARS Query saves: boxes out of associations, moments, positions" {
    query_txt q.txt
    sb-import vars -o v.sb q.txt 2>said
    grep -q '^sb-import: q.txt: columns that are not kept: oddity$' said
    grep -q '^sb-import: 2 in, 4 out, 1 skipped: 1 unusable annotation$' said
    grep -q '^sb-import: unusable: q.txt: observation u-3: a bounding box that is none$' said
    [ "$(table label,labelled_by,annotation_id,source,pts,depth,x,y,w,h,group v.sb)" = 'Aegina,brian,u-1,D1234 a_h264.mp4,61.033,621.5,10,20,30.5,40,Doc Ricketts 1234
Beroe,kyra,u-2,D1234 a_h264.mp4,61.033,621.5,,,,,Doc Ricketts 1234
marine organism,brian,u-3,D1234 a_h264.mp4,62,622,1,2,3,4,Doc Ricketts 1234
marine organism,brian,u-3,D1234 a_h264.mp4,62,622,5,2,3,4,Doc Ricketts 1234' ]
    records v.sb | sed -n 1p | jq -e '.associations == ["eating | Pyrosoma | nil", "comment | self | small, but red"] and .lat == 36.7 and .lon == -122.05
        and .attributes == {"generator": "vars-gridview", "image_reference_uuid": "ab-1"} and .time == 1577934245.25
        and .parent_size == [1920, 1080] and .url == "http://x.org/a.png"'
    records v.sb | sed -n 3p | jq -e '.confidence == 0.75 and .associations == ["bounding box | self | {\"x\": 5, \"y\": 2}"] and (has("time") | not)'
}

# Out of the database: a row for each link and image of an observation; quoted as a spreadsheet does.
raw_csv() {
    cat >"$1" <<'EOF'
observation_uuid,concept,observer,observation_timestamp,video_reference_uuid,imaged_moment_uuid,elapsed_time_millis,recorded_timestamp,timecode,link_name,to_concept,link_value,depth,lat,lon,duration_millis
u-1,Aegina,brian,2020-02-02T00:00:00Z,vr-1,im-1,1500,,01:02:03:04,bounding box,self,"{""x"":1,""y"":2,""width"":3,""height"":4}",10,1,2,500
u-1,Aegina,brian,2020-02-02T00:00:00Z,vr-1,im-1,1500,,01:02:03:04,comment,self,a | b,10,1,2,500
u-1,Aegina,brian,2020-02-02T00:00:00Z,vr-1,im-1,1500,,01:02:03:04,comment,self,a | b,10,1,2,500
u-2,Beroe,,,vr-1,im-2,,2020-01-01T00:00:10Z,,,,,,,,
u-3,Beroe,,,vr-1,im-3,,2020-01-01T00:00:11Z,,,,,,,,
u-4,Beroe,,,vr-1,im-4,,,01:02:03:04,,,,,,,
EOF
}

@test "rows of an observation's links are one observation; a date alone is a moment too" {
    raw_csv raw.csv
    sb-import vars -o v.sb --source dive.mp4 raw.csv 2>said
    grep -q 'unusable: raw.csv: line 7: it has neither' said
    grep -q '3 in, 3 out, 1 skipped' said
    [ "$(table annotation_id,source,pts,time,duration,timecode,imaged_moment_uuid,labelled_at v.sb)" = 'u-1,dive.mp4,1.5,,0.5,01:02:03:04,im-1,1580601600
u-2,dive.mp4,,2020-01-01T00:00:10Z,,,im-2,
u-3,dive.mp4,,2020-01-01T00:00:11Z,,,im-3,' ]
    records v.sb | sed -n 1p | jq -e '.associations == ["comment | self | a | b"] and .box == [1, 2, 3, 4]'
    [ "$(table id v.sb | sort -u | wc -l)" -eq 3 ]
    sb-import vars -q -o v.sb raw.csv
    [ "$(table source v.sb | sort -u)" = raw ]
    # The start of the video makes its moments of dates.
    sed '1s/timecode/video_start_timestamp/; s/,01:02:03:04,/,2020-01-01T00:00:00Z,/; s/:1\([01]\)Z,,/:1\1Z,2020-01-01T00:00:00Z,/' raw.csv >start.csv
    sb-import vars -q -o v.sb start.csv
    [ "$(table annotation_id,pts,time v.sb | xargs)" = "u-1,1.5, u-2,10,2020-01-01T00:00:10Z u-3,11,2020-01-01T00:00:11Z" ]
    # Rows of one observation that lie apart can't be read a row at a time.
    { cat raw.csv; sed -n 2p raw.csv; } >apart.csv
    fails_saying "line 8: observation u-1 stands in rows that are not together" sb-import vars -q apart.csv
}

@test "dates without a zone are refused, unless it is given" {
    raw_csv raw.csv
    sed -i 's/2020-01-01T00:00:10Z/2020-01-01 00:00:10.0/' raw.csv
    fails_saying "raw.csv: line 5: recorded_timestamp: 2020-01-01T00:00:10 names no zone" sb-import vars -q raw.csv
    sb-import vars -q --zone -08:00 -o v.sb raw.csv
    [ "$(table time v.sb | sed -n 2p)" = 2020-01-01T08:00:10Z ]
}

@test "the web's table, with a column a link; pictures without a time" {
    tabs >web.tsv <<'EOF'
concept|T|observation_uuid|T|index_elapsed_time_millis|T|images|T|video_name|T|bounding box
Aegina|T|u-1|T|0|T|http://x.org/f/a.png;http://x.org/f/a.jpg|T|V1|T|{"x":1,"y":2,"width":3,"height":4}
Beroe|T|u-2|T||T|http://x.org/f/b.png|T|V1|T|
EOF
    sb-import vars -q --no-images -o v.sb web.tsv
    [ "$(table label,source,pts,x,url v.sb)" = 'Aegina,V1,0,1,http://x.org/f/a.png
Beroe,f/b.png,,,http://x.org/f/b.png' ]
}

@test "bad input: one clear line" {
    printf 'a,b\n1,2\n' >v.csv
    fails_saying "v.csv: it has no column called concept" sb-import vars v.csv
    printf 'concept,elapsed_time_millis\nfish,soon\n' >v.csv
    fails_saying "v.csv: line 2: column 'elapsed_time_millis': 'soon' is no number" sb-import vars v.csv
}

@test "counts are those of Python" {
    command -v python3 >/dev/null || skip "no python3"
    query_txt q.txt
    sb-import vars -q -o v.sb q.txt
    records v.sb >v.jsonl
    python3 - <<'EOF'
import csv, json, re
lines = [l for l in open("q.txt") if not l.startswith("#")]
rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
want = 0
for r in rows:
    boxes = [json.loads(b) for b in re.findall(r"bounding box \| self \| (\{[^}]*\})", r["associations"])]
    want += max(1, sum("width" in b for b in boxes))
assert sum(1 for _ in open("v.jsonl")) == want == 4
EOF
}
