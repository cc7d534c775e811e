# What a tab makes of command lines: zsh -f complete.zsh FOLDER LINE... prints a line for each, where one completion is possible.
# FOLDER has _seabot. They are typed into an interactive shell on a pseudo-terminal.
zmodload zsh/zpty
zpty -b shell zsh -f
zpty -w shell "unset zle_bracketed_paste; PS1=; PS2=; stty -echo cols 400; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'show() { print -r -- "$BUFFER" >>lines; BUFFER=; }; zle -N show; bindkey "^T" show; bindkey "^I" complete-word'
for ((n = 2; n <= $#; n++)); do
    zpty -w -n shell "${argv[n]}"$'\t\x14'
    for ((i = 0; i < 500; i++)); do # the next one is typed when this one is done
        zpty -r -t shell output
        [[ -e lines && $(wc -l <lines) -eq $((n - 1)) ]] && break
        sleep 0.02
    done
done
cat lines
