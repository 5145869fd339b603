//! What is read of the test data: files that other readers of WARC are tested with, and some of real archives.

use super::{Cut, Cutter, Held, records};
use crate::source::Packing;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where the files are: in the folder that UNECHO_DATA names, or beside this crate. Nothing if they aren't there.
fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = env::var_os("UNECHO_DATA").map_or_else(beside, PathBuf::from).join("containers");
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}; UNECHO_DATA names another folder", folder.display());
        return None;
    }
    Some(folder)
}

/// The unpacked bytes of a file, and what is wrong with its packing.
fn unpacked(path: &Path) -> (Vec<u8>, Option<String>) {
    let packed = fs::read(path).unwrap();
    let mut bytes = Vec::new();
    let result = Packing::of_bytes(&packed).unpack(&packed, &mut bytes, u64::MAX);
    (bytes, result.err().map(|error| error.to_string()))
}

/// How many there are of each thing that is held.
fn sums(bytes: &[u8]) -> String {
    let mut sums = BTreeMap::new();
    for (_, held) in records(bytes) {
        let what = match held {
            Held::Blank => continue,
            Held::Document(document) if document.is_html => format!("page ({})", document.kind.name()),
            Held::Document(document) if document.coding.is_some() => format!("coded document ({})", document.kind.name()),
            Held::Document(document) => format!("document ({})", document.kind.name()),
            Held::Other(kind) => kind.name().into(),
            Held::Broken(fault) => format!("broken: {fault}"),
            Held::After(fault) => format!("after: {fault}"),
        };
        *sums.entry(what).or_insert(0) += 1;
    }
    sums.into_iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

const ARC: &str = "1 broken: is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC";

/// Each file, and what is read of it.
const READ: [(&str, &str); 28] = [
    ("cc-sample.warc.gz", "2 document (resource), 1 metadata, 22 page (response), 22 request, 1 warcinfo"),
    ("resiliparse/block-sized-records.warc", "3 unknown"),
    ("resiliparse/block-sized-records.warc.gz", "3 unknown"),
    ("resiliparse/clipped.warc.gz", "1 broken: ends early: its Content-Length is 88,275 and 75,207 bytes follow"),
    ("resiliparse/clueweb-quirk.warc.gz", "29 page (response), 1 warcinfo"),
    ("resiliparse/warcfile.warc", "16 metadata, 16 page (response), 17 request, 1 warcinfo"),
    ("resiliparse/warcfile.warc.gz", "16 metadata, 16 page (response), 17 request, 1 warcinfo"),
    ("warcio/bad.arc", ARC),
    ("warcio/example-bad-non-chunked.warc.gz", "1 page (response), 2 request, 1 revisit, 2 warcinfo"),
    ("warcio/example-bad.warc.gz.bad", "2 page (response), 2 request, 1 revisit, 1 warcinfo"),
    ("warcio/example-digest.warc", "4 request"),
    ("warcio/example-iana.org-chunked.warc", "1 page (response), 1 request, 1 warcinfo"),
    ("warcio/example-resource.warc.gz", "1 page (resource), 2 warcinfo"),
    ("warcio/example-space-in-target-uri.warc.gz", "1 resource, 1 warcinfo"),
    ("warcio/example-space-in-url.arc", ARC),
    ("warcio/example-trunc.warc", "1 broken: its Content-Length is 973, and no record begins behind that, 1 request, 2 warcinfo"),
    ("warcio/example-wget-bad-target-uri.warc.gz", "2 document (resource), 1 metadata, 1 page (response), 1 request, 1 warcinfo"),
    ("warcio/example-wrong-chunks.warc.gz", "1 page (response), 1 request"),
    ("warcio/example.arc", ARC),
    ("warcio/example.arc.gz", ARC),
    ("warcio/example.warc", "1 page (response), 2 request, 1 revisit, 2 warcinfo"),
    ("warcio/example.warc.gz", "1 page (response), 2 request, 1 revisit, 2 warcinfo"),
    ("warcio/post-test.warc.gz", "3 request, 3 response"),
    ("whirlwind-cc/whirlwind.warc", "1 metadata, 1 page (response), 1 request, 1 warcinfo"),
    ("whirlwind-cc/whirlwind.warc.gz", "1 metadata, 1 page (response), 1 request, 1 warcinfo"),
    ("whirlwind-cc/whirlwind.warc.wat.gz", "1 metadata, 1 warcinfo"),
    ("whirlwind-cc/whirlwind.warc.wet", "1 document (conversion), 1 warcinfo"),
    ("whirlwind-cc/whirlwind.warc.wet.gz", "1 document (conversion), 1 warcinfo"),
];

#[test]
fn of_each_file_is_read_what_other_readers_read_or_a_fault() {
    let Some(folder) = folder() else { return };
    for (name, read) in READ {
        let (bytes, fault) = unpacked(&folder.join(name));
        assert_eq!(sums(&bytes), read, "{name}");
        let is_clipped = name == "resiliparse/clipped.warc.gz";
        assert_eq!(fault, is_clipped.then(|| "the gzip stream ends early, after 75,657 unpacked bytes".to_owned()), "{name}");
    }
    let is_archive = |path: &Path| [".warc", ".arc", ".wet"].iter().any(|form| path.to_string_lossy().contains(form));
    let files = walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap);
    let archives = files.filter(|file| file.file_type().is_file() && is_archive(file.path()));
    let is_lz4 = |path: &Path| path.extension().is_some_and(|extension| extension == "lz4"); // no packing that is read
    assert_eq!(archives.filter(|file| !is_lz4(file.path())).count(), READ.len(), "a file isn't in the table");
}

#[test]
fn a_file_has_the_same_records_however_it_is_packed() {
    let Some(folder) = folder() else { return };
    for name in [
        "resiliparse/block-sized-records.warc",
        "resiliparse/warcfile.warc",
        "whirlwind-cc/whirlwind.warc",
        "whirlwind-cc/whirlwind.warc.wet",
    ] {
        let [(plain, _), (packed, _)] = ["", ".gz"].map(|packing| unpacked(&folder.join(format!("{name}{packing}"))));
        assert!(told(&plain) == told(&packed), "{name}");
        assert_eq!(plain == packed, name.starts_with("resiliparse"), "{name}: of some the headers were written anew");
    }
}

/// What is held, and the texts and addresses of documents.
fn told(bytes: &[u8]) -> Vec<(Held, Vec<u8>)> {
    let all = records(bytes).map(|(_, held)| {
        let told = match &held {
            Held::Document(document) => [document.text.of(bytes), document.uri.map_or(&[], |uri| uri.of(bytes))].concat(),
            _ => Vec::new(),
        };
        (placeless(held), told)
    });
    all.collect()
}

#[test]
fn a_file_is_cut_into_the_same_records_however_it_comes() {
    let Some(folder) = folder() else { return };
    for (name, _) in READ {
        let (bytes, _) = unpacked(&folder.join(name));
        let all: Vec<Held> = records(&bytes).map(|(_, held)| held).filter(|held| *held != Held::Blank).map(placeless).collect();
        for piece in [1000, 65_536] {
            assert_eq!(streamed(&bytes, piece), all, "{name}, by {piece}");
        }
    }
}

/// What is held, without saying where.
fn placeless(held: Held) -> Held {
    match held {
        Held::Document(document) => Held::Other(document.kind),
        held => held,
    }
}

fn streamed(bytes: &[u8], piece: usize) -> Vec<Held> {
    let (mut all, mut cutter, mut from, mut to) = (Vec::new(), Cutter::new(super::LONGEST), 0, 0);
    while let Some(cut) = cutter.cut(&bytes[from..to], to == bytes.len()) {
        match cut {
            Cut::Records(len) => {
                let whole = records(&bytes[from..from + len]).map(|(_, held)| held).filter(|held| *held != Held::Blank);
                all.extend(whole.map(placeless));
                from += len;
            }
            Cut::Begins(len, held) => {
                all.push(held);
                from += len;
            }
            Cut::GoesOn(len) => from += len,
            Cut::More(_) => to = bytes.len().min(to + piece),
        }
    }
    all
}
