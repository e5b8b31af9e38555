//! Content codings: the same bytes decode to the same, or fail, however they are cut into pieces and whatever the size
//! of the pieces that are taken.
//!
//! Before it fails a decoder may have given more or less of what came before; it never gives anything else. A
//! megabyte is enough to be seen, and a break is for the clock and not an end.

use bytes::Bytes;
use requestx::body::decode::Decoder;
use requestx::options::Growth;

use crate::input::{choices, cut};

const CODINGS: [&str; 10] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, gzip",
    "deflate, gzip",
    "br, gzip",
    "zstd, br",
    "gzip, zstd",
    "x-gzip, br, deflate",
];
const ENOUGH: usize = 1 << 20;
/// As `requestx-core/src/body/decode.rs` has it, and its ratio as small as it goes: what comes to nothing ends.
const GROWTH: Growth = Growth { bytes: 1 << 26, ratio: 1 };

pub fn check(data: &[u8]) {
    let Some(([coding, how, step], bytes)) = choices(data) else { return };
    let coding = CODINGS[coding as usize % CODINGS.len()];
    let (one, failed) = decode(coding, &[bytes], 1 << 16);
    let (other, also) = decode(coding, &cut(bytes, how), 1 + usize::from(step) * 16);

    let common = one.len().min(other.len());
    assert_eq!(one[..common], other[..common], "{coding}");
    if common < ENOUGH {
        assert_eq!(failed, also, "{coding}, {} bytes and {}", one.len(), other.len());
        assert!(failed || one.len() == other.len(), "{coding}, {} bytes and {}", one.len(), other.len());
    }
}

/// What comes out of `pieces`, read `step` bytes at a time, and whether it failed in the end.
fn decode(coding: &str, pieces: &[&[u8]], step: usize) -> (Vec<u8>, bool) {
    let mut decoder = Decoder::new(coding.as_bytes(), GROWTH).unwrap().unwrap();
    decoder.bound();
    let (mut pieces, mut space, mut out) = (pieces.iter(), vec![0; step], Vec::new());
    while out.len() < ENOUGH {
        match decoder.read(&mut space) {
            Ok(Some(0)) => return (out, false),
            Ok(Some(n)) => out.extend_from_slice(&space[..n]),
            Ok(None) if decoder.had_enough() => {}
            Ok(None) => match pieces.next() {
                Some(piece) => decoder.feed(Bytes::copy_from_slice(piece)),
                None => decoder.end(),
            },
            Err(_) => return (out, true),
        }
    }
    (out, false)
}
