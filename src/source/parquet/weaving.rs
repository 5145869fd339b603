//! A table made again, row group by row group: of its copy, of the rows that the copy lacks, and of its texts. What the copy has
//! as it was is copied as it stands.

use super::columns::{as_it_stands, woven};
use super::file::{Out, Spool};
use super::reading::{GroupTexts, Values};
use super::writing::{TextEncoder, in_column, writer_like};
use super::{Fault, Table, guarded, system_error};
use crate::error::count;
use crate::source::Fields;
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::SerializedFileWriter;
use bytes::Bytes;
use std::fs::File;
use std::io::Write;

/// Rows that the copy lacks: a table of them, with any texts.
pub struct Apart {
    table: Table,
    /// Which rows of their row group they are, from 0 on.
    rows: Vec<u64>,
}

impl Apart {
    /// The rows in `file`, which are these rows of a row group.
    ///
    /// # Errors
    /// If it is no Parquet file, or doesn't have so many rows in one row group.
    pub fn open(file: File, fields: &Fields, rows: Vec<u64>) -> Result<Self, Fault> {
        let table = Table::open(file, fields)?;
        let is_of_them = table.metadata.num_row_groups() == 1 && table.rows(0) == rows.len() as u64;
        if is_of_them { Ok(Self { table, rows }) } else { Err(Fault::NotWritten("the rows in it are others".into())) }
    }
}

/// Makes the table again.
pub struct Weaver<W: Write + Send> {
    /// The copy.
    table: Table,
    spool: Spool,
    to: SerializedFileWriter<Out<W>>,
    /// The next row group of the copy, which has no empty ones, and the number of its first row, from 1 on.
    next_group: usize,
    next_row: u64,
}

/// About so many bytes of text are encoded at once.
const AT_ONCE: usize = 4 << 20;

impl<W: Write + Send> Weaver<W> {
    /// A writer to `to` of the table that `copy` is the copy of; columns wait for their turn in `spool`.
    ///
    /// # Errors
    /// If it is no Parquet file, has no such column of strings, or `to` can't be written to.
    pub fn new(copy: File, fields: &Fields, spool: Spool, to: W) -> Result<Self, Fault> {
        let table = Table::with_page_index(copy, fields)?;
        let to = writer_like(&table, to)?;
        Ok(Self { table, spool, to, next_group: 0, next_row: 1 })
    }

    /// The next row group, of `rows` rows, some of which are `apart`. `text` gives the text of a row by its number in the group and
    /// the length of the text that the copy has; `None`: the copy lacks the row.
    ///
    /// # Errors
    /// If these aren't the rows that the copy lacks, something can't be read, or the table can't be written; and those of `text`.
    pub fn group<E: From<Fault>>(
        &mut self,
        rows: u64,
        apart: &[Apart],
        text: impl FnMut(u64, Option<u64>) -> Result<Bytes, E>,
    ) -> Result<(), E> {
        let Self { table, spool, to, next_group, next_row } = self;
        let from = sources(table, *next_group, rows, apart)?;
        let has_copy = from.len() > apart.len();
        let written = if rows == 0 {
            write_empty(to)
        } else {
            let mut group = Group { from, has_copy, of: Vec::new() };
            let texts = group.texts(rows, apart, *next_row, spool, text)?;
            group.write(texts, spool, to)
        };
        let fault = |error| to.inner_mut().fault().unwrap_or_else(|| Fault::in_group(error, *next_group, None));
        written.map_err(fault)?;
        if has_copy {
            *next_row += table.rows(*next_group);
            *next_group += 1;
        }
        Ok(())
    }

    /// Ends the table.
    ///
    /// # Errors
    /// If the copy has more rows, or the table can't be written.
    pub fn finish(mut self) -> Result<W, Fault> {
        if self.next_group < self.table.metadata.num_row_groups() {
            return Err(unfit("it has more rows than stayed"));
        }
        let finished = self.to.finish();
        let fault = |error| system_error(error).map_or_else(Fault::NotWritten, Fault::Write);
        match finished {
            Err(error) => Err(self.to.inner_mut().fault().unwrap_or_else(|| fault(error))),
            Ok(_) => Ok(self.to.inner_mut().take()),
        }
    }
}

/// The row groups that one of `rows` rows is made of: row group `next` of the copy, unless all rows are `apart`, then those.
fn sources<'a>(copy: &'a Table, next: usize, rows: u64, apart: &'a [Apart]) -> Result<Vec<(&'a Table, usize)>, Fault> {
    let lacks = apart.iter().map(|apart| apart.rows.len() as u64).sum();
    let wanted = rows.checked_sub(lacks).ok_or_else(|| unfit("more rows went than there were"))?;
    let has = if next < copy.metadata.num_row_groups() { copy.rows(next) } else { 0 };
    if wanted > 0 && has != wanted {
        return Err(unfit(&format!("its row group {} has {} rows, not {}", next + 1, count(has), count(wanted))));
    }
    let schema = |table: &Table| table.metadata.file_metadata().schema_descr().root_schema_ptr();
    if apart.iter().any(|apart| schema(&apart.table) != schema(copy)) {
        return Err(unfit("rows that went have other columns"));
    }
    let of_copy = (wanted > 0).then_some((copy, next));
    Ok(of_copy.into_iter().chain(apart.iter().map(|apart| (&apart.table, 0))).collect())
}

/// A row group, and where its rows come from.
struct Group<'a> {
    /// Row groups.
    from: Vec<(&'a Table, usize)>,
    /// Whether the first of them is that of the copy.
    has_copy: bool,
    /// For each row which of them it is in.
    of: Vec<u32>,
}

impl Group<'_> {
    /// The texts, encoded. On the way it is seen where each row comes from. `first_row` is the number of the copy's next row.
    fn texts<E: From<Fault>>(
        &mut self,
        rows: u64,
        apart: &[Apart],
        first_row: u64,
        spool: &Spool,
        mut text: impl FnMut(u64, Option<u64>) -> Result<Bytes, E>,
    ) -> Result<TextEncoder, E> {
        let (like, row_group) = self.from[0];
        let broken = |error| Fault::in_group(error, row_group, None);
        let text_level = like.text_level();
        let mut texts = TextEncoder::new(like, row_group, spool).map_err(broken)?;
        let mut copy = if self.has_copy { Some(GroupTexts::new(like, row_group, first_row)?) } else { None };
        let numbered = apart.iter().zip(u32::from(self.has_copy)..);
        let mut apart = numbered.flat_map(|(apart, of)| apart.rows.iter().map(move |row| (*row, of))).peekable();
        let (mut values, mut next, mut waiting) = (None::<Values>, 0, 0);
        for row in 0..rows {
            let (level, stayed) = if let Some((_, of)) = apart.next_if(|(apart, _)| *apart == row) {
                self.of.push(of);
                (text_level, None)
            } else {
                if values.as_ref().is_none_or(|values| values.len() == next) {
                    let read = copy.as_mut().map_or(Ok(None), |copy| copy.next(AT_ONCE, u64::MAX))?;
                    (values, next) = (read, 0);
                }
                let values = values.as_ref().ok_or_else(|| unfit("it lacks other rows"))?;
                self.of.push(0);
                next += 1;
                (values.levels.get(next - 1).copied().unwrap_or(text_level), Some(values.span(next - 1).len()))
            };
            let text = if level == text_level { Some(text(row, stayed)?) } else { None };
            waiting += size_of::<Bytes>() + text.as_ref().map_or(0, Bytes::len);
            texts.push(level, text);
            if waiting >= AT_ONCE {
                texts.encode().map_err(broken)?;
                waiting = 0;
            }
        }
        if apart.next().is_some() { Err(unfit("it lacks other rows").into()) } else { Ok(texts) }
    }

    fn write<W: Write + Send>(
        &self,
        texts: TextEncoder,
        spool: &Spool,
        to: &mut SerializedFileWriter<Out<W>>,
    ) -> Result<(), ParquetError> {
        let mut to = to.next_row_group()?;
        let (first, row_group) = self.from[0];
        let mut texts = Some(texts);
        for column in 0..first.group(row_group).num_columns() {
            let (chunk, close) = match (texts.take_if(|_| column == first.text), &self.from[..]) {
                (Some(texts), _) => texts.finish()?,
                (None, [_]) => {
                    to.append_column(&first.file, as_it_stands(first, row_group, column)?)?;
                    continue;
                }
                (None, from) => {
                    let woven = guarded(|| woven(from, spool, column, &self.of));
                    woven.map_err(|error| in_column(first, column, error))?
                }
            };
            chunk.append_to(&mut to, close)?;
        }
        to.close().map(drop)
    }
}

fn write_empty<W: Write + Send>(to: &mut SerializedFileWriter<Out<W>>) -> Result<(), ParquetError> {
    let mut to = to.next_row_group()?;
    while let Some(column) = to.next_column()? {
        column.close()?;
    }
    to.close().map(drop)
}

/// The copy, or what is apart, is not of this table.
fn unfit(why: &str) -> Fault {
    Fault::NotWritten(format!("is no copy of the table: {why}"))
}
