//! Texts in other encodings than UTF-8.

use super::wide::{is_control, is_marked, wide};
use crate::document::{Map, Span};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{EUC_JP, EUC_KR, Encoding, ISO_8859_15, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How a text is encoded that isn't UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// All of it so.
    In(&'static Encoding),
    /// In UTF-8, with single bytes that are Windows-1252.
    Mixed,
    /// In UTF-8 of UTF-16, as Java and MySQL write it (CESU-8, UTR #26).
    Halves,
    /// In a way that showed once some of it was repaired.
    Late,
}

impl Encoded {
    const MIXED: &'static str = "UTF-8 and windows-1252";
    const HALVES: &'static str = "CESU-8";
    const LATE: &'static str = "unknown";

    /// Its name in reports and records: that of the WHATWG, if it has one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoded::In(encoding) => encoding.name(),
            Encoded::Mixed => Self::MIXED,
            Encoded::Halves => Self::HALVES,
            Encoded::Late => Self::LATE,
        }
    }

    /// The one of this name, if there is one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            Self::MIXED => Some(Encoded::Mixed),
            Self::HALVES => Some(Encoded::Halves),
            Self::LATE => Some(Encoded::Late),
            name => Encoding::for_label(name.as_bytes()).filter(|encoding| encoding.name() == name).map(Encoded::In),
        }
    }

    /// How many bytes a unit of it has, none of which is halved.
    pub(crate) fn unit(self) -> usize {
        if matches!(self, Encoded::In(encoding) if !encoding.is_ascii_compatible()) { 2 } else { 1 }
    }

    /// A line feed.
    pub(crate) fn line_feed(self) -> &'static [u8] {
        match self {
            Encoded::In(encoding) if encoding == UTF_16LE => b"\n\0",
            Encoded::In(encoding) if encoding == UTF_16BE => b"\0\n",
            _ => b"\n",
        }
    }

    /// What bytes read as that are so encoded, and what leads from that to them. What they begin with, if they begin the file, may only say so.
    pub(crate) fn read(self, bytes: &[u8], is_beginning: bool) -> Option<(String, Map)> {
        match self {
            Encoded::In(encoding) => {
                let has_mark = is_beginning && self.unit() == 2 && is_marked(bytes);
                decode(bytes, if has_mark { 2 } else { 0 }, encoding)
            }
            Encoded::Mixed => mixed(bytes, true),
            Encoded::Halves => halves(bytes),
            Encoded::Late => None,
        }
    }
}

/// A text that isn't UTF-8, decoded, and from that to its bytes, if it can be told what it is.
pub(crate) fn decoded(bytes: &[u8]) -> Option<(Encoded, String, Map)> {
    told(bytes).ok().flatten()
}

/// It can't be told how a text is encoded that isn't UTF-8.
pub(super) struct Untold;

/// A text that isn't UTF-8, decoded; nothing if it is. A few bytes of Windows-1252 in UTF-8 are told apart; else all of it is in one encoding, in
/// which every byte has a meaning and what isn't ASCII makes words.
pub(super) fn told(bytes: &[u8]) -> Result<Option<(Encoded, String, Map)>, Untold> {
    if let Some((encoding, mark)) = wide(bytes) {
        let (text, map) = decode(bytes, mark, encoding).ok_or(Untold)?;
        // What has controls and no mark is none.
        let is_one = mark > 0 || !text.contains(is_control);
        return if is_one { Ok(Some((Encoded::In(encoding), text, map))) } else { Err(Untold) };
    }
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        return Ok(None);
    }
    if memchr::memchr(0, bytes).is_some() {
        return Err(Untold);
    }
    of_bytes(bytes).map(Some).ok_or(Untold)
}

/// A text of which each byte counts by itself, or begins a character.
fn of_bytes(bytes: &[u8]) -> Option<(Encoded, String, Map)> {
    if let Some((text, map)) = halves(bytes) {
        return Some((Encoded::Halves, text, map));
    }
    let characters = |text: &str| text.chars().filter(|char| !char.is_ascii()).count();
    let (valid, invalid) = bytes
        .utf8_chunks()
        .fold((0, 0), |(valid, invalid), chunk| (valid + characters(chunk.valid()), invalid + chunk.invalid().len().min(1)));
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let beyond = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    if letters > beyond && is_broken_utf_8(bytes) {
        return None;
    }
    let encoding = guessed(bytes, letters);
    // So little tells no encoding from another: beside much ASCII it may be the one that most of such texts are in, in which single characters
    // tell whether they can be meant.
    if beyond < FEW && encoding != WINDOWS_1252 && encoding != ISO_8859_15 {
        return if letters >= MUCH { of_mixed(bytes) } else { None };
    }
    // Others have what looks like UTF-8 by chance: of one byte a character, seldom.
    if valid > invalid || valid * 4 > invalid && encoding.is_single_byte() {
        return of_mixed(bytes);
    }
    let (text, map) = decode(bytes, 0, encoding)?;
    makes_words(&text, beyond).then_some((Encoded::In(encoding), text, map))
}

/// Fewer bytes than these are too few to tell by.
const FEW: usize = 7;
/// And so many letters of ASCII around them are a text that is nearly all in it.
const MUCH: usize = 400;

/// The encoding that bytes beside so many letters of ASCII are probably in. What is known better than by how often bytes follow each other: signs
/// between words of ASCII are Windows-1252, Hangul with jamo aren't kana, and what would be fractions in words is Latin-9.
fn guessed(bytes: &[u8], letters: usize) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    match detector.guess(None, Utf8Detection::Deny) {
        encoding if encoding != WINDOWS_1252 && are_signs(bytes, letters) => WINDOWS_1252,
        encoding if encoding == EUC_JP && is_hangul(bytes) => EUC_KR,
        encoding if encoding == WINDOWS_1252 && is_latin_9(bytes) => ISO_8859_15,
        encoding => encoding,
    }
}

/// Whether bytes beside so many letters of ASCII are signs in Windows-1252, each as it stands between words or numbers, and hardly another letter.
fn are_signs(bytes: &[u8], letters: usize) -> bool {
    let table: Vec<char> = WINDOWS_1252.decode_without_bom_handling(&(0..=u8::MAX).collect::<Vec<u8>>()).0.chars().collect();
    let at = |at: Option<usize>| at.and_then(|at| bytes.get(at)).map_or(' ', |byte| table[*byte as usize]);
    let mut others = 0;
    let mut stands_well = |(number, byte): (usize, &u8)| {
        let char = table[*byte as usize];
        let (before, behind, next) = (at(number.checked_sub(1)), at(Some(number + 1)), at(Some(number + 2)));
        let is_within = before.is_alphabetic() && behind.is_alphabetic();
        match char {
            '’' | '‘' | '–' | '—' | '…' | '·' | '\u{a0}' => true,
            '“' | '”' | '„' | '«' | '»' | '‹' | '›' | '‚' | '•' | '™' | '©' | '®' | '§' | '†' | '×' | '÷' | '±' => {
                !is_within
            }
            '£' | '€' | '¥' | '½' | '¼' | '¾' | '²' | '³' | '¹' | 'º' | 'ª' => {
                !before.is_alphabetic() && !behind.is_alphabetic()
            }
            'µ' | '°' => !(before.is_alphabetic() || behind.is_alphabetic() && next.is_alphabetic()),
            '¡' | '¿' => {
                let end = if char == '¡' { b'!' } else { b'?' };
                !before.is_alphanumeric() && behind.is_alphabetic() && memchr::memchr(end, &bytes[number..]).is_some()
            }
            char if char.is_lowercase() && before.is_ascii_lowercase() && behind.is_ascii_lowercase() => {
                others += 100;
                others <= letters
            }
            _ => false,
        }
    };
    bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()).all(&mut stands_well)
}

/// Whether bytes that may be Japanese are Korean words with jamo, as in "ㅋㅋㅋ".
fn is_hangul(bytes: &[u8]) -> bool {
    const PROBE: usize = 64 << 10;
    let beginning = &bytes[..bytes.len().min(PROBE)];
    let end = if beginning.len() < PROBE { PROBE } else { beginning.iter().rposition(u8::is_ascii).unwrap_or_default() };
    let Some(text) = EUC_KR.decode_without_bom_handling_and_without_replacement(&beginning[..end.min(beginning.len())]) else {
        return false;
    };
    let is_korean = |char: char| char.is_ascii() || matches!(char, 'ㄱ'..='ㅣ' | '가'..='힣');
    let words = text.split_ascii_whitespace().filter(|word| !word.is_ascii()).count();
    text.chars().all(is_korean) && words * 8 >= text.chars().filter(|char| !char.is_ascii()).count()
}

/// Whether bytes are Latin-9 (ISO-8859-15), of which Windows-1252 makes fractions and general currency.
fn is_latin_9(bytes: &[u8]) -> bool {
    let has_of_windows = || bytes.iter().any(|byte| matches!(byte, 0x80..=0x9f));
    let is_letter = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0xc0);
    let is_of_latin_9 = |at: usize| match bytes[at] {
        0xa4 => true,
        0xbc..=0xbe => is_letter(bytes.get(at + 1)) || at > 0 && is_letter(bytes.get(at - 1)),
        _ => false,
    };
    (0..bytes.len()).any(is_of_latin_9) && !has_of_windows()
}

/// Whether of a text with so many bytes that aren't ASCII nearly all are letters and signs of texts, each where it can stand.
fn makes_words(text: &str, beyond: usize) -> bool {
    let mut strange = 0;
    let (mut two, mut one) = (' ', ' ');
    for char in text.chars().chain([' ']) {
        let is_within = two.is_alphabetic()
            && char.is_alphabetic()
            && !one.is_alphanumeric()
            && !matches!(one, '’' | '‘' | '·' | '—' | '…')
            && (one != '–' || two.is_lowercase() && char.is_lowercase());
        let is_capital_within = two.is_lowercase() && one.is_uppercase() && !char.is_uppercase();
        let is_strange = !is_of_text(one) || is_within;
        strange += if one.is_ascii() { 0 } else { usize::from(is_strange) + 2 * usize::from(is_capital_within) };
        (two, one) = (one, char);
    }
    strange * 10 <= beyond
}

/// UTF-8 of UTF-16: characters beyond the first 65,536 are two halves, of three bytes each; nothing if anything else isn't UTF-8.
fn halves(bytes: &[u8]) -> Option<(String, Map)> {
    let (mut text, mut map) = (String::with_capacity(bytes.len()), Map::default());
    let mut at = 0;
    while at < bytes.len() {
        let valid = bytes[at..].utf8_chunks().next().map_or("", |chunk| chunk.valid());
        map.push(Span::new(at, at + valid.len()), valid.len() as u64, false);
        text.push_str(valid);
        at += valid.len();
        if at == bytes.len() {
            break;
        }
        let pair = bytes[at..].first_chunk::<6>();
        let &[0xed, a @ 0xa0..=0xaf, b @ 0x80..=0xbf, 0xed, c @ 0xb0..=0xbf, d @ 0x80..=0xbf] = pair? else { return None };
        let half = |high: u8, low: u8| u32::from(high & 0xf) << 6 | u32::from(low & 0x3f);
        let char = char::from_u32(0x10000 + (half(a, b) << 10 | half(c & 0xf, d)))?;
        map.push(Span::new(at, at + 6), char.len_utf8() as u64, true);
        text.push(char);
        at += 6;
    }
    Some((text, map))
}

fn of_mixed(bytes: &[u8]) -> Option<(Encoded, String, Map)> {
    mixed(bytes, false).map(|(text, map)| (Encoded::Mixed, text, map))
}

/// Whether there are beginnings of characters in UTF-8, or halves of pairs as CESU-8 has them (UTR #26), which other encodings have by chance.
fn is_broken_utf_8(bytes: &[u8]) -> bool {
    let is_begun = |chunk: &[u8]| chunk.len() > 1;
    let ends_begun = || matches!(bytes, [.., 0xc2..=0xf4]);
    let has_halves = || bytes.windows(3).any(|window| matches!(window, [0xed, 0xa0..=0xbf, 0x80..=0xbf]));
    bytes.utf8_chunks().any(|chunk| is_begun(chunk.invalid())) || ends_begun() || has_halves()
}

/// Whether it is a letter, a mark, or what is written between letters.
fn is_of_text(char: char) -> bool {
    char.is_alphanumeric()
        || char.is_whitespace()
        || matches!(char, '\u{a1}'..='\u{bf}' | '\u{300}'..='\u{36f}' | '\u{2010}'..='\u{2044}' | '\u{20ac}' | '\u{2122}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
}

/// Decodes word by word, from `from` on, behind a mark; each is an atom unless it is ASCII, and so is what stands between: what may end a line
/// is no part of a word, be it written as an entity.
fn decode(bytes: &[u8], from: usize, encoding: &'static Encoding) -> Option<(String, Map)> {
    let unit = if encoding.is_ascii_compatible() { 1 } else { 2 };
    let is_between = |unit: &[u8]| match *unit {
        [byte] => matches!(byte, 0..=b'/') || encoding.is_single_byte() && matches!(byte, b';' | 0x80..=0x9f),
        [a, b] => {
            let unit = if encoding == UTF_16LE { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) };
            matches!(unit, 0..=0x2f | 0x3b | 0x7f..=0xa0 | 0x2028 | 0x2029)
        }
        _ => false,
    };
    let (mut text, mut map) = (String::with_capacity(bytes.len()), Map::default());
    let mut at = from;
    while at < bytes.len() {
        let ascii = if unit == 1 { Encoding::ascii_valid_up_to(&bytes[at..]) } else { 0 };
        if ascii > 0 {
            text.push_str(str::from_utf8(&bytes[at..at + ascii]).expect("it is ASCII"));
            map.push(Span::new(at, at + ascii), ascii as u64, false);
            at += ascii;
            continue;
        }
        let mut units = bytes[at..].chunks(unit);
        let word = if units.next().is_some_and(is_between) { 0 } else { units.take_while(|unit| !is_between(unit)).count() };
        let len = ((1 + word) * unit).min(bytes.len() - at);
        let read = encoding.decode_without_bom_handling_and_without_replacement(&bytes[at..at + len])?;
        map.push(Span::new(at, at + len), read.len() as u64, true);
        text.push_str(&read);
        at += len;
    }
    Some((text, map))
}

/// UTF-8 in which single bytes are Windows-1252: letters beside others, or signs. If one may be something else, nothing is told, unless it is
/// known to be so.
fn mixed(bytes: &[u8], is_known: bool) -> Option<(String, Map)> {
    let (mut text, mut map) = (String::with_capacity(bytes.len()), Map::default());
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        let (valid, invalid) = (chunk.valid(), chunk.invalid());
        text.push_str(valid);
        map.push(Span::new(at, at + valid.len()), valid.len() as u64, false);
        at += valid.len();
        let chars = WINDOWS_1252.decode_without_bom_handling(invalid).0;
        for char in chars.chars() {
            at += 1;
            let is_in_word =
                text.ends_with(|char: char| char.is_ascii_alphabetic()) || bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
            let may_be_cut_off = at == bytes.len();
            if !is_known && (char.is_control() || (char.is_alphabetic() && !is_in_word) || may_be_cut_off) {
                return None;
            }
            text.push(char);
            map.push(Span::new(at - 1, at), char.len_utf8() as u64, true);
        }
    }
    Some((text, map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{BIG5, EUC_KR, GBK, ISO_8859_2, KOI8_R, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1253};

    fn text_of(bytes: &[u8]) -> Option<String> {
        let (encoded, text, map) = decoded(bytes)?;
        assert_eq!(encoded.read(bytes, true), Some((text.clone(), map.clone())));
        assert_eq!(Encoded::named(encoded.name()), Some(encoded));
        let all = map.around(Span::new(0, text.len()));
        let mark = if is_marked(bytes) { 2 } else { 0 };
        assert_eq!(all, Span::new(mark, bytes.len()));
        Some(text)
    }

    #[test]
    fn texts_are_decoded() {
        for (encoding, text) in [
            (
                WINDOWS_1252,
                "Der Hafen von Sandvik bekommt im Frühjahr seine Fähre zurück, sagte der Rat – nach elf Monaten.\r\n“Schön”, sagte sie.",
            ),
            (WINDOWS_1252, "Le conseil a décidé que le ferry reviendrait à l’été, après onze mois d’attente."),
            (WINDOWS_1251, "Паром вернётся в порт весной, сообщил совет во вторник. Он не ходил одиннадцать месяцев."),
            (KOI8_R, "Паром вернётся в порт весной, сообщил совет во вторник. Он не ходил одиннадцать месяцев."),
            (WINDOWS_1250, "Prom wróci do portu na wiosnę, powiedziała rada we wtorek, kończąc jedenaście miesięcy."),
            (ISO_8859_2, "Přívoz se na jaře vrátí do přístavu, řekla rada v úterý, po jedenácti měsících čekání."),
            (WINDOWS_1253, "Το πλοίο θα επιστρέψει στο λιμάνι την άνοιξη, είπε το συμβούλιο την Τρίτη."),
            (SHIFT_JIS, "春にはフェリーが港に戻ると、評議会は火曜日に発表した。島の人々は十一か月待った。"),
            (GBK, "市议会星期二说，渡轮将在春天回到港口，岛上的人们已经等了十一个月。"),
            (BIG5, "市議會星期二說，渡輪將在春天回到港口，島上的人們已經等了十一個月。"),
            (EUC_KR, "시의회는 화요일에 봄이 되면 배가 항구로 돌아온다고 말했다. 섬사람들은 열한 달을 기다렸다."),
        ] {
            let (bytes, _, has_all) = encoding.encode(text);
            assert!(!has_all, "{}", encoding.name());
            assert_eq!(text_of(&bytes).as_deref(), Some(text), "{}", encoding.name());
        }
    }

    #[test]
    fn so_is_what_has_two_bytes_a_character() {
        let text = "The ferry – the “Terna” – is back.\r\nПаром 🚢\n";
        for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(bytes_of).collect();
            assert_eq!(text_of(&bytes).as_deref(), Some(text));
            let marked = [&bytes_of(0xfeff)[..], &bytes].concat();
            assert_eq!(text_of(&marked).as_deref(), Some(text));
            assert_eq!(text_of(&[&marked[..], &bytes_of(0xd800)].concat()), None, "half a surrogate");
        }
    }

    #[test]
    fn so_are_other_alphabets_without_a_mark() {
        for text in ["Паром вернётся в порт весной.\n", "Το πλοίο θα επιστρέψει στο λιμάνι.\n", "המעבורת תחזור לנמל באביב.\n"]
        {
            for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
                let bytes: Vec<u8> = text.encode_utf16().flat_map(bytes_of).collect();
                assert_eq!(text_of(&bytes).as_deref(), Some(text));
            }
        }
    }

    #[test]
    fn a_strange_byte_in_much_english_is_taken_for_what_most_such_texts_are_in() {
        let english = "The ferry came back in spring and the council said that it would run again. ".repeat(8);
        let text = format!("{english}The gap is 20 µm wide, give or take £5.");
        let bytes = WINDOWS_1252.encode(&text).0;
        assert_eq!(text_of(&bytes).as_deref(), Some(&*text));
    }

    #[test]
    fn signs_between_words_are_what_they_are_in_windows_1252() {
        for text in [
            "The price is £5 today and everybody was happy with it.\n",
            "She paid £20 – “a bargain”, he said.",
            "5 µm ± 2 µm at 20 °C",
            "¡Hola! she said.",
        ] {
            assert_eq!(text_of(&WINDOWS_1252.encode(text).0).as_deref(), Some(text));
        }
    }

    #[test]
    fn other_ways_to_write_so_are_told() {
        let halves = b"Great movie \xed\xa0\xbd\xed\xb8\x80 tonight \xc3\xa9";
        assert_eq!(text_of(halves).as_deref(), Some("Great movie 😀 tonight é"));
        for (encoding, text) in [
            (ISO_8859_15, "L’œuvre coûte 1 250 €, dit-elle".replace('’', "'")),
            (EUC_KR, "오늘 영화 봤는데 너무 재미있었어요 ㅎㅎ 추천합니다! ㅋㅋㅋ".into()),
        ] {
            assert_eq!(text_of(&encoding.encode(&text).0), Some(text));
        }
    }

    #[test]
    fn single_bytes_among_utf_8_are_told_apart() {
        let mixed = [&b"na\xefve and \x93caf\xe9\x94 "[..], "– “größer” – déjà vu, à côté".as_bytes()].concat();
        assert_eq!(text_of(&mixed).as_deref(), Some("naïve and “café” – “größer” – déjà vu, à côté"));
    }

    #[test]
    fn in_doubt_nothing_is_decoded() {
        for bytes in [
            &b"plain ASCII"[..],
            "déjà vu".as_bytes(),
            b"",
            b"\xff\xfe\x00\x00a\x00\x00\x00",
            b"name\0value\0other\0\n",
            b"It\x92s a na\xefve idea.",
            b"\x80a\0b",
            b"El ni\x96o comi\x97 pi\x96as en Espa\x96a; \xc0qu\x8e pas\x97? \xc1Adi\x97s, se\x96or!", // MacRoman
            b"\x8f\xe0\xf0\xee\xec \xe2\xe5\xf0\xed\xde\xf2\xf1\xdf \xe2 \xef\xee\xf0\xf2 \xe2\xe5\xf1\xed\xee\xe9.", // Mac Cyrillic
            b"half \xed\xa0\xbd of one",
            b"He said \xe2\x80 yes, and nothing more than that.\n",
            b"Nice \xf0\x9f\x98 day\n",
            b"mang\xc3",
            b"a\0b caf\xc3\x83\xc2\xa9\n",
            b"Le gar\x87on a mang\x82 une cr\x88pe.",                 // code page 850
            &["Größe und Länge: é".as_bytes(), b"\xe2\x80"].concat(), // cut off
        ] {
            assert_eq!(decoded(bytes).map(|(_, text, _)| text), None, "{bytes:?}");
        }
    }
}
