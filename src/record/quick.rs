//! Lines of cuts as far as it takes to make originals of clean copies. There are millions of them: one in the shape in which it is
//! written is read at once, any other by way of [`CutLine`].

use super::format::{CutLine, Literal, Piece, Place};
use memchr::memchr2;
use memchr::memmem::Finder;
use smallvec::SmallVec;
use std::sync::LazyLock;

/// How the line of a cut begins.
pub(super) const CUT: &[u8] = b"{\"cut\":";

/// What was cut, and what stands in its place.
#[derive(Debug, PartialEq)]
pub(super) struct Edited<'a> {
    pub(super) cut: Place,
    pub(super) insert: Option<Literal<'a>>,
}

/// What was cut, of which pieces, and what stands in its place.
#[derive(Debug, PartialEq)]
pub(super) struct Replay<'a> {
    pub(super) cut: Place,
    /// The file of its witness, if that is another one.
    pub(super) file: Option<u32>,
    /// The ranges of its witness.
    pub(super) ranges: SmallVec<[Place; 2]>,
    pub(super) pieces: SmallVec<[Piece<'a>; 4]>,
    pub(super) insert: Option<Literal<'a>>,
}

impl<'a> Edited<'a> {
    pub(super) fn read(line: &'a [u8]) -> serde_json::Result<Self> {
        if let Some((cut, _)) = plain_cut(line) {
            return Ok(Self { cut, insert: None });
        }
        let CutLine { cut, insert, .. } = serde_json::from_slice(line)?;
        Ok(Self { cut, insert })
    }
}

impl<'a> Replay<'a> {
    pub(super) fn read(line: &'a [u8]) -> serde_json::Result<Self> {
        match Self::plain(line) {
            Some(replay) => Ok(replay),
            None => serde_json::from_slice(line).map(Self::of),
        }
    }

    fn of(CutLine { cut, witness, pieces, insert, .. }: CutLine<'a>) -> Self {
        let file = witness.as_ref().and_then(|witness| witness.file);
        let ranges = witness.map_or_else(SmallVec::new, |witness| witness.ranges.into());
        Self { cut, file, ranges, pieces: pieces.into(), insert }
    }

    /// Reads a line in the shape in which it is written: `None` for any other.
    ///
    /// A key that is looked for stands in no string, where its quotes would be escaped.
    fn plain(line: &'a [u8]) -> Option<Self> {
        static WITNESS: LazyLock<Finder> = LazyLock::new(|| Finder::new(b",\"witness\":{"));
        static PIECES: LazyLock<Finder> = LazyLock::new(|| Finder::new(b",\"pieces\":["));
        let (cut, mut rest) = plain_cut(line)?;
        let (mut file, mut ranges) = (None, SmallVec::new());
        if let Some(at) = WITNESS.find(rest.0) {
            rest.skip(at + WITNESS.needle().len());
            if rest.take(b"\"file\":") {
                file = Some(u32::try_from(rest.number()?).ok()?);
                rest.expect(b",")?;
            }
            if rest.take(b"\"record\":") {
                rest.number()?;
                rest.expect(b",")?;
            }
            rest.expect(b"\"ranges\":[")?;
            while !rest.take(b"]") {
                ranges.push(rest.range()?);
                rest.take(b",");
            }
            rest.expect(b"}")?;
        }
        rest.skip(PIECES.find(rest.0)? + PIECES.needle().len());
        let mut pieces = SmallVec::new();
        while !rest.take(b"]") {
            pieces.push(rest.piece()?);
            rest.take(b",");
        }
        (rest.0 == b"}").then_some(Self { cut, file, ranges, pieces, insert: None })
    }
}

/// What a line cuts that inserts nothing, and what comes behind that.
fn plain_cut(line: &[u8]) -> Option<(Place, Rest<'_>)> {
    static INSERT: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"\"insert\""));
    let mut rest = Rest(line.strip_prefix(CUT)?);
    let cut = rest.range()?;
    INSERT.find(rest.0).is_none().then_some((cut, rest))
}

/// What is left of a line.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn skip(&mut self, len: usize) {
        self.0 = &self.0[len..];
    }

    /// Whether these bytes come next, which are gone then.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.take(bytes).then_some(())
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut len) = (0u64, 0);
        while let Some(digit) = self.0.get(len).filter(|byte| byte.is_ascii_digit()) {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            len += 1;
        }
        self.skip(len);
        (len > 0).then_some(number)
    }

    fn range(&mut self) -> Option<Place> {
        self.expect(b"[")?;
        let start = self.number()?;
        self.expect(b",")?;
        let end = self.number()?;
        self.expect(b"]")?;
        Some(Place(start, end))
    }

    /// A piece that is a string or a number.
    fn piece(&mut self) -> Option<Piece<'a>> {
        if self.0.first() != Some(&b'"') {
            return Some(Piece::Witness(usize::try_from(self.number()?).ok()?));
        }
        let (mut end, mut is_escaped) = (1, false);
        loop {
            end += memchr2(b'"', b'\\', self.0.get(end..)?)?;
            if self.0[end] == b'"' {
                break;
            }
            (end, is_escaped) = (end + 2, true);
        }
        let (string, text) = (&self.0[..=end], &self.0[1..end]);
        self.skip(end + 1);
        let literal = match is_escaped {
            true => serde_json::from_slice::<String>(string).ok()?.into_bytes().into(),
            false => simdutf8::basic::from_utf8(text).ok().map(str::as_bytes)?.into(),
        };
        Some(Piece::Literal(Literal(literal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_alike_at_once_and_by_its_keys() {
        let lines = [
            r#"{"cut":[1,20],"record":2,"id":"a \",\"witness\":{ b","rule":"x","witness":{"file":3,"record":1,"ranges":[[275,525],[1,2]]},"pieces":["\\n",0,"",1,"\"\u00e9]"]}"#,
            r#"{"cut":[1,20],"rule":"x","repeat":[[2,3]],"witness":{"ranges":[]},"pieces":["a\nb é"]}"#,
            r#"{"cut":[1,20],"rule":"broken-record","pieces":[]}"#,
        ];
        for line in lines {
            let plain = Replay::plain(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(plain, serde_json::from_str(line).map(Replay::of).unwrap(), "{line}");
        }
        let others = [
            r#"{ "cut":[1,20],"rule":"x","pieces":[]}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[{"base64":"AA=="}]}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[],"insert":"new"}"#,
            r#"{"cut":[1,20],"rule":"x","pieces":[],"later":1}"#,
        ];
        for line in others {
            assert_eq!(Replay::plain(line.as_bytes()), None, "{line}");
            Replay::read(line.as_bytes()).unwrap();
        }
        for broken in
            [r#"{"cut":[1,20],"rule":"x","pieces":["a]}"#, r#"{"cut":[1,99999999999999999999],"rule":"x","pieces":[]}"#, "", "{"]
        {
            Replay::read(broken.as_bytes()).unwrap_err();
            assert_eq!(Replay::plain(broken.as_bytes()), None);
        }
    }
}
