bats_require_minimum_version 1.5.0
load helpers

# crops/LABEL/*.png: PNG files in class folders, and the stream that they were taken from.
setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 20 --seed 1 --crops -o crops.sb
    sb-export png -q --by label -o crops/ crops.sb
    mkdir sea
    sb-synth frames -q -n 3 --size 96x64 --seed 2 --encode png | sb-export png -q -o sea/
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp -r "$BATS_FILE_TMPDIR"/{crops.sb,crops,sea} .
    kind=$(ls crops | head -1)
}

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }

# A COCO file about the pictures in sea/: $1 is the list of annotations, $2 further images.
coco() {
    local files=(sea/*.png)
    printf '{"images": [{"id": 7, "file_name": "%s", "width": 96, "height": 64}%s], "annotations": [%s],
        "categories": [{"id": 3, "name": "Aequorea \\"é\\""}, {"id": 4, "name": "Beroe"}]}' \
        "$(basename "${files[0]}")" "${2:+, $2}" "$1" >sea/coco.json
}

@test "folders: the label is the folder, the source the path below, the file's bytes stay" {
    sb-import folders -o all.sb crops 2>said
    grep -q '^sb-import: 20 in, 20 out$' said
    table source,label all.sb | while IFS=, read -r source label; do
        [ "${source%/*}" = "$label" ] || { echo "$source has the label $label"; return 1; }
        [ -f "crops/$source" ]
    done
    diff <(table label all.sb | sort) <(table label crops.sb | sort)
    diff <(table source all.sb) <(cd crops && find . -name '*.png' | cut -c3- | LC_ALL=C sort)
    sb-export png -q --by label -o again/ all.sb
    diff <(cd crops && md5sum -- */* | cut -c1-32 | sort) <(cd again && md5sum -- */* | cut -c1-32 | sort)
    [ "$(table group all.sb | sort -u)" = '""' ]
}

@test "folders: nested ones give the nearest name; what is no picture is counted" {
    mkdir -p deep/a/fish
    cp crops/*/*.png deep/a/fish
    echo words >deep/a/README.txt
    echo words >deep/a/fish/.hidden.png
    sb-import folders deep -o deep.sb 2>said
    [ "$(table label deep.sb | sort -u)" = fish ]
    grep -q '22 in, 20 out, 2 skipped: 2 not a JPEG or PNG file' said
}

@test "folders: a broken picture is named and counted, the others come in; none at all fails" {
    head -c 200 "$(find crops -name '*.png' | head -1)" >"crops/$kind/broken.png"
    sb-import folders crops -o all.sb 2>said
    grep -q "$kind/broken.png: " said
    grep -q '21 in, 20 out, 1 skipped: 1 broken' said
    mkdir -p none/fish
    echo words >none/readme
    fails_saying "no JPEG or PNG" sb-import folders none
    cp "crops/$kind/broken.png" none/fish
    run -1 sb-import folders -o none.sb none
    [ ! -e none.sb ]
}

@test "folders: the group comes out of the path" {
    sb-import folders -q --group-regex '/([^/_]+)_' -o all.sb crops
    diff <(table label,group all.sb | sort) <(table label,group crops.sb | sort)
    sb-import folders -q --group-regex 'sea-1-[0-9]+' crops | sb-check
    fails_saying "$kind/" sb-import folders --group-regex '(dive[0-9]+)' crops
    fails_saying "regular expression '('" sb-import folders --group-regex '(' crops
}

@test "any number of threads gives the same bytes, and --encode the same pixels" {
    for jobs in 1 2 5; do sb-import folders -q -j $jobs -o $jobs.sb crops; done
    cmp 1.sb 2.sb
    cmp 1.sb 5.sb
    sb-import folders -q --encode raw crops | sb-export png -q -o raw/
    sb-import folders -q --encode png crops | sb-export png -q -o png/
    diff -r raw png
}

@test "coco: boxes are cut out, with parent, box and label; what has no category has no label" {
    coco '{"image_id": 7, "category_id": 3, "bbox": [10.5, 20, 30.25, 10]}, {"image_id": 7, "category_id": null, "bbox": [-5, -5, 10, 10]},
          {"image_id": 7, "category_id": 4, "bbox": [200, 0, 5, 5]}, {"image_id": 7, "category_id": 4, "bbox": null},
          {"image_id": 99, "category_id": 4, "bbox": [1, 1, 2, 2]}'
    sb-import coco -o c.sb sea/coco.json 2>said
    [ "$(table label,x,y,w,h c.sb)" = '"Aequorea ""é""",10.5,20,30.25,10
,0,0,5,5' ]
    grep -q '1 records without a label' said
    grep -q '2 unusable annotation, 1 box outside of its picture' said
    grep -q 'unusable: sea/coco.json: annotation 5: its image is not in the file' said
    sb-import coco -q --whole -o w.sb sea/coco.json
    [ "$(table parent c.sb | sort -u)" = "$(table id w.sb)" ]
    sb-import coco -q --encode raw sea/coco.json | sb-export jsonl -q | jq -c .image.shape >shapes
    [ "$(xargs <shapes)" = "[10,31,3] [5,5,3]" ]
    sb-export jsonl -q w.sb | jq -e '.boxes | length == 3'
    sb-export jsonl -q w.sb | jq -e '.labels == ["Aequorea \"é\"", "", "Beroe"]'
}

@test "coco: without pictures each annotation is a record; a class that is not listed is told apart from none" {
    coco '{"id": 41, "image_id": 7, "category_id": 3, "bbox": [10.5, 20, 30.25, 10], "score": 0.75}, {"image_id": 7, "category_id": null, "bbox": [5, 5, 10, 10]},
          {"image_id": 8, "category_id": 9, "bbox": [5, 5, 10, 10]}, {"image_id": 8, "category_id": 4, "bbox": [5, 5, 10, 10]}' \
        '{"id": 8, "file_name": "./deep\\\\gone.png", "url": "http://example.org/gone.png"}'
    sb-import coco --no-images -o c.sb sea/coco.json 2>said
    grep -q '1 annotations are of a class that the file does not list' said
    grep -q '2 in, 4 out' said
    [ "$(table label,annotation_id,confidence,url,x c.sb | tr '\n' '|')" = '"Aequorea ""é""",41,0.75,,10.5|,,,,5|,,,http://example.org/gone.png,5|Beroe,,,http://example.org/gone.png,5|' ]
    # Two of the same box: an id each.
    [ "$(table id c.sb | sort -u | wc -l)" -eq 4 ]
    [ "$(table source c.sb | tail -1)" = deep/gone.png ]
    # With pictures, the ids are the same.
    sb-import coco -q sea/coco.json -o w.sb
    diff <(table id,parent c.sb | head -2) <(table id,parent w.sb)
    sb-export jsonl -q w.sb | jq -e '.parent_size == [96, 64]' >/dev/null
}

@test "coco: pictures are found by the end of their path, too" {
    mkdir pictures
    coco '{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}'
    mv sea/*.png pictures/
    sed -i 's|"file_name": "|&/data/dive/|' sea/coco.json
    sb-import coco -q --images pictures sea/coco.json -o c.sb
    [ -f "pictures/$(table source c.sb)" ]
}

@test "coco: missing pictures are listed and counted; when all are, it fails" {
    coco '{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}, {"image_id": 8, "category_id": 3, "bbox": [1, 2, 3, 4]}' \
        '{"id": 8, "file_name": "gone.png", "coco_url": "http://example.org/gone.png"}'
    sb-import coco sea/coco.json -o c.sb 2>said
    grep -q '^sb-import: missing: gone.png: http://example.org/gone.png$' said
    grep -q '^sb-import: 2 in, 1 out, 1 skipped: 1 picture missing$' said
    fails_saying "none of its 2 pictures" sb-import coco --images crops sea/coco.json
}

@test "bad input: one clear line each" {
    echo '{"images": [' >bad.json
    fails_saying "bad.json: line " sb-import coco bad.json
    echo '{}' >bad.json
    fails_saying "not a COCO file" sb-import coco bad.json
    fails_saying "nope.json" sb-import coco nope.json
    fails_saying "nope: " sb-import folders nope
    fails_saying "not a folder" sb-import folders bad.json
    fails_saying "space" sb-import folders -o /dev/full crops
    fails_saying "would be called" sb-import folders "crops/$kind" "crops/$kind"
    run -2 sb-import
    run -2 sb-import folders
    run -2 sb-import fish crops
    run -2 sb-import folders --whole crops
    run -2 sb-import folders --encode gif crops
}

@test "real data: reef fish with their tracks" {
    [ -d "$DATA/images/f4k" ] || skip "no real data here"
    sb-import folders --group-regex 'fish_([0-9]+)_' -o f4k.sb "$DATA/images/f4k" 2>said
    grep -q '^sb-import: 483 in, 483 out$' said
    [ "$(table label f4k.sb | sort -u | wc -l)" -eq 8 ]
    table source,group f4k.sb | while IFS=, read -r source group; do [[ $source == */fish_${group}_* ]]; done
    # The data set's rule: at most 4 pictures of one animal.
    [ "$(table group f4k.sb | sort | uniq -c | sort -rn | awk 'NR == 1 { print $1 }')" -le 4 ]
}

@test "real data: FathomNet's COCO, whose pictures are elsewhere" {
    local file=$DATA/annotations/fathomnet_2025_dataset_test.json
    [ -f "$file" ] || skip "no real data here"
    fails_saying "none of its 325 pictures" sb-import coco "$file"
    cp sea/"$(ls sea | head -1)" sea/000b8e39-7240-49fd-9f50-713edcb28544.png
    run -1 sb-import coco -o f.sb --images sea "$file"
    [[ $output == *"is 96x64, its annotations are for 1920x1080"* ]]
    sb-synth frames -q -n 1 --size 1920x1080 --encode png | sb-export png -q -o big/
    mv big/*.png sea/000b8e39-7240-49fd-9f50-713edcb28544.png
    sb-import coco --images sea --whole --problems problems.csv -o f.sb "$file" 2>said
    [ "$(grep -c '^missing,.*,https://' problems.csv)" -eq 324 ]
    [ "$(grep -c 'missing: .* https://' said)" -eq 20 ]
    grep -q 'missing: 304 more' said
    grep -q '325 in, 1 out, 324 skipped: 324 pictures missing' said
    sb-export jsonl -q f.sb | jq -e '.boxes[0] == [1001, 424, 68, 44]'
}

@test "--drop leaves fields out" {
    mkdir -p pictures/fish
    sb-synth frames -q --crops -n 3 | sb-export png -q -o pictures/fish/
    sb-import folders -q --drop image pictures | sb-export jsonl -q | jq -e '.label == "fish" and (has("image") | not)'
}

@test "--map: names of a lab's own, with AphiaIDs; those that it does not have are listed" {
    coco '{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}, {"image_id": 7, "category_id": 4, "bbox": [1, 2, 5, 6]}, {"image_id": 7, "category_id": 4, "bbox": [7, 7, 8, 8]}'
    printf 'from\tto\taphia_id\nBeroe\tBeroe cucumis\t106358\n' >map.tsv
    sb-import coco --map map.tsv -o m.sb sea/coco.json 2>said
    grep -q "map.tsv: 1 name is not in it and stays: 'Aequorea \"é\"' (1)" said
    [ "$(table label,aphia_id m.sb | xargs -d'\n')" = '"Aequorea ""é""", Beroe cucumis,106358 Beroe cucumis,106358' ]
    # The ids are those of the boxes, whatever they are called.
    sb-import coco -q sea/coco.json -o plain.sb
    diff <(table id m.sb) <(table id plain.sb)
    # An empty name: no label.
    printf 'Beroe,\n"Aequorea ""é""",x\n' >map.csv
    sb-import coco --map map.csv -o m.sb sea/coco.json 2>said
    [ "$(table label m.sb | xargs -d'\n')" = 'x "" ""' ]
    grep -q '2 records without a label' said
    sb-import coco -q --whole --map map.csv sea/coco.json | sb-export jsonl -q | jq -e '.labels == ["x", "", ""]'
    echo one >bad.tsv
    fails_saying "bad.tsv: line 1" sb-import coco --map bad.tsv sea/coco.json
}

@test "options that a format has no use for are refused" {
    coco '{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}'
    for option in --fps=30 --source=dive.mp4; do
        run -2 sb-import coco $option sea/coco.json
        [[ $output == *"${option%=*} is not for coco"* ]]
    done
    run -2 sb-import folders --whole sea
    [[ $output == *"--whole is not for folders"* ]]
    printf '1,dive.mp4,3,1,2,3,4,0.5,-1,cod,0.5\n' >dive.csv
    run -2 sb-import viame --fps 30 --zone UTC dive.csv
    [[ $output == *"--zone is not for viame"* ]]
    # What a file turns out to be may have no pictures.
    fails_saying "dive.csv: annotations of video have no pictures" sb-import viame --fps 30 --encode png dive.csv
    fails_saying "dive.csv: annotations of video have no pictures" sb-import viame --fps 30 --points 20 dive.csv
    sb-import viame -q --fps 30 dive.csv | sb-export jsonl -q | jq -e '.pts == 0.1'
}
