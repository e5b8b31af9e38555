//! Dates of cookies and of Retry-After: one that is understood is written as HTTP writes it, and read back as the same
//! second. It lies between the years 1601 and 9999, whatever was written.

use requestx::policy::date;

pub fn check(data: &[u8]) {
    let Some(seconds) = date::parse(data) else { return };
    let written = date::format(seconds);

    assert_eq!(Some(seconds), date::parse(written.as_bytes()), "{written}");
    assert!((-11_644_473_600..253_402_300_800).contains(&seconds), "{seconds}");
    assert_eq!(29, written.len(), "{written}");
}
