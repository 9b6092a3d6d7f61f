//! What the model's disk holds: the names in the base, the directories that they stand for, and what a power cut would leave.

use std::collections::{BTreeMap, BTreeSet};

/// A name in the base. There is one workspace ID; tags are small numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    #[default]
    Own,
    Claimed(u8),
    Doomed(u8),
}

/// Which directory each name stands for: its place in [`Disk::dirs`], as it were its inode's number.
pub type Names = BTreeMap<Name, usize>;

/// A metadata file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File {
    /// Its number in the order in which files were put in place: its content is newer than that of smaller ones.
    pub version: u8,
    pub says: Says,
    /// What a stat tells of it: usually as unique as the version.
    pub signature: u8,
}

/// The last access that a metadata file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    Stale,
    Fresh,
    /// The application has made it, and not written it yet.
    Empty,
}

/// All that is in a directory beside its metadata and temporary files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rest {
    #[default]
    Nothing,
    Whole,
    /// Some of it was removed.
    Torn,
}

/// What is in a directory, as far as a power cut matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inside {
    pub metadata: Option<File>,
    pub rest: Rest,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dir {
    pub inside: Inside,
    /// One bit for each writer whose temporary file is in it.
    pub temporary: u8,
    /// Somebody planted it, or the application made it and a power cut came first.
    pub nothing_promised: bool,
    /// What this and the next two fields tell no step looks at: they are what the promises speak of. The newest version by which
    /// an access succeeded.
    pub accessed: u8,
    /// The same of those by a touch, which outlast a power cut.
    pub durable: u8,
    /// The version that was there when a prune last decided that this directory goes.
    pub decided: Option<u8>,
    /// What may be on the disk instead of `inside`, since nobody has synced it. Only kept where power cuts are modelled.
    pub unsynced: BTreeSet<Inside>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Disk {
    pub names: Names,
    pub dirs: Vec<Dir>,
    /// What may be on the disk instead of `names`.
    pub unsynced: BTreeSet<Names>,
    loses_power: bool,
}

impl Disk {
    pub fn new(dir: Dir, loses_power: bool) -> Self {
        Self { names: [(Name::Own, 0)].into(), dirs: vec![dir], unsynced: BTreeSet::new(), loses_power }
    }

    pub fn at(&self, name: Name) -> Option<usize> {
        self.names.get(&name).copied()
    }

    pub fn metadata(&self, dir: usize) -> Option<File> {
        self.dirs[dir].inside.metadata
    }

    /// Whether it has a name. One that was removed can hold nothing any more.
    pub fn is_there(&self, dir: usize) -> bool {
        self.names.values().any(|at| *at == dir)
    }

    /// Changes the names in the base.
    pub fn change_names<T>(&mut self, change: impl FnOnce(&mut Names) -> T) {
        if self.loses_power {
            self.unsynced.insert(self.names.clone());
        }
        change(&mut self.names);
    }

    /// Changes what is in a directory.
    pub fn change(&mut self, dir: usize, change: impl FnOnce(&mut Inside)) {
        let dir = &mut self.dirs[dir];
        if self.loses_power {
            dir.unsynced.insert(dir.inside);
        }
        change(&mut dir.inside);
    }

    /// Makes a directory.
    pub fn make(&mut self, name: Name, nothing_promised: bool) -> usize {
        self.dirs.push(Dir { nothing_promised, ..Dir::default() });
        let dir = self.dirs.len() - 1;
        self.change_names(|names| names.insert(name, dir));
        dir
    }

    /// The disk when nobody is at work any more.
    pub fn after_kill(&self) -> Self {
        let mut disk = Self { unsynced: BTreeSet::new(), ..self.clone() };
        disk.dirs.iter_mut().for_each(|dir| dir.unsynced.clear());
        disk
    }

    /// What may be on the disk when the power goes just now. Each directory keeps what was done in it in the order in which it
    /// was done, as all journals and logs have it; what was done in two directories comes in no order.
    pub fn after_power_cut(&self) -> Vec<Self> {
        let mut disks = Vec::new();
        for names in self.unsynced.iter().chain([&self.names]) {
            disks.push(Self { names: names.clone(), ..self.after_kill() });
        }
        for dir in 0..self.dirs.len() {
            for disk in std::mem::take(&mut disks) {
                let is_there = disk.is_there(dir);
                let is_new = !is_there && self.is_there(dir);
                for inside in self.dirs[dir].unsynced.iter().filter(|_| is_there).chain([&self.dirs[dir].inside]) {
                    let mut disk = disk.clone();
                    let kept = &mut disk.dirs[dir];
                    (kept.inside, kept.unsynced, kept.temporary) = (*inside, BTreeSet::new(), 0);
                    kept.nothing_promised |= is_new;
                    disks.push(disk);
                }
            }
        }
        for dir in disks.iter_mut().flat_map(|disk| &mut disk.dirs) {
            // What the application wrote and never synced is lost by its own doing.
            let version = dir.inside.metadata.map_or(0, |file| file.version);
            dir.accessed = dir.durable.max(version.min(dir.accessed));
        }
        disks
    }
}
