# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wsctl_global_optspecs
    string join \n b/base= v/verbose q/quiet color= h/help V/version
end

function __fish_wsctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wsctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wsctl_using_subcommand
    set -l cmd (__fish_wsctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wsctl -n "__fish_wsctl_needs_command" -s b -l base -d 'The workspaces\' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]' -r -F
complete -c wsctl -n "__fish_wsctl_needs_command" -l color -d 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; anywhere, if CLICOLOR_FORCE is'
always\t'Wherever it goes'
never\t'Nowhere'"
complete -c wsctl -n "__fish_wsctl_needs_command" -s v -l verbose -d 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
complete -c wsctl -n "__fish_wsctl_needs_command" -s q -l quiet -d 'Log errors only, and print no summary'
complete -c wsctl -n "__fish_wsctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wsctl -n "__fish_wsctl_needs_command" -s V -l version -d 'Print version'
complete -c wsctl -n "__fish_wsctl_needs_command" -f -a "validate" -d 'Say which IDs are well formed and name a workspace that exists'
complete -c wsctl -n "__fish_wsctl_needs_command" -f -a "touch" -d 'Set the time of last access'
complete -c wsctl -n "__fish_wsctl_needs_command" -f -a "list" -d 'List workspaces with their status, age and size'
complete -c wsctl -n "__fish_wsctl_needs_command" -f -a "prune" -d 'Delete stale workspaces'
complete -c wsctl -n "__fish_wsctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -l format -d 'How to show the answers' -r -f -a "text\t'Lines for people'
json\t'One document for scripts'"
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -s b -l base -d 'The workspaces\' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]' -r -F
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -l color -d 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; anywhere, if CLICOLOR_FORCE is'
always\t'Wherever it goes'
never\t'Nowhere'"
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -s 0 -l null -d 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -s v -l verbose -d 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -s q -l quiet -d 'Log errors only, and print no summary'
complete -c wsctl -n "__fish_wsctl_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -l at -d 'The time to set, instead of now: 2026-11-23T15:51:30Z' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -s b -l base -d 'The workspaces\' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]' -r -F
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -l color -d 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; anywhere, if CLICOLOR_FORCE is'
always\t'Wherever it goes'
never\t'Nowhere'"
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -s c -l no-create -d 'Do not make a missing .metadata.json anew'
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -s 0 -l null -d 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -s v -l verbose -d 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -s q -l quiet -d 'Log errors only, and print no summary'
complete -c wsctl -n "__fish_wsctl_using_subcommand touch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l older-than -d 'Only those last accessed longer ago than this: 7d, 12h, 2weeks' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l newer-than -d 'Only those last accessed within this time: 7d, 12h, 2weeks' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l status -d 'Only those of these statuses, with commas between them' -r -f -a "ok\t''
missing\t''
corrupt\t''
denied\t''
future\t''"
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l sort -d 'What to sort by: the newest, the largest or the first ID comes first' -r -f -a "accessed\t'The last access, newest first'
created\t'The creation, newest first'
size\t'The disk usage, largest first'
id\t'The ID'"
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l limit -d 'Show no more than this many' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l format -d 'How to show them' -r -f -a "table\t'Columns for people'
json\t'One JSON document'
jsonl\t'A JSON object a line'
ids\t'The IDs alone, one a line; with -0, each with a NUL behind it'"
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s b -l base -d 'The workspaces\' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]' -r -F
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -l color -d 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; anywhere, if CLICOLOR_FORCE is'
always\t'Wherever it goes'
never\t'Nowhere'"
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s r -l reverse -d 'Reverse the order'
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s s -l size -d 'Measure disk usage as `du -sx` does, and count files'
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s 0 -l null -d 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s v -l verbose -d 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s q -l quiet -d 'Log errors only, and print no summary'
complete -c wsctl -n "__fish_wsctl_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l older-than -d 'Those last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l max-total-size -d 'Then, while all together use more than this, the least recently accessed: 10GiB' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l min-free -d 'Then, while the file system has less free than this, the least recently accessed: 5% or 20GiB' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l keep-last -d 'Keep the N last accessed, whatever else applies' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l exclude -d 'Keep this workspace (repeatable)' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l exclude-from -d 'Keep the workspaces in this file: IDs, one a line, with # comments (repeatable)' -r -F
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l max-delete -d 'Delete nothing at all if more than this many would go, or this share of all: 100 or 20%' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s j -l jobs -d 'How many threads remove at once' -r
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l format -d 'How to show the report' -r -f -a "text\t'Lines for people'
json\t'One document for scripts'"
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s b -l base -d 'The workspaces\' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]' -r -F
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l color -d 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; anywhere, if CLICOLOR_FORCE is'
always\t'Wherever it goes'
never\t'Nowhere'"
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -l use-mtime -d 'Count the newest modification of anything in a workspace as an access, too'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s n -l dry-run -d 'Decide and report the same, but change nothing'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s y -l yes -d 'Do not ask'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s 0 -l null -d 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s v -l verbose -d 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s q -l quiet -d 'Log errors only, and print no summary'
complete -c wsctl -n "__fish_wsctl_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wsctl -n "__fish_wsctl_using_subcommand help; and not __fish_seen_subcommand_from validate touch list prune help" -f -a "validate" -d 'Say which IDs are well formed and name a workspace that exists'
complete -c wsctl -n "__fish_wsctl_using_subcommand help; and not __fish_seen_subcommand_from validate touch list prune help" -f -a "touch" -d 'Set the time of last access'
complete -c wsctl -n "__fish_wsctl_using_subcommand help; and not __fish_seen_subcommand_from validate touch list prune help" -f -a "list" -d 'List workspaces with their status, age and size'
complete -c wsctl -n "__fish_wsctl_using_subcommand help; and not __fish_seen_subcommand_from validate touch list prune help" -f -a "prune" -d 'Delete stale workspaces'
complete -c wsctl -n "__fish_wsctl_using_subcommand help; and not __fish_seen_subcommand_from validate touch list prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
