# Completion for zsh out of what the programs say with --list-options: awk -f zsh.awk LISTS >_seabot
function quoted(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/'/, "'\\''", text)
    gsub(/\[/, "\\[", text)
    gsub(/\]/, "\\]", text)
    gsub(/:/, "\\:", text)
    return text
}
function action(kind,    word, n, i, list) {
    if (kind == "file") return ":file:_files"
    if (kind == "folder") return ":folder:_files -/"
    if (kind == "value") return ":value: "
    n = split(kind, word, "|")
    for (i = 1; i <= n; i++) if (word[i] !~ /[A-Z]/) list = list (list == "" ? "" : " ") quoted(word[i]) # one in capitals: any other
    return ":word:(" list ")"
}
function end_program() {
    if (program != "") body = body "    ;;\n"
}
BEGIN { FS = "\t" }
$1 != program {
    end_program()
    program = $1
    programs = programs " " program
    split($4, usage, " ")
    body = body program ")\n    options=(" (usage[1] ~ /\|/ ? "'1" action(usage[1]) "'" : "") "\n"
    body = body "        '*:file:_files')\n"
    next
}
{
    value = $4 == "flag" ? "" : action($4)
    help = "[" quoted($5) "]"
    body = body "    options+=('*" $3 (value == "" ? "" : "=") help value "'"
    if ($2 != "") body = body " '*" $2 (value == "" ? "" : "+") help value "'"
    body = body ")\n"
}
END {
    end_program()
    print "#compdef" programs
    print "# Made out of the programs' option tables."
    print "local -a options"
    print "if [[ $service == sb-pipe ]]; then # behind -- stands a command with completion of its own"
    print "    local -i at=${words[(i)--]}"
    print "    if (( at < CURRENT )); then"
    print "        shift at words"
    print "        (( CURRENT -= at ))"
    print "        _normal"
    print "        return"
    print "    fi"
    print "fi"
    print "case $service in"
    printf "%s", body
    print "esac"
    print "_arguments -s -S : $options"
}
