# Completions for bash: the program itself finds the candidates.

_wsctl() {
    # Bash takes --sort=size for three words, unless COMP_WORDBREAKS lacks the `=`.
    local i index words=()
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        local word=${COMP_WORDS[i]}
        # Of the word at the cursor, take what is before the cursor, without an open quote.
        [[ $i -ne $COMP_CWORD || $word == = ]] || word=$2
        if [[ $i -gt 1 && (${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == =) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        [[ $i -ne $COMP_CWORD ]] || index=$((${#words[@]} - 1))
    done

    # The program on the line, unless that is an alias. An alias may have the name of another program.
    local program=${1/#\~\//$HOME/}
    [[ $program == */wsctl && -x $program ]] || program=wsctl
    # A line is a candidate. (mapfile would read a pipe byte by byte.)
    local IFS=$'\n' -
    set -f
    COMPREPLY=($(_CLAP_COMPLETE_INDEX=$index COMPLETE=bash "$program" -- "${words[@]}" 2>/dev/null))
    case ${COMPREPLY[0]-} in
        *'<DIR>') COMPREPLY=() && compopt -o dirnames ;;
        *'<FILE>') COMPREPLY=() && compopt -o default ;;
        --*=*) [[ $2 == --* ]] || COMPREPLY=("${COMPREPLY[@]#--*=}") ;;
    esac
}

complete -o nosort -F _wsctl wsctl
