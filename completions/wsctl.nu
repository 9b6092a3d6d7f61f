# Completions for nushell, 0.108 or later: the program itself finds the candidates.

def "nu-complete wsctl" [spans: list<string>] {
    # Words come as they were typed.
    let words = $spans | str replace --regex r#'^["'`](.*?)["'`]?$'# '$1'
    let answer = with-env { COMPLETE: nu } { ^wsctl -- ...$words } | lines | split column "\t" value description
    # Without an answer, nushell completes a path.
    if ($answer.value? | default [] | any { $in =~ '<(DIR|FILE)>$' }) { null } else { $answer }
}

# Passes the words on unchanged. (A command declared `extern` would get 10GiB as a number.)
@complete "nu-complete wsctl"
def --wrapped wsctl [...words] { ^wsctl ...$words }
