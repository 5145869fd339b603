//! What a check says, in the forms that people and programs take. One file a form; a form knows hits and sums, and the place that it
//! writes to.

mod github;
mod gitlab;
mod json;
mod sarif;
mod text;
mod worst;

pub use github::{GitHub, StepSummary};
pub use gitlab::GitLab;
pub use json::Json;
pub use sarif::Sarif;
pub use text::Text;

use super::{Counts, Hit};
use crate::report::Tally;
use crate::source::below;
use std::io;
use std::path::{Path, PathBuf};

/// A form of the findings.
pub trait Report {
    /// A finding, in the order of the documents.
    ///
    /// # Errors
    /// Those of the output.
    fn hit(&mut self, hit: &Hit) -> io::Result<()>;

    /// The end of the run.
    ///
    /// # Errors
    /// Those of the output.
    fn end(&mut self, ending: Ending) -> io::Result<()>;
}

/// How a check ends.
#[derive(Clone, Copy)]
pub struct Ending<'a> {
    /// How many findings there were.
    pub counts: &'a Counts,
    /// What was read.
    pub tally: &'a Tally,
    /// Whether all that was to be checked was.
    pub is_complete: bool,
}

/// Where paths begin that are read elsewhere: at the root of the repository that the current folder is in, or in that folder itself.
#[derive(Clone, Debug)]
pub struct Root {
    root: PathBuf,
    here: PathBuf,
}

impl Root {
    /// That of a folder, given by an absolute path without links.
    pub fn of(here: &Path) -> Self {
        let repository = here.ancestors().find(|folder| folder.join(".git").exists());
        Self { root: repository.unwrap_or(here).into(), here: here.into() }
    }

    /// A path as it stands below the root; what isn't there, as it stands anywhere.
    fn seen(&self, path: &Path) -> PathBuf {
        below(&self.root, &self.here, path)
            .or_else(|| below(Path::new("/"), &self.here, path).map(|path| Path::new("/").join(path)))
            .unwrap_or_else(|| path.into())
    }
}
