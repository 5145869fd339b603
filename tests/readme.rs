//! What the README shows works as it is shown.

#[path = "support/desk.rs"]
mod desk;

use desk::{Desk, assert_same, clean_article};

const README: &str = include_str!("../README.md");

/// The blocks of the README in some language.
fn blocks(language: &str) -> Vec<&str> {
    let open = format!("```{language}\n");
    README.split(open.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_command_runs_as_printed_and_says_what_the_readme_says() {
    let desk = Desk::new();
    desk.write("fixtures/doubled-article.txt", desk::ARTICLE);
    desk.write("fixtures/misread-article.txt", include_str!("../fixtures/misread-article.txt"));
    desk.write("fixtures/crawl.jsonl", include_str!("../fixtures/crawl.jsonl"));
    desk.write("fixtures/news.rss", include_str!("../fixtures/news.rss"));
    let commands: Vec<&str> = blocks("sh").iter().flat_map(|block| block.lines()).collect();
    let mut ran = 0;
    for command in commands.iter().filter(|command| command.contains("unecho ") || command.starts_with("cp ")) {
        if command.contains("| wc -l") {
            desk.sh(command).succeeds().prints("2\n");
        } else {
            desk.sh(command).succeeds();
        }
        ran += 1;
    }
    assert!(ran >= 10, "the README shows {ran} commands");
    for copy in ["clean.txt", "clean/doubled-article.txt"] {
        assert_same(&desk.read(copy), &clean_article(), copy);
    }

    let first = commands[0].replace("cargo run --release --", "unecho");
    let said = desk.sh(&first);
    assert_same(&said.stdout, &clean_article(), "the first command's output");
    assert_same(&said.stderr, blocks("text")[0], "what the first command says");
    let check = commands.iter().find(|command| command.ends_with("check fixtures/doubled-article.txt --exit-zero")).unwrap();
    assert_same(&desk.sh(check).stdout, blocks("text")[2], "what a check finds");
    let feed = commands.iter().find(|command| command.ends_with("check fixtures/news.rss --exit-zero")).unwrap();
    assert_same(&desk.sh(feed).stdout, blocks("text")[3], "what is found in a feed");
    let scan = commands.iter().find(|command| command.contains("scan --across fixtures/crawl.jsonl")).unwrap();
    assert_same(&desk.sh(scan).stdout, blocks("text")[1], "what is said to repeat in a corpus");
}
