//! Those who are at work beside the prunes: the application's writers, its way of making a workspace, `wsctl touch` with the
//! steps of `core/rewrite.rs`, and who plants names.

use super::disk::{File, Name, Rest, Says};
use super::state::{Model, Safeguard, State, With};

/// A rewrite of the metadata by the application: a temporary file, and `os.replace`. Each call looks its directory up by the
/// workspace's path, and does its work in that directory later, wherever that is by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writer {
    Open,
    Create(usize),
    /// rename(2) looks up the directory of the old name, then that of the new one.
    RenameFrom,
    RenameTo(usize),
    Land(usize, usize),
    Ended,
}

/// A visit to a workspace that is not there: the directory is made, then its metadata in place, which is empty at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Maker {
    Mkdir,
    Open,
    Create(usize),
    Write(usize, File),
    #[default]
    Ended,
}

/// `wsctl touch`. Everything goes through the directory that it has opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Touch {
    OpenWorkspace,
    Read(usize),
    Stage(usize, Option<File>),
    Look(usize, Option<File>),
    /// With whether the look found the file that was read.
    Replace(usize, Option<File>, bool),
    Sync(usize, File),
    IsStillThere(usize, File),
    #[default]
    Ended,
}

impl State {
    /// A file that is about to be put in place. On a coarse clock all that come in the same tick may bear one signature.
    fn file(&mut self, model: &Model, says: Says) -> File {
        self.newest += 1;
        let is_alike = model.scene.has(With::CoarseClock) && !self.has_ticked && says == Says::Fresh;
        File { version: self.newest, says, signature: if is_alike { 1 } else { self.newest } }
    }

    fn put(&mut self, dir: usize, file: File) {
        self.disk.change(dir, |inside| inside.metadata = Some(file));
    }

    fn accessed(&mut self, dir: usize, file: File) {
        let accessed = &mut self.disk.dirs[dir].accessed;
        *accessed = file.version.max(*accessed);
    }

    pub fn write(&mut self, model: &Model, number: usize) {
        let bit = 1 << number;
        self.is_disturbed = true;
        let own = self.disk.at(Name::Own);
        // Where a call fails, the visitor is told so.
        self.writers[number] = match self.writers[number] {
            Writer::Open => own.map_or(Writer::Ended, Writer::Create),
            Writer::Create(dir) if self.disk.is_there(dir) => {
                self.disk.dirs[dir].temporary |= bit;
                Writer::RenameFrom
            }
            Writer::RenameFrom if model.scene.has(With::OneLookUp) => {
                own.map_or(Writer::Ended, |dir| Writer::Land(dir, dir))
            }
            Writer::RenameFrom => own.map_or(Writer::Ended, Writer::RenameTo),
            Writer::RenameTo(from) => own.map_or(Writer::Ended, |to| Writer::Land(from, to)),
            Writer::Land(from, to) if self.disk.dirs[from].temporary & bit != 0 && self.disk.is_there(to) => {
                self.disk.dirs[from].temporary &= !bit;
                let file = self.file(model, Says::Fresh);
                self.put(to, file);
                self.accessed(to, file);
                Writer::Ended
            }
            Writer::Create(_) | Writer::Land(..) | Writer::Ended => Writer::Ended,
        };
    }

    pub fn make(&mut self, model: &Model) {
        self.is_disturbed = true;
        self.maker = match self.maker {
            Maker::Mkdir if self.disk.at(Name::Own).is_none() => {
                self.disk.make(Name::Own, false);
                if model.scene.has(With::MadeBare) { Maker::Ended } else { Maker::Open }
            }
            Maker::Open => self.disk.at(Name::Own).map_or(Maker::Ended, Maker::Create),
            Maker::Create(dir) if self.disk.is_there(dir) => {
                let file = self.file(model, Says::Empty);
                self.put(dir, file);
                Maker::Write(dir, file)
            }
            Maker::Write(dir, opened) => {
                let file = self.file(model, Says::Fresh);
                // Where another file has been put in its place, nobody will see what is written.
                if self.disk.metadata(dir) == Some(opened) {
                    self.put(dir, file);
                    self.disk.change(dir, |inside| inside.rest = Rest::Whole);
                }
                self.accessed(dir, file);
                Maker::Ended
            }
            Maker::Mkdir | Maker::Create(_) | Maker::Ended => Maker::Ended,
        };
    }

    pub fn touch(&mut self, model: &Model) {
        const BIT: u8 = 0x80;
        self.is_disturbed = true;
        let has = |safeguard| model.has(safeguard);
        self.touch = match self.touch {
            Touch::OpenWorkspace => self.disk.at(Name::Own).map_or(Touch::Ended, Touch::Read),
            Touch::Read(dir) => Touch::Stage(dir, self.disk.metadata(dir)),
            Touch::Stage(dir, read) if self.disk.is_there(dir) => {
                self.disk.dirs[dir].temporary |= BIT;
                Touch::Look(dir, read)
            }
            Touch::Look(dir, read) => {
                let is_same = self.disk.metadata(dir) == read;
                if is_same || !has(Safeguard::TouchLooksAtTheFile) {
                    Touch::Replace(dir, read, is_same)
                } else {
                    self.disk.dirs[dir].temporary &= !BIT;
                    Touch::Read(dir)
                }
            }
            Touch::Replace(dir, read, was_same) => {
                let is_staged = self.disk.dirs[dir].temporary & BIT != 0;
                let is_taken = read.is_none() && self.disk.metadata(dir).is_some(); // RENAME_NOREPLACE
                self.disk.dirs[dir].temporary &= !BIT;
                if is_staged && !is_taken {
                    if !was_same {
                        self.broken = Some("touch overwrote what the application wrote before touch's look");
                    }
                    let file = self.file(model, Says::Fresh);
                    self.put(dir, file);
                    Touch::Sync(dir, file)
                } else {
                    Touch::Read(dir)
                }
            }
            Touch::Sync(dir, file) => {
                if has(Safeguard::TouchSyncs) {
                    self.disk.dirs[dir].unsynced.clear();
                }
                Touch::IsStillThere(dir, file)
            }
            Touch::IsStillThere(dir, file) => {
                if self.disk.at(Name::Own) == Some(dir) || !has(Safeguard::TouchLooksWhereItsDirectoryIs) {
                    self.accessed(dir, file);
                    self.disk.dirs[dir].durable = file.version.max(self.disk.dirs[dir].durable);
                }
                Touch::Ended
            }
            Touch::Stage(..) | Touch::Ended => Touch::Ended,
        };
    }

    /// Somebody makes a directory that looks as if a prune had taken it aside.
    pub fn plant(&mut self, name: Name, metadata: Option<Says>) {
        self.is_disturbed = true;
        self.may_plant = false;
        let dir = self.disk.make(name, true);
        self.disk.change(dir, |inside| inside.rest = Rest::Whole);
        if let Some(says) = metadata {
            self.put(dir, File { version: 100, says, signature: 100 });
        }
    }
}
