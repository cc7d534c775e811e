bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    for n in 1 2 3; do sb-synth frames -q -n 6 --per-dive 3 --size 48x48 --seed $n -o $n.sb; done
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/?.sb .
}

json() { sb-export jsonl -q "$@"; }
python_here() { python3 -c 'import msgpack' 2>/dev/null || skip "no python3 with msgpack here"; }
# foreign RECORD...: a stream of Python's, without a header.
foreign() { python3 -c 'import msgpack, sys; [sys.stdout.buffer.write(msgpack.packb(eval(r))) for r in sys.argv[1:]]' "$@"; }

@test "one after the other, every byte of every record; files, pipes and standard input" {
    sb-cat -o all.sb 1.sb 2.sb 3.sb 2>said
    grep -qx 'sb-cat: 18 in, 18 out' said
    sb-check -q all.sb
    cmp <(json all.sb) <(json 1.sb; json 2.sb; json 3.sb)
    cmp <(sb-export png -q -o a/ all.sb; cat a/*) <(for n in 1 2 3; do sb-export png -q -o b/ $n.sb; done; cat b/*)
    sb-cat -q 1.sb - 3.sb <2.sb | json - | cmp - <(json all.sb)
    cat 2.sb | sb-cat -q <(cat 1.sb) - 3.sb | json - | cmp - <(json all.sb)
    sb-cat -q <1.sb | json - | cmp - <(json 1.sb)
    sb-cat -q --drop image 1.sb 2.sb | json - | jq -e 'has("image") | not' >truth
    [ "$(wc -l <truth)" -eq 12 ]
    run -2 sb-cat - 1.sb -
}

@test "more files than a process may open" {
    names=()
    for i in $(seq 40); do ln -s 1.sb "l$i.sb"; names+=("l$i.sb"); done
    (ulimit -n 16 && sb-cat -o all.sb "${names[@]}") 2>said
    grep -qx 'sb-cat: 240 in, 6 out, 234 skipped: 234 the same again' said
}

@test "all histories are kept, also of streams that were joined before" {
    sb-pick -q --first 3 -o 1a.sb 1.sb
    sb-cat -q -o 12.sb 1a.sb 2.sb
    sb-pick -q --first 5 12.sb | sb-cat -q -o all.sb 3.sb -
    sb-check -v all.sb | sed -n '/^history/,/^fields/p' | grep -v '^$\|^fields' >said
    cat >want <<'EOT'
history
  sb-cat 0.1.0 3.sb - (inputs 0, 3)
history of input 0
  sb-synth 0.1.0 frames --number=6 --per-dive=3 --size=48x48 --seed=3
history of input 1
  sb-synth 0.1.0 frames --number=6 --per-dive=3 --size=48x48 --seed=1
  sb-pick 0.1.0 --first=3 1.sb
history of input 2
  sb-synth 0.1.0 frames --number=6 --per-dive=3 --size=48x48 --seed=2
history of input 3
  sb-cat 0.1.0 1a.sb 2.sb (inputs 1, 2)
  sb-pick 0.1.0 --first=5 12.sb
EOT
    diff want said
}

@test "a model that was trained on joined streams has all of their histories" {
    for n in 1 2; do sb-synth frames -q --crops -n 8 --size 64x64 --seed $n | sb-tensorize -q --size 8 --fit stretch -o t$n.sb; done
    sb-cat -q t1.sb t2.sb | sb-train -q --arch dim=8,depth=1,heads=1 --patch 8 --epochs 1 --warmup 0 -o m.safetensors - >log
    size=$(od -A n -t u8 -N 8 m.safetensors)
    tail -c +9 m.safetensors | head -c "$size" | jq -r .__metadata__.history >history
    jq -e 'map(.tool) == ["sb-cat", "sb-train"]' history
    jq -e '.[0].inputs | map(map(.tool)) == [["sb-synth", "sb-tensorize"], ["sb-synth", "sb-tensorize"]]' history
    jq -e '.[0].inputs[1][0].args | index("--seed=2")' history
}

@test "records that come again are dropped and counted; others of the same id end it, naming both files" {
    sb-cat -o all.sb 1.sb 2.sb 1.sb 2>said
    grep -qx 'sb-cat: 18 in, 12 out, 6 skipped: 6 the same again' said
    cmp <(json all.sb) <(json 1.sb; json 2.sb)
    sb-split -q --group-by id -o changed.sb 1.sb
    id=$(json 1.sb | jq -r .id | head -n 1)
    fails_saying "changed.sb: record 1: another record of 1.sb has its id $id (--prefix tells inputs apart)" sb-cat -o x.sb 2.sb 1.sb changed.sb
    [ ! -e x.sb ]
    python_here
    foreign '{"id": "a", "n": 1}' '{"id": "b"}' '{"n": 5}' '{"n": 5}' '{"id": "a", "n": 2}' >twice.sb
    run -1 sb-cat -o x.sb 1.sb twice.sb
    [[ $output == *"twice.sb: record 5: another record of twice.sb has its id a" ]]
    foreign '{"id": 3}' >odd.sb
    run -1 sb-cat -o x.sb odd.sb
    [[ $output == *"odd.sb: record 1: field 'id' is an integer, not a str" ]]
}

@test "--prefix: sources, groups and ids are told apart, parents still found" {
    sb-split -q --group-by id -o changed.sb 1.sb
    sb-cat -q --prefix -o all.sb 1.sb changed.sb
    json all.sb | jq -r .id | sort -u | wc -l | grep -qx 12
    json all.sb | jq -r '.source, .group' | sed 's,/.*,,' | sort | uniq -c | xargs | grep -qx '12 1 12 changed'
    cmp <(json all.sb | jq -r .source | sed 's/^[^/]*.//') <(for i in 1 2; do json 1.sb | jq -r .source; done)
    # The same names give the same ids, whatever else is joined.
    mkdir elsewhere && cp 1.sb elsewhere
    sb-cat -q --prefix elsewhere/1.sb 2.sb | json - | head -n 6 | cmp - <(json all.sb | head -n 6)
    run -2 sb-cat --prefix -o x.sb 1.sb elsewhere/1.sb
    [[ $output == *"two inputs are called '1'"* ]]
    python_here
    foreign '{"id": "frame"}' '{"id": "crop", "parent": "frame", "duplicate_of": "frame", "keep": [1, {"id": "frame"}]}' >f.sb
    sb-cat -q --prefix f.sb 1.sb 2>/dev/null | json - | head -n 2 | jq -s -e '.[0].id == .[1].parent and .[1].duplicate_of == .[1].parent and .[1].id != "crop" and .[1].keep[1].id == "frame"'
}

@test "tensors of different preprocessing are refused, other keys that differ are dropped with a warning" {
    sb-tensorize -q --size 16 -o a.sb 1.sb
    sb-tensorize -q --size 16 -o b.sb 2.sb
    sb-tensorize -q --size 24 -o c.sb 3.sb
    sb-tensorize -q --size 16 --mean 0.4,0.4,0.4 --std 0.5,0.5,0.5 -o d.sb 3.sb
    sb-cat -q -o ab.sb a.sb b.sb
    sb-check -v ab.sb | grep -q '^  tensor: {"size": 16'
    fails_saying "tensors were made in different ways: a.sb has size 16, c.sb has 24" sb-cat -o x.sb a.sb b.sb c.sb
    fails_saying "tensors were made in different ways: a.sb has mean 0.5,0.5,0.5, d.sb has 0.4,0.4,0.4" sb-cat -o x.sb a.sb b.sb d.sb
    fails_saying "a.sb says how its tensors were made, 2.sb does not" sb-cat -o x.sb a.sb 2.sb
    fails_saying "a.sb says how its tensors were made, 2.sb does not" sb-cat -o x.sb 2.sb a.sb
    [ ! -e x.sb ]
    # What else they hold can be joined; the header says nothing of tensors then.
    sb-cat -q --drop tensor -o rest.sb 2.sb a.sb c.sb 2>&1 | grep . && return 1
    sb-check -v rest.sb | grep -q '^  tensor' && return 1
    [ "$(json rest.sb | wc -l)" -eq 18 ] && sb-check -q rest.sb
    # Files of hashes say of what their hashes are.
    for n in 1 2; do sb-dedup -q --save-hashes h$n.hashes -o x$n.sb $n.sb; done
    sb-dedup -q --crops --save-hashes h3.hashes -o x3.sb 3.sb
    sb-cat -o h.hashes h1.hashes h2.hashes 2>said
    [ "$(wc -l <said)" -eq 1 ]
    sb-cat -q --prefix 1.sb | sb-dedup -q --against h.hashes -o none.sb
    [ "$(json none.sb | wc -l)" -eq 0 ]
    sb-cat -o x.hashes h1.hashes h2.hashes h3.hashes 2>said
    grep -qx "sb-cat: the header's 'phash_of' is left out: it is not the same in h1.hashes and h3.hashes" said
}

@test "embeddings of different models are refused, unless they are dropped" {
    for n in 1 2; do
        sb-synth frames -q --crops -n 8 --size 64x64 --seed $n | sb-tensorize -q --size 8 --fit stretch -o t$n.sb
        sb-train -q --arch dim=8,depth=1,heads=1 --patch 8 --epochs 1 --warmup 0 --seed $n -o m$n.safetensors t$n.sb >log
    done
    for n in 1 2; do sb-classify -q -m m1.safetensors --embed --drop image -o one$n.sb t$n.sb; done
    sb-classify -q -m m2.safetensors --embed --drop image -o other.sb t2.sb
    sb-cat -q one1.sb one2.sb | sb-check -q
    run -1 sb-cat -q -o x.sb one1.sb other.sb
    [[ $output == "sb-cat: embeddings are of different models: one1.sb's of "????????"..., other.sb's of "* ]]
    # Also where one was joined before.
    sb-cat -q -o both.sb one1.sb one2.sb
    run -1 sb-cat -q -o x.sb other.sb both.sb
    [[ $output == *"embeddings are of different models: other.sb's of "????????"..., both.sb's of "* ]]
    [ ! -e x.sb ]
    sb-cat -q --drop embedding one1.sb other.sb | sb-check -q
    sb-pick -q --drop embedding other.sb | sb-cat -q one1.sb - | sb-check -q
}

@test "the same numbers spelt otherwise are the same preprocessing" {
    python3 -c 'import msgpack, xxhash' 2>/dev/null || skip "no python3 with msgpack and xxhash here"
    for n in 1 2 3; do
        python3 - "$n" >h$n.sb <<'EOT'
import msgpack, sys
n = int(sys.argv[1])
tensor = {"size": 16, "crop": 1 if n < 3 else 1.0, "fit": "short", "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.5] * 3}
header = {"seabot": 1, "tensor": tensor, "ship": "Sonne", "leg": n}
if n == 1: header["only"] = True
sys.stdout.buffer.write(msgpack.packb(header) + msgpack.packb({"id": str(n)}))
EOT
    done
    for n in 1 2 3; do python3 -c '
import msgpack, sys, xxhash
data = open(sys.argv[1], "rb").read()
open(sys.argv[1], "ab").write(msgpack.packb({"end": 1, "xxh3": xxhash.xxh3_128_hexdigest(data)}))' h$n.sb; done
    sb-cat -o h.sb h1.sb h2.sb h3.sb 2>said
    grep -qx "sb-cat: the header's 'leg' is left out: it is not the same in h1.sb and h2.sb" said
    grep -qx "sb-cat: the header's 'only' is left out: it is not the same in h1.sb and h2.sb" said
    sb-check -v h.sb >about
    grep -q '^  ship: "Sonne"' about
    grep -q '^  tensor: {"size": 16' about
    fails grep -q '^  leg\|^  only' about
}

@test "no trailer unless all inputs were whole" {
    head -c -20 2.sb >cut.sb
    fails_saying "cut.sb: stream cut off after 6 records" sb-cat -o x.sb 1.sb cut.sb 3.sb
    fails_saying "empty, not a SeaBot stream" sb-cat -o x.sb 1.sb <(:)
    status=0
    sb-cat -q 1.sb cut.sb 2>/dev/null >out.sb || status=$?
    [ "$status" -eq 1 ]
    fails sb-check -q out.sb 2>/dev/null
    fails_saying "no-such.sb: No such file" sb-cat -o x.sb 1.sb no-such.sb
    fails_saying "not a SeaBot stream" sb-cat -o x.sb 1.sb <(echo hello)
    fails_saying "space" sb-cat -q -o /dev/full 1.sb
    [ ! -e x.sb ]
    # A damaged record in the middle of the second file.
    { head -c 20000 2.sb; printf X; tail -c +20002 2.sb; } >hurt.sb
    fails_saying "hurt.sb: damaged" sb-cat -o x.sb 1.sb hurt.sb
}

@test "streams of scripts, without a header, are joined with a warning" {
    python_here
    foreign '{"id": "a"}' >f.sb
    sb-cat -o all.sb 1.sb f.sb f.sb 2>said
    [ "$(grep -c 'f.sb: no header' said)" -eq 2 ]
    grep -qx 'sb-cat: 8 in, 7 out, 1 skipped: 1 the same again' said
    sb-check -v all.sb | grep -q '(inputs 0, 1, 2)'
}

@test "a live pipe keeps moving" {
    mkfifo slow
    { head -c 15000 1.sb; sleep 5; } >slow &
    timeout 4 sb-cat 2.sb slow >out.sb 2>/dev/null &
    for _ in $(seq 30); do
        sleep 0.1
        [ "$(stat -c %s out.sb)" -lt 50000 ] || break
    done
    [ "$(stat -c %s out.sb)" -ge 50000 ] # all of 2.sb and the whole records of the other
    kill $(jobs -p) 2>/dev/null || : # what still waits; either may have ended by itself
}
