//! Lines of cuts, read at once where they are in the shape in which they are written: there are millions of them. Any other is read
//! key by key.

use super::format::{CutLine, Literal, Piece, Place, TIDIED, WitnessOf};
use memchr::memchr2;
use memchr::memmem::Finder;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::LazyLock;

/// How the line of a cut begins.
pub(super) const CUT: &[u8] = b"{\"cut\":";

/// The least of a cut that tells where what stays of a file stands in its clean copy. A line may hold something else than this says:
/// whoever reads all of it holds it against this.
#[derive(Debug, PartialEq)]
pub(super) struct Edited {
    pub(super) cut: Place,
    /// How many bytes stand in its place.
    pub(super) inserted: u64,
    /// Whether what stood there was repaired.
    pub(super) is_repair: bool,
}

impl Edited {
    pub(super) fn read(line: &[u8]) -> serde_json::Result<Self> {
        static INSERT: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"\"insert\""));
        let mut rest = Rest(line.strip_prefix(CUT).unwrap_or_default());
        match rest.range() {
            Some(cut) if INSERT.find(rest.0).is_none() => Ok(Self { cut, inserted: 0, is_repair: false }),
            _ => CutLine::read(line).map(|cut| Self::of(&cut)),
        }
    }

    pub(super) fn of(cut: &CutLine) -> Self {
        let inserted = cut.insert.as_ref().map(|insert| insert.0.len() as u64);
        Self { cut: cut.cut, inserted: inserted.unwrap_or_default(), is_repair: inserted.is_some() && cut.rule == TIDIED }
    }
}

impl<'a> CutLine<'a> {
    pub(super) fn read(line: &'a [u8]) -> serde_json::Result<Self> {
        Self::as_written(line).map_or_else(|| serde_json::from_slice(line), Ok)
    }

    /// Reads a line that is written as `Lines` does it: `None` for any other.
    fn as_written(line: &'a [u8]) -> Option<Self> {
        let mut rest = Rest(line.strip_prefix(CUT)?);
        let cut = rest.range()?;
        let record = if rest.take(b",\"record\":") { Some(rest.number()?) } else { None };
        let id = if rest.take(b",\"id\":") { Some(rest.string()?) } else { None };
        let dropped = rest.take(b",\"dropped\":true");
        rest.expect(b",\"rule\":")?;
        let rule = rest.string()?;
        let repeat = if rest.take(b",\"repeat\":") { rest.list(Rest::range)? } else { SmallVec::new() };
        let witness = if rest.take(b",\"witness\":{") { Some(rest.witness()?) } else { None };
        rest.expect(b",\"pieces\":")?;
        let pieces = rest.list(Rest::piece)?;
        (rest.0 == b"}").then_some(Self {
            cut,
            record,
            id,
            rule,
            dropped,
            repeat,
            witness,
            similarity: None,
            pieces,
            insert: None,
        })
    }
}

/// What is left of a line.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Whether these bytes come next, which are gone then.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.take(bytes).then_some(())
    }

    /// A number without leading zeros, as JSON has them.
    fn number(&mut self) -> Option<u64> {
        let (mut number, mut len) = (0u64, 0);
        while let Some(digit) = self.0.get(len).filter(|byte| byte.is_ascii_digit()) {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            len += 1;
        }
        let is_one = len == 1 || (len > 1 && self.0[0] != b'0');
        self.0 = &self.0[len..];
        is_one.then_some(number)
    }

    fn range(&mut self) -> Option<Place> {
        self.expect(b"[")?;
        let start = self.number()?;
        self.expect(b",")?;
        let end = self.number()?;
        self.expect(b"]")?;
        Some(Place(start, end))
    }

    fn list<A: smallvec::Array>(&mut self, one: fn(&mut Self) -> Option<A::Item>) -> Option<SmallVec<A>> {
        let mut list = SmallVec::new();
        self.expect(b"[")?;
        if self.take(b"]") {
            return Some(list);
        }
        loop {
            list.push(one(self)?);
            if self.take(b"]") {
                return Some(list);
            }
            self.expect(b",")?;
        }
    }

    fn witness(&mut self) -> Option<WitnessOf> {
        let (mut file, mut record) = (None, None);
        if self.take(b"\"file\":") {
            file = Some(u32::try_from(self.number()?).ok()?);
            self.expect(b",")?;
        }
        if self.take(b"\"record\":") {
            record = Some(self.number()?);
            self.expect(b",")?;
        }
        self.expect(b"\"ranges\":")?;
        let ranges = self.list(Self::range)?;
        self.expect(b"}")?;
        Some(WitnessOf { file, record, ranges })
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.expect(b"\"")?;
        let (mut end, mut is_escaped) = (0, false);
        loop {
            end += memchr2(b'"', b'\\', self.0.get(end..)?)?;
            if self.0[end] == b'"' {
                break;
            }
            (end, is_escaped) = (end + 2, true);
        }
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        if is_escaped && let Some((_, separator)) = SEPARATORS.iter().find(|(written, _)| written.as_bytes() == text) {
            return Some(Cow::Borrowed(separator));
        }
        if text.iter().any(|byte| *byte < b' ') {
            return None;
        }
        let text = simdutf8::basic::from_utf8(text).ok()?;
        if is_escaped { unescaped(text).map(Cow::Owned) } else { Some(text.into()) }
    }

    /// A piece that is a string or a number.
    fn piece(&mut self) -> Option<Piece<'a>> {
        if self.0.first() != Some(&b'"') {
            return Some(Piece::Witness(usize::try_from(self.number()?).ok()?));
        }
        Some(Piece::Literal(Literal(match self.string()? {
            Cow::Borrowed(text) => text.as_bytes().into(),
            Cow::Owned(text) => text.into_bytes().into(),
        })))
    }
}

/// What stands between paragraphs, mostly, as it is written in a string: of texts, and of JSONL.
const SEPARATORS: [(&str, &str); 6] =
    [(r"\n", "\n"), (r"\n\n", "\n\n"), (r"\\n", r"\n"), (r"\\n\\n", r"\n\n"), (r"\r\n", "\r\n"), (r"\r\n\r\n", "\r\n\r\n")];

/// A string without the escapes that most have, which are of one character; `None` if it has others.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        out.push(match after.bytes().next()? {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            escaped @ (b'"' | b'\\' | b'/') => char::from(escaped),
            _ => return None,
        });
        rest = &after[1..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WRITTEN: [&str; 4] = [
        r#"{"cut":[1,20],"record":2,"id":"a \",\"witness\":{ b","rule":"x","witness":{"file":3,"record":1,"ranges":[[275,525],[1,2]]},"pieces":["\\n",0,"",1,"\"é]"]}"#,
        r#"{"cut":[1,20],"dropped":true,"rule":"x","repeat":[[2,3]],"witness":{"ranges":[]},"pieces":["a\nb é"]}"#,
        r#"{"cut":[1,20],"rule":"broken-record","pieces":[]}"#,
        r#"{"cut":[0,184],"record":13,"rule":"repeated-across","witness":{"record":7,"ranges":[[20608,20613]]},"pieces":[0,"\\n"]}"#,
    ];

    #[test]
    fn a_line_as_it_is_written_is_read_at_once() {
        for line in WRITTEN {
            let at_once = CutLine::as_written(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(at_once, serde_json::from_str(line).unwrap(), "{line}");
        }
        let others = [
            r#"{ "cut":[1,20],"rule":"x","pieces":[]}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[{"base64":"AA=="}]}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[],"insert":"new"}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[],"later":1}"#,
            r#"{"cut":[1,20],"rule":"x","later":{"a":1,"witness":{"ranges":[[1,2]]}},"pieces":["a"]}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[],"\u0069nsert":"new"}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":["\u00e9"]}"#,
        ];
        for line in others {
            assert_eq!(CutLine::as_written(line.as_bytes()), None, "{line}");
            CutLine::read(line.as_bytes()).unwrap();
        }
        let all = Edited::of(&CutLine::read(others[5].as_bytes()).unwrap());
        assert_ne!(Edited::read(others[5].as_bytes()).unwrap(), all, "whoever reads all of it sees that");
    }

    proptest! {
        #[test]
        fn what_is_read_at_once_is_what_its_keys_say(
            which in 0..WRITTEN.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>(), any::<prop::sample::Index>()), 0..4),
        ) {
            let mut line = WRITTEN[which].as_bytes().to_vec();
            for (at, how, byte, from) in changes {
                let at = at.index(line.len());
                let other = line[from.index(line.len())];
                match how {
                    0 => line[at] = other,
                    1 => line.insert(at, if byte < 128 { other } else { byte }),
                    _ => { line.remove(at); }
                }
            }
            let by_keys = serde_json::from_slice::<CutLine>(&line);
            match (CutLine::as_written(&line), by_keys) {
                (Some(at_once), Ok(by_keys)) => prop_assert_eq!(at_once, by_keys),
                (Some(_), Err(error)) => prop_assert!(false, "{}", error),
                (None, _) => {}
            }
        }
    }
}
