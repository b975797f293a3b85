//! The words and sentences of the documents. Every person and firm in them is invented.

pub const GIVEN: &[&str] = &[
    "Amara",
    "Benedict",
    "Chiara",
    "Desmond",
    "Esther",
    "Florian",
    "Giulia",
    "Harold",
    "Imani",
    "Joaquín",
    "Katarzyna",
    "Leopold",
    "Miriam",
    "Nikhil",
    "Odette",
    "Percival",
    "Rosalind",
    "Siobhan",
    "Tobias",
    "Winifred",
];
pub const FAMILY: &[&str] = &[
    "Abernathy",
    "Bellweather",
    "Cavanaugh",
    "Delacroix",
    "Engström",
    "Fairbanks",
    "Gutierrez",
    "Holloway",
    "Iyer",
    "Jankowski",
    "Kensington",
    "Lindgren",
    "Montague",
    "Nakamura",
    "Okafor",
    "Pemberton",
    "Rasmussen",
    "Thackeray",
    "Villanueva",
    "Whitcombe",
];
pub const FIRMS: &[&str] = &[
    "Ashgrove",
    "Bluewater",
    "Copperfield",
    "Driftwood",
    "Elmhurst",
    "Foxglove",
    "Glenhaven",
    "Hawthorne",
    "Inverness",
    "Larkspur",
    "Marlborough",
    "Northgate",
    "Oakmont",
    "Pinecrest",
    "Quarrystone",
    "Ridgeline",
    "Silverbrook",
    "Tidewater",
];
pub const TRADES: &[&str] = &[
    "Aggregates",
    "Biologics",
    "Cold Storage",
    "Diagnostics",
    "Freight",
    "Instruments",
    "Labs",
    "Packaging",
    "Pipelines",
    "Power",
    "Robotics",
    "Shipping",
    "Software",
    "Surgical",
    "Telecom",
    "Timber",
];
pub const FORMS: &[&str] = &[
    "Inc.",
    "LLC",
    "Corporation",
    "Ltd.",
    "Holdings, Inc.",
    "L.P.",
    "Co.",
    "PLC",
];
pub const CITIES: &[&str] = &[
    "Albany",
    "Baltimore",
    "Charlotte",
    "Denver",
    "El Paso",
    "Fresno",
    "Hartford",
    "Kansas City",
    "Louisville",
    "Memphis",
    "Newark",
    "Omaha",
    "Pittsburgh",
    "Richmond",
    "Sacramento",
    "Tucson",
    "Wilmington",
];
pub const WAYS: &[&str] = &["Street", "Avenue", "Boulevard", "Road", "Drive"];
pub const STATES: &[&str] = &[
    "the State of Delaware",
    "the State of New York",
    "the State of California",
    "the Commonwealth of Virginia",
    "the State of Texas",
    "the State of Illinois",
    "England and Wales",
    "the Province of Ontario",
];
pub const COURTS: &[&str] = &[
    "the Court of Chancery of the State of Delaware",
    "the United States District Court for the Southern District of New York",
    "the Superior Court of California, County of Alameda",
    "the Circuit Court of Fairfax County",
    "the United States Court of Appeals for the Fifth Circuit",
    "the Supreme Court of the State of New York",
    "the High Court of Justice",
];
pub const STATUTES: &[&str] = &[
    "the Securities Exchange Act of 1934",
    "the Internal Revenue Code of 1986",
    "the Sherman Act",
    "the Fair Labor Standards Act",
    "the Uniform Commercial Code",
    "the Clean Water Act",
    "the Employee Retirement Income Security Act of 1974",
    "15 U.S.C. § 78j(b)",
    "11 U.S.C. § 362",
    "29 C.F.R. § 1910.134",
    "the Delaware General Corporation Law",
    "the Data Protection Act 2018",
];
pub const AGENCIES: &[&str] = &[
    "the Securities and Exchange Commission",
    "the Internal Revenue Service",
    "the Federal Trade Commission",
    "the Department of Labor",
    "the Environmental Protection Agency",
    "the Food and Drug Administration",
];
pub const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const ROLES: &[(&str, &str)] = &[
    ("Seller", "Buyer"),
    ("Licensor", "Licensee"),
    ("Landlord", "Tenant"),
    ("Lender", "Borrower"),
    ("Company", "Consultant"),
    ("Manufacturer", "Distributor"),
    ("Owner", "Contractor"),
];
pub const TITLES: &[&str] = &[
    "Asset Purchase Agreement",
    "Master Services Agreement",
    "Supply and Distribution Agreement",
    "Licence Agreement",
    "Credit Agreement",
    "Commercial Lease",
    "Consulting Agreement",
    "Joint Venture Agreement",
];
pub const HEADINGS: &[&str] = &[
    "Definitions and Interpretation",
    "Term and Renewal",
    "Price and Payment",
    "Delivery and Acceptance",
    "Confidentiality",
    "Representations and Warranties",
    "Indemnification",
    "Limitation of Liability",
    "Termination",
    "Insurance",
    "Taxes",
    "Records and Audit",
    "Governing Law; Jurisdiction",
    "Notices",
    "Assignment",
    "Force Majeure",
    "Entire Agreement",
];
pub const THINGS: &[&str] = &[
    "invoice",
    "shipment",
    "report",
    "instalment",
    "certificate",
    "permit",
    "statement of work",
    "purchase order",
    "inspection",
    "budget",
    "forecast",
    "policy of insurance",
    "claim",
    "notice of default",
    "change order",
];
pub const PLURALS: &[&str] = &[
    "goods",
    "services",
    "premises",
    "deliverables",
    "records",
    "royalties",
    "trade secrets",
    "specifications",
    "materials",
    "obligations",
    "licensed products",
    "books of account",
];
pub const MANNERS: &[&str] = &[
    "in good faith",
    "at its own expense",
    "without undue delay",
    "with reasonable care",
    "in writing",
    "free of any lien or encumbrance",
    "in accordance with generally accepted accounting principles",
];

pub const OPENING: &str = "This Agreement is made and entered into as of {date} (the \"Effective Date\") by and between \
    {firm}, a company organised under the laws of {state} with its principal office at {street}, {city} (the \"{role}\"), \
    and {firm2}, whose place of business is in {city2} (the \"{role2}\").";

pub const CLAUSES: &[&str] = &[
    "The {role} shall provide the {things} described in Exhibit A to the {role2} {manner}, and shall not suspend them \
     before {date} except as Section {section} permits.",
    "The {role2} shall pay to the {role} the sum of {money} no later than {days} days after it has received each {thing}, \
     by wire transfer to the account that the {role} names for that purpose.",
    "Any amount that is not paid when due bears interest at {percent}% a year or the highest rate permitted by {statute}, \
     whichever is less, from the due date until it is paid in full.",
    "Each party represents and warrants to the other that it is duly organised, that it has full power to perform this \
     Agreement, and that doing so neither breaches any other contract nor violates any order of {court}.",
    "This Agreement is governed by the laws of {state}, without regard to its rules on conflicts of laws, and each party \
     irrevocably submits to the exclusive jurisdiction of {court}.",
    "All notices under this Agreement shall be in writing and sent to {person} at {street}, {city}, with a copy, which is \
     not itself notice, to {person2} in {city2}.",
    "The {role} shall indemnify, defend and hold harmless the {role2}, its officers, employees and agents from any loss, \
     liability, damage or expense, reasonable attorneys' fees included, that arises out of the {things} or out of a breach \
     of Section {section}.",
    "In no event shall the liability of either party under this Agreement exceed the greater of {money} and {percent}% of \
     the amounts paid in the twelve months before the claim arose.",
    "Neither party may assign this Agreement, by operation of law or otherwise, without the prior consent of the other, \
     which shall not be unreasonably withheld, conditioned or delayed; an assignment to {other_firm} or another affiliate \
     needs notice only.",
    "For the purposes of this Section {section}, \"Confidential Information\" means any information, in whatever form, \
     that concerns the {things} of a party and is marked as confidential or ought reasonably to be understood as such.",
    "The obligations of this Section do not apply to information that (a) was known to the recipient before {date}, (b) is \
     or becomes public through no fault of the recipient, or (c) must be disclosed under {other_statute} or by order of \
     {court}.",
    "Either party may terminate this Agreement upon {days} days' notice if the other commits a material breach and does \
     not cure it within that time, or if it becomes the subject of a petition under {other_statute}.",
    "On or before {date}, {firm2} shall deliver to {firm} each {thing} then outstanding, together with payment of {money} \
     and such {things} as are listed in Schedule {section}.",
    "The {role2} shall keep accurate {things} {manner} and shall, upon reasonable notice, allow the {role} or its auditors \
     to inspect them during business hours, but not more than once in a calendar year.",
    "The {role} has made all filings that {agency} requires under {statute}, and no investigation by {agency} is pending \
     or, to the knowledge of {person}, threatened.",
    "During the term the {role2} shall maintain, {manner}, commercial general liability insurance of not less than {money} \
     for each occurrence, with a carrier that is acceptable to the {role}.",
    "If a delay is caused by fire, flood, strike, act of war or any other event beyond its reasonable control, a party is \
     excused for as long as the event lasts, provided that it gives notice within {days} days and resumes performance \
     {manner}.",
    "This Agreement, with its exhibits, is the entire understanding of the parties and supersedes the letter of intent \
     between {firm} and {other_firm} dated {date}.",
    "{person}, Chief Executive Officer of {firm}, and {person2}, President of {firm2}, have signed this {thing} in {city} \
     on {date}.",
    "Every {thing} shall be deemed accepted unless the {role2} rejects it in writing within {days} days, stating in \
     reasonable detail how it fails to conform to the {things}.",
    "Title to the {things} and risk of loss pass to the {role2} when they are handed to the carrier in {city2}.",
    "A waiver of any provision is effective only if it is in writing, and no failure to exercise a right under Section \
     {section} operates as a waiver of it.",
    "The purchase price of {money} shall be adjusted upward or downward, dollar for dollar, by the amount by which the \
     working capital at the closing differs from {money}, as determined by {other_firm} acting as an expert.",
    "Should any provision be held invalid by {court}, the remaining provisions continue in force, and the parties shall \
     negotiate {manner} a valid provision that comes closest to what they intended.",
];

pub const LETTER_HEAD: &str = "{firm}\n{street}, {city}\n\n{date}\n\nDear {person2}:\n\n";

pub const LETTER: &[&str] = &[
    "I write on behalf of {firm} about the {thing} that your client, {firm2}, sent us on {date}.",
    "Our records show that {money} has been outstanding since {date}, although the agreement calls for payment within \
     {days} days.",
    "Unless we receive {money} by {date}, we shall ask {court} for relief without further notice.",
    "Please let me know whether {firm2} is prepared to meet in {city2} to settle the matter.",
    "As you are aware, {statute} requires each party to keep its {things} for {days} months, and {agency} may ask for them.",
    "The {things} that were delivered to {city} do not conform to the order, as {person} told your office by telephone.",
    "We are willing to accept {percent}% of the amount in full settlement, provided that it is paid {manner}.",
    "Nothing in this letter waives any right that {firm} has under the agreement, under {other_statute}, or otherwise.",
    "A copy of the {thing} is enclosed; kindly sign it and return it to {person} at {street}.",
    "I understand that {other_firm} has made a similar offer, which remains open until {date}.",
];

pub const LETTER_END: &str = "Sincerely,\n\n{person}\n{firm}\n";
