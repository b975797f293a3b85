//! Lists of words by which the recognisers tell names from prose.
use std::collections::HashSet;
use std::sync::LazyLock;

/// A list of words, read once.
pub(super) type Words = LazyLock<HashSet<&'static str>>;

/// Words that stand in capitals before the name of a case without being part of the name.
pub(super) static SIGNALS: Words = LazyLock::new(|| {
    set(
        "See Cf Compare Accord But Also Under Citing Quoting As Since Because While When Although Unlike Like \
     Following Both Contra Finally Thus Similarly Indeed Relying Per By And E With From Id Ibid Supra Cited \
     Reported For At On To It This That Here However Nor If Where Whether Then After Before Until Overruled \
     Affirmed Aff Rev Cert Again Later Applying Consider Distinguishing Today Yet Through",
    )
});
/// Words in small letters that stand inside names of cases.
pub(super) static CONNECTORS: Words = LazyLock::new(|| {
    set("of the and for de la le du von van der den et al ex rel d b a k re del s l ors anr others another")
});
/// Words that a comma may part from the name of a company: `Acme, Inc.`
pub(super) static SUFFIXES: Words = LazyLock::new(|| {
    set("Inc LLC LLP LP Ltd Co Corp L N P S PLC plc Limited et Jr Sr III II IV NA AG GmbH SA Incorporated PC")
});
/// Words before `Act` that make no name of an act.
pub(super) static NO_NAMES: Words = LazyLock::new(|| {
    set(
        "The This That Said Such Any An A Each Under Of Section Sections Article Rule See In Principal Amending \
     Amended Parent Old Same Aforesaid Impugned Applicable Relevant And Or To \
     By For Every No All Both Certain It If Governing",
    )
});
/// Single words before `Act` that make a well-known name.
pub(super) static KNOWN_ACTS: Words = LazyLock::new(|| {
    set(
        "Registration Waqf Recovery Securities Exchange Sherman Clayton Lanham Evidence Arms Companies Copyright \
     Patents Patent Privacy Wakf Rent Partnership Arbitration Contract Passports Customs Factories Advocates \
     Hatch Communications Bankruptcy Insolvency Constitution",
    )
});
/// Words before `Code` that make the name of a statute; `Source Code` and `Area Code` are none.
pub(super) static CODES_OF_LAW: Words = LazyLock::new(|| {
    set("Penal Civil Criminal Revenue Bankruptcy Commercial Labor Labour Tax Insolvency Procedure Evidence")
});
/// Spellings of reporters that are common in prose, months and directions among them: alone they are no evidence.
pub(super) static COMMON: Words = LazyLock::new(|| {
    set(
        "Jan Feb Mar Apr May Jun Jul Aug Sep Sept Oct Nov Dec NE NW SE SW No Art Sec Ch Ex Op Abs Dist Rep Div App \
     Day Days East West Vol",
    )
});
/// Words that names of courts share, in normal form; a name of these alone names no court.
pub(super) static GENERIC: Words = LazyLock::new(|| {
    set(
        "court courts district circuit supreme superior appeals appeal county family justice municipal probate \
     city town village common pleas chancery high tribunal bankruptcy criminal civil magistrate appellate \
     panel division commission board police juvenile tax sessions general special small claims causes land \
     surrogate surrogates orphans judicial",
    )
});
/// Kinds of court that with a place name a court even where the table has none.
pub(super) static COURT_KINDS: Words = LazyLock::new(|| {
    set(
        "High Supreme District Superior Circuit Sessions Family Bankruptcy County Crown Magistrates Commercial \
     Federal Cause Labour Municipal Probate Chancery Tax HIGH SUPREME DISTRICT",
    )
});
/// Words before the kind of a court that are no place.
pub(super) static NO_PLACES: Words = LazyLock::new(|| {
    set(
        "The This That Hon Honble Honorable Honourable Learned Any Each Said Such In And But See Our Before Under When Every Ld \
     Additional Principal First Second Third Lower Trial Assistant Chief Joint Local State Special",
    )
});
/// Words that many parties share, so that the word alone names no case.
pub(super) static SHARED: Words = LazyLock::new(|| {
    set(
        "state states united union people commonwealth city county board india america the inc corp ltd co company \
     ors anr others another limited llc commissioner secretary government department bank estate matter pvt \
     and",
    )
});
/// Words that end in a dot inside names of cases and that the data does not have.
pub(super) static MORE_ABBREVIATIONS: Words = LazyLock::new(|| {
    set(
        "Mr Mrs Ms Dr Smt Sri Shri St Jr Sr Inc Corp Co Cos Ltd Pvt Bros Mfg No Ors Anr al rel Hon Prof Gov Gen \
     Det Supt ex vs",
    )
});

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}
