module completions {

  # What the program itself says that fits.
  def "nu-complete wsctl" [line: string] {
    let words = $line | split row --regex '\s+'
    with-env { COMPLETE: fish } { ^wsctl -- ...$words } | lines | split column "\t" value description
  }

  def "nu-complete wsctl color" [] {
    [ "auto" "always" "never" ]
  }

  # Administer the workspaces of PitLane AI: check, touch, list and prune them, safely beside the running application
  export extern wsctl [
    --base(-b): directory     # The workspaces' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log errors only, and print no summary
    --color: string@"nu-complete wsctl color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    --version(-V)             # Print version
  ]

  def "nu-complete wsctl validate format" [] {
    [ "text" "json" ]
  }

  def "nu-complete wsctl validate color" [] {
    [ "auto" "always" "never" ]
  }

  # Say which IDs are well formed and name a workspace that exists
  export extern "wsctl validate" [
    --format: string@"nu-complete wsctl validate format" # How to show the answers
    --null(-0)                # IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends
    --base(-b): directory     # The workspaces' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log errors only, and print no summary
    --color: string@"nu-complete wsctl validate color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # What to check; `-` reads IDs from stdin, one a line
  ]

  def "nu-complete wsctl touch color" [] {
    [ "auto" "always" "never" ]
  }

  # Set the time of last access
  export extern "wsctl touch" [
    --no-create(-c)           # Do not make a missing .metadata.json anew
    --at: string@"nu-complete wsctl"              # The time to set, instead of now: 2026-11-23T15:51:30Z
    --null(-0)                # IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends
    --base(-b): directory     # The workspaces' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log errors only, and print no summary
    --color: string@"nu-complete wsctl touch color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # The workspaces; `-` reads IDs from stdin, one a line
  ]

  def "nu-complete wsctl list status" [] {
    [ "ok" "missing" "corrupt" "denied" "future" ]
  }

  def "nu-complete wsctl list sort" [] {
    [ "accessed" "created" "size" "id" ]
  }

  def "nu-complete wsctl list time" [] {
    [ "relative" "local" "utc" ]
  }

  def "nu-complete wsctl list format" [] {
    [ "table" "json" "jsonl" "ids" ]
  }

  def "nu-complete wsctl list color" [] {
    [ "auto" "always" "never" ]
  }

  # List workspaces with their status, age and size
  export extern "wsctl list" [
    --older-than: string@"nu-complete wsctl"      # Only those last accessed longer ago than this: 7d, 12h, 2weeks
    --newer-than: string@"nu-complete wsctl"      # Only those last accessed within this time: 7d, 12h, 2weeks
    --status: string@"nu-complete wsctl list status" # Only those of these statuses, with commas between them
    --sort: string@"nu-complete wsctl list sort" # What to sort by: the newest, the largest or the first ID comes first
    --reverse(-r)             # Reverse the order
    --limit: string@"nu-complete wsctl"           # Show no more than this many
    --size(-s)                # Measure disk usage as `du -sx` does, and count files
    --time: string@"nu-complete wsctl list time" # Show times in a table as ages, or as dates in local time or UTC
    --format: string@"nu-complete wsctl list format" # How to show them
    --metrics: path           # Write the number of workspaces by status, with -s also their size, to a file for Prometheus' `node_exporter`
    --null(-0)                # IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends
    --base(-b): directory     # The workspaces' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log errors only, and print no summary
    --color: string@"nu-complete wsctl list color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # The workspaces, instead of all; `-` reads IDs from stdin, one a line
  ]

  def "nu-complete wsctl prune format" [] {
    [ "text" "json" ]
  }

  def "nu-complete wsctl prune color" [] {
    [ "auto" "always" "never" ]
  }

  # Delete stale workspaces
  export extern "wsctl prune" [
    --older-than: string@"nu-complete wsctl"      # Those last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months
    --max-total-size: string@"nu-complete wsctl"  # Then, while all together use more than this, the least recently accessed: 10GiB
    --min-free: string@"nu-complete wsctl"        # Then, while the file system has less free than this, the least recently accessed: 5% or 20GiB
    --use-mtime               # Count the newest modification of anything in a workspace as an access, too
    --keep-last: string@"nu-complete wsctl"       # Keep the N last accessed, whatever else applies
    --exclude: string@"nu-complete wsctl"         # Keep this workspace (repeatable)
    --exclude-from: path      # Keep the workspaces in this file: IDs, one a line, with # comments (repeatable)
    --max-delete: string@"nu-complete wsctl"      # Delete nothing at all if more than this many would go, or this share of all: 100 or 20%
    --dry-run(-n)             # Decide and report the same, but change nothing
    --yes(-y)                 # Do not ask
    --jobs(-j): string@"nu-complete wsctl"        # How many threads remove at once
    --format: string@"nu-complete wsctl prune format" # How to show the report
    --metrics: path           # Leave the numbers of this run in a file for the textfile collector of Prometheus' `node_exporter`
    --null(-0)                # IDs on stdin (and those that `list --format ids` prints) are separated by NUL, not by line ends
    --base(-b): directory     # The workspaces' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log errors only, and print no summary
    --color: string@"nu-complete wsctl prune color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # Just these workspaces; with --older-than, those of them that are stale; `-` reads IDs from stdin
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "wsctl help" [
  ]

  # Say which IDs are well formed and name a workspace that exists
  export extern "wsctl help validate" [
  ]

  # Set the time of last access
  export extern "wsctl help touch" [
  ]

  # List workspaces with their status, age and size
  export extern "wsctl help list" [
  ]

  # Delete stale workspaces
  export extern "wsctl help prune" [
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "wsctl help help" [
  ]

}

export use completions *
