load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth video -q --seconds 4 --size 64x48 --fps 5 --seed 3 -o dive.mp4
    sb-synth frames -q -n 2 --size 64x48 --seed 3 --encode png | sb-export png -q -o pictures/
    printf '%s\r\n' 'time;latitude;longitude;depth_m' '2026-07-03T14:05:08Z;54.0;179.999;100' '2026-07-03T14:05:11Z;54.3;-179.998;130' \
        '2026-07-03T14:09:11Z;54.3;-179.998;130' >track.csv
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR/dive.mp4" "$BATS_FILE_TMPDIR/track.csv" .
    cp -r "$BATS_FILE_TMPDIR/pictures" .
}

NOON=1783087509 # 2026-07-03T14:05:09Z

# One field of all records on a line, numbers as jq writes them.
field() { sb-export jsonl -q "${2:--}" | jq -c -s "map(.$1 | if type == \"number\" then . * 1000 | round / 1000 else . end)"; }
misused() {
    local want=$1 status=0
    shift
    said=$("$@" 2>&1 >/dev/null) || status=$?
    [ "$status" -eq 2 ] && [[ $said == *"$want"* ]] || { echo "status $status: $said"; return 1; }
}
# A copy of the dive whose header says when it was taken: $1 seconds since 1970, into $2.
stamped() {
    local at
    cp -L dive.mp4 "$2"
    at=$(grep -abo mvhd "$2" | head -n 1 | cut -d: -f1)
    printf "$(printf '%08x' $(($1 + 2082844800)) | sed 's/../\\x&/g')" | dd of="$2" bs=1 seek=$((at + 8)) conv=notrunc status=none
}

@test "--start-time: a record's time is that of the first frame and its pts, whatever the zone it was written in" {
    sb-frames -q --start-time 2026-07-03T14:05:09.5Z -o utc.sb dive.mp4
    [ "$(field time utc.sb)" = "[1783087509.5,1783087510.5,1783087511.5,1783087512.5]" ]
    for zoned in "2026-07-03T16:05:09.5+02:00" "20260703T140509,5Z" "2026-07-03 04:35:09.5-0930"; do
        sb-frames -q --start-time "$zoned" dive.mp4 | sb-export csv -q --columns id,time,pts -o zoned.csv
        sb-export csv -q --columns id,time,pts utc.sb | cmp - zoned.csv
    done
    for zone in +02:00 Europe/Berlin; do
        sb-frames -q --start-time "2026-07-03 16:05:09.5" --zone $zone dive.mp4 | sb-export csv -q --columns id,time,pts -o zoned.csv
        sb-export csv -q --columns id,time,pts utc.sb | cmp - zoned.csv
    done
    sb-frames -q --start-time 2026-07-03T14:05:09.5Z --start 2 dive.mp4 | field time >late
    [ "$(cat late)" = "[1783087511.5,1783087512.5]" ]
    sb-frames -q --start-time 2026-07-03T14:05:09.5Z --clock-offset -0:01:02.5 dive.mp4 | field time >fast
    [ "$(cat fast)" = "[1783087447,1783087448,1783087449,1783087450]" ]
    sb-frames -q --start-time 2026-07-03T14:05:09.5Z --clock-offset=3600 --fps 0.2 dive.mp4 | field time >slow
    [ "$(cat slow)" = "[1783091109.5]" ]
    sb-check -v utc.sb | grep -q "dive.mp4 .* 2026-07-03T14:05:09Z  2026-07-03T14:05:12Z"
}

@test "the same bytes for any number of threads; the identifiers and pictures of a run without a clock" {
    sb-frames -q -j 1 --start-time 2026-07-03T14:05:09Z --nav track.csv -o one.sb dive.mp4
    sb-frames -q -j 4 --start-time 2026-07-03T14:05:09Z --nav track.csv dive.mp4 | cmp - one.sb
    sb-frames -q dive.mp4 | sb-export jsonl -q | jq -c 'del(.time, .lat, .lon, .depth)' >without
    sb-export jsonl -q one.sb | jq -c 'del(.time, .lat, .lon, .depth)' | cmp - without
}

@test "a time that is not clear is refused" {
    misused "--start-time: 2026-07-03T14:05:09 names no zone" sb-frames --start-time 2026-07-03T14:05:09 dive.mp4
    misused "came twice in Europe/Berlin" sb-frames --start-time 2026-10-25T02:30:00 --zone Europe/Berlin dive.mp4
    misused "does not exist in Europe/Berlin" sb-frames --start-time 2026-03-29T02:30:00 --zone Europe/Berlin dive.mp4
    misused "--zone: 'Berlin' is no time zone" sb-frames --start-time 2026-03-29T02:30:00 --zone Berlin dive.mp4
    misused "'3.7.2026 14:05' is not a date and time" sb-frames --start-time "3.7.2026 14:05" dive.mp4
    misused "in no calendar" sb-frames --start-time 2026-02-29T14:05:09Z dive.mp4
    misused "exclude each other" sb-frames --start-time 2026-07-03T14:05:09Z --trust-container dive.mp4
    misused "--start-time is of one input, and there are 3" sb-frames --start-time 2026-07-03T14:05:09Z dive.mp4 pictures
    misused "--clock-offset wants" sb-frames --clock-offset 5 dive.mp4
    misused "--clock-offset: 'x' is not a time" sb-frames --trust-container --clock-offset -x dive.mp4
    misused "--zone wants" sb-frames --zone Z dive.mp4
    misused "--nav wants" sb-frames --nav track.csv dive.mp4
    misused "--nav-gap wants --nav" sb-frames --nav-gap 5 --trust-container dive.mp4
    misused "--nav-columns: 'x' does not name" sb-frames --nav track.csv --nav-columns x=y --trust-container dive.mp4
    misused "--time-regex: at its character" sb-frames --time-regex '(' dive.mp4
    misused "--time-regex: no group is named hour" sb-frames --time-regex '(?<year>....)(?<month>..)(?<day>..)' dive.mp4
}

@test "--time-regex: each file's time from its name or the folders above it; a name that does not tell" {
    mkdir -p season/20260703 season/20260704
    cp -L dive.mp4 season/20260703/GX_1405_09.mp4
    cp -L dive.mp4 season/20260704/GX_1405_09.mp4
    for picture in pictures/*; do mv "$picture" season/20260703/still_2330_00.png; done
    by_name='(?<year>....)(?<month>..)(?<day>..)/\D+(?<hour>..)(?<minute>..)_(?<second>..)'
    sb-frames -q --fps 0.5 --zone Europe/Berlin --time-regex "$by_name" -o season.sb season
    [ "$(field time season.sb)" = "[1783080309,1783080311,1783114200,1783166709,1783166711]" ]
    cp -L dive.mp4 season/20260704/other.mp4
    fails_saying "20260704/other.mp4: no time in its name" sb-frames --zone Z --time-regex "$by_name" season
    sb-frames -k --fps 0.5 --zone Z --time-regex "$by_name" -o some.sb season 2>said
    [ "$(field time some.sb)" = "[1783087509,1783087511,1783121400,1783173909,1783173911,null,null]" ]
    [ "$(cat said)" = "sb-frames: 20260704/other.mp4: no time in its name: --time-regex does not match
sb-frames: 4 in, 7 out" ]
}

@test "--trust-container: what an MP4 says; one that says nothing, and a pipe" {
    stamped $NOON a.mp4
    stamped $((NOON + 100)) b.mp4
    sb-frames -q --fps 0.5 --trust-container a.mp4 b.mp4 | field time >times
    [ "$(cat times)" = "[1783087509,1783087511,1783087609,1783087611]" ]
    fails_saying "dive.mp4: it does not say when it was taken" sb-frames --trust-container dive.mp4
    fails_saying "does not say when it was taken (Exif's DateTimeOriginal)" sb-frames --trust-container pictures
    fails_saying "only a file can say when it was taken" sh -c 'cat a.mp4 | sb-frames --trust-container'
    sb-frames -k -q --fps 0.5 --trust-container dive.mp4 a.mp4 | field time >times
    [ "$(cat times)" = "[null,null,1783087509,1783087511]" ]
    command -v ffmpeg >/dev/null || skip "no ffmpeg program to write a QuickTime date with"
    ffmpeg -v error -i a.mp4 -c copy -movflags use_metadata_tags -metadata com.apple.quicktime.creationdate=2026-07-03T18:05:09+0200 c.mov
    sb-frames -q --fps 0.2 --trust-container c.mov | field time >times
    [ "$(cat times)" = "[1783094709]" ]
}

@test "--nav: position and depth between fixes, across the date line, and not across a gap" {
    sb-frames --start-time 2026-07-03T14:05:09Z --nav track.csv -o placed.sb dive.mp4 2>said
    [ "$(field lat placed.sb)" = "[54.1,54.2,54.3,null]" ]
    [ "$(field lon placed.sb)" = "[-180,-179.999,-179.998,null]" ]
    [ "$(field depth placed.sb)" = "[110,120,130,null]" ]
    [ "$(cat said)" = "sb-frames: track.csv: no place for 1 of 4 records
sb-frames: 1 in, 4 out" ]
    sb-frames -q --start-time 2026-07-03T14:05:09Z --nav track.csv --nav-gap 240 dive.mp4 | field depth >depths
    [ "$(cat depths)" = "[110,120,130,130]" ]
    sb-frames --start-time 2026-07-03T14:05:09Z --clock-offset -1:00:00 --nav track.csv -o none.sb dive.mp4 2>said
    grep -q "no place for any record: it goes from 2026-07-03T14:05:08Z to 2026-07-03T14:09:11Z, they from 2026-07-03T13:05:09Z to 2026-07-03T13:05:12Z" said
    [ "$(sb-export jsonl -q placed.sb | jq -c -s 'map(has("lat"))')" = "[true,true,true,false]" ]
    sb-export csv -q --columns time,lat,lon,depth placed.sb | tail -n 1 >last
    [ "$(tr -d '\r' <last)" = "2026-07-03T14:05:12Z,,," ]
    sb-check -v placed.sb | grep -qE '^ +track.csv +[0-9a-f]{32}$'
}

@test "--nav: columns by name, times in a zone of their own, bad rows counted" {
    printf '%s\n' 'Datum,Zeit,Breite,Laenge,Tiefe' '2026-07-03,16:05:09,54.0,10.0,5' '2026-07-03,16:05:13,54.4,10.4,9' '2026-07-03,16:05:10,154,10,5' >meins.csv
    sb-frames --start-time 2026-07-03T14:05:09Z --nav meins.csv --nav-columns date=datum,time=Zeit,lat=Breite,lon=Laenge --nav-zone Europe/Berlin \
        -o placed.sb dive.mp4 2>said
    [ "$(field lat placed.sb)" = "[54,54.1,54.2,54.3]" ]
    [ "$(field depth placed.sb)" = "[null,null,null,null]" ]
    grep -q "meins.csv: 1 of 3 rows left out; the first, line 4: '154' is no latitude" said
    fails_saying "'2026-07-03 16:05:09' names no zone: give --nav-zone" sb-frames --start-time 2026-07-03T14:05:09Z --nav meins.csv \
        --nav-columns date=Datum,time=Zeit,lat=Breite,lon=Laenge dive.mp4
    fails_saying "meins.csv: none of its columns is called time" sb-frames --start-time 2026-07-03T14:05:09Z --nav meins.csv dive.mp4
    fails_saying "absent.csv: No such file" sb-frames --start-time 2026-07-03T14:05:09Z --nav absent.csv dive.mp4
    sb-frames -q --start-time 2026-07-03T14:05:09Z --nav <(printf 'time,lat,lon\n2026-07-03T14:05:08Z,54,10\n2026-07-03T14:05:18Z,54,10\n') dive.mp4 |
        sb-export jsonl -q | jq -s -e 'any(.lat == 54)'
    printf 'time;lat;lon;depth\n2026-07-03T14:05:09Z;54,5;-10,25;1234,5\n' >komma.csv
    sb-frames -q --start-time 2026-07-03T14:05:09Z --nav komma.csv dive.mp4 | sb-export jsonl -q | jq -s -e '.[0] | .lat == 54.5 and .lon == -10.25 and .depth == 1234.5'
    printf 'time,lat,lon\n2026-07-03T14:05:09Z,"54,5",10\n' >komma.csv
    fails_saying "komma.csv: line 2: '54,5' has a decimal comma" sb-frames --start-time 2026-07-03T14:05:09Z --nav komma.csv dive.mp4
}

@test "the zones of the camera and of the table are two" {
    printf '%s\n' 'time,depth' '2026-07-03 10:05:09,5' '2026-07-03 10:05:13,9' >ship.csv
    sb-frames -q --start-time "2026-07-03 16:05:09" --zone Europe/Berlin --nav ship.csv --nav-zone America/New_York dive.mp4 | field depth >depths
    [ "$(cat depths)" = "[5,6,7,8]" ]
}

@test "the fields pass through the programs after it" {
    sb-frames -q --start-time 2026-07-03T14:05:09Z --nav track.csv dive.mp4 | sb-dedup -q | sb-tensorize -q --size 16 |
        sb-export csv -q --columns time,depth | tr -d '\r' >through
    [ "$(head -n 3 through)" = "time,depth
2026-07-03T14:05:09Z,110
2026-07-03T14:05:10Z,120" ]
    sb-frames -q --start-time 2026-07-03T14:05:09Z --encode jpeg dive.mp4 | sb-export jsonl -q | jq -e '.time > 1783087508 and .pts < 4' >/dev/null
    sb-frames -q --start-time 2026-07-03T14:05:09Z dive.mp4 | sb-export vtt -q --text time | sed -n '3,4p' >first
    [ "$(cat first)" = "00:00:00.000 --> 00:00:01.000
2026-07-03T14:05:09Z" ]
    sb-frames -q --start-time 2026-07-03T14:05:09Z dive.mp4 | sb-split -q --group-by time:2 -o split.sb
    [ "$(sb-export jsonl -q split.sb | jq -s -c 'group_by(.time / 2 | floor) | map(map(.split) | unique | length) | unique')" = "[1]" ]
}
