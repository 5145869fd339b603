//! Made-up documents whose clean copies are known: the library gives these to the byte, and so does the program, on any number
//! of threads.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/texts.rs"]
mod texts;

use corpus::{Generated, Kind};
use std::fs;
use std::path::Path;
use std::process::Command;
use texts::{DEFAULT, clean, same_bytes};

const SEEDS: std::ops::Range<u64> = 0..400;
/// One thread, as many as most machines have, and more than a folder's last batch keeps busy.
const THREADS: [&str; 3] = ["1", "2", "8"];

#[test]
fn of_each_document_just_the_planted_repeats_go() {
    for kind in Kind::ALL {
        for seed in SEEDS {
            let Generated { text, expected, .. } = corpus::document(seed, kind);
            same_bytes(&clean(&text, &DEFAULT), &expected, &format!("the clean copy of document({seed}, {kind:?})"));
            same_bytes(&clean(&expected, &DEFAULT), &expected, &format!("the copy of that of document({seed}, {kind:?})"));
        }
    }
}

#[test]
fn a_folder_comes_out_the_same_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (dirty, documents) = (folder.path().join("dirty"), documents());
    fs::create_dir(&dirty).expect("it is new");
    for (name, document) in &documents {
        fs::write(dirty.join(name), &document.text).expect("there is room");
    }
    for threads in THREADS {
        let clean = folder.path().join(threads);
        unecho(&dirty, &clean, threads);
        assert_eq!(fs::read_dir(&clean).expect("unecho made it").count(), documents.len());
        for (name, document) in &documents {
            let copy = fs::read(clean.join(name)).expect("each document has a copy");
            same_bytes(&copy, &document.expected, &format!("the copy of {name} by {threads} threads"));
        }
    }
}

/// Some hundred documents, each under a name that says how to make it again.
fn documents() -> Vec<(String, Generated)> {
    let of_kind = |kind| SEEDS.take(75).map(move |seed| (format!("{kind:?}-{seed}.txt"), corpus::document(seed, kind)));
    Kind::ALL.into_iter().flat_map(of_kind).collect()
}

#[test]
fn a_text_of_megabytes_comes_out_the_same_on_any_number_of_threads() {
    const BYTES: usize = 9 << 19; // 4.5 MiB: it is taken apart in several batches, even by two threads
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let dirty = folder.path().join("dirty.txt");
    let mut text = Vec::new();
    corpus::big_text(1, BYTES, 400, 10, false, &mut text).expect("memory takes it");
    fs::write(&dirty, &text).expect("there is room");
    let by_library = clean(&text, &DEFAULT);
    assert!(by_library.len() < text.len() * 95 / 100, "one block in ten repeats");
    for threads in THREADS {
        let copy = folder.path().join(threads);
        unecho(&dirty, &copy, threads);
        let copy = fs::read(copy).expect("unecho made it");
        assert!(copy == by_library, "the copy by {threads} threads differs from the library's");
    }
}

fn unecho(dirty: &Path, clean: &Path, threads: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unecho"));
    let output = command.arg(dirty).arg("-o").arg(clean).args(["--threads", threads]).output().expect("it was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
