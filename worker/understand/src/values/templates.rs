//! The vocabulary of the patterns: placeholders such as `{gap}` and the regular expressions that they stand for.
//!
//! Repetition is unbounded where a pattern allows it, because the window of a pattern is bounded; bounded repetition
//! would only make the compiled patterns larger.

use super::money::CODES;

/// Placeholders, each of which may use those below it.
const TEMPLATES: &[(&str, &str)] = &[
    (
        "{number}",
        r"(?:(?P<words>{spelled})(?:{opt}\({opt}(?P<figure>{plain}){opt}\))?|(?P<digits>{plain})(?:{opt}\({opt}(?P<words_after>{spelled}){opt}\))?)",
    ),
    (
        "{mark}",
        r"(?:(?:U\.?S\.?D?{opt}|AUD?|A|CAD?|CDN|Cdn|C|HKD?|NZD?|SGD?|S|NTD?|R)\$|[$€£¥￥₹₩₽₪฿]|(?:Rs|RS|rs|Re)\.?|(?:{code})(?:{opt}[$€£]|\.)?)",
    ),
    (
        "{unit}",
        r"(?:U\.?S\.?{opt}\$|[$€£₹]|(?:{code}){end}|(?i:(?:(?:U\.?S\.?A?\.?|United{gap}States|Canadian|Australian|Hong{gap}Kong|Singapore|New{gap}Zealand){gap})?dollars?|euros?|pounds?{gap}sterling|(?:Indian{gap})?rupees?|(?:Japanese{gap})?yen|(?:Chinese{gap})?yuan|renminbi|Swiss{gap}francs?|cents?|pence){end})",
    ),
    (
        "{amount_scale}",
        r"(?:{opt}(?P<scale>{scale})|(?P<letter>[kKmMbB]{end}))?(?:\.?{opt}/[-=\x{2013}])?",
    ),
    // Words and signs between the name of a register and a number.
    (
        "{label}",
        r"(?:{gap}(?i:nos?|numbers?|code|id)\.?)?(?:{gap}is)?{opt}[:.#]*{opt}",
    ),
    (
        "{docket}",
        r"(?:[0-9]{1,2}:)?[0-9A-Z]+(?:[-/\x{2011}\x{2013}][0-9A-Za-z]+)*{end}",
    ),
    (
        "{court_word}",
        r"(?:(?:(?i:civil|criminal|crl|special|leave|writ|petitions?|appeals?|applications?|suits?|first|second|original|regular|misc|miscellaneous|review|contempt|transfer|arbitration|company|revision|sessions|case|complaint|crime|reference|election|execution)|Cr|Cri|O\.?{opt}S|W\.?{opt}P|S\.?{opt}L\.?{opt}P|F\.?{opt}I\.?{opt}R|C\.?{opt}C|I\.?{opt}A|C\.?{opt}A|C\.?{opt}R\.?{opt}P|C\.?W\.?P|M\.?{opt}A|A\.?{opt}S|R\.?{opt}S\.?{opt}A|L\.?{opt}P\.?{opt}A|R?\.?F\.?{opt}A|S\.?{opt}A|O\.?{opt}A|T\.?{opt}A|S\.?C|CRM|A){end}\.?(?:{opt}\((?:C|Crl|Cri|Civil|CIVIL|Criminal|CRL|S|PIL|L|MD|C\.R)\.?\))?)",
    ),
    // The number of a part that is no bare number: `5.1`, `4(a)`, `(b)`.
    (
        "{structured_number}",
        r"(?:[0-9]+[A-Z]?(?:\.[0-9]+)+[A-Za-z]?{in_brackets}*|[0-9]*[A-Z]?{in_brackets}+)",
    ),
    (
        "{part_number}",
        r"(?:(?:[\x22“‘'](?:[0-9]+|[IVXLC]+|[A-Z])(?:{hyphen}[0-9]+)?[\x22”’']|(?:[0-9]+[A-Za-z]?|[IVXLC]+|[A-Z]){end}(?:[.\x{2010}\x{2011}/-](?:[0-9]+[A-Za-z]?|[A-Za-z]|[IVX]+){end})*){in_brackets}*|{in_brackets}+)",
    ),
    (
        "{in_brackets}",
        r"(?:{blank}?\((?:[0-9]{1,3}|[A-Z]{1,3}|[a-z]{1,2}|[ivx]{1,5})\))",
    ),
    (
        "{list_joint}",
        r"(?:,?{gap}(?i:and|or|to|through|thru|and/or){gap}|,{opt}|{opt}[&]{opt}|{opt}\x{2013}{opt}|[-\x{2010}\x{2011}])",
    ),
    (
        "{extension}",
        r"(?:,?{opt}(?i:ext\.?|extension|x){opt}(?P<extension>[0-9]{1,6}){end})?",
    ),
    // The same as `{number}`, without groups, and with any words in brackets: so compiles in half of the time.
    (
        "{count}",
        r"(?:{spelled}(?:{opt}\({opt}{plain}{opt}\))?|{plain}(?:{opt}\({opt}[A-Za-z][A-Za-z -]*\))?)",
    ),
    (
        "{spelled}",
        r"(?:{words}(?:{gap}(?i:and){gap}{fraction})?{end}|{fraction}{end})",
    ),
    (
        "{fraction}",
        r"(?i:one|a|three|two|five|seven)(?:{gap}|{hyphen})(?i:half|halves|quarters?|fourths?|fifths?|eighths?|tenths?)",
    ),
    (
        "{words}",
        r"{word}(?:(?:{opt}{hyphen}{opt}|,?{gap}(?:(?i:and){gap})?){word})*",
    ),
    (
        "{word}",
        r"(?i:zero|one|two|three|fourteen|four|five|sixteen|sixty|six|seventeen|seventy|seven|eighteen|eighty|eight|nineteen|ninety|ninty|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fourty|fifty|hundred|thousand|lakhs?|lacs?|crores?|million|billion|trillion){end}",
    ),
    (
        "{figure}",
        r"(?:[0-9]{1,3}(?:[ \x{A0}\x{2009}\x{202F}][0-9]{3})+(?:[.,][0-9]{1,2})?{end}|[0-9]+(?:[.,'’][0-9]+)*|\.[0-9]+)",
    ),
    ("{plain}", r"(?:[0-9]+(?:,[0-9]+)*(?:\.[0-9]+)?)"),
    (
        "{month}",
        r"(?:(?i:january|february|april|june|july|august|september|october|november|december|jan|feb|apr|jun|jul|aug|sept|sep|oct|nov|dec)|May|MAY|March|MARCH|Mar|MAR)",
    ),
    ("{year}", r"(?:1[5-9]|20|21)[0-9][0-9]{end}"),
    ("{short_year}", r"(?:(?:1[5-9]|20|21)[0-9][0-9]|['’]?[0-9][0-9]){end}"),
    ("{day}", r"[0-3]?[0-9]"),
    ("{suffix}", r"(?:{opt}(?i:st|nd|rd|th){end})"),
    (
        "{scale}",
        r"(?i:thousand|million|billion|trillion|lakhs?|lacs?|crores?|mn|mm|bn|mln){end}",
    ),
    ("{opt}", r"{gap}?"),
    ("{gap}", r"(?:{blank}+(?:\r?\n{blank}*)?|\r?\n{blank}*)"),
    ("{blank}", r"(?u:[ \t\x{A0}\x{2007}\x{2009}\x{202F}])"),
    ("{dash}", r"(?u:[-\x{2010}-\x{2015}])"),
    ("{hyphen}", r"(?u:[-\x{2010}\x{2011}])"),
    // An ASCII word boundary: a Unicode boundary would force the slow matcher on any text with curly quotes.
    ("{end}", r"(?-u:\b)"),
];

/// Replaces all placeholders of a pattern. Case is ignored for ASCII letters only: the other letters that Unicode counts as
/// a form of `k` or `s` would double the time to compile, and stand in no value.
pub(super) fn expand(pattern: &str) -> String {
    let expand_one = |expanded: String, (placeholder, meaning): &(&str, &str)| expanded.replace(placeholder, meaning);
    let expanded = TEMPLATES.iter().fold(pattern.to_owned(), expand_one);
    expanded.replace("{code}", &CODES.join("|")).replace("(?i:", "(?i-u:")
}
