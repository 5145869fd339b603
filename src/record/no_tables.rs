//! What stands for tables where Parquet isn't read: there are none.

use super::format::RowsLine;
use super::texts::Texts;
use crate::apply::{Draft, Outputs};
use crate::error::{Error, Result};
use crate::runner::Portion;

pub(super) enum Table {}

impl Table {
    pub(super) fn of(_: &Portion, _: &Outputs) -> Result<Option<Self>> {
        Ok(None)
    }

    pub(super) fn row_groups(&self) -> Vec<u64> {
        match *self {}
    }

    pub(super) fn each_line(&mut self, _: &[u64], _: impl FnMut(RowsLine) -> Result<()>) -> Result<()> {
        match *self {}
    }
}

pub(super) fn restored(texts: &Texts, file: usize, _: Draft) -> Result<Draft> {
    Err(Error::refused(texts.file(file).original.place(), "is a table, and this unecho was built without Parquet"))
}

pub(super) fn ensure_same(texts: &Texts, file: usize) -> Result<()> {
    Err(Error::refused(texts.file(file).original.place(), "is a table, and this unecho was built without Parquet"))
}
