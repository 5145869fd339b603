//! Imports point one way: a room knows the rooms before it, never those after it.

use std::fs;
use std::path::Path;

/// The rooms in the order of ARCHITECTURE.md.
const ROOMS: [&str; 30] = [
    "document",
    "error",
    "entity",
    "tidy",
    "threads",
    "scratch",
    "source",
    "compare",
    "fingerprint",
    "segment",
    "markup",
    "ground",
    "index",
    "bits",
    "near",
    "detect",
    "survivors",
    "page",
    "sheaf",
    "corpus",
    "rules",
    "plan",
    "heirs",
    "apply",
    "runner",
    "report",
    "record",
    "check",
    "cli",
    "main",
];

#[test]
fn a_room_knows_only_the_rooms_before_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for file in walkdir::WalkDir::new(&source) {
        let file = file.unwrap();
        let name = file.path().strip_prefix(&source).unwrap().to_str().unwrap();
        let room = name.split(['/', '.']).next().unwrap();
        if !file.file_type().is_file() || room == "lib" {
            continue;
        }
        let place = |room: &str| ROOMS.iter().position(|known| *known == room);
        let own = place(room).unwrap_or_else(|| panic!("{name} is in no room of the list"));
        let text = fs::read_to_string(file.path()).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for path in code.split("crate::").skip(1) {
            let list = path.strip_prefix('{').map(|list| list.split('}').next().unwrap());
            for used in list.unwrap_or(path).split(", ").take(if list.is_some() { usize::MAX } else { 1 }) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let is_known = place(used).is_none_or(|used| used <= own);
                assert!(is_known, "{name} uses {used}, which comes after it");
                seen += usize::from(place(used).is_some());
            }
        }
    }
    assert!(seen > 50, "the search for imports found {seen}");
}
