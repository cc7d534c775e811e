load helpers
load fixture

# A folder with a model as timm publishes it.
published() {
    mkdir "$1"
    cp "$ROOT/tests/golden/names/timm/model.safetensors" "$1"
    jq '.pretrained_cfg = {input_size: [3, 12, 12], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}' \
        "$ROOT/tests/golden/names/timm/config.json" >"$1/config.json"
}

# Runs the lines "$ ..." of a page's EXAMPLES, in order, in one directory; each must succeed.
run_examples() {
    local page=$1 dir
    dir=$BATS_TEST_TMPDIR/$(basename "$page")
    mkdir "$dir"
    published "$dir/vit"
    ln -s "$ROOT/pipelines" "$dir"
    cp -r "$BATS_FILE_TMPDIR"/{dive.mp4,dive.truth.sb,dive.sb,crops.sb,crops,reef.safetensors,words.safetensors} "$dir"
    # The page as a reader sees it; mdoc's \e is a backslash, lines that end with one go on.
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\$ //p' "$page" | sed 's/\\e/\\/g' >"$dir/script"
    [ -s "$dir/script" ] || { echo "$page has no examples"; return 1; }
    (cd "$dir" && bash -e -o pipefail script >out 2>err </dev/null) || { echo "$page: an example fails"; cat "$dir/script" "$dir/err"; return 1; }
}

@test "every program has a man page, and every page is well-formed" {
    for tool in "$ROOT"/tools/sb-*.c; do [ -e "$ROOT/man/$(basename "$tool" .c).1" ]; done
    for page in "$ROOT"/man/*; do
        said=$(mandoc -Tlint -W warning "$page" || :)
        [ -z "$said" ] || { echo "$said"; return 1; }
    done
}

@test "man pages name every option that --help prints" {
    missing=""
    for page in "$ROOT"/man/sb-*.1; do
        program=$(basename "$page" .1)
        for option in $("$program" --help | sed -n 's/^ .*--\([a-z][a-z-]*\).*/\1/p' | grep -vx 'help\|version\|quiet\|jobs\|output\|drop\|model\|seed\|device\|batch'); do
            grep -qE -- "(Fl|,) -$option\b" "$page" || missing="$missing $program:--$option"
        done
    done
    [ -z "$missing" ] || { echo "not in a man page:$missing"; return 1; }
}

@test "every program answers --version and --help, and refuses an unknown option with 2" {
    for tool in "$ROOT"/tools/sb-*.c; do
        program=$(basename "$tool" .c)
        "$program" --version | grep -q "^$program [0-9]"
        "$program" --help | grep -q "^usage: $program"
        run "$program" --no-such-option
        [ "$status" -eq 2 ]
    done
}

@test "the examples of the pages run" {
    failed=0
    for page in "$ROOT"/man/*.[157]; do
        grep -q '^\.Sh EXAMPLES' "$page" || continue
        run_examples "$page" || failed=1
    done
    [ "$failed" -eq 0 ]
}
