//! Content codings undone: gzip (several members), deflate (zlib and raw), br, zstd, and stacks of them.
//!
//! The decoders are readers stacked on `Feed`, which says `WouldBlock` while more may come.
//! Output is taken in bounded steps, so a small input never becomes a large allocation here.
//! A stream that ends early or is corrupt is an error; so are more than five codings.
//! Who reads in pieces has them one by one, however many they are; what is kept whole has to stay within `Growth`.
//! So has what passes between two codings and comes to nothing: a kilobyte can hold a thousand million empty members,
//! and in all of them there is no piece that a reader could say no to.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};

use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::options::Growth;

/// Codings one after the other that are undone; nobody stacks more in earnest (urllib3 and curl draw the line at 5).
const DEPTH: usize = 5;

/// Up to here a body may grow as it likes: so much has to fit anyway, and honest small ones grow the most.
const FLOOR: u64 = 64 * 1024 * 1024;

/// Work without a break, in bytes that pass between codings: some ten milliseconds if they are the worst there are.
const STINT: usize = 256 * 1024;

/// What one `read` is counted as, whatever it brings.
const ONE_READ: usize = 1024;

impl Growth {
    /// # Errors
    /// `TooLarge`, with the limit's name.
    fn check(&self, codings: &str, came: u64, made: u64) -> Result<(), Error> {
        let refuse = |limit: &str| {
            let why = format!("the body grew from {came} bytes to {made} as {codings} was undone: {limit}");
            Err(Error::new(Kind::TooLarge, Phase::Read, why))
        };
        if self.bytes > 0 && made > self.bytes {
            return refuse(&format!("max_decoded_bytes is {}", self.bytes));
        }
        if self.ratio > 0 && made > FLOOR && made / self.ratio > came {
            return refuse(&format!("max_decoded_ratio is {}", self.ratio));
        }
        Ok(())
    }
}

/// What the wire has delivered and the decoders have not read.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<FeedState>>);

#[derive(Default)]
struct FeedState {
    pieces: VecDeque<Bytes>,
    ended: bool,
    /// Done since the last break.
    worked: usize,
    /// Bytes from one coding to the next, in all.
    passed: u64,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, FeedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut feed = self.lock();
        let Some(piece) = feed.pieces.front_mut() else {
            return if feed.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        };
        let n = piece.len().min(out.len());
        piece.copy_to_slice(&mut out[..n]);
        if piece.is_empty() {
            feed.pieces.pop_front();
        }
        Ok(n)
    }
}

/// What one coding hands to the next; like `Feed` it says `WouldBlock`, when it is time for a break.
/// Two have it, since the upper coding may be content before the lower one has ended.
#[derive(Clone)]
struct Between {
    below: Arc<Mutex<Box<dyn Read + Send>>>,
    feed: Feed,
}

impl Read for Between {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.feed.lock().worked >= STINT {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = self.below.lock().unwrap_or_else(PoisonError::into_inner).read(out)?;
        let mut feed = self.feed.lock();
        feed.worked += n;
        feed.passed += n as u64;
        Ok(n)
    }
}

/// The codings of one response, undone.
pub struct Decoder {
    feed: Feed,
    reader: Box<dyn Read + Send>,
    /// The uppermost coding has ended.
    over: bool,
    /// Those below it that have not, as far as is known; the lowest comes first.
    below: Vec<Between>,
    codings: String,
    growth: Growth,
    /// All of it is kept, so that it has to stay within `growth`.
    bounded: bool,
    came: u64,
    made: u64,
    /// What had passed between codings when something last came out.
    passed: u64,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({})", self.codings)
    }
}

impl Decoder {
    /// A decoder for `codings`, the value of Content-Encoding; `None` where there is nothing to undo
    /// or a coding is unknown (the body is then handed over as it came, as requests does).
    ///
    /// # Errors
    /// `Decode` for more than five codings or when a decoder cannot be made.
    pub fn new(codings: &[u8], growth: Growth) -> Result<Option<Decoder>, Error> {
        if codings.is_empty() {
            return Ok(None);
        }
        let codings: Vec<String> = String::from_utf8_lossy(codings)
            .split(',')
            .map(|coding| coding.trim().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity")
            .collect();
        if codings.len() > DEPTH {
            let why = format!("{} content codings on top of each other; {DEPTH} are undone", codings.len());
            return Err(Error::new(Kind::Decode, Phase::Read, why));
        }
        let known =
            |coding: &String| matches!(coding.as_str(), "gzip" | "x-gzip" | "deflate" | "br" | "zstd");
        if codings.is_empty() || !codings.iter().all(known) {
            return Ok(None);
        }
        let feed = Feed::default();
        let mut reader: Box<dyn Read + Send> = Box::new(feed.clone());
        let mut below = Vec::new();
        for (place, coding) in codings.iter().rev().enumerate() {
            if place > 0 {
                let between = Between { below: Arc::new(Mutex::new(reader)), feed: feed.clone() };
                reader = Box::new(between.clone());
                below.push(between);
            }
            reader = match coding.as_str() {
                "deflate" => Box::new(Inflate::new(BufReader::new(reader))),
                "br" => {
                    Box::new(brotli_decompressor::Decompressor::new(Br { reader, begun: false }, 16 * 1024))
                }
                "zstd" => Box::new(unzstd(reader).map_err(|source| failed("zstd", &source))?),
                _ => Box::new(Gunzip::Between(BufReader::new(reader), false)),
            };
        }
        let codings = codings.join(", ");
        let (over, bounded) = (false, false);
        Ok(Some(Decoder { feed, reader, over, below, codings, growth, bounded, came: 0, made: 0, passed: 0 }))
    }

    /// All of it is kept from now on: it has to stay within its `Growth`, from its first byte.
    pub fn bound(&mut self) {
        self.bounded = true;
    }

    /// Adds what the wire delivered.
    pub fn feed(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.came += piece.len() as u64;
            self.feed.lock().pieces.push_back(piece);
        }
    }

    /// Nothing more will be fed.
    pub fn end(&mut self) {
        self.feed.lock().ended = true;
    }

    /// Whether it was a break that the last `read` ended with. It is over now.
    pub fn had_enough(&mut self) -> bool {
        let mut feed = self.feed.lock();
        let tired = feed.worked >= STINT;
        if tired {
            feed.worked = 0;
        }
        tired
    }

    /// Decodes into `out`: how many bytes, or `None` if it `had_enough`, or if more has to be fed first. 0 is the end.
    ///
    /// # Errors
    /// `Decode` if the input is corrupt or ended early; `TooLarge` where the bounds are passed.
    pub fn read(&mut self, out: &mut [u8]) -> Result<Option<usize>, Error> {
        let passed = {
            let mut feed = self.feed.lock();
            if self.came == 0 {
                return Ok(feed.ended.then_some(0)); // an empty body has no gzip header either
            }
            if feed.worked >= STINT {
                return Ok(None);
            }
            feed.worked += ONE_READ;
            feed.passed
        };
        let idle = if self.bounded { passed } else { passed - self.passed };
        self.growth.check(&self.codings, self.came, idle)?;
        loop {
            return match self.read_on(out) {
                Ok(n) => {
                    self.made += n as u64;
                    self.passed = passed;
                    if self.bounded {
                        self.growth.check(&self.codings, self.came, self.made)?;
                    }
                    Ok(Some(n))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(failed(&self.codings, &error)),
            };
        }
    }

    /// What is next; behind its end the ends of the codings below, where their checksums are. What else is there is
    /// passed over.
    fn read_on(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.over {
            let n = self.reader.read(out)?;
            if n > 0 || out.is_empty() {
                return Ok(n);
            }
            self.over = true;
        }
        while let Some(below) = self.below.last_mut() {
            if below.read(out)? == 0 {
                self.below.pop();
            }
        }
        Ok(0)
    }
}

/// RFC 9659: a content coding's window is 8 MiB at most; the library would take 128.
fn unzstd(reader: Box<dyn Read + Send>) -> io::Result<impl Read + Send> {
    let mut decoder = zstd::stream::read::Decoder::new(reader)?;
    decoder.window_log_max(23)?;
    Ok(decoder)
}

/// A stream of br that keeps to RFC 7932. The library takes windows of up to a gigabyte as well, which are no part of
/// the coding and would be allocated; they begin with seven bits that the RFC leaves to nobody.
struct Br<R> {
    reader: R,
    begun: bool,
}

impl<R: Read> Read for Br<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(out)?;
        if n > 0 && !std::mem::replace(&mut self.begun, true) && out[0] & 0x7f == 0x11 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its window is larger than RFC 7932 allows",
            ));
        }
        Ok(n)
    }
}

fn failed(codings: &str, source: &io::Error) -> Error {
    let why = match source.kind() {
        io::ErrorKind::UnexpectedEof => "it ends early".to_string(),
        _ => source.to_string(),
    };
    Error::new(Kind::Decode, Phase::Read, format!("the body is not valid {codings}: {why}"))
}

/// gzip, member after member; what follows the last one and is no member is passed over, as gunzip does.
enum Gunzip<R: Read> {
    Between(BufReader<R>, bool),
    Member(Box<flate2::bufread::GzDecoder<BufReader<R>>>),
    /// Behind the last one.
    Rest(BufReader<R>),
    Moving,
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Gunzip::Between(source, had_member) => {
                    let next = source.fill_buf()?;
                    if next.is_empty() {
                        return if *had_member { Ok(0) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
                    }
                    let begins = !*had_member || next[0] == 0x1f;
                    let Gunzip::Between(source, _) = std::mem::replace(self, Gunzip::Moving) else {
                        continue;
                    };
                    *self = match begins {
                        true => Gunzip::Member(Box::new(flate2::bufread::GzDecoder::new(source))),
                        false => Gunzip::Rest(source),
                    };
                }
                Gunzip::Rest(source) => match source.fill_buf()?.len() {
                    0 => return Ok(0),
                    rest => source.consume(rest),
                },
                Gunzip::Member(member) => {
                    let n = member.read(out)?;
                    if n > 0 || out.is_empty() {
                        return Ok(n);
                    }
                    let Gunzip::Member(member) = std::mem::replace(self, Gunzip::Moving) else {
                        continue;
                    };
                    *self = Gunzip::Between(member.into_inner(), true);
                }
                Gunzip::Moving => return Err(io::Error::other("decoder used after it failed")),
            }
        }
    }
}

/// deflate: zlib as RFC 9110 section 8.4.1.2 says, or raw as some servers send it. The first two bytes tell.
struct Inflate<R> {
    source: BufReader<R>,
    state: Option<Decompress>,
    first: Vec<u8>,
    done: bool,
    /// The last output was full: there may be more of it without more input.
    full: bool,
}

impl<R: Read> Inflate<R> {
    fn new(source: BufReader<R>) -> Inflate<R> {
        Inflate { source, state: None, first: Vec::new(), done: false, full: false }
    }

    /// RFC 1950 section 2.2: method 8, and the two bytes are a multiple of 31.
    fn detect(&mut self) -> io::Result<()> {
        while self.first.len() < 2 {
            let Some(&byte) = self.source.fill_buf()?.first() else {
                break;
            };
            self.first.push(byte);
            self.source.consume(1);
        }
        let zlib =
            matches!(self.first[..], [cmf, flg] if cmf & 15 == 8 && u16::from_be_bytes([cmf, flg]) % 31 == 0);
        self.state = Some(Decompress::new(zlib));
        Ok(())
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.state.is_none() {
            self.detect()?;
        }
        let Some(state) = &mut self.state else {
            return Ok(0);
        };
        while !self.done && !out.is_empty() {
            let from_first = !self.first.is_empty();
            let input = match (self.full, from_first) {
                (true, _) => &[][..],
                (_, true) => &self.first[..],
                _ => self.source.fill_buf()?,
            };
            if input.is_empty() && !self.full {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (before_in, before_out) = (state.total_in(), state.total_out());
            let status = state.decompress(input, out, FlushDecompress::None).map_err(io::Error::other)?;
            let (used, made) =
                ((state.total_in() - before_in) as usize, (state.total_out() - before_out) as usize);
            match (std::mem::replace(&mut self.full, made == out.len()), from_first) {
                (true, _) => {}
                (_, true) => drop(self.first.drain(..used)),
                _ => self.source.consume(used),
            }
            self.done = status == Status::StreamEnd;
            if made > 0 {
                return Ok(made);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use flate2::Compression;

    use super::*;

    const TEXT: &[u8] = b"a body that is long enough to be worth the while, the while, the while";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes with one byte fed at a time: every stage sees every boundary.
    fn decode(coding: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut decoder = Decoder::new(coding.as_bytes(), Growth::default())?.expect("a known coding");
        let (mut all, mut out) = (Vec::new(), [0; 7]);
        for byte in bytes {
            decoder.feed(Bytes::copy_from_slice(&[*byte]));
            while let Some(n @ 1..) = decoder.read(&mut out)? {
                all.extend_from_slice(&out[..n]);
            }
        }
        decoder.end();
        loop {
            match decoder.read(&mut out)? {
                Some(n @ 1..) => all.extend_from_slice(&out[..n]),
                other => {
                    return other
                        .map(|_| all)
                        .ok_or_else(|| Error::caller(Kind::Internal, "blocked at the end"))
                }
            }
        }
    }

    #[test]
    fn gzip_is_undone_with_all_its_members() {
        let two = [gzip(TEXT), gzip(b" and more")].concat();

        assert_eq!([TEXT, b" and more"].concat(), decode("gzip", &two).unwrap());
    }

    #[test]
    fn what_follows_the_last_gzip_member_is_passed_over() {
        assert_eq!(TEXT, decode("x-gzip", &[gzip(TEXT), vec![0; 5]].concat()).unwrap());
    }

    #[test]
    fn no_member_is_looked_for_behind_what_is_none() {
        let body = [gzip(TEXT), vec![0; 5], gzip(b"hidden")].concat();

        assert_eq!(TEXT, decode("gzip", &body).unwrap());
        assert_eq!(TEXT, decode("gzip", &[&body[..], b"\x1f"].concat()).unwrap());
    }

    #[test]
    fn deflate_is_zlib_or_raw() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();

        assert_eq!(TEXT, decode("deflate", &zlib.finish().unwrap()).unwrap());
        assert_eq!(TEXT, decode("Deflate", &raw.finish().unwrap()).unwrap());
    }

    #[test]
    fn output_that_waits_in_the_decoder_is_not_the_end() {
        for length in 65_536..65_836 {
            let text = vec![b'a'; length];
            let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
            raw.write_all(&text).unwrap();
            let mut decoder = Decoder::new(b"deflate", Growth::default()).unwrap().unwrap();
            decoder.feed(raw.finish().unwrap().into());
            decoder.end();
            let (mut all, mut out) = (0, vec![0; 65_536]);
            while let Some(n @ 1..) = decoder.read(&mut out).unwrap() {
                all += n;
            }

            assert_eq!(length, all);
        }
    }

    #[test]
    fn zstd_and_stacks_are_undone() {
        let zstd = zstd::encode_all(TEXT, 1).unwrap();

        assert_eq!(TEXT, decode("zstd", &zstd).unwrap());
        assert_eq!(TEXT, decode("zstd, gzip", &gzip(&zstd)).unwrap());
    }

    #[test]
    fn every_coding_is_read_to_its_end() {
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        let mut both = gzip(&raw.finish().unwrap());
        assert_eq!(TEXT, decode("deflate, gzip", &both).unwrap());
        let checksum = both.len() - 8;
        both[checksum] ^= 1;

        assert_eq!(Kind::Decode, decode("deflate, gzip", &both).unwrap_err().kind);
        assert_eq!(Kind::Decode, decode("deflate, gzip", &both[..checksum]).unwrap_err().kind);
    }

    /// Three codings around many members of gzip with nothing in them: a few hundred bytes.
    fn nothing() -> Bytes {
        gzip(&gzip(&gzip(b"").repeat(1 << 16))).into()
    }

    #[test]
    fn much_work_is_done_in_stints() {
        let mut decoder = Decoder::new(b"gzip, gzip, gzip", Growth { bytes: 0, ratio: 0 }).unwrap().unwrap();
        decoder.feed(nothing());
        decoder.end();
        let (mut stints, mut out) = (0, [0; 100]);
        while decoder.read(&mut out).unwrap() != Some(0) {
            assert!(decoder.had_enough());
            stints += 1;
        }

        assert!(stints > 3, "{stints}");
    }

    #[test]
    fn what_comes_to_nothing_has_bounds_even_in_pieces() {
        let mut decoder =
            Decoder::new(b"gzip, gzip, gzip", Growth { bytes: 1 << 19, ratio: 0 }).unwrap().unwrap();
        decoder.feed(nothing());
        let mut out = [0; 100];
        let error = loop {
            match decoder.read(&mut out) {
                Ok(made) => assert!(made.is_none() && decoder.had_enough()),
                Err(error) => break error,
            }
        };

        assert!(error.kind == Kind::TooLarge && error.message.ends_with("max_decoded_bytes is 524288"));
    }

    #[test]
    fn a_stream_that_ends_early_is_an_error() {
        for (coding, whole) in [("gzip", gzip(TEXT)), ("zstd", zstd::encode_all(TEXT, 1).unwrap())] {
            let error = decode(coding, &whole[..whole.len() - 3]).unwrap_err();
            assert_eq!(Kind::Decode, error.kind, "{coding}");
        }
        assert_eq!(Kind::Decode, decode("deflate", &[0x78, 0x9c, 0x4b]).unwrap_err().kind);
        assert_eq!(Kind::Decode, decode("br", &[0x0b, 0x05]).unwrap_err().kind);
    }

    #[test]
    fn a_window_of_a_gigabyte_is_no_br() {
        // "large window", 30 bits of it, then 16 MiB that are not compressed
        let error = decode("br", &[0x11, 0b0001_1110, 0xff, 0xff, 0xff, 1, 0, 0, 0]).unwrap_err();

        assert!(error.kind == Kind::Decode && error.message.contains("RFC 7932"), "{error}");
    }

    #[test]
    fn garbage_is_an_error_and_nothing_is_nothing() {
        assert!(decode("gzip", b"not gzip at all").unwrap_err().message.contains("gzip"));
        assert_eq!(b"", &decode("gzip", b"").unwrap()[..]);
    }

    #[test]
    fn unknown_codings_are_left_alone_and_too_many_refused() {
        let made = |codings: &[u8]| Decoder::new(codings, Growth::default());

        assert!(made(b"snappy").unwrap().is_none());
        assert!(made(b"identity").unwrap().is_none());
        assert!(made(b"gzip,gzip,gzip,br,br,br").is_err());
    }

    /// Decodes a megabyte of nothing: the error, if there is one.
    fn grow(growth: Growth, bounded: bool) -> Option<Error> {
        let mut decoder = Decoder::new(b"gzip", growth).unwrap().unwrap();
        if bounded {
            decoder.bound();
        }
        decoder.feed(gzip(&vec![0; 1 << 20]).into());
        decoder.end();
        let mut out = vec![0; 1 << 16];
        loop {
            match decoder.read(&mut out) {
                Ok(Some(1..)) => {}
                other => return other.err(),
            }
        }
    }

    #[test]
    fn what_is_kept_whole_grows_within_bounds() {
        let growth = Growth { bytes: 1000, ratio: 0 };
        let error = grow(growth, true).unwrap();

        assert!(error.kind == Kind::TooLarge && error.message.ends_with("max_decoded_bytes is 1000"));
        assert!(grow(Growth { bytes: 0, ratio: 0 }, true).is_none());
        assert!(grow(growth, false).is_none(), "read in pieces, it has no bounds");
    }

    #[test]
    fn small_bodies_may_grow_as_they_like() {
        let growth = Growth { bytes: 0, ratio: 1 };

        assert!(growth.check("br", 1, FLOOR).is_ok());
        assert!(growth.check("br", FLOOR + 1, FLOOR + 1).is_ok());
        let error = growth.check("br", 1, FLOOR + 1).unwrap_err();
        assert!(error.kind == Kind::TooLarge && error.message.ends_with("max_decoded_ratio is 1"));
    }
}
