//! What `unecho check` says to people and to programs.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/desk.rs"]
mod desk;

use bodies::{desk, doubled, paragraphs, with_a_repeat};
use desk::{Desk, Ran, skipped};
use serde_json::Value;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

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
    // Of other platforms nothing may have been downloaded.
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host.trim()]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
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
fn lines_are_those_of_the_file_or_none() {
    let desk = desk();
    desk.write("a.md", doubled(1));
    desk.sh("gzip -c a.md > p.md.gz").succeeds();
    let annotation = |args: &[&str]| desk.run(&[&["check", "--format", "github"], args].concat()).stdout;
    assert!(annotation(&["p.md.gz"]).starts_with("::error file=p.md.gz,line=1,endLine=1,"), "{}", annotation(&["p.md.gz"]));
    assert!(annotation(&["p.md.gz"]).contains("::lines 9–13 repeat lines 1–5 "));
}

#[test]
fn a_check_that_waits_for_its_input_is_ended_by_a_signal_and_leaves_nothing() {
    let desk = desk();
    desk.sh("mkfifo pipe").succeeds();
    let mut child = desk.unecho(&["check", "--from", "text", "pipe", "--report", "sarif:o.sarif"]).spawn().unwrap();
    sleep(Duration::from_millis(300)); // it has begun; if it hasn't, it is ended all the same
    desk.sh(&format!("kill -TERM {}", child.id())).succeeds();
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < Duration::from_secs(20), "it doesn't end");
        sleep(Duration::from_millis(5));
    }
    assert!(desk.leftovers("").is_empty() && !desk.exists("o.sarif"));
}
