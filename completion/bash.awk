# Completion for bash out of what the programs say with --list-options: awk -f bash.awk LISTS >sb-programs
# bash-completion loads the file by a program's name; sourced, it does for all of them.
function words_of(kind,    word, n, i, list) {
    n = split(kind, word, "|")
    for (i = 1; i <= n; i++) if (word[i] !~ /[A-Z]/) list = list (list == "" ? "" : " ") word[i] # one in capitals stands for any
    return list
}
function end_program() {
    if (program == "") return
    printf "    %s)\n        options='%s' operand='%s'\n        case $1 in\n%s        esac ;;\n", program, options, operand, values
}
BEGIN {
    FS = "\t"
    print "# Made out of the programs' option tables."
    print "# What option $1 of $program takes, in $kind: nothing, a file, a folder, any value, or one of these words."
    print "_seabot_table() {"
    print "    kind='' options='' operand=''"
    print "    case $program in"
}
$1 != program {
    end_program()
    program = $1
    options = values = ""
    split($4, usage, " ")
    operand = usage[1] ~ /\|/ ? words_of(usage[1]) : ""
    programs = programs " " program
    next
}
{
    options = options (options == "" ? "" : " ") $3
    if ($4 != "flag") values = values "        " ($2 == "" ? "" : $2 "|") $3 ") kind='" ($4 ~ /\|/ ? words_of($4) : $4) "' ;;\n"
}
END {
    end_program()
    print "    esac\n}"
    while ((getline line < rest) > 0) print line
    print "complete -o bashdefault -o default -F _seabot" programs
}
