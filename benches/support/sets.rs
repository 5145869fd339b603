//! The made-up documents in files: one text, JSONL and packed JSONL, a folder; and beside them what is known of them.

use super::Result;
use super::documents::{Document, Documents, Origin};
use super::measuring::{generated, remove};
use flate2::Compression;
use flate2::write::GzEncoder;
use memchr::memchr3;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const SEED: u64 = 0x00ac_2055;
/// The folder has so much less: the time of many small files is another bench's matter.
const FOLDER_PART: usize = 16;
/// Files in one subfolder.
const PER_FOLDER: usize = 500;
/// In one record of so many everything but ASCII is escaped.
const ESCAPED: usize = 50;

/// The corpora of one size, which are the same documents in several forms.
pub(crate) struct Sets {
    pub(crate) text: PathBuf,
    pub(crate) jsonl: PathBuf,
    pub(crate) gzip: PathBuf,
    pub(crate) zstd: PathBuf,
    /// The first documents, each a file.
    pub(crate) folder: PathBuf,
    /// A line for each document, and in it a sign for each paragraph (see [`sign`]); behind them the sums.
    pub(crate) plan: PathBuf,
    /// What the text has.
    pub(crate) sums: Sums,
}

/// What a corpus has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) documents: usize,
    pub(crate) paragraphs: usize,
    /// Paragraphs without those that stood before.
    pub(crate) keys: usize,
    pub(crate) bytes: u64,
    /// Bytes of paragraphs that go.
    pub(crate) repeated: u64,
}

impl Sets {
    /// Makes in `dir` what isn't there yet.
    pub(crate) fn made(dir: &Path, bytes: usize) -> Result<Self> {
        let named = |ending: &str| dir.join(format!("documents-{bytes}{ending}"));
        let (text, jsonl, plan) = (named(".txt"), named(".jsonl"), named(".plan"));
        let [gzip, zstd] = [named(".jsonl.gz"), named(".jsonl.zst")];
        if [&text, &jsonl, &plan].iter().any(|file| !file.exists()) {
            write_files(bytes, [&text, &jsonl, &plan])?;
        }
        generated(&gzip, |new| pack("pigz -c <\"$1\" >\"$2\" || gzip -c <\"$1\" >\"$2\"", &jsonl, new))?;
        generated(&zstd, |new| pack("zstd -q -T0 <\"$1\" >\"$2\"", &jsonl, new))?;
        let folder = named("-folder");
        generated(&folder, |new| write_folder(bytes / FOLDER_PART, new))?;
        let sums = Sums::read(&plan)?;
        Ok(Self { text, jsonl, gzip, zstd, folder, plan, sums })
    }
}

/// The same documents in forms that not every part of the bench asks for.
pub(crate) struct MoreForms {
    pub(crate) parquet: PathBuf,
    /// A record of what made the file, and a conversion for each document.
    pub(crate) wet: PathBuf,
    /// Each record packed by itself, as crawls keep them.
    pub(crate) wet_gzip: PathBuf,
}

impl MoreForms {
    /// Makes what isn't there yet.
    pub(crate) fn made(sets: &Sets) -> Result<Self> {
        let named = |ending: &str| sets.jsonl.with_extension(ending);
        let [parquet, wet, wet_gzip] = [named("parquet"), named("wet"), named("wet.gz")];
        generated(&parquet, |new| write_table(&sets.jsonl, new))?;
        generated(&wet, |new| write_wet(&sets.jsonl, new, |record, out| out.write_all(record)))?;
        generated(&wet_gzip, |new| write_wet(&sets.jsonl, new, write_packed))?;
        Ok(Self { parquet, wet, wet_gzip })
    }
}

/// How the plan shows a paragraph.
pub(crate) fn sign(document: &Document, origin: Origin) -> u8 {
    match origin {
        _ if document.is_copy => COPIED,
        Origin::Repeat => REPEAT,
        Origin::Short => SHORT,
        Origin::Prose | Origin::Heading | Origin::Boilerplate => NEW,
    }
}

/// Of a whole document that stood before.
pub(crate) const COPIED: u8 = b'D';
/// Of a run that stood before.
pub(crate) const REPEAT: u8 = b'R';
/// Short, and stays where only long runs go.
const SHORT: u8 = b's';
/// Of any other paragraph.
pub(crate) const NEW: u8 = b'.';
/// Begins the last line of a plan.
pub(crate) const SUMS: char = '#';

impl Sums {
    fn add(&mut self, document: &Document) {
        self.documents += 1;
        self.bytes += document.text.len() as u64;
        self.paragraphs += document.paragraphs.len();
        for (span, origin) in &document.paragraphs {
            match origin {
                Origin::Repeat => self.repeated += span.len() as u64 + 1,
                Origin::Short => {}
                Origin::Prose | Origin::Heading | Origin::Boilerplate => self.keys += 1,
            }
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { documents, paragraphs, keys, bytes, repeated } = self;
        writeln!(out, "{SUMS}{documents} {paragraphs} {keys} {bytes} {repeated}")
    }

    /// Reads the last line of a plan.
    fn read(plan: &Path) -> Result<Self> {
        let plan = fs::read_to_string(plan)?;
        let last = plan.lines().next_back().and_then(|line| line.strip_prefix(SUMS)).ok_or("a plan without sums")?;
        let numbers = last.split(' ').map(str::parse).collect::<std::result::Result<Vec<u64>, _>>()?;
        let [documents, paragraphs, keys, bytes, repeated] = numbers[..] else { return Err("a plan of other sums".into()) };
        let [documents, paragraphs, keys] = [documents, paragraphs, keys].map(|number| number as usize);
        Ok(Self { documents, paragraphs, keys, bytes, repeated })
    }
}

/// Writes the text, the JSONL and the plan, under other names until all are whole.
fn write_files(bytes: usize, files: [&Path; 3]) -> Result<()> {
    let unfinished = files.map(unfinished);
    let open = |file: &PathBuf| io::Result::Ok(BufWriter::with_capacity(1 << 20, File::create(file)?));
    let [text, jsonl, plan] = &unfinished;
    let (mut text, mut jsonl, mut plan) = (open(text)?, open(jsonl)?, open(plan)?);
    let mut sums = Sums::default();
    let mut line = Vec::new();
    let mut documents = Documents::new(SEED);
    while sums.bytes < bytes as u64 {
        let document = documents.make();
        text.write_all(&document.text)?;
        line.clear();
        record(sums.documents, document, &mut line);
        jsonl.write_all(&line)?;
        line.clear();
        line.extend(document.paragraphs.iter().map(|(_, origin)| sign(document, *origin)));
        line.push(b'\n');
        plan.write_all(&line)?;
        sums.add(document);
    }
    sums.write(&mut plan)?;
    for mut out in [text, jsonl, plan] {
        out.flush()?;
    }
    for (unfinished, file) in unfinished.iter().zip(files) {
        fs::rename(unfinished, file)?;
    }
    Ok(())
}

/// Makes a file of documents of so many bytes as JSONL alone, of any size: little of it is in memory at a time.
pub(crate) fn jsonl_alone(dir: &Path, bytes: usize) -> Result<PathBuf> {
    let path = dir.join(format!("documents-{bytes}.jsonl"));
    generated(&path, |new| {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(new)?);
        let (mut documents, mut line, mut written) = (Documents::new(SEED), Vec::new(), 0);
        for number in 0.. {
            if written >= bytes as u64 {
                break;
            }
            let document = documents.make();
            line.clear();
            record(number, document, &mut line);
            out.write_all(&line)?;
            written += document.text.len() as u64;
        }
        out.flush().map(|()| written)
    })?;
    Ok(path)
}

/// Adds the document of this number as a line of JSON.
fn record(number: usize, document: &Document, out: &mut Vec<u8>) {
    let site = number % 997;
    out.extend_from_slice(
        format!(r#"{{"id": "{}", "url": "https://example.org/{site}/{number}", "text": ""#, id(number)).as_bytes(),
    );
    let text = document.text.strip_suffix(b"\n").unwrap_or(&document.text);
    if number.is_multiple_of(ESCAPED) {
        escape_to_ascii(text, out);
    } else {
        escape(text, out);
    }
    let (day, score) = (number % 28 + 1, number % 1000);
    out.extend_from_slice(
        format!(r#"", "source": "made-up", "meta": {{"crawled": "2024-05-{day:02}", "score": 0.{score:03}}}}}"#).as_bytes(),
    );
    out.push(b'\n');
}

/// What the record of this number is called.
pub(crate) fn id(number: usize) -> String {
    format!("made-up-{number:08}")
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr3(b'\n', b'"', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', if rest[at] == b'\n' { b'n' } else { rest[at] }]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// As many programs write JSON.
fn escape_to_ascii(text: &[u8], out: &mut Vec<u8>) {
    let mut escaped = Vec::new();
    escape(text, &mut escaped);
    for char in String::from_utf8_lossy(&escaped).chars() {
        if char.is_ascii() {
            out.push(char as u8);
        } else {
            let mut units = [0; 2];
            char.encode_utf16(&mut units).iter().for_each(|unit| out.extend_from_slice(format!("\\u{unit:04x}").as_bytes()));
        }
    }
}

fn write_table(jsonl: &Path, table: &Path) -> io::Result<u64> {
    let lines = BufReader::with_capacity(1 << 20, File::open(jsonl)?);
    let file = BufWriter::with_capacity(1 << 20, File::create(table)?);
    let written = unecho::source::parquet::from_json_lines(lines, "text", file);
    written.map_err(|fault| io::Error::other(format!("{fault:?}")))?.flush()?;
    Ok(fs::metadata(table)?.len())
}

/// Writes a record of what made the file, and one for each document.
fn write_wet(jsonl: &Path, wet: &Path, mut write: impl FnMut(&[u8], &mut BufWriter<File>) -> io::Result<()>) -> io::Result<u64> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        url: Cow<'a, str>,
        #[serde(borrow)]
        text: Cow<'a, str>,
    }

    let mut lines = BufReader::with_capacity(1 << 20, File::open(jsonl)?);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(wet)?);
    let (mut line, mut record) = (Vec::new(), Vec::new());
    warc_record("warcinfo", None, 0, "application/warc-fields", b"software: a bench\r\n", &mut record);
    write(&record, &mut out)?;
    for number in 1.. {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let Line { url, text } = serde_json::from_slice(&line)?;
        record.clear();
        warc_record("conversion", Some(&url), number, "text/plain", text.as_bytes(), &mut record);
        write(&record, &mut out)?;
    }
    out.flush()?;
    Ok(fs::metadata(wet)?.len())
}

fn warc_record(kind: &str, uri: Option<&str>, number: usize, of_type: &str, content: &[u8], out: &mut Vec<u8>) {
    let uri = uri.map_or(String::new(), |uri| format!("WARC-Target-URI: {uri}\r\n"));
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\n{uri}WARC-Date: 2024-05-01T00:00:00Z\r\n\
         WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012x}>\r\n\
         Content-Type: {of_type}\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n\r\n");
}

fn write_packed(record: &[u8], out: &mut BufWriter<File>) -> io::Result<()> {
    let mut member = GzEncoder::new(out, Compression::fast());
    member.write_all(record)?;
    member.finish().map(drop)
}

/// Writes a packed copy, with a command of the shell.
fn pack(command: &str, input: &Path, output: &Path) -> io::Result<u64> {
    let status = Command::new("sh").args(["-c", command, "sh"]).args([input, output]).status()?;
    if !status.success() {
        remove(output)?;
        return Err(io::Error::other(format!("{command}: {status}")));
    }
    Ok(fs::metadata(output)?.len())
}

/// Writes the first documents, each into a file.
fn write_folder(bytes: usize, folder: &Path) -> io::Result<u64> {
    let mut documents = Documents::new(SEED);
    let (mut number, mut written) = (0, 0);
    while written < bytes as u64 {
        let file = folder.join(in_folder(number));
        if number.is_multiple_of(PER_FOLDER) {
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
        }
        let document = documents.make();
        fs::write(file, &document.text)?;
        number += 1;
        written += document.text.len() as u64;
    }
    Ok(written)
}

/// Where the document of this number stands in the folder; names are in the order of numbers.
pub(crate) fn in_folder(number: usize) -> PathBuf {
    PathBuf::from(format!("{:04}/{number:08}.txt", number / PER_FOLDER))
}

/// The name of a file that isn't whole yet.
fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}
