//! Single rows of a table, but for their texts, as tables of their own.

use super::file::Spool;
use super::writing::{Group, TextEncoder, write_group, writer_like};
use super::{Fault, Table};
use crate::source::Fields;
use bytes::Bytes;
use std::fs::File;

/// Takes rows out of a table.
pub struct Extracts {
    table: Table,
    spool: Spool,
    /// The row group that the next row is in, and the number of its first row, from 0 on.
    row_group: usize,
    first_row: u64,
}

/// About so many bytes have the rows that are taken out together: what is made of them is in memory.
const AT_ONCE: u64 = 16 << 20;

impl Extracts {
    /// Rows of the table in `file`, whose columns wait for their turn in `spool`.
    ///
    /// # Errors
    /// If it is no Parquet file, or has no such column of strings.
    pub fn open(file: File, fields: &Fields, spool: Spool) -> Result<Self, Fault> {
        Ok(Self { table: Table::with_page_index(file, fields)?, spool, row_group: 0, first_row: 0 })
    }

    /// How many rows each row group has.
    pub fn row_groups(&self) -> Vec<u64> {
        (0..self.table.metadata.num_row_groups()).map(|group| self.table.rows(group)).collect()
    }

    /// A table of the first of these rows, with empty texts, and how many of them it has: those of one row group at most. Rows are
    /// numbered from 0 on, have a text, and come in order, behind those of the last call.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn next(&mut self, rows: &[u64]) -> Result<(usize, Vec<u8>), Fault> {
        let Self { table, spool, row_group, first_row } = self;
        while rows[0] - *first_row >= table.rows(*row_group) {
            *first_row += table.rows(*row_group);
            *row_group += 1;
        }
        let (group, in_group) = (table.group(*row_group), table.rows(*row_group));
        let others = group.columns().iter().enumerate().filter(|(column, _)| *column != table.text);
        let bytes: u64 = others.map(|(_, chunk)| chunk.uncompressed_size() as u64).sum();
        let most = AT_ONCE / (bytes / in_group).max(1);
        let count = rows.iter().take(most.max(1) as usize).take_while(|row| **row - *first_row < in_group).count();

        let mut stays = vec![false; in_group as usize];
        rows[..count].iter().for_each(|row| stays[(row - *first_row) as usize] = true);
        let broken = |error| Fault::in_group(error, *row_group, None);
        let mut texts = TextEncoder::new(table, *row_group, spool).map_err(broken)?;
        for _ in 0..count {
            texts.push(table.text_level(), Some(Bytes::new()));
        }
        texts.encode().map_err(broken)?;
        let group = Group { number: *row_group, rows: in_group, stays, texts: Some(texts) };
        let mut to = writer_like(table, Vec::new())?;
        write_group(table, spool, group, &mut to).map_err(broken)?;
        to.finish().map_err(broken)?;
        Ok((count, to.inner_mut().take()))
    }
}
