//! What goes wrong, and what must not: each test is named after what once broke or must never break.

#[path = "support/desk.rs"]
mod desk;

use desk::{ARTICLE, Desk, Ran, assert_same, clean_article, skipped};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

// Inputs are never written to.

#[test]
fn a_folder_that_is_not_there_yet_does_not_hide_where_its_dots_lead() {
    let desk = Desk::new();
    desk.run(&["d", "-o", "new/../d"]).fails("new/../d: is the input d");
    desk.run(&["art.txt", "-o", "new/../art.txt"]).fails("new/../art.txt: is the input art.txt");
    assert_same(&desk.read("d/art.txt"), ARTICLE, "the input");
    assert_same(&desk.read("art.txt"), ARTICLE, "the input");
    assert!(!desk.exists("new"));
}

#[test]
fn an_output_neither_lies_in_an_input_nor_holds_one() {
    let desk = Desk::new();
    desk.run(&["d", "-o", "d/clean"]).fails("lies in the input d");
    desk.run(&["d/sub", "-o", "d"]).fails("holds the input d/sub");
    desk.run(&["d", "-o", "."]).fails("holds the input d");
    assert!(!desk.exists("d/clean"));
}

#[test]
fn a_link_in_the_output_folder_does_not_lead_back_to_the_input() {
    let desk = Desk::new();
    fs::create_dir(desk.path("out")).unwrap();
    symlink("../d/sub", desk.path("out/sub")).unwrap();
    desk.run(&["d", "-o", "out"]).fails("out/sub/x.md: lies in the input d");
    assert_same(&desk.read("d/sub/x.md"), ARTICLE, "the input");
    assert_same(&desk.read("out/art.txt"), &clean_article(), "the other output");
}

#[test]
fn a_file_that_is_standard_input_is_an_input() {
    let desk = Desk::new();
    desk.sh("unecho < art.txt -o art.txt").fails("art.txt: is the input standard input");
    desk.sh("unecho - -o art.txt < art.txt").fails("art.txt: is the input standard input");
    desk.sh("unecho --stats art.txt < art.txt > out").fails("art.txt: is the input standard input");
    assert_same(&desk.read("art.txt"), ARTICLE, "the input");
}

#[test]
fn what_replaces_a_private_file_is_private() {
    let desk = Desk::new();
    for (args, out) in [(["art.txt", "-o", "old"], "old"), (["d", "-o", "out"], "out/art.txt")] {
        desk.write(out, "private");
        fs::set_permissions(desk.path(out), fs::Permissions::from_mode(0o600)).unwrap();
        desk.run(&args);
        assert_same(&desk.read(out), &clean_article(), out);
        assert_eq!(fs::metadata(desk.path(out)).unwrap().permissions().mode() & 0o777, 0o600, "{out}");
    }
}

#[test]
fn a_file_named_deep_in_the_output_folder_is_an_input_all_the_same() {
    let desk = Desk::new();
    desk.write("out/d/art.txt", ARTICLE);
    desk.run(&["d", "out/d/art.txt", "-o", "out"]).fails("out: holds the input out/d/art.txt");
    assert_same(&desk.read("out/d/art.txt"), ARTICLE, "the input");
}

#[test]
fn a_link_in_the_output_folder_does_not_lead_to_a_named_file() {
    let desk = Desk::new();
    desk.write("named/x.md", ARTICLE);
    fs::create_dir_all(desk.path("out/d")).unwrap();
    symlink("../../named", desk.path("out/d/sub")).unwrap();
    desk.run(&["d", "named/x.md", "-o", "out"]).fails("out/d/sub/x.md: is the input named/x.md");
    assert_same(&desk.read("named/x.md"), ARTICLE, "the input");
}

#[test]
fn a_mount_in_the_output_folder_does_not_lead_back_to_the_input() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("out/sub")).unwrap();
    if desk.sh("mount --bind d/sub out/sub").status != Some(0) {
        return skipped("a folder can't be mounted at another path");
    }
    let ran = desk.run(&["d", "-o", "out"]);
    desk.sh("umount out/sub").succeeds();
    ran.fails("out/sub/x.md: is the input itself");
    assert_same(&desk.read("d/sub/x.md"), ARTICLE, "the input");
}

#[test]
fn statistics_overwrite_neither_an_input_nor_a_result() {
    let desk = Desk::new();
    desk.run(&["art.txt", "--stats", "art.txt"]).fails("art.txt: is the input art.txt").prints("");
    desk.run(&["scan", "art.txt", "--stats", "./d/../art.txt"]).fails("is the input art.txt").prints("");
    desk.run(&["scan", "d", "--stats", "d/sub/x.md"]).fails("lies in the input d").prints("");
    desk.run(&["art.txt", "-o", "o", "--stats", "o"]).fails("o: is where the results go");
    desk.run(&["d", "-o", "out", "--stats", "out/stats"]).fails("is where the results go");
    desk.run(&["art.txt", "--stats", "-"]).fails("--stats -: standard output holds the results already");
    assert_same(&desk.read("art.txt"), ARTICLE, "the input");
    assert!(!desk.exists("o") && !desk.exists("out"));
    desk.run(&["scan", "d", "--stats", "d/stats.json"]).succeeds();
    desk.run(&["scan", "d", "--stats", "d/stats.json"]).succeeds(); // of no form that is read
    assert!(desk.read("d/stats.json").contains("\"documents\": 2"));
}

#[test]
fn statistics_go_to_standard_output_where_nothing_else_does() {
    let desk = Desk::new();
    let ran = desk.run(&["art.txt", "-o", "o", "--stats", "-"]);
    assert!(ran.succeeds().stdout.contains("\"bytes_before\": 3877"), "{ran}");
    assert!(!desk.exists("-"));
}

#[test]
fn standard_output_is_not_appended_to_the_input_it_comes_from() {
    let desk = Desk::new();
    for line in [
        "unecho art.txt >> art.txt",
        "unecho < art.txt >> art.txt",
        "unecho scan art.txt >> art.txt",
        "unecho scan < art.txt >> art.txt",
        "unecho art.txt -o /dev/fd/3 3>> art.txt",
        "unecho art.txt -o x --stats - >> art.txt",
        "unecho scan art.txt --stats /dev/fd/3 3>> art.txt",
    ] {
        desk.sh(line).fails("inputs are never written to");
        assert_same(&desk.read("art.txt"), ARTICLE, line);
    }
}

#[test]
fn a_report_that_goes_to_the_folder_it_is_about_is_left_out() {
    let desk = Desk::new();
    desk.sh("unecho scan d > d/report.txt").succeeds().says("left out: 1 the output");
    assert!(desk.read("d/report.txt").starts_with("d/art.txt:15-27"));
}

// Outputs are whole, or not there, or an error.

#[test]
fn what_stands_in_a_redirected_file_stays_when_it_is_named_as_an_output() {
    let desk = Desk::new();
    let wanted = format!("KEEP ME\n{}", clean_article());
    for line in ["unecho art.txt -o /dev/stdout >> log", "unecho art.txt -o - >> log", "unecho art.txt -o /dev/fd/3 3>> log"] {
        desk.write("log", "KEEP ME\n");
        desk.sh(line).succeeds();
        assert_same(&desk.read("log"), &wanted, line);
        assert!(!desk.exists("-"));
    }
}

#[test]
fn what_follows_in_a_descriptor_does_not_overwrite_the_clean_copy() {
    let desk = Desk::new();
    desk.sh("{ unecho art.txt -o /dev/fd/3 && echo more >&3; } 3> log").succeeds();
    assert_same(&desk.read("log"), &(clean_article() + "more\n"), "log");
}

/// Starts cleaning a large text to a pipe and waits for the first bytes to come.
fn cleaning_a_large_text(desk: &Desk) -> (Child, std::process::ChildStdout) {
    let text: String = (0..400_000).map(|n| format!("line {n}\n")).collect();
    desk.write("large.txt", text);
    let mut child = desk.unecho(&["large.txt"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10]).unwrap();
    (child, out)
}

fn ended(child: Child) -> Ran {
    Ran::new("unecho large.txt | …".into(), child.wait_with_output().unwrap())
}

#[test]
fn a_file_that_grows_while_it_goes_to_standard_output_is_an_error() {
    let desk = Desk::new();
    let (child, mut out) = cleaning_a_large_text(&desk);
    let mut file = fs::OpenOptions::new().append(true).open(desk.path("large.txt")).unwrap();
    std::io::Write::write_all(&mut file, b"more\n").unwrap();
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    ended(child).fails("large.txt: changed while it was read; what went to standard output is not its clean copy");
}

#[test]
fn a_file_cut_short_while_it_goes_to_standard_output_is_to_blame_not_the_output() {
    let desk = Desk::new();
    let (child, mut out) = cleaning_a_large_text(&desk);
    fs::OpenOptions::new().write(true).open(desk.path("large.txt")).unwrap().set_len(5).unwrap();
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let ran = ended(child);
    ran.fails("large.txt: changed while it was read");
    assert!(!ran.stderr.contains("bad address"), "{ran}");
}

#[test]
fn what_changes_while_others_are_compared_with_it_is_an_error_whatever_its_size() {
    let desk = Desk::new();
    for lines in [200_000, 600_000] {
        let text = |word: &str| (0..lines).map(|number| format!("{word} {number}\n")).collect::<String>();
        desk.write("a.txt", text("one"));
        desk.sh("rm -rf out b.jsonl && mkfifo b.jsonl").succeeds();
        let args = ["--across", "a.txt", "b.jsonl", "-o", "out"];
        let child = desk.unecho(&args).stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        while !desk.exists("out/a.txt") && started.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        desk.write("a.txt", text("two"));
        desk.write("b.jsonl", "{\"text\": \"B.\"}\n");
        let ran = Ran::new(format!("unecho {}", args.join(" ")), child.wait_with_output().unwrap());
        ran.fails("a.txt: changed after it was read, while others were compared with it");
    }
}

#[test]
fn a_pipe_in_the_output_folder_is_refused_and_the_others_are_done() {
    let desk = Desk::new();
    desk.sh("mkdir out && mkfifo out/art.txt").succeeds();
    desk.run(&["d", "-o", "out"]).fails("out/art.txt: is a pipe or a device");
    assert_same(&desk.read("out/sub/x.md"), &clean_article(), "the other output");
}

#[test]
fn a_full_standard_output_is_an_error() {
    if !fs::exists("/dev/full").unwrap() {
        return skipped("there is no /dev/full");
    }
    let desk = Desk::new();
    for line in ["unecho art.txt", "unecho scan art.txt", "unecho scan --format json art.txt", "unecho --files d"] {
        desk.sh(&format!("{line} > /dev/full")).fails("standard output: no space left on device");
    }
    desk.run(&["art.txt", "-o", "/dev/full"]).fails("/dev/full: no space left on device");
}

#[test]
fn a_full_disk_fails_each_output_it_has_no_room_for_and_leaves_nothing_behind() {
    let desk = Desk::new();
    fs::create_dir(desk.path("small")).unwrap();
    if desk.sh("mount -t tmpfs -o size=16k tmpfs small").status != Some(0) {
        return skipped("no small file system could be mounted");
    }
    desk.write("d/large.txt", "a line that stands but once\n".repeat(1 << 12));
    let ran = desk.run(&["--match", "bytes", "--min-chars", "4000000", "d", "-o", "small/out"]);
    let leftovers = desk.leftovers("small/out");
    let other = desk.read("small/out/art.txt");
    desk.sh("umount small").succeeds();
    ran.fails("small/out/large.txt: no space left on device");
    assert!(leftovers.is_empty(), "{leftovers:?}");
    assert_same(&other, ARTICLE, "the output there was room for");
}

#[test]
fn a_reader_that_has_seen_enough_does_not_make_good_what_failed_before() {
    let desk = Desk::new();
    for (args, status) in [
        (&["scan", "missing.txt", "d"][..], 2),
        (&["scan", "d"], 0),
        (&["art.txt"], 0),
        (&["--files", "d", "missing.txt"], 2),
        (&["--files", "d"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = desk.unecho(args).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("pipe"));
    }
}

#[test]
fn an_unusable_ignore_file_fails_its_folder_and_no_other() {
    let desk = Desk::new();
    let damages: [(&str, &dyn Fn()); 4] = [
        ("line 2: ", &|| desk.write("d/sub/.unechoignore", "*.txt\n[z-a]\n")),
        ("line 1: not UTF-8", &|| desk.write("d/sub/.unechoignore", b"\xff\n")),
        ("not a file", &|| fs::create_dir(desk.path("d/sub/.unechoignore")).unwrap()),
        ("no such file or directory;", &|| symlink("nowhere", desk.path("d/sub/.unechoignore")).unwrap()),
    ];
    for (why, damage) in damages {
        damage();
        desk.run(&["--files", "d"]).fails("d/sub/.unechoignore: ").says(why).says("are not read").prints("d/art.txt\n");
        desk.sh("rm -r d/sub/.unechoignore").succeeds();
    }
}

#[test]
fn a_container_that_fails_leaves_no_temporary_file_while_the_run_goes_on() {
    let desk = Desk::new();
    desk.write("a.jsonl", "{\"text\": \"One of many records.\"}\n".repeat(200_000) + "broken\n");
    desk.sh("mkfifo b.txt").succeeds();
    let mut child = desk.unecho(&["a.jsonl", "b.txt", "-o", "out"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut named = [0; 20];
    child.stderr.as_mut().unwrap().read_exact(&mut named).unwrap();
    let started = Instant::now();
    while !desk.leftovers("out").is_empty() && started.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let leftovers = desk.leftovers("out");
    desk.write("b.txt", ARTICLE);
    let ran = Ran::new("unecho a.jsonl b.txt -o out".into(), child.wait_with_output().unwrap());
    assert!(leftovers.is_empty() && named == *b"error: a.jsonl: line", "{ran}");
    assert_same(&desk.read("out/b.txt"), &clean_article(), "the other");
}

#[test]
fn ctrl_c_leaves_no_temporary_files() {
    let desk = Desk::new();
    (0..2000).for_each(|number| desk.write(&format!("many/{number}.txt"), ARTICLE));
    // A run may end before the signal comes: then it shows nothing, and another one must.
    let was_interrupted = (0..20).any(|attempt| {
        let out = format!("out{attempt}");
        let mut child = desk.unecho(&["many", "-o", &out]).stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        let is_over = |child: &mut Child| child.try_wait().unwrap().is_some() || started.elapsed() > Duration::from_secs(20);
        while desk.leftovers(&out).is_empty() && !is_over(&mut child) {
            std::thread::sleep(Duration::from_millis(1));
        }
        desk.sh(&format!("kill -INT {}", child.id()));
        let ran = Ran::new(format!("unecho many -o {out}, interrupted"), child.wait_with_output().unwrap());
        assert_eq!(desk.leftovers(&out), [""; 0].map(std::path::PathBuf::from), "{ran}");
        ran.signal == Some(2)
    });
    assert!(was_interrupted, "no run lasted until it was interrupted");
}

#[test]
fn a_signal_ends_a_run_that_waits_for_its_next_bytes() {
    let desk = Desk::new();
    fs::create_dir(desk.path("out")).unwrap();
    let args = ["--from", "jsonl", "-o", "out/a.jsonl"];
    let mut child = desk.unecho(&args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut records = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut records, "{\"text\": \"One of many records.\"}\n".repeat(200_000).as_bytes()).unwrap();
    let started = Instant::now();
    let is_late = || started.elapsed() > Duration::from_secs(20);
    while desk.leftovers("out").is_empty() && !is_late() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(200)); // all that came is done by now
    desk.sh(&format!("kill -TERM {}", child.id()));
    while child.try_wait().unwrap().is_none() && !is_late() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let has_ended = child.try_wait().unwrap().is_some();
    drop(records);
    let ran = Ran::new("unecho --from jsonl, terminated".into(), child.wait_with_output().unwrap());
    assert!(has_ended && ran.signal == Some(15), "{ran}");
    assert_eq!(desk.leftovers("out"), [""; 0].map(std::path::PathBuf::from), "{ran}");
}

#[test]
fn a_system_that_starts_no_threads_gets_the_work_done_by_one() {
    let desk = Desk::new();
    let as_nobody = "chmod 777 . && exec setpriv --reuid=65534 --regid=65534 --clear-groups prlimit --nproc=1";
    if desk.sh(&format!("{as_nobody} unecho --version")).status != Some(0) {
        return skipped("only root can become a user who may start nothing");
    }
    desk.sh(&format!("{as_nobody} unecho --threads 8 d -o out")).succeeds();
    desk.write("tiny.txt", "One line.\n");
    desk.write("short.txt", "a\nb\n".repeat(30_000)); // many paragraphs for its size
    for text in ["tiny.txt", "short.txt", "art.txt"] {
        desk.sh(&format!("{as_nobody} unecho --threads 8 --min-chars 1 --unit line {text}")).succeeds();
    }
    assert_same(&desk.read("out/sub/x.md"), &clean_article(), "the output");
}

// Names and permissions.

#[test]
fn names_that_are_the_same_matter_only_where_something_is_written() {
    let desk = Desk::new();
    desk.write("e/art.txt", ARTICLE);
    desk.run(&["scan", "d/art.txt", "e/art.txt"]).succeeds().says("2 documents, 2 with repeats");
    desk.run(&["d/art.txt", "e/art.txt", "-o", "out"]).fails("would have its clean copy where that of d/art.txt stands");
    desk.run(&["d", "d", "-o", "out"]).succeeds().says("left out: 2 already read");
}

#[test]
fn a_file_reached_twice_is_read_once_and_counted() {
    let desk = Desk::new();
    symlink("art.txt", desk.path("link.txt")).unwrap();
    let ran = desk.run(&["-v", "art.txt", "link.txt", "-o", "out"]);
    ran.succeeds().says("left out: link.txt (already read)").says("1 document, 1 with repeats").says("left out: 1 already read");
}

#[test]
fn a_link_in_a_folder_is_not_followed_but_named() {
    let desk = Desk::new();
    symlink("../art.txt", desk.path("d/link.txt")).unwrap();
    symlink("..", desk.path("d/up")).unwrap();
    let ran = desk.run(&["-v", "d", "-o", "out"]);
    ran.succeeds().says("left out: d/link.txt (a symbolic link)").says("left out: d/up (a symbolic link)");
    ran.says("2 documents, 2 with repeats").says("left out: 2 links");
    assert!(!desk.exists("out/link.txt") && !desk.exists("out/up"));
}

#[test]
fn escape_codes_reach_the_terminal_by_no_way() {
    let desk = Desk::new();
    desk.write("d/.unechoignore", "\u{1b}[31m[z-a]\n");
    desk.write("\u{1b}[31m/a.txt", ARTICLE);
    for args in [
        &["scan", "d"][..],
        &["scan", "\u{1b}[31m"],
        &["\u{1b}[31m/a.txt", "-o", "\u{1b}[31m/a.txt"],
        &["scan", "d", "--exclude", "\u{1b}[31m[z-a]"],
        &["\u{1b}[31m", "-o", "out"],
        &["\u{1b}[31m", "scan", "d"],
    ] {
        // With colour for all, since messages to no terminal lose their escape codes last thing; then without its own codes.
        let ran = desk.run(&[&["--color", "always"], args].concat());
        let said = ran.stderr.replace("\u{1b}[1m\u{1b}[31merror\u{1b}[0m", "");
        assert!(!(ran.stdout.clone() + &said).contains('\u{1b}'), "{ran}{}", ran.stdout);
    }
}

#[test]
fn an_output_may_be_called_like_a_command() {
    let desk = Desk::new();
    desk.run(&["d", "-o", "clean"]).succeeds();
    assert_same(&desk.read("clean/sub/x.md"), &clean_article(), "the output");
}

#[test]
fn any_name_can_be_listed() {
    let desk = Desk::new();
    desk.write("odd/a\nb.txt", ARTICLE);
    desk.run(&["--files", "-0", "odd", "d"]).succeeds().prints("odd/a\nb.txt\0d/art.txt\0d/sub/x.md\0");
}

#[test]
fn a_dangling_link_is_followed_like_any_other() {
    let desk = Desk::new();
    symlink("there", desk.path("folder")).unwrap();
    desk.run(&["d", "-o", "folder"]).succeeds();
    assert_same(&desk.read("there/art.txt"), &clean_article(), "the output");
    symlink("file", desk.path("link")).unwrap();
    for _ in 0..2 {
        desk.run(&["art.txt", "-o", "link"]).succeeds(); // dangling, then not
        assert!(fs::symlink_metadata(desk.path("link")).unwrap().is_symlink());
        assert_same(&desk.read("file"), &clean_article(), "the output");
    }
}

#[test]
fn a_clean_copy_has_the_permissions_of_its_input_but_not_its_powers() {
    let desk = Desk::new();
    for (mode, copied) in [(0o4755, 0o755), (0o600, 0o600), (0o044, 0o044)] {
        fs::set_permissions(desk.path("art.txt"), fs::Permissions::from_mode(mode)).unwrap();
        if fs::File::open(desk.path("art.txt")).is_err() {
            continue; // who isn't root can't read its own unreadable file
        }
        desk.sh("umask 0; rm -f copy; unecho art.txt -o copy").succeeds();
        assert_eq!(fs::metadata(desk.path("copy")).unwrap().permissions().mode() & 0o7777, copied);
    }
}

#[test]
fn an_error_names_the_path_that_was_given() {
    let desk = Desk::new();
    desk.run(&["art.txt", "-o", "art.txt/x"]).fails("error: art.txt/x: not a directory");
    desk.run(&["d", "-o", "art.txt/x"]).fails("error: art.txt/x/art.txt: not a directory");
    desk.run(&["art.txt", "-o", "nope/"]).fails("error: nope/: names a folder, which isn't there");
    desk.run(&["art.txt", "-o", "d"]).fails("error: d: is a folder; for one output, name the file: d/art.txt");
}

#[test]
fn names_that_end_with_a_dot_or_no_extension_are_text_and_those_in_a_folder_only_if_they_are() {
    let desk = Desk::new();
    desk.write("d/README.", ARTICLE);
    desk.write("d/LICENSE", ARTICLE);
    desk.write("d/a.bin", "\0");
    desk.write("d/program", vec![0; 100_000]);
    desk.run(&["scan", "d"]).succeeds().says("4 documents, 4 with repeats").says("left out: 1 binary, 1 of unknown form");
    desk.run(&["scan", "d/program"]).succeeds().says("1 document"); // it was named
}

#[test]
fn files_of_all_sizes_come_out_as_they_went_in() {
    let desk = Desk::new();
    let line = |number: usize| format!("{number}\r\n");
    for size in [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1] {
        let text: String = (0..size)
            .map(line)
            .scan(0, |sum, line| {
                *sum += line.len();
                (*sum <= size + 8).then_some(line)
            })
            .collect();
        let text = &text[..size];
        desk.write("in/a.txt", text);
        desk.run(&["in", "-o", "out"]).succeeds();
        assert_same(&desk.read("out/a.txt"), text, "the output");
        desk.run(&["in/a.txt"]).succeeds().prints(text);
    }
}

#[test]
fn a_link_to_a_folder_is_that_folder() {
    let desk = Desk::new();
    symlink("d", desk.path("link")).unwrap();
    let ran = desk.run(&["link", "-o", "out"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_same(&desk.read("out/sub/x.md"), &clean_article(), "the clean copy");
}

#[test]
fn utf_16_is_refused_and_in_a_folder_left_out() {
    let desk = Desk::new();
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(ARTICLE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    desk.write("d/wide.txt", &utf16);
    desk.run(&["d/wide.txt"]).fails("d/wide.txt: is UTF-16");
    let ran = desk.run(&["d", "-o", "out"]);
    assert!(ran.stderr.contains("left out: 1 binary; failed: 0"), "{}", ran.stderr);
}

#[test]
fn the_list_of_files_names_just_those_that_are_read() {
    let desk = Desk::new();
    desk.write("d/photo", b"\x00\x01");
    desk.sh("unecho --files d > d/list.txt");
    assert_same(&desk.read("d/list.txt"), "d/art.txt\nd/sub/x.md\n", "the list");
}

#[test]
fn what_a_killed_run_left_is_named() {
    let desk = Desk::new();
    desk.write("a.txt", "A text.\n");
    desk.write("out/.unecho-x1.tmp", "half of a text");
    desk.write(".unecho-x2.tmp", "");
    let said = "left by a run that was killed, unless one is under way there; nobody needs it";
    desk.run(&["a.txt", "-o", "out/b.txt"]).succeeds().says(&format!("/out/.unecho-x1.tmp: 14 bytes, {said}"));
    desk.run(&["a.txt", "-o", "b.txt"]).succeeds().says(&format!("/.unecho-x2.tmp: 0 bytes, {said}"));
    desk.run(&["a.txt"]).succeeds().prints("A text.\n");
}

#[test]
fn a_record_stands_apart_from_all_else() {
    let desk = Desk::new();
    desk.run(&["art.txt", "-o", "o.txt", "--stats", "x", "--record", "x"]).fails("x: is where the results go");
    desk.run(&["art.txt", "-o", "o.txt", "--record", "o.txt"]).fails("o.txt: is where the results go");
    desk.run(&["d", "-o", "out", "--record", "out/r.jsonl"]).fails("is where the results go");
    // The next run would read it.
    desk.run(&["d", "-o", "out", "--record", "d/r.jsonl"]).fails("d/r.jsonl: lies in the input d");
    desk.run(&["art.txt", "-o", "o.txt", "--record", "art.txt"]).fails("art.txt: is the input");
    assert!(!desk.exists("x") && !desk.exists("out") && !desk.exists("d/r.jsonl"));
}
