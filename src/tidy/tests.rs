use super::{Repair, Tidied, Tidy, tidy};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::borrow::Cow;

fn only(repair: Repair, text: &str) -> String {
    tidy(text, &Tidy::from_iter([repair])).text.into_owned()
}

/// Each text and what a repair makes of it.
fn assert_all(repair: Repair, cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(only(repair, text), *wanted, "{} of {text:?}", repair.name());
    }
}

/// Texts that a repair leaves alone.
fn assert_stay(repair: Repair, texts: &[&str]) {
    texts.iter().for_each(|text| assert_eq!(only(repair, text), *text, "{}", repair.name()));
}

/// A line on which repairs go on and on.
fn unstable() -> String {
    format!("x &a{}&#173;{}mp;", "&#1".repeat(60), "73;".repeat(60))
}

#[test]
fn a_line_that_is_never_stable_stays_alone() {
    let line = unstable();
    let text = format!("One  \n{line}  \nTwo  \n");
    let tidied = tidy(&text, &Tidy::SAFE);
    assert_eq!(tidied.text, format!("One\n{line}  \nTwo\n"));
    assert_eq!(tidy(&tidied.text, &Tidy::SAFE).text, tidied.text);
    let places: Vec<&str> = tidied.changes.iter().map(|change| &text[change.at.range()]).collect();
    assert_eq!(places, ["  ", "  "]);
}

#[test]
fn lines_are_told_however_they_end() {
    let lines = ["It was Ã la carte", "cafÃ© Ã©tÃ© lÃ\u{a0} two", "<b>a</b> &amp; b", "c &amp; d"];
    let apart: Vec<String> = lines.iter().map(|line| tidy(line, &Tidy::SAFE).text.into_owned()).collect();
    for end in ["\n", "\r", "\x0b", "\x0c", "\u{2028}"] {
        assert_eq!(tidy(&lines.join(end), &Tidy::SAFE).text, apart.join("\n"), "{end:?}");
    }
}

#[test]
fn entities_become_characters() {
    assert_all(
        Repair::Entities,
        &[
            ("Fish &amp; chips &ndash; &#163;5 &#x2014; &eacute;t&eacute;", "Fish & chips – £5 — été"),
            ("AT&amp;amp;T, &amp;#39;so&amp;#39;, &#38;lt;", "AT&T, 'so', <"),
            ("a&nbsp;b &#146;s", "a\u{a0}b ’s"),
            ("&lt;p&gt; &amp;\nx", "<p> &\nx"),
        ],
    );
    assert_stay(
        Repair::Entities,
        &[
            "AT&T; R&D;",
            "?a=1&copy=2&reg=3 &nbsp &amp",
            "&#0; &#xD800; &#x110000; &#99999999;",
            "<b>Tom &amp; Jerry</b>",
            "&; &#; &#x; &unheard;",
            "a <br /> &amp; b",
            "&#xFDD0; &#1; &#xFFFE;",
            "write & as &amp;",
            "it is rewritten as &amp;. Not all (as &amp;) are",
            "it is `&amp;` in HTML",
            "exists &sub; p = &pi;",
        ],
    );
}

#[test]
fn lines_end_with_line_feeds() {
    assert_all(
        Repair::Newlines,
        &[
            ("a\r\nb\rc\n", "a\nb\nc\n"),
            ("a\r\r\nb\r\n\r\n", "a\n\nb\n\n"),
            ("a\u{85}b\u{2028}c\u{2029}d\x0be", "a\nb\nc\n\nd\ne"),
            ("page one\n\x0cpage two\x0cpage three\n\x0c", "page one\npage two\npage three\n"),
        ],
    );
    assert_stay(Repair::Newlines, &["", "\n", "a\tb\n\n\n", "Å„ ’"]);
}

#[test]
fn control_characters_go() {
    assert_all(
        Repair::Control,
        &[
            ("a\0b\x07c\x7fd\u{81}e", "abcde"),
            ("\x1b[1;31mred\x1b[0m \x1b]8;;https://example.org\x1b\\link\x1b]8;;\x07.\x1b", "red link."),
            ("b\x08bo\x08ol\x08ld _\x08u\x08", "bold u"),
            ("abc\x08\x08\x08ABC 10%\x08\x08\x0820%", "ABC 20%"),
            ("\u{feff}one\u{feff} two", "one two"),
            // What chooses characters, in another line.
            ("\x1b(Ba\n\x1b$B%F%9\x1b(B\n\x1b(Bb", "a\n\x1b$B%F%9\x1b(B\nb"),
            ("a \u{202e}b\u{202c} \u{202b}c\u{202c} \u{202d}d\ne\u{202c}", "a b \u{202b}c\u{202c} d\ne\u{202c}"),
        ],
    );
    assert_stay(Repair::Control, &["\ta\r\n\x0cb", "שלום \u{200f}a\u{2067}b\u{2069}", "a\u{85}b"]);
}

#[test]
fn what_shows_nothing_goes_where_nothing_needs_it() {
    assert_all(
        Repair::Invisible,
        &[
            ("plain\u{e0041}\u{e0042}\u{e007f} text", "plain text"),
            ("zero\u{200b}width, hy\u{ad}phen, w\u{2060}j", "zerowidth, hyphen, wj"),
            ("\u{200b}Россия\u{200d} 日\u{200b}本", "Россия 日本"),
            ("a\u{200b}\u{200d}\u{ad}b", "ab"),
            ("Auf\u{200c}lage", "Auflage"),
        ],
    );
    assert_stay(
        Repair::Invisible,
        &[
            "می\u{200c}خواهم",                    // Persian
            "क\u{94d}\u{200d}ष ക\u{d4d}\u{200c}", // Hindi, Malayalam
            "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}\u{200d}🔥 🏳\u{fe0f}\u{200d}🌈 👩🏽\u{200d}⚕\u{fe0f}",
            "ភាសា\u{200b}ខ្មែរ ไทย\u{200b}คำ", // Khmer, Thai
            "exam\u{ad}\nple",
            "AD\t\u{ad}\tSOFT HYPHEN",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}", // Scotland
        ],
    );
}

#[test]
fn characters_are_composed() {
    assert_all(
        Repair::Unicode,
        &[
            ("cafe\u{301} e\u{301}te\u{301}", "café été"),
            ("Vie\u{323}\u{302}t", "Việt"),
            ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "한글"),
            ("a\u{327}\u{301}", "á\u{327}"),
            ("\u{2126}", "\u{3a9}"),
        ],
    );
    assert_stay(Repair::Unicode, &["ﬁ ½ ① Ａ", "café", "q\u{301}"]);
    assert_all(Repair::Nfkc, &[("ﬁ ½ ① Ａ e\u{301}", "fi 1⁄2 1 A é")]);
}

#[test]
fn white_space_is_plain() {
    assert_all(
        Repair::Whitespace,
        &[
            ("a  \nb\t\r\nc \u{3000}", "a\nb\r\nc"),
            ("  a\u{a0}b\u{2009}c  d\u{202f}!", "  a b c  d !"),
            ("\t\n \u{a0}\n", "\n\n"),
        ],
    );
    assert_stay(Repair::Whitespace, &["\u{3000}日本\u{3000}語", "\tx  y", "ᠮᠣᠩᠭᠣᠯ\u{202f}ᠤᠨ", "᚛ᚑ\u{1680}ᚋ᚜", "", "\n\n"]);
}

#[test]
fn blank_lines_are_single() {
    assert_all(
        Repair::BlankLines,
        &[
            ("a\n\n\n\nb\n", "a\n\nb\n"),
            ("\n\n\na\n\n\n", "\na\n\n"),
            ("a\n \n\t\n\u{a0}\nb", "a\n \nb"),
            ("a\r\n\r\n\r\nb", "a\r\n\r\nb"),
        ],
    );
    assert_stay(Repair::BlankLines, &["a\n\nb\n\nc", "\n", "a\n    b\n"]);
}

#[test]
fn what_one_repair_makes_another_repairs() {
    let tidied = |text: &str| tidy(text, &Tidy::SAFE).text.into_owned();
    assert_eq!(tidied("x&#13;&#10;&nbsp;\r\n&zwj;\n&zwnj;\ny"), "x\n\ny");
    assert_eq!(tidied("&a\u{ad}mp;l\x01t;"), "<");
    assert_eq!(tidied("e&#x301;"), "é");
}

#[test]
fn what_is_never_stable_stays() {
    let text = (0..60).fold("&#8203;".to_owned(), |text, _| format!("&a{text}mp;#8203;"));
    assert_eq!(tidy(&text, &Tidy::SAFE).text, text);
}

#[test]
fn lists_of_repairs_are_read() {
    assert_eq!("newlines, nfkc".parse(), Ok(Tidy::from_iter([Repair::Newlines, Repair::Nfkc])));
    assert_eq!("spaces".parse::<Tidy>().unwrap_err().split_once(';').unwrap().0, "there is no repair `spaces`");
    assert_eq!("safe,nfkc".parse(), Ok(Repair::ALL.into_iter().collect::<Tidy>()));
    assert!(!Tidy::SAFE.has(Repair::Nfkc) && Tidy::SAFE.repairs().count() == Repair::ALL.len() - 1);
}

/// Texts of what the repairs are about.
fn texts() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "Z",
        "word ",
        "é",
        "Ã©",
        "â€™",
        "Ð¿",
        "e\u{301}",
        "\u{301}",
        "&",
        "&amp;",
        "amp;",
        "&lt;",
        "&#10;",
        "#",
        "x41;",
        "<b>",
        "</b>",
        "<",
        "\r",
        "\n",
        "\r\n",
        "\n\n",
        "\x0c",
        "\x0b",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        " ",
        "  ",
        "\t",
        "\u{a0}",
        "\u{3000}",
        "\u{202f}",
        "\u{2003}",
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{ad}",
        "\u{2060}",
        "می",
        "क\u{94d}",
        "ไทย",
        "👩",
        "👧",
        "\u{fe0f}",
        "日本",
        "\u{feff}",
        "\0",
        "\x08",
        "\x1b",
        "[1m",
        "]0;",
        "\x07",
        "\u{9d}",
        "\u{202e}",
        "\u{202a}",
        "\u{202c}",
        "\u{1112}\u{1161}",
        "\u{11ab}",
        "ﬁ",
        "＆",
        "\u{2126}",
        "\u{1680}",
        "ᠮ",
    ];
    vec(select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

/// The characters of a text that a repair never touches, nor puts anywhere.
fn others(repair: Repair, text: &str) -> String {
    let is_mine = |char: char| match repair {
        Repair::Newlines => matches!(char, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}'),
        Repair::Invisible => matches!(char, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'),
        Repair::Whitespace | Repair::BlankLines => char.is_whitespace(),
        Repair::Control => char.is_control() || matches!(char, '\u{feff}' | '\u{202a}'..='\u{202e}') || char.is_ascii_graphic(),
        Repair::Encoding => false,
        Repair::Entities => char.is_ascii() || char == '\u{a0}',
        Repair::Mojibake => true,
        Repair::Unicode | Repair::Nfkc => !char.is_ascii() || char.is_ascii_graphic() || char == ' ',
    };
    text.chars().filter(|char| !is_mine(*char)).collect()
}

fn check(text: &str, repairs: Tidy) -> Result<Tidied<'_>, TestCaseError> {
    let tidied = tidy(text, &repairs);
    prop_assert_eq!(tidied.changes.is_empty(), matches!(tidied.text, Cow::Borrowed(_)));
    prop_assert_eq!(tidied.changes.is_empty(), tidied.text == text, "{:?}", text);
    let again = tidy(&tidied.text, &repairs);
    prop_assert!(again.changes.is_empty(), "{:?} {:?} {:?}", text, tidied.text, again.text);
    for change in &tidied.changes {
        prop_assert!(!change.at.is_empty() && text.get(change.at.range()).is_some(), "{:?} {:?}", text, change);
    }
    Ok(tidied)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn tidying_twice_is_tidying_once(text in texts()) {
        let all: Tidy = Repair::ALL.into_iter().collect();
        check(&text, Tidy::SAFE)?;
        check(&text, all)?;
    }

    #[test]
    fn a_repair_changes_its_own_characters_alone(text in texts()) {
        for repair in Repair::ALL {
            let tidied = check(&text, Tidy::from_iter([repair]))?;
            if repair == Repair::Control && text.contains(['\x08', '\x1b']) {
                continue; // with which others go, too
            }
            prop_assert_eq!(others(repair, &tidied.text), others(repair, &text), "{:?} of {:?}", repair, text);
        }
    }

    /// What isn't changed stands where the map says.
    #[test]
    fn places_lead_back(text in texts()) {
        let tidied = tidy(&text, &Tidy::SAFE);
        let map = tidied.map();
        let mut last = 0;
        for (at, char) in tidied.text.char_indices() {
            let place = map.around(crate::document::Span::new(at, at + char.len_utf8()));
            prop_assert!(place.start >= last && place.end as usize <= text.len(), "{:?} {:?}", text, char);
            last = place.start;
            if !tidied.changes.iter().any(|change| change.at.start < place.end && place.start < change.at.end) {
                prop_assert_eq!(text.get(place.range()), Some(&tidied.text[at..at + char.len_utf8()]));
            }
        }
    }
}
