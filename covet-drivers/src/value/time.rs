//! Dates and times as numbers, and their one text form, which sorts as they do.

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// `YYYY-MM-DD`, or `None` outside the years 0000 to 9999.
#[must_use]
pub fn date_text(days: i32) -> Option<String> {
    let (year, month, day) = civil(i64::from(days));
    (0..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `HH:MM:SS.ffffff`, or `None` outside one day.
#[must_use]
pub fn time_text(micros: i64) -> Option<String> {
    if !(0..DAY).contains(&micros) {
        return None;
    }
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!("{hours:02}:{minutes:02}:{seconds:02}.{fraction:06}"))
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`, or `None` outside the years 0000 to 9999.
#[must_use]
pub fn datetime_text(micros: i64) -> Option<String> {
    let days = i32::try_from(micros.div_euclid(DAY)).ok()?;
    Some(format!("{} {}", date_text(days)?, time_text(micros.rem_euclid(DAY))?))
}

/// The days of `YYYY-MM-DD`.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    let days = days(year, month, day);
    // 2023-02-31 would come back as another day.
    (civil(days) == (year, month, day)).then(|| i32::try_from(days).ok()).flatten()
}

/// The microseconds of `HH:MM:SS`, with up to six digits of a fraction.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[2] != b':' || bytes[5] != b':' {
        return None;
    }
    let (hours, minutes, seconds) = (digits(&bytes[..2])?, digits(&bytes[3..5])?, digits(&bytes[6..8])?);
    let fraction = match &bytes[8..] {
        [] => 0,
        [b'.', rest @ ..] if (1..=6).contains(&rest.len()) => {
            digits(rest)? * 10_i64.pow(u32::try_from(6 - rest.len()).ok()?)
        }
        _ => return None,
    };
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

/// The microseconds of `YYYY-MM-DD HH:MM:SS[.ffffff]`, with a space or a `T` between.
#[must_use]
pub fn parse_datetime(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix([' ', 'T'])?;
    Some(i64::from(parse_date(date)?) * DAY + parse_time(time)?)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// The proleptic Gregorian date of a day count, by eras of 400 years.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // from 0000-03-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153; // March is 0
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The day count of a proleptic Gregorian date.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{date_text, datetime_text, parse_date, parse_datetime, parse_time, time_text};

    #[test]
    fn every_day_of_ten_thousand_years_comes_back() {
        let (first, last) = (parse_date("0000-01-01").unwrap_or(0), parse_date("9999-12-31").unwrap_or(0));
        assert_eq!((first, last), (-719_528, 2_932_896));
        let mut before = String::new();
        for day in first..=last {
            let text = date_text(day).unwrap_or_default();
            assert_eq!(parse_date(&text), Some(day), "{text}");
            assert!(text > before, "text sorts as the days do");
            before = text;
        }
        assert_eq!((date_text(first - 1), date_text(last + 1)), (None, None));
    }

    #[test]
    fn times() {
        assert_eq!(time_text(86_399_999_999).as_deref(), Some("23:59:59.999999"));
        assert_eq!(parse_time("23:59:59.999999"), Some(86_399_999_999));
        assert_eq!(parse_time("00:00:00.5"), Some(500_000));
        assert_eq!((parse_time("24:00:00"), parse_time("1:00:00"), parse_time("00:00:00.")), (None, None, None));
        assert_eq!(datetime_text(-1).as_deref(), Some("1969-12-31 23:59:59.999999"));
        assert_eq!(parse_datetime("1969-12-31T23:59:59.999999"), Some(-1));
        assert_eq!((parse_datetime("é"), parse_datetime("2023-02-31 00:00:00")), (None, None));
    }
}
