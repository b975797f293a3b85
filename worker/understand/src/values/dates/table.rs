//! The table of dates, and the words with which a date may begin.

use super::super::pattern::{Pattern, Start};
use super::{
    read_iso, read_month_day, read_month_year, read_numeric, read_quarter, read_worded, read_year,
    read_year_of_accounts,
};
use crate::ordinals::ORDINALS;

const MONTH_WORDS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sept",
    "sep",
    "oct",
    "nov",
    "dec",
];
/// The words of ordinals beyond the nineteenth.
const LARGER_ORDINAL_WORDS: &[&str] = &["twentieth", "twenty", "thirtieth", "thirty"];
/// The table of dates.
pub(in crate::values) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "month_day_year",
        starts: &[Start::Words(MONTH_WORDS)],
        regex: r"(?P<month>{month}){end}\.?,?{opt}(?P<day>{day}){suffix}?(?:{opt},{opt}|{gap}(?i:of){gap}|\.?{gap}|\.)(?P<year>{year}|['’][0-9][0-9]{end})",
        read: read_worded,
    },
    Pattern {
        name: "month_day",
        starts: &[Start::Words(MONTH_WORDS)],
        regex: r"(?P<month>{month}){end}\.?{gap}(?P<day>{day})(?:{suffix}|{end})",
        read: read_month_day,
    },
    Pattern {
        name: "month_year",
        starts: &[Start::Words(MONTH_WORDS)],
        regex: r"(?P<month>{month}){end}\.?(?:{opt},{opt}|{gap}(?i:of){gap}|{opt}{hyphen}{opt}|{gap})(?P<year>{year}|['’][0-9]{2}{end})",
        read: read_month_year,
    },
    Pattern {
        name: "day_month_year",
        starts: &[Start::Digit],
        regex: r"(?P<day>{day}){suffix}?(?:{gap}(?i:day))?(?:{gap}(?i:of){gap}|[-./,]|[.,]{gap}|{opt})(?P<month>{month}){end}\.?(?:(?:{opt},{opt}|{gap}(?:(?i:of){gap})?)(?P<year>{year}|['’][0-9][0-9]{end})|[-/.](?P<year_2>{short_year}))?",
        read: read_worded,
    },
    Pattern {
        name: "ordinal_day_month_year",
        starts: &[Start::Words(&ORDINALS), Start::Words(LARGER_ORDINAL_WORDS)],
        regex: r"(?P<ordinal>(?i:(?:(?:twenty|thirty){hyphen}?{opt})?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth|[a-z]{3,6}teenth|twentieth|thirtieth))(?:{gap}(?i:day))?{gap}(?i:of){gap}(?P<month>{month}){end}(?:(?:{opt},{opt}|{gap}(?:(?i:of){gap})?)(?P<year>{year}))?",
        read: read_worded,
    },
    Pattern {
        name: "iso_date",
        starts: &[Start::Digit],
        regex: r"(?P<year>(?:1[5-9]|20|21)[0-9]{2})(?:-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})|/(?P<month_2>[0-9]{1,2})/(?P<day_2>[0-9]{1,2})|\.(?P<month_3>[0-9]{2})\.(?P<day_3>[0-9]{2})){end}",
        read: read_iso,
    },
    Pattern {
        name: "numeric_date",
        starts: &[Start::Digit],
        regex: r"(?P<one>[0-9]{1,2})(?:\.(?P<two_1>[0-9]{1,2})\.|/(?P<two_2>[0-9]{1,2})/|{hyphen}(?P<two_3>[0-9]{1,2}){hyphen})(?P<year>{short_year})",
        read: read_numeric,
    },
    Pattern {
        name: "quarter",
        starts: &[Start::Code],
        regex: r"Q(?P<quarter>[1-4])(?:{opt}[,/'’-]?{opt}(?:(?i:of){gap})?(?P<fiscal>FY{opt}|(?i:fiscal){gap}(?:year{gap})?)?)(?P<year>{year})",
        read: read_quarter,
    },
    Pattern {
        name: "quarter_in_words",
        starts: &[Start::Words(&["first", "second", "third", "fourth"])],
        regex: r"(?P<ordinal>(?i:first|second|third|fourth)){gap}(?P<fiscal>(?i:fiscal|financial){gap})?(?:(?i:calendar){gap})?(?i:quarter){gap}(?i:of){gap}(?P<fiscal_2>(?i:fiscal|financial){gap})?(?:(?i:calendar){gap})?(?:(?i:year){gap})?(?P<year>{year})",
        read: read_quarter,
    },
    Pattern {
        name: "fiscal_year",
        starts: &[Start::Words(&["fiscal", "financial", "calendar", "assessment", "fy"])],
        regex: r"(?P<fiscal>(?i:fiscal|financial|assessment)|FY{opt}|F\.Y\.)?(?:{opt}(?i:calendar))?(?:{opt}(?i:years?){gap}(?:(?i:of){gap})?|{opt})(?P<year>{year})(?:{opt}{dash}{opt}(?P<until>[0-9]{4}|[0-9]{2}){end})?",
        read: read_year_of_accounts,
    },
    Pattern {
        name: "fiscal_year_code",
        starts: &[Start::Code],
        regex: r"(?P<fiscal>FY)(?P<year>{year})(?:{dash}(?P<until>[0-9]{4}|[0-9]{2}){end})?",
        read: read_year_of_accounts,
    },
    Pattern {
        name: "year",
        starts: &[Start::Digit],
        regex: r"(?P<year>{year})",
        read: read_year,
    },
];
