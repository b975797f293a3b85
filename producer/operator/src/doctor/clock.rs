//! Whether clocks agree.

use crate::doctor::report::Finding;

/// Seconds by which clocks may differ without a finding: synchronised clocks differ by milliseconds, and S3 tells whole seconds.
const NOTICED: f64 = 5.0;
/// Difference in seconds beyond which S3 refuses a request as too old or too new (RequestTimeTooSkewed).
const REFUSED_BY_S3: f64 = 15.0 * 60.0;

/// Judges a database's clock, `ahead` seconds before this machine's.
pub fn database(part: &str, ahead: f64) -> Option<Finding> {
    (ahead.abs() > NOTICED).then(|| {
        Finding::warn(part, format!("its clock is {} this machine's", apart(ahead)))
            .means("not_before and deadline hold by the database's clock, tokens expire by this machine's")
            .remedy("let both follow the same time servers (chrony, systemd-timesyncd)")
    })
}

/// Judges the S3 store's clock, `ahead` seconds before this machine's.
pub fn storage(part: &str, ahead: f64) -> Option<Finding> {
    let what = format!("its clock is {} this machine's", apart(ahead));
    let remedy = "let both follow the same time servers (chrony, systemd-timesyncd)";
    if ahead.abs() > REFUSED_BY_S3 {
        let means = "S3 refuses requests whose time is more than 15 minutes off: nothing can be uploaded";
        return Some(Finding::fail(part, what).means(means).remedy(remedy));
    }
    let means = "past 15 minutes S3 refuses every request; objects without a row are swept by the store's time";
    (ahead.abs() > NOTICED).then(|| Finding::warn(part, what).means(means).remedy(remedy))
}

fn apart(ahead: f64) -> String {
    let side = if ahead > 0.0 { "ahead of" } else { "behind" };
    format!("{:.0} s {side}", ahead.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Verdict;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        assert_eq!(database("catalog", -4.9), None);
        let off = database("catalog", -61.2).unwrap();
        assert_eq!(off.what, "its clock is 61 s behind this machine's");
        assert_eq!(storage("storage", 2.0), None);
        assert_eq!(storage("storage", 60.0).unwrap().verdict, Verdict::Warn);
        assert_eq!(storage("storage", 1_000.0).unwrap().verdict, Verdict::Fail);
    }
}
