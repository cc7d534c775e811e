bats_require_minimum_version 1.5.0
load helpers

# crops.sb: labelled crops, with their boxes; frames.sb: a frame a second of two dives; timed.sb: of one, with times.
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 20 --seed 1 --crops -o crops.sb
    sb-synth video -q --seconds 6 --size 64x36 --fps 5 --seed 3 -o a.mp4
    sb-synth video -q --seconds 4 --size 64x36 --fps 5 --seed 4 -o b.mp4
    sb-frames -q --encode jpeg -o frames.sb a.mp4 b.mp4
    sb-frames -q --encode jpeg --start-time 2026-07-03T14:05:09.25Z -o timed.sb a.mp4
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb .
}

# Fields of each record, a JSON list a line.
fields() { sb-export jsonl -q "$1" | jq -c "[$2]"; }

# What records are, without header and trailer.
records() { sb-export jsonl -q "$1" | jq -cS .; }

@test "what sb-export wrote changes nothing but the status: byte for byte" {
    sb-export csv -q crops.sb >crops.csv
    sb-join -q crops.csv crops.sb -o out.sb
    diff <(records crops.sb) <(sb-export jsonl -q out.sb | jq -cS 'del(.label_status)')
    [ "$(fields out.sb .label_status | sort -u)" = '["verified"]' ]
    # A file's hash stands in the history.
    sb-check -v out.sb | grep -q "crops.csv  [0-9a-f]\{32\}"
}

@test "a spreadsheet's file: semicolons, CRLF, a byte order mark, quotes, moved and new columns, sorted, one gone" {
    sb-export csv -q --columns id,pts,x,y,w,h,label crops.sb | tr -d '\r' | tail -n +2 >rows
    {
        printf '\xef\xbb\xbf"Label";Y;X;W;H;"Remarks";"ID";pts;;\r\n'
        # A label with an umlaut and a comma, a decimal comma, remarks with quotes and line breaks; the last row is deleted.
        head -n 19 rows | sort -r | awk -F, '{ gsub(/\./, ",", $2)
            printf "\"Müller, %s\";%s;%s;%s;%s;\"two \"\"big\"\"\n%s\";%s;%s;;\r\n", $7, $4, $3, $5, $6, NR, $1, $2 }'
    } >sheet.csv
    sb-join --unmatched left.csv sheet.csv crops.sb -o out.sb 2>said
    grep -q '^sb-join: sheet.csv: 19 rows, 0 matched by no record; 1 records matched by no row$' said
    diff <(records crops.sb | head -n 19 | jq -cS '.label = "Müller, " + .label') \
        <(sb-export jsonl -q out.sb | head -n 19 | jq -cS 'del(.label_status, .Remarks)')
    diff <(records crops.sb | tail -n 1) <(records out.sb | tail -n 1)
    [ "$(fields out.sb .Remarks | head -n 19 | cut -c 1-15 | sort -u)" = '["two \"big\"\n' ]
    last=$(tail -n 1 rows | cut -d, -f1)
    printf 'side,number,id,label\r\nrecord,20,%s,%s\r\n' "$last" "$(tail -n 1 rows | cut -d, -f7)" | cmp - left.csv
    tr ';' '\t' <sheet.csv >sheet.tsv
    sb-join -q sheet.tsv crops.sb | sb-export jsonl -q | jq -cS . | diff - <(records out.sb)
}

# id,label,label_status,labelled_by of the crops that $1 keeps, then edited with the sed script $2.
sheet() {
    sb-export csv -q --columns id,label,label_status,labelled_by "${3:-crops.sb}" | tr -d '\r' | sed "$2" | sed -n "$1"
}

@test "labels: changed, emptied, new; who says so, and whether it was checked" {
    sb-join -q --label-status machine --labelled-by model <(sb-synth frames -q -n 20 --seed 1 --crops) crops.sb -o machine.sb
    [ "$(fields machine.sb '.label_status, .labelled_by' | sort -u)" = '["machine","model"]' ]
    # Row 2 as it is; 3 another label; 4 emptied; 5 another label, status and person; 6 checked.
    sheet 1,6p '3s/,[^,]*,/,lobster,/; 4s/,[^,]*,/,,/; 5s/,.*/,eel,verified,Anna/; 6s/machine/verified/' machine.sb >edited.csv
    sb-join edited.csv machine.sb -o out.sb 2>said
    label=($(fields crops.sb .label | tr -d '[]" '))
    fields out.sb '.label, .label_status, .labelled_by' | head -n 6 | tr -d ' ' >got
    diff got - <<END
["${label[0]}","machine","model"]
["lobster","verified","model"]
[null,null,null]
["eel","verified","Anna"]
["${label[4]}","verified","model"]
["${label[5]}","machine","model"]
END
    grep -q '^sb-join: 1 labels removed: their cells are empty$' said
    sb-join -q --label-status verified --labelled-by Ben edited.csv machine.sb | sb-export jsonl -q | head -n 5 |
        jq -c '[.label_status, .labelled_by]' | sort | uniq -c | tr -d ' \n' >got
    [ "$(cat got)" = '4["verified","Ben"]1[null,null]' ]
    # Only what is asked for; a label that comes without its status is checked.
    sb-join -q --columns label edited.csv machine.sb | sb-export jsonl -q | jq -c '[.label, .label_status, .labelled_by]' | sed -n 4p >got
    [ "$(cat got)" = '["eel","verified",null]' ]
}

@test "what was said of a label goes with it" {
    id=($(fields crops.sb .id | tr -d '[]"'))
    printf 'id,label,aphia_id,label_path,labelled_at\n' >known.csv
    for i in 0 1 2 3; do printf '%s,Beroe,1422,Animalia > Beroe,1783087509.25\n' "${id[i]}"; done >>known.csv
    sb-join -q --matched known.csv crops.sb -o known.sb
    # As it was; another label; another label and its number; no label.
    sb-export csv -q --columns id,label,aphia_id,label_path,labelled_at known.sb | tr -d '\r' |
        sed '3s/Beroe,/Cancer,/; 4s/Beroe,1422/Cancer,106920/; 5s/Beroe,/,/' >edited.csv
    sb-join -q edited.csv known.sb | sb-export jsonl -q | jq -c '[.label, .aphia_id, .label_path, .labelled_at]' >got
    diff got - <<'END'
["Beroe",1422,"Animalia > Beroe",1783087509.25]
["Cancer",null,null,null]
["Cancer",106920,null,null]
[null,null,null,null]
END
    # A stream means what it says.
    sb-join -q --columns label,aphia_id <(printf 'id,label,aphia_id\n%s,Beroe s.l.,1422\n' "${id[0]}" | sb-join -q --matched /dev/stdin crops.sb) known.sb |
        sb-export jsonl -q | jq -c '[.label, .aphia_id, .label_path]' | head -n 1 >got
    [ "$(cat got)" = '["Beroe s.l.",1422,null]' ]
}

@test "names of boxes keep their places, also where one has none" {
    python3 -c 'import msgpack' 2>/dev/null || skip "no python3 with msgpack here"
    python3 - >boxes.sb <<'EOT'
import msgpack, sys
for id, labels in (("a", ["crab", "", "fish"]), ("b", [""]), ("c", ["eel", ""])):
    n = len(labels)
    boxes = {b"nd": True, b"type": b"<f4", b"kind": b"", b"shape": [n, 4], b"data": bytes(16 * n)}
    sys.stdout.buffer.write(msgpack.packb({"id": id, "labels": labels, "boxes": boxes}))
EOT
    sb-export csv -q --columns id,labels boxes.sb 2>/dev/null >labels.csv
    sb-join -q labels.csv boxes.sb 2>/dev/null | sb-export jsonl -q | jq -c .labels | paste -sd' ' >got
    [ "$(cat got)" = '["crab","","fish"] [""] ["eel",""]' ]
    sed 's/fish/star/; s/eel/moray/' labels.csv >edited.csv
    sb-join -q edited.csv boxes.sb 2>/dev/null | sb-export jsonl -q | jq -c .labels | paste -sd' ' >got
    [ "$(cat got)" = '["crab","","star"] [""] ["moray",""]' ]
    printf 'id,labels\na,crab; ; star\n' >short.csv
    run -1 sb-join -q short.csv boxes.sb -o x.sb
    [[ $output == *"(id a): column 'labels': 'crab; ; star': names for 2 of 3 boxes; one without a name is "* ]]
}

@test "by place: x, y, w and h are keys as others are; what is not read is none" {
    sb-export csv -q --columns source,pts,x,y,w,h crops.sb | tr -d '\r' | sed '1s/$/,site/; 2,$s/$/,Bank/' >sites.csv
    sb-join -q --on source,pts,x,y --matched sites.csv crops.sb -o out.sb
    [ "$(fields out.sb .site | sort | uniq -c | xargs)" = '20 [Bank]' ]
    diff <(fields crops.sb '.id, .box') <(fields out.sb '.id, .box')
    printf 'x,site\n1,Bank\n' >x.csv
    fails_saying "x.csv: by 'x' is matched where x, y, w and h are all there" sb-join --on x x.csv crops.sb -o x.sb
    printf 'probability,site\n1,Bank\n' >x.csv
    fails_saying "column 'probability' only tells what a record has: it can't be matched by" sb-join --on probability x.csv crops.sb -o x.sb
}

@test "boxes that go to several records of one picture, and to pictures without a source: ids differ" {
    source=$(fields crops.sb .source | jq -r '.[0]' | head -n 1)
    printf 'source,x,y,w,h\n%s,1,2,3,4\n%s,5,6,7,8\n' "$source" "$source" >boxes.csv
    sb-join -q --on source boxes.csv crops.sb -o out.sb
    [ "$(fields out.sb .id | wc -l)" -gt 25 ]
    [ "$(fields out.sb .id | sort -u | wc -l)" -eq "$(fields out.sb .id | wc -l)" ]
    sb-pick -q --drop source,pts,group frames.sb | sb-join -q --on duration <(printf 'duration,x,y,w,h\n1,1,2,3,4\n') - -o out.sb
    [ "$(fields out.sb '.box' | sort | uniq -c | xargs)" = '10 [[1,2,3,4]]' ]
    [ "$(fields out.sb .id | sort -u | wc -l)" -eq 10 ]
    sb-crop -q out.sb --encode raw | sb-export jsonl -q | jq -r .id | diff - <(fields out.sb .id | tr -d '[]"')
}

@test "records without ids: none is given the id of another" {
    python3 -c 'import msgpack' 2>/dev/null || skip "no python3 with msgpack here"
    python3 -c 'import msgpack, sys; [sys.stdout.buffer.write(msgpack.packb(r)) for r in [{"n": 1}, {"n": 1}, {"id": "a", "n": 1}, {"id": "b", "n": 1}]]' >bare.sb
    printf 'n,label\n1,crab\n1,eel\n' >two.csv
    sb-join -q --on n two.csv bare.sb 2>/dev/null | sb-export jsonl -q | jq -c '[.id, .label]' >got
    [ "$(head -n 4 got | xargs)" = '[null,crab] [null,eel] [null,crab] [null,eel]' ]
    [ "$(tail -n 4 got | jq -r '.[0]' | sort -u | wc -l)" -eq 4 ]
    printf 'n,x,y,w,h\n1,1,2,3,4\n' >box.csv
    sb-join -q --on n box.csv bare.sb 2>/dev/null | sb-export jsonl -q | jq -r .id | sort -u | wc -l | grep -qx 4
}

@test "two annotators: a record a match, ids that differ, and rows that repeat another count once" {
    id=($(fields crops.sb .id | tr -d '[]"'))
    printf 'id,label,labelled_by\n%s,urchin,Anna\n%s,star,Ben\n%s,urchin,Anna\nnone,eel,Ben\n' "${id[1]}" "${id[1]}" "${id[1]}" >two.csv
    sb-join --unmatched left.csv two.csv crops.sb -o out.sb 2>said
    [ "$(fields out.sb .id | sort -u | wc -l)" -eq 21 ]
    fields out.sb '.label, .labelled_by, .label_status' | sed -n 2,3p >got
    printf '["urchin","Anna","verified"]\n["star","Ben","verified"]\n' | diff got -
    [ "$(fields out.sb .id | sed -n 2p)" = "[\"${id[1]}\"]" ]
    # Both are of the frame that the crop was cut from.
    [ "$(fields out.sb .parent | sed -n 2p)" = "$(fields out.sb .parent | sed -n 3p)" ]
    grep -q '^sb-join: 1 rows repeat others, and count once$' said
    grep -q '^sb-join: 1 records came out more than once' said
    tr -d '\r' <left.csv | grep -v ^record >got
    printf 'side,number,id,label\nseveral,3,%s,star\nrow,5,none,eel\n' "${id[1]}" | diff got -
    [ "$(grep -c ^record left.csv)" -eq 19 ]
    sb-join -q --matched two.csv crops.sb -o few.sb
    [ "$(fields few.sb .label)" = $'["urchin"]\n["star"]' ]
}

# Detections at 29.97 fps, one a video frame, the box's x telling which; frames are one a second.
detections() {
    awk 'BEGIN { print "source,pts,x,y,w,h,label"
        for (i = 0; i < 120; i++) printf "a.mp4,%.9f,%d,2,3,4,fish %d\na.mp4,%.9f,%d,9,3,4,crab\n", i / 29.97, i, i, i / 29.97, i }'
}

@test "within: each frame gets the boxes of the nearest video frame, and not of all around" {
    detections >boxes.csv
    sb-join --on source,pts --within 0.5 --unmatched left.csv boxes.csv frames.sb -o out.sb 2>said
    sb-export jsonl -q out.sb | jq -c 'select(.box) | [.source, .pts, .box[0], .box[1], .label]' >got
    for s in 0 1 2 3 4; do
        i=$((s * 30 < 120 ? s * 30 : 119)) # the detections end at 3.97 s
        printf '["a.mp4",%d,%d,2,"fish %d"]\n["a.mp4",%d,%d,9,"crab"]\n' $s $i $i $s $i
    done | diff got -
    # Frames without one pass; ids differ; parent is the frame.
    [ "$(sb-export jsonl -q out.sb | jq -s 'length')" -eq 15 ]
    [ "$(fields out.sb .id | sort -u | wc -l)" -eq 15 ]
    diff <(sb-export jsonl -q out.sb | jq -r 'select(.box) | .parent' | uniq) <(fields frames.sb .id | head -n 5 | tr -d '[]"')
    grep -q '240 rows, 230 matched by no record; 5 records matched by no row' said
    [ "$(grep -c ^row left.csv)" -eq 230 ]
    # In any order of the frames and of the rows.
    { head -1 boxes.csv; tail -n +2 boxes.csv | sort -t, -k7; } >mixed.csv
    diff <(sb-join -q --on source,pts --within 0.5 mixed.csv frames.sb | sb-export jsonl -q | jq -c '[.id, .label]' | sort) \
        <(fields out.sb '.id, .label' | sort)
    # The same moment alone, to the microsecond.
    sb-join -q --on source,pts --matched boxes.csv frames.sb | sb-export jsonl -q | jq -c '[.pts, .label]' >got
    printf '[0,"fish 0"]\n[0,"crab"]\n' | diff got -
}

@test "within: a tie goes to the earlier moment; a reading goes to all that are near it, and that is counted" {
    printf 'source,pts,label\na.mp4,0.5,late\na.mp4,1.5,later\n' >tie.csv
    sb-join -q --on source,pts --within 0.5 tie.csv frames.sb | sb-export jsonl -q | jq -c '[.source, .pts, .label]' | head -n 4 >got
    printf '["a.mp4",0,"late"]\n["a.mp4",1,"late"]\n["a.mp4",2,"later"]\n["a.mp4",3,null]\n' | diff got -
    printf 'source\tpts\ttemperature\nb.mp4\t1.1\t3.5\n' >ctd.tsv
    sb-join --on source,pts --within 5 ctd.tsv frames.sb -o out.sb 2>said
    [ "$(sb-export jsonl -q out.sb | jq -s 'map(select(.temperature == 3.5)) | length')" -eq 4 ]
    grep -q '^sb-join: 1 rows were the nearest of several records$' said
    # They keep the moment that they are of.
    diff <(fields frames.sb '.pts, .duration') <(fields out.sb '.pts, .duration')
}

@test "by time: ISO 8601, a zone, what a spreadsheet makes of Unix times" {
    printf 'Source;Time;Label\r\na.mp4;2026-07-03T14:05:11.25Z;urchin\r\na.mp4;2026-07-03 16:05:10,3+02:00;eel\r\na.mp4;1783087512;crab\r\n' >seen.csv
    sb-join -q --on source,time --within 0.4 --matched seen.csv timed.sb | sb-export jsonl -q | jq -c '[.source, .pts, .label, .time]' >got
    printf '["a.mp4",1,"eel",1783087510.25]\n["a.mp4",2,"urchin",1783087511.25]\n["a.mp4",3,"crab",1783087512.25]\n' | diff got -
    printf 'source,time,label\na.mp4,2026-07-03 16:05:11.25,urchin\n' >local.csv
    fails_saying "local.csv: line 2: column 'time': 2026-07-03T16:05:11 names no zone" sb-join --on source,time local.csv timed.sb -o x.sb
    [ "$(sb-join -q --zone Europe/Berlin --on source,time --matched local.csv timed.sb | sb-export jsonl -q | jq .pts)" = 2 ]
}

@test "equal keys on both: a row may go to many records" {
    printf 'source,site\na.mp4,Canyon\nc.mp4,Bank\n' >sites.csv
    sb-join -q --on source sites.csv frames.sb | sb-export jsonl -q | jq -c '[.source, .site]' | sort | uniq -c | tr -s ' ' >got
    printf ' 6 ["a.mp4","Canyon"]\n 4 ["b.mp4",null]\n' | diff got -
}

@test "a stream as table: fields of any type, its own labels, and its history under inputs" {
    sb-export csv -q --columns id,label crops.sb >labels.csv
    sb-join -q --labelled-by Anna labels.csv <(sb-synth frames -q -n 20 --seed 1 --crops --drop image) -o light.sb
    # The table has no image to give, and gives none unless asked.
    sb-join -q light.sb crops.sb -o out.sb
    [ "$(fields out.sb '.labelled_by, .label_status, (.image | type)' | sort -u)" = '["Anna","verified","object"]' ]
    sb-check -v out.sb | grep -A2 'history of input 0' | grep -q 'sb-synth .*--drop=image'
    sb-join -q crops.sb light.sb | sb-export jsonl -q | jq -s 'all(.[]; has("image") | not)' | grep -q true
    sb-join -q --columns image crops.sb light.sb -o full.sb
    diff <(records full.sb | jq -c '[.id, .image]') <(records crops.sb | jq -c '[.id, .image]')
    # Through a pipe, too.
    sb-join -q <(cat light.sb) crops.sb | sb-export jsonl -q | cmp - <(sb-export jsonl -q out.sb)
}

@test "tensors bring along how they were made, and do not come among others" {
    sb-tensorize -q --size 8 crops.sb -o eight.sb
    sb-tensorize -q --size 8 --mean 0.4,0.4,0.4 --std 0.2,0.2,0.2 crops.sb -o other.sb
    sb-join -q --columns tensor eight.sb crops.sb -o out.sb
    sb-check -v out.sb | grep -q '^  tensor: {"size": 8'
    sb-join -q --columns tensor eight.sb eight.sb | sb-check -q
    fails_saying "eight.sb: its tensors were made in another way than the stream's" sb-join --columns tensor eight.sb other.sb -o x.sb
    sb-join -q eight.sb other.sb | sb-check -v | grep -q '^  tensor: .*0.4'
}

@test "a text through a pipe: what is not UTF-8 can be made so on the way" {
    id=$(fields crops.sb .id | sed -n '2s/[]["]//gp')
    printf 'id;label\n%s;M\xfcller\n' "$id" >latin.csv
    sb-join -q <(iconv -f latin1 -t utf-8 latin.csv) crops.sb -o out.sb
    [ "$(fields out.sb .label | sed -n 2p)" = '["Müller"]' ]
    sb-join -q <(iconv -f latin1 -t utf-8 latin.csv | { head -c 3; sleep 0.3; cat; }) crops.sb | sb-export jsonl -q | cmp - <(sb-export jsonl -q out.sb)
    mkfifo pipe
    fails_saying "a named pipe can't be the table" sb-join pipe crops.sb -o x.sb
    sb-join -q <(cat "$BATS_FILE_TMPDIR/crops.sb") crops.sb | sb-export jsonl -q | cmp - <(sb-export jsonl -q crops.sb)
}

@test "a moved box makes another region, an unmoved one does not" {
    sb-export csv -q --columns id,x,y,w,h crops.sb | tr -d '\r' | sed '3s/,.*/,1,2,30,40/' >moved.csv
    sb-join -q moved.csv crops.sb -o out.sb
    diff <(fields crops.sb .id | sed 2d) <(fields out.sb .id | sed 2d)
    [ "$(fields crops.sb .id | sed -n 2p)" != "$(fields out.sb .id | sed -n 2p)" ]
    diff <(fields crops.sb .parent) <(fields out.sb .parent)
    [ "$(fields out.sb .box | sed -n 2p)" = "[[1,2,30,40]]" ]
}

@test "a table that can't be used ends with one line, before any file is there" {
    fails_saying "x.csv: No such file" sb-join x.csv crops.sb -o x.sb
    : >empty.csv
    fails_saying "empty.csv: it is empty" sb-join empty.csv crops.sb -o x.sb
    printf 'name,label\na,b\n' >x.csv
    fails_saying "x.csv: there is no column 'id': it has name, label" sb-join x.csv crops.sb -o x.sb
    printf 'id,label,LABEL\na,b,c\n' >x.csv
    fails_saying "x.csv: line 1: column 'label' stands twice" sb-join x.csv crops.sb -o x.sb
    printf 'id,label\na,b\nc,sea star, red\n' >x.csv
    fails_saying "x.csv: line 3: it has more cells than the header" sb-join x.csv crops.sb -o x.sb
    printf 'id,label,\na,b,so\n' >x.csv
    fails_saying "x.csv: line 2: its cell 3, 'so', has no title" sb-join x.csv crops.sb -o x.sb
    printf 'id,label\na,M\xfcller\n' >x.csv
    fails_saying "x.csv: line 2: column 'label': it is not UTF-8" sb-join x.csv crops.sb -o x.sb
    printf '\xff\xfei\0d\0' >x.csv
    fails_saying "x.csv: it is UTF-16" sb-join x.csv crops.sb -o x.sb
    printf 'id,pts\na,01. Mai\n' >x.csv
    fails_saying "x.csv: line 2: column 'pts': '01. Mai' is no number" sb-join x.csv crops.sb -o x.sb
    printf 'id,x,y,w,h\na,1,2,,4\n' >x.csv
    fails_saying "x.csv: line 2: columns 'x', 'y', 'w' and 'h': a box has all of them" sb-join x.csv crops.sb -o x.sb
    printf 'id,label\na,b\n' >x.csv
    fails_saying "x.csv: there is no column 'depth'" sb-join --columns depth x.csv crops.sb -o x.sb
    head -c 5000 crops.sb >cut.sb
    fails_saying "cut.sb: stream cut off" sb-join cut.sb crops.sb -o x.sb
    fails_saying "cut.sb: stream cut off" sb-join --unmatched left.csv x.csv cut.sb -o x.sb
    [ ! -e x.sb ] && [ ! -e left.csv ]
}

@test "wrong usage" {
    printf 'id,label\na,b\n' >x.csv
    run -2 sb-join
    run -2 sb-join - crops.sb
    run -2 sb-join x.csv crops.sb frames.sb
    run -2 sb-join --within 1 x.csv crops.sb
    run -2 sb-join --on time,pts x.csv crops.sb
    run -2 sb-join --on , x.csv crops.sb
    run -2 sb-join --columns , x.csv crops.sb
    run -2 sb-join --label-status perhaps x.csv crops.sb
    run -2 sb-join --zone Nowhere x.csv crops.sb
}
