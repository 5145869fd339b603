//! The lines of a record, as they are read; those that are few as they are written, too.

use super::hex;
use crate::document::{Span, Unit};
use crate::fingerprint::fingerprint;
use crate::rules::{Keep, Threshold};
use crate::runner::{OnError, Reading};
use crate::source::{Form, Packing};
use crate::{Match, Settings, Tidy};
use data_encoding::BASE64;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The version of the format that is written, and the latest that is read.
pub(super) const VERSION: u32 = 1;

/// What stands for standard input and standard output in place of a path.
pub(super) const STREAM: &str = "-";

/// A line of a record.
pub(super) enum Line {
    Header(Header),
    /// What follows is about this file.
    File(FileLine),
    /// Of which this was cut.
    Cut,
    /// Up to here the part was recorded.
    Part(PartLine),
    /// These rows of a table went as a whole; the line holds them as they were.
    Rows(Vec<u64>),
    /// That was all of the file.
    Ends(EndsLine),
    /// The file of its clean copy is this.
    Copy(CopyLine),
    /// The file was left as it was after all: what is said of it doesn't count.
    Fails(u32),
    /// That was all of the run.
    Complete(CompleteLine),
    /// Of a later version, and of no matter to this one.
    Other,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Header {
    #[serde(rename = "unecho-record")]
    pub(super) version: u32,
    /// The version of the program.
    pub(super) unecho: String,
    /// Whether the run was one over a folder or several files, whose outputs stand in folders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) several: bool,
    pub(super) settings: Conditions,
}

/// What decides what a run cuts: its flags, each by the name it has on the command line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Conditions {
    #[serde(rename = "match")]
    matching: String,
    unit: String,
    keep: String,
    across: bool,
    #[serde(default)]
    min_chars: Option<u32>,
    /// In percent.
    #[serde(default)]
    drop_above: Option<u8>,
    empty: String,
    on_error: String,
    text_field: String,
    #[serde(default)]
    id_field: Option<String>,
    /// What was repaired, by names with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tidy: Option<String>,
    /// The form that every file was taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The longest record that was read, in bytes, if longer ones went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    longest_record: Option<u64>,
}

impl Conditions {
    /// What a run goes by.
    pub fn of(settings: &Settings, reading: &Reading) -> Self {
        let Settings { matching, threshold, keep, unit, across, drop_above, tidy, .. } = settings;
        Self {
            matching: name_of(*matching).into(),
            unit: name_of_unit(*unit).into(),
            keep: if *keep == Keep::First { "first" } else { "last" }.into(),
            across: *across,
            min_chars: if let Threshold::Flat(columns) = threshold { Some(*columns) } else { None },
            drop_above: drop_above.map(crate::Share::percent),
            empty: if reading.keep_empty { "keep" } else { "drop" }.into(),
            on_error: match reading.on_error {
                OnError::Fail => "fail",
                OnError::Keep => "keep",
                OnError::Drop => "drop",
            }
            .into(),
            text_field: reading.fields.text.clone(),
            id_field: reading.fields.id.clone(),
            tidy: (!tidy.is_none()).then(|| tidy.to_string()),
            from: None,
            longest_record: None,
        }
    }

    /// That no record longer than that is read, in bytes, as memory has it.
    pub fn reading_up_to(&mut self, longest: u64) {
        self.longest_record = self.drops_broken().then_some(longest);
    }

    pub(super) fn longest_record(&self) -> Option<u64> {
        self.longest_record
    }

    /// What was repaired; `None` if that isn't known to this program.
    pub(super) fn tidy(&self) -> Option<Tidy> {
        self.tidy.as_ref().map_or(Some(Tidy::NONE), |list| list.parse().ok())
    }

    /// That every file is taken for this form, if for one.
    pub fn from(&mut self, from: Option<Form>) {
        self.from = from.map(FileLine::name_of);
    }

    /// How alike what was cut is to what stays; `None` if it is in a way that isn't known.
    pub(super) fn matching(&self) -> Option<Match> {
        [Match::Bytes, Match::Text, Match::Loose].into_iter().find(|&how| name_of(how) == self.matching)
    }

    /// What was compared as a whole.
    pub(super) fn unit(&self) -> Unit {
        let known = [Unit::Line, Unit::Document].into_iter().find(|&unit| name_of_unit(unit) == self.unit);
        known.unwrap_or(Unit::Paragraph)
    }

    /// Whether blank lines are lines like any other.
    pub(super) fn takes_any_line(&self) -> bool {
        self.unit == "line"
    }

    /// Whether broken records go.
    pub(super) fn drops_broken(&self) -> bool {
        self.on_error == "drop"
    }

    /// Whether documents go of which too much repeats.
    pub(super) fn drops_repetitive(&self) -> bool {
        self.drop_above.is_some()
    }

    /// The field that holds the text of a record.
    pub(super) fn text_field(&self) -> &str {
        &self.text_field
    }

    /// The names of those in which two differ.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let all = [
            ("--match", self.matching == other.matching),
            ("--unit", self.unit == other.unit),
            ("--keep", self.keep == other.keep),
            ("--across", self.across == other.across),
            ("--min-chars", self.min_chars == other.min_chars),
            ("--drop-above", self.drop_above == other.drop_above),
            ("--empty", self.empty == other.empty),
            ("--on-error", self.on_error == other.on_error),
            ("--text-field", self.text_field == other.text_field),
            ("--id-field", self.id_field == other.id_field),
            ("--from", self.from == other.from),
        ];
        all.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
    }
}

fn name_of(how: Match) -> &'static str {
    match how {
        Match::Bytes => "bytes",
        Match::Text => "text",
        Match::Loose => "loose",
    }
}

fn name_of_unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Paragraph => "paragraph",
        Unit::Line => "line",
        Unit::Document => "document",
    }
}

/// A file begins.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct FileLine {
    /// Its number, by which witnesses call it.
    #[serde(rename = "file")]
    pub(super) number: u32,
    /// Where it is, from the record's folder; `-`: standard input.
    pub(super) path: RecordedPath,
    /// Its path within the outputs.
    pub(super) name: RecordedPath,
    /// "text", "jsonl", "warc", "parquet", "feed" or "html".
    pub(super) form: String,
    /// "gz" or "zst".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) packing: Option<String>,
    /// The same of the clean copy, if that is packed otherwise; "plain": it isn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) clean_packing: Option<String>,
    /// Where its clean copy is, from the record's folder; `-`: it went to standard output; none: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) clean: Option<RecordedPath>,
    /// How many rows each row group of a table has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row_groups: Option<Vec<u64>>,
    /// How a text was encoded that was decoded, since it isn't UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<String>,
}

const FORMS: [(Form, &str); 6] = [
    (Form::Text, "text"),
    (Form::Jsonl, "jsonl"),
    (Form::Warc, "warc"),
    (Form::Parquet, "parquet"),
    (Form::Feed, "feed"),
    (Form::Html, "html"),
];

impl FileLine {
    pub(super) fn name_of(form: Form) -> String {
        FORMS.iter().find(|(known, _)| *known == form).expect("each form has its name").1.into()
    }

    pub(super) fn form(&self) -> Option<Form> {
        FORMS.iter().find(|(_, name)| *name == self.form).map(|(form, _)| *form)
    }

    pub(super) fn packing(&self) -> Option<Packing> {
        self.packing.as_deref().map_or(Some(Packing::Plain), packing_named)
    }

    pub(super) fn clean_packing(&self) -> Option<Packing> {
        self.clean_packing.as_deref().map_or_else(|| self.packing(), packing_named)
    }
}

/// What isn't packed is so by name.
pub(super) const PLAIN: &str = "plain";

fn packing_named(name: &str) -> Option<Packing> {
    let all = [Packing::Plain, Packing::Gzip, Packing::Zstd];
    all.into_iter().find(|packing| packing.extension().unwrap_or(PLAIN) == name)
}

/// A part of a file is recorded.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct PartLine {
    /// Its bytes in the original.
    pub(super) part: Place,
    /// XXH3-128 of those.
    pub(super) hash: String,
    /// How many bytes of the clean copy come of them.
    pub(super) clean: u64,
    /// XXH3-128 of those.
    pub(super) clean_hash: String,
    /// XXH3-128 of the lines of its cuts, each with its line end.
    pub(super) sum: String,
}

/// Rows of a table that went as a whole.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct RowsLine<'a> {
    /// Their numbers, from 0 on.
    pub(super) rows: Vec<u64>,
    /// A Parquet file of them, whose texts are empty.
    #[serde(borrow)]
    pub(super) parquet: Literal<'a>,
    /// XXH3-128 of that file.
    pub(super) sum: String,
}

/// A file ends.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct EndsLine {
    pub(super) ends: u32,
    /// The size of the original, unpacked.
    pub(super) bytes: u64,
    /// The size of the clean copy, unpacked.
    pub(super) clean_bytes: u64,
    /// Whether the stream broke off behind what is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) broke_off: bool,
}

/// The file of the clean copy of a table.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct CopyLine {
    /// The number of the table.
    pub(super) copy: u32,
    /// XXH3-128 of the file.
    pub(super) hash: String,
}

/// The run ends.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct CompleteLine {
    pub(super) complete: bool,
    pub(super) files: u64,
    pub(super) cuts: u64,
    /// XXH3-128 of all lines before it.
    pub(super) sum: String,
}

/// The rule by which a text is repaired (`--tidy`).
pub(super) const TIDIED: &str = "tidied";
/// The rule by which a broken record goes (`--on-error drop`).
pub(super) const BROKEN: &str = "broken-record";
/// The rule by which text goes with its document although it doesn't repeat (`--drop-above`).
pub(super) const TOO_REPETITIVE: &str = "too-repetitive";
/// The rule by which the head of a record is written anew, whose text became shorter.
pub(super) const HEAD: &str = "record-head";

/// A cut.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct CutLine<'a> {
    /// The bytes of the original that went.
    pub(super) cut: Place,
    /// The record that its document is, if the file is a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<u64>,
    /// The id of that.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    /// Why, by the rule's name; others may come.
    #[serde(borrow)]
    pub(super) rule: Cow<'a, str>,
    /// Whether its document went as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) dropped: bool,
    /// The text that repeats; none: the pieces that are its witness.
    #[serde(default, skip_serializing_if = "SmallVec::is_empty")]
    pub(super) repeat: SmallVec<[Place; 1]>,
    /// The text that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) witness: Option<WitnessOf>,
    /// How similar they are, where they need not be equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) similarity: Option<f64>,
    /// What was cut, piece by piece.
    #[serde(borrow)]
    pub(super) pieces: SmallVec<[Piece<'a>; 4]>,
    /// What stands in its place in the clean copy.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) insert: Option<Literal<'a>>,
}

/// The text that justifies a cut.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct WitnessOf {
    /// The number of its file; none: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<u32>,
    /// The record that its document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<u64>,
    /// Its bytes in its original.
    pub(super) ranges: SmallVec<[Place; 2]>,
}

/// A range of bytes: `[start, end]`, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Place(pub(super) u64, pub(super) u64);

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Self(span.start, span.end)
    }
}

impl From<Place> for Span {
    /// Of one that ends before it begins, nothing.
    fn from(Place(start, end): Place) -> Self {
        Span { start, end: end.max(start) }
    }
}

/// A piece of what was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A range of the witness, by its number among those, from 0 on.
    Witness(usize),
    Literal(Literal<'a>),
}

/// Bytes: a string, or an object with base64 if they aren't UTF-8, or are as UTF-16 is, whose NULs take six characters each in a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal<'a>(pub(super) Cow<'a, [u8]>);

/// A path, which need not be UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordedPath(pub(super) PathBuf);

impl RecordedPath {
    /// Whether it is `-`.
    pub(super) fn is_stream(&self) -> bool {
        self.0.as_os_str() == STREAM
    }
}

impl Serialize for RecordedPath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Literal(self.0.as_os_str().as_bytes().into()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for RecordedPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Literal(bytes) = Literal::deserialize(from)?;
        Ok(Self(OsString::from_vec(bytes.into_owned()).into()))
    }
}

impl Serialize for Literal<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = simdutf8::basic::from_utf8(&self.0)
            && memchr::memchr(0, text.as_bytes()).is_none()
        {
            return to.serialize_str(text);
        }
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry("base64", &BASE64.encode(&self.0))?;
        map.end()
    }
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Piece::Witness(number) => number.serialize(to),
            Piece::Literal(literal) => literal.serialize(to),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyPiece)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Literal<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.deserialize_any(AnyPiece)? {
            Piece::Literal(literal) => Ok(literal),
            Piece::Witness(_) => Err(D::Error::custom("a number, where bytes should stand")),
        }
    }
}

struct AnyPiece;

impl<'de> Visitor<'de> for AnyPiece {
    type Value = Piece<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an object with base64, or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Piece::Literal(Literal(text.as_bytes().into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Piece::Literal(Literal(text.as_bytes().to_owned().into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Piece::Witness(usize::try_from(number).unwrap_or(usize::MAX)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some(("base64", encoded)) = map.next_entry::<&str, Cow<str>>()? else {
            return Err(A::Error::custom("bytes that are neither a string nor base64"));
        };
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(A::Error::custom)?;
        Ok(Piece::Literal(Literal(bytes.into())))
    }
}

impl Line {
    /// What a line is, told by its first key.
    pub(super) fn read(line: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(AnyLine)
    }
}

struct AnyLine;

impl<'de> Visitor<'de> for AnyLine {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some(first) = map.next_key::<&str>()? else { return Err(A::Error::custom("an empty object")) };
        let rest = MapAccessDeserializer::new(First { key: Some(first), map });
        Ok(match first {
            "unecho-record" => Line::Header(Header::deserialize(rest)?),
            "file" => Line::File(FileLine::deserialize(rest)?),
            "cut" => CutLine::deserialize(rest).map(|_| Line::Cut)?,
            "part" => Line::Part(PartLine::deserialize(rest)?),
            "rows" => {
                let RowsLine { rows, parquet, sum } = RowsLine::deserialize(rest)?;
                if hex(fingerprint(&parquet.0)) != sum {
                    return Err(A::Error::custom("its rows aren't as they were written"));
                }
                Line::Rows(rows)
            }
            "ends" => Line::Ends(EndsLine::deserialize(rest)?),
            "copy" => Line::Copy(CopyLine::deserialize(rest)?),
            "fails" => Line::Fails(FailsLine::deserialize(rest)?.fails),
            "complete" => Line::Complete(CompleteLine::deserialize(rest)?),
            _ => {
                serde::de::IgnoredAny::deserialize(rest)?;
                Line::Other
            }
        })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct FailsLine {
    pub(super) fails: u32,
}

/// A map whose first key was read.
struct First<'de, A> {
    key: Option<&'de str>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for First<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: serde::de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(key)).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: serde::de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
