//! What docs/ci.md shows works as it is shown, and what other CI systems run does what it should.

#[path = "support/desk.rs"]
mod desk;

use desk::{Desk, Ran, clean_article, skipped};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const ACTION: &str = include_str!("../action.yml");
const DOCUMENTATION: &str = include_str!("../docs/ci.md");

#[test]
fn what_is_installed_is_this_version() {
    let files = [
        ("pyproject.toml", include_str!("../pyproject.toml"), format!("version = \"{VERSION}\"")),
        ("pyproject.toml", include_str!("../pyproject.toml"), format!("dependencies = [\"unecho=={VERSION}\"]")),
        ("action.yml", ACTION, format!("default: {VERSION}\n")),
        ("docs/gitlab-ci.yml", include_str!("../docs/gitlab-ci.yml"), format!(" unecho=={VERSION}\n")),
    ];
    for (file, text, wanted) in files {
        assert!(text.contains(&wanted), "{file} hasn't {wanted:?}");
    }
    for before in ["rev: v", "OWNER/unecho@v", "unecho=="] {
        let mut named = DOCUMENTATION.split(before).skip(1).peekable();
        assert!(named.peek().is_some() && named.all(|rest| rest.starts_with(VERSION)), "docs/ci.md, after {before}");
    }
}

#[test]
fn every_command_runs_as_the_documentation_prints_it() {
    let desk = Desk::new();
    ["art.txt", "d/art.txt", "d/sub/x.md", "public/page.html"].iter().for_each(|path| desk.write(path, clean_article()));
    desk.write("public/feed.xml", "<rss><channel><item><description>Some text.</description></item></channel></rss>");
    desk.write(".gitignore", "public\n");
    let git = "git -c user.name=A -c user.email=a@example.org -c commit.gpgsign=false";
    desk.sh(&format!("git init -q && git add . && {git} commit -q -m texts && git update-ref refs/remotes/origin/main HEAD"))
        .succeeds();
    let blocks = DOCUMENTATION.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let commands: Vec<&str> = blocks.flat_map(str::lines).collect();
    for command in &commands {
        desk.sh(&command.replace("curl -fsS https://example.org/feed.xml", "cat public/feed.xml")).succeeds();
    }
    assert!(commands.len() > 5, "docs/ci.md shows {} commands", commands.len());
    for report in ["unecho.sarif", "gl-code-quality-report.json", ".unecho-baseline"] {
        assert!(desk.exists(report), "{report}");
    }
}

/// A step of the action, as a runner runs it.
struct Step<'a> {
    desk: &'a Desk,
    paths: &'a str,
    args: &'a str,
}

impl Step<'_> {
    /// Runs it, and gives what it hands on to other steps as well; nothing, which is said, where bash isn't.
    fn run(&self) -> Option<(Ran, String)> {
        let Self { desk, paths, args } = *self;
        let script = ACTION.split("- name: Check\n").nth(1).unwrap().split("run: |\n").nth(1).unwrap();
        let lines = script.lines().map_while(|line| if line.is_empty() { Some("") } else { line.strip_prefix("        ") });
        desk.write("script.sh", lines.collect::<Vec<_>>().join("\n"));
        desk.write("output", "");
        fs::create_dir_all(desk.path("runner/unecho/bin")).unwrap();
        if !desk.exists("runner/unecho/bin/unecho") {
            symlink(env!("CARGO_BIN_EXE_unecho"), desk.path("runner/unecho/bin/unecho")).unwrap();
        }
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(desk.path("script.sh")).current_dir(desk.path("tree"));
        command.env("RUNNER_TEMP", desk.path("runner")).env("GITHUB_OUTPUT", desk.path("output"));
        command.env("GITHUB_STEP_SUMMARY", desk.path("summary"));
        command.env("PATHS", paths).env("ARGS", args).env("SARIF", "unecho.sarif");
        let Ok(ran) = command.output() else {
            skipped("bash isn't there");
            return None;
        };
        Some((Ran::new("the step Check of action.yml".into(), ran), desk.read("output")))
    }
}

#[test]
fn the_action_ends_as_the_check_does_and_hands_on_the_report_of_what_was_read() {
    let desk = Desk::new();
    desk.write("tree/release notes/a b.txt", desk::ARTICLE);
    desk.write("tree/docs/clean.txt", clean_article());
    let handed_on = format!("sarif={}/unecho.sarif\n", desk.path("tree").canonicalize().unwrap().display());
    let nothing = String::new();
    let cases = [
        ("docs\n", "", 0, &handed_on),
        ("docs\nrelease notes\n", "", 1, &handed_on),
        (".", "--exclude 'a b.txt'", 0, &handed_on),
        (".", "--level doubled-block=warning\n--level=repeated-paragraph=off", 0, &handed_on),
        ("absent", "", 2, &nothing),
        (" \n", "", 2, &nothing),
        (".", "--exclude 'a b.txt", 2, &nothing),
        ("$(touch run)\n`touch run`\n; touch run", "$(touch run) ; touch run", 2, &nothing),
    ];
    for (paths, args, status, output) in cases {
        let Some((ran, given)) = (Step { desk: &desk, paths, args }).run() else { return };
        assert_eq!(ran.status, Some(status), "{paths:?}, {args:?}: {}\n{ran}", ran.stdout);
        assert_eq!(&given, output, "{paths:?}, {args:?}\n{ran}");
        let is_marked = ran.stdout.contains("::error file=release notes/a b.txt,line=15");
        assert_eq!(is_marked, status == 1, "{paths:?}, {args:?}: {}", ran.stdout);
    }
    assert!(!desk.exists("tree/run"), "an input was run");
}
