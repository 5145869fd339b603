//! How the pieces of a growing output get into its file, in each form that there is.

use super::copy::CleanCopy;
use super::piece::Kind;
#[cfg(feature = "parquet")]
use crate::scratch::{in_folder, nameless};
#[cfg(feature = "parquet")]
use crate::source::parquet::{JsonLines, Rewriter, Rows, Spool, from_json_lines};
use crate::source::{Fields, Form, Packer, Packing};
use crate::threads::Threads;
use std::fs::File;
use std::io::{self, Write};
#[cfg(feature = "parquet")]
use std::io::{BufReader, BufWriter, Seek};
use std::path::PathBuf;

/// How an output is written.
#[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "no table is read or written"))]
pub(super) struct Writing {
    /// The form of what comes.
    pub(super) from: Form,
    /// The form of the output.
    pub(super) to: Form,
    pub(super) packing: Packing,
    /// The file of a table that its rows come from.
    pub(super) table: Option<File>,
    pub(super) fields: Fields,
    /// Where temporary files go.
    pub(super) folder: PathBuf,
    /// So many bytes may wait to be written.
    pub(super) waiting: usize,
    /// So much memory may packing take.
    pub(super) memory: usize,
}

/// An output of a form.
pub(super) enum Sink {
    /// Bytes as they come.
    Plain(File),
    Packed(Packer<File>),
    #[cfg(feature = "parquet")]
    Table(Box<Rewriter<BufWriter<File>>>),
    /// The rows of a table as JSON lines.
    #[cfg(feature = "parquet")]
    Lines(Box<JsonLines>, Packer<File>),
    /// JSON lines that become a table when all are there.
    #[cfg(feature = "parquet")]
    ToTable {
        lines: BufWriter<File>,
        fields: Fields,
        folder: PathBuf,
        to: File,
    },
}

impl Writing {
    /// Writes to a file. Packing uses the pool it is called in.
    pub(super) fn to(self, file: File) -> io::Result<Sink> {
        match (self.from, self.to) {
            #[cfg(feature = "parquet")]
            (Form::Parquet, Form::Parquet) => {
                let to = BufWriter::with_capacity(1 << 20, file);
                Ok(Sink::Table(Box::new(Rewriter::new(self.table()?, &self.fields, self.spool(), to)?)))
            }
            #[cfg(feature = "parquet")]
            (Form::Parquet, _) => {
                let lines = JsonLines::open(self.table()?, &self.fields)?;
                Ok(Sink::Lines(Box::new(lines), self.packer(file)?))
            }
            #[cfg(feature = "parquet")]
            (_, Form::Parquet) => {
                let lines = BufWriter::with_capacity(1 << 20, nameless(&self.folder)?);
                Ok(Sink::ToTable { lines, fields: self.fields, folder: self.folder, to: file })
            }
            _ if self.packing == Packing::Plain => Ok(Sink::Plain(file)),
            _ => Ok(Sink::Packed(self.packer(file)?)),
        }
    }

    fn packer(&self, file: File) -> io::Result<Packer<File>> {
        self.packing.writer(file, self.memory)
    }

    #[cfg(feature = "parquet")]
    fn spool(&self) -> Spool {
        Spool { held: self.waiting, folder: self.folder.clone() }
    }

    #[cfg(feature = "parquet")]
    fn table(&self) -> io::Result<File> {
        self.table.as_ref().map_or(Err(io::ErrorKind::NotFound.into()), File::try_clone)
    }
}

impl Sink {
    /// Writes what comes next.
    pub(super) fn put(&mut self, piece: Kind, threads: &Threads) -> io::Result<()> {
        match (self, piece) {
            (_, Kind::Nothing) => Ok(()),
            (Sink::Plain(file), Kind::Bytes { bytes, cuts, .. }) => plain(&bytes, &cuts).write_plain_to(file),
            (Sink::Packed(packer), Kind::Bytes { bytes, cuts, members }) => threads.run(|| {
                if members.is_empty() {
                    return plain(&bytes, &cuts).write_plain_to(packer);
                }
                let mut start = 0;
                for next in members {
                    packer.write_all(&bytes[start..next])?;
                    packer.end_member();
                    start = next;
                }
                packer.write_all(&bytes[start..])
            }),
            #[cfg(feature = "parquet")]
            (Sink::Table(table), Kind::Rows { rows, edits, dropped }) => {
                Ok(threads.run(|| table.append(Rows { values: &rows, edits: &edits, dropped: &dropped }))?)
            }
            #[cfg(feature = "parquet")]
            (Sink::Lines(lines, packer), Kind::Rows { rows, edits, dropped }) => threads.run(|| {
                let mut written = Vec::new();
                lines.append(Rows { values: &rows, edits: &edits, dropped: &dropped }, &mut written)?;
                packer.write_all(&written)
            }),
            #[cfg(feature = "parquet")]
            (Sink::ToTable { lines, folder, .. }, Kind::Bytes { bytes, cuts, .. }) => {
                plain(&bytes, &cuts).write_plain_to(lines).map_err(|error| in_folder(folder, &error))
            }
            _ => unreachable!("rows come of tables, bytes of all else"),
        }
    }

    /// Ends it as its form demands.
    pub(super) fn finish(self, threads: &Threads) -> io::Result<()> {
        match self {
            Sink::Plain(_) => Ok(()),
            Sink::Packed(packer) => threads.run(|| packer.finish()).map(drop),
            #[cfg(feature = "parquet")]
            Sink::Table(table) => threads.run(|| table.finish())?.into_inner().map(drop).map_err(io::IntoInnerError::into_error),
            #[cfg(feature = "parquet")]
            Sink::Lines(_, packer) => threads.run(|| packer.finish()).map(drop),
            #[cfg(feature = "parquet")]
            Sink::ToTable { lines, fields, folder, to } => {
                let mut lines = lines.into_inner().map_err(|error| in_folder(&folder, &error.into_error()))?;
                lines.rewind()?;
                let to = BufWriter::with_capacity(1 << 20, to);
                let written = threads.run(|| from_json_lines(BufReader::with_capacity(1 << 20, lines), &fields.text, to))?;
                written.into_inner().map(drop).map_err(io::IntoInnerError::into_error)
            }
        }
    }
}

fn plain<'a>(source: &'a [u8], cuts: &'a [crate::document::Span]) -> CleanCopy<'a> {
    CleanCopy { source, cuts, packing: Packing::Plain }
}
