load helpers
load fixture

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{dive.sb,crops.sb,reef.safetensors} .
}

# What a stream's header says of its tensors, as jq shows it: how .size out.sb
how() { sb-check -v "$2" | sed -n 's/^  tensor: //p' | jq -c "$1"; }

@test "adds u8 [3,224,224] by default, says how in the header, and passes the rest through" {
    sb-tensorize -o out.sb dive.sb 2>said
    sb-check -v out.sb | grep -q '^  tensor  *u8  *all  *\[3,224,224\]'
    [ "$(how '[.size, .crop, .resize, .interpolation, .channels, .mean, .applied]' out.sb)" = '[224,1,"short","bicubic","rgb",[0.5,0.5,0.5],false]' ]
    [ "$(cat said)" = "sb-tensorize: 4 in, 4 out" ]
    for field in id source pts duration group image; do
        cmp <(sb-export jsonl -q dive.sb | jq -c ".$field") <(sb-export jsonl -q out.sb | jq -c ".$field")
    done
}

@test "options change size, way and type" {
    sb-tensorize -q --size 48 --crop 0.875 --filter bilinear --order bgr --drop image -o out.sb dive.sb
    [ "$(how '[.size, .crop, .interpolation, .channels]' out.sb)" = '[48,0.875,"bilinear","bgr"]' ]
    sb-check -v out.sb | grep -q '^  tensor  *u8  *all  *\[3,48,48\]'
    [ "$(sb-export jsonl -q out.sb | jq -r 'has("image")' | sort -u)" = false ]
    sb-tensorize -q --size 20 --fit stretch --type f32 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o real.sb dive.sb
    sb-check -v real.sb | grep -q '^  tensor  *f32  *all  *\[3,20,20\]'
    [ "$(how '[.resize, .mean, .std, .applied]' real.sb)" = '["stretch",[0.485,0.456,0.406],[0.229,0.224,0.225],true]' ]
}

@test "the same bytes for any number of threads" {
    for type in u8 f32; do
        sb-tensorize -q -j 1 --size 33 --type $type crops.sb >one.sb
        sb-tensorize -q -j 5 --size 33 --type $type -o five.sb crops.sb
        cmp one.sb five.sb
    done
}

@test "-m takes what the model wants, and the model takes it" {
    sb-tensorize -q -m reef.safetensors -o out.sb dive.sb
    sb-check -v out.sb | grep -q '^  tensor  *u8  *all  *\[3,16,16\]'
    [ "$(how .resize out.sb)" = '"stretch"' ]
    sb-classify -q -m reef.safetensors out.sb | sb-export jsonl -q | jq -e '.predicted | length > 0' | sort -u | grep -qx true
    sb-tensorize -q -m reef.safetensors --size 24 -o other.sb dive.sb
    sb-check -v other.sb | grep -q '^  tensor  *u8  *all  *\[3,24,24\]'
}

@test "a raw picture and its PNG give the same tensor" {
    sb-export png -q -o crops/ crops.sb
    for encode in raw png; do
        sb-frames -q --encode $encode crops | sb-tensorize -q --size 30 --drop image | sb-check -n 5 -v - | grep '^  tensor' >$encode
        sb-frames -q --encode $encode crops | sb-tensorize -q --size 30 --drop image | tail -c 100000 | head -c 99900 | cksum >>$encode
    done
    cmp raw png
}

@test "a record without a picture, and one with another thing there, end the run with one line" {
    sb-tensorize -q --drop image -o none.sb dive.sb
    fails_saying "none.sb: record 1 (id " sb-tensorize none.sb
    fails_saying "there is no field 'image'" sb-tensorize none.sb
    # A stream without a header, as a script may write it: {"image": bin "abcd"}.
    printf '\x81\xa5image\xc4\x04abcd' >foreign.sb
    run sb-tensorize foreign.sb
    [ "$status" -eq 1 ]
    [[ $output == *"record 1: field 'image': neither a JPEG nor a PNG"* ]]
    fails_saying "cut off" sb-tensorize <(head -c 2000 dive.sb)
    fails_saying "nothing.safetensors" sb-tensorize -m nothing.safetensors dive.sb
}

@test "wrong usage ends with 2" {
    for wrong in "--size 0" "--crop 1.5" "--crop 0" "--fit letter" "--filter nearest" "--order grb" "--type f64" "--mean 1,2" "--std 1,0,1" "--std a,b,c" "--size 5000"; do
        run sb-tensorize $wrong dive.sb
        [ "$status" -eq 2 ] || { echo "$wrong: $status"; return 1; }
    done
}
