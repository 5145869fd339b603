//! `unecho check`: what counts, what silences it, and what it says to people and to programs.

#[path = "support/desk.rs"]
mod desk;

use desk::{ARTICLE, Desk, Ran, clean_article, skipped};
use serde_json::Value;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A paragraph of about 270 columns, another one for each number.
fn paragraph(number: usize) -> String {
    format!(
        "Paragraph {number} tells of the harbour as it was in the year {number}, when the boats came in late, the nets of \
         crew {number} were full, and nobody on the quay could say for certain what the fish would bring at the market of \
         that week, or the next, or who was to carry box {number} up the long stairs."
    )
}

/// So many paragraphs from a number on, with blank lines between them.
fn paragraphs(from: usize, count: usize) -> String {
    (from..from + count).map(|number| paragraph(number) + "\n\n").collect()
}

/// A text whose three first paragraphs stand twice.
fn doubled(from: usize) -> String {
    format!("{}Something else.\n\n{}", paragraphs(from, 3), paragraphs(from, 3))
}

/// A text of which one paragraph, a small part of it, stands twice.
fn with_a_repeat(from: usize) -> String {
    let long = (from..from + 3).map(paragraph).collect::<Vec<_>>().join(" ");
    format!("{long}\n\n{}{long}\n", paragraphs(from + 10, 30))
}

fn desk() -> Desk {
    Desk::in_memory()
}

/// The findings as JSON.
fn found(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}\n{}", ran.stdout))
}

/// Rule and place of each finding.
fn places(ran: &Ran) -> Vec<String> {
    let place = |hit: &Value| {
        let (record, line) = (&hit["record"], &hit["lines"][0]["first"]);
        let place = if record.is_null() { line } else { record };
        format!("{} {}:{place}", hit["rule"].as_str().unwrap(), hit["path"].as_str().unwrap())
    };
    found(ran)["findings"].as_array().unwrap().iter().map(place).collect()
}

fn check(desk: &Desk, args: &[&str]) -> Ran {
    desk.run(&[&["check", "--format", "json"], args].concat())
}

// Rules, levels and the exit status.

#[test]
fn a_doubled_body_fails_the_check_and_a_lone_paragraph_does_not() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.write("b.md", with_a_repeat(10));
    desk.write("c.md", paragraphs(100, 3));
    let ran = check(&desk, &["."]);
    assert_eq!(places(&ran), ["doubled-block ./a.md:9", "repeated-paragraph ./b.md:63"]);
    assert_eq!(ran.status, Some(1));
    assert_eq!(check(&desk, &["b.md"]).status, Some(0));
    let clean = desk.run(&["check", "c.md"]);
    assert_eq!((clean.status, &*clean.stdout, &*clean.stderr), (Some(0), "", ""));
}

#[test]
fn a_body_that_is_one_paragraph_is_a_body() {
    let desk = desk();
    desk.write("a.md", format!("# A title\n\n{0}\n\n{0}\n", paragraph(1) + &paragraph(2)));
    let ran = check(&desk, &["a.md"]);
    assert_eq!((places(&ran), ran.status), (vec!["doubled-block a.md:5".into()], Some(1)));
}

#[test]
fn what_manuals_repeat_on_purpose_is_no_error() {
    let desk = desk();
    let options = |from: usize| {
        (from..from + 12).map(|number| format!("* `option-{number}` {{boolean}} What it does is said of it here, in {number}.\n"))
    };
    let options: String = options(1).collect();
    desk.write("a.md", format!("## One\n\n{options}\n{}## Two\n\n{options}", paragraphs(1, 20)));
    let ran = check(&desk, &["a.md"]);
    assert_eq!((places(&ran), ran.status), (vec!["repeated-paragraph a.md:58".into()], Some(0)));
    // The same options in a text that is nothing else.
    desk.write("a.md", format!("## One\n\n{options}\n## Two\n\n{options}"));
    assert_eq!(check(&desk, &["a.md"]).status, Some(1));
}

#[test]
fn files_are_compared_with_one_another_only_if_that_is_asked_for() {
    let desk = desk();
    desk.write("LICENSE-1", paragraphs(1, 4));
    desk.write("LICENSE-2", paragraphs(1, 4));
    desk.write("c.md", paragraphs(3, 4));
    assert_eq!(places(&check(&desk, &["."])), [""; 0]);
    let ran = check(&desk, &["--across", "."]);
    assert_eq!(places(&ran), ["repeated-across ./LICENSE-2:1", "repeated-across ./c.md:1"]);
    assert_eq!(ran.status, Some(0));
    let ran = check(&desk, &["--unit", "document", "."]);
    assert_eq!(places(&ran), ["repeated-document ./LICENSE-2:1"]);
}

#[test]
fn the_exit_status_is_the_same_in_every_form() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.write("b.md", with_a_repeat(10));
    desk.write("secret.md", "Text.");
    fs::set_permissions(desk.path("secret.md"), fs::Permissions::from_mode(0o000)).unwrap();
    let is_root = fs::read(desk.path("secret.md")).is_ok();
    for form in ["text", "json", "sarif", "github", "gitlab"] {
        let status = |args: &[&str]| desk.run(&[&["check", "--format", form], args].concat()).status;
        assert_eq!(status(&["b.md"]), Some(0), "{form}");
        assert_eq!(status(&["a.md", "b.md"]), Some(1), "{form}");
        assert_eq!(status(&["a.md", "--exit-zero"]), Some(0), "{form}");
        assert_eq!(status(&["a.md", "--level", "doubled-block=warning"]), Some(0), "{form}");
        assert_eq!(status(&["b.md", "--level", "repeated-paragraph=error"]), Some(1), "{form}");
        assert_eq!(status(&["a.md", "--level", "doubled-block=off"]), Some(0), "{form}");
        assert_eq!(status(&["a.md", "missing.md", "--exit-zero"]), Some(2), "{form}");
        if !is_root {
            assert_eq!(status(&["a.md", "secret.md"]), Some(2), "{form}");
        }
    }
}

#[test]
fn an_unreadable_file_does_not_keep_others_from_being_checked() {
    let desk = desk();
    (0..300).for_each(|number| desk.write(&format!("d/{number}.md"), paragraphs(10 * number, 2)));
    desk.write("d/broken.jsonl", "{\"text\": \"A.\"}\n{\"text\": \n");
    desk.write("d/z.md", doubled(5000));
    let ran = check(&desk, &["d", "--report", "sarif:out.sarif"]);
    ran.fails("d/broken.jsonl: line 2");
    assert_eq!(places(&ran), ["doubled-block d/z.md:9"]);
    let sarif: Value = serde_json::from_str(&desk.read("out.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn nothing_to_check_is_an_error() {
    let desk = desk();
    desk.write("empty.md", "");
    desk.write("empty.jsonl", "");
    fs::create_dir(desk.path("d")).unwrap();
    desk.sh("printf '' | unecho check").fails("standard input: nothing to check: there is no text in it");
    desk.run(&["check", "empty.md"]).fails("empty.md: nothing to check");
    desk.run(&["check", "empty.jsonl"]).fails("empty.jsonl: nothing to check");
    desk.run(&["check", "d"]).fails("d: nothing to read");
    desk.run(&["check", "d", "--exit-zero"]).fails("d: nothing to read");
    desk.sh("printf 'A text.' | unecho check").succeeds();
}

#[test]
fn what_was_left_out_fails_a_check_that_asks_for_all() {
    let desk = desk();
    desk.write("d/a.md", paragraphs(1, 2));
    desk.write("d/.hidden.md", "Hidden.");
    desk.run(&["check", "d", "--fail-on-skip"]).succeeds();
    desk.write("d/page.html", "<p>A page.</p>");
    desk.write("d/b.txt", b"\0");
    desk.run(&["check", "d"]).succeeds();
    let ran = desk.run(&["check", "d", "--fail-on-skip"]);
    ran.fails("not all of it was checked (--fail-on-skip): left out 1 binary, 1 of unknown form; -v names them");
    let without = ["check", ".", "--fail-on-skip", "--exclude", "*.html", "--exclude", "b.txt"];
    desk.run(&without).succeeds();
    // Its own files are none that it skips.
    desk.write("unecho.toml", "[check]\nbaseline = \"known.list\"\n");
    desk.run(&["check", ".", "--update-baseline"]).succeeds();
    let reports = [&without[..], &["--report", "sarif:a.sarif", "--stats", "stats.json"]].concat();
    for _ in 0..2 {
        desk.run(&reports).succeeds();
    }
}

// What is read.

#[test]
fn what_git_leaves_out_is_left_out_unless_it_is_named() {
    let desk = desk();
    for path in ["a.md", "public/b.md", "public/deep/c.md", "sub/d.md", "sub/build/e.md", "sub/keep.gen.md", "x.gen.md"] {
        desk.write(path, paragraphs(1, 1));
    }
    desk.write(".gitignore", "/public/*\nbuild/\n*.gen.md\n\u{1b}[bad\n");
    desk.write("sub/.gitignore", b"!keep.gen.md\n\xff\n");
    let files = |args: &[&str]| -> String { desk.run(&[&["check", "--files"], args].concat()).succeeds().stdout.clone() };
    assert_eq!(files(&["."]), "./a.md\n./sub/d.md\n./sub/keep.gen.md\n");
    assert_eq!(files(&["--no-gitignore", "."]).lines().count(), 7);
    assert_eq!(files(&["--no-gitignore", "--gitignore", "."]).lines().count(), 3);
    // Without a repository, what stands above isn't looked at.
    assert_eq!(files(&["sub"]), "sub/build/e.md\nsub/d.md\nsub/keep.gen.md\n");
    fs::create_dir(desk.path(".git")).unwrap();
    desk.write("sub/y.gen.md", "A.");
    desk.write("sub/deep/z.gen.md", "A.");
    assert_eq!(files(&["sub"]), "sub/d.md\nsub/keep.gen.md\n");
    assert_eq!(files(&["sub/deep", "a.md"]), "a.md\n");
    assert_eq!(files(&["public"]), "public/b.md\npublic/deep/c.md\n");
    assert_eq!(files(&["public/deep"]), "public/deep/c.md\n");
    assert_eq!(files(&["sub/build"]), "sub/build/e.md\n");
    assert_eq!(files(&["x.gen.md"]), "x.gen.md\n");
    // Cleaning and scanning don't ask git.
    assert_eq!(desk.run(&["scan", "--files", "."]).stdout.lines().count(), 9);
}

// The baseline.

#[test]
fn a_baseline_takes_what_is_there_and_a_further_copy_is_new() {
    let desk = desk();
    desk.write("d/a.md", doubled(1));
    desk.write("d/b.md", with_a_repeat(10));
    let with = |args: &[&str]| check(&desk, &[&["d", "--baseline", "d/known"], args].concat());
    with(&[]).fails("d/known: there is no baseline; --update-baseline writes one of what is found");
    let ran = with(&["--update-baseline"]);
    ran.succeeds().says("d/known: 2 findings; 2 came, 0 went");
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("+ ")).count(), 2, "{}", ran.stdout);
    let baseline = desk.read("d/known");
    let lines: Vec<&str> = baseline.lines().collect();
    assert_eq!(lines[0], "# unecho baseline 1");
    assert!(lines[2..].is_sorted() && lines.len() == 4, "{baseline}");

    let ran = with(&[]);
    ran.succeeds();
    assert_eq!((places(&ran), found(&ran)["counts"]["known"].as_u64()), (vec![], Some(2)));
    // A known text may move, to another file as well, and be wrapped otherwise.
    fs::rename(desk.path("d/a.md"), desk.path("d/z.md")).unwrap();
    desk.write("d/z.md", format!("A new beginning.\n\n{}", doubled(1).replace("harbour as", "harbour\nas")));
    with(&[]).succeeds();

    desk.write("d/z.md", doubled(1) + "Something else again.\n\n" + &paragraphs(1, 3));
    let ran = with(&[]);
    assert_eq!((places(&ran), ran.status), (vec!["doubled-block d/z.md:17".into()], Some(1)));

    desk.write("d/z.md", paragraphs(1, 3));
    with(&[]).succeeds().says("1 finding of the baseline can't be found any more (-v names them); --update-baseline takes");
    with(&["-v"]).says(" 1 doubled-block Paragraph 1 tells of the harbour");
    let part = check(&desk, &["d/b.md", "--baseline", "d/known"]);
    assert_eq!(&*part.succeeds().stderr, "", "what isn't looked at isn't gone");
    let ran = with(&["--update-baseline"]);
    ran.succeeds().says("d/known: 1 finding; 0 came, 1 went");
    assert!(ran.stdout.starts_with("- ") && ran.stdout.contains(" doubled-block Paragraph 1 tells"), "{}", ran.stdout);
    let before = desk.read("d/known");
    with(&["--update-baseline"]).succeeds().says("d/known: 1 finding; 0 came, 0 went").prints("");
    assert_eq!(desk.read("d/known"), before);
}

#[test]
fn a_baseline_is_not_made_of_half_a_check() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    let ran = desk.run(&["check", "a.md", "missing.md", "--baseline", "known", "--update-baseline"]);
    ran.fails("known: stays as it is, since 1 file could not be checked");
    assert!(!desk.exists("known"));
}

#[test]
fn what_is_no_baseline_is_neither_read_nor_replaced() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.write("known", "# unecho baseline 1\n<<<<<<< HEAD\n");
    desk.run(&["check", "a.md", "--baseline", "known"]).fails("known: line 2: a mark of a merge; keep what either side has");
    desk.run(&["check", "a.md", "--baseline", "/dev/zero"]).fails("/dev/zero: a baseline is a file");
    desk.run(&["check", "a.md", "--config", "/dev/zero"]).fails("/dev/zero: a configuration is a file");
    desk.run(&["check", "a.md", "--baseline", "a.md", "--update-baseline"]).fails("a.md: line 1: not a baseline");
    assert_eq!(desk.read("a.md"), doubled(1));
}

#[test]
fn a_baseline_among_the_texts_is_no_text() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.run(&["check", ".", "--baseline", "known.txt", "--update-baseline"]).succeeds();
    let ran = check(&desk, &[".", "--baseline", "known.txt"]);
    assert_eq!(found(&ran)["summary"]["documents"], 1);
}

// Marks in the text.

#[test]
fn what_stands_between_marks_may_repeat() {
    let desk = desk();
    let second = |start: &str, end: &str| format!("{}{start}\n\n{}{end}\n", paragraphs(1, 3), paragraphs(1, 3));
    for (start, end) in [
        ("<!-- unecho:ignore-start -->", "<!-- unecho:ignore-end -->"),
        ("# unecho:ignore-start the licence stands here again", "# unecho:ignore-end"),
        ("[//]: # (unecho:ignore-start)", "[//]: # (unecho:ignore-end)"),
        (".. unecho:ignore-start", ".. unecho:ignore-end"),
    ] {
        desk.write("a.md", second(start, end));
        let ran = check(&desk, &["a.md"]);
        assert_eq!((places(&ran), found(&ran)["counts"]["ignored"].as_u64(), ran.status), (vec![], Some(1), Some(0)), "{start}");
    }
    // Only a part of the block.
    let part = format!(
        "{}{}<!-- unecho:ignore-start -->\n\n{}<!-- unecho:ignore-end -->\n",
        paragraphs(1, 3),
        paragraphs(1, 1),
        paragraphs(2, 2)
    );
    desk.write("a.md", part);
    assert_eq!(places(&check(&desk, &["a.md"])), ["repeated-paragraph a.md:7"]);
}

#[test]
fn a_mark_that_does_nothing_is_reported() {
    let desk = desk();
    desk.write(
        "a.md",
        "A.\n\n<!-- unecho:ignore-start -->\n\nB.\n\n<!-- unecho:ignore-end -->\n\nC.\n\n<!-- unecho:ignore-end -->\n",
    );
    let ran = desk.run(&["check", "a.md"]);
    ran.succeeds();
    assert_eq!(
        ran.stdout,
        "warning[unused-ignore]: nothing between this mark and its unecho:ignore-end repeats\n--> a.md:3\n\n\
         warning[unused-ignore]: this unecho:ignore-end has no unecho:ignore-start before it\n--> a.md:11\n\n"
    );
    desk.run(&["check", "a.md", "--level", "unused-ignore=error"]).disagrees("2 errors");
    desk.run(&["check", "a.md", "--level", "unused-ignore=off"]).succeeds().prints("");
}

#[test]
fn marks_hold_in_a_text_that_is_read_in_stretches() {
    let desk = desk();
    let long = paragraphs(10, 25_000);
    assert!(long.len() > 6 << 20);
    let text = format!(
        "{}{long}<!-- unecho:ignore-start -->\n\n{}<!-- unecho:ignore-end -->\n\n{}",
        paragraphs(1, 3),
        paragraphs(1, 3),
        paragraphs(5, 1)
    );
    desk.write("a.md", &text);
    let ran = check(&desk, &["a.md"]);
    assert_eq!((places(&ran), found(&ran)["counts"]["ignored"].as_u64()), (vec![], Some(1)));
    desk.write("a.md", text.replace("unecho:ignore", "nothing"));
    let ran = check(&desk, &["a.md"]);
    let line = 1 + 2 * (3 + 25_000 + 1);
    assert_eq!((places(&ran), ran.status), (vec![format!("doubled-block a.md:{line}")], Some(1)));
}

// The allowlist.

#[test]
fn a_listed_text_may_repeat_and_what_stands_around_it_may_not() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    let with = |allow: &[&str]| {
        let args: Vec<&str> = allow.iter().flat_map(|what| ["--allow", what]).collect();
        check(&desk, &[&["a.md"], &*args].concat()).status
    };
    let fingerprint = found(&check(&desk, &["a.md"]))["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(with(&[&format!("hash:{fingerprint}")]), Some(0));
    assert_eq!(with(&["text:the  harbour\nas it was"]), Some(0), "as it is compared");
    assert_eq!(with(&["text:the nets of crew 2"]), Some(1), "one of three paragraphs");
    assert_eq!(with(&["text:crew 1", "regex:^Paragraph [23] "]), Some(0));
    assert_eq!(with(&["regex:(?i)^paragraph [12] "]), Some(1));
    desk.run(&["check", "a.md", "--allow", "regex:"]).fails("that would let any text repeat");
    desk.run(&["check", "a.md", "--allow", "text:\u{200b} "]).fails("that would let any text repeat");
    desk.run(&["check", "a.md", "--allow", "regex:x*"]).fails("that would let any text repeat");
}

#[test]
fn the_configuration_lists_what_may_repeat_and_is_told_what_of_it_does_not() {
    let desk = desk();
    desk.write("d/a.md", doubled(1));
    desk.write("d/b.md", "A.");
    desk.write(
        "unecho.toml",
        "[[check.allow]]\ntext = \"the harbour as it was\"\nreason = \"a formula\"\n\n[[check.allow]]\nregex = 'nowhere to be \\w+'\n",
    );
    let ran = check(&desk, &["."]);
    assert_eq!((places(&ran), ran.status), (vec!["unused-ignore unecho.toml:5".into()], Some(0)));
    assert_eq!(places(&check(&desk, &["d/a.md"])), [""; 0], "a part of the folder may not need all of it");
}

// A git revision.

fn git(desk: &Desk, args: &[&str]) {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]);
    let output = command
        .args(args)
        .current_dir(desk.path(""))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(desk: &Desk) {
    git(desk, &["add", "-A"]);
    git(desk, &["commit", "-q", "-m", "All"]);
}

fn has_git() -> bool {
    let has = Command::new("git").arg("--version").output().is_ok();
    if !has {
        skipped("git is not installed");
    }
    has
}

#[test]
fn only_what_a_revision_does_not_have_is_reported() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q"]);
    desk.write("old.md", doubled(1));
    desk.write("moved.md", doubled(20));
    desk.write("other.md", paragraphs(40, 3));
    desk.write("r.jsonl", "{\"text\": \"A.\"}\n");
    commit(&desk);
    let since = |args: &[&str]| check(&desk, &[&["--since", "HEAD", "."], args].concat());
    let ran = since(&[]);
    assert_eq!((places(&ran), found(&ran)["counts"]["not_new"].as_u64(), ran.status), (vec![], Some(2), Some(0)));

    // A further copy, though the diff could take any of the copies for the new one; other names; lines before what is old.
    desk.write("old.md", doubled(1) + "Something else again.\n\n" + &paragraphs(1, 3));
    fs::create_dir(desk.path("sub dir\t\"é")).unwrap();
    fs::rename(desk.path("moved.md"), desk.path("sub dir\t\"é/moved too.md")).unwrap();
    desk.write("sub dir\t\"é/moved too.md", "A new beginning.\n\n".to_owned() + &doubled(20));
    git(&desk, &["add", "-A"]);
    assert_eq!(places(&since(&[])), ["doubled-block ./old.md:17"]);
    desk.write("old.md", paragraphs(1, 3) + "Before.\n\n" + &doubled(1));
    assert_eq!(places(&since(&[])).len(), 1, "one of three is new, wherever it was put");

    // Text that stands in an old file, in a new one and in a new record; and an old text in a new file.
    commit(&desk);
    desk.write("new.md", doubled(60));
    let record = serde_json::json!({ "text": paragraphs(40, 3) });
    desk.write("r.jsonl", format!("{{\"text\": \"A.\"}}\n{record}\n"));
    assert_eq!(places(&since(&["--across"])), ["doubled-block ./new.md:9", "repeated-across ./r.jsonl:2"]);
    desk.write(".gitignore", "new.md\n");
    assert_eq!(places(&check(&desk, &["--since", "HEAD", "new.md"])), ["doubled-block new.md:9"]);
    assert_eq!(places(&check(&desk, &["--since", "HEAD~1", "old.md"])).len(), 1);
}

#[test]
fn another_repository_within_one_is_new_to_it() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q"]);
    desk.write("a.md", "A.");
    commit(&desk);
    desk.write("nest/b.md", doubled(1));
    git(&desk, &["init", "-q", "nest"]);
    let since = |args: &[&str]| places(&check(&desk, &[&["--since", "HEAD"], args].concat()));
    assert_eq!(since(&["nest"]), ["doubled-block nest/b.md:9"]);
    git(&desk, &["-C", "nest", "add", "-A"]);
    git(&desk, &["-C", "nest", "commit", "-q", "-m", "All"]);
    git(&desk, &["-c", "advice.addEmbeddedRepo=false", "add", "nest"]);
    assert_eq!(since(&["nest"]), ["doubled-block nest/b.md:9"]);
    assert_eq!(since(&["."]), ["doubled-block ./nest/b.md:9"]);
}

#[test]
fn a_shorter_repeat_than_before_is_not_new() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q"]);
    let before = format!("{}Something else.\n\n{}", paragraphs(1, 9), paragraphs(1, 9));
    desk.write("a.md", &before);
    commit(&desk);
    desk.write("a.md", before.rsplitn(2, &paragraph(5)).collect::<Vec<_>>().into_iter().rev().collect::<String>());
    let ran = check(&desk, &["--since", "HEAD", "a.md"]);
    assert_eq!((places(&ran), found(&ran)["counts"]["not_new"].as_u64()), (vec![], Some(2)));
}

#[test]
fn a_revision_that_can_not_be_compared_with_is_named() {
    if !has_git() {
        return;
    }
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.run(&["check", "--since", "HEAD", "a.md"]).fails("--since HEAD: the current folder is in no git repository");
    git(&desk, &["init", "-q"]);
    desk.run(&["check", "--since", "HEAD", "a.md"]).fails("--since HEAD: there is no such revision");
    commit(&desk);
    desk.run(&["check", "--since", "nowhere", "a.md"]).fails("--since nowhere: there is no such revision");
    desk.run(&["check", "--since=--output=x", "a.md"]).fails("there is no such revision");
    desk.run(&["check", "--since", "HEAD"]).fails("--since: standard input is in no revision; name files or folders");
    git(&desk, &["clone", "-q", "--bare", ".", "bare"]);
    let mut bare = desk.unecho(&["check", "--since", "HEAD", "../a.md"]);
    let ran = Ran::new("in a bare repository".into(), bare.current_dir(desk.path("bare")).output().unwrap());
    ran.fails("--since HEAD: the repository is a bare one: it has no files to compare");
    let mut without = desk.unecho(&["check", "--since", "HEAD", "a.md"]);
    let ran = Ran::new("without git".into(), without.env("PATH", desk.path("")).output().unwrap());
    ran.fails("--since HEAD: needs git, which isn't there");
}

// The configuration.

#[test]
fn the_configuration_is_found_above_and_flags_win() {
    let desk = desk();
    desk.write(
        "unecho.toml",
        "across = true\nexclude = [\"/docs/old\", \"*.gen.md\"]\n\n[check.levels]\nrepeated-across = \"error\"\n",
    );
    for path in ["docs/a.md", "docs/b.md", "docs/old/c.md", "docs/d.gen.md"] {
        desk.write(path, paragraphs(1, 3));
    }
    let within = |folder: &str, args: &[&str]| {
        let mut command = desk.unecho(&[&["check", "--format", "json"], args].concat());
        Ran::new(folder.into(), command.current_dir(desk.path(folder)).output().unwrap())
    };
    for (folder, args) in [(".", &["."][..]), (".", &["docs"]), ("docs", &["."]), ("docs/old", &[".."]), ("docs", &["../docs"])] {
        let ran = within(folder, args);
        assert_eq!((found(&ran)["summary"]["documents"].as_u64(), ran.status), (Some(2), Some(1)), "{folder} {args:?}");
    }
    assert_eq!(within(".", &["--no-across", "."]).status, Some(0));
    assert_eq!(within(".", &["--level", "repeated-across=note", "."]).status, Some(0));
    assert_eq!(found(&within(".", &["--exclude", "b.md", "."]))["summary"]["documents"], 3);
    assert_eq!(found(&within(".", &["--no-config", "."]))["summary"]["documents"], 4);
    desk.write("other.toml", "");
    assert_eq!(found(&within("docs", &["--config", "../other.toml", "."]))["summary"]["documents"], 4);
    // It is for all commands.
    desk.run(&["docs", "-o", "clean"]).succeeds();
    assert!(!desk.exists("clean/old") && !desk.exists("clean/d.gen.md") && desk.read("clean/b.md").is_empty());
    desk.run(&["scan", "-v", "docs"]).succeeds().says("configured by unecho.toml");
}

#[test]
fn levels_are_set_by_path() {
    let desk = desk();
    desk.write(
        "unecho.toml",
        "[[check.per-path]]\npaths = [\"docs\", \"!docs/api\"]\nlevels = { doubled-block = \"note\" }\n\n\
         [[check.per-path]]\npaths = [\"docs/x.md\"]\nlevels = { doubled-block = \"off\" }\n",
    );
    for path in ["a.md", "docs/b.md", "docs/x.md", "docs/deep/c.md"] {
        desk.write(path, doubled(1));
    }
    let ran = check(&desk, &["."]);
    let levels: Vec<String> =
        found(&ran)["findings"].as_array().unwrap().iter().map(|hit| format!("{} {}", hit["level"], hit["path"])).collect();
    assert_eq!(levels, ["\"error\" \"./a.md\"", "\"note\" \"./docs/b.md\"", "\"note\" \"./docs/deep/c.md\""]);
}

#[test]
fn what_is_wrong_with_a_configuration_is_named_with_its_line() {
    let desk = desk();
    desk.write("a.md", "A.");
    for (text, why) in [
        ("across = true\nacros = true\n", "unecho.toml: line 2: unknown key `acros`"),
        ("\nunit = \"word\"\n", "unecho.toml: line 2: unknown value `word`"),
        ("min-chars = \"many\"\n", "unecho.toml: line 1: invalid type"),
        ("drop-above = \"half\"\n", "unecho.toml: line 1: a share is a whole number of percent: 80%"),
        ("memory = \"1K\"\n", "unecho.toml: line 1: less than 64M is too little"),
        ("threads = 5000\n", "unecho.toml: line 1: there may be 1024 threads"),
        ("[check]\n\n[check.levels]\ndoubled = \"error\"\n", "unecho.toml: line 4: unknown value `doubled`"),
        ("[check.levels]\ndoubled-block = \"fatal\"\n", "unecho.toml: line 2: unknown value `fatal`"),
        ("[[check.allow]]\nregex = \"(\"\n", "unecho.toml: line 2: not a regular expression"),
        ("[[check.allow]]\nhash = \"12\"\n", "unecho.toml: line 2: a fingerprint has 32 hexadecimal digits"),
        ("[[check.allow]]\nreason = \"none\"\n", "unecho.toml: line 1: an entry of check.allow has one of hash, text and regex"),
        ("exclude = [\"[z-a]\"]\n", "unecho.toml: line 1: not a pattern"),
        ("[check\n", "unecho.toml: line 1: "),
        ("across = true\n\u{1b}[31m\n", "unecho.toml: line 2: "),
    ] {
        desk.write("unecho.toml", text);
        for command in ["check", "scan", "clean"] {
            let ran = desk.run(&[command, "a.md"]);
            assert_eq!(ran.status, Some(2), "{text:?}: {ran}");
            ran.fails(why);
            assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
        }
    }
    desk.write("unecho.toml", b"across = true\n# \xff\n");
    desk.run(&["check", "a.md"]).fails("unecho.toml: line 2: not UTF-8");
    desk.run(&["check", "--config", "missing.toml", "a.md"]).fails("missing.toml: no such file or directory");
}

/// The JSON Schema that editors take for a configuration.
fn config_schema() -> Value {
    serde_json::from_str(include_str!("../docs/unecho.schema.json")).unwrap()
}

#[test]
fn the_schema_of_the_configuration_has_the_keys_that_are_read() {
    let desk = desk();
    desk.write("a.md", "A.");
    let schema = config_schema();
    let levels = "/definitions/levels/properties";
    for (text, at) in [
        ("nonsense = 1", "/properties"),
        ("[clean]\nnonsense = 1", "/properties/clean/properties"),
        ("[check]\nnonsense = 1", "/properties/check/properties"),
        ("[[check.per-path]]\nnonsense = 1", "/properties/check/properties/per-path/items/properties"),
        ("[[check.allow]]\nnonsense = 1", "/properties/check/properties/allow/items/properties"),
        ("[check.levels]\nnonsense = \"off\"", levels),
    ] {
        desk.write("unecho.toml", text);
        let ran = desk.run(&["check", "a.md"]);
        let known: HashSet<&str> = ran.stderr.split('`').skip(3).step_by(2).collect();
        let listed: HashSet<&str> = schema.pointer(at).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(known, listed, "{ran}");
    }
}

#[test]
fn the_configurations_that_are_documented_are_read() {
    let desk = desk();
    desk.write("a.md", "A.");
    let validator = jsonschema::validator_for(&config_schema()).unwrap();
    let mut shown = 0;
    for page in [include_str!("../docs/rules.md"), include_str!("../docs/ci.md"), include_str!("../README.md")] {
        for text in page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            desk.write("unecho.toml", text);
            desk.write(".unecho-baseline", "# unecho baseline 1\n");
            desk.run(&["check", "a.md"]).succeeds();
            assert!(validator.is_valid(&toml::from_str(text).unwrap()), "{text}");
            shown += 1;
        }
    }
    assert!(shown >= 2, "{shown} are shown");
}

// Reports.

/// Names and texts that try to be something else.
fn hostile() -> Desk {
    let desk = desk();
    let bodies = ["\u{1b}[31m::error::", "%0A::set-output name=a::", "\u{202e}<script>|`**", "\"}],\\", "\u{9b}31m\u{2028}"];
    let names: [&[u8]; 5] =
        [b"new\nline::error file=x::.md", b"50%,a:b.md", b"bad\xff\x1b[31m.md", b"sp ace\"'<>.md", "é\u{202e}.md".as_bytes()];
    for (number, (body, name)) in bodies.iter().zip(names).enumerate() {
        let text = paragraphs(number * 10, 3).replace("Paragraph", &format!("{body} Paragraph"));
        let text = [text.as_bytes(), b"Something \xff else.\n\n", text.as_bytes()].concat();
        fs::write(desk.path("").join(OsStr::from_bytes(name)), text).unwrap();
    }
    let record = serde_json::json!({ "id": "::a\u{1b}[31m\n|", "text": doubled(700) });
    desk.write("r.jsonl", format!("{record}\n"));
    desk
}

/// What no report may hold, since a terminal obeys it.
fn assert_harmless(text: &str) {
    let is_harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2028}';
    assert!(!text.contains(is_harmful), "{text:?}");
}

#[test]
fn a_terminal_gets_no_commands_from_names_and_texts() {
    let ran = hostile().run(&["check", "."]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert_harmless(&ran.stdout);
    assert_harmless(&ran.stderr);
    assert_eq!(ran.stdout.matches("error[doubled-block]").count(), 6);
}

#[test]
fn annotations_are_a_line_each_and_no_more_than_ten() {
    let desk = hostile();
    let mut command = desk.unecho(&["check", "--format", "github", "."]);
    let ran = Ran::new("github".into(), command.env("GITHUB_STEP_SUMMARY", desk.path("summary")).output().unwrap());
    assert_eq!(ran.stdout.lines().count(), 6, "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.starts_with("::error file=")), "{}", ran.stdout);
    assert!(ran.stdout.contains("file=new%0Aline%3A%3Aerror file=x%3A%3A.md,line=9,"), "{}", ran.stdout);
    assert_harmless(&ran.stdout);
    let summary = desk.read("summary");
    assert!(summary.contains("### unecho: 6 errors, 0 warnings, 0 notes\n"), "{summary}");
    assert_eq!(summary.lines().filter(|line| line.starts_with("| error |")).count(), 6, "{summary}");
    assert!(!summary.contains("<script>") && !summary.contains("**"), "{summary}");

    (0..20).for_each(|number| desk.write(&format!("many/{number}.md"), doubled(1000 + 10 * number)));
    let ran = desk.run(&["check", "--format", "github", "many"]);
    assert_eq!(ran.stdout.lines().count(), 11);
    assert!(ran.stdout.ends_with("::notice title=unecho::20 findings; the worst 10 are shown here\n"), "{}", ran.stdout);
}

/// The schema of SARIF, which a crate that nothing else is taken of carries.
fn sarif_schema() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--offline"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let schema = fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    // A pattern in it, for what we don't give, has a bracket too many, and is refused.
    for of in ["run", "toolComponent"] {
        schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
    }
    schema
}

fn assert_valid(schema: &Value, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    value
}

#[test]
fn sarif_is_what_its_schema_says() {
    let desk = hostile();
    desk.write("b.md", with_a_repeat(800));
    desk.write("c.md", "<!-- unecho:ignore-end -->\n");
    let ran = desk.run(&["check", "--across", "--format", "sarif", "."]);
    let schema = sarif_schema();
    let log = assert_valid(&schema, &ran.stdout);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 8);
    assert_eq!(results[7]["level"], "warning", "the worst stand first");
    let uris: HashSet<&str> = results
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    for uri in ["new%0Aline%3A%3Aerror%20file%3Dx%3A%3A.md", "50%25%2Ca%3Ab.md", "bad%FF%1B%5B31m.md", "%C3%A9%E2%80%AE.md"] {
        assert!(uris.contains(uri), "{uri}: {uris:?}");
    }
    // The same findings have the same fingerprints wherever they stand in their file.
    let prints = |ran: &Ran| -> HashSet<String> {
        let log: Value = serde_json::from_str(&ran.stdout).unwrap();
        let of = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
        log["runs"][0]["results"].as_array().unwrap().iter().map(of).collect()
    };
    let (before, text) = (prints(&ran), desk.read("b.md"));
    desk.write("b.md", format!("A line.\n\n{text}"));
    assert_eq!(prints(&desk.run(&["check", "--across", "--format", "sarif", "."])), before);
    assert_valid(&schema, &desk.run(&["check", "--format", "sarif", "b.md", "--level", "repeated-paragraph=off"]).stdout);
}

#[test]
fn sarif_lists_no_more_than_are_shown_and_says_how_many_there_are() {
    let desk = desk();
    let mut text = String::new();
    for number in 0..5200 {
        let record =
            serde_json::json!({ "text": if number % 2 == 0 { with_a_repeat(50 * number) } else { doubled(50 * number) } });
        let _ = writeln!(text, "{record}");
    }
    desk.write("many.jsonl", text);
    let ran = desk.run(&["check", "--format", "sarif", "many.jsonl"]);
    let log = assert_valid(&sarif_schema(), &ran.stdout);
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5000);
    let errors = run["results"].as_array().unwrap().iter().filter(|result| result["level"] == "error").count();
    assert_eq!(errors, 2600);
    let told = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert_eq!(told, "5,200 findings in all; the worst 5000 are listed, since code scanning shows no more");
    assert_eq!(run["properties"]["counts"]["warnings"], 2600);
    assert!(ran.stdout.len() < 10 << 20, "GitHub takes 10 MB");
}

#[test]
fn a_code_quality_report_is_what_gitlab_asks_for() {
    let desk = hostile();
    desk.write("twice.md", doubled(1) + "Something else again.\n\n" + &paragraphs(1, 3));
    let ran = desk.run(&["check", "--format", "gitlab", "."]);
    let schema = serde_json::from_str(include_str!("schemas/gitlab-code-quality.json")).unwrap();
    let report = assert_valid(&schema, &ran.stdout);
    let report = report.as_array().unwrap();
    assert_eq!(report.len(), 8);
    let prints: HashSet<&Value> = report.iter().map(|issue| &issue["fingerprint"]).collect();
    assert_eq!(prints.len(), 8, "each has its own");
    desk.write("clean.md", "A.");
    desk.run(&["check", "--format", "gitlab", "clean.md"]).prints("[]\n");
}

#[test]
fn paths_begin_at_the_root_of_the_repository() {
    let desk = desk();
    fs::create_dir(desk.path(".git")).unwrap();
    desk.write("sub/dir/a.md", doubled(1));
    for (form, path) in
        [("gitlab", "\"path\":\"sub/dir/a.md\""), ("sarif", "\"uri\":\"sub/dir/a.md\""), ("github", "file=sub/dir/a.md,")]
    {
        let mut command = desk.unecho(&["check", "--format", form, "../dir/a.md"]);
        let ran = Ran::new(form.into(), command.current_dir(desk.path("sub/dir")).output().unwrap());
        assert!(ran.stdout.contains(path), "{}", ran.stdout);
    }
}

#[test]
fn any_number_of_reports_come_of_one_run() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    let reports =
        ["--report", "sarif:a.sarif", "--report", "gitlab:q.json", "--report", "text:t.out", "--report", "json:sub.json"];
    let ran = desk.run(&[&["check", "."], &reports[..]].concat());
    assert_eq!(ran.status, Some(1));
    assert_eq!(desk.read("t.out"), ran.stdout);
    assert_eq!(desk.read("q.json"), desk.run(&["check", "--format", "gitlab", "."]).stdout);
    let part = |text: &str, at: &str| -> Value { serde_json::from_str::<Value>(text).unwrap().pointer(at).unwrap().clone() };
    for (path, form, at) in [("a.sarif", "sarif", "/runs/0/results"), ("sub.json", "json", "/findings")] {
        assert_eq!(part(&desk.read(path), at), part(&desk.run(&["check", "--format", form, "."]).stdout, at), "{form}");
    }
    // Who looks at the findings may leave, and the reports are written all the same.
    desk.sh("unecho check --format json . --report sarif:b.sarif | true");
    assert_eq!(part(&desk.read("b.sarif"), "/runs/0/results"), part(&desk.read("a.sarif"), "/runs/0/results"));
    desk.sh("{ unecho check .; echo $? > status; } | true");
    assert_eq!(desk.read("status"), "1\n", "nor does the check pass for that");
    desk.run(&["check", ".", "--report", "sarif:x.y", "--report", "json:./x.y"])
        .fails("./x.y: is where something else of this check is");
    desk.run(&["check", ".", "--report", "text:out.txt"])
        .fails("out.txt: lies in the input .; inputs are never written to: choose another place, or a name that isn't read");
    desk.run(&["check", ".", "--report", "sarif:no/such/x"]).fails("no/such");
    assert!(desk.leftovers("").is_empty());
}

#[test]
fn a_full_disk_is_named() {
    if !std::path::Path::new("/dev/full").exists() {
        return skipped("there is no /dev/full");
    }
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.sh("unecho check a.md > /dev/full").fails("standard output: no space left on device");
    desk.sh("unecho check a.md --report sarif:/dev/full").fails("/dev/full: no space left on device");
    desk.sh("GITHUB_STEP_SUMMARY=/dev/full unecho check a.md --format github").fails("/dev/full: no space left on device");
}

#[test]
fn findings_are_the_same_for_any_number_of_threads() {
    let desk = desk();
    (0..200).for_each(|number| desk.write(&format!("d/{number}.md"), doubled(number % 70) + &paragraphs(number, 5)));
    let with = |threads: &str| desk.run(&["check", "--across", "--format", "json", "--threads", threads, "d"]).stdout;
    let one = with("1");
    assert!(one.len() > 20_000);
    assert!(["2", "8"].iter().all(|threads| with(threads) == one));
}

#[test]
fn a_copy_that_is_cleaned_passes() {
    let desk = desk();
    desk.write("d/a.md", doubled(1));
    desk.write("d/b.md", with_a_repeat(10));
    desk.write("d/c.md", ARTICLE);
    assert_eq!(desk.run(&["check", "d"]).status, Some(1));
    desk.run(&["d", "-o", "clean"]).succeeds();
    assert_eq!(places(&check(&desk, &["clean"])), [""; 0]);
    assert_eq!(desk.read("clean/c.md"), clean_article());
}
