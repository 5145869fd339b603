//! `unecho check`: what counts, and what silences it.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/desk.rs"]
mod desk;

use bodies::{check, desk, doubled, found, paragraph, paragraphs, places, with_a_repeat};
use desk::{ARTICLE, clean_article, skipped};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

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
fn what_another_file_repeats_makes_no_error_of_a_paragraph() {
    let desk = desk();
    let long = format!("{} {} {}", paragraph(90), paragraph(91), paragraph(92));
    desk.write("1.md", paragraphs(1, 40));
    desk.write("2.md", format!("A lede.\n\n{}{long}\n\nSomething else.\n\n{long}\n", paragraphs(1, 40)));
    assert_eq!(check(&desk, &["."]).status, Some(0));
    let ran = check(&desk, &["--across", "."]);
    assert_eq!(
        (places(&ran), ran.status),
        (vec!["repeated-across ./2.md:3".into(), "repeated-paragraph ./2.md:87".into()], Some(0))
    );
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
    desk.sh("printf '\\n \\n\\n' | unecho check").fails("standard input: nothing to check");
    desk.sh("printf 'A text.' | unecho check").succeeds();
    desk.run(&["check", "empty.md", "--report", "sarif:empty.sarif"]).fails("nothing to check");
    assert!(desk.read("empty.sarif").contains("\"executionSuccessful\":false"));
}

#[test]
fn what_was_left_out_fails_a_check_that_asks_for_all() {
    let desk = desk();
    desk.write("d/a.md", paragraphs(1, 2));
    desk.write("d/.hidden.md", "Hidden.");
    desk.run(&["check", "d", "--fail-on-skip"]).succeeds();
    desk.write("d/page.svg", "<svg/>");
    desk.write("d/b.txt", b"\0");
    desk.run(&["check", "d"]).succeeds();
    let ran = desk.run(&["check", "d", "--fail-on-skip"]);
    ran.fails("not all of it was checked (--fail-on-skip): left out 1 binary, 1 of unknown form; -v names them");
    let without = ["check", ".", "--fail-on-skip", "--exclude", "*.svg", "--exclude", "b.txt"];
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

/// What git leaves out, by its own word, of random trees with random patterns.
#[test]
fn what_is_left_out_is_what_git_leaves_out() {
    if std::process::Command::new("git").arg("--version").output().is_err() {
        return skipped("git is not installed");
    }
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let names = ["a", "b", "ab", "a.md", "b.txt", "x{a,b}", "[a]", "a b"];
    let pieces =
        ["a", "b", "*", "**", "?", "/", "[ab]", "[!a]", "{a,b}", ".md", ".txt", "!", "\\", "#", " ", "x", "[[:alpha:]]", "["];
    for _ in 0..60 {
        let desk = desk();
        desk.sh("git init -q .").succeeds();
        for _ in 0..12 {
            let depth = random(3);
            let folders: String = (0..depth).map(|_| format!("d{}/", random(2))).collect();
            desk.write(&format!("{folders}{}", names[random(names.len())]), "A.");
        }
        for folder in ["", "d0/"] {
            let mut lines = String::new();
            for _ in 0..1 + random(3) {
                let count = 1 + random(4);
                (0..count).for_each(|_| lines += pieces[random(pieces.len())]);
                lines.push('\n');
            }
            desk.write(&format!("{folder}.gitignore"), lines);
        }
        let listed = |command: &str| {
            let mut listed: Vec<String> =
                desk.sh(command).stdout.split('\0').map(|name| name.trim_start_matches("./").to_owned()).collect();
            listed.retain(|name| !name.is_empty() && !name.ends_with(".gitignore"));
            listed.sort_unstable();
            listed
        };
        let ours = listed("unecho check --files -0 .");
        let patterns = || (desk.read(".gitignore"), desk.exists("d0/.gitignore").then(|| desk.read("d0/.gitignore")));
        assert_eq!(ours, listed("git ls-files -o -z --exclude-standard"), "{:?}", patterns());
    }
}

// The baseline.

#[test]
fn nothing_is_written_where_something_else_is() {
    let desk = desk();
    desk.write("d/a.md", doubled(1));
    desk.run(&["check", "d", "--baseline", "known", "--update-baseline"]).succeeds();
    let before = desk.read("known");
    for args in [["--report", "json:known", "-q"], ["--stats", "known", "-q"], ["--report", "json:./d/../known", "-q"]] {
        let ran = desk.run(&[&["check", "d", "--baseline", "known"], &args[..]].concat());
        ran.fails("is where something else of this check is");
    }
    assert_eq!(desk.read("known"), before);
    desk.run(&["check", "d", "--stats", "s.x", "--report", "json:s.x"]).fails("is where something else of this check is");
}

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
fn a_phrase_lets_its_own_paragraph_repeat_however_the_rest_is_set() {
    let desk = desk();
    // After a list each line is a paragraph; alone, these lines would be one.
    let mut lines = String::from("Here it begins.");
    for (number, word) in (1..6).map(paragraph).collect::<Vec<_>>().join(" ").split(' ').enumerate() {
        lines += if number % 13 == 0 { "\n" } else { " " };
        lines += if number == 52 { "All rights reserved" } else { word };
    }
    desk.write("a.md", format!("- an item\n{lines}\n\nSomething else.\n\n* another one\n{lines}\n\nThe end.\n"));
    assert_eq!(places(&check(&desk, &["a.md"])).len(), 1);
    assert_eq!(places(&check(&desk, &["a.md", "--allow", "text:All rights reserved"])).len(), 1);
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
