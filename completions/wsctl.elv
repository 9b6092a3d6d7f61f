
use builtin;
use str;

set edit:completion:arg-completer[wsctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'wsctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'wsctl'= {
            cand -b 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --base 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --color 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]'
            cand -v 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand --verbose 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand -q 'Log errors only, and print no summary'
            cand --quiet 'Log errors only, and print no summary'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand validate 'Say which IDs are well formed and name a workspace that exists'
            cand touch 'Set the time of last access'
            cand list 'List workspaces with their status, age and size'
            cand prune 'Delete stale workspaces'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'wsctl;validate'= {
            cand --format 'How to show the answers'
            cand -b 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --base 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --color 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]'
            cand -0 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand --null 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand -v 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand --verbose 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand -q 'Log errors only, and print no summary'
            cand --quiet 'Log errors only, and print no summary'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'wsctl;touch'= {
            cand --at 'The time to set, instead of now: 2026-11-23T15:51:30Z'
            cand -b 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --base 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --color 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]'
            cand -c 'Do not make a missing .metadata.json anew'
            cand --no-create 'Do not make a missing .metadata.json anew'
            cand -0 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand --null 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand -v 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand --verbose 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand -q 'Log errors only, and print no summary'
            cand --quiet 'Log errors only, and print no summary'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'wsctl;list'= {
            cand --older-than 'Only those last accessed longer ago than this: 7d, 12h, 2weeks'
            cand --newer-than 'Only those last accessed within this time: 7d, 12h, 2weeks'
            cand --status 'Only those of these statuses, with commas between them'
            cand --sort 'What to sort by: the newest, the largest or the first ID comes first'
            cand --limit 'Show no more than this many'
            cand --format 'How to show them'
            cand -b 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --base 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --color 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]'
            cand -r 'Reverse the order'
            cand --reverse 'Reverse the order'
            cand -s 'Measure disk usage as `du -sx` does, and count files'
            cand --size 'Measure disk usage as `du -sx` does, and count files'
            cand -0 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand --null 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand -v 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand --verbose 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand -q 'Log errors only, and print no summary'
            cand --quiet 'Log errors only, and print no summary'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'wsctl;prune'= {
            cand --older-than 'Those last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months'
            cand --max-total-size 'Then, while all together use more than this, the least recently accessed: 10GiB'
            cand --min-free 'Then, while the file system has less free than this, the least recently accessed: 5% or 20GiB'
            cand --keep-last 'Keep the N last accessed, whatever else applies'
            cand --exclude 'Keep this workspace (repeatable)'
            cand --exclude-from 'Keep the workspaces in this file: IDs, one a line, with # comments (repeatable)'
            cand --max-delete 'Delete nothing at all if more than this many would go, or this share of all: 100 or 20%'
            cand -j 'How many threads remove at once'
            cand --jobs 'How many threads remove at once'
            cand --format 'How to show the report'
            cand -b 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --base 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]'
            cand --color 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --use-mtime 'Count the newest modification of anything in a workspace as an access, too'
            cand -n 'Decide and report the same, but change nothing'
            cand --dry-run 'Decide and report the same, but change nothing'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -0 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand --null 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends'
            cand -v 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand --verbose 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]'
            cand -q 'Log errors only, and print no summary'
            cand --quiet 'Log errors only, and print no summary'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'wsctl;help'= {
            cand validate 'Say which IDs are well formed and name a workspace that exists'
            cand touch 'Set the time of last access'
            cand list 'List workspaces with their status, age and size'
            cand prune 'Delete stale workspaces'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'wsctl;help;validate'= {
        }
        &'wsctl;help;touch'= {
        }
        &'wsctl;help;list'= {
        }
        &'wsctl;help;prune'= {
        }
        &'wsctl;help;help'= {
        }
    ]
    $completions[$command]
}
