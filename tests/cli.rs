//! The command line as its users see it: each file of `tests/cmd` holds commands and what they print.
//!
//! `TRYCMD=overwrite cargo test --test cli` writes down what they print now (times, which differ, are `[..]`). The `.in` files
//! name the folder the commands run in; beside a folder `.out` they run in a copy, which must then hold what that one holds.

#[test]
fn commands_print_what_is_written_down() {
    trycmd::TestCases::new().env("COLUMNS", "100").case("tests/cmd/*.trycmd").case("tests/cmd/*.toml");
}
