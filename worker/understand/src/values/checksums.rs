//! Check digits of securities and of legal entities.

/// Says whether a CUSIP has the right check digit.
pub(super) fn cusip(code: &str) -> bool {
    let Some((check, body)) = split_check(code, 9) else {
        return false;
    };
    let mut sum = 0;
    for (position, sign) in body.chars().enumerate() {
        let Some(value) = sign.to_digit(36) else { return false };
        let weighted = if position % 2 == 1 { value * 2 } else { value };
        sum += weighted / 10 + weighted % 10;
    }
    (10 - sum % 10) % 10 == check
}

/// Says whether an ISIN has the right check digit.
pub(super) fn isin(code: &str) -> bool {
    let Some((check, body)) = split_check(code, 12) else {
        return false;
    };
    let Some(digits) = as_digits(body) else { return false };
    let mut sum = 0;
    for (position, digit) in digits.iter().rev().enumerate() {
        let weighted = if position % 2 == 0 { digit * 2 } else { *digit };
        sum += weighted / 10 + weighted % 10;
    }
    (10 - sum % 10) % 10 == check
}

/// Says whether a legal entity identifier has the right check digits (ISO 7064, remainder 1 of a division by 97).
pub(super) fn lei(code: &str) -> bool {
    let Some(digits) = as_digits(code) else { return false };
    code.len() == 20 && digits.iter().fold(0, |rest, digit| (rest * 10 + digit) % 97) == 1
}

/// Splits the last digit from a code of the given length.
fn split_check(code: &str, length: usize) -> Option<(u32, &str)> {
    if code.len() != length || !code.is_ascii() {
        return None;
    }
    let (body, check) = code.split_at(length - 1);
    Some((check.parse().ok()?, body))
}

/// Writes letters as two digits each, `A` as 10.
fn as_digits(code: &str) -> Option<Vec<u32>> {
    let mut digits = Vec::with_capacity(2 * code.len());
    for sign in code.chars() {
        let value = sign.to_digit(36)?;
        if value >= 10 {
            digits.push(value / 10);
        }
        digits.push(value % 10);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_pass_and_changed_codes_fail() {
        assert!(cusip("037833100") && !cusip("037833101") && !cusip("03783310"));
        assert!(isin("US0378331005") && !isin("US0378331006"));
        assert!(lei("5493001KJTIIGC8Y1R12") && !lei("5493001KJTIIGC8Y1R13"));
    }
}
