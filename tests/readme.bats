# What README has a newcomer type (its lines "    $ ..."), in the folder where it has them type it, with small models in the
# place of the demo's.
load helpers
load fixture

@test "README's commands run, in their order" {
    mkdir demo
    ln -s "$ROOT/pipelines" "$ROOT/man" .
    cp "$BATS_FILE_TMPDIR"/{dive.mp4,reef.safetensors,words.safetensors} demo/
    # Lines that end with a backslash go on.
    awk '/^    \$ / || goes_on { line = $0; sub(/^    (\$ )?/, "", line); print line; goes_on = /\\$/ }' "$ROOT/README.md" >script
    grep -qx 'cd demo' script
    [ "$(grep -c '^\(sb-\|make\|printf\)' script)" -ge 12 ]
    bash -e -o pipefail script >out 2>err </dev/null || { cat script err; return 1; }
    cd demo
    [ "$(tail -n +2 picked/manifest.csv | wc -l)" -eq "$(ls picked/*.jpg | wc -l)" ]
    [ -s season/pick.png ]
    [ "$(tail -n +2 season/problems.csv | wc -l)" -eq 0 ]
    # Each occurrence has its place.
    [ "$(tail -n +2 occurrences.csv | wc -l)" -eq "$(tail -n +2 picked/manifest.csv | wc -l)" ]
    awk -F, 'NR > 1 && ($5 == "" || $6 == "" || $8 == "") { exit 1 }' occurrences.csv
}
