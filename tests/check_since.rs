//! `unecho check --since`: what a git revision doesn't have.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/desk.rs"]
mod desk;

use bodies::{check, desk, doubled, found, paragraph, paragraphs, places};
use desk::{Desk, Ran, skipped};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

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

#[test]
fn an_ignored_copy_is_no_old_finding_of_another() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q"]);
    let body = paragraphs(1, 3);
    let text = format!("{body}Middle.\n\n# unecho:ignore-start\n\n{body}# unecho:ignore-end\n");
    desk.write("a.md", &text);
    commit(&desk);
    desk.write("a.md", format!("{text}\nAnother part.\n\n{body}"));
    assert_eq!(places(&check(&desk, &["--since", "HEAD", "a.md"])), ["doubled-block a.md:21"]);
}

#[test]
fn links_lead_to_the_files_that_git_knows() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q", "real"]);
    desk.write("real/docs/a.md", doubled(1));
    desk.write("real/docs/b.md", "B.");
    symlink("docs", desk.path("real/link")).unwrap();
    git(&desk, &["-C", "real", "add", "-A"]);
    git(&desk, &["-C", "real", "commit", "-q", "-m", "All"]);
    symlink("real", desk.path("lnk")).unwrap();
    let since = |folder: &str, path: &str| {
        let mut command = desk.unecho(&["check", "--format", "json", "--since", "HEAD", path]);
        places(&Ran::new(path.into(), command.current_dir(desk.path(folder)).output().unwrap()))
    };
    let whole = desk.path("lnk/docs");
    assert_eq!(since("lnk", whole.to_str().unwrap()), [""; 0], "nothing changed");
    desk.write("real/docs/b.md", doubled(20));
    assert_eq!(since("real", "link"), ["doubled-block link/b.md:9"]);
    assert_eq!(since("lnk", "docs/../link"), ["doubled-block docs/../link/b.md:9"]);
}

#[test]
fn settings_of_git_change_nothing() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q"]);
    desk.write("docs/a.md", "A.\n");
    desk.write("docs/gone.md", doubled(40));
    commit(&desk);
    for (key, value) in [
        ("diff.relative", "true"),
        ("diff.orderFile", "nowhere"),
        ("diff.interHunkContext", "1000"),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("core.quotePath", "false"),
        ("color.ui", "always"),
    ] {
        git(&desk, &["config", key, value]);
    }
    desk.write("docs/a.md", doubled(1));
    // No longer known to git, but there as it was.
    git(&desk, &["rm", "-q", "--cached", "docs/gone.md"]);
    let mut command = desk.unecho(&["check", "--format", "json", "--since", "HEAD", "."]);
    let ran = Ran::new("in docs".into(), command.current_dir(desk.path("docs")).output().unwrap());
    assert_eq!(places(&ran), ["doubled-block ./a.md:9"]);
    desk.write("docs/gone.md", doubled(60));
    assert_eq!(places(&check(&desk, &["--since", "HEAD", "docs/gone.md"])), ["doubled-block docs/gone.md:9"]);
}

#[test]
fn names_and_forms_that_git_changes_hide_nothing() {
    if !has_git() {
        return;
    }
    let desk = desk();
    git(&desk, &["init", "-q"]);
    desk.write("a.md", paragraphs(1, 3));
    desk.write("packed.md", doubled(30));
    desk.sh("gzip -n packed.md").succeeds();
    desk.write("left.md", doubled(50));
    desk.write(".gitattributes", "*.ptr.md filter=ptr\n");
    git(&desk, &["config", "filter.ptr.clean", "echo pointer; sha256sum"]);
    desk.write("x.ptr.md", paragraphs(70, 3));
    commit(&desk);
    let since = |path: &str| places(&check(&desk, &["--since", "HEAD", path]));
    // A new file where one was that has another name now.
    git(&desk, &["mv", "a.md", "b.md"]);
    desk.write("a.md", doubled(90));
    assert_eq!(since("a.md"), ["doubled-block a.md:9"]);
    git(&desk, &["mv", "packed.md.gz", "other.md.gz"]);
    assert_eq!(since("other.md.gz"), [""; 0]);
    git(&desk, &["rm", "-q", "--cached", "left.md"]);
    desk.write("left.md", doubled(50) + "Another line.\n");
    assert_eq!(since("left.md"), [""; 0]);
    // Git has the lines of a pointer.
    desk.write("x.ptr.md", format!("\n{}", doubled(70)));
    assert_eq!(since("x.ptr.md"), ["doubled-block x.ptr.md:10"]);
}
