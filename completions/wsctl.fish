# Completions for fish: the program itself finds the candidates.

function __wsctl
    set -l token (commandline --current-token --cut-at-cursor)
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l program $words[1]
    string match --quiet '*/wsctl' -- $program; and command --query $program; or set program wsctl
    set -l answer (COMPLETE=fish command $program -- $words $token 2>/dev/null)
    set -l option (string match --regex -- '^--[^=]*=' $token; or echo)
    set -l path (string replace -- "$option" '' $token)
    switch "$answer"
        case '*<DIR>'
            printf '%s\n' $option(__fish_complete_directories "$path" '')
        case '*<FILE>'
            printf '%s\n' $option(__fish_complete_path "$path" '')
        case '?*'
            printf '%s\n' $answer
    end
end

complete --command wsctl --keep-order --no-files --arguments '(__wsctl)'
