//! Numbers, sizes and names as people read them.

use std::borrow::Cow;

/// A number with its thousands marked: "6,287".
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 paragraph", "13 paragraphs".
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A size before and after: "6,287 → 3,289 bytes", "84.1 → 80.9 MB".
pub fn bytes(before: u64, after: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (100_000, "kB")];
    let unit = UNITS.iter().find(|(size, _)| before >= *size);
    let number = |bytes: u64| match unit {
        None => count(bytes),
        Some((_, "kB")) => format!("{:.1}", bytes as f64 / 1e3),
        Some((size, _)) => format!("{:.1}", bytes as f64 / *size as f64),
    };
    let (first, second) = (number(before), number(after));
    let numbers = if before == after { first } else { format!("{first} → {second}") };
    format!("{numbers} {}", unit.map_or("bytes", |(_, name)| name))
}

/// By how much something shrank: "−48 %", "−3.8 %".
pub fn change(before: u64, after: u64) -> String {
    let percent = if before == 0 { 0.0 } else { (before - after) as f64 * 100.0 / before as f64 };
    if percent == 0.0 {
        "±0 %".into()
    } else if percent >= 10.0 {
        format!("−{percent:.0} %")
    } else {
        format!("−{percent:.1} %")
    }
}

/// Text from anywhere without what would drive a terminal: control characters and directional overrides stand escaped.
pub fn visible(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if harmful(c) { c.escape_default().to_string() } else { c.to_string() }).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0), count(999), count(6287), count(1_234_567)], ["0", "999", "6,287", "1,234,567"]);
        assert_eq!(bytes(6287, 3289), "6,287 → 3,289 bytes");
        assert_eq!(bytes(84_100_000, 80_900_000), "84.1 → 80.9 MB");
        assert_eq!(bytes(120_000, 120_000), "120.0 kB");
        assert_eq!([change(6287, 3289), change(841, 809), change(5, 5), change(0, 0)], ["−48 %", "−3.8 %", "±0 %", "±0 %"]);
        assert_eq!([counted(1, "block"), counted(13, "paragraph")], ["1 block", "13 paragraphs"]);
    }

    #[test]
    fn escape_codes_are_shown_not_sent() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(visible("naïve “text”"), "naïve “text”");
    }
}
