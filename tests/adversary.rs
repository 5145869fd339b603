//! Texts made to collide: what has the same fingerprint is not the same, and costs no more than a look.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use unecho::runner::{Budget, Course, Outcome, Reading, run};
use unecho::source::{Selection, Walk};
use unecho::threads::Threads;
use unecho::{Match, Plan, Settings, Threshold, fingerprint, source};
use xxhash_rust::xxh3::xxh3_64;

/// What XXH3 mixes into the first, third and fourth 16 bytes of an input of 129 to 240 bytes (its default secret at 0, 32, 48).
/// Where the first half of such a block equals it, the block is multiplied by nothing, whatever its other half.
const SECRET: [[u8; 8]; 3] = [
    [0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe],
    [0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78],
    [0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e],
];

/// Paragraphs that are all different and have the same XXH3, of 64 and of 128 bits: their first and third blocks differ in a
/// half that is multiplied by nothing, and what else it adds to the 128 bits is the same for all.
fn family(count: u64) -> Vec<Vec<u8>> {
    let halves = SECRET.map(u64::from_le_bytes);
    let member = |number: u64| {
        let mut text = vec![b'x'; 208];
        let first = u64::from_le_bytes(*b"aaaaaaaa") + (number & 0xf) + ((number >> 4 & 0xf) << 8) + ((number >> 8 & 0xf) << 16);
        let third = (halves[0].wrapping_add(first) ^ 0x3141_5926_5358_9793).wrapping_sub(halves[1]);
        for (at, half) in [(0, halves[0]), (8, first), (32, halves[1]), (40, third), (48, halves[2])] {
            text[at..at + 8].copy_from_slice(&half.to_le_bytes());
        }
        text
    };
    (0..).map(member).filter(|text| !text.contains(&b'\n') && !text.contains(&b'\r')).take(count as usize).collect()
}

#[test]
fn a_thousand_paragraphs_that_collide_are_a_thousand_paragraphs() {
    let family = family(1000);
    for member in &family[1..] {
        assert_eq!(xxh3_64(member), xxh3_64(&family[0]));
        assert_eq!(fingerprint::fingerprint(member), fingerprint::fingerprint(&family[0]));
    }
    let text = family.join(&b'\n');
    let settings = Settings { matching: Match::Bytes, threshold: Threshold::Flat(1), ..Settings::default() };
    let plan = Plan::new(&source::text::document(&text), &settings).unwrap();
    assert_eq!((plan.paragraphs, plan.removed_paragraphs()), (1000, 0));
    let twice = Plan::new(&source::text::document(&[&text[..], b"\n", &text[..]].concat()), &settings).unwrap();
    assert_eq!((twice.paragraphs, twice.removed_paragraphs()), (2000, 1000));
}

#[test]
fn they_collide_across_documents_and_none_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = String::new();
    for (number, half) in family(1000).chunks(500).enumerate() {
        let _ = write!(names, "{number}.txt ");
        std::fs::write(folder.path().join(format!("{number}.txt")), half.join(&b'\n')).unwrap();
    }
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_unecho"))
        .current_dir(folder.path())
        .args(["--across", "--match", "bytes", "--min-chars", "1", "-o", "clean"])
        .args(names.split_whitespace())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for name in names.split_whitespace() {
        let (raw, clean) = (folder.path().join(name), folder.path().join("clean").join(name));
        assert!(std::fs::read(raw).unwrap() == std::fs::read(clean).unwrap(), "{name}");
    }
}

#[test]
fn nor_is_one_where_the_texts_are_no_longer_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let family = family(1000);
    // The last one is the first one again.
    let paths: Vec<PathBuf> = [&family[..500], &family[500..], &family[..1]]
        .iter()
        .enumerate()
        .map(|(number, part)| {
            let path = folder.path().join(format!("{number}.txt"));
            std::fs::write(&path, part.join(&b'\n')).unwrap();
            path
        })
        .collect();
    let settings = Settings { matching: Match::Bytes, threshold: Threshold::Flat(1), across: true, ..Settings::default() };
    let (reading, threads, stop) = (Reading::default(), Threads::new(2), AtomicBool::new(false));
    let budget = Budget { memory: 18 << 20, temporary: Some(folder.path().into()), packs: false }; // what is under way takes all of it
    let course = Course { settings: &settings, reading: &reading, budget: &budget, threads: &threads, stop: &stop };
    let (mut removed, mut notices) = (Vec::new(), 0);
    let found = Walk::new(&paths, Selection::default()).unwrap();
    run(
        found,
        course,
        |portion| Ok(portion.documents.iter().map(|document| document.plan.removed_paragraphs()).sum::<usize>()),
        |outcomes| {
            for outcome in outcomes {
                match outcome {
                    Outcome::Done(count) => removed.push(count),
                    Outcome::Notice(_) => notices += 1,
                    Outcome::Failed(error) => panic!("{error}"),
                    Outcome::LeftOut(..) => panic!("nothing is left out"),
                }
            }
            Ok(())
        },
    )
    .unwrap();
    assert_eq!((removed, notices), (vec![0, 0, 1], 2));
}
