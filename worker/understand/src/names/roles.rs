//! Roles of parties and persons: words that a text gives to somebody, such as `Licensee` and `Plaintiff`.

use super::words::has;

/// Roles, in the singular.
const ROLES: &[&str] = &[
    "administrator",
    "advertiser",
    "agent",
    "appellant",
    "appellee",
    "applicant",
    "arbitrator",
    "assignee",
    "assignor",
    "attorney",
    "auditor",
    "author",
    "bank",
    "borrower",
    "broker",
    "buyer",
    "carrier",
    "chairman",
    "chairperson",
    "chairwoman",
    "claimant",
    "client",
    "commissioner",
    "company",
    "complainant",
    "consultant",
    "contractor",
    "corporation",
    "counsel",
    "creditor",
    "custodian",
    "customer",
    "debtor",
    "defendant",
    "depositor",
    "developer",
    "director",
    "distributor",
    "employee",
    "employer",
    "executive",
    "executor",
    "franchisee",
    "franchisor",
    "franchiser",
    "guarantor",
    "holder",
    "indemnitee",
    "indemnitor",
    "insured",
    "insurer",
    "intervenor",
    "investor",
    "issuer",
    "judge",
    "landlord",
    "lender",
    "lessee",
    "lessor",
    "licensee",
    "licensor",
    "manager",
    "manufacturer",
    "merchant",
    "mortgagee",
    "mortgagor",
    "obligor",
    "officer",
    "operator",
    "owner",
    "parent",
    "partner",
    "petitioner",
    "plaintiff",
    "pledgee",
    "pledgor",
    "president",
    "principal",
    "producer",
    "promoter",
    "provider",
    "publisher",
    "purchaser",
    "recipient",
    "respondent",
    "secretary",
    "seller",
    "servicer",
    "sponsor",
    "subcontractor",
    "sublessee",
    "subsidiary",
    "supplier",
    "surety",
    "tenant",
    "treasurer",
    "trustee",
    "vendor",
];
/// Longest text behind a name in which a role is looked for, in bytes: `, as the successor Trustee` and the like.
const LOOKED_AT: usize = 48;

/// Whether a term is a role.
pub(super) fn is_role(term: &str) -> bool {
    has(ROLES, term)
}

/// The role that stands right behind a name: `, as Trustee`, `, Plaintiff`, ` (Seller)`.
pub(super) fn behind(text: &str) -> Option<String> {
    let text = &text[..text.floor_char_boundary(LOOKED_AT)];
    let rest = text.strip_prefix(',').or_else(|| text.strip_prefix(" ("));
    let rest = rest.or_else(|| text.strip_prefix(" as ").map(|_| text))?.trim_start();
    let rest = rest.strip_prefix("as ").unwrap_or(rest).trim_start();
    let rest = rest.strip_prefix("the ").unwrap_or(rest);
    let word = rest.split(|c: char| !c.is_alphabetic()).next()?;
    let ends = rest[word.len()..]
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}');
    (ends && word.starts_with(char::is_uppercase) && is_role(word)).then(|| titled(word))
}

/// A role with one capital letter.
pub(super) fn titled(role: &str) -> String {
    let mut chars = role.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars.flat_map(char::to_lowercase)).collect()
}
