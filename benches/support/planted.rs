//! Whether what was planted goes, and nothing else. What must be left follows from the plan of the documents, or, where every
//! repeated line goes, from a set of the lines met before; nothing of unecho is used for it.

use super::Result;
use super::measuring::remove;
use super::sets::{COPIED, NEW, REPEAT, SUMS, Sets, id, in_folder};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is compared across documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Line,
    Paragraph,
    Document,
}

impl Unit {
    const ALL: [Unit; 3] = [Unit::Line, Unit::Paragraph, Unit::Document];

    fn flags(self) -> &'static [&'static str] {
        match self {
            Unit::Line => &["--unit", "line", "--match", "bytes", "--min-chars", "0", "--across"],
            Unit::Paragraph => &["--across"],
            Unit::Document => &["--unit", "document", "--across"],
        }
    }
}

/// Prints what was found, for each unit; false if anything isn't as it must be.
pub(crate) fn check(sets: &Sets, unecho: &Path, dir: &Path) -> Result<bool> {
    let mut is_exact = true;
    for unit in Unit::ALL {
        println!("`{}`", unit.flags().join(" "));
        let check = Check { unit, unecho, out: dir.join("left") };
        for part in [Check::container, Check::folder, Check::text] {
            // What fails is said, and the rest still looked at.
            is_exact &= part(&check, sets).unwrap_or_else(|error| {
                println!("  failed: {error}");
                false
            });
        }
        println!();
    }
    Ok(is_exact)
}

struct Check<'a> {
    unit: Unit,
    unecho: &'a Path,
    /// What outputs are called, but for their endings.
    out: PathBuf,
}

impl Check<'_> {
    /// All threads and packings of the JSONL must give one output, and that the right one.
    fn container(&self, sets: &Sets) -> Result<bool> {
        let out = self.run(&sets.jsonl, "jsonl", "2")?;
        let mut score = Score::default();
        self.compare_records(sets, &out, &mut score)?;
        let is_exact = score.print("JSONL");
        let expected = hash(&out)?;
        remove(&out)?;
        println!("  sha256 {expected}");
        let others = [
            (&sets.jsonl, "jsonl", "1"),
            (&sets.jsonl, "jsonl", "8"),
            (&sets.gzip, "jsonl.gz", "2"),
            (&sets.zstd, "jsonl.zst", "2"),
        ];
        let mut is_same = true;
        for (input, ending, threads) in others {
            let out = self.run(input, ending, threads)?;
            let hash = hash(&out)?;
            remove(&out)?;
            is_same &= hash == expected;
            let verdict = if hash == expected { "the same" } else { "NOT the same" };
            println!("  .{ending}, --threads {threads}: {verdict}");
        }
        Ok(is_exact && is_same)
    }

    /// The first documents as files must be left with the same texts.
    fn folder(&self, sets: &Sets) -> Result<bool> {
        let out = self.run(&sets.folder, "folder", "2")?;
        let mut score = Score::default();
        let mut truth = Truth::new(self.unit, sets)?;
        for number in 0.. {
            let name = in_folder(number);
            let Some(text) = if_there(&sets.folder.join(&name))? else { break };
            let left = if_there(&out.join(&name))?;
            let fates = truth.next(&text)?;
            // Whether a file that is left without text stays as an empty one isn't asked here.
            score.add(&text, &fates, left.as_deref().unwrap_or_default());
        }
        remove(&out)?;
        Ok(score.print("folder"))
    }

    /// The text of all documents, in which nothing shows where one ends.
    fn text(&self, sets: &Sets) -> Result<bool> {
        if self.unit == Unit::Document {
            return Ok(true); // it is a single one
        }
        let out = self.run(&sets.text, "txt", "2")?;
        let (text, left) = (fs::read(&sets.text)?, fs::read(&out)?);
        remove(&out)?;
        let mut truth = Truth::new(self.unit, sets)?;
        let mut fates = Vec::new();
        let mut rest = lines(&text);
        while let Some(signs) = truth.signs()? {
            let document: Vec<&[u8]> = rest.by_ref().take(signs.len()).collect();
            fates.extend(truth.fates(&document, &signs));
            // Where one document ends with a repeat and the next begins with a menu that is new, the first links of both menus
            // that were met there may be the same, and then they belong to the run.
            let menu =
                document.iter().zip(&signs).take_while(|(line, sign)| **sign == NEW && !line.iter().any(u8::is_ascii_digit));
            let (menu, start) = (menu.count(), fates.len() - document.len());
            if self.unit == Unit::Paragraph {
                fates[start..start + menu].fill(Fate::Either);
            }
        }
        let mut score = Score::default();
        score.add(&text, &fates, &left);
        Ok(score.print("text"))
    }

    fn run(&self, input: &Path, ending: &str, threads: &str) -> Result<PathBuf> {
        let out = self.out.with_extension(ending);
        remove(&out)?;
        let mut command = Command::new(self.unecho);
        command.args(["-q", "--threads", threads]).args(self.unit.flags()).arg(input).arg("-o").arg(&out);
        let status = command.stdin(Stdio::null()).status()?;
        if status.success() { Ok(out) } else { Err(format!("{command:?}: {status}").into()) }
    }

    fn compare_records(&self, sets: &Sets, out: &Path, score: &mut Score) -> Result<()> {
        let mut truth = Truth::new(self.unit, sets)?;
        let mut left = Records::open(out)?;
        let mut current = left.next()?;
        let mut inputs = Records::open(&sets.jsonl)?;
        for number in 0.. {
            let Some(input) = inputs.next()? else { break };
            let fates = truth.next(input.text.as_bytes())?;
            let of_input = current.take_if(|record| record.rest["id"] == id(number));
            match &of_input {
                Some(record) => {
                    score.add(input.text.as_bytes(), &fates, record.text.as_bytes());
                    score.add_rest(&input, record, &fates);
                }
                None => score.add(input.text.as_bytes(), &fates, b""),
            }
            if of_input.is_some() {
                current = left.next()?;
            }
        }
        // A record that is no input's, or stands in the wrong place, stops everything behind it.
        score.strange += usize::from(current.is_some());
        Ok(())
    }
}

/// Which lines must stay, document by document.
struct Truth {
    unit: Unit,
    plan: io::Lines<BufReader<File>>,
    /// Hashes of lines, of another kind than unecho's.
    met: HashSet<[u8; 16]>,
}

impl Truth {
    fn new(unit: Unit, sets: &Sets) -> Result<Self> {
        Ok(Self { unit, plan: BufReader::new(File::open(&sets.plan)?).lines(), met: HashSet::new() })
    }

    /// What must become of each line of the next document.
    fn next(&mut self, text: &[u8]) -> Result<Vec<Fate>> {
        let signs = self.signs()?.ok_or("more documents than the plan has")?;
        let lines: Vec<&[u8]> = lines(text).collect();
        if signs.len() != lines.len() {
            return Err("the plan is another document's".into());
        }
        Ok(self.fates(&lines, &signs))
    }

    /// The signs of the next document; `None` at the end.
    fn signs(&mut self) -> Result<Option<Vec<u8>>> {
        let line = self.plan.next().ok_or("a plan without sums")??;
        Ok((!line.starts_with(SUMS)).then(|| line.into_bytes()))
    }

    fn fates(&mut self, lines: &[&[u8]], signs: &[u8]) -> Vec<Fate> {
        let stays = |(line, &sign): (&&[u8], &u8)| match self.unit {
            Unit::Line => self.met.insert(short_hash(line)),
            Unit::Paragraph => sign != REPEAT && sign != COPIED,
            Unit::Document => sign != COPIED,
        };
        let fate = |stays| if stays { Fate::Stays } else { Fate::Goes };
        lines.iter().zip(signs).map(stays).map(fate).collect()
    }
}

/// What must become of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    /// Both are right.
    Either,
}

fn short_hash(line: &[u8]) -> [u8; 16] {
    let hash = Sha256::digest(line);
    std::array::from_fn(|at| hash[at])
}

/// The lines of a text, of which the last may lack its end.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    (!text.is_empty()).then(|| text.split(|&byte| byte == b'\n')).into_iter().flatten()
}

/// Whether of a text just the lines are left that must or may be.
fn is_right(text: &[u8], fates: &[Fate], left: &[u8]) -> bool {
    let mut left = lines(left).peekable();
    let is_right = lines(text).zip(fates).all(|(line, fate)| match fate {
        Fate::Goes => true,
        Fate::Stays => left.next_if_eq(&line).is_some(),
        Fate::Either => {
            left.next_if_eq(&line);
            true
        }
    });
    is_right && left.next().is_none()
}

/// What was found in all documents of a run.
#[derive(Debug, Default)]
struct Score {
    /// Lines that must go; that went; that must and did.
    planted: usize,
    gone: usize,
    planted_gone: usize,
    /// Documents with lines that the input hasn't, glued or blank ones for example.
    altered: usize,
    /// Records of which something besides the text isn't as it was, that should have been dropped, or that no input explains.
    strange: usize,
}

impl Score {
    /// Adds a document, of which `left` is left.
    fn add(&mut self, text: &[u8], fates: &[Fate], left: &[u8]) {
        let is_right = is_right(text, fates, left);
        let mut left = lines(left).peekable();
        for (line, &fate) in lines(text).zip(fates) {
            let planted = fate == Fate::Goes;
            // Of two equal lines on end, one of which is left, nothing shows which; a right result must not suffer by that.
            let gone = if is_right { planted } else { left.next_if_eq(&line).is_none() };
            if fate != Fate::Either {
                self.planted += usize::from(planted);
                self.gone += usize::from(gone);
                self.planted_gone += usize::from(gone && planted);
            }
        }
        self.altered += usize::from(!is_right && left.next().is_some());
    }

    /// Adds what else is in a record.
    fn add_rest(&mut self, input: &Record, left: &Record, fates: &[Fate]) {
        let is_whole = !fates.contains(&Fate::Goes);
        let is_untouched = if is_whole { input.line == left.line } else { input.rest == left.rest };
        let is_dropped = !fates.contains(&Fate::Stays);
        self.strange += usize::from(!is_untouched || is_dropped);
    }

    /// Prints it; false unless all is exact.
    fn print(&self, of: &str) -> bool {
        let Self { planted, gone, planted_gone, altered, strange } = self;
        let (recall, precision) = (share(*planted_gone, *planted), share(*planted_gone, *gone));
        println!(
            "  {of}: recall {recall:.6}, precision {precision:.6} ({planted} planted, {gone} gone, {planted_gone} of them planted; \
             {altered} documents with lines of their own, {strange} records otherwise wrong)"
        );
        planted == gone && planted == planted_gone && *altered == 0 && *strange == 0
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// A line of JSON, and what it says.
struct Record {
    line: Vec<u8>,
    text: String,
    /// Everything but the text.
    rest: Value,
}

struct Records(BufReader<File>);

impl Records {
    fn open(file: &Path) -> Result<Self> {
        Ok(Self(BufReader::with_capacity(1 << 20, File::open(file)?)))
    }

    fn next(&mut self) -> Result<Option<Record>> {
        let mut line = Vec::new();
        if self.0.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let mut rest: Value = serde_json::from_slice(&line)?;
        let Some(Value::String(text)) = rest.get_mut("text").map(Value::take) else { return Err("a record without text".into()) };
        Ok(Some(Record { line, text, rest }))
    }
}

fn if_there(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// The hash of the texts in a file of JSONL, one after the other.
pub(crate) fn hash_of_texts(file: &Path) -> Result<String> {
    let (mut records, mut hash) = (Records::open(file)?, Sha256::new());
    while let Some(Record { text, .. }) = records.next()? {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    Ok(format!("{:x}", hash.finalize()))
}

/// The hash of all files in a folder, by their names.
pub(crate) fn hash_of_folder(folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path())?;
            hash.update(entry.path().strip_prefix(folder)?.as_os_str().as_encoded_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
    Ok(format!("{:x}", hash.finalize()))
}

/// The hash of what is in a file, unpacked by the usual program.
pub(crate) fn hash(file: &Path) -> Result<String> {
    let unpacks = match file.extension().and_then(OsStr::to_str) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => return hash_of(File::open(file)?),
    };
    let mut child = Command::new(unpacks).args(["-q", "-dc"]).arg(file).stdout(Stdio::piped()).spawn()?;
    let hash = hash_of(child.stdout.take().ok_or("no pipe")?)?;
    let status = child.wait()?;
    if status.success() { Ok(hash) } else { Err(format!("{unpacks} {}: {status}", file.display()).into()) }
}

/// The hash of all bytes.
pub(crate) fn hash_of(mut bytes: impl io::Read) -> Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut bytes, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}
