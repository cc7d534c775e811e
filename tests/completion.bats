load helpers

# What bash offers for the last of these words, a line each; "=" stands as a word of its own, as bash splits it.
offered() {
    bash --norc --noprofile -c '
        . "$BUILD/completion/seabot"
        complete -p "${1##*/}" >/dev/null || exit 1
        compopt() { echo "compopt $*"; } # there is no line that is being edited
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _seabot
        [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort
}

@test "bash: every program is completed, with every option that --help prints" {
    for tool in "$ROOT"/tools/sb-*.c; do
        program=$(basename "$tool" .c)
        cmp <(offered "$program" --) <("$program" --help | grep -oE '^  (-.,|   ) --[a-z][a-z0-9-]*' | grep -o -- '--.*' | sort) ||
            { echo "$program"; return 1; }
    done
}

@test "bash: words that options and first operands are" {
    [ "$(offered sb-tensorize --fit "" | xargs)" = "crop letterbox stretch" ]
    [ "$(offered sb-tensorize --fit = le | xargs)" = "letterbox" ]
    [ "$(offered sb-tensorize --fit = | xargs)" = "crop letterbox stretch" ]
    [ "$(offered sb-classify --device c | xargs)" = "cpu cuda" ]
    [ "$(offered sb-split --group-by s)" = "source" ]
    [ "$(offered sb-export cs)" = "csv" ]
    [ "$(offered sb-export --columns id,pts -o x.csv j)" = "jsonl" ]
    [ "$(offered sb-synth "" | xargs)" = "frames video" ]
    offered sb-import co | grep -qx coco
    offered build/bin/sb-import co | grep -qx coco
    # Each of them is one that the program takes.
    for format in $(offered sb-export ""); do
        said=$(sb-export "$format" /dev/null 2>&1) || [[ $said != *"no such format"* ]]
    done
}

@test "bash: files are left to bash, other values are not guessed, behind -- stands a command" {
    [ -z "$(offered sb-export jsonl d)" ]
    [ -z "$(offered sb-dedup --against d)" ]
    [ "$(offered sb-dedup --bits "")" = "compopt +o default +o bashdefault" ]
    [ -z "$(offered sb-dedup -- --ma)" ]
    offered sb-pipe --timeout 5 a.sb -- ca | grep -qx cat
    [ -z "$(offered sb-pipe a.sb -- cat --ti)" ]
    [ "$(offered sb-pipe a.sb --ti)" = "--timeout" ]
}

@test "zsh: options, words, operands, files and commands" {
    command -v zsh >/dev/null || skip "zsh is not here"
    touch "dive one.sb" reef.safetensors
    zsh -f "$ROOT/tests/complete.zsh" "$BUILD/completion" 'sb-dedup --exa' 'sb-tensorize --fit=le' 'sb-tensorize --fit le' 'sb-classify -m re' \
        'sb-export --by label js' 'sb-export jsonl di' 'sb-synth vi' 'sb-pipe dive\ one.sb -- sb-dedu' 'sb-pipe -- sb-dedup --exa' >said
    cat >want <<'EOF'
sb-dedup --exact 
sb-tensorize --fit=letterbox 
sb-tensorize --fit letterbox 
sb-classify -m reef.safetensors 
sb-export --by label jsonl 
sb-export jsonl dive\ one.sb 
sb-synth video 
sb-pipe dive\ one.sb -- sb-dedup 
sb-pipe -- sb-dedup --exact 
EOF
    diff want said
}
