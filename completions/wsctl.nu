# Completions for nushell, 0.108 or later: the program itself tells what fits.

def "nu-complete wsctl" [spans: list<string>] {
    # Words come as they were typed.
    let words = $spans | str replace --regex r#'^["'`](.*?)["'`]?$'# '$1'
    let answer = with-env { COMPLETE: nu } { ^wsctl -- ...$words } | lines | split column "\t" value description
    # For a path nothing, which leaves it to nushell.
    if ($answer.value? | default [] | any { $in =~ '<(DIR|FILE)>$' }) { null } else { $answer }
}

# Hands everything on as it stands. (What is declared `extern` gets 10GiB as a number.)
@complete "nu-complete wsctl"
def --wrapped wsctl [...words] { ^wsctl ...$words }
