//! What a git revision doesn't have: findings in lines that differ from it, or in files that it doesn't have.

use super::git::{Difference, Git};
use super::{Hit, Rule};
use crate::error::{Error, Place, Result};
use crate::report::{Fingerprint, Lines, Passage};
use crate::source::{Form, Packing, below, here, text};
use crate::{Plan, Settings};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What of the work tree a revision doesn't have. Paths are below the root of the work tree.
pub struct Since {
    git: Git,
    /// The revision, by its hash.
    commit: String,
    /// What was compared.
    settings: Settings,
    here: PathBuf,
    /// The files that it has.
    had: FxHashSet<PathBuf>,
    /// What is new of those that differ.
    new: FxHashMap<PathBuf, New>,
    /// What those were called that have another name now.
    old_names: FxHashMap<PathBuf, PathBuf>,
    /// Those that git doesn't know any more, though they may be there.
    removed: FxHashSet<PathBuf>,
    /// Of which files it was asked whether git keeps them in another form, and the answers.
    filtered: Mutex<FxHashMap<PathBuf, bool>>,
}

#[derive(Debug, PartialEq, Eq)]
enum New {
    All,
    /// Lines, in order.
    Lines(Vec<Lines>),
}

impl Since {
    /// What of the work tree that the current folder is in this revision doesn't have.
    ///
    /// # Errors
    /// If git isn't there, there is no work tree, or it has no such revision.
    pub fn new(revision: &str, settings: &Settings) -> Result<Self> {
        let git = Git::here(format!("--since {revision}"))?;
        let commit = git.commit(revision)?;
        let had = git.files(&commit)?.into_iter().collect();
        let (mut new, mut old_names, mut removed) = (FxHashMap::default(), FxHashMap::default(), FxHashSet::default());
        git.differences(&commit, |difference| match difference {
            Difference::NoText(path) => {
                let old = old_names.get(&path).unwrap_or(&path);
                if is_changed(&git, &commit, old, &path) {
                    new.insert(path, New::All);
                }
            }
            Difference::Renamed(old, path) => {
                // What stands in it is old, but for the lines that follow; what has its old name by now is not.
                new.insert(path.clone(), New::Lines(Vec::new()));
                removed.insert(old.clone());
                old_names.insert(path, old);
            }
            Difference::Added(path, lines) => match new.entry(path).or_insert_with(|| New::Lines(Vec::new())) {
                New::All => {}
                New::Lines(all) => all.push(lines),
            },
            Difference::Removed(path) => drop(removed.insert(path)),
        })?;
        let here = here()?;
        let settings = Settings { across: false, ..settings.clone() };
        Ok(Self { git, commit, settings, here, had, new, old_names, removed, filtered: Mutex::default() })
    }

    /// A path below the root, wherever links lead.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        let real = fs::canonicalize(path);
        below(self.git.top(), &self.here, real.as_deref().unwrap_or(path))
    }

    /// Which of the findings of a document are new.
    ///
    /// Those in lines that are, or that repeat such lines. But of equal texts that follow one another a diff doesn't tell which came last,
    /// so as many of them are old as were found in the revision; those that are `silenced` already count among them.
    ///
    /// # Errors
    /// If the document as it was is too large.
    pub(super) fn new_ones(&self, hits: &[Hit], silenced: &[Fingerprint]) -> Result<Vec<bool>> {
        let is_new = |hit: &Hit| self.is_new(&hit.at) || hit.repeats.as_ref().is_some_and(|first| self.is_new_first(first));
        let mut new: Vec<bool> = hits.iter().map(is_new).collect();
        let is_within = |hit: &Hit| matches!(hit.rule, Rule::DoubledBlock | Rule::RepeatedParagraph);
        let Some((first, _)) = hits.iter().zip(&new).find(|(hit, is_new)| **is_new && is_within(hit)) else { return Ok(new) };
        let mut old = self.found_then(first)?;
        let mut is_old = |fingerprint: &Fingerprint| {
            let count = old.get_mut(fingerprint).filter(|count| **count > 0);
            count.map(|count| *count -= 1).is_some()
        };
        for fingerprint in silenced {
            is_old(fingerprint);
        }
        for (hit, _) in hits.iter().zip(&new).filter(|(hit, is_new)| !**is_new && is_within(hit)) {
            is_old(&hit.fingerprint);
        }
        for (hit, is_new) in hits.iter().zip(&mut new).filter(|(hit, is_new)| **is_new && is_within(hit)) {
            *is_new = !is_old(&hit.fingerprint);
        }
        Ok(new)
    }

    /// What was found in a document when it was in the revision, and how often, if it is a text.
    fn found_then(&self, hit: &Hit) -> Result<FxHashMap<Fingerprint, u64>> {
        let mut found = FxHashMap::default();
        let path = self.below(&hit.at.path).filter(|_| hit.at.record.is_none());
        let has_lines = |path: &PathBuf| matches!(self.new.get(path), Some(New::Lines(_))) || self.removed.contains(path);
        let Some(path) = path.filter(has_lines) else { return Ok(found) };
        let path = self.old_names.get(&path).unwrap_or(&path);
        let Some(then) = self.git.file(&self.commit, path) else { return Ok(found) };
        let too_large = |what| Error::too_large(Place::from(&hit.at.path), what);
        let plan = Plan::new(&text::document(&then), &self.settings).map_err(too_large)?;
        for block in &plan.blocks {
            *found.entry(Fingerprint::of(block.repeat.of(&then))).or_default() += 1;
        }
        Ok(found)
    }

    /// Whether what a finding repeats is new. If it isn't known where that stands, only the finding itself can be.
    fn is_new_first(&self, first: &Passage) -> bool {
        (first.record.is_some() || !first.lines.is_empty()) && self.is_new(first)
    }

    /// Whether a passage, or a part of it, is in lines that the revision doesn't have. What is outside of the work tree is.
    pub(super) fn is_new(&self, passage: &Passage) -> bool {
        let Some(path) = self.below(&passage.path) else { return true };
        let new = match self.new.get(&path) {
            None if self.removed.contains(&path) => return is_changed(&self.git, &self.commit, &path, &path),
            None => return !self.had.contains(&path),
            Some(New::All) => return true,
            Some(New::Lines(new)) => new,
        };
        let can_be_looked_up = Form::of_name(&path).is_none_or(|(form, _)| form.has_lines_to_look_up());
        let has_lines = Packing::of_name(&path).0 == Packing::Plain && can_be_looked_up;
        let its: Vec<Lines> = match passage.record {
            Some(record) if has_lines && !passage.has_lines_of_file => vec![Lines { first: record, last: record }],
            _ if has_lines => passage.lines.clone(),
            _ => Vec::new(),
        };
        // Of what has no lines all is new if anything is.
        let is_touched = |its: &Lines| new.iter().any(|new| new.first <= its.last && its.first <= new.last);
        !new.is_empty() && (its.is_empty() || its.iter().any(is_touched) || self.is_filtered(path))
    }

    fn is_filtered(&self, path: PathBuf) -> bool {
        let mut known = self.filtered.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(path).or_insert_with_key(|path| self.git.is_filtered(path))
    }
}

/// Whether a file isn't what it was in a revision under its old name, to the byte.
fn is_changed(git: &Git, commit: &str, old: &Path, path: &Path) -> bool {
    git.file(commit, old).is_none_or(|then| fs::read(git.top().join(path)).is_ok_and(|now| now != then))
}
