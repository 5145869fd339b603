//! `unecho.toml`: found above, for all commands, and what is wrong with one.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/desk.rs"]
mod desk;

use bodies::{check, desk, doubled, found, paragraphs, places};
use desk::Ran;
use serde_json::Value;
use std::collections::HashSet;
use std::os::unix::fs::symlink;

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

#[test]
fn patterns_hold_by_whatever_path_a_folder_is_named() {
    let desk = desk();
    desk.write(
        "real/unecho.toml",
        "exclude = [\"/docs\"]\n\n[[check.per-path]]\npaths = [\"/a.md\"]\nlevels = { doubled-block = \"off\" }\n",
    );
    for path in ["real/a.md", "real/docs/b.md"] {
        desk.write(path, doubled(1));
    }
    symlink("real", desk.path("lnk")).unwrap();
    let whole = desk.path("lnk");
    for (folder, path) in [("real", "."), ("lnk", "."), ("lnk", "../lnk"), ("real", whole.to_str().unwrap()), ("real/docs", "..")]
    {
        let mut command = desk.unecho(&["check", "--format", "json", path]);
        let ran = Ran::new(path.into(), command.current_dir(desk.path(folder)).output().unwrap());
        assert_eq!((places(&ran), found(&ran)["summary"]["documents"].as_u64()), (vec![], Some(1)), "{folder} {path}");
    }
    // A configuration that is a link is for the folder that it is in.
    symlink("../real/unecho.toml", desk.path("real/docs/unecho.toml")).unwrap();
    let mut command = desk.unecho(&["check", "b.md"]);
    assert_eq!(command.current_dir(desk.path("real/docs")).output().unwrap().status.code(), Some(1));
}
