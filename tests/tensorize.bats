load helpers
load fixture

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/{dive.sb,crops.sb,reef.safetensors} .
}

# What a stream's header says of its tensors, as jq shows it: how .size out.sb
how() { sb-check -v "$2" | sed -n 's/^  tensor: //p' | jq -c "$1"; }

# The bytes of the first record's tensor u8 [3,32,32], which follow the bin key 'data' and their length.
payload() {
    local at
    at=$(LC_ALL=C grep -obUaP '\xc4\x04data\xc5\x0c\x00' "$1" | head -n 1 | cut -d: -f1)
    tail -c +$((at + 10)) "$1" | head -c 3072
}

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

@test "--fit letterbox keeps the whole picture, pads with the mean or with --pad, and says so" {
    sb-tensorize -q --size 32 --fit letterbox --drop image -o mean.sb dive.sb
    [ "$(how '[.resize, .pad]' mean.sb)" = '["letterbox",[128,128,128]]' ]
    sb-tensorize -q --size 32 --fit letterbox --pad 114,7,200 --order bgr --drop image -o own.sb dive.sb
    [ "$(how '[.resize, .pad]' own.sb)" = '["letterbox",[114,7,200]]' ]
    # The first bytes of the first tensor are of its first channel's margin: the dive is wider than high.
    [ "$(payload mean.sb | head -c 8 | od -An -tx1 | tr -d " ")" = 8080808080808080 ]
    [ "$(payload own.sb | head -c 8 | od -An -tx1 | tr -d " ")" = 7272727272727272 ]
}

@test "a model takes a letterbox of its own padding alone" {
    sb-tensorize -q --size 16 --fit letterbox --pad 114,114,114 --drop image crops.sb | sb-split -q --stratify -o train.sb
    sb-train -q --arch dim=16,depth=1,heads=1 --patch 8 --epochs 1 -o boxed.safetensors train.sb >/dev/null
    sb-tensorize -q -m boxed.safetensors -o out.sb dive.sb
    [ "$(how '[.resize, .pad]' out.sb)" = '["letterbox",[114,114,114]]' ]
    sb-classify -q -m boxed.safetensors -o named.sb out.sb
    sb-tensorize -q --size 16 --fit letterbox -o other.sb dive.sb
    fails_saying "pad 128,128,128, the model wants 114,114,114" sb-classify -m boxed.safetensors other.sb
    sb-tensorize -q --size 16 -o short.sb dive.sb
    fails_saying "resize short, the model wants letterbox" sb-classify -m boxed.safetensors short.sb
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

# Weights of transformers, which say nothing of pictures, with golden/preprocess/$1 beside them as $2: foreign dinov2.json config.json
foreign() {
    rm -rf foreign
    mkdir foreign
    cp "$ROOT/tests/golden/names/transformers-vit/model.safetensors" foreign/
    cp "$ROOT/tests/golden/preprocess/$1" "foreign/$2"
}

@test "-m takes the word of the JSON files that timm and transformers write" {
    foreign timm-squash-crop.json config.json
    sb-tensorize -q -m foreign/model.safetensors -o timm.sb dive.sb
    [ "$(how '[.size, .crop, .resize, .interpolation, .middle, .mean]' timm.sb)" = '[32,0.95,"stretch","bicubic","even",[0.5,0.5,0.5]]' ]
    foreign dinov2.json preprocessor_config.json
    sed -i 's/55/53/' foreign/preprocessor_config.json # of 64, so that the middle lies between two pixels
    sb-tensorize -q -m foreign/model.safetensors -o theirs.sb dive.sb
    [ "$(how '[.size, .resize, .interpolation, .middle, .mean]' theirs.sb)" = '[53,"short","bicubic","down",[0.485,0.456,0.406]]' ]
    # The same by hand, but for the middle, which shows in the pixels.
    sb-tensorize -q --size 53 --crop "$(how .crop theirs.sb)" --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o even.sb dive.sb
    fails cmp -s <(tail -c 50000 theirs.sb | head -c 49000) <(tail -c 50000 even.sb | head -c 49000)
}

@test "what a foreign model does not say is asked for, not guessed; what it says and cannot be done is refused" {
    foreign vit.json other.json
    fails_saying "give --mean, --std and --size" sb-tensorize -m foreign/model.safetensors dive.sb
    fails_saying "give --mean, --std and --size" sb-tensorize -m foreign/model.safetensors --size 32 --mean 0,0,0 dive.sb
    sb-tensorize -q -m foreign/model.safetensors --size 32 --mean 0,0,0 --std 1,1,1 -o out.sb dive.sb
    [ "$(how '[.size, .crop, .mean, .std]' out.sb)" = '[32,1,[0,0,0],[1,1,1]]' ]
    foreign vit.json preprocessor_config.json
    sed -i 's/"resample": 2/"resample": 1/' foreign/preprocessor_config.json
    fails_saying "lanczos" sb-tensorize -m foreign/model.safetensors dive.sb
    echo '{"pretrained_cfg": ' >foreign/config.json
    fails_saying "config.json" sb-tensorize -m foreign/model.safetensors dive.sb
}

@test "a raw picture and its PNG give the same tensor" {
    sb-export png -q -o crops/ crops.sb
    for encode in raw png; do
        sb-frames -q --encode $encode crops | sb-tensorize -q --size 30 --drop image | sb-check -n 5 -v - | grep '^  tensor' >$encode
        sb-frames -q --encode $encode crops | sb-tensorize -q --size 30 --drop image | tail -c 100000 | head -c 99900 | cksum >>$encode
    done
    cmp raw png
}

# The bytes of the tensor u8 [3,32,32] of a golden picture: tensor PICTURE [OPTION...]
tensor() {
    rm -rf one
    mkdir -p one/x
    cp "$ROOT/tests/golden/pictures/$1" one/x/
    sb-import folders -q one | sb-tensorize -q --size 32 --fit stretch --drop image "${@:2}" >one.sb
    payload one.sb
}

@test "16-bit pictures, alpha and EXIF orientation are decoded as asked" {
    tensor rgb.png >rgb
    tensor grey.png >grey
    [ "$(wc -c <rgb)" -eq 3072 ]
    cmp grey <(tensor grey-12.png --bits 12)
    fails cmp -s grey <(tensor grey-12.png)
    cmp rgb <(tensor turned-8.png --orientation stored)
    fails cmp -s rgb <(tensor turned-8.png)
    cmp rgb <(tensor rgb-alpha.png)
    fails cmp -s rgb <(tensor rgb-alpha.png --background 0,200,0)
    tensor rgb-alpha.png --background 0,200,0 >blended
    cmp blended <(tensor rgba-16.png --background 0,200,0)
}

@test "sb-frames decodes picture files as asked, too" {
    tensor rgb.png >rgb
    sb-frames -q --orientation stored "$ROOT"/tests/golden/pictures/turned-8.png | sb-tensorize -q --size 32 --fit stretch --drop image -o out.sb
    payload out.sb | cmp - rgb
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
    for wrong in "--size 0" "--crop 1.5" "--crop 0" "--fit letter" "--filter nearest" "--order grb" "--type f64" "--mean 1,2" "--std 1,0,1" "--std a,b,c" "--pad 1,2,3" "--fit letterbox --pad 1,2,256" "--background red" "--bits 7" "--orientation left" "--size 5000"; do
        run sb-tensorize $wrong dive.sb
        [ "$status" -eq 2 ] || { echo "$wrong: $status"; return 1; }
    done
}
