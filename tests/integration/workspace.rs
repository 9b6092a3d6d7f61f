//! A workspace as the application makes it, and as it never would.

use crate::world::{World, ago};
use chrono::TimeDelta;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use uuid::Uuid;

pub struct Workspace<'a> {
    world: &'a World,
    id: String,
    accessed: String,
    created: String,
    /// As a member of the JSON object.
    description: String,
    metadata: Option<Vec<u8>>,
    files: Vec<(String, Vec<u8>)>,
}

impl World {
    /// A workspace to be made, last accessed a minute ago, unless more is said of it.
    pub fn workspace(&self) -> Workspace<'_> {
        Workspace {
            world: self,
            id: Uuid::new_v4().to_string(),
            accessed: ago(TimeDelta::minutes(1)),
            created: ago(TimeDelta::days(100)),
            description: String::new(),
            metadata: None,
            files: Vec::new(),
        }
    }
}

impl Workspace<'_> {
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Last accessed so many days (and a minute) ago; negative for days ahead.
    pub fn days_ago(mut self, days: i64) -> Self {
        self.accessed = ago(TimeDelta::days(days) + TimeDelta::minutes(1));
        self
    }

    /// Last accessed at this time, in whatever form.
    pub fn accessed(mut self, time: &str) -> Self {
        time.clone_into(&mut self.accessed);
        self
    }

    pub fn created(mut self, time: &str) -> Self {
        time.clone_into(&mut self.created);
        self
    }

    pub fn description(mut self, text: &str) -> Self {
        self.description = format!(",\n  \"description\": {}", serde_json::to_string(text).expect("JSON"));
        self
    }

    /// These bytes as its metadata, whatever they are.
    pub fn metadata(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.metadata = Some(bytes.into());
        self
    }

    /// A file in it, with the directories that it needs.
    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.push((path.to_owned(), content.to_owned()));
        self
    }

    #[must_use]
    pub fn make(self) -> String {
        let Self { world, id, created, accessed, description, .. } = &self;
        // Python's `json.dumps(…, indent=2)`.
        let usual = format!(
            "{{\n  \"workspace_id\": \"{id}\",\n  \"created_at\": \"{created}\",\n  \"last_accessed\": \"{accessed}\"{description}\n}}"
        );
        let (bytes, path) = (self.metadata.clone().unwrap_or(usual.into_bytes()), world.metadata_of(id));
        let id = self.make_without_metadata();
        // A prune may take it away at any moment from here.
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(&bytes)).expect("metadata");
        id
    }

    #[must_use]
    pub fn make_without_metadata(self) -> String {
        let dir = self.world.dir_of(&self.id);
        fs::create_dir(&dir).expect("a workspace");
        for (path, content) in &self.files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, content).expect("a file");
        }
        self.id
    }
}
