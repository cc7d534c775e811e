bats_require_minimum_version 1.5.0
load helpers

table() { sb-export csv -q --columns "$1" "$2" | tr -d '\r' | tail -n +2; }

# A file about a.png, 96x64: $1 is the database, $2 what stands between the size and the end.
voc() {
    printf '<?xml version="1.0"?>\n<annotation>\n<folder>VOC2007</folder><filename>a.png</filename><source><database>%s</database></source>
<size><width>96</width><height>64</height><depth>3</depth></size><segmented>0</segmented>%s</annotation>\n' "$1" "$2"
}

object() { # name xmin ymin xmax ymax [more]
    echo "<object><name>$1</name>$6<bndbox><xmin>$2</xmin><ymin>$3</ymin><xmax>$4</xmax><ymax>$5</ymax></bndbox></object>"
}

picture() { # into folder $1
    mkdir -p "$1"
    sb-synth frames -q -n 1 --size 96x64 --encode png | sb-export png -q -o sea/
    mv sea/*.png "$1/a.png"
}

@test "numbers count from where the file's database says" {
    voc "The VOC2007 Database" "$(object dog 1 1 96 64)" >challenge.xml
    voc FathomNet "$(object dog 1 1 97 65)" >fathomnet.xml
    voc Unknown "$(object dog 0.5 0 96 64)" >labelimg.xml
    for file in challenge fathomnet; do
        sb-import voc -q --no-images -o v.sb $file.xml
        [ "$(table x,y,w,h,label,source v.sb)" = 0,0,96,64,dog,a.png ]
    done
    sb-import voc -q --no-images -o v.sb labelimg.xml
    [ "$(table x,y,w,h v.sb)" = 0.5,0,95.5,64 ]
}

@test "what is said of an object, and polygons; parts are counted" {
    voc Unknown "$(object cod 10 10 30 40 '<pose>Left</pose><truncated>1</truncated><difficult>0</difficult><occluded>1</occluded><confidence>0.75</confidence>
        <attributes><attribute><name>sex</name><value>f &amp; m</value></attribute><attribute><name>track_id</name><value>7</value></attribute></attributes>
        <part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part>')
        <object><name>kelp &#233;</name><deleted>0</deleted><polygon><username>me</username><pt><x>5</x><y>6</y></pt><pt><x>25</x><y>6</y></pt><pt><x>5</x><y>26</y></pt></polygon></object>
        <object><name>eel</name><polygon><x1>1</x1><y1>2</y1><x2>9</x2><y2>2</y2><x3>4</x3><y3>8</y3></polygon><bndbox><xmin>1</xmin><xmax>9</xmax><ymin>2</ymin><ymax>8</ymax></bndbox></object>
        <object><name>gone</name><deleted>1</deleted></object><object><name>nowhere</name></object>" >v.xml
    sb-import voc --no-images -o v.sb v.xml 2>said
    grep -q '1 in, 3 out, 3 skipped: 1 part of an object, 1 deleted in its file, 1 unusable annotation$' said
    grep -q 'unusable: v.xml: object 5: it has no box' said
    sb-export jsonl -q v.sb >v.jsonl
    jq -se '.[0] | .truncated and .occluded and .difficult == false and .confidence == 0.75 and .track == "7" and .attributes == {pose: "Left", sex: "f & m"}
        and .parent_size == [96, 64] and (has("label_status") | not)' v.jsonl
    jq -se '.[1] | .label == "kelp é" and .shape == "Polygon" and .points == [[5, 6], [25, 6], [5, 26]] and .box == [5, 6, 20, 20]' v.jsonl
    jq -se '.[2] | .points == [[1, 2], [9, 2], [4, 8]] and .box == [1, 2, 8, 6]' v.jsonl
}

@test "pictures lie beside the file, in JPEGImages beside its folder, or where --images says" {
    mkdir -p dive/Annotations
    voc Unknown "$(object cod 10 10 30 40)" | sed 's|a.png|a|' >dive/Annotations/a.xml
    picture dive/JPEGImages
    sb-import voc -q --encode raw dive | sb-export jsonl -q | jq -e '.source == "a" and .image.shape == [30, 20, 3]'
    mv dive/JPEGImages/a.png dive/Annotations/
    sb-import voc -q dive/Annotations/a.xml | sb-check
    mkdir elsewhere
    mv dive/Annotations/a.png elsewhere/
    fails_saying "none of its 1 pictures" sb-import voc dive
    sed -i 's|<filename>a<|<filename>C:\\pictures\\a.png<|' dive/Annotations/a.xml
    sb-import voc -q --images elsewhere dive -o v.sb
    [ "$(table source v.sb)" = a.png ]
    # A picture without objects is one without an animal.
    voc Unknown "" >dive/Annotations/a.xml
    sb-import voc -q --whole --images elsewhere dive | sb-export jsonl -q | jq -e '.source == "a.png" and (has("boxes") | not)'
    fails_saying "nothing in it could be imported" sb-import voc -q --images elsewhere dive
}

@test "two folders of the same names stay apart; two files of one picture are refused" {
    mkdir -p all/train/Annotations all/val/Annotations
    voc Unknown "$(object cod 10 10 30 40)" | tee all/train/Annotations/a.xml >all/val/Annotations/a.xml
    picture all/train/JPEGImages
    picture all/val/JPEGImages
    sb-import voc -q -o v.sb all
    [ "$(table source v.sb | xargs)" = "train/a.png val/a.png" ]
    cp all/val/Annotations/a.xml all/val/Annotations/b.xml
    fails_saying "another file is of the picture 'val/a.png', too" sb-import voc all
}

@test "hostile XML: entities, files named in it, depth" {
    voc Unknown "$(object '&lol9;' 1 1 9 9)" | sed '1a <!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol9 "&lol;&lol;&lol;&lol;">]>' >v.xml
    fails_saying "v.xml: line 2: it declares entities" sb-import voc v.xml
    voc Unknown "$(object '&x;' 1 1 9 9)" | sed '1a <!DOCTYPE a [<!ENTITY x SYSTEM "/etc/passwd">]>' >v.xml
    fails_saying "declares entities" sb-import voc v.xml
    voc Unknown "$(object '&x;' 1 1 9 9)" | sed '1a <!DOCTYPE annotation SYSTEM "/etc/passwd">' >v.xml
    sb-import voc -q --no-images v.xml | sb-export jsonl -q | jq -e 'has("label") | not'
    { printf '<annotation>'; for ((i = 0; i < 40; i++)); do printf '<a>'; done; } >v.xml
    fails_saying "elements inside of elements" sb-import voc v.xml
    { printf '<annotation><filename>'; head -c 100000 /dev/zero | tr '\0' a; } >v.xml
    fails_saying "too long" sb-import voc v.xml
}

@test "bad input: one clear line each" {
    voc Unknown "$(object cod 10 ten 30 40)" >v.xml
    fails_saying "v.xml: line 4: a number is wanted here" sb-import voc v.xml
    voc Unknown "" | head -c 100 >v.xml
    fails_saying "v.xml: line 3: " sb-import voc v.xml
    echo '<svg/>' >v.xml
    fails_saying "its root is no <annotation>" sb-import voc v.xml
    : >v.xml
    fails_saying "v.xml: line 1: no element found" sb-import voc v.xml
    mkdir empty
    fails_saying "empty: no XML files" sb-import voc empty
    fails_saying "nope: " sb-import voc nope
}

@test "real data: a fish tank, as Python counts it" {
    [ -d "$DATA/annotations/tank_voc" ] || skip "no real data here"
    python3 -c pass || skip "no python3"
    sb-import voc --images "$DATA/images/tank" -o v.sb "$DATA/annotations/tank_voc" 2>said
    grep -q '^sb-import: 50 in, 276 out$' said
    python3 - "$DATA/annotations/tank_voc" >want <<'END'
import glob, sys, xml.etree.ElementTree as tree
for path in sorted(glob.glob(sys.argv[1] + "/*.xml")):
    root = tree.parse(path).getroot()
    for o in root.iter("object"):
        x, y, right, bottom = (float(o.findtext("bndbox/" + k)) for k in ("xmin", "ymin", "xmax", "ymax"))
        print(root.findtext("filename"), o.findtext("name"), *("%.1f" % v for v in (x, y, right - x, bottom - y)))
END
    sb-import voc -q --no-images "$DATA/annotations/tank_voc" | sb-export jsonl -q |
        jq -r '[.source, .label, .box[]] | @tsv' | LC_ALL=C awk '{ printf "%s %s %.1f %.1f %.1f %.1f\n", $1, $2, $3, $4, $5, $6 }' >have
    [ "$(wc -l <want)" -eq 276 ]
    diff <(awk '{ print $1, $2 }' want) <(awk '{ print $1, $2 }' have)
    paste -d' ' want have | awk '{ for (i = 3; i <= 6; i++) if (($i - $(i + 6)) ^ 2 > 0.02) { print; exit 1 } }'
}
