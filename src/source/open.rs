//! A container opened to be read stretch by stretch, and again.

use super::at::At;
use super::load::{is_binary, refuse_no_text};
use super::packing::MAGIC;
#[cfg(feature = "parquet")]
use super::parquet;
use super::stretches::{Pace, Stretches};
use super::{Fields, Form, Input, Origin, Packing, Source, warc};
use crate::error::{Error, Result};
use crate::scratch::{in_folder, nameless};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::path::Path;

/// A container whose records are found as it is read comes in stretches of this size.
pub(super) const LOT: usize = 512 << 10;
/// So much of the beginning tells what it is.
const PROBE: u64 = 8 << 10;

/// Opens a container whose bytes are to come stretch by stretch: the source, which holds none of them, and those; `None` if it was
/// found and is binary. `keeps_broken`: of one that breaks off a part of a line comes, too. What can't be read as it comes by a pipe is
/// written to a file in `temporary` first, also if that is because it `comes_twice`.
///
/// # Errors
/// If it can't be opened.
pub(crate) fn open(
    input: &Input,
    fields: &Fields,
    keeps_broken: bool,
    pace: Pace,
    temporary: &Path,
    comes_twice: bool,
) -> Result<Option<(Source, Stretches)>> {
    let failed = |error| Error::io(input.place(), error);
    if input.form == Form::Parquet {
        return table(input, fields, pace, temporary).map(Some).map_err(failed);
    }
    let opened = || {
        let (file, metadata) = file(input)?;
        // What may come twice and isn't lines must be read at any place.
        let is_spooled = comes_twice && input.form == Form::Warc && !metadata.is_file();
        let spool = if is_spooled { Some(spooled(&file, temporary)?) } else { None };
        let read = spool.as_ref().unwrap_or(&file).try_clone()?;
        let start = { &read }.stream_position().unwrap_or(0);
        let mut first = Vec::new();
        let packing = if input.from == Origin::Stdin {
            (&read).take(MAGIC as u64).read_to_end(&mut first)?;
            Packing::of_bytes(&first)
        } else {
            input.packing
        };
        let mut reader = packing.reader(io::Cursor::new(first).chain(read))?;
        let mut beginning = Vec::new();
        let _ = (&mut reader).take(PROBE).read_to_end(&mut beginning); // what fails will fail again
        let source = Source::of_stream(input, file, &metadata, packing, spool, start);
        Ok((source, beginning, reader))
    };
    let (source, beginning, reader) = opened().map_err(failed)?;
    if input.form.has_lines() && matches!(input.from, Origin::Walked(_)) && is_binary(&beginning) {
        return Ok(None);
    }
    refuse_no_text(input, &beginning)?;
    let stream = io::Cursor::new(beginning).chain(reader);
    let stretches = match input.form {
        Form::Warc => Stretches::of_records(warc::Stretches::new(stream, LOT, pace.longest), pace, 0),
        _ => Stretches::of_stream(stream, keeps_broken, pace, 0),
    };
    Ok(Some((source, stretches.map_err(failed)?)))
}

/// Opens a table. Its file must be one that can be read at any place.
fn table(input: &Input, fields: &Fields, pace: Pace, temporary: &Path) -> io::Result<(Source, Stretches)> {
    if input.packing != Packing::Plain {
        let why = "is a packed Parquet file, and Parquet packs its pages itself; unpack it first";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let (file, metadata) = file(input)?;
    let spool = if metadata.is_file() { None } else { Some(spooled(&file, temporary)?) };
    let source = Source::of_stream(input, file, &metadata, Packing::Plain, spool, 0);
    let stretches = rows(source.file()?, fields, pace, 0)?;
    Ok((source, stretches))
}

/// How many bytes the texts of an input have, if it says so itself.
pub(crate) fn texts_of(input: &Input, fields: &Fields) -> Option<u64> {
    #[cfg(feature = "parquet")]
    if input.form == Form::Parquet {
        return parquet::texts_of(File::open(input.path()).ok()?, fields);
    }
    let _ = (input, fields);
    None
}

/// The file of an input, or the pipe that it is.
fn file(input: &Input) -> io::Result<(File, Metadata)> {
    let file = match &input.from {
        Origin::Stdin => File::from(io::stdin().as_fd().try_clone_to_owned()?),
        Origin::Named(path) | Origin::Walked(path) => File::open(path)?,
    };
    let metadata = file.metadata()?;
    if metadata.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, metadata)) }
}

/// What comes by a pipe, in a file without a name.
pub(super) fn spooled(mut from: impl Read, folder: &Path) -> io::Result<File> {
    let mut file = nameless(folder)?;
    let copied = io::copy(&mut from, &mut file);
    copied.map_err(|error| if error.kind() == io::ErrorKind::StorageFull { in_folder(folder, &error) } else { error })?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The rows of a table in stretches, behind the first `done` of those.
#[cfg(feature = "parquet")]
fn rows(file: File, fields: &Fields, pace: Pace, done: u64) -> io::Result<Stretches> {
    let texts = parquet::Texts::open(file, fields)?;
    Stretches::of_records(parquet::Stretches::new(texts, LOT), pace, done)
}

#[cfg(not(feature = "parquet"))]
fn rows(_: File, _: &Fields, _: Pace, _: u64) -> io::Result<Stretches> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this unecho was built without Parquet"))
}

/// The stretches of a container again, from the same open file, behind the first `bytes` of what it unpacks to, or the first
/// `stretches` if its records aren't lines.
///
/// # Errors
/// If it can't be read.
pub(crate) fn again(
    input: &Input,
    source: &Source,
    fields: &Fields,
    (bytes, stretches): (u64, u64),
    keeps_broken: bool,
    pace: Pace,
) -> Result<Stretches> {
    let opened = || {
        let file = source.file()?;
        match input.form {
            Form::Parquet => rows(file, fields, pace, stretches),
            Form::Warc => {
                let stream = source.packing().reader(At { file, next: source.start() })?;
                Stretches::of_records(warc::Stretches::new(stream, LOT, pace.longest), pace, stretches)
            }
            _ if source.packing() == Packing::Plain => Stretches::of_stream(At { file, next: bytes }, keeps_broken, pace, 0),
            _ => Stretches::of_stream(source.packing().reader(At { file, next: 0 })?, keeps_broken, pace, bytes),
        }
    };
    opened().map_err(|error| Error::io(input.place(), error))
}
