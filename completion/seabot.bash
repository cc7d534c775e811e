
# The words before the one to be completed: $option, whose value it is, and $operands, how many stand there. Where "--" was among
# them, $ended says at which place.
_seabot_walk() {
    local i word kind options operand
    option='' operands=0 ended=''
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $option ]]; then
            [[ $word == = ]] || option='' # bash makes three words of --name=value
        elif [[ $ended || $word != -?* ]]; then
            ((++operands))
        elif [[ $word == -- ]]; then
            ended=$i
        else
            _seabot_table "$word"
            [[ ! $kind ]] || option=$word
        fi
    done
}

_seabot() {
    local program=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} option operands ended kind options operand
    COMPREPLY=()
    _seabot_walk
    _seabot_table "$option"
    [[ $cur != = ]] || cur=
    if [[ $program == sb-pipe && $ended ]]; then
        ((COMP_CWORD > ended + 1)) || mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    elif [[ $option ]]; then
        case $kind in
        file | folder) ;; # bash's own completion knows file names best
        value) compopt +o default +o bashdefault ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur") ;;
        esac
    elif [[ $cur == -* && ! $ended ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    elif [[ $operand && $operands -eq 0 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$operand" -- "$cur")
    fi
}
