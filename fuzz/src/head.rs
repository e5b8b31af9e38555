//! The head of a response: what callers are shown, and what hyper is told, are what the server sent.
//!
//! Where a head ends does not depend on how much of it is here; one that is taken has the fields that another parser
//! finds, none of which has a control byte; and the head that is made for hyper has the same status, and the same fields
//! where they rule the body or the connection.

use requestx::head::Head;
use requestx::wire::{head_end, is_informational};

use crate::input::choices;

const FRAMING: [&str; 3] = ["content-length", "transfer-encoding", "connection"];

pub fn check(data: &[u8]) {
    let Some(([choice], bytes)) = choices(data) else { return };
    let end = head_end(bytes, 0);
    for here in (0..bytes.len()).take(200) {
        let seen = head_end(&bytes[..here], 0);
        assert_eq!(end.filter(|end| *end <= here), seen, "with {here} bytes");
    }
    let Some(end) = end else { return };
    let (own, rest) = bytes.split_at(end);
    let Ok((head, hypers)) = Head::read(own, rest, choice & 1 != 0) else { return };

    assert_eq!(is_informational(own), (100..200).contains(&head.status) && head.status != 101);
    let lines: Vec<&[u8]> = head.block.split(|byte| *byte == b'\n').collect();
    assert_eq!(if head.fields == 0 { 1 } else { 2 * head.fields as usize }, lines.len());
    let control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
    assert!(!lines.concat().iter().any(control) && !head.reason.iter().any(control), "{head:?}");

    let theirs = parse(own);
    let shown: Vec<_> =
        lines.chunks(2).filter(|pair| pair.len() == 2).map(|pair| (pair[0], pair[1])).collect();
    assert_eq!(theirs.fields.len(), shown.len());
    for ((name, value), (theirs, folded)) in shown.iter().zip(&theirs.fields) {
        assert_eq!(name, &theirs.as_bytes());
        assert_eq!(
            value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>(),
            folded.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>()
        );
    }
    let told = parse(&hypers);
    match &head.body {
        Some(body) => {
            assert_eq!((rest, 204), (&body[..], told.status));
            let [length] = theirs.says("content-length")[..] else { panic!("{own:?}") };
            assert_eq!(Ok(body.len()), std::str::from_utf8(length).unwrap().parse());
            assert!(told.says("content-length").is_empty() && told.says("transfer-encoding").is_empty());
        }
        None => {
            assert_eq!((theirs.status, rest), (told.status, &hypers[told.end..]));
            for name in FRAMING {
                let added = told.says(name).split_off(theirs.says(name).len());
                assert!(told.says(name).starts_with(&theirs.says(name)), "{name}");
                assert!(added.iter().all(|value| name == "connection" && *value == b"close"), "{name}");
            }
        }
    }
}

struct Parsed<'a> {
    status: u16,
    fields: Vec<(&'a str, &'a [u8])>,
    end: usize,
}

impl<'a> Parsed<'a> {
    fn says(&self, name: &str) -> Vec<&'a [u8]> {
        let same = self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        same.map(|(_, value)| *value).collect()
    }
}

/// A head as httparse, and so hyper, reads it.
fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut space = vec![httparse::EMPTY_HEADER; 600];
    let mut response = httparse::Response::new(&mut space);
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let end = match config.parse_response(&mut response, bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        other => panic!("{other:?} of {:?}", String::from_utf8_lossy(bytes)),
    };
    let fields = response.headers.iter().map(|field| (field.name, field.value)).collect();
    Parsed { status: response.code.unwrap(), fields, end }
}
