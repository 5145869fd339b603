//! Documents that memory doesn't hold come out as if it did, and what goes wrong on the way is told.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/desk.rs"]
mod desk;

use corpus::Random;
use desk::{Desk, Ran, skipped};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use unecho::report::Told;
use unecho::runner::{self, Budget, Course, OnError, Outcome, Part, Portion, Reading};
use unecho::source::{Selection, Walk};
use unecho::threads::Threads;
use unecho::{Match, Settings, Share, Threshold, Unit, apply};

/// What a run takes in any case; documents have what there is beyond it.
const PROGRAM: u64 = 18 << 20;
/// Nearly nothing is held.
const TINY: u64 = PROGRAM + 200_000;
/// All is held.
const AMPLE: u64 = 1 << 30;

const ACROSS: Settings = Settings {
    matching: Match::Text,
    threshold: Threshold::LongOrLargeShare,
    keep: unecho::Keep::First,
    unit: Unit::Paragraph,
    across: true,
    drop_above: None,
    tidy: unecho::Tidy::NONE,
    only_tidies: false,
};

/// Texts of one to sixty paragraphs, a third of which stood before, whose sizes come to about so many bytes.
fn texts(seed: u64, bytes: usize) -> Vec<String> {
    let mut all = Vec::new();
    corpus::big_text(seed, bytes, 150, 35, true, &mut all).unwrap();
    let all = String::from_utf8(all).unwrap();
    let mut paragraphs = all.split("\n\n").filter(|paragraph| !paragraph.is_empty()).peekable();
    let mut random = Random(seed);
    let mut texts = Vec::new();
    while paragraphs.peek().is_some() {
        let separator = *random.pick(&["\n\n", "\n", "\r\n\r\n"]);
        texts.push(paragraphs.by_ref().take(random.within(1, 60)).collect::<Vec<_>>().join(separator));
    }
    texts
}

/// The same as records, a few of which have no text or repeat one as a whole.
fn records(seed: u64, bytes: usize) -> String {
    let mut random = Random(seed + 1);
    let texts = texts(seed, bytes);
    let mut lines = String::new();
    for (number, text) in texts.iter().enumerate() {
        let text = match random.below(20) {
            0 => "",
            1 => " \n\n ",
            2 => &texts[random.below(number + 1)],
            _ => text,
        };
        lines += &serde_json::json!({ "id": format!("{seed}/{number}"), "text": text }).to_string();
        lines += if random.one_in(15) { "\n\n" } else { "\n" };
    }
    lines
}

fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes.as_ref()).unwrap();
    gz.finish().unwrap()
}

/// How inputs are cleaned.
#[derive(Clone)]
struct Way {
    settings: Settings,
    reading: Reading,
    threads: usize,
}

impl Default for Way {
    fn default() -> Self {
        Self { settings: ACROSS, reading: Reading::default(), threads: 2 }
    }
}

/// What came of a run.
#[derive(Default)]
struct Came {
    /// The clean copies that are complete, by the names of their inputs.
    copies: BTreeMap<String, Vec<u8>>,
    /// What is said of inputs, in order: reports, faults, errors.
    said: Vec<String>,
    /// What ended the run early.
    ended: Option<String>,
    /// Whether memory didn't hold all.
    is_spilled: bool,
}

/// A portion: its input, part and clean bytes, and what is said of it.
type Made = (String, Part, Option<Vec<u8>>, Told, Vec<String>);

impl Way {
    fn clean(&self, desk: &Desk, paths: &[&str], memory: u64) -> Came {
        self.clean_with(desk, paths, memory, |_| {})
    }

    /// The same; `before` gets the name of each input before something of it is planned, once memory holds no more, and "" when
    /// that shows.
    fn clean_with(&self, desk: &Desk, paths: &[&str], memory: u64, before: impl Fn(&str) + Sync) -> Came {
        let root = format!("{}/", desk.path("").display());
        let root = root.replace("//", "/");
        let named = |path: &str| path.replace(&root, "");
        let paths: Vec<PathBuf> = paths.iter().map(|path| desk.path(path)).collect();
        let (threads, stop) = (Threads::new(self.threads), AtomicBool::new(false));
        let budget = Budget { memory, temporary: Some(desk.path("")), packs: false };
        let course = Course { settings: &self.settings, reading: &self.reading, budget: &budget, threads: &threads, stop: &stop };
        let is_spilled = AtomicBool::new(false);
        let work = |portion: Portion| {
            let name = named(&portion.input.path().to_string_lossy());
            if is_spilled.load(Ordering::SeqCst) {
                before(&name);
            }
            let is_dropped = !portion.input.form.is_container() && portion.documents.iter().all(|document| document.is_dropped);
            let is_gone = portion.part == Part::Whole && is_dropped;
            let start = portion.extent.start;
            let cuts = portion.cuts.iter().map(|cut| unecho::document::Span { start: cut.start - start, end: cut.end - start });
            let copy = apply::without(&portion.bytes[start as usize..portion.extent.end as usize], cuts);
            let mut faults: Vec<String> =
                portion.faults.iter().map(|(line, fault)| format!("{name}: line {line}: {fault}")).collect();
            if let Some(broken) = portion.source.broken().filter(|_| portion.is_first) {
                faults.push(format!("{name}: {broken}"));
            }
            let told = Told::of(&portion, usize::MAX, |_| true)?;
            Ok::<Made, _>((name, portion.part, (!is_gone).then_some(copy), told, faults))
        };
        let mut came = Came::default();
        let mut growing: Option<(Vec<u8>, Told)> = None;
        let ended = runner::run(Walk::new(&paths, Selection::default()).unwrap(), course, work, |outcomes| {
            for outcome in outcomes {
                match outcome {
                    Outcome::Done((name, part, copy, told, faults)) => {
                        came.said.extend(faults);
                        let (mut whole, mut all) = growing.take().unwrap_or_default();
                        let is_written = copy.is_some();
                        whole.extend(copy.unwrap_or_default());
                        all.append(told, usize::MAX);
                        if part == Part::Stretch {
                            growing = Some((whole, all));
                            continue;
                        }
                        came.said.push(in_words(&name, all.in_order(usize::MAX)));
                        if is_written {
                            came.copies.insert(name, whole);
                        }
                    }
                    Outcome::LeftOut(path, why) => came.said.push(format!("{}: {why:?}", named(&path.to_string_lossy()))),
                    Outcome::Failed(error) => {
                        growing = None;
                        came.said.push(named(&error.to_string()));
                    }
                    Outcome::Notice(_) => {
                        if !is_spilled.swap(true, Ordering::SeqCst) {
                            before("");
                        }
                    }
                }
            }
            Ok(())
        });
        came.ended = ended.err().map(|error| named(&error.to_string()));
        came.is_spilled = is_spilled.into_inner();
        came
    }

    /// Holds that memory changes nothing, and gives the copies.
    #[track_caller]
    fn same_by_any_memory(&self, desk: &Desk, paths: &[&str], what: &str) -> Came {
        self.same_by(&[200_000, 1_200_000], desk, paths, what)
    }

    #[track_caller]
    fn same_by(&self, budgets: &[u64], desk: &Desk, paths: &[&str], what: &str) -> Came {
        let ample = self.clean(desk, paths, AMPLE);
        assert!(!ample.is_spilled && ample.ended.is_none(), "{what}: {:?}", ample.ended);
        for &beyond in budgets {
            let less = self.clean(desk, paths, PROGRAM + beyond);
            assert!(less.is_spilled, "{what}: all was held in {beyond}");
            let what = format!("{what}, {beyond} bytes beyond what is taken in any case");
            assert_eq!(less.ended, None, "{what}");
            let names = |came: &Came| came.copies.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&less), names(&ample), "{what}");
            for (name, copy) in &ample.copies {
                let (copy, other) = (String::from_utf8_lossy(copy), String::from_utf8_lossy(&less.copies[name]));
                desk::assert_same(&other, &copy, &format!("{what}: {name}"));
            }
            let differs = less.said.iter().zip(&ample.said).find(|(less, ample)| less != ample);
            assert!(differs.is_none() && less.said.len() == ample.said.len(), "{what}: {differs:#?}");
        }
        ample
    }
}

/// What is said of an input but for where in an earlier document the text stands that stays, which isn't known of one on disk.
fn in_words(name: &str, told: Told) -> String {
    let mut findings = serde_json::to_value(&told.findings).unwrap();
    for finding in findings.as_array_mut().unwrap() {
        for repeat in finding["repeats"].as_array_mut().unwrap() {
            if !repeat["repeats_document"].is_null() {
                let repeat = repeat.as_object_mut().unwrap();
                ["repeats_lines", "repeats_bytes", "identical"].iter().for_each(|field| drop(repeat.remove(*field)));
            }
        }
    }
    format!("{name}: {} {findings}", serde_json::to_string(&told.sums).unwrap())
}

fn ways() -> Vec<(&'static str, Settings, bool)> {
    let lines = Settings { unit: Unit::Line, ..ACROSS };
    let every_line = Settings { threshold: Threshold::Flat(0), matching: Match::Bytes, ..lines };
    let document = Settings { unit: Unit::Document, ..ACROSS };
    let drop_above = Settings { drop_above: Share::of_percent(40), ..ACROSS };
    vec![
        ("defaults", ACROSS, false),
        ("any run", Settings { threshold: Threshold::Flat(1), ..ACROSS }, false),
        ("loosely", Settings { matching: Match::Loose, ..ACROSS }, false),
        ("lines", lines, false),
        ("every line", every_line.clone(), false),
        ("every line, empty records kept", every_line, true),
        ("documents", document.clone(), false),
        ("documents, empty records kept", document, true),
        ("drop above 40 %", drop_above.clone(), false),
        ("drop above 40 %, empty records kept", drop_above, true),
    ]
}

// The same as in memory.

#[test]
fn records_that_memory_does_not_hold_come_out_as_if_it_did() {
    let desk = Desk::new();
    let all = records(1, 6 << 20);
    desk.write("a.jsonl", &all);
    desk.write("a.jsonl.gz", gz(&all));
    desk.write("a.jsonl.zst", zstd::encode_all(all.as_bytes(), 1).unwrap());
    let mut copies = Vec::new();
    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
        let came = Way::default().same_by_any_memory(&desk, &[name], name);
        copies.extend(came.copies.into_values());
    }
    assert!(copies[0].len() < all.len() * 4 / 5, "a third of it repeats");
    assert!(copies[0] == copies[1] && copies[0] == copies[2]);
}

#[test]
fn whatever_repeats_is_found_without_memory_too() {
    let desk = Desk::new();
    desk.write("a.jsonl", records(2, 600_000));
    desk.write("b.jsonl.gz", gz(records(2, 600_000).replace("2/", "b/")));
    desk.write("c.jsonl", records(3, 600_000) + &records(2, 300_000));
    for (what, settings, keep_empty) in ways() {
        let reading = Reading { keep_empty, in_stretches: keep_empty, ..Reading::default() };
        let way = Way { settings, reading, ..Way::default() };
        let came = way.same_by_any_memory(&desk, &["a.jsonl", "b.jsonl.gz", "c.jsonl"], what);
        assert_eq!(came.copies.len(), 3, "{what}");
    }
}

#[test]
fn small_texts_and_records_mixed_come_out_as_if_memory_held_them() {
    let desk = Desk::new();
    let mut random = Random(5);
    let all = texts(5, 1 << 20);
    for number in 0..300 {
        let some: String = (0..random.within(1, 3)).map(|_| random.pick(&all).clone() + "\n\n").collect();
        match random.below(10) {
            0 => desk.write(&format!("in/{number}.jsonl"), records(number, 20_000)),
            1 => desk.write(&format!("in/{number}.txt.gz"), gz(some)),
            2 => desk.write(&format!("in/{number}.md"), *random.pick(&["", "\n", " \n\n\t\n", "\u{feff}"])),
            3 => desk.write(&format!("in/{number}.jsonl"), *random.pick(&["", "\n\n", "\u{feff}\n"])),
            4 => desk.write(&format!("in/{number}.txt"), b"binary\0"),
            _ => desk.write(&format!("in/{number}.txt"), some),
        }
    }
    for (what, settings, keep_empty) in ways() {
        let way = Way { settings, reading: Reading { keep_empty, ..Reading::default() }, ..Way::default() };
        way.same_by_any_memory(&desk, &["in"], what);
    }
}

#[test]
fn a_text_larger_than_a_stretch_comes_out_as_if_memory_held_it() {
    let desk = Desk::new();
    desk.write("a.txt", texts(6, 200_000).join("\n\n"));
    desk.write("b.txt", texts(6, 5 << 20).join("\n\n"));
    desk.write("c.txt.gz", gz(texts(6, 1 << 20).join("\n\n") + "\n\nThe last."));
    for (what, settings, _) in ways().into_iter().filter(|(.., keep_empty)| !keep_empty).step_by(2) {
        Way { settings, ..Way::default() }.same_by_any_memory(&desk, &["a.txt", "b.txt", "c.txt.gz"], what);
    }
}

#[test]
fn threads_change_nothing_when_memory_does_not_hold_all() {
    let desk = Desk::new();
    desk.write("in/a.jsonl", records(7, 3 << 20));
    desk.write("in/b.jsonl", records(8, 1 << 20) + &records(7, 1 << 20));
    (0..20).for_each(|number| desk.write(&format!("in/c{number}.txt"), texts(7, 30_000).join("\n\n")));
    let mut before: Option<Came> = None;
    for threads in [1, 2, 8] {
        let came = Way { threads, ..Way::default() }.clean(&desk, &["in"], TINY);
        assert!(came.is_spilled && came.ended.is_none());
        if let Some(before) = &before {
            assert!(before.copies == came.copies && before.said == came.said, "{threads}");
        }
        before = Some(came);
    }
    Way::default().same_by_any_memory(&desk, &["in"], "all of them");
}

// What is broken.

/// Three files, so large, of which the one at `broken` is spoilt.
fn with_one_spoilt(
    desk: &Desk,
    sizes: [usize; 3],
    broken: usize,
    spoilt: impl Fn(String) -> Vec<u8>,
    extension: &str,
) -> Vec<String> {
    let of = |number: usize, size: usize| records(20 + number as u64, size) + &records(30, size / 2);
    let name = |number: usize| format!("{number}.jsonl{}", if number == broken { extension } else { "" });
    for (number, size) in sizes.into_iter().enumerate() {
        let all = of(number, size);
        desk.write(&name(number), if number == broken { spoilt(all) } else { all.into() });
    }
    (0..3).map(name).collect()
}

fn in_each_way(desk: &Desk, names: &[String], what: &str) {
    for on_error in [OnError::Fail, OnError::Keep, OnError::Drop] {
        for in_stretches in [false, true] {
            let what = format!("{what}, {on_error:?}, in stretches: {in_stretches}");
            let reading = Reading { on_error, in_stretches, ..Reading::default() };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let came = Way { reading, ..Way::default() }.same_by(&[300_000], desk, &names, &what);
            let is_left_out = on_error == OnError::Fail;
            assert_eq!(came.copies.len(), if is_left_out { 2 } else { 3 }, "{what}: {:?}", came.copies.keys());
        }
    }
}

#[test]
fn a_broken_record_is_left_out_or_kept_or_fails_its_file_wherever_that_comes() {
    let halfway = |all: String| {
        let middle = all.len() / 2 + all[all.len() / 2..].find('\n').unwrap() + 1;
        [&all[..middle], "{\"text\": broken}\n", &all[middle..]].concat().into_bytes()
    };
    for broken in 0..3 {
        for size in [100_000, 1_500_000] {
            let mut sizes = [400_000; 3];
            sizes[broken] = size;
            let desk = Desk::new();
            let names = with_one_spoilt(&desk, sizes, broken, halfway, "");
            in_each_way(&desk, &names, &format!("{sizes:?}, the one at {broken}"));
        }
    }
}

#[test]
fn a_packed_stream_that_breaks_off_is_told_wherever_it_comes() {
    let cut_short = |all: String| {
        let mut packed = gz(all);
        packed.truncate(packed.len() * 4 / 5);
        packed
    };
    for broken in 0..3 {
        for size in [100_000, 1_500_000] {
            let desk = Desk::new();
            let mut sizes = [400_000; 3];
            sizes[broken] = size;
            let names = with_one_spoilt(&desk, sizes, broken, cut_short, ".gz");
            in_each_way(&desk, &names, &format!("{sizes:?}, the one at {broken}"));
        }
    }
}

// Inputs that change between their two readings.

/// Changes a file as it must not be changed.
type Change = fn(&std::path::Path);

const CHANGES: [(&str, Change); 5] = [
    ("another text of the same size and time", |path| {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace('e', "o").replace("toxt", "text")).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }),
    ("another text", |path| fs::write(path, fs::read_to_string(path).unwrap().replace(". ", ", ")).unwrap()),
    ("cut short", |path| {
        let text = fs::read_to_string(path).unwrap();
        let half = text[..text.len() / 2].rfind('\n').map_or(text.len() / 2, |end| end + 1);
        fs::File::options().write(true).open(path).unwrap().set_len(half as u64).unwrap();
    }),
    ("grown", |path| {
        let mut file = fs::File::options().append(true).open(path).unwrap();
        file.write_all(b"{\"text\": \"There is more.\"}\n").unwrap();
    }),
    ("deleted", |path| fs::remove_file(path).unwrap()),
];

#[test]
fn an_input_that_changes_between_its_two_readings_ends_the_run() {
    for (what, change) in CHANGES {
        for (name, content, in_stretches) in [
            ("b.jsonl", records(41, 1_500_000), true),
            ("b.jsonl", records(41, 300_000), false),
            ("b.txt", texts(41, 300_000).join("\n\n"), true),
        ] {
            let desk = Desk::new();
            // No other input shares a batch with it.
            desk.write("a.jsonl", records(40, if in_stretches { 300_000 } else { 4_300_000 }));
            desk.write(name, content);
            desk.write("c.jsonl", records(41, 100_000));
            let changed = AtomicBool::new(false);
            let between = |input: &str| {
                if input == "a.jsonl" && !changed.swap(true, Ordering::SeqCst) {
                    change(&desk.path(name));
                }
            };
            let reading = Reading { in_stretches, ..Reading::default() };
            let came = Way { reading, ..Way::default() }.clean_with(&desk, &["a.jsonl", name, "c.jsonl"], TINY, between);
            assert!(came.is_spilled && changed.into_inner());
            let ended = came.ended.unwrap_or_else(|| panic!("{name} {what}: nothing is said"));
            assert!(ended.starts_with(&format!("{name}: ")), "{name} {what}: {ended}");
            assert_eq!(came.copies.into_keys().collect::<Vec<_>>(), ["a.jsonl"], "{name} {what}");
        }
    }
}

/// Of what is under way by then a part is written already.
#[test]
fn a_file_that_changes_when_memory_is_full_is_not_said_to_be_clean() {
    for (what, change) in CHANGES.iter().skip(1).take(3) {
        let desk = Desk::new();
        desk.write("a.jsonl", records(40, 5_000_000));
        desk.write("b.jsonl", records(41, 500_000));
        let when_full = |input: &str| {
            if input.is_empty() {
                change(&desk.path("a.jsonl"));
            }
        };
        let came = Way::default().clean_with(&desk, &["a.jsonl", "b.jsonl"], PROGRAM + 3_000_000, when_full);
        assert!(came.is_spilled && !came.copies.contains_key("a.jsonl"), "{what}");
        let told = came.ended.iter().chain(&came.said).find(|said| said.starts_with("a.jsonl: ")).cloned();
        assert!(told.is_some_and(|told| told.contains("changed")), "{what}: {:?} {:?}", came.ended, came.said.len());
    }
}

#[test]
fn of_a_file_that_is_replaced_when_memory_is_full_the_one_that_was_opened_is_cleaned() {
    let content = records(40, 5_000_000);
    let clean = |replace: bool| {
        let desk = Desk::new();
        desk.write("a.jsonl", &content);
        desk.write("other", records(49, 5_000_000));
        let when_full = |input: &str| {
            if input.is_empty() && replace && desk.path("other").exists() {
                fs::rename(desk.path("other"), desk.path("a.jsonl")).unwrap();
            }
        };
        let came = Way::default().clean_with(&desk, &["a.jsonl"], PROGRAM + 3_000_000, when_full);
        assert!(came.is_spilled && came.ended.is_none());
        came.copies
    };
    assert!(clean(true) == clean(false));
}

// Temporary folders.

/// Records that are more than 64 MB of memory hold, though little is left of them; nor does it take long to read them.
fn more_than_64_mb() -> String {
    let letters: String = (b'a'..=b'z').map(char::from).collect();
    let line = |number: usize| serde_json::json!({ "text": format!("{number}{}", letters.repeat(40_000)) }).to_string() + "\n";
    let three: String = (0..3).map(line).collect();
    three.repeat(20)
}

#[test]
fn a_folder_for_temporary_files_that_cannot_be_used_is_named() {
    let desk = Desk::new();
    desk.write("a.jsonl", more_than_64_mb());
    desk.write("file", "");
    let args = ["--across", "--memory", "64M", "a.jsonl", "-o", "out.jsonl", "--temp-dir"];
    for folder in ["nowhere", "file"] {
        let ran = desk.run(&[&args[..], &[folder]].concat());
        ran.fails(&format!("error: {folder}: is no folder, and --temp-dir needs one that is there"));
        assert!(!desk.exists("out.jsonl") && desk.leftovers("").is_empty(), "{ran}");
    }
    fs::create_dir(desk.path("closed")).unwrap();
    desk.sh("chmod 555 closed").succeeds();
    if desk.sh("touch closed/x").status == Some(0) {
        return skipped("root may write to any folder");
    }
    desk.run(&[&args[..], &["closed"]].concat()).fails("error: closed: permission denied; --temp-dir names another folder");
}

#[test]
fn a_disk_without_room_for_temporary_files_ends_the_run() {
    let desk = Desk::new();
    desk.write("a.jsonl", more_than_64_mb());
    fs::create_dir(desk.path("small")).unwrap();
    // What comes by standard input is kept, and no file may have more than 4 MB.
    let line = "trap '' XFSZ; ulimit -f 8192; cat a.jsonl | \
                unecho --from jsonl --across --memory 64M --temp-dir small -o out.jsonl";
    let ran = desk.sh(line);
    ran.fails("error: small: file too large; --temp-dir names another folder for temporary files");
    assert!(!desk.exists("out.jsonl") && desk.leftovers("").is_empty(), "{ran}");
    assert!(fs::read_dir(desk.path("small")).unwrap().next().is_none(), "{ran}");
}

#[test]
fn standard_input_that_memory_does_not_hold_comes_out_as_if_it_did() {
    let desk = Desk::new();
    desk.write("a.jsonl", more_than_64_mb());
    desk.write("a.jsonl.gz", gz(more_than_64_mb()));
    let wanted: String = more_than_64_mb().split_inclusive('\n').take(3).collect();
    desk.run(&["--across", "--memory", "64M", "a.jsonl"]).succeeds().says("more than 64 MB of memory hold").prints(&wanted);
    desk.sh("cat a.jsonl | unecho --from jsonl --across --memory 64M")
        .succeeds()
        .says("standard input is more than")
        .prints(&wanted);
    desk.sh("unecho --from jsonl --across --memory 64M < a.jsonl").succeeds().prints(&wanted);
    desk.sh("unecho --from jsonl --across --memory 64M < a.jsonl.gz | gzip -dc").succeeds().prints(&wanted);
}

// Bombs.

/// One megabyte of a character so many times, packed, with something before and behind it.
fn bomb(before: &str, byte: u8, megabytes: usize, behind: &str) -> Vec<u8> {
    [gz(before), gz(vec![byte; 1 << 20]).repeat(megabytes), gz(behind)].concat()
}

/// Runs it and gives the most memory it took, in MB, without its code and mapped inputs, as far as that was seen.
fn with_peak(desk: &Desk, args: &[&str]) -> (Ran, u64) {
    let child = desk.unecho(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (mut peak, started) = (0, Instant::now());
    while started.elapsed() < Duration::from_secs(60) {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let Some(now) = status.lines().find_map(|line| line.strip_prefix("RssAnon:")) else { break };
        peak = peak.max(now.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
    (Ran::new(format!("unecho {}", args.join(" ")), child.wait_with_output().unwrap()), peak)
}

#[test]
fn what_unpacks_to_more_than_memory_holds_is_refused_without_taking_it() {
    if !fs::exists("/proc/self/status").unwrap() {
        return skipped("nothing tells how much memory a process takes");
    }
    let desk = Desk::new();
    desk.write("line.jsonl.gz", bomb("{\"text\": \"", b'a', 1000, "\"}\n"));
    desk.write("zeros.jsonl.gz", bomb("", 0, 1000, ""));
    desk.write("line.txt.gz", bomb("", b'a', 1000, "\n"));
    desk.write("zeros.txt.gz", bomb("", 0, 1000, ""));
    for name in ["line.jsonl.gz", "zeros.jsonl.gz", "line.txt.gz", "zeros.txt.gz"] {
        for more in [&[][..], &["--across"], &["--on-error", "keep"]] {
            let (ran, peak) = with_peak(&desk, &[&["--memory", "64M", name, "-o", "out"], more].concat());
            let why = if name.contains("jsonl") {
                "more than 8 MB, an eighth of --memory"
            } else {
                "more than 38 MB, more than --memory holds"
            };
            ran.fails(&format!("error: {name}: ")).says(why);
            println!("{peak} MB at most: unecho {name} {}", more.join(" "));
            assert!(peak <= 100, "{peak} MB: {ran}");
            assert!(!desk.exists("out") || more.contains(&"keep"), "{ran}");
            let _ = fs::remove_file(desk.path("out"));
        }
    }
}

#[test]
fn many_small_files_that_unpack_to_much_are_not_all_in_memory_at_once() {
    if !fs::exists("/proc/self/status").unwrap() {
        return skipped("nothing tells how much memory a process takes");
    }
    let desk = Desk::new();
    for number in 0..15 {
        let name = format!("in/{number:02}.txt.gz");
        desk.write(&name, [gz(format!("File {number}. ")), gz(vec![b'a'; 1 << 20]).repeat(10)].concat());
    }
    for more in [&["--across"][..], &[]] {
        let (ran, peak) = with_peak(&desk, &[&["--memory", "64M", "--threads", "2", "in", "-o", "out"], more].concat());
        ran.succeeds();
        println!("{peak} MB at most");
        assert!(peak <= 80, "{peak} MB: {ran}");
    }
    desk.sh("gzip -dc out/14.txt.gz | head -c 11").prints("File 14. aa");
    desk.sh("gzip -dc out/14.txt.gz | wc -c").prints("10485769\n");
}

#[test]
fn what_follows_a_line_that_is_too_long_is_read() {
    let record = |text: &str| format!("{{\"text\": \"{text}\"}}\n");
    let again = record(
        "The river runs past the old mill, under the bridge, and on to the sea, as it has done ever since people remember.",
    );
    let new = record("The road goes up the hill.");
    let long = record(&"a".repeat(45 << 20));
    let lines = [&*again, &*new, &*long, &*again, &*long, &*record("The town has a market.")];
    let desk = Desk::new();
    desk.write("a.jsonl", lines.concat());
    desk.write("a.jsonl.gz", gz(lines.concat()));
    for (how, left) in [("keep", &[0, 1, 2, 4, 5][..]), ("drop", &[0, 1, 5])] {
        let left: String = left.iter().map(|&line: &usize| lines[line]).collect();
        let run = format!("unecho --across --min-chars 1 --memory 64M --max-removed 100% --on-error {how}");
        for (input, name) in [("a.jsonl", "a.jsonl"), ("a.jsonl.gz", "a.jsonl.gz"), ("--from jsonl < a.jsonl", "standard input")]
        {
            let ran = desk.sh(&format!("{run} -o b.jsonl {input}"));
            for line in [3, 5] {
                ran.fails(&format!("error: {name}: line {line}: has more than 8 MB, an eighth of --memory"));
            }
            assert!(desk.read("b.jsonl") == left, "{how} {input}: {ran}");
        }
    }
    let ran = desk.sh("unecho --across --memory 64M -o c.jsonl a.jsonl");
    ran.fails("error: a.jsonl: line 3: has more than 8 MB, an eighth of --memory");
    assert!(!desk.exists("c.jsonl"));
}

#[test]
fn a_table_with_a_text_that_is_too_long_is_left_out() {
    let desk = Desk::new();
    let record = |text: &str| format!("{{\"text\": \"{text}\"}}\n");
    desk.write("a.jsonl", [record("short"), record(&"a".repeat(9 << 20)), record("short, too")].concat());
    desk.run(&["a.jsonl", "-o", "a.parquet"]).succeeds();
    for more in [&[][..], &["--on-error", "keep"]] {
        let ran = desk.run(&[&["--across", "--memory", "64M", "a.parquet", "-o", "b.parquet"], more].concat());
        ran.fails("error: a.parquet: row 2: has more than 8 MB, an eighth of --memory");
        assert!(!desk.exists("b.parquet"));
    }
}

#[test]
fn what_comes_by_a_pipe_is_read_once() {
    let desk = Desk::new();
    let text = "word ".repeat(20_000);
    desk.write("a.txt.gz", gz(&text));
    desk.write("b.jsonl", records(40, 60 << 20));
    desk.sh("mkfifo p.txt.gz p.jsonl q.txt").succeeds();
    desk.sh("cat a.txt.gz > p.txt.gz & unecho --across p.txt.gz -o a.txt").succeeds();
    assert!(desk.read("a.txt") == text);
    // More than memory holds: what is under way comes from a temporary file, and nothing else can.
    desk.sh("unecho --across b.jsonl -o b1.jsonl").succeeds();
    let ran = desk.sh("cat b.jsonl > p.jsonl & unecho --across --memory 64M p.jsonl -o b2.jsonl");
    ran.succeeds().says("p.jsonl is more than 64 MB of memory hold");
    desk.sh("cmp b1.jsonl b2.jsonl").succeeds();
    let ran = desk.sh("unecho --across --memory 64M b.jsonl q.txt -o out");
    ran.fails("error: q.txt: isn't a file, and from here on memory doesn't hold all").says("temporary files took");
    desk.sh("cmp b1.jsonl out/b.jsonl").succeeds();
}

#[test]
fn lines_that_go_by_unread_are_not_kept_in_memory() {
    if !fs::exists("/proc/self/status").unwrap() {
        return skipped("nothing tells how much memory a process takes");
    }
    let desk = Desk::new();
    let line = |length: usize| format!("{{\"text\": \"{}\"}}\n", "word ".repeat(length / 5));
    desk.write("a.jsonl", [line(100), line(10 << 20)].concat().repeat(12));
    let (ran, peak) = with_peak(&desk, &["--memory", "64M", "--across", "--on-error", "keep", "a.jsonl", "-o", "b.jsonl"]);
    ran.fails("error: a.jsonl: line 20: has more than 8 MB");
    println!("{peak} MB at most");
    assert!(peak <= 100, "{peak} MB: {ran}");
}
