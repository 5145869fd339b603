//! A column of a row group, encoded anew: pages are made by the library and packed by all threads, where the codec takes time.

use super::Table;
use super::file::{Chunk, Spool};
use ::parquet::basic::{Compression, Encoding, PageType};
use ::parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use ::parquet::column::writer::{ColumnCloseResult, ColumnWriterImpl, get_column_writer, get_typed_column_writer};
use ::parquet::data_type::DataType;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use ::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use bytes::Bytes;
use rayon::prelude::*;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// A column chunk that is being made.
pub(super) struct Encoder<T: DataType> {
    column: ColumnWriterImpl<'static, T>,
    waiting: Waiting,
    codec: Compression,
    /// So many bytes of pages may wait.
    held: usize,
    has_offset_index: bool,
    /// The chunk as far as its pages are packed.
    chunk: TrackedWrite<Chunk>,
    /// Where those stand in it.
    places: Vec<PageWriteSpec>,
}

/// Pages that aren't packed yet, in order.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<Vec<CompressedPage>>>);

impl Waiting {
    fn push(&self, page: CompressedPage) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(page);
    }

    /// All pages, if they are so many at least, or so many bytes.
    fn take(&self, least: usize, bytes: usize) -> Vec<CompressedPage> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_enough = pages.len() >= least || pages.iter().map(|page| page.data().len()).sum::<usize>() >= bytes;
        if is_enough { std::mem::take(&mut *pages) } else { Vec::new() }
    }
}

/// So many pages a thread are packed at once.
const PAGES_A_THREAD: usize = 4;

impl<T: DataType<T: Sync>> Encoder<T> {
    /// An encoder of the column `column` of row group `row_group` (both from 0 on) as it was encoded in `table`: with its
    /// codec, and with a dictionary, statistics, indexes and a Bloom filter where it had them. Whether a page is full is seen
    /// each `at_once` values, counted from the first one of each call of [`Encoder::append`].
    pub(super) fn like(table: &Table, row_group: usize, column: usize, at_once: usize, spool: &Spool) -> Self {
        let chunk = table.group(row_group).column(column);
        let index = table.metadata.page_index_for_row_group(row_group);
        let has_offset_index = index.offset_index(column).is_some();
        let codec = chunk.compression();
        let properties = properties(chunk, index.column_index(column).is_some(), table.rows(row_group), codec);
        let properties = properties.set_write_batch_size(at_once).build();
        let waiting = Waiting::default();
        let pages = Box::new(Queue { waiting: waiting.clone(), end: 0 });
        let column = get_typed_column_writer(get_column_writer(chunk.column_descr_ptr(), Arc::new(properties), pages));
        let (chunk, places) = (TrackedWrite::new(spool.chunk()), Vec::new());
        Self { column, waiting, codec, held: spool.held, has_offset_index, chunk, places }
    }

    /// Appends rows: the values of those that have one, and the levels of all, where the column has such levels.
    pub(super) fn append(&mut self, values: &[T::T], definitions: &[i16], repetitions: &[i16]) -> Result<()> {
        let (value_level, repeated_level) = {
            let descr = self.column.get_descriptor();
            (descr.max_def_level(), descr.max_rep_level())
        };
        let definitions = (value_level > 0).then_some(definitions);
        let repetitions = (repeated_level > 0).then_some(repetitions);
        let pages = self.waiting.take(PAGES_A_THREAD * rayon::current_num_threads(), self.held);
        // The pages of the rows before are packed while those of these rows are made.
        let (packed, written) = rayon::join(
            || pack(pages, self.codec, &mut self.chunk, &mut self.places),
            || self.column.write_batch(values, definitions, repetitions),
        );
        packed.and(written.map(drop))
    }

    /// The whole chunk, and what is to be said of it.
    pub(super) fn finish(mut self) -> Result<(Chunk, ColumnCloseResult)> {
        let mut close = self.column.close()?;
        pack(self.waiting.take(0, 0), self.codec, &mut self.chunk, &mut self.places)?;
        let is_dictionary = |place: &&PageWriteSpec| place.page_type == PageType::DICTIONARY_PAGE;
        let data = self.places.iter().filter(|place| !is_dictionary(place));
        let data_page = data.clone().next().map_or(0, |place| place.offset as i64);
        let dictionary_page = self.places.iter().find(is_dictionary).map(|place| place.offset as i64);
        close.bytes_written = self.places.iter().map(|place| place.bytes_written).sum();
        let uncompressed: usize = self.places.iter().map(|place| place.uncompressed_size).sum();
        let metadata = close.metadata.into_builder().set_compression(self.codec);
        let metadata = metadata.set_total_compressed_size(close.bytes_written as i64).set_data_page_offset(data_page);
        let metadata = metadata.set_total_uncompressed_size(uncompressed as i64).set_dictionary_page_offset(dictionary_page);
        close.metadata = metadata.build()?;
        close.offset_index = close.offset_index.filter(|_| self.has_offset_index);
        if let Some(index) = &mut close.offset_index {
            for (location, place) in index.page_locations.iter_mut().zip(data) {
                location.offset = place.offset as i64;
                location.compressed_page_size = place.compressed_size as i32;
            }
        }
        self.chunk.flush()?;
        Ok((self.chunk.into_inner()?, close))
    }
}

/// Whether pages of this codec are packed here, by all threads. The others are fast, or seldom met.
fn is_packed_here(codec: Compression) -> bool {
    matches!(codec, Compression::ZSTD(_) | Compression::GZIP(_))
}

fn properties(chunk: &ColumnChunkMetaData, has_index: bool, rows: u64, codec: Compression) -> WriterPropertiesBuilder {
    /// Besides the plain one and dictionaries.
    const KNOWN: [Encoding; 4] = [
        Encoding::DELTA_BINARY_PACKED,
        Encoding::DELTA_LENGTH_BYTE_ARRAY,
        Encoding::DELTA_BYTE_ARRAY,
        Encoding::BYTE_STREAM_SPLIT,
    ];
    let had = |encoding: Encoding| chunk.encodings().any(|of_it| of_it == encoding);
    let statistics = match chunk.statistics() {
        _ if has_index => EnabledStatistics::Page,
        Some(_) => EnabledStatistics::Chunk,
        None => EnabledStatistics::None,
    };
    let mut properties = WriterProperties::builder()
        .set_compression(if is_packed_here(codec) { Compression::UNCOMPRESSED } else { codec })
        .set_dictionary_enabled(had(Encoding::RLE_DICTIONARY) || had(Encoding::PLAIN_DICTIONARY))
        .set_statistics_enabled(statistics);
    if let Some(encoding) = KNOWN.into_iter().find(|&encoding| had(encoding)) {
        properties = properties.set_encoding(encoding);
    }
    if chunk.bloom_filter_offset().is_some() {
        properties = properties.set_bloom_filter_enabled(true).set_bloom_filter_max_ndv(rows.max(1));
    }
    properties
}

/// Takes pages from the library.
struct Queue {
    waiting: Waiting,
    end: u64,
}

impl PageWriter for Queue {
    /// The sizes and places it gives are those before packing, which [`Encoder::finish`] sets right.
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec> {
        let mut place = PageWriteSpec::new();
        place.page_type = page.page_type();
        place.uncompressed_size = page.uncompressed_size();
        place.compressed_size = page.compressed_size();
        place.num_values = page.num_values();
        place.offset = self.end;
        place.bytes_written = page.compressed_size() as u64;
        self.end += place.bytes_written;
        self.waiting.push(page);
        Ok(place)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Packs pages and appends them to the chunk. Each is packed by itself, so that it makes no difference which come together.
fn pack(
    mut pages: Vec<CompressedPage>,
    codec: Compression,
    chunk: &mut TrackedWrite<Chunk>,
    places: &mut Vec<PageWriteSpec>,
) -> Result<()> {
    if is_packed_here(codec) {
        let packed = pages.into_par_iter().map_init(
            || None,
            |packer, page| match packer {
                Some(packer) => packed(packer, page),
                None => packed(packer.insert(Packer::new(codec)?), page),
            },
        );
        pages = packed.collect::<Result<_>>()?;
    }
    for page in pages {
        places.push(SerializedPageWriter::new(chunk).write_page(page)?);
    }
    Ok(())
}

fn packed(packer: &mut Packer, page: CompressedPage) -> Result<CompressedPage> {
    let uncompressed = page.uncompressed_size();
    let bytes = Bytes::from(packer.pack(page.data())?);
    let mut page = page.compressed_page().clone();
    match &mut page {
        Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = bytes,
        Page::DataPageV2 { .. } => return Err(ParquetError::General("pages of version 2 aren't written".into())),
    }
    Ok(CompressedPage::new(page, uncompressed))
}

/// What packs pages one by one.
enum Packer {
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip(u32),
}

impl Packer {
    fn new(codec: Compression) -> Result<Self> {
        Ok(match codec {
            Compression::GZIP(level) => Packer::Gzip(level.compression_level()),
            Compression::ZSTD(level) => Packer::Zstd(zstd::bulk::Compressor::new(level.compression_level())?),
            _ => return Err(ParquetError::General("only what is packed here has a packer here".into())),
        })
    }

    fn pack(&mut self, page: &[u8]) -> Result<Vec<u8>> {
        match self {
            Packer::Zstd(compressor) => Ok(compressor.compress(page)?),
            Packer::Gzip(level) => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(*level));
                encoder.write_all(page)?;
                Ok(encoder.finish()?)
            }
        }
    }
}
