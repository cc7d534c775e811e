bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth frames -q -n 20 --seed 1 --crops -o crops.sb
    sb-tensorize -q --size 8 --drop image -o u8.sb crops.sb
    sb-tensorize -q --size 8 --type f32 --drop image -o f32.sb crops.sb
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$BATS_FILE_TMPDIR"/*.sb .
}

@test "npy: one array, its records in a table of the same order" {
    sb-export npy -q -o x.npy f32.sb
    # 20 records of 3 x 8 x 8 floats behind a header of 128 bytes.
    [ "$(stat -c %s x.npy)" -eq $((128 + 20 * 3 * 8 * 8 * 4)) ]
    head -c 128 x.npy | tr -d '\0' | grep -aq "'descr': '<f4', 'fortran_order': False, 'shape': (20, 3, 8, 8), }"
    diff <(tail -n +2 x.npy.csv | cut -d, -f1) <(sb-export jsonl -q f32.sb | jq -r .id)
    jq -e '.history[-1].args[0] == "npy"' x.npy.history.json
    sb-export npy -q --field box --columns label,id -o box.npy f32.sb
    [ "$(head -1 box.npy.csv)" = $'label,id\r' ]
    sb-export npy -q --by label -o by/ u8.sb
    [ "$(cat by/*.npy | wc -c)" -eq $(($(ls by/*.npy | wc -l) * 128 + 20 * 192)) ]
    diff <(cat by/*.csv | grep -v '^id' | cut -d, -f1 | sort) <(sb-export jsonl -q u8.sb | jq -r .id | sort)
}

@test "npy: NumPy maps it, and finds what msgpack-numpy finds in the stream" {
    python3 -c 'import numpy, msgpack_numpy' 2>/dev/null || skip "no Python with numpy and msgpack-numpy"
    for kind in u8 f32; do
        sb-export npy -q -o $kind.npy $kind.sb
        python3 - $kind <<'P'
import sys, csv, msgpack, msgpack_numpy, numpy
kind = sys.argv[1]
array = numpy.load(kind + ".npy", mmap_mode="r")
rows = list(csv.DictReader(open(kind + ".npy.csv", newline="")))
records = [r for r in msgpack.Unpacker(open(kind + ".sb", "rb"), object_hook=msgpack_numpy.decode) if "id" in r]
assert array.shape == (20, 3, 8, 8) and array.dtype == {"u8": "uint8", "f32": "float32"}[kind], (array.shape, array.dtype)
for one, row, record in zip(array, rows, records):
    assert row["id"] == record["id"] and (one == record["tensor"]).all()
P
    done
}

# {"id": "a", "v": bf16 [2] = 1, -2}; as f16 with the type given
two() { printf '\x82\xa2id\xa1a\xa1v\x86\xc4\x02nd\xc3\xc4\x04type\xa3%s\xc4\x04kind\xc4\0\xc4\x05shape\x91\x02\xc4\x04data\xc4\x04%b%s' "$1" "$2" "$3"; }

@test "npy: bf16 becomes f32, and that is said" {
    two '<u2' '\x80\x3f\x00\xc0' $'\xa5dtype\xa4bf16' >v.sb
    sb-export npy --field v -o v.npy v.sb 2>said
    grep -q "^sb-export: field 'v' is bf16, which NumPy has not: it is written as f32$" said
    tail -c 8 v.npy | cmp - <(printf '\0\0\x80\x3f\0\0\0\xc0')
}

@test "npy: arrays without elements, and shapes that are none" {
    array() { printf '\x81\xa1v\x85\xc4\x02nd\xc3\xc4\x04type\xa3|u1\xc4\x04kind\xc4\0\xc4\x05shape'"$1"'\xc4\x04data\xc4\0'; }
    array '\x92\x02\0' >v.sb
    sb-export npy -q --field v -o v.npy v.sb
    tr -d '\0' <v.npy | grep -aq "'shape': (1, 2, 0), }"
    array '\x93\xcf\x40\0\0\0\0\0\0\0\xcf\x40\0\0\0\0\0\0\0\0' >v.sb # 2^62, 2^62, 0
    fails_saying "field 'v': the array's shape is too large" sb-export npy -q --field v -o w.npy v.sb
}

@test "npy: what does not fit into one array is one line, and no file" {
    fails_saying "field 'image' is u8 [" sb-export npy --field image -o x.npy crops.sb
    fails_saying "no record has an embedding or a tensor: name a --field" sb-export npy -o x.npy crops.sb
    fails_saying "no record has nothing" sb-export npy --field nothing -o x.npy crops.sb
    fails_saying "field 'label' is a str" sb-export npy --field label -o x.npy crops.sb
    fails_saying "is no file: the array" sb-export npy --field box -o >(cat >/dev/null) crops.sb
    run -2 sb-export npy crops.sb
    [ -z "$(ls | grep npy)" ]
    # Records without the field are counted, and are not in the table either.
    { two '<f2' '\x00\x3c\x00\xc0' '' | sed 's/\x86\xc4\x02nd/\x85\xc4\x02nd/'; printf '\x81\xa2id\xa1b'; } >some.sb
    sb-export npy --field v -o v.npy some.sb 2>said
    grep -q '2 in, 1 out, 1 skipped: 1 without the field' said
    [ "$(wc -l <v.npy.csv)" -eq 2 ]
}
