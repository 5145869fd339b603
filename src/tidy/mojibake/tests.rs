//! What is repaired, what is left alone, and how long it takes.

use super::{Edit, apply, mojibake};
use encoding_rs::{Encoding, ISO_8859_2, MACINTOSH, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1257};
use proptest::prelude::*;

fn repaired(text: &str) -> String {
    apply(text, &mojibake(text))
}

fn misread(text: &str, encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(text.as_bytes()).0.into_owned()
}

#[test]
fn edits_are_local() {
    let edits = mojibake("Das Mädchen trÃ¤gt grüne SchÃ¼he.");
    assert_eq!(edits.len(), 2);
    assert_eq!(edits[0], Edit { at: 15..19, put: "ä".to_string() });
}

#[test]
fn every_encoding_is_undone() {
    let cases = [
        (WINDOWS_1252, "Der Bär aß süße Äpfel – „köstlich“, sagte er."),
        (WINDOWS_1252, "Мы ехали в поезде, 東京から大阪まで, ώρα καλή 😀"),
        (WINDOWS_1251, "Где мой чемодан? Он остался в поезде…"),
        (WINDOWS_1251, "L’été dernier, la forêt brûlait près d’ici."),
        (WINDOWS_1250, "Příliš žluťoučký kůň úpěl ďábelské ódy"),
        (ISO_8859_2, "Ördögi üzenetek érkeztek őszi reggelen"),
        (WINDOWS_1253, "Τα παιδιά παίζουν στην αυλή του σχολείου."),
        (WINDOWS_1257, "Žąsys plaukė į pietus, o čia lieka ėriukai"),
        (MACINTOSH, "Où est passé le garçon ? Il s’était caché…"),
        (MACINTOSH, "Снег шёл всю ночь и весь день"),
    ];
    for (encoding, text) in cases {
        assert_eq!(repaired(&misread(text, encoding)), text, "{}", encoding.name());
    }
    assert_eq!(repaired("D├╝sseldorf liegt am Rhein, K├Âln auch"), "Düsseldorf liegt am Rhein, K├Âln auch");
    assert_eq!(repaired("Fran├ºois mange des cr├¬pes ├á Paris"), "François mange des crêpes à Paris");
}

#[test]
fn several_levels_are_undone() {
    let text = "Zoë’s café — 5 € ☕";
    let mut wrong = text.to_string();
    for level in 1..=8 {
        wrong = misread(&wrong, WINDOWS_1252);
        assert_eq!(repaired(&wrong), text, "{level} levels");
    }
}

#[test]
fn lost_bytes_become_one_replacement_character() {
    assert_eq!(repaired("Er sagte â€œneinâ€\u{FFFD} und ging"), "Er sagte “nein\u{FFFD} und ging");
    assert_eq!(repaired("â€œwow, so cheapâ€? he said"), "“wow, so cheap\u{FFFD} he said");
    assert_eq!(repaired("PoloÅ¾ka Ä\u{FFFD}Ã\u{AD}slo"), "Položka \u{FFFD}íslo");
}

#[test]
fn a_space_may_be_a_lost_no_break_space() {
    assert_eq!(repaired("DÃ©jÃ  vu, lÃ oÃ¹ il fait froid"), "Déjà vu, là où il fait froid");
    assert_eq!(repaired("OperaÃ§Ã£o Ã s cegas"), "Operação às cegas");
    assert_eq!(repaired("Price:Â 20Â€, was 30 â‚¬"), "Price:\u{A0}20€, was 30 €");
}

#[test]
fn surrogates_are_joined() {
    assert_eq!(repaired("ok í\u{A0}½í±\u{8D}"), "ok 👍");
}

#[test]
fn control_characters_of_windows_1252() {
    assert_eq!(repaired("\u{93}Ja\u{94} \u{96} sagte er\u{85}"), "“Ja” – sagte er…");
    assert!(mojibake("\u{81} \u{8D} \u{8F} \u{90} \u{9D}").is_empty());
}

#[test]
fn real_text_stays() {
    let texts = [
        "ANÚNCIO: NÃO HÁ VAGAS. A CANÇÃO ‘IRMÃ’ — SÃO PAULO… CORAÇÃO™ E MAÇÃ®",
        "Ânimo! À l’été… «Là», „Größe“, ‚Äpfel‘, »Ärger«, «Île», LE CAFÉ™, L’ÉTÉ…",
        "ПРОДАМ ГАРАЖ «ВОЛГА», СССР — РІЧ, МІСЯЦЬ, ЇЖАК, Її, армії, ‘ВІН’, ЁЛКА № 5",
        "Þórður á Ísafirði; Ŵyneb a Ŷd; Õhtu ja Öö, ŠŽ; ŁÓDŹ, ŻÓŁW, WRÓŻBA; İSTANBUL, IĞDIR, ŞİŞLİ",
        "ĂN UỐNG, ĐÃ XONG, CÁ KHÔ; Ελλάδα, Ώρα· «Άνοιξη»; ČEŠTINA, ŘÍČANY, ĎÁBEL",
        "3 × 4 ÷ 2 ± 1 ≈ √π, √2·√3, Δx ≤ ∂f/∂x, 20 °C, 5 µm, 10 Å…, €5–£7, ¥100, 50¢, 2², ½ ¼",
        "┌──┬──┐ │é │ ü│ ├──┼──┤ └──┴──┘ ╔══╗ ║ñ ║ ╚══╝ ▓▒░ ░▒▓",
        "Müller, J.: »Über Õ und Ü«, §§ 3–5, S. 12ª, n.º 7, 1ª ed., © 2020 ÉDITIONS®, Nº 3",
        "日本語の文章。「はい」…中文，标点；한국어 텍스트! ไทย עברית العربية",
        "œ∑¡™£¢∞§¶•ªº–≠œ∑´®†¥¨ˆøπ‘åß∂ƒ©˙∆˚¬",
        r"\fBВідповідність\fP і \nПідтримка, ГКуВју",
        "The letters “Ã©” and «Ã¨» are what is left of accents, and so is Ã.",
    ];
    for text in texts {
        assert_eq!(mojibake(text), vec![], "{text}");
    }
}

#[test]
fn capitals_beside_mojibake_stay() {
    for (text, wanted) in [
        ("DISSE “AMANHÃ” E FOI AO CAFÃ‰.", "DISSE “AMANHÃ” E FOI AO CAFÉ."),
        ("A IRMÃ… e o cafÃ© de “AMANHÃ”.", "A IRMÃ… e o café de “AMANHÃ”."),
        ("«MANHÃ» e cafÃ©, ‘IRMÃ’", "«MANHÃ» e café, ‘IRMÃ’"),
        ("KÃ–LN und MÃœNCHEN", "KÖLN und MÜNCHEN"),
        ("He said â€œhelloâ€ and left â€œnowâ€.", "He said “hello” and left “now”."),
        ("Фирма «ТЭР», „МОТОР“, «С» — подпись В«РЎРїР°СЃРёР±РѕВ».", "Фирма «ТЭР», „МОТОР“, «С» — подпись «Спасибо»."),
        ("`Ã©` is cafÃ© `x` Ã©tÃ© `", "`Ã©` is café `x` été `"),
    ] {
        assert_eq!(repaired(text), wanted);
    }
}

#[test]
fn equal_lines_are_repaired_equally() {
    let line = "Ã€ bientÃ´t, chÃ¨re LÃ©a";
    let text = format!("{line}\nÇa va?\n\n{line}\r\n{line}");
    assert_eq!(repaired(&text), text.replace(line, "À bientôt, chère Léa"));
}

#[test]
fn no_text_takes_time_that_grows_with_its_square() {
    let mut deep = "né ☺ да".to_string();
    for _ in 0..8 {
        deep = misread(&deep, WINDOWS_1252);
    }
    let pieces =
        ["Ã", "Â", "ÃÂ", "Ãƒ", "Ã ", "Â ", "â€", "Ã©", "Ã©Ã?", "ðŸ", "Р", "├", "í\u{A0}½", "\u{85}", "Ð Ñ", "Ã\u{FFFD}", &deep];
    let mut texts: Vec<String> = pieces.iter().map(|piece| piece.repeat(300_000 / piece.len())).collect();
    texts.push(format!("Ã{}", "ƒ".repeat(150_000)));
    texts.push(format!("Ã©{}", "Ã?".repeat(100_000)));
    texts.push(format!("Ã©{}", "\u{A0}".repeat(150_000)));
    for text in texts {
        assert!(repaired(&text).len() <= text.len(), "{:?}", text.chars().take(8).collect::<String>());
    }
}

/// Characters that begin, continue or surround UTF-8 seen through some encoding.
const SUSPICIOUS: &str = "ÃÂâãåæçéèêëìíîïðÐÑÄÅÆŸŽžœŠš€™“”‘’„‚…–—†‡‰‹›•ƒˆ˜¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ×ØŘĂĹŁşţРСВГДЂЃѓљњќћџЎўЈҐІіїєЁё№ΓΒΞΟ√≈∆≤≥∂∑∏π∫Ωø◊ÿ⁄ﬁﬂŒ├┤┬┐╨╤░▒▓ΘΦ\
    \u{80}\u{81}\u{85}\u{8D}\u{8F}\u{90}\u{9D}\u{92}\u{93}\u{A0}\u{AD}\u{FFFD}??    abÉàsSnqel'\"\n\n.";

fn piece() -> impl Strategy<Value = String> {
    let suspicious: Vec<char> = SUSPICIOUS.chars().collect();
    let one = prop::sample::select(suspicious).prop_map(String::from);
    let words: &'static [&str] =
        &["né", "Ã ", "Ã quele ", "â€™", "ðŸ˜€", "\u{ED}\u{A0}\u{BD}\u{ED}\u{B8}\u{80}", "ãƒæ", "Ã¥", "РџСЂРё", "Â\u{81}"];
    let word = prop::sample::select(words).prop_map(String::from);
    let wrong = ("\\PC{1,3}", 0..3usize, 1..3usize).prop_map(|(text, encoding, times)| {
        let encoding = [WINDOWS_1252, WINDOWS_1251, WINDOWS_1250][encoding];
        (0..times).fold(text, |text, _| encoding.decode_without_bom_handling(text.as_bytes()).0.into_owned())
    });
    prop_oneof![8 => one, 2 => word, 1 => any::<char>().prop_map(String::from), 2 => wrong]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_repaired_text_is_stable(text in text()) {
        let repaired = apply(&text, &mojibake(&text));
        prop_assert_eq!(mojibake(&repaired), vec![], "{:?} -> {:?}", text, repaired);
    }

    #[test]
    fn edits_are_in_order_on_characters_and_change_something(text in text()) {
        let mut from = 0;
        for edit in mojibake(&text) {
            prop_assert!(from <= edit.at.start && edit.at.start < edit.at.end && edit.at.end <= text.len());
            prop_assert_ne!(&text[edit.at.clone()], edit.put.as_str());
            from = edit.at.end;
        }
    }

    #[test]
    fn lines_are_repaired_by_themselves(lines in prop::collection::vec(text(), 1..4)) {
        let whole = lines.join("\n");
        let apart: Vec<String> = whole.split('\n').map(|line| apply(line, &mojibake(line))).collect();
        prop_assert_eq!(apply(&whole, &mojibake(&whole)), apart.join("\n"));
    }

    #[test]
    fn one_wrong_encoding_of_a_french_text_is_undone(words in prop::collection::vec("(été|où|garçon|l’été|naïve|cœur|mais|là|dès)", 4..12)) {
        let text = format!("Voilà {} déjà vu.", words.join(" "));
        let wrong = WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0;
        prop_assert_eq!(apply(&wrong, &mojibake(&wrong)), text);
    }
}
