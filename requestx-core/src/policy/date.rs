//! Dates as servers write them: RFC 6265bis section 5.1.1, which reads HTTP's three forms and most others.

/// Seconds since 1970 of a date, in UTC whatever it says of a zone; `None` for what is none.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none() && clock(token).is_some() {
            time = clock(token);
        } else if day.is_none() && number(token, 1..=2).is_some() {
            day = number(token, 1..=2);
        } else if month.is_none() && month_of(token).is_some() {
            month = month_of(token);
        } else if year.is_none() && number(token, 2..=4).is_some() {
            year = number(token, 2..=4);
        }
    }
    let ((hour, minute, second), day, month) = (time?, day?, month?);
    let year = match year? {
        short @ 70..=99 => 1900 + short,
        short @ 0..=69 => 2000 + short,
        whole => whole,
    };
    let exists = (1..=days_in(month, year)).contains(&day) && year >= 1601;
    let strikes = hour < 24 && minute < 60 && second < 60;
    (exists && strikes).then(|| days_to(year, month, day) * 86400 + hour * 3600 + minute * 60 + second)
}

/// The same as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT".
pub fn format(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, time) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let (year, month, day) = day_of(days);
    let (name, month) = (DAYS[days.rem_euclid(7) as usize], MONTHS[month as usize - 1]);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{name}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// The digits that `token` begins with, if there are so many and no more, whatever follows.
fn number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let n = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits.contains(&n).then(|| token[..n].iter().fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')))
}

/// The numbers of `hh:mm:ss`, which may be too large.
fn clock(token: &[u8]) -> Option<(i64, i64, i64)> {
    let mut parts = token.splitn(3, |byte| *byte == b':');
    let mut next = || number(parts.next()?, 1..=2);
    Some((next()?, next()?, next()?))
}

fn month_of(token: &[u8]) -> Option<i64> {
    const NAMES: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let name = token.get(..3)?.to_ascii_lowercase();
    NAMES.chunks(3).position(|known| known == name).map(|n| n as i64 + 1)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970 to a day of the Gregorian calendar; the year is counted from March, so that its odd day is the last.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days - 719_468
}

/// The way back.
fn day_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400, if month < 10 { month + 3 } else { month - 9 });
    (year + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_http_and_those_of_cookies() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "6 november 94 8:49:37",
        ] {
            assert_eq!(Some(784_111_777), parse(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_calendar_has_its_leap_years() {
        assert_eq!(Some(0), parse(b"Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(Some(951_782_400), parse(b"29 Feb 2000 00:00:00"));
        assert_eq!(Some(4_107_542_400), parse(b"01 Mar 2100 00:00:00"));
        assert_eq!(None, parse(b"29 Feb 2100 00:00:00"));
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        assert_eq!("Sun, 06 Nov 1994 08:49:37 GMT", format(784_111_777));
        for seconds in (0..4_200_000_000).step_by(9_999_991).chain([951_782_399, 951_782_400, 4_107_542_399])
        {
            assert_eq!(Some(seconds), parse(format(seconds).as_bytes()));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "06 Nov 1994",
            "32 Jan 2020 00:00:00",
            "01 Jan 2020 24:00:00",
            "15 Apr 2017 91:22:33 21:01:22",
            "1 Jan 1600 0:0:0",
            "12",
        ] {
            assert_eq!(None, parse(text.as_bytes()), "{text}");
        }
    }
}
