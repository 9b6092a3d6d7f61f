//! Bases of workspaces, shaped as the application leaves them. The same seed gives the same names, sizes and ages.

use anyhow::Context;
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;
use wsctl::core::Timestamp;

/// What a base shall be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many workspaces it holds.
    pub(crate) workspaces: u64,
    /// Which share of them was last accessed 8 to 90 days ago; the others were within the last 6 days.
    pub(crate) stale: f64,
    /// Whether half of them hold files other than their metadata.
    pub(crate) filled: bool,
    pub(crate) seed: u64,
}

const DAY: f64 = 86_400.0;
/// No file is larger.
const LARGEST: usize = 20_000;

/// `SplitMix64`: all that a shape needs, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, less than 1.
    fn unit(&mut self) -> f64 {
        f64::from((self.next() >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A value of the distribution that has these deciles, from the least to the largest.
    fn distributed(&mut self, deciles: [f64; 11]) -> f64 {
        let place = 10.0 * self.unit();
        let below = whole(place).min(9);
        deciles[below] + (deciles[below + 1] - deciles[below]) * (place - f64::from(u8::try_from(below).unwrap_or(9)))
    }
}

/// How many files there are where there are any: exponential, 15 on average. A table, since `f64::ln` would load libm into
/// every process of this executable, the floors as well.
const FILES: [f64; 11] = [0.0, 1.6, 3.3, 5.3, 7.7, 10.4, 13.7, 18.1, 24.1, 34.5, 65.0];
/// How many bytes a file has: log-normal, 2.5 KiB on average.
const SIZES: [f64; 11] = [50.0, 207.0, 367.0, 555.0, 789.0, 1097.0, 1524.0, 2168.0, 3275.0, 5803.0, 19_500.0];

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` clamps, and that is what is wanted")]
fn whole(number: f64) -> usize {
    number as usize
}

/// Makes the base `path`, and gives the number of files in it.
pub(crate) fn make(path: &Path, shape: Shape) -> anyhow::Result<u64> {
    let made = Maker::new(path, shape).and_then(|mut maker| (0..shape.workspaces).map(|_| maker.workspace()).sum());
    made.with_context(|| format!("cannot make the base {}", path.display()))
}

struct Maker {
    base: OwnedFd,
    random: Random,
    shape: Shape,
    now: Timestamp,
    content: Vec<u8>,
}

impl Maker {
    fn new(path: &Path, shape: Shape) -> anyhow::Result<Self> {
        std::fs::create_dir(path)?;
        let mut random = Random(shape.seed);
        let content = (0..LARGEST / 8).flat_map(|_| random.next().to_ne_bytes()).collect();
        #[expect(clippy::disallowed_methods, reason = "ages count back from the clock that wsctl will read")]
        let now = Timestamp::new(chrono::Utc::now()).context("a clock beyond all years")?;
        Ok(Self { base: directory(CWD, path)?, random, shape, now, content })
    }

    /// Makes one workspace, and gives the number of files in it.
    fn workspace(&mut self) -> anyhow::Result<u64> {
        let random = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        let id = uuid::Builder::from_random_bytes(random.to_ne_bytes()).into_uuid().to_string();
        mkdirat(&self.base, &id, Mode::from_raw_mode(0o755))?;
        let workspace = directory(&self.base, Path::new(&id))?;
        put(&workspace, ".metadata.json", self.metadata(&id).as_bytes())?;
        if !self.shape.filled {
            return Ok(1);
        }
        for name in ["data", "charts"] {
            mkdirat(&workspace, name, Mode::from_raw_mode(0o755))?;
        }
        if self.random.unit() < 0.5 { Ok(1) } else { self.fill(&workspace) }
    }

    /// The metadata of an access some days ago, malformed as the application writes it.
    fn metadata(&mut self, id: &str) -> String {
        let stale = self.random.unit() < self.shape.stale;
        let age = DAY * if stale { self.random.between(8.0, 90.0) } else { self.random.between(0.0, 6.0) };
        let accessed = self.now.earlier(Duration::from_secs_f64(age));
        let created = accessed.earlier(Duration::from_secs_f64(self.random.between(0.0, 2.0) * DAY));
        format!(
            "{{\n  \"workspace_id\": \"{id}\",\n  \"created_at\": \"{}\",\n  \"last_accessed\": \"{}\"\n}}",
            created.to_metadata() + "Z",
            accessed.to_metadata() + "Z"
        )
    }

    /// Puts conversations, charts and data into a workspace.
    fn fill(&mut self, workspace: &OwnedFd) -> anyhow::Result<u64> {
        let times = if self.random.unit() < 0.01 { 10 } else { 1 };
        let files = times * whole(self.random.distributed(FILES)).max(2);
        put(workspace, "conversations.json", &self.content[..500])?;
        for number in 1..files {
            let len = whole(self.random.distributed(SIZES));
            let dir = if number % 2 == 0 { "data" } else { "charts" };
            put(workspace, &format!("{dir}/f{number}.json"), &self.content[..len])?;
        }
        Ok(1 + files as u64)
    }
}

fn directory(at: impl AsFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn put(dir: &OwnedFd, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::from_raw_mode(0o600))?;
    anyhow::ensure!(rustix::io::write(file, content)? == content.len(), "{name}: written in part");
    Ok(())
}

/// Waits until what was made is on disk: a prune syncs the base, and shall not wait for its making.
pub(crate) fn sync(path: &Path) -> anyhow::Result<()> {
    Ok(rustix::fs::syncfs(directory(CWD, path)?)?)
}

/// What kind of file system a directory lies on.
pub(crate) fn file_system(path: &Path) -> anyhow::Result<String> {
    let magic = rustix::fs::statfs(path)?.f_type;
    let known = [(0x0102_1994, "tmpfs"), (0xEF53, "ext4"), (0x5846_5342, "xfs"), (0x9123_683E, "btrfs")];
    let name = known.iter().find(|(number, _)| *number == magic);
    Ok(name.map_or_else(|| format!("file system {magic:#x}"), |(_, name)| (*name).to_owned()))
}
