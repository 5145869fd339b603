//! The programs that unecho is measured beside, got if they aren't there. One that can't be got is left out.

use super::Result;
use super::measuring::{generated, remove};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The path of `huniq`, which copies each line once.
pub(crate) fn huniq(dir: &Path) -> Option<PathBuf> {
    let root = dir.join("peers/huniq");
    let mut install = Command::new("cargo");
    install.args(["install", "--quiet", "huniq", "--root"]).arg(&root);
    got("huniq", &root, vec![install])
}

/// The path of `dolma`, which marks repeated paragraphs by a Bloom filter and then cuts them out.
pub(crate) fn dolma(dir: &Path) -> Option<PathBuf> {
    let root = dir.join("peers/dolma");
    let mut make_room = Command::new("python3");
    make_room.args(["-m", "venv"]).arg(&root);
    let mut install = Command::new(root.join("bin/pip"));
    install.args(["install", "--quiet", "dolma"]);
    got("dolma", &root, vec![make_room, install])
}

/// Whether a program is on the path.
pub(crate) fn is_there(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$0\"", program])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A program from the path, from what an earlier run installed, or installed now.
fn got(program: &str, root: &Path, install: Vec<Command>) -> Option<PathBuf> {
    if is_there(program) {
        return Some(program.into());
    }
    let installed = root.join("bin").join(program);
    for mut command in install {
        // Programs may talk as they install, and this prints a table.
        let runs = |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).status();
        if !installed.exists() && !runs(&mut command).is_ok_and(|status| status.success()) {
            return None;
        }
    }
    installed.exists().then_some(installed)
}

/// What `dolma` needs on the disk: its documents, and how to work on them. It works on as many files at a time as it has
/// processes, of which it gets two.
pub(crate) struct DolmaDesk {
    /// Runs both of its steps.
    pub(crate) command: Vec<PathBuf>,
    /// What it writes in the end.
    pub(crate) out: PathBuf,
    /// What it leaves besides, and would use again.
    pub(crate) leftovers: [PathBuf; 2],
}

impl DolmaDesk {
    /// Lays out the records of `jsonl`, packed by `packer` into so many files of this ending.
    pub(crate) fn new(dolma: &Path, jsonl: &Path, files: usize, keys: usize, ending: &str, packer: &str) -> Result<Self> {
        let desk = jsonl.with_extension(format!("dolma-{ending}-{files}"));
        generated(&desk, |new| {
            fs::create_dir_all(new.join("documents"))?;
            let split =
                format!("split -n l/{files} --additional-suffix=.jsonl.{ending} --filter='{packer} >\"$FILE\"' \"$1\" \"$2\"");
            let parts = new.join("documents/part-");
            let status = Command::new("sh").args(["-c", &split, "sh"]).arg(jsonl).arg(parts).status()?;
            if status.success() { Ok(0) } else { Err(std::io::Error::other(format!("{split}: {status}"))) }
        })?;
        let (dedupe, mix) = (desk.join("dedupe.yaml"), desk.join("mix.yaml"));
        let place = desk.display();
        fs::write(&dedupe, dedupe_settings(&place.to_string(), keys, ending))?;
        fs::write(&mix, mix_settings(&place.to_string(), ending))?;
        let both = r#""$0" -c "$1" dedupe >"$3" 2>&1 && "$0" -c "$2" mix >"$3" 2>&1"#;
        let command = ["sh".into(), "-c".into(), both.into(), dolma.to_owned(), dedupe, mix, desk.join("log")].to_vec();
        Ok(Self { command, out: desk.join("clean"), leftovers: [desk.join("attributes"), desk.join("bloom.bin")] })
    }

    /// Removes what a run left besides its output.
    pub(crate) fn clear(&self) -> Result<()> {
        for leftover in &self.leftovers {
            remove(leftover)?;
        }
        Ok(())
    }
}

fn dedupe_settings(desk: &str, keys: usize, ending: &str) -> String {
    format!(
        "documents:
  - {desk}/documents/*.jsonl.{ending}
dedupe:
  name: repeats
  paragraphs:
    attribute_name: repeats
  skip_empty: true
bloom_filter:
  file: {desk}/bloom.bin
  read_only: false
  estimated_doc_count: {keys}
  desired_false_positive_rate: 0.00001
processes: 2
"
    )
}

/// A shard takes files up to a size: with the least, each process has one.
fn mix_settings(desk: &str, ending: &str) -> String {
    format!(
        "streams:
  - name: clean
    documents:
      - {desk}/documents/*.jsonl.{ending}
    attributes:
      - repeats
    compression:
      input: {ending}
      output: {ending}
    output:
      path: {desk}/clean
      max_size_in_bytes: 1
    span_replacement:
      - span: \"$.attributes.repeats\"
        min_score: 0.5
        replacement: \"\"
processes: 2
"
    )
}
