//! Repeats that are meant, and must stay: in verse, dialogue, tables, code, laws.

#[path = "support/texts.rs"]
mod texts;

use texts::{prose, stays};

#[test]
fn a_chorus_between_verses() {
    let chorus = "\
        Oh roll the boat, and roll her home\n\
        The wind is up, the sky is grey\n\
        And we have far to go alone\n\
        So roll her home before the day\n\
        Roll her, boys\n\
        Roll her slow\n\
        There's a light on the quay below\n\
        And a hand to take the line we throw\n";
    stays(format!(
        "The net was torn, the hold was bare\nThe skipper swore, the mate was ill\n\n{chorus}\n\
         The harbour lamp was burning there\nUpon the quay below the hill\n\n{chorus}\n\
         We sold the boat the year I wed\nAnd never went to sea again\n\n{chorus}"
    ));
}

#[test]
fn a_word_in_a_dialogue() {
    stays("“Were you there?”\n“Yes.”\n“All night?”\n“Yes.”\n“Alone?”\n“Yes.”\n“Yes.”\n");
}

#[test]
fn separators_between_parts() {
    stays("It began at sea.\n\n* * *\n\nIt went on ashore.\n\n* * *\n\nIt never ended.\n\n* * *\n\nBut for us.\n");
}

#[test]
fn rows_of_a_table() {
    let row = "| the ferry to the outer islands | weekdays at seven and at noon | adults ten, pupils none |\n";
    let other = "| the ferry to the inner islands | weekdays at eight and at two | adults nine, pupils none |\n";
    let table = format!("| from Sandvik | when | fares |\n|---|---|---|\n{}", [row, other].concat());
    stays(format!("Winter\n\n{table}\nSummer\n\n{table}\nOn Sundays\n\n{table}\nOn feast days\n\n{table}"));
    let sheet = "\
        Sandvik\t07:00\t12:00\tdaily but for Sundays and the feast days of the county\n\
        Utvaer\t08:00\t14:00\tweekdays only, and not in the week before Christmas at all\n\
        Svenoy\t09:00\t16:00\twhen called for by telephone on the evening of the day before\n";
    stays(format!("Winter\n{sheet}Summer\n{sheet}"));
}

#[test]
fn closing_brackets_of_code() {
    stays("fn a() {\n    if b {\n        c();\n    }\n}\n\nfn d() {\n    if e {\n        f();\n    }\n}\n");
}

#[test]
fn an_import_in_two_code_blocks() {
    let import = "```python\nimport harbour\nfrom ferry import Boat, Crew, Quay, Timetable\nboat = Boat('Terna')\n```\n";
    stays(format!("To sail:\n\n{import}\nTo moor:\n\n{import}\nTo sink:\n\n{import}"));
    let long = format!("```python\n{}\n```\n", prose("ships", 700));
    stays(format!("To sail:\n\n{long}\nTo moor:\n\n{long}"));
}

#[test]
fn headings() {
    let section = |island: &str| {
        format!(
            "## {island}\n\n### Getting there\n\n{}\n\n### Where to eat\n\n{}\n\n",
            prose(island, 150),
            prose(&format!("{island} inn"), 150)
        )
    };
    stays(section("Utvaer") + &section("Svenoy") + &section("Hitra"));
}

#[test]
fn clauses_of_a_law_that_differ_in_one_digit() {
    let clause = |number: u32| {
        format!(
            "{number}. A vessel that leaves the harbour under section {number} without leave of the harbour master shall be \
             fined; a vessel that has left it twice shall be fined twice, and a vessel that has left it three times shall be \
             laid up at the owner's cost until the harbour master is satisfied that it will not leave again.\n"
        )
    };
    stays((1..=9).map(clause).collect::<String>());
}

#[test]
fn two_articles_that_share_a_paragraph() {
    let article =
        |topic: &str| [topic, &format!("old {topic}"), &format!("new {topic}")].map(|topic| prose(topic, 400)).join("\n\n");
    let about_us = prose("our paper", 250);
    stays(format!("{}\n\n{about_us}\n\n{}\n\n{about_us}\n", article("ships"), article("trout")));
}

#[test]
fn texts_of_nothing_or_of_one_line() {
    for text in ["", "\n", "\n\n\r\n \n\t\n\n", "\u{a0}\n\u{a0}\n", "\u{feff}", "One line", "One line\n", "Yes.\nYes.\nYes.\n"] {
        stays(text);
    }
    stays(prose("ships", 5000));
}
