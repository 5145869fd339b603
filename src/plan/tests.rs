//! Markup in which a double was planted, mended, in files and in feeds.

use crate::detect::earlier::InDocument;
use crate::document::Span;
use crate::fingerprint::Hash;
use crate::page::Read;
use crate::sheaf::{Sheaf, Taking};
use crate::source::{Fields, Form};
use crate::{Plan, Settings};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The clean copy of a file of one document.
fn cleaned(file: &str, form: Form) -> String {
    let settings = Settings::default();
    let taking = Taking {
        manner: settings.manner(Hash::Fast),
        are_compared: false,
        has_places: false,
        is_checked: false,
        tidy: settings.tidy,
    };
    let mut sheaf = Sheaf::default();
    sheaf.read(file.as_bytes(), None, form, &Fields::default(), taking, true).unwrap();
    let plan = |taken| {
        let page = sheaf.page(taken, file.as_bytes());
        let repeats = Read::repeats(page.text, page.segments, sheaf.prints(taken), settings.matching);
        let ground = || sheaf.ground(taken, file.as_bytes());
        Plan::of(&page, InDocument::alone(repeats), &settings, ground, None)
    };
    let cuts: Vec<Span> = sheaf.documents.iter().flat_map(|taken| plan(taken).cuts).map(|cut| cut.at).collect();
    assert!(cuts.is_sorted_by(|a, b| a.end <= b.start));
    let mut left = file.to_owned();
    cuts.into_iter().rev().for_each(|cut| left.replace_range(cut.range(), ""));
    left
}

fn html(file: &str) -> String {
    cleaned(file, Form::Html)
}

/// Whether each tag that begins an element has one that ends it, in its turn.
fn is_balanced(html: &str) -> bool {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = &tag[..tag.find('>').expect("tags are whole")];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match (tag.starts_with('/'), ["br", "img", "hr", "!--"].contains(&name)) {
            (_, true) => {}
            (false, false) => open.push(name),
            (true, false) if open.pop() == Some(name) => {}
            (true, false) => return false,
        }
    }
    open.is_empty()
}

/// The words that markup shows.
fn words(html: &str) -> Vec<String> {
    let (mut text, mut is_tag) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
        if c == '>' {
            text.push(' ');
        }
    }
    let text =
        text.replace("&eacute;", "é").replace("&#233;", "é").replace("&lt;", "<").replace("&nbsp;", " ").replace("&amp;", "&");
    text.split_whitespace().map(str::to_owned).collect()
}

/// A sentence that no other number has, with characters that markup writes otherwise.
fn sentence(number: usize, way: usize) -> String {
    let accent = ["é", "&eacute;", "&#233;"][way % 3];
    let word = ["harbour", "council", "minutes", "ferry", "lights", "watchman", "order", "laugh"][number % 8];
    let bold = if way.is_multiple_of(2) { ("", "") } else { ("<b class=\"a\">", "</b>") };
    format!(
        "The {}{word}{} of number {number} was qui{accent}t that morning &amp; nobody had seen {word} {} leave before {number} o'clock, it is said.",
        bold.0,
        bold.1,
        number * 7
    )
}

/// Paragraphs in markup, each in a way of its own.
fn markup(paragraphs: &[(usize, usize)]) -> String {
    let mut out = String::new();
    let mut rest = paragraphs;
    while let Some((&(number, way), after)) = rest.split_first() {
        let one = |at: usize| sentence(rest[at].0, rest[at].1);
        let text = sentence(number, way);
        let mut taken = 1;
        out += &match way % 9 {
            0 => format!("<p>{text}</p>\n"),
            1 => format!("<div><p>{text}</p></div>"),
            2 => format!("{text}<br />\n"),
            3 => format!("<blockquote class='q'>\n<p><i>{text}</i></p>\n</blockquote>\n"),
            4 if rest.len() > 1 => {
                taken = 2;
                format!("<ul><li>{text}</li><li><p>{}</p></li></ul>", one(1))
            }
            5 if rest.len() > 1 => {
                taken = 2;
                format!("<div>{text}<br><br>{}</div>", one(1))
            }
            6 => format!("<!-- wp:paragraph -->\n<p>{text}</p>\n<!-- /wp:paragraph -->\n"),
            7 => format!("<section><div><p>{text}</p></div></section><hr>"),
            _ => format!("<p>{text}</p><img src=\"p.png\" alt=\"\">"),
        };
        rest = &after[taken - 1..];
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn a_double_in_any_markup_is_taken_out_and_nothing_else(
        ways in vec(0usize..18, 4..10), again in vec(0usize..18, 10), lede in 0usize..3, tail in 0usize..3, other in any::<bool>()
    ) {
        // The same markup again, or other markup around the same text; but the same images.
        let no_image = |way: usize| if other && way % 9 == 8 { way - 8 } else { way };
        let body: Vec<(usize, usize)> = ways.iter().enumerate().map(|(number, &way)| (number + 10, no_image(way))).collect();
        let way = |(at, &(number, way)): (usize, &(usize, usize))| (number, if other { no_image(again[at]) } else { way });
        let double: Vec<(usize, usize)> = body.iter().enumerate().map(way).collect();
        let before: Vec<(usize, usize)> = (0..lede).map(|number| (number, number * 2)).collect();
        let after: Vec<(usize, usize)> = (0..tail).map(|number| (number + 100, number * 2)).collect();
        let (before, body, double, after) = (markup(&before), markup(&body), markup(&double), markup(&after));
        let page = format!("<div>{before}{body}</div><div>{double}</div><div>{after}</div>");
        let is_as_wanted = |mended: &str| {
            prop_assert!(is_balanced(mended), "{}\n{}", page, mended);
            prop_assert_eq!(words(mended), words(&format!("{before}{body}{after}")), "{}\n{}", page, mended);
            Ok(())
        };
        prop_assert!(is_balanced(&page));
        let mended = html(&page);
        is_as_wanted(&mended)?;
        prop_assert_eq!(&html(&mended), &mended);

        // And so where it is written in something else.
        let around = |body: &str| format!("<rss version=\"2.0\"><channel><item><description>{body}</description></item></channel></rss>");
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        prop_assert_eq!(cleaned(&around(&escaped(&page)), Form::Feed), around(&escaped(&mended)));
        let cdata = |text: &str| format!("<![CDATA[{text}]]>");
        prop_assert_eq!(cleaned(&around(&cdata(&page)), Form::Feed), around(&cdata(&mended)));
        let json = |text: &str| format!("{{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [{{\"content_html\": {}}}]}}", serde_json::to_string(text).unwrap());
        prop_assert_eq!(cleaned(&json(&page), Form::Feed), json(&mended));
    }

    #[test]
    fn any_bytes_are_markup(pieces in vec(select(vec![
        "<p>", "</p>", "<b>", "</b>", "<div>", "</div>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "</table>", "<br>", "<img src=a>", "<script>",
        "</script>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&lt", "&", "<", ">", "\"", "A sentence of some words that is long enough to be one of them, twice. ",
        "Another one, which is as long as the first and says something else, at length and for good. ", " ", "\n", "é", "<pre>", "</pre>", "<svg>", "</svg>", "<head>", "<title>", "</title>", "</head>", "<a href='x>y'>", "</a>", "<my-card>", "</my-card>", "<amp-img src=a>", "</amp-img>", "<h1>", "</h1>", "<video>", "</video>", "<hr>", "</tr>", "</td>", "</li>", "<body>", "</body>", "<form>", "</form>", "<input>", "<select>", "<option>", "</select>",
    ]), 0..60)) {
        let page = pieces.concat();
        let page = format!("{page}{page}");
        let mended = html(&page);
        prop_assert!(mended.len() <= page.len());
        prop_assert_eq!(html(&mended), mended);
    }
}

#[test]
fn what_takes_the_place_of_a_tag_keeps_lines_apart() {
    let long = |word: &str| {
        format!("{word} {}", "and so on, at length, as it was said before by one of those who were there. ".repeat(4))
            .trim_end()
            .to_string()
    };
    let (a, b) = (long("A"), long("B"));
    let page = format!("{a}<p>{b}</p>first<p>{a}</p>last");
    assert_eq!(html(&page), format!("{a}<p>{b}</p>first<p></p>last"));
    let page = format!("{a}<br>{b}<br>first<br>{a}<br>{b}");
    assert_eq!(html(&page), format!("{a}<br>{b}<br>first"));
}

#[test]
fn cells_and_rows_stay_where_a_table_needs_them() {
    let long = |word: &str| {
        format!("{word} {}", "and so on, at length, as it was said before by one of those who were there. ".repeat(4))
            .trim_end()
            .to_string()
    };
    let page = format!("<p>{0}</p><table><tr><td><p>{0}</p></td><td>other</td></tr></table>", long("A"));
    assert_eq!(html(&page), format!("<p>{}</p><table><tr><td></td><td>other</td></tr></table>", long("A")));
}

#[test]
fn tags_that_cross_are_never_parted() {
    let long = |word: &str| {
        format!("{word} {}", "and so on, at length, as it was said before by one of those who were there. ".repeat(4))
            .trim_end()
            .to_string()
    };
    let (a, b) = (long("A"), long("B"));
    // The second paragraph ends what the first one of them began.
    let page = format!("<p>{b}</p><p><b>{a}</p><p>{b}</b></p><p>last</p>");
    assert_eq!(html(&page), format!("<p>{b}</p><p><b>{a}</p><p></b></p><p>last</p>"));
    // Both together go.
    let page = format!("<p><b>{a}</p><p>{b}</b></p><p>first</p><p><b>{a}</p><p>{b}</b></p><p>last</p>");
    assert_eq!(html(&page), format!("<p><b>{a}</p><p>{b}</b></p><p>first</p><p>last</p>"));
}

#[test]
fn a_break_between_two_that_go_apart_is_cut_once() {
    let text = "A sentence of some words that is long enough to be one of them, twice. ";
    let page = format!("<head>{text}<img src=a></title>{text}</head>]]><br><ul><p><div>{text}").repeat(2);
    let mended = html(&page);
    assert!(mended.len() < page.len(), "{mended}");
    assert_eq!(html(&mended), mended);
}

#[test]
fn what_stands_beside_a_tag_that_crosses_goes_at_once() {
    let text = "A sentence of some words that is long enough to be one of them, twice. ";
    for crossing in [
        "<p>--></head></table></ul>-->{}<img src=a>{}{}<head>",
        "<tr>{}</div>{}{}<img src=a>{}<div>",
        "<p><table>{}</p>{}<b>{}</b><a>",
    ] {
        let page = crossing.replace("{}", text).repeat(2);
        let mended = html(&page);
        assert!(mended.len() < page.len(), "{mended}");
        assert_eq!(html(&mended), mended);
    }
}

#[test]
fn a_page_of_ten_thousand_open_elements_takes_no_longer_than_others() {
    let page = "<b><div><i>".repeat(10_000) + "text" + &"</b>".repeat(10_000);
    assert_eq!(html(&page), page);
}
