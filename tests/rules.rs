//! What is cut and what is left of it: the rules within a document, each by a text and its whole clean copy.

#[path = "support/texts.rs"]
mod texts;

use texts::{ARTICLE, DEFAULT, article, gives, gives_by, prose, stays, wrapped};
use unecho::{Keep, Match, Settings, Threshold};

// A body that stands twice, however its second copy is set.

#[test]
fn the_second_copy_of_a_body_goes() {
    let (first, _) = article();
    gives(ARTICLE, first.join("\n"));
}

#[test]
fn so_it_does_with_dos_line_ends() {
    let (first, _) = article();
    gives(ARTICLE.replace('\n', "\r\n"), first.join("\r\n"));
}

#[test]
fn so_it_does_with_blank_lines_between_paragraphs() {
    let (first, _) = article();
    gives(ARTICLE.replace('\n', "\n\n"), first.join("\n\n"));
}

#[test]
fn so_it_does_hard_wrapped() {
    let (first, again) = article();
    let wrap = |paragraphs: &[&str], columns| {
        let wrapped: Vec<String> = paragraphs.iter().map(|paragraph| wrapped(paragraph, columns)).collect();
        wrapped.join("\n\n")
    };
    let first = wrap(&first, 72);
    gives(format!("{first}\n\n{}", wrap(&again, 72)), &first);
    gives(format!("{first}\n\n{}", wrap(&again, 60)), &first);
    gives(format!("{first}\n\n{}", again.join("\n\n")), &first);
}

#[test]
fn so_it_does_after_a_byte_order_mark() {
    let (first, _) = article();
    gives(format!("\u{feff}{ARTICLE}"), format!("\u{feff}{}", first.join("\n")));
    let body = first[1..].join("\n");
    gives(format!("\u{feff}{body}\n{body}"), format!("\u{feff}{body}"));
}

#[test]
fn so_it_does_if_its_accents_are_characters_of_their_own() {
    let (first, again) = article();
    let first = first.join("\n").replace("Halvorsen", "Halvörsén");
    let again = again.join("\n").replace("Halvorsen", "Halvo\u{308}rse\u{301}n");
    gives(format!("{first}\n{again}"), first);
}

#[test]
fn so_it_does_if_its_spaces_are_doubled_or_never_break() {
    let (first, again) = article();
    let (first, again) = (first.join("\n"), again.join("\n"));
    gives(format!("{first}\n{}", again.replace(' ', "  ")), &first);
    gives(format!("{first}\n{}", again.replace(' ', "\u{a0}")), &first);
    gives(format!("{first}\n  {}\t", again.replace("the ", "\u{200b}the\u{2009} ")), &first);
}

#[test]
fn so_does_a_third_copy() {
    let (first, again) = article();
    let (first, again) = (first.join("\n"), again.join("\n"));
    gives(format!("{first}\n{again}\n{again}\n"), format!("{first}\n"));
}

#[test]
fn so_do_five_paragraphs_of_it() {
    let (first, _) = article();
    let (some, first) = (first[4..9].join("\n"), first.join("\n"));
    gives(format!("{first}\nThanks to all who wrote.\n{some}\n"), format!("{first}\nThanks to all who wrote.\n"));
}

#[test]
fn of_a_copy_in_another_order_only_paragraphs_of_200_columns_go() {
    let (ships, ducks) = (prose("ships", 300), prose("ducks", 200));
    let (crews, geese) = (prose("crews", 199), prose("geese", 100));
    gives(
        format!("{ships}\n{crews}\n{ducks}\n{geese}\n{ducks}\n{crews}\n{ships}\n{geese}\n"),
        format!("{ships}\n{crews}\n{ducks}\n{geese}\n{crews}\n{geese}\n"),
    );
}

// How long a repeat must be.

#[test]
fn a_paragraph_of_250_columns_goes_where_repeats_are_a_fifth_of_the_text() {
    let (shared, ships, crews) = (prose("trout", 250), prose("ships", 350), prose("crews", 400));
    gives(format!("{ships}\n{shared}\n{crews}\n{shared}\n"), format!("{ships}\n{shared}\n{crews}\n"));
}

#[test]
fn a_paragraph_of_250_columns_stays_where_repeats_are_less_than_a_fifth() {
    let (shared, ships, crews) = (prose("trout", 250), prose("ships", 350), prose("crews", 401));
    stays(format!("{ships}\n{shared}\n{crews}\n{shared}\n"));
}

#[test]
fn a_paragraph_of_700_columns_goes_anywhere() {
    let shared = prose("trout", 700);
    let [ships, crews] = [prose("ships", 2000), prose("crews", 2000)];
    gives(format!("{ships}\n{shared}\n{crews}\n{shared}\n"), format!("{ships}\n{shared}\n{crews}\n"));
}

#[test]
fn a_run_counts_each_of_its_paragraphs_once() {
    let line = format!("{}\n\n", prose("trout", 90));
    stays(line.repeat(4));
}

#[test]
fn columns_are_what_a_reader_sees() {
    let (ships, crews) = (prose("ships", 1500), prose("crews", 1500));
    let cyrillic = format!("{}\n", "Старые лодки ".repeat(45)); // 585 columns, over a thousand bytes
    stays(format!("{ships}\n{cyrillic}{crews}\n{cyrillic}"));
    let chinese = format!("{}。\n", "一二三四五六七八九十".repeat(30)); // 301 characters, twice as many columns
    gives(format!("{ships}\n{chinese}{crews}\n{chinese}"), format!("{ships}\n{chinese}{crews}\n"));
}

#[test]
fn min_chars_is_one_threshold_for_all() {
    let (shared, ships, crews) = (prose("trout", 80), prose("ships", 600), prose("crews", 600));
    let text = format!("{ships}\n{shared}\n{crews}\n{shared}\n");
    let flat = |columns| Settings { threshold: Threshold::Flat(columns), ..DEFAULT };
    gives_by(&flat(80), &text, format!("{ships}\n{shared}\n{crews}\n"));
    gives_by(&flat(81), &text, &text);
    gives_by(&flat(2000), ARTICLE, ARTICLE);
}

// Which copy stays, and what counts as one.

#[test]
fn keep_last_keeps_the_last_copy_as_it_is_set() {
    let (first, again) = article();
    let again = again.join("\n").replace(' ', "\u{a0}");
    let last = Settings { keep: Keep::Last, ..DEFAULT };
    gives_by(&last, format!("{}\n{again}", first.join("\n")), format!("{}\n{again}", first[0]));
}

#[test]
fn loose_passes_over_case_and_punctuation_but_never_over_digits() {
    let said = prose("ships", 700);
    let shouted = said.to_uppercase().replace('.', "!").replace("SHIPS", "“SHIPS”");
    let text = format!("{said}\nThen.\n{shouted}\n");
    stays(&text);
    let loose = Settings { matching: Match::Loose, ..DEFAULT };
    gives_by(&loose, text, format!("{said}\nThen.\n"));
    let (in_2023, in_2024) = (prose("harbour 2023", 280), prose("harbour 2024", 280));
    gives_by(&loose, format!("{in_2023}\n{in_2024}\n"), format!("{in_2023}\n{in_2024}\n"));
}

#[test]
fn bytes_must_be_the_same_to_the_last() {
    let said = prose("ships", 700);
    let bytes = Settings { matching: Match::Bytes, ..DEFAULT };
    gives_by(&bytes, format!("{said}\nThen.\n{said}\n"), format!("{said}\nThen.\n"));
    for almost in [said.replace(' ', "\u{a0}"), format!(" {said}"), format!("{said} ")] {
        gives_by(&bytes, format!("{said}\nThen.\n{almost}\n"), format!("{said}\nThen.\n{almost}\n"));
    }
}

// What is left where a repeat was.

#[test]
fn of_the_two_separators_the_one_with_more_line_ends_stays() {
    let p = prose("trout", 700);
    gives(format!("{p}\n\nThen.\n\n{p}\n\n\nEnd.\n"), format!("{p}\n\nThen.\n\n\nEnd.\n"));
    gives(format!("{p}\n\nThen.\n\n\n{p}\n\nEnd.\n"), format!("{p}\n\nThen.\n\n\nEnd.\n"));
    gives(format!("{p}\nThen.\n{p}\n\nEnd.\n"), format!("{p}\nThen.\n\nEnd.\n"));
}

#[test]
fn of_two_equal_separators_the_first_stays() {
    let p = prose("trout", 700);
    gives(format!("{p}\nThen.\r\n{p}\nEnd.\n"), format!("{p}\nThen.\r\nEnd.\n"));
}

#[test]
fn what_follows_the_last_paragraph_stays() {
    let p = prose("trout", 700);
    gives(format!("{p}\nThen.\n\n\n{p}\n"), format!("{p}\nThen.\n"));
    gives(format!("{p}\nThen.\n{p}\n\n\n"), format!("{p}\nThen.\n\n\n"));
    gives(format!("{p}\nThen.\n\n{p}"), format!("{p}\nThen."));
}

#[test]
fn what_precedes_the_first_paragraph_stays() {
    let p = prose("trout", 700);
    let last = Settings { keep: Keep::Last, ..DEFAULT };
    gives_by(&last, format!("\n\n{p}\nThen.\n\n{p}\n"), format!("\n\nThen.\n\n{p}\n"));
}

#[test]
fn a_short_last_line_goes_with_its_block() {
    let p = prose("trout", 700);
    gives(
        format!("A lede.\n\n{p}\n\n(With inputs from agencies)\n\n{p}\n\n(With inputs from agencies)\n"),
        format!("A lede.\n\n{p}\n\n(With inputs from agencies)\n"),
    );
}

#[test]
fn a_table_and_a_fence_go_inside_a_larger_block() {
    let body = format!(
        "{}\n| year | trout |\n|---|---|\n| 2023 | 41 |\n```\ncatch(\"trout\")\n```\nSo much for trout.\n",
        prose("trout", 700)
    );
    gives(format!("A lede.\n{body}And then.\n{body}"), format!("A lede.\n{body}And then.\n"));
}

#[test]
fn a_run_ends_where_a_sentence_does() {
    let p = prose("trout", 700);
    // The second copy's last line runs on into what is not repeated.
    gives(
        format!("{p}\nThe rest is silent\n\nThen.\n{p}\nThe rest is silent\nbut for the trout.\n"),
        format!("{p}\nThe rest is silent\n\nThen.\nThe rest is silent\nbut for the trout.\n"),
    );
}

#[test]
fn what_becomes_a_repeat_once_others_are_gone_goes_too() {
    let (ships, crews, trout) = (prose("ships", 150), prose("crews", 150), prose("trout", 700));
    gives(
        format!("{trout}\n{ships}\n{crews}\nThen.\n{ships}\n{trout}\n{crews}\nEnd.\n"),
        format!("{trout}\n{ships}\n{crews}\nThen.\nEnd.\n"),
    );
}

// Bytes that no rule speaks of come out as they went in.

#[test]
fn mixed_line_ends_stay_mixed() {
    let (first, again) = article();
    let mixed = |paragraphs: &[&str]| -> String {
        let ends = ["\n", "\r\n", "\n\n", "\r\n\r\n"].iter().cycle();
        paragraphs.iter().zip(ends).map(|(paragraph, end)| format!("{paragraph}{end}")).collect()
    };
    gives(mixed(&first) + &again.join("\n"), mixed(&first).trim_end());
}

#[test]
fn bytes_that_are_not_text_stay() {
    let p = prose("trout", 700).into_bytes();
    let odd = [b"\0 caf\xe9 \xff", &p[..], b"\xc3"].concat();
    gives([&odd[..], b"\nThen\xfe\0.\n", &odd[..], b"\n\0"].concat(), [&odd[..], b"\nThen\xfe\0.\n\0"].concat());
    let other = [b"\0 caf\xe8 \xff", &p[..], b"\xc3"].concat();
    stays([&odd[..], b"\n", &other[..], b"\n"].concat());
}

#[test]
fn a_lone_carriage_return_is_text() {
    let (ships, crews, p) = (prose("ships", 110), prose("crews", 110), prose("trout", 700));
    stays(format!("{ships}\r{crews}\n{ships}\n{crews}\n"));
    gives(format!("{p}\rSo.\nThen.\n{p} So.\n"), format!("{p}\rSo.\nThen.\n"));
}

#[test]
fn a_list_of_words_that_stands_twice_is_cut_where_its_copies_meet() {
    let words: Vec<String> = (0..60).map(|at| format!("word number {at} of the list")).collect();
    let once = words.join("\n") + "\n";
    gives(once.repeat(2), &once);
    gives_by(&Settings { keep: Keep::Last, ..DEFAULT }, once.repeat(2), &once);
}

#[test]
fn sentences_of_one_length_each_on_its_line_are_no_wrapped_paragraph() {
    let once: String = (10..40).map(|at| format!("This is sentence number {at} and it always has the same length.\n")).collect();
    gives(once.repeat(2), &once);
}
