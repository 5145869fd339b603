//! Whether a copy has all that its table has, but for the texts.

use super::columns::is_same;
use super::{Fault, Table, guarded};
use crate::source::Fields;
use std::fs::File;

/// The first column, but that of the texts, in which a copy isn't the table in `original` less the rows that it `lacks`, by their numbers
/// from 0 on; with the number of the row group in the copy, from 1 on.
///
/// # Errors
/// If one of them is no Parquet file, or can't be read.
pub fn difference(
    original: File,
    copy: File,
    fields: &Fields,
    lacks: impl Fn(u64) -> bool,
) -> Result<Option<(String, usize)>, Fault> {
    let (table, copy) = (Table::open(original, fields)?, Table::open(copy, fields)?);
    let schema = |table: &Table| table.metadata.file_metadata().schema_descr().root_schema_ptr();
    if schema(&table) != schema(&copy) {
        return Ok(Some(("all columns".into(), 1)));
    }
    let (mut first, mut in_copy) = (0u64, 0);
    for row_group in 0..table.metadata.num_row_groups() {
        let rows = table.rows(row_group);
        let mut stays = Vec::new();
        let room = usize::try_from(rows).ok().and_then(|rows| stays.try_reserve(rows).ok());
        room.ok_or_else(|| Fault::NotParquet(format!("row group {} has more rows than memory holds", row_group + 1)))?;
        stays.extend((first..first.saturating_add(rows)).map(|row| !lacks(row)));
        first = first.saturating_add(rows);
        let kept = stays.iter().filter(|stays| **stays).count() as u64;
        if kept == 0 {
            continue;
        }
        if in_copy == copy.metadata.num_row_groups() || copy.rows(in_copy) != kept {
            return Ok(Some(("the number of rows".into(), in_copy + 1)));
        }
        for column in (0..table.group(row_group).num_columns()).filter(|column| *column != table.text) {
            let is_same = guarded(|| is_same((&table, row_group), (&copy, in_copy), column, &stays));
            if !is_same.map_err(|error| Fault::in_group(error, in_copy, None))? {
                let name = table.group(row_group).column(column).column_path().string();
                return Ok(Some((format!("column {name}"), in_copy + 1)));
            }
        }
        in_copy += 1;
    }
    if in_copy < copy.metadata.num_row_groups() {
        return Ok(Some(("the number of rows".into(), in_copy + 1)));
    }
    Ok(None)
}
