//! Real shells in which Tab is pressed, at a pseudo-terminal (zsh's `zpty`), with the completions installed as a distribution would.

use crate::tools::{repository, text, tool};
use crate::world::{World, has};
use std::fs;
use std::path::Path;

/// Types keys once the shell is ready, waits for a mark if there is one, presses the key that tells the line, and prints all shown.
const TYPIST: &str = r#"
zmodload zsh/zpty
zpty shell $1
zpty -r -m shell shown '*READY> *' || exit 1
zpty -w -n shell $2
if [[ -n $3 ]]; then
    zpty -r -m shell shown "*$3*" || exit 1
    print -rn -- $shown
fi
zpty -w -n shell $'\C-xd'
zpty -r -m shell shown '*=END*' || exit 1
print -rn -- $shown
"#;

const BASH_COMPLETION: &str = "/usr/share/bash-completion/bash_completion";

const BASHRC: &str = r#"
stty cols 200 rows 100
PS1='READY> '
for setting in 'show-all-if-ambiguous on' 'page-completions off' 'completion-query-items 0' 'bell-style none'; do
    bind "set $setting"
done
tell() { printf '\nLINE=%s=END\n' "$READLINE_LINE"; }
bind -x '"\C-xd": tell'
"#;

const ZSHRC: &str = r#"
stty cols 200 rows 100
PS1='READY> '
LISTMAX=10000
unsetopt beep list_ambiguous
autoload -U compinit
compinit -u
tell() { print -r -- $'\n'"LINE=$BUFFER=END" }
zle -N tell
bindkey '^Xd' tell
"#;

const ELVISH_RC: &str = r#"
set edit:prompt = { put 'READY> ' }
set edit:rprompt = { put '' }
var tell = { echo "LINE="$edit:current-command"=END" > /dev/tty }
set edit:insert:binding[Ctrl-X] = $tell
set edit:completion:binding[Ctrl-X] = $tell
"#;

/// One candidate a line, with what is said of it, and the line that it makes of what was typed.
const NU_TELL: &str = r#"
$env.TYPED | commandline complete --detailed | each {|it|
    let line = $env.TYPED | str substring ..<$it.span.start
    $"($it.value)\t($it.description? | default '')\nLINE=($line)($it.value)=END"
} | to text
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Nushell,
}

impl Shell {
    pub const ALL: [Self; 5] = [Self::Bash, Self::Zsh, Self::Fish, Self::Elvish, Self::Nushell];

    /// Whether it is installed; as loud as [`has`].
    pub fn is_here(self) -> bool {
        let needs: &[&str] = match self {
            Self::Bash => &["bash", "zsh", BASH_COMPLETION], // zsh has the terminal
            Self::Zsh => &["zsh"],
            Self::Fish => &["fish"],
            Self::Elvish => &["elvish", "zsh"],
            Self::Nushell => &["nu"],
        };
        needs.iter().all(|program| has(program))
    }

    /// Writes its configuration, and gives the command that starts it.
    fn install(self, home: &Path) -> String {
        let completions = repository("completions");
        let completion = |name: &str| text(&completions.join(name)).to_owned();
        let write = |name: &str, content: String| fs::write(home.join(name), content).expect("a configuration");
        let home = text(home);
        match self {
            Self::Bash => {
                tool(&["install", "-D", &completion("wsctl.bash"), &format!("{home}/user/completions/wsctl")]);
                write("bashrc", format!("{BASHRC}\nBASH_COMPLETION_USER_DIR='{home}/user'\n. {BASH_COMPLETION}\n"));
                format!("bash --noprofile --rcfile '{home}/bashrc' -i")
            }
            Self::Zsh => {
                write(".zshrc", format!("fpath=('{}' $fpath)\n{ZSHRC}", text(&completions)));
                "zsh -d -i".to_owned()
            }
            Self::Elvish => {
                write("rc.elv", tool(&["cat", &completion("wsctl.elv")]) + ELVISH_RC);
                format!("sh -c 'stty cols 200 rows 50; exec elvish -rc {home}/rc.elv'")
            }
            Self::Fish => format!("set fish_complete_path '{}'; complete --do-complete $argv[1]", text(&completions)),
            Self::Nushell => format!("source '{}'; {NU_TELL}", completion("wsctl.nu")),
        }
    }
}

#[derive(Debug)]
pub struct Tab {
    /// All that appeared: the candidates, if there was more than one, and whatever else.
    pub shown: String,
    /// The line as it stood then. Fish and nushell only say what they would offer: the last of it.
    pub line: String,
}

impl Tab {
    #[track_caller]
    pub fn offers(self, these: &[&str], not_those: &[&str]) -> Self {
        assert!(these.iter().all(|part| self.shown.contains(part)), "{these:?}: {self:#?}");
        assert!(!not_those.iter().any(|part| self.shown.contains(part)), "not {not_those:?}: {self:#?}");
        self
    }
}

/// Types this at a shell in this world, and presses Tab.
#[track_caller]
pub fn tab(world: &World, shell: Shell, typed: &str, env: &[(&str, &Path)]) -> Tab {
    let home = world.path("home");
    fs::create_dir_all(&home).expect("a home");
    let command = shell.install(&home);
    let keys = format!("{typed}\t");
    let through = match shell {
        Shell::Fish => vec!["fish", "--no-config", "-c", &command, typed],
        Shell::Nushell => vec!["nu", "--no-config-file", "-c", &command],
        // It may take the next key before it shows what came of the last.
        Shell::Elvish => vec!["zsh", "-f", "-c", TYPIST, "typist", &command, &keys, "COMPLETING"],
        _ => vec!["zsh", "-f", "-c", TYPIST, "typist", &command, &keys, ""],
    };
    let run = world.bare::<&str>([]).through(through);
    let run = run.env("TERM", "dumb").env("LC_ALL", "C.UTF-8").env("INPUTRC", "/dev/null");
    let run = run.env("ZDOTDIR", &home).env("XDG_RUNTIME_DIR", &home).env("TYPED", typed);
    let binaries = text(world.binary.parent().expect("a directory"));
    let run = run.env("PATH", format!("{binaries}:{}", std::env::var("PATH").expect("PATH")));
    let ran = env.iter().fold(run, |run, (name, value)| run.env(name, value)).run().exits(0).quietly();
    match ran.stdout.rsplit_once("LINE=") {
        Some((shown, line)) if shell != Shell::Fish => {
            let line = line.split("=END").next().unwrap_or_default().to_owned();
            Tab { shown: shown.to_owned(), line }
        }
        _ => Tab { line: ran.stdout.trim_end().to_owned(), shown: ran.stdout },
    }
}
