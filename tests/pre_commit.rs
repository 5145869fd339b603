//! The hook of pre-commit as a repository has it that follows docs/ci.md: installed by pip from the wheel, and run.
//!
//! `UNECHO_WHEELS` names a folder with the wheel, and that of setuptools, which builds what pre-commit installs: `.ci/run` makes it.

#[path = "support/desk.rs"]
mod desk;

use desk::{Desk, Ran, skipped};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What pre-commit installs from: these files of this repository.
const HOOK: [&str; 4] = [".pre-commit-hooks.yaml", "pyproject.toml", "LICENSE-APACHE", "LICENSE-MIT"];

const DOCUMENTATION: &str = include_str!("../docs/ci.md");

const BODY: &str = "\
The library of the upper village lends out seeds as well as books. Whoever takes a packet of beans in spring brings back two in
autumn, dried and counted, with the name of the bed they grew in. The librarian keeps them in the drawers of the old card
catalogue, sorted by the month in which they want to be sown.

It began with a single jar of peas that a teacher left on the counter before she moved to the coast. Nobody knew the sort, which
climbs higher than a man and bears until the first frost. Eleven years later it grows in forty gardens, and in two valleys that
have no library at all, since the peas were sent there by post.

This year the drawers hold three hundred and six sorts, and for the first time there is a waiting list for one of them, a small
yellow tomato that splits when it rains. The council has offered a second room. The librarian would rather have another cupboard,
because seeds, she says, keep better where people walk past them.
";

/// A repository that has the hook, in the folder `home` of the desk.
struct Repository {
    desk: Desk,
    wheels: OsString,
    revision: String,
}

impl Repository {
    fn new(wheels: OsString) -> Self {
        let mut repository = Self { desk: Desk::new(), wheels, revision: String::new() };
        for file in HOOK {
            let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
            repository.desk.write(&format!("hook/{file}"), text);
        }
        repository.git("hook", &["init", "--quiet"]);
        repository.git("hook", &["add", "."]);
        repository.git("hook", &["commit", "--quiet", "--message", "A hook"]);
        repository.revision = repository.git("hook", &["rev-parse", "HEAD"]).stdout.trim().into();
        repository.desk.write("home/README.md", "Of the library.\n");
        repository.git("home", &["init", "--quiet"]);
        repository
    }

    /// The configuration that the documentation shows, or this one of its hooks in place of the first.
    fn configure(&self, other: Option<&str>) {
        let mut config = shown(0).to_owned();
        if let Some(other) = other {
            let at = config.find("      - id: unecho").unwrap();
            config.replace_range(at.., other);
        }
        let hook = self.desk.path("hook");
        let config = config.replace("https://github.com/OWNER/unecho", hook.to_str().unwrap());
        let version = concat!("v", env!("CARGO_PKG_VERSION"));
        self.desk.write("home/.pre-commit-config.yaml", config.replace(version, &self.revision));
    }

    /// Runs all hooks on what is there.
    fn pre_commit(&self) -> Ran {
        self.git("home", &["add", "."]);
        self.run("home", "pre-commit", &["run", "--all-files"])
    }

    #[track_caller]
    fn git(&self, folder: &str, args: &[&str]) -> Ran {
        let ran = self.run(folder, "git", args);
        ran.succeeds();
        ran
    }

    /// Runs a program that knows nothing of its user, and whose pip has only the wheels.
    fn run(&self, folder: &str, program: &str, args: &[&str]) -> Ran {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.desk.path(folder)).stdin(Stdio::null());
        ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "SKIP"].iter().for_each(|variable| {
            command.env_remove(variable);
        });
        command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
        command.envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.org")]);
        command.envs([("GIT_COMMITTER_NAME", "A"), ("GIT_COMMITTER_EMAIL", "a@example.org")]);
        command.env("PRE_COMMIT_HOME", self.desk.path("cache")).env("PRE_COMMIT_COLOR", "never");
        command.env("VIRTUALENV_OVERRIDE_APP_DATA", self.desk.path("virtualenv"));
        command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &self.wheels);
        Ran::new(format!("{program} {}", args.join(" ")), command.output().unwrap())
    }
}

/// A block of YAML in the documentation.
fn shown(at: usize) -> &'static str {
    let block = DOCUMENTATION.split("```yaml\n").nth(at + 1).unwrap();
    block.split("```").next().unwrap()
}

/// The folder of the wheels, if pre-commit can be tried; else it is said why not.
fn wheels() -> Option<OsString> {
    let Some(wheels) = std::env::var_os("UNECHO_WHEELS") else {
        skipped("UNECHO_WHEELS names no folder with the wheel; .ci/run makes one");
        return None;
    };
    if Command::new("pre-commit").arg("--version").output().is_err() {
        skipped("pre-commit isn't there");
        return None;
    }
    let folder = fs::canonicalize(&wheels).unwrap_or_else(|error| panic!("{}: {error}", wheels.display()));
    Some(folder.into_os_string())
}

#[test]
fn the_hook_passes_clean_text_fails_on_a_doubled_body_and_takes_arguments() {
    let Some(wheels) = wheels() else { return };
    let repository = Repository::new(wheels);
    let desk = &repository.desk;

    repository.configure(None);
    desk.write("home/docs/seeds.md", BODY);
    let passed = repository.pre_commit();
    passed.succeeds();
    assert!(passed.stdout.contains("Passed"), "{}\n{passed}", passed.stdout);

    desk.write("home/docs/seeds.md", format!("{BODY}\n{BODY}"));
    let failed = repository.pre_commit();
    assert_eq!(failed.status, Some(1), "{failed}");
    assert!(failed.stdout.contains("error[doubled-block]"), "{}\n{failed}", failed.stdout);

    let mut update = desk.unecho(&["check", "docs", "--baseline", ".unecho-baseline", "--update-baseline"].map(OsStr::new));
    update.current_dir(desk.path("home"));
    Ran::new("unecho check --update-baseline".into(), update.output().unwrap()).succeeds();
    repository.configure(Some(shown(1)));
    let passed = repository.pre_commit();
    passed.succeeds();
    assert!(passed.stdout.contains("Passed"), "{}\n{passed}", passed.stdout);
}
