
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'wsctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'wsctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'wsctl' {
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--base', '--base', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('validate', 'validate', [CompletionResultType]::ParameterValue, 'Say which IDs are well formed and name a workspace that exists')
            [CompletionResult]::new('touch', 'touch', [CompletionResultType]::ParameterValue, 'Set the time of last access')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List workspaces with their status, age and size')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Delete stale workspaces')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'wsctl;validate' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to show the answers')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--base', '--base', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wsctl;touch' {
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'The time to set, instead of now: 2026-11-23T15:51:30Z')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--base', '--base', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Do not make a missing .metadata.json anew')
            [CompletionResult]::new('--no-create', '--no-create', [CompletionResultType]::ParameterName, 'Do not make a missing .metadata.json anew')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wsctl;list' {
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Only those last accessed longer ago than this: 7d, 12h, 2weeks')
            [CompletionResult]::new('--newer-than', '--newer-than', [CompletionResultType]::ParameterName, 'Only those last accessed within this time: 7d, 12h, 2weeks')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only those of these statuses, with commas between them')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'What to sort by: the newest, the largest or the first ID comes first')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show no more than this many')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to show them')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--base', '--base', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Reverse the order')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Reverse the order')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Measure disk usage as `du -sx` does, and count files')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Measure disk usage as `du -sx` does, and count files')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wsctl;prune' {
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Those last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months')
            [CompletionResult]::new('--max-total-size', '--max-total-size', [CompletionResultType]::ParameterName, 'Then, while all together use more than this, the least recently accessed: 10GiB')
            [CompletionResult]::new('--min-free', '--min-free', [CompletionResultType]::ParameterName, 'Then, while the file system has less free than this, the least recently accessed: 5% or 20GiB')
            [CompletionResult]::new('--keep-last', '--keep-last', [CompletionResultType]::ParameterName, 'Keep the N last accessed, whatever else applies')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Keep this workspace (repeatable)')
            [CompletionResult]::new('--exclude-from', '--exclude-from', [CompletionResultType]::ParameterName, 'Keep the workspaces in this file: IDs, one a line, with # comments (repeatable)')
            [CompletionResult]::new('--max-delete', '--max-delete', [CompletionResultType]::ParameterName, 'Delete nothing at all if more than this many would go, or this share of all: 100 or 20%')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many threads remove at once')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many threads remove at once')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to show the report')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--base', '--base', [CompletionResultType]::ParameterName, 'The workspaces'' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--use-mtime', '--use-mtime', [CompletionResultType]::ParameterName, 'Count the newest modification of anything in a workspace as an access, too')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Decide and report the same, but change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Decide and report the same, but change nothing')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log errors only, and print no summary')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wsctl;help' {
            [CompletionResult]::new('validate', 'validate', [CompletionResultType]::ParameterValue, 'Say which IDs are well formed and name a workspace that exists')
            [CompletionResult]::new('touch', 'touch', [CompletionResultType]::ParameterValue, 'Set the time of last access')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List workspaces with their status, age and size')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Delete stale workspaces')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'wsctl;help;validate' {
            break
        }
        'wsctl;help;touch' {
            break
        }
        'wsctl;help;list' {
            break
        }
        'wsctl;help;prune' {
            break
        }
        'wsctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
