module completions {

  # What the program itself says that fits.
  def "nu-complete wsctl" [line: string] {
    let words = $line | split row --regex '\s+'
    with-env { COMPLETE: fish } { ^wsctl -- ...$words } | lines | split column "\t" value description
  }

  def "nu-complete wsctl color" [] {
    [ "auto" "always" "never" ]
  }

  # Check, touch, list and prune the workspaces of PitLane AI while the application runs
  export extern wsctl [
    --base(-b): directory     # The directory that holds the workspaces [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log only errors, and print no summary
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

  # Check that IDs are well formed and that their workspaces exist
  export extern "wsctl validate" [
    --format: string@"nu-complete wsctl validate format" # The output format
    --null(-0)                # Separate IDs by NUL instead of newlines, on stdin and in `list --format ids`
    --base(-b): directory     # The directory that holds the workspaces [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log only errors, and print no summary
    --color: string@"nu-complete wsctl validate color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # The IDs to check; `-` reads IDs from stdin, one a line
  ]

  def "nu-complete wsctl touch color" [] {
    [ "auto" "always" "never" ]
  }

  # Set the time of last access
  export extern "wsctl touch" [
    --no-create(-c)           # Do not create a missing .metadata.json
    --at: string@"nu-complete wsctl"              # Set this time instead of now: 2026-11-23T15:51:30Z
    --null(-0)                # Separate IDs by NUL instead of newlines, on stdin and in `list --format ids`
    --base(-b): directory     # The directory that holds the workspaces [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log only errors, and print no summary
    --color: string@"nu-complete wsctl touch color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # The workspaces to touch; `-` reads IDs from stdin, one a line
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
    --older-than: string@"nu-complete wsctl"      # Only workspaces last accessed longer ago than this: 7d, 12h, 2weeks
    --newer-than: string@"nu-complete wsctl"      # Only workspaces last accessed within this time: 7d, 12h, 2weeks
    --status: string@"nu-complete wsctl list status" # Only workspaces with one of these statuses, separated by commas
    --sort: string@"nu-complete wsctl list sort" # Sort by this: the newest, the largest or the first ID comes first
    --reverse(-r)             # Reverse the order
    --limit: string@"nu-complete wsctl"           # Show at most this many
    --size(-s)                # Measure disk usage as `du -sx` does, and count files
    --time: string@"nu-complete wsctl list time" # Show times in a table as ages, or as dates in local time or UTC
    --format: string@"nu-complete wsctl list format" # The output format
    --metrics: path           # Write the number of workspaces by status, with -s also their size, for Prometheus' `node_exporter`
    --null(-0)                # Separate IDs by NUL instead of newlines, on stdin and in `list --format ids`
    --base(-b): directory     # The directory that holds the workspaces [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log only errors, and print no summary
    --color: string@"nu-complete wsctl list color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # List only these workspaces; `-` reads IDs from stdin, one a line
  ]

  def "nu-complete wsctl prune format" [] {
    [ "text" "json" ]
  }

  def "nu-complete wsctl prune color" [] {
    [ "auto" "always" "never" ]
  }

  # Delete stale workspaces
  export extern "wsctl prune" [
    --older-than: string@"nu-complete wsctl"      # Delete workspaces last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months
    --max-total-size: string@"nu-complete wsctl"  # Delete the least recently used until all together use at most SIZE: 10GiB
    --min-free: string@"nu-complete wsctl"        # Delete the least recently used until this much of the file system is free: 5% or 20GiB
    --use-mtime               # Count the newest modification of anything in a workspace as an access, too
    --keep-last: string@"nu-complete wsctl"       # Always keep the N workspaces that were accessed last
    --exclude: string@"nu-complete wsctl"         # Always keep this workspace (repeatable)
    --exclude-from: path      # Always keep the workspaces in this file: IDs, one a line, with # comments (repeatable)
    --max-delete: string@"nu-complete wsctl"      # Delete nothing if the rules select more than this number or share of all workspaces: 100 or 20%
    --dry-run(-n)             # Decide and report as usual, but change nothing
    --yes(-y)                 # Delete without asking
    --jobs(-j): string@"nu-complete wsctl"        # Use this many threads, from 1 to 256
    --format: string@"nu-complete wsctl prune format" # The format of the report
    --metrics: path           # Write the numbers of this run to a file for Prometheus' `node_exporter`
    --null(-0)                # Separate IDs by NUL instead of newlines, on stdin and in `list --format ids`
    --base(-b): directory     # The directory that holds the workspaces [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    --verbose(-v)             # Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    --quiet(-q)               # Log only errors, and print no summary
    --color: string@"nu-complete wsctl prune color" # When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    --help(-h)                # Print help (see more with '--help')
    ...ids: string@"nu-complete wsctl"            # Delete only these workspaces; `-` reads IDs from stdin, one a line
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "wsctl help" [
  ]

  # Check that IDs are well formed and that their workspaces exist
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
