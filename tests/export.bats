bats_require_minimum_version 1.5.0
load helpers

# frames.sb: captioned frames of several dives; one.sb: frames of one; crops.sb: labelled crops.
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 12 --per-dive 6 --size 96x64 --seed 1 --encode png -o frames.sb
    sb-synth frames -q -n 6 --per-dive 60 --size 96x64 --seed 1 --encode jpeg -o one.sb
    sb-synth frames -q -n 20 --seed 1 --crops -o crops.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb .
}

@test "jsonl: an object a record, arrays as lists or their shape" {
    sb-export jsonl crops.sb >out 2>said
    [ "$(wc -l <out)" -eq 20 ]
    jq -es 'all(.[]; (.id | length == 32) and (.box | length == 4) and .image.dtype == "u8" and (.image.shape | length == 3))' out
    grep -q '^sb-export: 20 in, 20 out$' said
    sb-export jsonl -q one.sb | jq -es 'length > 0 and all(.[]; .image.format == "jpeg" and .image.bytes > 100)'
}

# {"id": "z", "bad": <not UTF-8>, "nan": NaN, "u": 2^64-1, "f": float32 0.1, "m": {1: "a", nil: [true]}, "e": ext 5, "b": bin}
hostile() {
    printf '\x88\xa2id\xa1z\xa3bad\xa4a\xff"\n\xa3nan\xcb\x7f\xf8\0\0\0\0\0\0\xa1u\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1f\xca\x3d\xcc\xcc\xcd'
    printf '\xa1m\x82\x01\xa1a\xc0\x91\xc3\xa1e\xd4\x05\x07\xa1b\xc4\x02\x01\xfe'
}

@test "jsonl: valid whatever the values are" {
    hostile | sb-export jsonl -q >out
    [ "$(cat out)" = '{"id":"z","bad":"a�\"\n","nan":null,"u":18446744073709551615,"f":0.1,"m":{"1":"a","null":[true]},"e":{"ext":5,"hex":"07"},"b":"01fe"}' ]
    jq -e '.bad == "a�\"\n"' out
}

@test "csv: stable columns, CRLF, quotes" {
    sb-export csv -q crops.sb >crops.csv
    sb-export csv -q frames.sb >frames.csv
    cmp <(head -1 crops.csv) <(head -1 frames.csv)
    [ "$(head -1 crops.csv)" = $'id,parent,source,time,pts,duration,lat,lon,depth,group,x,y,w,h,label,label_status,labelled_by,predicted_label,probability,caption,cluster,distance,split,fold,phash,duplicate_of\r' ]
    [ "$(grep -c $'\r$' crops.csv)" -eq 21 ]
    hostile | sb-export csv -q --columns id,bad,m,b >hostile.csv
    printf 'id,bad,m,b\r\nz,"a\xef\xbf\xbd""\n","{""1"":""a"",""null"":[true]}",01fe\r\n' | cmp - hostile.csv
}

@test "csv: chosen columns; one that no record has is empty, and said" {
    sb-export csv --columns label,nope crops.sb >out 2>said
    grep -q "^sb-export: column 'nope': no record has it$" said
    [ "$(tr -d '\r' <out | tail -n +2 | grep -c ',$')" -eq 20 ]
    run -2 sb-export csv --columns , crops.sb
    run -2 sb-export jsonl --columns id crops.sb
}

@test "vtt: neighbours that say the same share a cue, in order of time" {
    sb-export vtt -q one.sb >one.vtt
    [ "$(head -2 one.vtt)" = WEBVTT ]
    # Each caption as often as it changes, and cues that do not overlap.
    diff <(sb-export jsonl -q one.sb | jq -r .caption | uniq) <(grep -A1 -e '-->' one.vtt | grep -ve '-->' -e '^--$')
    grep -e '-->' one.vtt | awk '{ if ($1 < last || $3 <= $1) exit 1; last = $3 }'
    sb-export vtt -q --text label one.sb >label.vtt
    diff <(sb-export jsonl -q one.sb | jq -r '.label // "none"' | uniq | grep -vx none) <(grep -A1 -e '-->' label.vtt | grep -ve '-->' -e '^--$')
}

@test "vtt: two sources need a folder, and get a file each" {
    fails_saying "a second source" sb-export vtt -o x.vtt frames.sb
    [ ! -e x.vtt ]
    sb-export vtt -q -o out/ frames.sb
    diff <(ls -A out | grep -v 'history.json$') <(sb-export jsonl -q frames.sb | jq -r '.source + ".vtt"' | sort -u)
    [ "$(ls out/*.vtt.history.json | wc -l)" -eq "$(ls out/*.vtt | wc -l)" ]
    sb-export vtt -q -o out/ one.sb
    cmp "out/$(sb-export jsonl -q one.sb | jq -r .source | head -1).vtt" <(sb-export vtt -q one.sb)
}

@test "vtt: what it can't do, it says" {
    fails_saying "no field 'pts'" sb-export vtt <(sb-synth frames -q -n 1 --drop pts)
    hostile >hostile.sb
    run -1 sb-export vtt hostile.sb
    [[ $output == *"record 1 (id z): no field 'pts'"* ]]
    printf '\x82\xa3pts\x05\xa7caption\xa2 \n\x82\xa3pts\x06\xa7caption\xa1x' >blank.sb
    sb-export vtt blank.sb 2>&1 >/dev/null | grep -qx 'sb-export: 2 in, 1 out, 1 skipped: 1 without text'
    printf '\x81\xa3pts\x05\x81\xa3pts\x04' >back.sb
    run -1 sb-export vtt back.sb
    [[ $output == *"record 2: pts 4 comes after 5"* ]]
}

@test "a file each source: names stay inside of the folder and never meet" {
    # Records {"source": S, "pts": 0} for hostile names.
    { printf '\x82\xa6source\xac../../up.mp4\xa3pts\x00'
      printf '\x82\xa6source\xa8/abs.mp4\xa3pts\x00'
      printf '\x82\xa6source\xa7a/b.mp4\xa3pts\x00'
      printf '\x82\xa6source\xa7a_b.mov\xa3pts\x00'
      printf '\x82\xa6source\xa2..\xa3pts\x00'
      printf '\x81\xa3pts\x00'; } >foreign.sb
    mkdir -p in/side
    sb-export csv -q -o in/side/ foreign.sb
    [ "$(ls -A in)" = side ]
    [ "$(ls -A in/side | grep -vc 'history.json$')" -eq 6 ]
    [ ! -e /abs.csv ]
    for name in _._.._up abs a_b unnamed; do [ -f "in/side/$name.csv" ]; done
    cat in/side/*.csv | grep -c 'mp4\|mov' | grep -qx 4
}

@test "--by: a file each value of any field" {
    sb-export csv -q --by label --columns id,label -o by/ crops.sb
    sb-export csv -q --columns label crops.sb | tr -d '\r' | tail -n +2 | sort -u | sed 's/$/.csv/' | diff - <(cd by && ls *.csv)
    [ "$(cat by/*.csv | grep -vc '^id,')" -eq 20 ]
    for file in by/*.csv; do [ "$(tail -n +2 "$file" | cut -d, -f2 | sort -u | wc -l)" -eq 1 ]; done
    sb-export jsonl -q --by nothing -o none/ crops.sb
    [ "$(wc -l <'none/no nothing.jsonl')" -eq 20 ]
    run -2 sb-export csv --by label -o file.csv crops.sb
    run -2 sb-export vtt --by label -o by/ frames.sb
}

@test "csv: a table that no spreadsheet holds is warned of, once" {
    head -c 1048575 /dev/zero | tr '\0' '\200' >rows # records without a field
    sb-export csv --columns id rows 2>said >/dev/null
    fails grep -q spreadsheets said
    printf '\200\200' >>rows
    sb-export csv --columns id rows 2>said >/dev/null
    [ "$(grep -c '^sb-export: a table of more than 1048576 rows: spreadsheets' said)" -eq 1 ]
}

@test "what a file came from stands beside it, and nothing beside what is no file" {
    sb-dedup -q crops.sb | sb-export csv -q --columns id,label -o table.csv
    jq -e '.seabot == 1 and ([.history[].tool] == ["sb-synth", "sb-dedup", "sb-export"]) and .history[2].args == ["csv", "--columns=id,label"]' table.csv.history.json
    sb-export png -q -o png/ crops.sb
    jq -e '[.history[].tool] == ["sb-synth", "sb-export"]' png.history.json
    [ "$(ls png | grep -c history)" -eq 0 ]
    sb-export csv -q crops.sb >/dev/null
    sb-export csv -q -o /dev/null crops.sb
    [ ! -e /dev/null.history.json ]
    # A run that fails leaves the old ones.
    cp table.csv.history.json old
    head -c 2000 crops.sb >cut.sb
    run -1 sb-export csv -o table.csv cut.sb
    cmp old table.csv.history.json
    [ "$(ls -A | grep -c '^\.')" -eq 0 ]
}

@test "png: a file each picture, named by source and time, the same pixels" {
    sb-export png -q -o png frames.sb
    [ "$(ls png | wc -l)" -eq 12 ]
    diff <(ls png) <(sb-export jsonl -q frames.sb | jq -r '[.source, .pts] | @tsv' | awk '{ printf "%s_%010.3f.png\n", $1, $2 }' | sort)
    sb-frames -q --encode raw png | sb-export png -q -o again
    diff <(cd png && md5sum -- * | cut -c1-32 | sort) <(cd again && md5sum -- * | cut -c1-32 | sort)
    sb-export png -q --by label -o sorted crops.sb
    [ "$(ls sorted | xargs -d'\n' -n1 | sort -u | wc -l)" -eq "$(sb-export csv -q --columns label crops.sb | tail -n +2 | sort -u | wc -l)" ]
    [ "$(ls sorted/*/*.png | wc -l)" -eq 20 ]
    run -2 sb-export png crops.sb
}

size_of() { sb-frames -q --encode raw "$1" | sb-export jsonl -q | jq -c .image.shape; }

@test "contact: a sheet of the size that its pictures need" {
    sb-export contact -q -o a.png frames.sb
    [[ $(size_of a.png) == "["*,1016,3] ]]
    sb-export contact -q --across 3 --thumb 64 -o b.png frames.sb
    [[ $(size_of b.png) == "["*,224,3] ]]
    sb-export contact --max 5 -o c.png frames.sb 2>said
    grep -q '12 in, 5 out, 7 skipped: 7 more than the sheet shows' said
    sb-export contact --by label --across 2 -o d.png crops.sb 2>said
    labels=$(sb-export csv -q --columns label crops.sb | tail -n +2 | sort | uniq -c | awk '{ n += $1 > 2 ? 2 : $1 } END { print n }')
    grep -q "^sb-export: 20 in, $labels out" said
    fails_saying "no records" sb-export contact -o e.png <(sb-split -q --part b --parts a=1,b=1e-9 crops.sb)
    [ ! -e e.png ]
}

@test "a stream cut off, a full disk, an empty stream: one line, and no file" {
    head -c 3000 crops.sb >cut.sb
    for format in jsonl csv vtt srt contact png pictures darwin-core "npy --field box"; do
        fails_saying "cut off" sb-export $format -q -o out/ cut.sb
        [ -z "$(ls -A out 2>/dev/null)" ]
        fails_saying "empty" sb-export $format -o new/ /dev/null
    done
    echo old >old.csv
    fails_saying "cut off" sb-export csv -o old.csv cut.sb
    [ "$(cat old.csv)" = old ]
    for format in jsonl csv vtt srt contact darwin-core; do
        fails_saying "space" sb-export $format -q -o /dev/full one.sb
        sb-export $format -q one.sb 2>said >/dev/full && false
        grep -q space said
    done
    fails_saying "no field 'image'" sb-export contact -o x.png <(sb-synth frames -q -n 1 --drop image)
    fails_saying "no field 'image'" sb-export png -o x/ <(sb-synth frames -q -n 1 --drop image)
    [ ! -e x.png ]
    run -2 sb-export
    run -2 sb-export gif crops.sb
}

@test "a live stream: lines come as records do" {
    mkfifo in out
    sb-export jsonl -q one.sb >expected
    sb-export jsonl -q in >out &
    exec 9<out
    exec 8>in
    head -c 5000 one.sb >&8
    IFS= read -r -t 60 first <&9 # the rest of the stream is still to come
    [ "$first" = "$(head -1 expected)" ]
    tail -c +5001 one.sb >&8
    exec 8>&-
    { echo "$first"; cat <&9; } | cmp - expected
    wait $!
}
